//! ABC: A up to 70 % of spend, B up to 90 %, C the rest, the biggest spenders first.

use super::{Scheme, Tiering, cuts};
use crate::customers::CustomerTable;
use crate::customers::rfm::Rfm;
use crate::customers::spend::graded_spend;
use crate::error::Result;

/// Where A and B end, in percent of the cumulative spend.
const SHARE_PERCENTS: [u64; 2] = [70, 90];

/// ABC analysis of total spend.
///
/// Customers of equal spend stay together. A group of equals is A where those above it make less than 70 % of
/// spend, so A makes at least 70 %; likewise B with 90 %. Negative totals (net refunds) count as 0. Where nobody
/// spent anything, everyone is C.
#[derive(Debug, Clone, Copy)]
pub struct Abc;

impl Scheme for Abc {
    fn key(&self) -> &str {
        "abc"
    }

    fn title(&self) -> &str {
        "ABC by cumulative share of spend"
    }

    fn column(&self) -> &str {
        "tier_abc"
    }

    fn tiers(&self) -> Vec<&str> {
        vec!["A", "B", "C"]
    }

    fn grade(&self, table: &CustomerTable, _: &Rfm) -> Result<Tiering> {
        let spend = graded_spend(table);
        let limits = cuts::by_share(&spend, &SHARE_PERCENTS);
        let lead = ["the biggest spenders, up to 70 % of spend", "the next, up to 90 %", "the rest"];
        let words = cuts::words("total spend", &limits);
        let words = lead.iter().zip(words).map(|(lead, words)| format!("{lead}: {words}")).collect();
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
        Abc.grade(&table, &scores(&table)).unwrap()
    }

    #[test]
    fn by_hand() {
        // Cumulative before each: 400 0 %, 200 40 %, 200 (tie), 100 80 %, 60 90 %, 40 96 %.
        let tiering = graded(&[100.0, 200.0, 40.0, 400.0, 60.0, 200.0]);
        assert_eq!(tiering.codes, [1, 0, 2, 0, 2, 0]);
        assert_eq!(tiering.thresholds, [("A".to_string(), 200.0), ("B".to_string(), 100.0)]);
        assert_eq!(
            tiering.tiers[0].rule,
            "the biggest spenders, up to 70 % of spend: total spend of at least 200.00"
        );
        assert_eq!(tiering.tiers[2].rule, "the rest: total spend below 100.00");
        assert_eq!(tiering.tiers[0].share_of_spend, 0.8);
    }

    #[test]
    fn nothing_spent_and_refunds() {
        assert_eq!(graded(&[0.0, -3.0]).codes, [2, 2]);
        let tiering = graded(&[0.0, -3.0, 10.0]);
        assert_eq!(tiering.codes, [2, 2, 0]);
        assert_eq!(tiering.tiers[2].spend, -3.0);
    }
}
