//! A scheme's document read key by key, with the line of whatever is wrong.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::rules::{Expr, Problem, Template, did_you_mean, is_plain_name, parse};
use super::scheme_file::{Labels, MOST_TIERS, RuleEntry, SchemeFile, TierEntry, Written};
use crate::error::{Error, Result};

/// Rules of all tiers together.
const MOST_RULES: usize = 250;

type Value<'i> = Spanned<DeValue<'i>>;

/// A document with its name.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

/// What a value is, for errors.
fn type_of(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

impl<'a> Reader<'a> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes()[..at.min(self.text.len())].iter().filter(|b| **b == b'\n').count()
    }

    /// An error about what begins at byte `at`.
    pub(super) fn error(&self, at: usize, problem: String, remedy: &str) -> Error {
        Error::Document {
            file: self.file.to_string(),
            problem: format!("line {}: {problem}", self.line(at)),
            remedy: remedy.to_string(),
        }
    }

    /// Refuses keys that have no meaning in `place`.
    fn known_keys(&self, table: &DeTable, place: &str, known: &[&str]) -> Result<()> {
        let unknown = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let known: Vec<String> = known.iter().map(|key| key.to_string()).collect();
        let problem = format!("{place} has no key \"{}\"", key.get_ref());
        Err(self.error(key.span().start, problem, &did_you_mean(key.get_ref(), &known)))
    }

    fn wrong(&self, value: &Value, place: &str, wanted: &str) -> Error {
        let problem = format!("{place} is {}, where {wanted} is needed", type_of(value.get_ref()));
        self.error(value.span().start, problem, "docs/rules.md describes scheme files key by key")
    }

    fn string<'v>(
        &self,
        table: &'v DeTable,
        key: &str,
        place: &str,
    ) -> Result<Option<(&'v str, Range<usize>)>> {
        match table.get(key) {
            None => Ok(None),
            Some(value) => match value.get_ref() {
                DeValue::String(text) => Ok(Some((text, value.span()))),
                _ => Err(self.wrong(value, &format!("{place}{key}"), "a text")),
            },
        }
    }

    fn text_or(&self, table: &DeTable, key: &str, place: &str, otherwise: &str) -> Result<String> {
        Ok(self.string(table, key, place)?.map_or(otherwise, |(text, _)| text).to_string())
    }

    /// A text that is read further.
    fn written<T>(
        &self,
        (text, span): (&str, Range<usize>),
        place: String,
        read: impl Fn(&str) -> Result<T, Problem>,
    ) -> Result<Written<T>> {
        let line = self.line(span.start);
        let read = read(text).map_err(|problem| Error::Document {
            file: self.file.to_string(),
            problem: format!("line {line}, {place}: {}", problem.marked(text)),
            remedy: problem.remedy.clone(),
        })?;
        Ok(Written { read, text: text.to_string(), line, place })
    }

    /// The whole of it.
    pub(super) fn scheme(&self, table: &DeTable) -> Result<SchemeFile> {
        self.known_keys(table, "a scheme", &["scheme", "title", "title_zh", "note", "order", "let", "tier"])?;
        let Some((key, at)) = self.string(table, "scheme", "")? else {
            return Err(self.error(0, "the scheme has no name".into(), "begin with scheme = \"my_scheme\""));
        };
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if key.is_empty() || key.len() > 60 || !key.chars().all(is_name) {
            let remedy = "use small letters, digits and _: it is part of the name of a column";
            return Err(self.error(at.start, format!("scheme = \"{key}\" is no name"), remedy));
        }
        let title = self.text_or(table, "title", "", key)?;
        let title = Labels { zh: self.text_or(table, "title_zh", "", &title)?, en: title };
        let note = self.text_or(table, "note", "", "")?;
        let lets = self.lets(table)?;
        let tiers = self.tiers(table)?;
        let order = self.order(table, &tiers)?;
        Ok(SchemeFile {
            file: self.file.to_string(),
            key: key.to_string(),
            title,
            note,
            fingerprint: 0,
            document: String::new(),
            lets,
            tiers,
            order,
        })
    }

    fn lets(&self, table: &DeTable) -> Result<Vec<(String, Written<Expr>)>> {
        let Some(value) = table.get("let") else { return Ok(Vec::new()) };
        let DeValue::Table(entries) = value.get_ref() else {
            return Err(self.wrong(value, "let", "a table"));
        };
        let mut entries: Vec<_> = entries.iter().collect();
        // In the order in which they stand, each may use those before it.
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut out = Vec::new();
        for (name, value) in entries {
            let place = format!("[let] {}", name.get_ref());
            if !is_plain_name(name.get_ref()) {
                let remedy =
                    "begin with a letter and use letters, digits and _; words of the language are taken";
                return Err(self.error(
                    name.span().start,
                    format!("{place} is no name that a rule can use"),
                    remedy,
                ));
            }
            let text = match value.get_ref() {
                DeValue::String(text) => text.as_ref(),
                DeValue::Integer(number) => number.as_str(),
                DeValue::Float(number) => number.as_str(),
                _ => return Err(self.wrong(value, &place, "a text or a number")),
            };
            out.push((name.get_ref().to_string(), self.written((text, value.span()), place, parse)?));
        }
        Ok(out)
    }

    fn tiers(&self, table: &DeTable) -> Result<Vec<TierEntry>> {
        let remedy = "write a [[tier]] with a name for each, and the last one with default = true";
        let Some(value) = table.get("tier") else {
            return Err(self.error(0, "the scheme has no tiers".into(), remedy));
        };
        let DeValue::Array(entries) = value.get_ref() else {
            return Err(self.wrong(value, "tier", "[[tier]]"));
        };
        if entries.is_empty() {
            return Err(self.error(value.span().start, "the scheme has no tiers".into(), remedy));
        }
        if entries.len() > MOST_TIERS {
            let problem = format!("the scheme has {} tiers, and there can be {MOST_TIERS}", entries.len());
            return Err(self.error(value.span().start, problem, "join tiers that are treated alike"));
        }
        let mut tiers: Vec<TierEntry> = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            let DeValue::Table(tier) = entry.get_ref() else {
                return Err(self.wrong(entry, "tier", "[[tier]]"));
            };
            let tier = self.tier(tier, entry.span().start)?;
            if let Some(other) = tiers.iter().find(|other| other.name == tier.name) {
                let problem = format!("[[tier]] \"{}\" stands twice, also on line {}", tier.name, other.line);
                let remedy =
                    "give every tier a name of its own; several rules of one tier are [[tier.any]] of it";
                return Err(self.error(entry.span().start, problem, remedy));
            }
            if tier.is_default && i + 1 < entries.len() {
                let problem = format!("[[tier]] \"{}\" is the default but not the last", tier.name);
                let remedy =
                    "put it last: it takes everybody whom no rule before took; `order` lists tiers otherwise";
                return Err(self.error(entry.span().start, problem, remedy));
            }
            tiers.push(tier);
        }
        let rules: usize = tiers.iter().map(|tier| tier.rules.len()).sum();
        if rules > MOST_RULES {
            let problem = format!("the scheme has {rules} rules, and there can be {MOST_RULES}");
            return Err(self.error(value.span().start, problem, "join rules of one tier with \"or\""));
        }
        Ok(tiers)
    }

    fn tier(&self, table: &DeTable, at: usize) -> Result<TierEntry> {
        let Some((name, name_at)) = self.string(table, "name", "[[tier]] ")? else {
            return Err(self.error(at, "a [[tier]] has no name".into(), "write name = \"high\""));
        };
        let place = format!("[[tier]] \"{name}\"");
        if name.trim().is_empty() || name.chars().count() > 100 {
            let remedy = "give it a name of up to 100 characters";
            return Err(self.error(name_at.start, format!("{place} has no usable name"), remedy));
        }
        self.known_keys(table, &place, &["name", "label", "about", "when", "any", "reason", "default"])?;
        let within = format!("{place}, ");
        let label = self.labels(table, name, &within)?;
        let about = self.text_or(table, "about", &within, "")?;
        let reason = self.reason(table, &within)?;
        let is_default = match table.get("default") {
            None => false,
            Some(value) => match value.get_ref() {
                DeValue::Boolean(is) => *is,
                _ => return Err(self.wrong(value, &format!("{within}default"), "true or false")),
            },
        };
        let mut rules = Vec::new();
        if let Some(when) = self.string(table, "when", &within)? {
            let when = self.written(when, format!("{within}when"), parse)?;
            rules.push(RuleEntry { when, about: about.clone(), reason: reason.clone() });
        }
        if let Some(value) = table.get("any") {
            if !rules.is_empty() {
                let remedy = "move the rule under [[tier.any]], beside the others";
                return Err(self.error(value.span().start, format!("{place} has both when and any"), remedy));
            }
            let DeValue::Array(entries) = value.get_ref() else {
                return Err(self.wrong(value, &format!("{within}any"), "[[tier.any]]"));
            };
            for entry in entries.iter() {
                let DeValue::Table(rule) = entry.get_ref() else {
                    return Err(self.wrong(entry, &format!("{within}any"), "[[tier.any]]"));
                };
                self.known_keys(rule, &format!("{within}[[tier.any]]"), &["when", "about", "reason"])?;
                let Some(when) = self.string(rule, "when", &within)? else {
                    let problem = format!("{within}[[tier.any]] has no rule");
                    return Err(self.error(entry.span().start, problem, "write when = \"…\""));
                };
                rules.push(RuleEntry {
                    when: self.written(when, format!("{within}when"), parse)?,
                    about: self.text_or(rule, "about", &within, "")?,
                    reason: self.reason(rule, &within)?.or_else(|| reason.clone()),
                });
            }
        }
        if is_default && !rules.is_empty() {
            let remedy = "leave out default = true, or the rule: the default takes everybody else";
            return Err(self.error(at, format!("{place} is the default and has a rule"), remedy));
        }
        if !is_default && rules.is_empty() {
            let remedy = "write when = \"…\", or default = true for everybody else";
            return Err(self.error(at, format!("{place} has no rule"), remedy));
        }
        Ok(TierEntry { name: name.to_string(), label, about, reason, rules, is_default, line: self.line(at) })
    }

    fn reason(&self, table: &DeTable, within: &str) -> Result<Option<Written<Template>>> {
        let reason = self.string(table, "reason", within)?;
        reason.map(|reason| self.written(reason, format!("{within}reason"), Template::parse)).transpose()
    }

    fn labels(&self, table: &DeTable, name: &str, within: &str) -> Result<Labels> {
        let Some(value) = table.get("label") else {
            return Ok(Labels { en: name.to_string(), zh: name.to_string() });
        };
        match value.get_ref() {
            DeValue::String(text) => Ok(Labels { en: text.to_string(), zh: text.to_string() }),
            DeValue::Table(labels) => {
                let place = format!("{within}label.");
                self.known_keys(labels, &format!("{within}label"), &["en", "zh"])?;
                let en = self.text_or(labels, "en", &place, name)?;
                Ok(Labels { zh: self.text_or(labels, "zh", &place, &en)?, en })
            }
            _ => Err(self.wrong(value, &format!("{within}label"), "a text, or { en = \"…\", zh = \"…\" }")),
        }
    }

    fn order(&self, table: &DeTable, tiers: &[TierEntry]) -> Result<Vec<usize>> {
        let Some(value) = table.get("order") else { return Ok((0..tiers.len()).collect()) };
        let DeValue::Array(entries) = value.get_ref() else {
            return Err(self.wrong(value, "order", "a list"));
        };
        let names: Vec<String> = tiers.iter().map(|tier| tier.name.clone()).collect();
        let (mut out, mut seen) = (Vec::new(), BTreeSet::new());
        for entry in entries.iter() {
            let DeValue::String(name) = entry.get_ref() else {
                return Err(self.wrong(entry, "order", "a name"));
            };
            let Some(at) = names.iter().position(|known| known == name) else {
                let problem = format!("order names \"{name}\", which is no tier");
                return Err(self.error(entry.span().start, problem, &did_you_mean(name, &names)));
            };
            if !seen.insert(at) {
                let problem = format!("order names \"{name}\" twice");
                return Err(self.error(entry.span().start, problem, "name every tier once"));
            }
            out.push(at);
        }
        match (0..tiers.len()).find(|at| !seen.contains(at)) {
            None => Ok(out),
            Some(missing) => {
                let problem = format!("order does not name tier \"{}\"", names[missing]);
                Err(self.error(
                    value.span().start,
                    problem,
                    "name every tier once, from the best to the worst",
                ))
            }
        }
    }
}
