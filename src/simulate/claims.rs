//! Claims held against the data: "VIP repurchase rose by 30 % and gave 20 % more sales" needs VIPs to make two thirds of the
//! sales.

use serde::Serialize;

/// What the data say of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimVerdict {
    /// The share that the tier needs is within its own.
    AddsUp,
    /// The tier is too small.
    NeedsMore,
    /// With nobody else moving the tier alone would give more than is claimed.
    GivesMore,
    /// It cannot be: a tier that moves nothing moves no sales, and nobody's sales move all sales the other way.
    Contradictory,
}

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
    /// Its share of spend in the history; NaN where that is not known.
    pub share_of_spend: f64,
    /// Its share of the revenue expected within the horizon without any action.
    pub share_expected: f64,
    /// What the tier's lift gives of all sales, by the larger of the two shares.
    pub sales_possible: f64,
    /// Whether the claim can be true with nobody else moving.
    pub verdict: ClaimVerdict,
}

/// Claims are rounded to whole per cent or better: half of that.
const HALF_A_PERCENT: f64 = 0.005;

impl ClaimCheck {
    /// Holds a claim against the tier's shares. It adds up where what the lift gives of all sales by either share, or by one
    /// between them, is the claimed figure as far as that is written out.
    pub fn new(
        (name, tier): (String, String),
        (lift, sales): (f64, f64),
        share_of_spend: f64,
        share_expected: f64,
    ) -> ClaimCheck {
        let share_needed = sales / lift;
        // A share that is not known leaves the other.
        let (least, most) = (share_of_spend.min(share_expected), share_of_spend.max(share_expected));
        let rounding = rounding(sales);
        let verdict = match share_needed {
            needed if !needed.is_finite() || needed < 0.0 => ClaimVerdict::Contradictory,
            _ if sales.abs() - rounding > lift.abs() * most => ClaimVerdict::NeedsMore,
            _ if sales.abs() + rounding < lift.abs() * least => ClaimVerdict::GivesMore,
            _ => ClaimVerdict::AddsUp,
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

/// Half a unit of the last digit that a percentage is written with.
fn rounding(share: f64) -> f64 {
    let is_whole = |scale: f64| (share * scale - (share * scale).round()).abs() < 1e-9 * scale;
    let finer = (0..6).map(|digits| 10f64.powi(digits)).find(|finer| is_whole(100.0 * finer));
    finer.map_or(0.0, |finer| HALF_A_PERCENT / finer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lift: f64, sales: f64, share_of_spend: f64, share_expected: f64) -> ClaimCheck {
        ClaimCheck::new(("".into(), "VIP".into()), (lift, sales), share_of_spend, share_expected)
    }

    #[test]
    fn thirty_percent_of_vips_give_twenty_percent_of_sales_only_if_they_are_two_thirds() {
        let small = of(0.30, 0.20, 0.6, 0.5);
        assert!((small.share_needed - 0.666_666_666_666).abs() < 1e-9);
        assert_eq!(small.verdict, ClaimVerdict::NeedsMore);
        assert!((small.sales_possible - 0.18).abs() < 1e-15);
        assert_eq!(of(0.30, 0.20, 0.67, 0.5).verdict, ClaimVerdict::AddsUp);
        // 19.8 % are 20 % where no digit is given behind the point.
        assert_eq!(of(0.30, 0.20, 0.66, 0.66).verdict, ClaimVerdict::AddsUp);
        assert_eq!(of(0.30, 0.202, 0.66, 0.66).verdict, ClaimVerdict::NeedsMore);
    }

    #[test]
    fn claims_that_say_too_little_or_cannot_be() {
        assert_eq!(of(0.30, 0.02, 0.6, 0.5).verdict, ClaimVerdict::GivesMore);
        assert_eq!(of(-0.30, -0.18, 0.6, 0.5).verdict, ClaimVerdict::AddsUp);
        assert_eq!(of(-0.30, -0.02, 0.6, 0.5).verdict, ClaimVerdict::GivesMore);
        assert_eq!(of(-0.30, -0.30, 0.6, 0.5).verdict, ClaimVerdict::NeedsMore);
        for (lift, sales) in [(0.3, -0.1), (-0.3, 0.1), (0.0, 0.1), (0.0, 0.0)] {
            assert_eq!(of(lift, sales, 0.6, 0.5).verdict, ClaimVerdict::Contradictory);
        }
        // Only one of the shares is known.
        assert_eq!(of(0.30, 0.15, f64::NAN, 0.5).verdict, ClaimVerdict::AddsUp);
        assert_eq!(of(0.30, 0.20, f64::NAN, 0.5).verdict, ClaimVerdict::NeedsMore);
    }
}
