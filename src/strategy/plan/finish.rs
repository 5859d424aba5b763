//! From chosen customers to a plan: what it costs and uses, and whether that can be.

use super::lots::affordable;
use super::{Given, Limit, People, Plan, Planning, Treatment, without_dust};
use crate::error::Result;
use crate::strategy::check::Rule;

/// Who gets what, before it is held against limits.
pub(super) struct Chosen {
    pub(super) treatments: Vec<Treatment>,
    pub(super) given: Given,
    /// By tier and treatment.
    pub(super) contacts: Vec<Vec<u64>>,
}

impl Chosen {
    /// Nobody gets anything.
    pub(super) fn nobody(tiers: usize) -> Chosen {
        Chosen {
            treatments: Vec::new(),
            given: Given::ByTier(vec![0; tiers]),
            contacts: vec![Vec::new(); tiers],
        }
    }

    /// All of a tier who may be contacted get the same; `of` is each tier's code.
    pub(super) fn by_tier(planning: &Planning, treatments: Vec<Treatment>, of: Vec<u8>) -> Chosen {
        let contacts = of.iter().zip(&planning.facts).map(|(&code, tier)| {
            let count = |k: usize| if usize::from(code) == k + 1 { tier.reachable } else { 0 };
            (0..treatments.len()).map(count).collect()
        });
        Chosen { contacts: contacts.collect(), treatments, given: Given::ByTier(of) }
    }

    /// Each customer's code; by tier where all of a tier who may be contacted get the same.
    pub(super) fn by_customer(people: &People, treatments: Vec<Treatment>, codes: Vec<u8>) -> Chosen {
        let mut contacts = vec![vec![0; treatments.len()]; people.tiers];
        // Of each tier, what those seen so far get, and whether all get it.
        let mut alike: Vec<Option<u8>> = vec![None; people.tiers];
        let mut is_by_tier = true;
        for (row, &code) in codes.iter().enumerate().filter(|&(row, _)| people.may_be_contacted(row)) {
            let tier = usize::from(people.tier[row]);
            if code > 0 {
                contacts[tier][usize::from(code) - 1] += 1;
            }
            is_by_tier &= *alike[tier].get_or_insert(code) == code;
        }
        let given = if is_by_tier {
            Given::ByTier(alike.into_iter().map(|code| code.unwrap_or(0)).collect())
        } else {
            Given::ByCustomer(codes)
        };
        Chosen { treatments, given, contacts }
    }

    /// The same treatment for some customers.
    pub(super) fn of_rows(people: &People, treatment: Treatment, rows: &[usize]) -> Chosen {
        let mut codes = vec![0; people.len()];
        for &row in rows {
            codes[row] = 1;
        }
        Chosen::by_customer(people, vec![treatment], codes)
    }

    pub(super) fn contacted(&self) -> u64 {
        self.contacts.iter().flatten().sum()
    }
}

/// A choice with what goes along.
pub(super) struct Planned {
    pub(super) chosen: Chosen,
    /// Actions with their fixed costs.
    pub(super) fixed: Vec<(usize, f64)>,
    pub(super) limited_by: Limit,
    pub(super) warnings: Vec<String>,
}

impl Planned {
    /// Without fixed cost and warnings.
    pub(super) fn of(chosen: Chosen, limited_by: Limit) -> Planned {
        Planned { chosen, fixed: Vec::new(), limited_by, warnings: Vec::new() }
    }
}

/// Whether an amount is above a limit by more than rounding.
fn is_above(amount: f64, limit: f64) -> bool {
    amount > limit * (1.0 + 1e-9)
}

/// An amount for people, rounded up to a millionth but for rounding errors below that.
fn shown(amount: f64) -> f64 {
    (amount * 1e6 - 1e-3).ceil() / 1e6
}

/// The same, rounded down.
fn shown_below(amount: f64) -> f64 {
    (amount * 1e6 + 1e-3).floor() / 1e6
}

/// The cost of a plan and what it leaves of a budget, both without rounding dust: what is spent to the last digit but one is
/// spent, and a plan never costs more than its budget, though divisions may overshoot it.
fn spent_and_left(cost: f64, budget: Option<f64>) -> (f64, f64) {
    let cost = without_dust(cost, cost);
    let Some(budget) = budget else { return (cost, 0.0) };
    if cost >= budget * (1.0 - 1e-12) {
        return (budget, 0.0);
    }
    (cost, without_dust(budget - cost, budget))
}

