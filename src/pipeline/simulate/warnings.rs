//! What the reader of a comparison has to know before using it.

use super::FutureOptions;
use crate::calendar::Span;
use crate::clv::PurchaseParameters;
use crate::report::format::{count, interval, money, percent, signed, signed_percent};
use crate::simulate::{
    ClaimCheck, ClaimVerdict, Comparison, FEWEST_FOR_A_VERDICT, Metric, ParameterDraws, Verdict, upfront_cost,
};
use crate::strategy::plan::Limit;
use crate::strategy::{Lever, Plan, Source, StrategySet, Treatment};

/// Of plans: none at all, money left, nobody reached, and prices that differ between tiers.
pub(super) fn of_plans(set: &StrategySet, plans: &[Plan], reachable: &[u64]) -> Vec<String> {
    let mut out = Vec::new();
    if set.strategies.len() < 2 {
        out.push(
            "the file has no [[strategy]]: only doing nothing is simulated, and there is nothing to compare with it; `tiercast init \
             CUSTOMERS` writes a file with some"
                .to_string(),
        );
    }
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

/// Of strategies under which the same customers get the same: no future tells them apart. `contacts` are by strategy, then
/// customer: 0 for none, k + 1 for the k-th treatment of the plan.
pub(super) fn of_equal_plans(set: &StrategySet, plans: &[Plan], contacts: &[Vec<u8>]) -> Vec<String> {
    let somebody = |s: &usize| plans[*s].contacts.iter().flatten().any(|&n| n > 0);
    // That nobody is contacted is a warning of its own.
    let mut open: Vec<usize> = (1..plans.len()).filter(somebody).collect();
    let mut out = Vec::new();
    while !open.is_empty() {
        let first = open.remove(0);
        let alike = |s: &usize| are_equal((&plans[first], &contacts[first]), (&plans[*s], &contacts[*s]));
        let others: Vec<usize> = open.iter().copied().filter(alike).collect();
        open.retain(|s| !others.contains(s));
        if others.is_empty() {
            continue;
        }
        let name = |s: usize| format!("\"{}\"", set.strategies[s].name);
        let before: Vec<String> =
            std::iter::once(first).chain(others[..others.len() - 1].iter().copied()).map(name).collect();
        out.push(format!(
            "strategies {} and {} are the same plan, the same customers with the same money: {}",
            before.join(", "),
            name(others[others.len() - 1]),
            match plans[first].limited_by {
                Limit::Customers =>
                    "each contacts all who may be contacted; a smaller budget, or a contact that costs more, makes them differ",
                Limit::Minutes | Limit::Stock | Limit::Action =>
                    "what the action, its staff or its stock can do is the same for all of them; another limit, or another rule, \
                     makes them differ",
                _ => "another budget or another rule makes them differ",
            }
        ));
    }
    out
}

/// Whether every customer gets the same action for the same money, and the fixed costs are the same.
fn are_equal((a, of_a): (&Plan, &Vec<u8>), (b, of_b): (&Plan, &Vec<u8>)) -> bool {
    let near = |x: f64, y: f64| (x - y).abs() <= 1e-9 * x.abs().max(y.abs());
    let treatment = |plan: &Plan, code: u8| -> Option<Treatment> {
        usize::from(code).checked_sub(1).map(|k| plan.treatments[k])
    };
    let same = |(&code, &other): (&u8, &u8)| match (treatment(a, code), treatment(b, other)) {
        (None, None) => true,
        (Some(one), Some(two)) => one.action == two.action && near(one.money, two.money),
        _ => false,
    };
    near(a.fixed_cost, b.fixed_cost) && of_a.iter().zip(of_b).all(same)
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

/// Of a comparison: too few worlds, budgets that orders may exceed, cuts that lose. `reachable` is by tier.
pub(super) fn of_comparison(
    set: &StrategySet,
    comparison: &Comparison,
    reachable: &[u64],
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
        out.extend((0..set.tiers.len()).filter_map(|k| of_cut(set, comparison, reachable, s, k)));
    }
    out.extend(assumed(set, comparison));
    out
}

/// A price cut in a tier that loses there for sure: by what the cut takes from orders, or by what is paid before anybody orders.
fn of_cut(
    set: &StrategySet,
    comparison: &Comparison,
    reachable: &[u64],
    s: usize,
    k: usize,
) -> Option<String> {
    let plan = &comparison.plans[s];
    // The cut that all who are contacted in the tier get, if they do.
    let cuts = plan.contacts[k].iter().zip(&plan.treatments).filter(|(n, _)| **n > 0);
    let cut = cuts.map(|(_, t)| set.actions[t.action].price_cut).fold(f64::INFINITY, f64::min);
    let gain = comparison.find(s, Some(k), Metric::Profit)?.difference;
    if !(cut.is_finite() && cut > 0.0 && gain.mean_upper < 0.0) {
        return None;
    }
    // What is paid before anybody orders is the same in every world: the rest is what orders bring, less cuts, points and what
    // else they cost on response.
    let paid = upfront_cost(set, plan, reachable, k);
    let (name, tier) = (&set.strategies[s].name, &set.tiers[k]);
    let (value, upper) = (gain.value + paid, gain.mean_upper + paid);
    if upper < 0.0 {
        let more = match paid > 0.0 {
            true => format!("; contacts and fixed cost, {}, come on top", money(paid)),
            false => String::new(),
        };
        return Some(format!(
            "strategy \"{name}\" loses {} in tier {tier} by what its orders cost: its customers hardly order more for a lower price, \
             and all their orders are paid less for{more}",
            money(-value)
        ));
    }
    Some(format!(
        "strategy \"{name}\" loses {} in tier {tier}: contacts and fixed cost, {}, are more than what its orders bring at the lower \
         price, {} over doing nothing (95 % {})",
        money(-gain.value),
        money(paid),
        signed(value),
        interval(gain.mean_lower + paid, upper, signed)
    ))
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
            "the claim \"{name}\" says too little: {lift} of tier {tier} alone gives {} of all sales, not {sales}; {shares}",
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
