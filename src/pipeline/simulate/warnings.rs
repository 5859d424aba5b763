//! What the reader of a comparison has to know before using it.

use crate::report::format::{count, money, percent};
use crate::simulate::{
    ClaimCheck, ClaimVerdict, Comparison, FEWEST_FOR_A_VERDICT, Metric, ParameterDraws, Verdict,
};
use crate::strategy::{Plan, Source, StrategySet};

/// Of plans: money left, nobody reached, and prices that differ between tiers.
pub(super) fn of_plans(set: &StrategySet, plans: &[Plan]) -> Vec<String> {
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
        out.extend(prices_by_tier(set, &strategy.name, plan));
    }
    out
}

/// Whether some tiers pay other prices than others.
fn prices_by_tier(set: &StrategySet, name: &str, plan: &Plan) -> Option<String> {
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
    let cuts: Vec<Vec<u64>> = plan.contacts.iter().map(of_tier).collect();
    let differ = cuts.iter().any(|of| *of != cuts[0]);
    differ.then(|| {
        let words: Vec<String> = set
            .tiers
            .iter()
            .zip(&cuts)
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
) -> Vec<String> {
    let mut out = draws.warnings.clone();
    if draws.effective.is_finite() && comparison.worlds < FEWEST_FOR_A_VERDICT as usize {
        out.push(format!(
            "{} draws of parameters and responses are too few for a verdict on any strategy: give at least {FEWEST_FOR_A_VERDICT}",
            count(comparison.worlds as u64)
        ));
    }
    for (s, strategy) in set.strategies.iter().enumerate().skip(1) {
        let standing = &comparison.standings[s];
        if standing.p_over_budget > 0.05 {
            out.push(format!(
                "strategy \"{}\" costs more than its budget in {} of futures: the budget pays contacts and fixed costs, and what \
                 orders cost on response, minutes and stock come on top",
                strategy.name,
                percent(standing.p_over_budget)
            ));
        }
        let uses_cut = comparison.plans[s].treatments.iter().any(|t| set.actions[t.action].price_cut > 0.0);
        for (k, tier) in set.tiers.iter().enumerate() {
            let Some(row) = comparison.find(s, Some(k), Metric::Profit) else { continue };
            if uses_cut && comparison.plans[s].contacted(k) > 0 && row.difference.mean_upper < 0.0 {
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
    (claim.verdict != ClaimVerdict::AddsUp).then(|| {
        format!(
            "the claim \"{}\" does not add up: {} more from tier {} gives {} more of all sales only if the tier makes {} of them; \
             it made {} so far and is expected to make {}",
            claim.name,
            percent(claim.lift),
            claim.tier,
            percent(claim.sales),
            percent(claim.share_needed),
            percent(claim.share_of_spend),
            percent(claim.share_expected)
        )
    })
}