impl Planning<'_, '_> {
    /// How many customers an action can serve, and what sets the limit: of equal ones the action, minutes, then stock.
    pub(super) fn capacity(&self, action: usize) -> (u64, Limit) {
        let (action, resources) = (&self.set.actions[action], &self.set.resources);
        let allows = |limit: Option<f64>, each: f64| limit.map_or(u64::MAX, |limit| affordable(limit, each));
        let mut out = (action.max_customers.unwrap_or(u64::MAX), Limit::Action);
        for limit in [
            (allows(resources.minutes, action.minutes_on_contact), Limit::Minutes),
            (allows(resources.stock, action.stock_on_contact), Limit::Stock),
        ] {
            if limit.0 < out.0 {
                out = limit;
            }
        }
        out
    }

    /// The plan, if it can be paid and served.
    pub(super) fn finish(&self, planned: Planned) -> Result<(Plan, Vec<String>)> {
        let Planned { chosen, fixed, limited_by, mut warnings } = planned;
        self.responses_are_stated(&chosen)?;
        let fixed_cost: f64 = 0.0 + fixed.iter().map(|(_, cost)| cost).sum::<f64>();
        let sum = |each: &dyn Fn(&Treatment) -> f64| -> f64 {
            let treatments = chosen.treatments.iter().enumerate();
            let of = treatments.map(|(k, treatment)| {
                chosen.contacts.iter().map(|tier| tier[k]).sum::<u64>() as f64 * each(treatment)
            });
            let sum = of.sum();
            without_dust(sum, sum)
        };
        let cost = fixed_cost + sum(&|treatment| treatment.money);
        let minutes = sum(&|treatment| self.set.actions[treatment.action].minutes_on_contact);
        let stock = sum(&|treatment| self.set.actions[treatment.action].stock_on_contact);
        self.can_be_paid(&chosen, fixed_cost, cost)?;
        self.can_be_served(&chosen, minutes, stock)?;
        // With a fixed cost it is no copy of doing nothing, and what it pays is seen.
        if chosen.contacted() == 0 && fixed_cost == 0.0 && self.strategy.rule != Rule::Nothing {
            let problem =
                format!("it contacts nobody and is the same as doing nothing: {}", limited_by.none());
            warnings.push(self.key(&problem));
        }
        let budget = self.strategy.budget;
        let (cost, unspent) = spent_and_left(cost, budget);
        let Chosen { treatments, given, contacts } = chosen;
        let plan = Plan {
            treatments,
            given,
            contacts,
            fixed,
            fixed_cost,
            cost,
            unspent,
            minutes,
            stock,
            limited_by,
        };
        Ok((plan, warnings))
    }

    fn responses_are_stated(&self, chosen: &Chosen) -> Result<()> {
        for (tier, contacts) in chosen.contacts.iter().enumerate() {
            for (treatment, &n) in chosen.treatments.iter().zip(contacts) {
                let says = |r: &super::super::Response| r.action == treatment.action && r.tier == tier;
                if n > 0 && !self.set.responses.iter().any(says) {
                    let problem = format!(
                        "no [[response]] says what action \"{}\" does to tier \"{}\", of which it contacts {n}",
                        self.set.actions[treatment.action].name, self.set.tiers[tier]
                    );
                    let remedy =
                        "state one for every tier that the strategy reaches; an effect of 0 is an answer too";
                    return self.check().fail(self.key(&problem), remedy);
                }
            }
        }
        Ok(())
    }

    /// "or contact at most n": with one treatment the number is known.
    fn at_most(chosen: &Chosen, limit: f64, each: impl Fn(&Treatment) -> f64) -> String {
        match chosen.treatments.as_slice() {
            [one] => format!("contact at most {}", affordable(limit, each(one)).min(chosen.contacted())),
            _ => "contact fewer".to_string(),
        }
    }

