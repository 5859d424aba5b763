//! Which tiers a rule of `give` can reach, found from its text alone.

use crate::tier::rules::{Comparison, Expr, Node, Problem};

/// The column that holds the tier's name.
pub(super) const TIER: &str = "tier";

/// Tiers that a condition can hold in: never fewer than it really can.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reach {
    /// It does not look at the tier, or in a way that does not tell.
    All,
    /// It can hold in these only.
    Only(Vec<bool>),
}

/// The tiers that `expr` can reach.
///
/// # Errors
/// A text that the tier is compared with and that is no tier.
pub(super) fn reach(expr: &Expr, tiers: &[String]) -> Result<Reach, Problem> {
    Ok(match &expr.node {
        Node::All(parts) => {
            let mut both = Reach::All;
            for part in parts {
                both = match (both, reach(part, tiers)?) {
                    (Reach::All, one) | (one, Reach::All) => one,
                    (Reach::Only(a), Reach::Only(b)) => Reach::Only(zip(&a, &b, |a, b| a && b)),
                };
            }
            both
        }
        Node::Any(parts) => {
            let mut either = Reach::Only(vec![false; tiers.len()]);
            for part in parts {
                either = match (either, reach(part, tiers)?) {
                    (Reach::Only(a), Reach::Only(b)) => Reach::Only(zip(&a, &b, |a, b| a || b)),
                    _ => Reach::All,
                };
            }
            either
        }
        Node::Not(of) => {
            // Where the inside holds in some customers of a tier, its opposite may hold in others: only the tier's own
            // comparisons can be turned round.
            match (&of.node, reach(of, tiers)?) {
                (Node::Compare(..) | Node::In { .. }, Reach::Only(inside)) => {
                    Reach::Only(inside.iter().map(|is| !is).collect())
                }
                _ => Reach::All,
            }
        }
        Node::Compare(sign, a, b) => match (is_tier(a), is_tier(b)) {
            (true, false) => compared(*sign, b, tiers)?,
            (false, true) => compared(sign.turned(), a, tiers)?,
            _ => Reach::All,
        },
        Node::In { of, list, negated } if is_tier(of) => {
            let mut within = vec![*negated; tiers.len()];
            for item in list {
                match tier_of(item, tiers)? {
                    Some(tier) => within[tier] = !negated,
                    None => return Ok(Reach::All),
                }
            }
            Reach::Only(within)
        }
        _ => Reach::All,
    })
}

fn zip(a: &[bool], b: &[bool], f: impl Fn(bool, bool) -> bool) -> Vec<bool> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}

fn is_tier(expr: &Expr) -> bool {
    matches!(&expr.node, Node::Name(name) if name == TIER)
}

fn compared(sign: Comparison, with: &Expr, tiers: &[String]) -> Result<Reach, Problem> {
    let Some(tier) = tier_of(with, tiers)? else { return Ok(Reach::All) };
    let holds = |other: &String| sign.holds(other.as_bytes().cmp(tiers[tier].as_bytes()));
    Ok(Reach::Only(tiers.iter().map(holds).collect()))
}

/// The tier that a text, or a name, says; `None` for a name that may be a column, and for anything else.
fn tier_of(expr: &Expr, tiers: &[String]) -> Result<Option<usize>, Problem> {
    let find = |name: &str| tiers.iter().position(|tier| tier == name);
    match &expr.node {
        Node::Text(text) => match find(text) {
            Some(tier) => Ok(Some(tier)),
            None => Err(Problem::new(
                expr.span.clone(),
                format!("\"{text}\" is no tier of this scheme"),
                crate::tier::rules::did_you_mean(text, tiers),
            )),
        },
        Node::Name(name) => Ok(find(name)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::rules::parse;

    #[test]
    fn what_a_rule_can_reach() {
        let tiers: Vec<String> = ["high", "mid", "low"].map(String::from).to_vec();
        let of = |text: &str| match reach(&parse(text).unwrap(), &tiers) {
            Ok(Reach::All) => "high mid low".to_string(),
            Ok(Reach::Only(within)) => {
                let names = tiers.iter().zip(within).filter(|(_, is)| *is).map(|(name, _)| name.as_str());
                names.collect::<Vec<_>>().join(" ")
            }
            Err(problem) => problem.message,
        };
        for (text, want) in [
            ("tier = high", "high"),
            ("tier = \"high\" and recency_days > 90", "high"),
            ("'mid' = tier", "mid"),
            ("tier != high", "mid low"),
            ("not tier = high", "mid low"),
            ("not (tier = high and orders > 3)", "high mid low"),
            ("tier in [\"high\", \"low\"]", "high low"),
            ("tier not in [\"high\", \"low\"]", "mid"),
            ("tier = high or tier = mid", "high mid"),
            ("tier = high or orders > 3", "high mid low"),
            ("orders > 3", "high mid low"),
            ("tier = region", "high mid low"),
            ("tier = high and tier = low", ""),
            ("tier = \"hihg\"", "\"hihg\" is no tier of this scheme"),
        ] {
            assert_eq!(of(text), want, "{text}");
        }
    }
}
