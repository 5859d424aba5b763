//! High, mid and low value (高/中/低价值) by total spend: the top 20 % of customers, the next 30 %, the rest.

use super::{Scheme, Tiering, cuts};
use crate::customers::CustomerTable;
use crate::customers::rfm::Rfm;
use crate::customers::spend::graded_spend;
use crate::error::Result;

/// The top 20 % and the top 50 % of customers: the fifth of the Pareto law, and the better half.
const TOP_PERCENTS: [u64; 2] = [20, 50];

/// Value tiers by total spend.
///
/// The customer at rank ⌈0.2·n⌉ from the top sets the threshold of `high`, the one at ⌈0.5·n⌉ that of `mid`; whoever
/// spent as much belongs to the tier, so that customers of equal spend are never parted and a tier can be larger
/// than its share where many are equal.
#[derive(Debug, Clone, Copy)]
pub struct Value;

impl Scheme for Value {
    fn key(&self) -> &str {
        "value"
    }

    fn title(&self) -> &str {
        "Value by total spend"
    }

    fn column(&self) -> &str {
        "tier_value"
    }

    fn tiers(&self) -> Vec<&str> {
        vec!["high", "mid", "low"]
    }

    fn grade(&self, table: &CustomerTable, _: &Rfm) -> Result<Tiering> {
        let spend = graded_spend(table);
        let limits = cuts::by_rank(&spend, &TOP_PERCENTS);
        let words = cuts::words("total spend", &limits);
        let named = cuts::named(&self.tiers(), &limits);
        Ok(Tiering::new(self, table, words, named, cuts::codes(&spend, &limits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::rfm::scores;
    use crate::customers::testing::spending;

    fn graded(spend: &[f64]) -> Tiering {
        let table = spending(spend);
        Value.grade(&table, &scores(&table)).unwrap()
    }

    #[test]
    fn ten_customers_by_hand() {
        let tiering = graded(&[5.0, 100.0, 1.0, 123.45, 7.0, 50.0, 2.0, 3.0, 60.0, 4.0]);
        assert_eq!(tiering.codes, [2, 0, 2, 0, 1, 1, 2, 2, 1, 2]);
        assert_eq!(tiering.thresholds, [("high".to_string(), 100.0), ("mid".to_string(), 7.0)]);
        assert_eq!(tiering.tiers[1].rule, "total spend of at least 7.00 and below 100.00");
        assert_eq!(tiering.tiers[0].customers, 2);
        assert_eq!(tiering.tiers[0].share_of_customers, 0.2);
        assert!((tiering.tiers[0].share_of_spend - 223.45 / 355.45).abs() < 1e-15);
        assert_eq!(tiering.tier(5).name, "mid");
    }

    #[test]
    fn ties_stay_together() {
        // The second of ten sets the threshold, and three more spent the same (one of them as a floating sum).
        let tiering = graded(&[9.0, 0.3, 0.1 + 0.2, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(tiering.codes, [0, 0, 0, 0, 0, 2, 2, 2, 2, 2]);
        assert_eq!(tiering.tiers[1].customers, 0);
        assert!(tiering.tiers[1].rule.starts_with("nobody"));
        assert_eq!(graded(&[4.0; 3]).codes, [0, 0, 0]);
        assert_eq!(graded(&[4.0]).codes, [0]);
        assert_eq!(graded(&[4.0, 5.0]).codes, [2, 0]);
    }
}
