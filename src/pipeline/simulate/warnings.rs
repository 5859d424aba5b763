//! What the reader of a comparison has to know before using it.

use super::FutureOptions;
use crate::calendar::Span;
use crate::clv::PurchaseParameters;
use crate::report::format::{count, money, percent, signed_percent};
use crate::simulate::{
    ClaimCheck, ClaimVerdict, Comparison, FEWEST_FOR_A_VERDICT, Metric, ParameterDraws, Verdict,
};
use crate::strategy::{Lever, Plan, Source, StrategySet};

/// Of plans: money left, nobody reached, and prices that differ between tiers.
pub(super) fn of_plans(set: &StrategySet, plans: &[Plan], reachable: &[u64]) -> Vec<String> {
    let mut out = Vec::new();
    for (strategy, plan) in set.strategies.iter().zip(plans) {
        // A thousandth of the budget is rounding; more is money that the reader thinks was spent.
        if strategy.budget.is_some_and(|budget| plan.unspent > 1e-3 * budget) {
            out.push(format!(
                "strategy \"{}\" leaves {:.2} of its budget unspent: {}",
                strategy.name,
                plan.unspent,
                plan.limited_by.words()
            ));
        }
        if plan.fixed_cost > 0.0 && plan.contacts.iter().flatten().all(|&n| n == 0) {
            out.push(format!(
                "strategy \"{}\" pays its action's fixed cost and has nothing left to give to any customer",
                strategy.name
            ));
        }
        out.extend(prices_by_tier(set, &strategy.name, plan, reachable));
    }
    out
}

/// Of responses that were measured over less than the horizon for which they are held: one line for each time.
pub(super) fn of_durations(set: &StrategySet) -> Vec<String> {
    let shorter = |over: &Span| over.days() < set.horizon.days();
    let mut times: Vec<Span> = set.responses.iter().filter_map(|r| r.over).filter(shorter).collect();
    times.sort_by(|a, b| a.days().total_cmp(&b.days()));
    let same = |a: &Span, b: &Span| a.days() == b.days();
    times
        .chunk_by(same)
        .map(|of| {
            let (responses, last) = match of.len() {
                1 => ("1 response was".to_string(), "it lasts"),
                n => (format!("{n} responses were"), "they last"),
            };
            let held = if of.len() == 1 { "is" } else { "are" };
            format!(
                "{responses} measured over {} and {held} held for {}: that {last} is an assumption",
                of[0], set.horizon
            )
        })
        .collect()
}

/// Whether some tiers pay other prices than others.
fn prices_by_tier(set: &StrategySet, name: &str, plan: &Plan, reachable: &[u64]) -> Option<String> {
    let cut = |k: usize| set.actions[plan.treatments[k].action].price_cut;
    // The cuts that a tier's customers get; those who get none are not known by their number alone.
    let of_tier = |contacts: &Vec<u64>| -> Vec<u64> {
        let mut cuts: Vec<u64> = contacts
            .iter()
            .enumerate()
            .filter(|&(k, &n)| n > 0 && cut(k) > 0.0)
            .map(|(k, _)| cut(k).to_bits())
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    };
    // Nobody's price is set in a tier in which nobody may be contacted.
    let cuts: Vec<(&String, Vec<u64>)> = set
        .tiers
        .iter()
        .zip(&plan.contacts)
        .zip(reachable)
        .filter(|(_, n)| **n > 0)
        .map(|((tier, contacts), _)| (tier, of_tier(contacts)))
        .collect();
    let differ = cuts.iter().any(|of| of.1 != cuts[0].1);
    differ.then(|| {
        let words: Vec<String> = cuts
            .iter()
            .map(|(tier, cuts)| match cuts.as_slice() {
                [] => format!("{tier} none"),
                cuts => {
                    let each: Vec<String> = cuts.iter().map(|bits| percent(f64::from_bits(*bits))).collect();
                    format!("{tier} {}", each.join(" or "))
                }
            })
            .collect();
        format!(
            "strategy \"{name}\" sets prices by tier ({} off): customers compare prices, and in many places the law has a say in \
             who may be charged what; look at both before it is carried out",
            words.join(", ")
        )
    })
}

