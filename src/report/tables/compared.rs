//! Strategies side by side as tables: what each brings, in all and by period, what may be said of it, and who gets what.

use super::Table;
use crate::simulate::{Comparison, Estimate, Metric};
use crate::strategy::StrategySet;
use crate::strategy::plan::Limit;

/// What the tier column says of all customers together.
const ALL: &str = "all";

fn tier_name(comparison: &Comparison, tier: Option<usize>) -> &str {
    tier.map_or(ALL, |k| &comparison.tiers[k])
}

/// The columns of a value under a strategy and of its difference from doing nothing.
fn estimates(table: Table, of: &[(Estimate, Estimate)]) -> Table {
    type Pick = fn(&(Estimate, Estimate)) -> f64;
    let columns: [(&str, Pick); 12] = [
        ("value", |row| row.0.value),
        ("lower", |row| row.0.lower),
        ("upper", |row| row.0.upper),
        ("difference", |row| row.1.value),
        ("difference_lower", |row| row.1.lower),
        ("difference_upper", |row| row.1.upper),
        ("mean_lower", |row| row.0.mean_lower),
        ("mean_upper", |row| row.0.mean_upper),
        ("mc_error", |row| row.0.mc_error),
        ("difference_mean_lower", |row| row.1.mean_lower),
        ("difference_mean_upper", |row| row.1.mean_upper),
        ("difference_mc_error", |row| row.1.mc_error),
    ];
    columns.into_iter().fold(table, |table, (name, pick)| table.numbers(name, of.iter().map(pick)))
}

/// `strategies`, long: one line per (strategy, tier or `all`, metric). Without a comparison it has no line.
pub fn strategies(comparison: Option<&Comparison>) -> Table {
    let rows = || comparison.into_iter().flat_map(|c| c.rows.iter().map(move |row| (c, row)));
    // Doing nothing has no return: a return is a difference already, and has none from it.
    let nothing = f64::NAN;
    let none = Estimate {
        value: nothing,
        lower: nothing,
        upper: nothing,
        mean_lower: nothing,
        mean_upper: nothing,
        mc_error: nothing,
    };
    let of: Vec<(Estimate, Estimate)> = rows()
        .map(|(_, row)| (row.estimate, if row.metric == Metric::Roi { none } else { row.difference }))
        .collect();
    let table = Table::default()
        .texts("strategy", rows().map(|(c, row)| c.strategies[row.strategy].as_str()))
        .texts("tier", rows().map(|(c, row)| tier_name(c, row.tier)))
        .texts("metric", rows().map(|(_, row)| row.metric.key()));
    estimates(table, &of)
}

/// `periods`, long: one line per (strategy, tier or `all`, period from 1, metric), the metrics being `orders`, `revenue` and
/// `contribution` (margin × revenue − what the period's orders cost; what is paid upfront is in no period, and nothing is
/// discounted).
pub fn periods(comparison: &Comparison) -> Table {
    let rows: Vec<_> = comparison
        .periods
        .iter()
        .flat_map(|row| {
            [
                (row, "orders", (row.orders, row.orders_difference)),
                (row, "revenue", (row.revenue, row.revenue_difference)),
                (row, "contribution", (row.contribution, row.contribution_difference)),
            ]
        })
        .collect();
    let of: Vec<(Estimate, Estimate)> = rows.iter().map(|row| row.2).collect();
    let table = Table::default()
        .texts("strategy", rows.iter().map(|(row, ..)| comparison.strategies[row.strategy].as_str()))
        .texts("tier", rows.iter().map(|(row, ..)| tier_name(comparison, row.tier)))
        .counts("period", rows.iter().map(|(row, ..)| row.period as u64))
        .texts("metric", rows.iter().map(|row| row.1));
    estimates(table, &of)
}

