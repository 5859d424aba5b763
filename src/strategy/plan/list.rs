//! Whoever is named in a list: a CSV with the column customer_id and if need be action and per_customer.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::finish::{Chosen, Planned};
use super::{Planning, Treatment};
use crate::customers::Ids;
use crate::error::{Error, Result, nearest_first};
use crate::tier::csv_list::{self, Known};
use crate::tier::opt_out::canonical;
use crate::tier::overrides::id_hash;

/// The columns. All but the first may be missing.
const COLUMNS: [Known; 3] = [
    ("customer_id", &["customer_id", "customer", "id"]),
    ("action", &["action"]),
    ("per_customer", &["per_customer"]),
];

/// How many of [`COLUMNS`] there must be.
const NEEDED: usize = 1;

/// A plan has at most so many treatments: a customer's is one byte, and 0 is none.
const MOST_TREATMENTS: usize = 255;

/// A line of the list, checked.
struct Line {
    /// Its number in the file, from 1.
    line: u64,
    customer: String,
    treatment: Treatment,
}

/// What there is to say of lines: the numbers of those that it is about.
#[derive(Default)]
struct Remarks {
    nobody: Vec<u64>,
    unknown: Vec<u64>,
    repeated: Vec<u64>,
    opted_out: Vec<u64>,
}

impl Planning<'_, '_> {
    pub(super) fn list(&self, action: Option<usize>, path: &Path) -> Result<Planned> {
        let path = self.people.base.join(path);
        let (lines, mut remarks) = self.read(action, &path)?;
        let mut actions: Vec<usize> = lines.iter().map(|line| line.treatment.action).collect();
        let (treatments, place) = self.treatments(&path, &lines)?;

        let people = self.people;
        // How a customer is called among ids → the line that counts, which is the first.
        let mut wanted: HashMap<String, usize> = HashMap::new();
        for (i, line) in lines.iter().enumerate() {
            match wanted.entry(canonical(people.ids, &line.customer)) {
                std::collections::hash_map::Entry::Occupied(_) => remarks.repeated.push(line.line),
                std::collections::hash_map::Entry::Vacant(new) => _ = new.insert(i),
            }
        }
        // Texts of integers are made only where their hash is wanted.
        let hashes: Option<HashSet<u64>> = match people.ids {
            Ids::Signed { .. } | Ids::Unsigned { .. } => {
                Some(wanted.keys().map(|customer| id_hash(people.ids, customer)).collect())
            }
            Ids::Text { .. } | Ids::Composite { .. } => None,
        };
        let mut codes = vec![0; people.len()];
        let mut found = vec![false; lines.len()];
        // By action: whether a customer of the table is named for it, and one who may be contacted.
        let mut named = vec![false; self.set.actions.len()];
        let mut reached = named.clone();
        for (row, code) in codes.iter_mut().enumerate().filter(|_| !wanted.is_empty()) {
            if hashes.as_ref().is_some_and(|hashes| !hashes.contains(&people.ids.hash(row))) {
                continue;
            }
            let Some(&i) = wanted.get(people.ids.text(row).trim()) else { continue };
            found[i] = true;
            named[lines[i].treatment.action] = true;
            if people.may_be_contacted(row) {
                *code = place[i];
                reached[lines[i].treatment.action] = true;
            } else {
                remarks.opted_out.push(lines[i].line);
            }
        }
        remarks.unknown.extend(wanted.values().filter(|&&i| !found[i]).map(|&i| lines[i].line));

        if lines.is_empty() {
            actions.extend(action);
        }
        actions.sort_unstable();
        actions.dedup();
        let fixed = actions.iter().filter_map(|&action| self.fixed(action, reached[action], named[action]));
        let fixed = fixed.collect();
        let chosen = Chosen::by_customer(people, treatments, codes);
        let warnings = self.warnings(&path, remarks);
        let limited_by = self.asked(chosen.contacted());
        Ok(Planned { chosen, fixed, limited_by, warnings })
    }

    /// The lines that name a customer.
    fn read(&self, action: Option<usize>, path: &Path) -> Result<(Vec<Line>, Remarks)> {
        let wanted = "give a heading with customer_id, and if need be action and per_customer";
        let (mut out, mut remarks) = (Vec::new(), Remarks::default());
        for line in csv_list::read(path, &COLUMNS, NEEDED, wanted)? {
            let number = line.line;
            let mut fields = line.fields.into_iter();
            let mut next = || fields.next().unwrap_or_default();
            let (customer, named, money) = (next(), next(), next());
            if customer.is_empty() {
                remarks.nobody.push(number);
                continue;
            }
            let at = At { path, line: number };
            let action = self.action_of(&at, action, &named)?;
            let money = self.money_of(&at, action, &money)?;
            out.push(Line { line: number, customer, treatment: Treatment { action, money } });
        }
        Ok((out, remarks))
    }