/// Of a comparison: too few worlds, budgets that orders may exceed, cuts and higher tiers that lose.
pub(super) fn of_comparison(
    set: &StrategySet,
    comparison: &Comparison,
    draws: &ParameterDraws,
    options: &FutureOptions,
) -> Vec<String> {
    let mut out = draws.warnings.clone();
    let held = match (options.hold_parameters, options.hold_responses) {
        (true, true) => "parameters and all that is believed are held",
        (true, false) => "the models' parameters are held",
        (false, true) => "all that is believed is held",
        (false, false) => "",
    };
    if !held.is_empty() {
        out.push(format!(
            "{held} at one value instead of being drawn: intervals leave out that it may be another{}",
            if options.hold_parameters && options.hold_responses {
                ", expectations have none, and no verdict is given"
            } else {
                ""
            }
        ));
    } else if comparison.worlds < FEWEST_FOR_A_VERDICT as usize {
        out.push(format!(
            "{} draws of parameters and responses are too few for a verdict on any strategy: give at least {FEWEST_FOR_A_VERDICT}",
            count(comparison.worlds as u64)
        ));
    }
    if !held.is_empty() && comparison.worlds > 1 && comparison.worlds < FEWEST_FOR_A_VERDICT as usize {
        out.push(format!(
            "{} draws are too few for a verdict: give at least {FEWEST_FOR_A_VERDICT}",
            comparison.worlds
        ));
    }
    for (s, strategy) in set.strategies.iter().enumerate().skip(1) {
        let standing = &comparison.standings[s];
        if let Some(share) = standing.p_over_budget.filter(|share| *share > 0.05) {
            out.push(format!(
                "strategy \"{}\" costs more than its budget in {} of futures: the budget pays contacts and fixed costs, and what \
                 orders cost (claims, price cuts, points), minutes and stock come on top",
                strategy.name,
                percent(share)
            ));
        }
        for (k, tier) in set.tiers.iter().enumerate() {
            let Some(row) = comparison.find(s, Some(k), Metric::Profit) else { continue };
            let Some(revenue) = comparison.find(s, Some(k), Metric::Revenue) else { continue };
            let plan = &comparison.plans[s];
            // The cut that all who are contacted in the tier get, if they do.
            let cuts = plan.contacts[k].iter().zip(&plan.treatments).filter(|(n, _)| **n > 0);
            let cut = cuts.map(|(_, t)| set.actions[t.action].price_cut).fold(f64::INFINITY, f64::min);
            let answered = set.margin * revenue.difference.value;
            let given = cut * revenue.estimate.value;
            if cut.is_finite() && cut > 0.0 && row.difference.mean_upper < 0.0 && answered < given {
                out.push(format!(
                    "strategy \"{}\" loses {} of profit in tier {tier}: its customers hardly order more for a lower price, and all \
                     their orders are paid less for",
                    strategy.name,
                    money(-row.difference.value)
                ));
            }
        }
    }
    out.extend(assumed(set, comparison));
    out
}

/// Gains that rest on assumptions alone.
fn assumed(set: &StrategySet, comparison: &Comparison) -> Option<String> {
    let gains = comparison.standings.iter().any(|s| s.verdict == Verdict::Gains);
    let none_measured = set.responses.iter().all(|r| r.effect.source != Source::Experiment);
    (gains && none_measured && !set.responses.is_empty()).then(|| {
        "no response was measured in an experiment: a verdict says what follows from these beliefs, not that they are true"
            .to_string()
    })
}

/// Of a claim that cannot be true.
pub(super) fn of_claim(claim: &ClaimCheck) -> Option<String> {
    let shares = format!(
        "it made {} so far and is expected to make {}",
        if claim.share_of_spend.is_finite() {
            percent(claim.share_of_spend)
        } else {
            "nobody knows what".into()
        },
        percent(claim.share_expected)
    );
    let (name, tier) = (&claim.name, &claim.tier);
    let (lift, sales) = (signed_percent(claim.lift), signed_percent(claim.sales));
    match claim.verdict {
        ClaimVerdict::AddsUp => None,
        ClaimVerdict::NeedsMore => Some(format!(
            "the claim \"{name}\" does not add up: {lift} of tier {tier} gives {sales} of all sales only if the tier makes {} of \
             them; {shares}",
            percent(claim.share_needed)
        )),
        ClaimVerdict::GivesMore => Some(format!(
            "the claim \"{name}\" does not add up: {lift} of tier {tier} alone gives {} of all sales, not {sales}; {shares}",
            signed_percent(claim.sales_possible)
        )),
        ClaimVerdict::Contradictory => Some(format!(
            "the claim \"{name}\" contradicts itself: tier {tier} moved by {lift} and all sales by {sales}, which nobody else moving \
             cannot give"
        )),
    }
}

/// Of responses on levers that the model does not have: they change nothing, and what they cost is lost.
pub(super) fn of_levers(
    set: &StrategySet,
    plans: &[Plan],
    purchases: &PurchaseParameters,
    once: f64,
) -> Vec<String> {
    let reached = |action: usize, tier: usize| {
        plans.iter().any(|plan| {
            plan.contacts
                .get(tier)
                .is_some_and(|of| of.iter().zip(&plan.treatments).any(|(&n, t)| n > 0 && t.action == action))
        })
    };
    let without = |on: Lever| -> Vec<String> {
        let of = set.responses.iter().filter(|r| r.on == on && reached(r.action, r.tier));
        of.map(|r| format!("{} in {}", set.actions[r.action].name, set.tiers[r.tier])).collect()
    };
    let mut out = Vec::new();
    match purchases {
        PurchaseParameters::Nbd(_) => {
            for (on, why) in [(Lever::Dropout, "nobody leaves"), (Lever::Reactivation, "nobody has left")] {
                let named = without(on);
                if !named.is_empty() {
                    out.push(format!(
                        "under NBD {why}: responses on {} change nothing, and what they cost is lost ({}); --model pareto-nbd or \
                         mbg-nbd lets customers leave",
                        on.name(),
                        named.join(", ")
                    ));
                }
            }
        }
        PurchaseParameters::BgNbd(_) => {
            let named = without(Lever::Reactivation);
            if !named.is_empty() && once > 0.0 {
                out.push(format!(
                    "under BG/NBD customers without a repeat purchase ({} of all) have not left: reactivation changes nothing for \
                     them, and what it costs is lost ({}); --model pareto-nbd or mbg-nbd lets them leave",
                    percent(once),
                    named.join(", ")
                ));
            }
        }
        PurchaseParameters::MbgNbd(_) | PurchaseParameters::ParetoNbd(_) => {}
    }
    out
}
