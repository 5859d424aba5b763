//! The customers who are first by a column.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::finish::{Chosen, Planned};
use super::lots::{affordable, lot, part};
use super::{Limit, Planning, Treatment};
use crate::error::{Error, Result};
use crate::parallel;
use crate::strategy::check::HowMany;
use crate::tier::rules::{Kind, did_you_mean};

/// The column that is always there.
const CLV: &str = "clv";
/// Columns that a remedy names.
const MOST_NAMED: usize = 12;

/// A customer who is ranked: by value, then by lot.
struct Ranked {
    value: f64,
    lot: u64,
    hash: u64,
    row: usize,
}

impl Ranked {
    /// The greatest value first; of equal ones the smallest lot.
    fn order(&self, other: &Ranked) -> Ordering {
        let by_value = other.value.partial_cmp(&self.value).unwrap_or(Ordering::Equal);
        by_value.then((self.lot, self.hash, self.row).cmp(&(other.lot, other.hash, other.row)))
    }
}

impl Planning<'_, '_> {
    pub(super) fn top(
        &self,
        action: usize,
        by: &str,
        how_many: HowMany,
        per_customer: Option<f64>,
    ) -> Result<Planned> {
        let people = self.people;
        let values = self.ranking(by)?;
        let rows: Vec<usize> =
            (0..people.len()).filter(|&row| people.may_be_contacted(row) && !values[row].is_nan()).collect();
        let candidates = rows.len() as u64;
        let reachable: u64 = self.facts.iter().map(|tier| tier.reachable).sum();
        let means = values.iter().any(|value| !value.is_nan());
        let fixed = self.fixed(action, candidates > 0, means);
        let money = self.money(fixed.map_or(0.0, |(_, cost)| cost));
        let done = &self.set.actions[action];
        let stated = done.cost_on_contact.or(per_customer).or(done.max_per_customer);

        let mut warnings = Vec::new();
        let mut at_most = |wanted: u64, said: String| {
            if wanted > candidates {
                warnings.push(self.key(&format!(
                    "{said}, and {candidates} may be contacted and have a value of \"{by}\": all of them are"
                )));
            }
            wanted.min(candidates)
        };
        let (n, limited_by) = match how_many {
            HowMany::Count(n) => {
                let n = at_most(n, format!("n = {n}"));
                (n, self.asked(n))
            }
            HowMany::Share(share) => {
                let n = part(share, reachable);
                let n = at_most(n, format!("share = {share} is {n} customers"));
                (n, self.asked(n))
            }
            HowMany::Budget => {
                let paid = stated.map_or(0, |each| affordable(money, each));
                let (capacity, served) = self.capacity(action);
                let limit = match paid.min(capacity) {
                    n if n >= candidates => self.asked(candidates),
                    _ if capacity < paid => served,
                    _ => Limit::Budget,
                };
                (paid.min(capacity).min(candidates), limit)
            }
        };
        let each = stated.unwrap_or_else(|| money / n as f64);
        // What the fixed cost leaves is nothing: nobody is contacted with it.
        let is_nothing = n == 0 || (done.cost_on_contact.is_none() && each <= 0.0);
        let (chosen, limited_by) = if is_nothing {
            let limit = if n == 0 { limited_by } else { Limit::Budget };
            (Chosen::nobody(people.tiers), limit)
        } else {
            let rows = self.first_by(&values, &rows, n as usize);
            (Chosen::of_rows(people, Treatment { action, money: each }, &rows), limited_by)
        };
        Ok(Planned { chosen, fixed: fixed.into_iter().collect(), limited_by, warnings })
    }

    /// The first `n` of some customers, in no particular order; `n` is at least 1.
    fn first_by(&self, values: &[f64], rows: &[usize], n: usize) -> Vec<usize> {
        let people = self.people;
        if n >= rows.len() {
            return rows.to_vec();
        }
        let ranked = |i: usize| {
            let row = rows[i];
            Ranked { value: values[row], lot: lot(people, row), hash: people.hash[row], row }
        };
        let mut all = parallel::collect(rows.len(), ranked);
        all.select_nth_unstable_by(n - 1, Ranked::order);
        all.truncate(n);
        all.into_iter().map(|one| one.row).collect()
    }

    /// The numbers of a column, NaN where there is none; dates are days.
    fn ranking(&self, by: &str) -> Result<Cow<'_, [f64]>> {
        if by == CLV {
            return Ok(Cow::Borrowed(self.people.clv));
        }
        let columns = self.people.columns;
        let key = self.key(&format!("by = \"{by}\""));
        let found = columns.get(by).map_err(|error| Error::Document {
            file: self.set.file.clone(),
            problem: format!("{key}: {error}"),
            remedy: error.hint().unwrap_or_default(),
        })?;
        let mut known = columns.names();
        if !known.iter().any(|name| name == CLV) {
            known.push(CLV.to_string());
        }
        match found {
            Some((Kind::Number(_) | Kind::Day, values)) => Ok(values.numbers(0..columns.rows())),
            Some((kind, _)) => {
                let is_ranked = |name: &&String| {
                    *name == CLV || matches!(columns.get(name), Ok(Some((Kind::Number(_) | Kind::Day, _))))
                };
                let ranked: Vec<&str> =
                    known.iter().filter(is_ranked).map(String::as_str).take(MOST_NAMED).collect();
                self.check().fail(
                    format!("{key} is {}, and customers are ranked by numbers or dates", kind.words()),
                    format!("choose one of them, such as {}", ranked.join(", ")),
                )
            }
            None => {
                self.check().fail(format!("{key} is no column of the customers"), did_you_mean(by, &known))
            }
        }
    }
}
