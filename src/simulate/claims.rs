//! Claims held against the data: "VIP repurchase rose by 30 % and gave 20 % more sales" needs VIPs to make two thirds of the
//! sales.

use serde::Serialize;

/// What somebody says: a tier moved by `lift`, and all sales by `sales`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimCheck {
    /// The claim in words.
    pub name: String,
    /// The tier that is said to have moved.
    pub tier: String,
    /// How much the tier's sales rose, as a share of them.
    pub lift: f64,
    /// How much all sales rose, as a share of them.
    pub sales: f64,
    /// The share of all sales that the tier would need to have, if nobody else moved; above 1 it cannot be.
    pub share_needed: f64,
    /// Its share of spend in the history.
    pub share_of_spend: f64,
    /// Its share of the revenue expected within the horizon without any action.
    pub share_expected: f64,
    /// What the tier's lift gives of all sales, by the larger of the two shares.
    pub sales_possible: f64,
    /// Whether the claim can be true with nobody else moving.
    pub adds_up: bool,
}

impl ClaimCheck {
    /// Holds a claim against the tier's shares.
    pub fn new(
        (name, tier): (String, String),
        (lift, sales): (f64, f64),
        share_of_spend: f64,
        share_expected: f64,
    ) -> ClaimCheck {
        let share_needed = sales / lift;
        let share = share_of_spend.max(share_expected);
        ClaimCheck {
            name,
            tier,
            lift,
            sales,
            share_needed,
            share_of_spend,
            share_expected,
            sales_possible: lift * share,
            adds_up: share_needed <= share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_percent_of_vips_give_twenty_percent_of_sales_only_if_they_are_two_thirds() {
        let of = |share| ClaimCheck::new(("".into(), "VIP".into()), (0.30, 0.20), share, 0.5);
        assert!((of(0.6).share_needed - 0.666_666_666_666).abs() < 1e-9);
        assert!(!of(0.6).adds_up && (of(0.6).sales_possible - 0.18).abs() < 1e-15);
        assert!(of(0.67).adds_up);
    }
}
