//! How unevenly spend is spread over the customers: Lorenz curve, Gini coefficient, "the top 20 % make 80 %".
//!
//! A total can be negative where refunds are subtracted. A Lorenz curve of such numbers dips below zero and a Gini
//! coefficient may exceed 1, so negative totals count as 0 here and are counted.

use serde::Serialize;

use super::CustomerTable;
use super::spend::{ascending, graded_spend, percent};

/// A curve in a report has at most this many points: steps of half a percent, finer than a chart can show.
pub const REPORT_POINTS: usize = 201;

/// The "top x %" that are reported.
const TOPS: [f64; 6] = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5];

/// A point of the Lorenz curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Share of customers, the smallest spenders first.
    pub customers: f64,
    /// Their share of spend.
    pub spend: f64,
}

/// What the biggest spenders make.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Top {
    /// Share of customers, the biggest spenders first.
    pub customers: f64,
    /// Their share of spend.
    pub spend: f64,
}

impl Top {
    /// "the top 20 % of customers make 63.2 % of spend".
    pub fn sentence(&self) -> String {
        let customers = (self.customers * 1e4).round() / 1e2;
        format!("the top {customers} % of customers make {} of spend", percent(self.spend))
    }
}

/// How spend is concentrated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Concentration {
    /// Customers.
    pub customers: u64,
    /// Their spend, negative totals counted as 0.
    pub spend: f64,
    /// Customers whose total is negative and counted as 0.
    pub negative: u64,
    /// Gini coefficient: 0 where all spend the same (or nobody anything), 1 − 1/n where one spends everything.
    pub gini: f64,
    /// The Lorenz curve, thinned to at most [`REPORT_POINTS`] points that all lie on it.
    pub lorenz: Vec<Point>,
    /// What the top 1, 5, 10, 20, 30 and 50 % make.
    pub top: Vec<Top>,
    /// Share of spend of the `i` smallest spenders, `i` from 0 to n: the exact curve.
    #[serde(skip)]
    curve: Vec<f64>,
}

impl Concentration {
    /// The concentration of the customers' total spend.
    pub fn of(table: &CustomerTable) -> Concentration {
        Concentration::of_amounts(graded_spend(table))
    }

    /// The concentration of any amounts, one per customer, in any order.
    pub fn of_amounts(mut amounts: Vec<f64>) -> Concentration {
        let mut negative = 0;
        for amount in &mut amounts {
            if *amount < 0.0 {
                negative += 1;
                *amount = 0.0;
            }
        }
        let sorted = ascending(amounts);
        let gini = gini(&sorted);
        let n = sorted.len();
        let mut curve = Vec::with_capacity(n + 1);
        let mut sum = 0.0;
        curve.push(0.0);
        // Smallest first: the one order that depends on the amounts alone, and the most accurate.
        for amount in sorted {
            sum += amount;
            curve.push(sum);
        }
        for (i, share) in curve.iter_mut().enumerate() {
            *share = if sum > 0.0 { *share / sum } else { i as f64 / n.max(1) as f64 };
        }
        let mut out = Concentration {
            customers: n as u64,
            spend: sum,
            negative,
            gini,
            lorenz: Vec::new(),
            top: Vec::new(),
            curve,
        };
        out.lorenz = out.points(REPORT_POINTS);
        out.top = TOPS.map(|customers| Top { customers, spend: out.top_share(customers) }).to_vec();
        out
    }

    /// The share of spend of the `customers` (0 to 1) smallest spenders. Between two customers the curve is a
    /// straight line: half a customer makes half of what it makes.
    pub fn bottom_share(&self, customers: f64) -> f64 {
        let n = self.curve.len() - 1;
        if n == 0 {
            return customers.clamp(0.0, 1.0);
        }
        let rank = customers.clamp(0.0, 1.0) * n as f64;
        let below = (rank as usize).min(n - 1);
        let within = rank - below as f64;
        // Written so that both ends are exact.
        (1.0 - within) * self.curve[below] + within * self.curve[below + 1]
    }

    /// The share of spend of the `customers` (0 to 1) biggest spenders.
    pub fn top_share(&self, customers: f64) -> f64 {
        1.0 - self.bottom_share(1.0 - customers)
    }

