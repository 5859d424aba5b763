//! A scheme held against customers: checked, its thresholds computed, everybody put into a tier, with a reason on demand.

use std::borrow::Cow;
use std::ops::Range;

use super::columns::Columns;
use super::rules::{
    CHUNK, Checker, Never, Num, Prepared, Program, Sentence, Tri, Typed, Values, YES, first_empty,
    takes_everybody,
};
use super::rules::{Chunk, Problem};
use super::scheme_file::{SchemeFile, Written};
use super::tiering_words;
use super::{Tiering, Totals};
use crate::customers::CustomerTable;
use crate::error::{Error, Result};
use crate::parallel;

/// A rule of a tier, ready to run.
#[derive(Debug)]
pub(super) struct ReadyRule {
    /// Among the tiers as they are asked.
    pub(super) tier: usize,
    pub(super) tri: Tri,
    pub(super) about: String,
    pub(super) sentence: Option<Sentence>,
}

/// A scheme whose rules have been checked against columns and whose thresholds are known.
#[derive(Debug)]
pub struct ReadyScheme<'c> {
    pub(super) file: Cow<'c, SchemeFile>,
    pub(super) program: Program<'c>,
    pub(super) rules: Vec<ReadyRule>,
    /// The tier of everybody else.
    pub(super) default: Option<(usize, Option<Sentence>)>,
}

/// The tiers of all customers by one scheme, and why each is where it is.
#[derive(Debug)]
pub struct Graded<'c> {
    /// Codes, thresholds, words, counts and shares.
    pub tiering: Tiering,
    /// The rule that took each customer: its place among the scheme's rules in the order in which they are asked; as
    /// many as there are rules where the default took it.
    pub rules: Vec<u8>,
    scheme: ReadyScheme<'c>,
}

/// Why a customer is in its tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The tier.
    pub tier: String,
    /// The rule that took it, as in [`Graded::rules`].
    pub rule: usize,
    /// In words, with the customer's values.
    pub sentence: String,
}

/// No rule has taken the customer.
const NONE: u8 = u8::MAX;
/// Customers that one thread takes at a time.
const PIECE: usize = 16 * CHUNK;

impl SchemeFile {
    /// Holds the scheme against columns: names and types, then thresholds over all customers, then whether every rule
    /// can match anybody.
    ///
    /// # Errors
    /// [`Error::Document`] that names the line, the tier and the place in its rule.
    pub fn ready<'c>(&'c self, columns: &'c Columns<'_>) -> Result<ReadyScheme<'c>> {
        let mut checker = Checker::new(columns);
        for (name, written) in &self.lets {
            checker.name(name, &written.read).map_err(|problem| self.problem(written, &problem))?;
        }
        let (mut rules, mut default) = (Vec::new(), None);
        let sentence = |checker: &mut Checker<'c, '_>, written: Option<&Written<_>>| {
            let read = |written: &Written<_>| {
                checker.sentence(&written.read).map_err(|problem: Problem| self.problem(written, &problem))
            };
            written.map(read).transpose()
        };
        for (at, tier) in self.tiers.iter().enumerate() {
            for rule in &tier.rules {
                let tri =
                    checker.truth(&rule.when.read).map_err(|problem| self.problem(&rule.when, &problem))?;
                let sentence = sentence(&mut checker, rule.reason.as_ref())?;
                rules.push(ReadyRule { tier: at, tri, about: rule.about.clone(), sentence });
            }
            if tier.is_default {
                default = Some((at, sentence(&mut checker, tier.reason.as_ref())?));
            }
        }
        let mut program = checker.program;
        program.prepare()?;
        let ready = ReadyScheme { file: Cow::Borrowed(self), program, rules, default };
        ready.check_that_all_can_match()?;
        Ok(ready)
    }

    /// Puts the customers of a table into tiers.
    ///
    /// # Errors
    /// As for [`SchemeFile::ready`], and for customers whom no rule takes where there is no default.
    pub fn grade<'c>(&'c self, table: &CustomerTable, columns: &'c Columns<'_>) -> Result<Graded<'c>> {
        self.ready(columns)?.grade(table)
    }
}

impl<'c> ReadyScheme<'c> {
    /// The scheme as it was written.
    pub fn file(&self) -> &SchemeFile {
        &self.file
    }

