//! Whoever a rule takes: the entries of `give` as a tier scheme, run on the customers' columns.

use std::borrow::Cow;
use std::fmt::Write;

use super::finish::{Chosen, Planned};
use super::lots::{first, part};
use super::{Planning, Treatment};
use crate::error::{Error, Result};
use crate::parallel;
use crate::strategy::check::Give;
use crate::strategy::reach::TIER;
use crate::tier::columns::{CALIBRATION_END, Loaded};
use crate::tier::rules::{Kind, Node, parse};
use crate::tier::{Columns, SchemeFile};

/// Customers that one thread takes at a time.
const PIECE: usize = 16 * 4096;

impl Planning<'_, '_> {
    pub(super) fn by_rules(&self, give: &[Give]) -> Result<Planned> {
        let people = self.people;
        let mut matching: Vec<Vec<usize>> = vec![Vec::new(); give.len()];
        // How many an entry takes, those who opted out among them.
        let mut taken = vec![0_u64; give.len()];
        for (row, entry) in self.taken(give)?.into_iter().enumerate() {
            let Some(entry) = entry.map(usize::from) else { continue };
            taken[entry] += 1;
            if people.may_be_contacted(row) {
                matching[entry].push(row);
            }
        }
        let mut fixed = Vec::new();
        for action in 0..self.set.actions.len() {
            let own: Vec<usize> = (0..give.len()).filter(|&i| give[i].action == action).collect();
            if !own.is_empty() {
                let reaches = own.iter().any(|&i| !matching[i].is_empty());
                fixed.extend(self.fixed(action, reaches, own.iter().any(|&i| taken[i] > 0)));
            }
        }
        let warnings = self.matches_nobody(give, &taken, &matching);
        let mut treatments: Vec<Treatment> = Vec::new();
        let mut codes = vec![0; people.len()];
        for (entry, rows) in give.iter().zip(matching) {
            let matches = rows.len() as u64;
            let share = entry.share.map_or(matches, |share| part(share, matches));
            let n = share.min(entry.limit.unwrap_or(u64::MAX));
            let treatment = Treatment { action: entry.action, money: entry.money };
            let at = treatments.iter().position(|known| *known == treatment).unwrap_or_else(|| {
                treatments.push(treatment);
                treatments.len() - 1
            });
            for row in first(people, rows, n) {
                // There are at most 100 entries.
                codes[row] = at as u8 + 1;
            }
        }
        let chosen = Chosen::by_customer(people, treatments, codes);
        let limited_by = self.asked(chosen.contacted());
        Ok(Planned { chosen, fixed, limited_by, warnings })
    }

    /// Of entries that reach nobody.
    fn matches_nobody(&self, give: &[Give], taken: &[u64], matching: &[Vec<usize>]) -> Vec<String> {
        let about = |i: usize| {
            let action = &self.set.actions[give[i].action].name;
            let whom = give[i].when.as_ref().map_or(String::new(), |when| format!(", where {when}"));
            let why = match taken[i] {
                0 if i > 0 => "matches nobody whom no entry before it takes".to_string(),
                0 => "matches nobody".to_string(),
                1 => "matches one customer, who opted out".to_string(),
                n => format!("matches {n} customers, who all opted out"),
            };
            self.key(&format!("give {} ({action}{whom}) {why}", i + 1))
        };
        (0..give.len()).filter(|&i| matching[i].is_empty()).map(about).collect()
    }

    /// The entry that takes each customer, if any does.
    fn taken(&self, give: &[Give]) -> Result<Vec<Option<u8>>> {
        let columns = with_tier(self.people.columns, self.people.tier, &self.set.tiers);
        let scheme = SchemeFile::parse(&self.set.file, &document(give, &columns, &self.set.tiers));
        let scheme = scheme.map_err(|error| self.own_words(error))?;
        let ready = scheme.ready(&columns).map_err(|error| self.own_words(error))?;
        Ok(parallel::map_chunks(self.people.len(), PIECE, |rows| ready.tiers_with(rows, &[])).concat())
    }

