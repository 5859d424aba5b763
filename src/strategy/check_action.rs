//! Actions and other beliefs, checked.

use super::action::Action;
use super::belief::Belief;
use super::check::Check;
use super::file::ActionEntry;
use super::file_belief::{Amount, BeliefEntry, NewCustomersEntry};
use crate::error::Result;

/// An action.
pub(super) fn action(check: &Check, entry: ActionEntry) -> Result<Action> {
    let place = format!("[[action]] \"{}\"", entry.name);
    let key = |field: &str| format!("{place}: {field}");
    for (field, value) in [
        ("fixed_cost", Some(entry.fixed_cost)),
        ("max_per_customer", entry.max_per_customer),
        ("cost_on_contact", entry.cost_on_contact),
        ("cost_on_response", Some(entry.cost_on_response)),
        ("minutes_on_contact", Some(entry.minutes_on_contact)),
        ("minutes_on_response", Some(entry.minutes_on_response)),
        ("stock_on_contact", Some(entry.stock_on_contact)),
        ("stock_on_response", Some(entry.stock_on_response)),
    ] {
        value.map(|value| check.not_negative(&key(field), value)).transpose()?;
    }
    for (field, share) in [("price_cut", entry.price_cut), ("points", entry.points)] {
        if !(0.0..1.0).contains(&share) {
            return check.fail(
                format!("{} = {share} is not a share of the price", key(field)),
                "give it a value from 0 to below 1: 0.1 is 10 %",
            );
        }
    }
    if entry.price_cut + entry.points >= 1.0 {
        let together = entry.price_cut + entry.points;
        return check.fail(
            format!("{place}: price_cut and points together give {together} of the price away"),
            "keep their sum below 1",
        );
    }
    if entry.cost_on_contact.is_some() && entry.max_per_customer.is_some() {
        return check.fail(
            format!("{} has no meaning beside cost_on_contact", key("max_per_customer")),
            "leave max_per_customer out: every contact costs cost_on_contact; or leave cost_on_contact out, so that the \
             strategy says how much each customer gets",
        );
    }
    if entry.price_cut > 0.0 && entry.cost_on_contact.is_none() {
        return check.fail(
            format!(
                "{} = {} does all that the action does, however little is spent on a contact, and there is no cost_on_contact",
                key("price_cut"),
                entry.price_cut
            ),
            "give the action a cost_on_contact, what telling one customer costs (0 is allowed), in place of max_per_customer",
        );
    }
    if let Some(most) = entry.max_customers {
        check.at_least_one(&key("max_customers"), most)?;
    }
    Ok(Action {
        kind: entry.kind,
        fixed_cost: entry.fixed_cost,
        cost_on_contact: entry.cost_on_contact,
        cost_on_response: entry.cost_on_response,
        price_cut: entry.price_cut,
        points: entry.points,
        breakage: share(check, &key("breakage"), entry.breakage)?,
        cannibalisation: share(check, &key("cannibalisation"), entry.cannibalisation)?,
        minutes_on_contact: entry.minutes_on_contact,
        minutes_on_response: entry.minutes_on_response,
        stock_on_contact: entry.stock_on_contact,
        stock_on_response: entry.stock_on_response,
        max_per_customer: entry.max_per_customer,
        max_customers: entry.max_customers,
        name: entry.name,
        description: entry.description,
    })
}

/// A share that is believed, with its whole interval from 0 to 1.
fn share(check: &Check, key: &str, amount: Amount) -> Result<Belief> {
    let belief = match amount {
        Amount::Number(value) => Belief::fixed(value),
        Amount::Belief(BeliefEntry { value, lower, upper, source, note }) => {
            check.interval(key, "value", [lower, value, upper])?;
            Belief { value, lower, upper, source, note }
        }
    };
    for value in [belief.value, belief.lower, belief.upper] {
        if !(0.0..=1.0).contains(&value) {
            return check.fail(
                format!("{key} = {value} is not a share"),
                "give it, and the ends of its interval, values from 0 to 1",
            );
        }
    }
    Ok(belief)
}

/// `[new_customers]`.
pub(super) fn new_customers(check: &Check, entry: NewCustomersEntry) -> Result<Belief> {
    let NewCustomersEntry { per_period, lower, upper, source, note } = entry;
    check.interval("[new_customers]", "per_period", [lower, per_period, upper])?;
    check.not_negative("[new_customers] lower", lower)?;
    Ok(Belief { value: per_period, lower, upper, source, note })
}