/// `standings`: one line per strategy. `difference` is in profit over doing nothing, with the interval of its expectation
/// (`mean_…`; `joint_…` holds for all strategies together) and of what will happen (`lower`, `upper`); risk over futures;
/// then the plan. Without a budget there is none to be exceeded or left, of one world no share is given, and doing nothing
/// gains over nothing. `cost` is all that is spent, orders' costs included, `upfront_cost` what is paid before anybody orders.
pub fn standings(set: &StrategySet, comparison: &Comparison) -> Table {
    let all = || comparison.standings.iter().enumerate();
    let profit = |s: usize, pick: fn(&Estimate) -> f64| {
        comparison.find(s, None, Metric::Profit).map_or(f64::NAN, |row| pick(&row.difference))
    };
    let value =
        |s: usize, metric| comparison.find(s, None, metric).map_or(f64::NAN, |row| row.estimate.value);
    let plans = || comparison.plans.iter();
    let budget = |s: usize| set.strategies.get(s).and_then(|of| of.budget).unwrap_or(f64::NAN);
    let only_if = |is_there: bool, value: f64| if is_there { value } else { f64::NAN };
    let several = comparison.worlds > 1;
    Table::default()
        .texts("strategy", all().map(|(s, _)| comparison.strategies[s].as_str()))
        .texts("verdict", all().map(|(_, of)| of.verdict.word()))
        .numbers("difference", all().map(|(s, _)| profit(s, |d| d.value)))
        .numbers("mean_lower", all().map(|(s, _)| profit(s, |d| d.mean_lower)))
        .numbers("mean_upper", all().map(|(s, _)| profit(s, |d| d.mean_upper)))
        .numbers("joint_lower", all().map(|(_, of)| of.joint.0))
        .numbers("joint_upper", all().map(|(_, of)| of.joint.1))
        .numbers("lower", all().map(|(s, _)| profit(s, |d| d.lower)))
        .numbers("upper", all().map(|(s, _)| profit(s, |d| d.upper)))
        .numbers("p_best", all().map(|(_, of)| only_if(several, of.p_best)))
        .numbers("p_gain", all().map(|(s, of)| only_if(several && s > 0, of.p_gain)))
        .numbers("value_at_risk", all().map(|(_, of)| of.value_at_risk))
        .numbers("worst_mean", all().map(|(_, of)| of.worst_mean))
        .numbers(
            "p_over_budget",
            all().map(|(s, of)| only_if(budget(s).is_finite(), of.p_over_budget.unwrap_or(f64::NAN))),
        )
        .numbers("cost", all().map(|(s, _)| value(s, Metric::Cost)))
        .numbers("budget", all().map(|(s, _)| budget(s)))
        .numbers("upfront_cost", plans().map(|plan| super::upfront_cost(set, plan)))
        .numbers("fixed_cost", plans().map(|plan| plan.fixed_cost))
        .counts("contacted", plans().map(|plan| plan.contacts.iter().flatten().sum()))
        .numbers("minutes_of_contacts", plans().map(|plan| plan.minutes))
        .numbers("stock_of_contacts", plans().map(|plan| plan.stock))
        .numbers("unspent", plans().enumerate().map(|(s, plan)| only_if(budget(s).is_finite(), plan.unspent)))
        .texts("limited_by", plans().map(|plan| limit(plan.limited_by)))
}

/// A limit's key.
fn limit(limit: Limit) -> &'static str {
    match limit {
        Limit::Budget => "budget",
        Limit::Action => "action",
        Limit::Minutes => "minutes",
        Limit::Stock => "stock",
        Limit::Customers => "customers",
        Limit::Asked => "asked",
        Limit::Share => "share",
    }
}

/// `plans`: one line per strategy, tier and treatment that somebody gets.
pub fn plans(set: &StrategySet, comparison: &Comparison) -> Table {
    let mut rows = Vec::new();
    for (name, plan) in comparison.strategies.iter().zip(&comparison.plans) {
        for (tier, contacts) in comparison.tiers.iter().zip(&plan.contacts) {
            for (treatment, &n) in plan.treatments.iter().zip(contacts).filter(|(_, n)| **n > 0) {
                rows.push((name.as_str(), tier.as_str(), treatment, n));
            }
        }
    }
    Table::default()
        .texts("strategy", rows.iter().map(|row| row.0))
        .texts("tier", rows.iter().map(|row| row.1))
        .texts("action", rows.iter().map(|row| set.actions[row.2.action].name.as_str()))
        .numbers("money_per_contact", rows.iter().map(|row| row.2.money))
        .counts("contacts", rows.iter().map(|row| row.3))
        .numbers("contact_cost", rows.iter().map(|row| row.2.cost_of(row.3)))
}