    /// An error about the scheme, as one about the entries that it was made of.
    fn own_words(&self, error: Error) -> Error {
        let Error::Document { file, problem, remedy } = error else { return error };
        // "line 4, [[tier]] "give 2", when: …": lines are those of a document that nobody has seen.
        let rest = problem.split_once(", ").map_or(problem.as_str(), |(_, rest)| rest);
        let entry = rest
            .strip_prefix("[[tier]] \"")
            .and_then(|rest| rest.split_once('"'))
            .map(|(entry, rest)| (entry, rest.replacen(", when:", ", where:", 1)));
        let words = match entry {
            Some((entry, rest)) => format!("{entry}{rest}"),
            None => rest.to_string(),
        };
        let (mut problem, mut remedy) = (self.key(&words), remedy);
        for (of_schemes, own) in [
            ("tier \"give ", "entry \"give "),
            ("nobody is left for the default", "nobody is left for it"),
            ("this tier before that one", "this entry before that one"),
            ("leave the default out", "leave it out"),
            ("in that tier", "in that entry"),
        ] {
            problem = problem.replace(of_schemes, own);
            remedy = remedy.replace(of_schemes, own);
        }
        Error::Document { file, problem, remedy }
    }
}

/// The entries as a scheme's document: one tier each. Tiers are names for their own texts, so that `tier = high` may be written
/// without marks, unless a column is called so.
fn document(give: &[Give], columns: &Columns<'_>, tiers: &[String]) -> String {
    let text = |text: &str| toml::Value::String(text.to_string()).to_string();
    let mut out = String::from("scheme = \"give\"\n[let]\n");
    let is_name = |name: &str| {
        name != CALIBRATION_END && parse(name).is_ok_and(|expr| expr.node == Node::Name(name.to_string()))
    };
    for tier in tiers.iter().filter(|tier| is_name(tier) && !columns.has(tier)) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{tier} = {}", text(&format!("'{tier}'")));
    }
    for (i, entry) in give.iter().enumerate() {
        let _ = match &entry.when {
            Some(when) => write!(out, "[[tier]]\nname = \"give {}\"\nwhen = {}\n", i + 1, text(when)),
            None => write!(out, "[[tier]]\nname = \"give {}\"\ndefault = true\n", i + 1),
        };
    }
    out
}

/// The columns with the tier's name as one of them.
fn with_tier<'a>(columns: &'a Columns<'_>, codes: &'a [u8], names: &'a [String]) -> Columns<'a> {
    let mut out = Columns::new(columns.rows(), columns.calibration_end());
    for name in columns.names() {
        let own = name.clone();
        let read = move || match columns.get(&own)? {
            Some((kind, values)) => Ok((kind, lent(values))),
            None => Err(Error::internal("reading a column", format!("there is no {own}"))),
        };
        out.push_read(&name, Box::new(read));
    }
    out.push(TIER, Kind::Text, Loaded::Labels { codes: Cow::Borrowed(codes), names: Cow::Borrowed(names) });
    out
}

/// The values without a copy.
fn lent<'a>(values: &'a Loaded<'_>) -> Loaded<'a> {
    match values {
        Loaded::Numbers(values) => Loaded::Numbers(Cow::Borrowed(values)),
        Loaded::Counts(values) => Loaded::Counts(Cow::Borrowed(values)),
        Loaded::Days(values) => Loaded::Days(Cow::Borrowed(values)),
        Loaded::Labels { codes, names } => {
            Loaded::Labels { codes: Cow::Borrowed(codes), names: Cow::Borrowed(names) }
        }
        Loaded::Texts { codes, names } => {
            Loaded::Texts { codes: Cow::Borrowed(codes), names: Cow::Borrowed(names) }
        }
        Loaded::Truths(values) => Loaded::Truths(Cow::Borrowed(values)),
        Loaded::Whole(values) => Loaded::Whole(Cow::Borrowed(values)),
        Loaded::Computed(compute) => Loaded::Computed(Box::new(move |rows, out| compute(rows, out))),
    }
}
