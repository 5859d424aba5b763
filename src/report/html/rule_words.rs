//! Who is chosen by a strategy, in plain words.

use crate::report::format::{count, money_in, percent_exact};
use crate::strategy::{Give, HowMany, Rule, StrategySet};

/// A rule in words: what is given, and to whom.
pub(super) fn rule_words(set: &StrategySet, rule: &Rule) -> String {
    let name = |action: usize| set.actions.get(action).map_or("", |of| of.name.as_str());
    // With a price for a contact, money buys so many of them, and lots decide.
    let is_priced = |action: usize| set.actions.get(action).is_some_and(|of| of.cost_on_contact.is_some());
    let by_lot = |action: usize| if is_priced(action) { ", by lot within a tier" } else { "" };
    match rule {
        Rule::Nothing => "nobody gets anything".to_string(),
        Rule::Uniform { action } => match is_priced(*action) {
            true => format!("{}: as many customers as can be paid and served, by lot", name(*action)),
            false => format!("{}: everybody, with the same money for each", name(*action)),
        },
        Rule::ProportionalToClv { action } => format!(
            "{}: money for each tier in proportion to its customers’ lifetime value{}",
            name(*action),
            match is_priced(*action) {
                true => by_lot(*action),
                false => ", the same for everybody in it",
            }
        ),
        Rule::Shares { action, shares } => {
            let each: Vec<String> = set
                .tiers
                .iter()
                .zip(shares)
                .map(|(tier, &share)| format!("{tier} {}", percent_exact(share)))
                .collect();
            format!("{}: {} of the budget{}", name(*action), each.join(", "), by_lot(*action))
        }
        Rule::TopN { action, by, how_many, per_customer } => {
            let who = match how_many {
                HowMany::Count(n) => format!("the {} with the highest {by}", count(*n)),
                HowMany::Share(share) => {
                    format!(
                        "the {} with the highest {by} of those who may be contacted",
                        percent_exact(*share)
                    )
                }
                HowMany::Budget => format!("as many as can be paid and served, the highest {by} first"),
            };
            let each = per_customer.map_or(String::new(), |money| each(set, *action, money));
            format!("{}: {who}{each}", name(*action))
        }
        Rule::Rules(give) => {
            let entries: Vec<String> = give.iter().map(|give| entry(set, give)).collect();
            format!("the first that fits: {}", entries.join("; "))
        }
        Rule::List { action, path } => {
            let listed = format!("whoever is listed in {}", path.display());
            match action {
                Some(action) => format!("{}: {listed}", name(*action)),
                None => format!("{listed}, with the action that stands there"),
            }
        }
    }
}

/// An entry of `give`.
fn entry(set: &StrategySet, give: &Give) -> String {
    let name = set.actions.get(give.action).map_or("", |of| of.name.as_str());
    let mut out = match &give.when {
        Some(when) => format!("{name} where {when}"),
        None => format!("{name} for everybody else"),
    };
    if let Some(share) = give.share {
        out += &format!(", {} of them by lot", percent_exact(share));
    }
    if let Some(limit) = give.limit {
        out += &format!(", at most {} by lot", count(limit));
    }
    out + &each(set, give.action, give.money)
}

/// The money for each, where a contact has no price of its own.
fn each(set: &StrategySet, action: usize, money: f64) -> String {
    match set.actions.get(action) {
        Some(action) if action.cost_on_contact.is_none() => {
            format!(", {} each", money_in(money, &set.currency))
        }
        _ => String::new(),
    }
}

/// Whether somebody is chosen, or money spread, by lifetime value.
pub(super) fn goes_by_clv(set: &StrategySet) -> bool {
    set.strategies.iter().any(|strategy| match &strategy.rule {
        Rule::ProportionalToClv { .. } => true,
        Rule::TopN { by, .. } => by == "clv",
        Rule::Rules(give) => {
            give.iter().filter_map(|give| give.when.as_ref()).any(|when| when.contains("clv"))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::html::simulation_fixture::rich_set;

    #[test]
    fn every_rule_in_words() {
        // Money for letters (0) is as planned, a contact with the price cut (1) has a price.
        let set = rich_set(str::to_string);
        let give = |action, when: Option<&str>, share, limit| Give {
            action,
            when: when.map(String::from),
            money: 1.5,
            share,
            limit,
        };
        let top = |action, how_many, per_customer| Rule::TopN {
            action,
            by: "spend".into(),
            how_many,
            per_customer,
        };
        for (rule, words) in [
            (Rule::Nothing, "nobody gets anything"),
            (Rule::Uniform { action: 0 }, "letters: everybody, with the same money for each"),
            (Rule::Uniform { action: 1 }, "price cut: as many customers as can be paid and served, by lot"),
            (
                Rule::ProportionalToClv { action: 0 },
                "letters: money for each tier in proportion to its customers’ lifetime value, the same for everybody in it",
            ),
            (
                Rule::Shares { action: 1, shares: vec![0.8, 0.15, 0.05] },
                "price cut: high 80\u{a0}%, mid 15\u{a0}%, low 5\u{a0}% of the budget, by lot within a tier",
            ),
            (
                top(0, HowMany::Count(1_500), Some(2.0)),
                "letters: the 1,500 with the highest spend, 2.00\u{a0}USD each",
            ),
            (
                top(1, HowMany::Share(0.1), None),
                "price cut: the 10\u{a0}% with the highest spend of those who may be contacted",
            ),
            (
                top(1, HowMany::Budget, None),
                "price cut: as many as can be paid and served, the highest spend first",
            ),
            (
                Rule::Rules(vec![
                    give(1, Some("tier = high"), None, Some(1_000)),
                    give(0, None, Some(0.5), None),
                ]),
                "the first that fits: price cut where tier = high, at most 1,000 by lot; letters for everybody else, 50\u{a0}% of \
                 them by lot, 1.50\u{a0}USD each",
            ),
            (Rule::List { action: Some(0), path: "vip.csv".into() }, "letters: whoever is listed in vip.csv"),
            (
                Rule::List { action: None, path: "vip.csv".into() },
                "whoever is listed in vip.csv, with the action that stands there",
            ),
        ] {
            assert_eq!(rule_words(&set, &rule), words);
        }
        assert!(goes_by_clv(&set));
    }
}