    fn action_of(&self, at: &At, action: Option<usize>, named: &str) -> Result<usize> {
        let names: Vec<String> = self.set.actions.iter().map(|action| action.name.clone()).collect();
        if named.is_empty() {
            let problem = "neither the line nor the strategy names an action";
            return action.ok_or_else(|| {
                at.error("action", problem, "fill in the column action, or give the strategy an action")
            });
        }
        names.iter().position(|name| name == named).ok_or_else(|| {
            let nearest = nearest_first(named, &names).into_iter().next().unwrap_or_default();
            at.error(
                "action",
                format!("\"{named}\" is no [[action]] of {}", self.set.file),
                format!("did you mean \"{nearest}\"? There are: {}", names.join(", ")),
            )
        })
    }

    fn money_of(&self, at: &At, action: usize, money: &str) -> Result<f64> {
        let done = &self.set.actions[action];
        let error = |problem: String, remedy: &str| Err(at.error("per_customer", problem, remedy));
        if money.is_empty() {
            return match done.cost_on_contact.or(done.max_per_customer.filter(|&most| most > 0.0)) {
                Some(money) => Ok(money),
                None => error(
                    format!("nothing says what a customer of action \"{}\" costs", done.name),
                    "fill in per_customer, or give the action a cost_on_contact or a max_per_customer",
                ),
            };
        }
        if let Some(cost) = done.cost_on_contact {
            return error(
                format!("{money} has no meaning, as each contact of action \"{}\" costs {cost}", done.name),
                "leave the field empty",
            );
        }
        match money.parse::<f64>() {
            Ok(money) if money.is_finite() && money > 0.0 => match done.max_per_customer {
                Some(most) if money > most => error(
                    format!("{money} is above max_per_customer = {most} of action \"{}\"", done.name),
                    "give a smaller amount, or raise max_per_customer",
                ),
                _ => Ok(money),
            },
            _ => {
                error(format!("\"{money}\" is not a number above 0"), "write money as 12.50, without a sign")
            }
        }
    }

    /// The distinct treatments, and each line's code.
    fn treatments(&self, path: &Path, lines: &[Line]) -> Result<(Vec<Treatment>, Vec<u8>)> {
        let mut treatments: Vec<Treatment> = Vec::new();
        let mut known: HashMap<(usize, u64), usize> = HashMap::new();
        let mut place = Vec::with_capacity(lines.len());
        for Line { treatment, line, .. } in lines {
            let at = *known.entry((treatment.action, treatment.money.to_bits())).or_insert_with(|| {
                treatments.push(*treatment);
                treatments.len()
            });
            if at > MOST_TREATMENTS {
                let at = At { path, line: *line };
                let problem = format!("there are more than {MOST_TREATMENTS} different actions and amounts");
                return Err(at.error("per_customer", problem, "round the amounts to fewer steps"));
            }
            place.push(at as u8);
        }
        Ok((treatments, place))
    }

    fn warnings(&self, path: &Path, remarks: Remarks) -> Vec<String> {
        let file = path.display();
        let say = |mut lines: Vec<u64>, what: &str| {
            lines.sort_unstable();
            (!lines.is_empty()).then(|| {
                let shown: Vec<String> = lines.iter().take(MOST_SHOWN).map(u64::to_string).collect();
                let more = if lines.len() > MOST_SHOWN { ", …" } else { "" };
                let (n, s) = (lines.len(), if lines.len() == 1 { "" } else { "s" });
                self.key(&format!("{n} line{s} of {file} {what} (line{s} {}{more})", shown.join(", ")))
            })
        };
        [
            (remarks.nobody, "without a customer: not contacted"),
            (remarks.unknown, "of no such customer: not contacted"),
            (remarks.repeated, "of a customer named before: the first line counts"),
            (remarks.opted_out, "of a customer who opted out: not contacted"),
        ]
        .into_iter()
        .filter_map(|(lines, what)| say(lines, what))
        .collect()
    }
}

/// Lines that a warning names.
const MOST_SHOWN: usize = 5;

/// A place in the list.
struct At<'a> {
    path: &'a Path,
    line: u64,
}

impl At<'_> {
    fn error(&self, column: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::Csv {
            path: PathBuf::from(self.path),
            line: Some(self.line),
            column: Some(column.to_string()),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}