    fn can_be_paid(&self, chosen: &Chosen, fixed_cost: f64, cost: f64) -> Result<()> {
        let Some(budget) = self.strategy.budget.filter(|&budget| is_above(cost, budget)) else {
            return Ok(());
        };
        let n = chosen.contacted();
        if is_above(fixed_cost, budget) {
            return self.fixed_cost_is_above(budget, fixed_cost, (chosen, cost - fixed_cost));
        }
        let (needed, fewer) =
            (shown(cost), Self::at_most(chosen, budget - fixed_cost, |treatment| treatment.money));
        let problem = match fixed_cost > 0.0 {
            true => {
                format!("its {n} contacts and its fixed cost come to {needed}, above its budget {budget}")
            }
            false => format!("its {n} contacts come to {needed}, above its budget {budget}"),
        };
        self.check().fail(self.key(&problem), format!("raise the budget to {needed}, or {fewer}"))
    }

    /// Fewer contacts do not help where the fixed cost alone is above the budget.
    fn fixed_cost_is_above(
        &self,
        budget: f64,
        fixed_cost: f64,
        (chosen, of_contacts): (&Chosen, f64),
    ) -> Result<()> {
        let (fixed, n) = (shown(fixed_cost), chosen.contacted());
        let mut problem = format!("its fixed cost, {fixed}, is above its budget {budget}");
        if n > 0 {
            let s = if n == 1 { "" } else { "s" };
            problem += &format!(
                ", and its {n} contact{s} come{} to {}",
                if n == 1 { "s" } else { "" },
                shown(of_contacts)
            );
        }
        let raise = format!("raise the budget to {}", shown(fixed_cost + of_contacts));
        let lower = if is_above(of_contacts, budget) {
            format!(
                "lower the fixed cost to 0 and {}",
                Self::at_most(chosen, budget, |treatment| treatment.money)
            )
        } else {
            format!("lower the fixed cost to {}", shown_below(budget - of_contacts))
        };
        self.check().fail(self.key(&problem), format!("{raise}, or {lower}"))
    }

    fn can_be_served(&self, chosen: &Chosen, minutes: f64, stock: f64) -> Result<()> {
        let (actions, resources) = (&self.set.actions, &self.set.resources);
        for (name, what, limit, used) in [
            ("minutes", "minutes of staff", resources.minutes, minutes),
            ("stock", "units of stock", resources.stock, stock),
        ] {
            let Some(limit) = limit.filter(|&limit| is_above(used, limit)) else { continue };
            let fewer = Self::at_most(chosen, limit, |treatment| {
                let action = &actions[treatment.action];
                if name == "minutes" { action.minutes_on_contact } else { action.stock_on_contact }
            });
            let (n, needed) = (chosen.contacted(), shown(used));
            let problem = format!("its {n} contacts take {needed} {what}, and [resources] {name} = {limit}");
            return self.check().fail(self.key(&problem), format!("raise {name} to {needed}, or {fewer}"));
        }
        for (at, action) in actions.iter().enumerate() {
            let Some(most) = action.max_customers else { continue };
            let of = |contacts: &Vec<u64>| -> u64 {
                let own = contacts.iter().zip(&chosen.treatments).filter(|(_, t)| t.action == at);
                own.map(|(n, _)| n).sum()
            };
            let n: u64 = chosen.contacts.iter().map(of).sum();
            if n > most {
                let problem = format!(
                    "it contacts {n} customers, and action \"{}\" max_customers = {most}",
                    action.name
                );
                let remedy = format!("raise max_customers to {n}, or contact at most {most}");
                return self.check().fail(self.key(&problem), remedy);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_no_dust() {
        assert_eq!(spent_and_left(7_999.999_999_999_999, Some(8_000.0)), (8_000.0, 0.0));
        assert_eq!(spent_and_left(8_000.000_000_000_002, Some(8_000.0)), (8_000.0, 0.0));
        assert_eq!(spent_and_left(434.0 * 0.8, Some(1_000.1)), (347.2, 652.9));
        // What is really left stays, and so does an amount that has more digits.
        assert_eq!(spent_and_left(7_999.99, Some(8_000.0)), (7_999.99, 0.01));
        assert_eq!(spent_and_left(1.0 / 3.0, None), (1.0 / 3.0, 0.0));
        assert!(without_dust(-0.0, 0.0).is_sign_positive());
        assert_eq!(Treatment { action: 0, money: 0.8 }.cost_of(434), 347.2);
    }
}
