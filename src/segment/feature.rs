//! A feature as somebody writes it: a column, and what is done to it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::transform::Transform;
use crate::customers::spend::percentage;
use crate::error::{Error, Result};

/// A column and its transform, written as `total_spend:log:winsor=1%,99%`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Feature {
    /// The name of the column.
    pub column: String,
    /// What is done to its values.
    pub transform: Transform,
}

impl Feature {
    /// Recency, frequency and spend as `run` takes them: ln(1 + x) of each, standardised.
    pub fn usual() -> Vec<Feature> {
        let logarithm = Transform { log1p: true, ..Transform::default() };
        ["days_since_last", "frequency", "total_spend"]
            .map(|column| Feature { column: column.into(), transform: logarithm })
            .into()
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.column)?;
        if self.transform.log1p {
            f.write_str(":log")?;
        }
        if let Some((low, high)) = self.transform.winsorise {
            write!(f, ":winsor={}%,{}%", percentage(low), percentage(high))?;
        }
        if !self.transform.standardise {
            f.write_str(":raw")?;
        }
        Ok(())
    }
}

impl FromStr for Feature {
    type Err = Error;

    /// Reads what stands behind the column from its end, so that a column's name may hold colons.
    fn from_str(text: &str) -> Result<Feature> {
        let mut transform = Transform::default();
        let mut rest = text;
        let mut seen: Vec<&str> = Vec::new();
        while let Some((before, last)) = rest.rsplit_once(':') {
            let word = last.split_once('=').map_or(last, |(word, _)| word);
            match (word, last.strip_prefix("winsor=")) {
                ("log", _) if word == last => transform.log1p = true,
                ("raw", _) if word == last => transform.standardise = false,
                ("winsor", Some(shares)) => transform.winsorise = Some(quantiles(text, shares)?),
                _ => break,
            }
            if seen.contains(&word) {
                return Err(wrong(text, format!("it says {word} twice")));
            }
            seen.push(word);
            rest = before;
        }
        if rest.is_empty() {
            return Err(wrong(text, "it names no column".into()));
        }
        Ok(Feature { column: rest.into(), transform })
    }
}

fn wrong(text: &str, problem: String) -> Error {
    let remedy = "write a column, and behind it what is done: total_spend:log, clv:winsor=1%,99% or age:raw";
    Error::value("a feature", text, problem, remedy)
}

/// Two shares, written as percentages or as numbers from 0 to 1.
fn quantiles(text: &str, shares: &str) -> Result<(f64, f64)> {
    let share = |text: &str| -> Option<f64> {
        let (number, scale) = match text.trim().strip_suffix('%') {
            Some(number) => (number.trim(), 100.0),
            None => (text.trim(), 1.0),
        };
        number.parse::<f64>().ok().map(|value| value / scale)
    };
    let both = shares.split_once(',').and_then(|(low, high)| Some((share(low)?, share(high)?)));
    both.filter(|(low, high)| 0.0 <= *low && low < high && *high <= 1.0)
        .ok_or_else(|| wrong(text, format!("\"{shares}\" is no two quantiles, the lower one first")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_and_written() {
        for text in [
            "clv",
            "total_spend:log",
            "a:b:log:winsor=1%,97.5%",
            "x:winsor=0%,100%:raw",
            "age:log:raw",
            "x:winsor=7%,93%",
        ] {
            let feature: Feature = text.parse().unwrap();
            assert_eq!(feature.to_string(), text);
        }
        let feature: Feature = "a:raw:winsor=0.05,0.9:log".parse().unwrap();
        assert_eq!(feature.to_string(), "a:log:winsor=5%,90%:raw");
        // What is no known word belongs to the name, which the table refuses.
        assert_eq!("total_spend:lgo".parse::<Feature>().unwrap().column, "total_spend:lgo");
        assert_eq!(Feature::usual()[1].to_string(), "frequency:log");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, problem) in [
            (":log", "it names no column"),
            ("x:log:log", "it says log twice"),
            ("x:winsor=99%,1%", "is no two quantiles"),
            ("x:winsor=1,99", "is no two quantiles"),
            ("x:winsor=5%", "is no two quantiles"),
            ("x:winsor=NaN,0.9", "is no two quantiles"),
        ] {
            let error = text.parse::<Feature>().unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
