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
    /// What that allows to say, with nobody else moving.
    pub verdict: ClaimVerdict,
}

/// What shares say of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimVerdict {
    /// The share needed lies between the tier's two shares, or within a hundredth of one.
    AddsUp,
    /// The tier is too small for it.
    NeedsMore,
    /// The tier alone would have given more: the others must have moved the other way.
    GivesMore,
    /// The tier and all sales are said to have moved in opposite ways, or the tier not at all.
    Contradictory,
}

/// A share needed that is further than this from what the tier has does not add up.
const NEAR: f64 = 0.01;

impl ClaimCheck {
    /// Holds a claim against the tier's shares.
    pub fn new(
        (name, tier): (String, String),
        (lift, sales): (f64, f64),
        share_of_spend: f64,
        share_expected: f64,
    ) -> ClaimCheck {
        let share_needed = sales / lift;
        let known = [share_of_spend, share_expected].into_iter().filter(|share| share.is_finite());
        let (least, most) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), s| (a.min(s), b.max(s)));
        let verdict = if lift == 0.0 || share_needed.is_nan() || share_needed < 0.0 {
            ClaimVerdict::Contradictory
        } else if share_needed > most + NEAR {
            ClaimVerdict::NeedsMore
        } else if share_needed < least - NEAR {
            ClaimVerdict::GivesMore
        } else {
            ClaimVerdict::AddsUp
        };
        ClaimCheck {
            name,
            tier,
            lift,
            sales,
            share_needed,
            share_of_spend,
            share_expected,
            sales_possible: lift * most,
            verdict,
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
        assert_eq!(of(0.6).verdict, ClaimVerdict::NeedsMore);
        assert!((of(0.6).sales_possible - 0.18).abs() < 1e-15);
        assert_eq!(of(0.67).verdict, ClaimVerdict::AddsUp);
    }

    #[test]
    fn other_claims_are_told_apart() {
        let of = |lift, sales| ClaimCheck::new(("".into(), "VIP".into()), (lift, sales), 0.6, 0.6).verdict;
        assert_eq!(of(0.3, 0.01), ClaimVerdict::GivesMore);
        assert_eq!(of(-0.1, -0.06), ClaimVerdict::AddsUp);
        for (lift, sales) in [(-0.1, 0.1), (0.3, -0.1), (0.0, 0.0), (0.0, 0.2)] {
            assert_eq!(of(lift, sales), ClaimVerdict::Contradictory, "{lift} {sales}");
        }
        // What nobody knows says nothing.
        let unknown = ClaimCheck::new(("".into(), "VIP".into()), (0.3, 0.18), f64::NAN, 0.6);
        assert_eq!(unknown.verdict, ClaimVerdict::AddsUp);
    }
}
