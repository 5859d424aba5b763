//! Beliefs as typed: a number, or a table with its interval and where it comes from.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::belief::Source;

/// A belief with its interval.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeliefEntry {
    /// The median.
    pub value: f64,
    /// The lower end of its 95 % interval.
    pub lower: f64,
    /// The upper end of its 95 % interval.
    pub upper: f64,
    /// Where the numbers come from.
    pub source: Source,
    /// The source in words.
    #[serde(default)]
    pub note: String,
}

/// `[new_customers]`: how many come in each period of the horizon.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomersEntry {
    /// The median of their number in one period of the horizon.
    pub per_period: f64,
    /// The lower end of its 95 % interval.
    pub lower: f64,
    /// The upper end of its 95 % interval.
    pub upper: f64,
    /// Where the numbers come from.
    pub source: Source,
    /// The source in words.
    #[serde(default)]
    pub note: String,
}

/// A number that is held fixed, as an assumption, or a belief with its interval.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum Amount {
    /// A number.
    Number(f64),
    /// A belief.
    Belief(BeliefEntry),
}

impl Default for Amount {
    fn default() -> Amount {
        Amount::Number(0.0)
    }
}

/// By hand, because an untagged enum would not say which key of the table is wrong.
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl<'de> Visitor<'de> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or { value, lower, upper, source, note }")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Amount, E> {
        Ok(Amount::Number(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Amount, E> {
        Ok(Amount::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Amount, E> {
        Ok(Amount::Number(value as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Amount, A::Error> {
        BeliefEntry::deserialize(MapAccessDeserializer::new(map)).map(Amount::Belief)
    }
}