    fn check_that_all_can_match(&self) -> Result<()> {
        let tris: Vec<Tri> = self.rules.iter().map(|rule| rule.tri.clone()).collect();
        let name = |rule: usize| &self.file.tiers[self.rules[rule].tier].name;
        if let Some((rule, why)) = first_empty(&self.program, &tris) {
            let tier = self.rules[rule].tier;
            return Err(match why {
                Never::Contradiction(words) => self.file.about_tier(
                    tier,
                    format!("the rule can never match: {words}"),
                    "nobody can be so: turn a comparison round, or write \"or\" for one of two",
                ),
                Never::Taken { by, everybody: true, .. } => self.file.about_tier(
                    tier,
                    format!("the rule can never match: tier \"{}\" before it takes everybody", name(by)),
                    "rules are asked in order, and the first that matches decides: put this tier before that one",
                ),
                Never::Taken { by, words: [before, own], .. } => self.file.about_tier(
                    tier,
                    format!(
                        "the rule can never match: it asks for {own}, and tier \"{}\" before it takes everybody with {before}",
                        name(by)
                    ),
                    "rules are asked in order, and the first that matches decides: put the strictest first, or correct the threshold",
                ),
            });
        }
        if let (Some((tier, _)), Some(rule)) = (&self.default, takes_everybody(&self.program, &tris)) {
            return Err(self.file.about_tier(
                *tier,
                format!("nobody is left for the default: tier \"{}\" takes everybody", name(rule)),
                "leave the default out, or ask for something in that tier",
            ));
        }
        Ok(())
    }

    /// The thresholds as numbers, by name: the names of `[let]` that are one number, and for a score its cuts, as in
    /// `R 2`, named by the score that they open.
    pub fn thresholds(&self) -> Vec<(String, f64)> {
        let mut out = Vec::new();
        for own in &self.program.lets {
            let (Typed::Number(num, _) | Typed::Day(num)) = &own.value else { continue };
            if let Num::Score(slot, of) = num
                && let Some(Prepared::Cuts(cuts)) = self.program.prepared.get(*slot)
            {
                // A score of minus the days is one of days: fewer are better.
                let sign = if matches!(**of, Num::Negative(_)) { -1.0 } else { 1.0 };
                let name = self.program.score_name(num);
                let cuts = (2..).zip(cuts).filter(|(_, cut)| !cut.is_nan());
                out.extend(cuts.map(|(score, cut): (i32, _)| (format!("{name} {score}"), sign * cut + 0.0)));
            } else if let Some(value) = self.program.one(num).filter(|value| !value.is_nan()) {
                out.push((own.name.clone(), value));
            }
        }
        out
    }

    /// Whether the rules, or their reasons, look at a column.
    pub fn looks_at(&self, column: &str) -> bool {
        self.program.columns.iter().any(|used| used.name == column)
    }

    /// The tiers, as they are listed, of the customers `rows`, were the numbers of some columns (by name, one entry for each of
    /// the rows) others: every threshold stays what it is on all customers. `None` is who would then have no tier.
    pub fn tiers_with(&self, rows: Range<usize>, instead: &[(&str, &[f64])]) -> Vec<Option<u8>> {
        let place = |name: &str| self.program.columns.iter().position(|used| used.name == name);
        let instead: Vec<(usize, &[f64])> =
            instead.iter().filter_map(|&(name, values)| Some((place(name)?, values))).collect();
        let tier_of = self.tier_of_rules();
        let default = self.default.as_ref().map(|_| self.rules.len());
        let mut out = Vec::with_capacity(rows.len());
        for begin in (0..rows.len()).step_by(CHUNK) {
            let of = begin..(begin + CHUNK).min(rows.len());
            let here: Vec<(usize, &[f64])> =
                instead.iter().map(|&(place, values)| (place, &values[of.clone()])).collect();
            let mut rules = vec![NONE; of.len()];
            let chunk = Chunk::with(&self.program, rows.start + of.start..rows.start + of.end, &here);
            self.decide_chunk(&chunk, &mut rules);
            out.extend(rules.into_iter().map(|rule| match rule {
                NONE => default.map(|default| tier_of[default]),
                rule => Some(tier_of[usize::from(rule)]),
            }));
        }
        out
    }

    /// The tier, as it is listed, of every rule, and after them of the default.
    fn tier_of_rules(&self) -> Vec<u8> {
        // From the order in which tiers are asked to the one in which they are listed.
        let listed = |asked: usize| self.file.order.iter().position(|&tier| tier == asked).unwrap_or(0) as u8;
        let asked = self.rules.iter().map(|rule| rule.tier).chain(self.default.iter().map(|(tier, _)| *tier));
        asked.map(listed).collect()
    }

