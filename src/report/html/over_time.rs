//! When a strategy gains: the difference from doing nothing period by period, and what has come back of what was paid.

use maud::{Markup, html};

use super::compared::Compared;
use super::parts;
use crate::report::charts::{Chart, FanPoint, fan};
use crate::report::format::{money_in, signed};
use crate::report::tables::upfront_cost;
use crate::simulate::PeriodRow;

/// Two charts for each strategy, those beyond the first folded away.
pub(super) fn charts(of: &Compared) -> Markup {
    if of.comparison.periods.is_empty() {
        return parts::absent("Periods were not counted.");
    }
    let strategies = of.leader_first();
    let (first, others) = strategies.split_at(strategies.len().min(1));
    let days = of.set.horizon.days() / of.set.periods.max(1) as f64;
    html! {
        p {
            "The horizon begins after " (of.begins) " and has " (of.set.periods) " equal periods of "
            (crate::report::format::significant(days, 4)) " days. What is paid upfront (fixed costs and contacts) is in no period; in "
            "the second chart it is where the line begins."
        }
        @for &s in first { (of_strategy(of, s)) }
        @if !others.is_empty() {
            details {
                summary { "The other strategies" }
                @for &s in others { (of_strategy(of, s)) }
            }
        }
    }
}

fn of_strategy(of: &Compared, s: usize) -> Markup {
    let rows: Vec<&PeriodRow> =
        of.comparison.periods.iter().filter(|row| row.strategy == s && row.tier.is_none()).collect();
    html! { div.pair { (parts::figure(&by_period(of, s, &rows))) (parts::figure(&in_all(of, s, &rows))) } }
}

/// "contribution" with the currency.
fn contribution(of: &Compared, before: &str) -> String {
    let unit = if of.currency.is_empty() { String::new() } else { format!(" ({})", of.currency) };
    format!("{before}{unit}")
}

fn by_period(of: &Compared, s: usize, rows: &[&PeriodRow]) -> Chart {
    let points: Vec<FanPoint> = rows
        .iter()
        .map(|row| {
            let d = row.contribution_difference;
            FanPoint {
                at: row.period as f64,
                value: d.value,
                mean: of.mean_interval(&d),
                range: (d.lower, d.upper),
            }
        })
        .collect();
    let known = points.iter().any(|p| p.mean.0.is_finite());
    let caption = format!(
        "“{}”, period by period: contribution (margin × revenue less what the period’s orders cost) more than under doing \
         nothing, not discounted. Line: mean. Pale: 95\u{a0}% interval of what will happen in that period.{} The intervals are \
         each period’s own and do not add up over periods.",
        of.name(s),
        if known { " Dark: 95\u{a0}% interval of the expectation." } else { "" },
    );
    fan(&points, of.name(s), &contribution(of, "difference in contribution of the period"), caption)
}

/// The means added up, from −upfront cost on; the interval is known at the end only, where it is that of profit.
fn in_all(of: &Compared, s: usize, rows: &[&PeriodRow]) -> Chart {
    let nothing = (f64::NAN, f64::NAN);
    let paid = of.comparison.plans.get(s).map_or(0.0, |plan| upfront_cost(of.set, plan));
    let periods = of.set.periods.max(1) as f64;
    let factor = |row: &PeriodRow| {
        let end = of.set.horizon.days() * row.period as f64 / periods;
        of.set.discount.map_or(1.0, |discount| discount.factor(end))
    };
    let mut sum = -paid;
    let mut points = vec![FanPoint { at: 0.0, value: sum, mean: nothing, range: nothing }];
    for row in rows {
        sum += factor(row) * row.contribution_difference.value;
        points.push(FanPoint { at: row.period as f64, value: sum, mean: nothing, range: nothing });
    }
    let gain = of.gain(s, None);
    if let Some((gain, last)) = gain.zip(points.last_mut()) {
        // The profit over the horizon, which is the sum of periods up to rounding.
        last.value = gain.value;
        (last.mean, last.range) = (of.mean_interval(&gain), (gain.lower, gain.upper));
    }
    let end = gain.map_or(String::new(), |gain| {
        format!(
            ": {} ({}{} to {} will happen)",
            signed(gain.value),
            match of.has_intervals() {
                true => format!("{} to {} expected, ", signed(gain.mean_lower), signed(gain.mean_upper)),
                false => String::new(),
            },
            signed(gain.lower),
            signed(gain.upper)
        )
    });
    let caption = format!(
        "“{}”, added up from what is paid upfront ({}): the mean difference so far{}. Intervals of sums are kept for the whole \
         horizon only, at its end{end}. {}hisker: 95\u{a0}% interval of what will happen.",
        of.name(s),
        money_in(paid, of.currency),
        if of.set.discount.is_some() { ", each period discounted by its end" } else { ", not discounted" },
        match of.has_intervals() {
            true => "Thick bar: 95\u{a0}% interval of the expectation; w",
            false => "W",
        },
    );
    fan(&points, of.name(s), &contribution(of, "difference in profit so far"), caption)
}