    /// The Lorenz curve in at most `most` points (at least 2), from (0, 0) to (1, 1): every customer where they are
    /// few, else evenly spaced points on the curve.
    pub fn points(&self, most: usize) -> Vec<Point> {
        let steps = (self.curve.len() - 1).clamp(1, most.max(2) - 1);
        (0..=steps)
            .map(|i| i as f64 / steps as f64)
            .map(|customers| Point { customers, spend: self.bottom_share(customers) })
            .collect()
    }
}

/// The Gini coefficient of non-negative amounts in ascending order.
///
/// Σ (2i − n − 1)·xᵢ / (n·Σ xᵢ), with the i-th smallest and the i-th largest taken together: every term is then
/// non-negative, and exactly 0 where the two are equal.
fn gini(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    let sum: f64 = sorted.iter().sum();
    if sum <= 0.0 {
        return 0.0;
    }
    let spread: f64 =
        (0..n / 2).map(|i| (n - 1 - 2 * i) as f64 * ((sorted[n - 1 - i] - sorted[i]) / sum)).sum();
    (spread / n as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::spending;
    use super::*;

    /// Spend 0, 10, 20, 70: cumulative 0, 10, 30, 100; Gini = (3·70 + 1·10)/(4·100) = 0.55.
    #[test]
    fn by_hand() {
        let c = Concentration::of(&spending(&[20.0, 0.0, 70.0, 10.0]));
        assert!((c.gini - 0.55).abs() < 1e-15);
        let spend: Vec<f64> = c.lorenz.iter().map(|point| point.spend).collect();
        assert_eq!(spend, [0.0, 0.0, 0.1, 0.3, 1.0]);
        assert!((c.top_share(0.25) - 0.7).abs() < 1e-15);
        // Half of the biggest customer.
        assert!((c.top_share(0.125) - 0.35).abs() < 1e-15);
        assert_eq!(c.top_share(0.0), 0.0);
        assert_eq!(c.top_share(1.0), 1.0);
        assert_eq!(c.top[3].sentence(), "the top 20 % of customers make 56.0 % of spend");
    }

    #[test]
    fn negative_totals_count_as_zero() {
        let c = Concentration::of(&spending(&[-5.0, 10.0, -1.0, 0.0]));
        assert_eq!((c.negative, c.customers, c.spend), (2, 4, 10.0));
        assert_eq!(c.gini, 0.75);
    }

    #[test]
    fn nothing_to_concentrate() {
        for amounts in [vec![], vec![0.0], vec![0.0; 7]] {
            let c = Concentration::of_amounts(amounts);
            assert_eq!(c.gini, 0.0);
            assert_eq!(c.top_share(1.0), 1.0);
            assert!((c.top_share(0.3) - 0.3).abs() < 1e-15);
        }
        assert_eq!(Concentration::of_amounts(vec![7.1; 1001]).gini, 0.0);
    }

    #[test]
    fn thinned_points_lie_on_the_curve() {
        let c = Concentration::of_amounts((0..10_000).map(|i| f64::from(i) * 0.01).collect());
        assert_eq!(c.lorenz.len(), REPORT_POINTS);
        for point in &c.lorenz {
            // 10,000 customers spending 0, 1, … n−1: L(p) = p(pn − 1)/(n − 1) at whole ranks.
            let expected = point.customers * (point.customers * 1e4 - 1.0) / (1e4 - 1.0);
            assert!((point.spend - expected).abs() < 1e-12, "{point:?}");
        }
    }

    proptest! {
        #[test]
        fn invariants(amounts in prop::collection::vec(-10.0f64..1e4, 1..400), by in 0usize..400, x in 0.0f64..1.0) {
            let c = Concentration::of_amounts(amounts.clone());
            prop_assert!((0.0..=1.0).contains(&c.gini));
            prop_assert_eq!(c.top_share(1.0), 1.0);
            // The biggest x % make at least x % and the curve rises.
            prop_assert!(c.top_share(x) >= x - 1e-12);
            prop_assert!(c.lorenz.windows(2).all(|w| w[0].spend <= w[1].spend));
            prop_assert!(c.lorenz.len() <= REPORT_POINTS);
            // Gini = 1 − 2 × the area under the exact curve.
            let n = amounts.len() as f64;
            let area: f64 = c.curve.windows(2).map(|w| (w[0] + w[1]) / (2.0 * n)).sum();
            prop_assert!((c.gini - (1.0 - 2.0 * area)).abs() < 1e-12);
            let mut turned = amounts.clone();
            turned.rotate_left(by % amounts.len());
            prop_assert_eq!(Concentration::of_amounts(turned), c);
        }
    }
}