    /// The rule that takes each customer; [`NONE`] for nobody's.
    fn decide(&self) -> Vec<u8> {
        let pieces = parallel::map_chunks(self.program.rows, PIECE, |rows| {
            let mut out = vec![NONE; rows.len()];
            for (chunk, out) in out.chunks_mut(CHUNK).enumerate() {
                let begin = rows.start + chunk * CHUNK;
                self.decide_chunk(&Chunk::new(&self.program, begin..begin + out.len()), out);
            }
            out
        });
        pieces.concat()
    }

    fn decide_chunk(&self, chunk: &Chunk, out: &mut [u8]) {
        for (k, rule) in self.rules.iter().enumerate() {
            if !out.contains(&NONE) {
                return;
            }
            // There are at most 250 rules.
            let k = k as u8;
            match chunk.truth(&rule.tri) {
                Values::One(YES) => out.iter_mut().filter(|rule| **rule == NONE).for_each(|rule| *rule = k),
                Values::One(_) => {}
                Values::Many(truths) => {
                    for (rule, truth) in out.iter_mut().zip(truths.iter()) {
                        *rule = if *rule == NONE && *truth == YES { k } else { *rule };
                    }
                }
            }
        }
    }

    /// Puts everybody into a tier. `table` is that of the columns.
    ///
    /// # Errors
    /// [`Error::Document`] with the number of customers whom no rule takes, and the first of them.
    pub fn grade(self, table: &CustomerTable) -> Result<Graded<'c>> {
        self.grade_rows(&table.total_spend, |i| table.ids.text(i))
    }

    /// The same of rows that are no customer table: `spend` is each one's, whatever is to be shared out by tier (0 where
    /// it is no number), `who` its id.
    ///
    /// # Errors
    /// As for [`ReadyScheme::grade`].
    pub fn grade_rows(self, spend: &[f64], who: impl Fn(usize) -> String) -> Result<Graded<'c>> {
        assert_eq!(self.program.rows, spend.len(), "columns of another table");
        let mut rules = self.decide();
        let default = self.rules.len() as u8;
        if self.default.is_some() {
            rules.iter_mut().filter(|rule| **rule == NONE).for_each(|rule| *rule = default);
        } else if let Some(first) = rules.iter().position(|rule| *rule == NONE) {
            let left = rules.iter().filter(|rule| **rule == NONE).count();
            let how_many =
                if left == 1 { "1 customer has".to_string() } else { format!("{left} customers have") };
            return Err(Error::Document {
                file: self.file.file.clone(),
                problem: format!("{how_many} no tier: no rule takes customer {}", who(first)),
                remedy: "end with a [[tier]] that has default = true: it takes everybody else, also those of whom a value is missing".into(),
            });
        }
        let tier_of = self.tier_of_rules();
        let codes = parallel::collect(rules.len(), |i| tier_of[usize::from(rules[i])]);
        let words = tiering_words::of(&self);
        let totals = Totals {
            key: self.file.key.clone(),
            title: self.file.title.en.clone(),
            column_name: self.file.column(),
            names: self.file.tiers().into_iter().map(String::from).collect(),
        };
        let tiering = totals.count(spend, words, self.thresholds(), codes);
        Ok(Graded { tiering, rules, scheme: self })
    }
}

impl<'c> Graded<'c> {
    /// The scheme with its thresholds.
    pub fn scheme(&self) -> &ReadyScheme<'c> {
        &self.scheme
    }

    /// Why customer `i` is in its tier: the sentence that the scheme gives for the rule that took it, or else the rule
    /// in words and the values that it looks at.
    pub fn reason(&self, i: usize) -> Reason {
        let (scheme, rule) = (&self.scheme, usize::from(self.rules[i]));
        let program = &scheme.program;
        let sentence = match (scheme.rules.get(rule), &scheme.default) {
            (Some(ReadyRule { sentence: Some(sentence), .. }), _) | (None, Some((_, Some(sentence)))) => {
                program.say(sentence, i)
            }
            (Some(rule), _) => {
                let words = tiering_words::of_rule(scheme, rule);
                let values = program.values_of(&rule.tri, i);
                if values.is_empty() { words } else { format!("{words} (here: {})", values.join(", ")) }
            }
            (None, _) => tiering_words::EVERYBODY_ELSE.to_string(),
        };
        Reason { tier: self.tiering.tier(i).name.clone(), rule, sentence }
    }
}
