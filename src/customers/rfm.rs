//! Recency, frequency and monetary value scored 1 to 5 by quantiles of the customers at hand.
//!
//! R looks at the whole days since the last order (fewer is better), F at the number of orders, M at the total
//! spend. The last is deliberately the sum and not the mean per order: the mean is 0 for everybody who bought once,
//! and "much" in a value tier means much money.
//!
//! Ties: the cuts are values, the 20, 40, 60 and 80 % quantiles (inverse empirical distribution: the value at rank
//! ⌈p·n⌉ of the ascending order), and the score is 1 + the number of cuts strictly below the value. Equal values
//! thus always share a score, scores can be empty where many customers are equal, and neither the order of rows nor
//! a random number ever decides. R is scored as if its value were minus the days.

use serde::Serialize;

use super::spend::{ascending, graded_spend, threshold};
use super::{Column, CustomerTable, Values};
use crate::parallel;

/// The quantiles, in percent, that separate the five scores.
pub const QUANTILES: [u64; 4] = [20, 40, 60, 80];

/// What a score looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Whole days from the last order to the end of calibration; fewer is better.
    Recency,
    /// Orders.
    Frequency,
    /// Total spend, rounded to a millionth.
    Monetary,
}

impl Measure {
    /// R, F or M.
    pub fn letter(self) -> char {
        match self {
            Measure::Recency => 'R',
            Measure::Frequency => 'F',
            Measure::Monetary => 'M',
        }
    }
}

/// Where one of the three scores changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thresholds {
    /// What is scored.
    pub measure: Measure,
    /// `cuts[s - 1]` separates score `s` from `s + 1`, in days, orders or money: F and M above it score more, R
    /// below it (the cuts of R therefore descend).
    pub cuts: [f64; 4],
    /// Customers with score 1, 2, … 5.
    pub customers: [u64; 5],
    /// A sentence for each score: "F 4: 3 to 5 orders".
    pub words: [String; 5],
}

impl Thresholds {
    fn new(measure: Measure, cuts: [f64; 4], scores: &[u8]) -> Thresholds {
        let mut customers = [0; 5];
        for &score in scores {
            customers[usize::from(score) - 1] += 1;
        }
        let mut thresholds = Thresholds { measure, cuts, customers, words: Default::default() };
        thresholds.words = [1, 2, 3, 4, 5].map(|score: u8| {
            let phrase = thresholds.phrase(score, score);
            let empty = customers[usize::from(score) - 1] == 0 && phrase != NOBODY;
            format!("{} {score}: {phrase}{}", measure.letter(), if empty { " (nobody)" } else { "" })
        });
        thresholds
    }

    /// What scores from `lowest` to `highest` mean: "3 to 5 orders", "last order at most 30 days ago",
    /// "spend over 86.40".
    pub fn phrase(&self, lowest: u8, highest: u8) -> String {
        // The cut below the lowest score and the one above the highest; the ends have none.
        let below = (lowest > 1).then(|| self.cuts[usize::from(lowest) - 2]);
        let above = (highest < 5).then(|| self.cuts[usize::from(highest) - 1]);
        match self.measure {
            Measure::Recency => {
                let days = |n: f64| if n == 1.0 { "1 day ago".into() } else { format!("{n} days ago") };
                // R's cuts belong to the worse score, so the better one ends a day before.
                match (above, below.map(|cut| cut - 1.0)) {
                    (None, None) => "last order at any time".into(),
                    (_, Some(most)) if most < above.unwrap_or(0.0) => NOBODY.into(),
                    (Some(least), Some(most)) if least == most => format!("last order {}", days(most)),
                    (Some(least), Some(most)) => format!("last order {least} to {}", days(most)),
                    (None, Some(most)) => format!("last order at most {}", days(most)),
                    (Some(least), None) => format!("last order at least {}", days(least)),
                }
            }
            Measure::Frequency => {
                let orders = |n: f64| if n == 1.0 { "1 order".into() } else { format!("{n} orders") };
                match (below.map(|cut| cut + 1.0), above) {
                    (None, None) => "any number of orders".into(),
                    (Some(least), Some(most)) if most < least => NOBODY.into(),
                    (Some(least), Some(most)) if least == most => orders(most),
                    (Some(least), Some(most)) => format!("{least} to {}", orders(most)),
                    (None, Some(most)) => format!("at most {}", orders(most)),
                    (Some(least), None) => format!("at least {}", orders(least)),
                }
            }
            Measure::Monetary => match (below, above) {
                (None, None) => "any spend".into(),
                (Some(over), Some(most)) if most <= over => NOBODY.into(),
                (Some(over), Some(most)) => {
                    format!("spend over {} and at most {}", threshold(over), threshold(most))
                }
                (None, Some(most)) => format!("spend of at most {}", threshold(most)),
                (Some(over), None) => format!("spend over {}", threshold(over)),
            },
        }
    }
}

const NOBODY: &str = "nobody";

/// The customers who share an R and an F score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cell {
    /// R score.
    pub r: u8,
    /// F score.
    pub f: u8,
    /// How many they are.
    pub customers: u64,
    /// What they spent in all.
    pub total_spend: f64,
    /// What they spent each; 0 where nobody is.
    pub mean_spend: f64,
}

/// The three scores of every customer and what they mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rfm {
    /// R scores, one per customer.
    #[serde(skip)]
    pub r: Vec<u8>,
    /// F scores.
    #[serde(skip)]
    pub f: Vec<u8>,
    /// M scores.
    #[serde(skip)]
    pub m: Vec<u8>,
    /// Where R changes.
    pub recency: Thresholds,
    /// Where F changes.
    pub frequency: Thresholds,
    /// Where M changes.
    pub monetary: Thresholds,
    /// The R × F heat map, R and F ascending, F running faster: 25 cells.
    pub grid: Vec<Cell>,
}

impl Rfm {
    /// The three digits of customer `i`, such as 545.
    pub fn code(&self, i: usize) -> u32 {
        100 * u32::from(self.r[i]) + 10 * u32::from(self.f[i]) + u32::from(self.m[i])
    }

    /// The customers with those R and F scores (1 to 5 each).
    pub fn cell(&self, r: u8, f: u8) -> &Cell {
        &self.grid[5 * (usize::from(r) - 1) + usize::from(f) - 1]
    }

    /// The columns `r_score`, `f_score`, `m_score` and `rfm_code`.
    pub fn columns(&self) -> Vec<Column> {
        let column = |name: &str, values| Column { name: name.into(), values: Values::Count(values) };
        let scores = |scores: &[u8]| scores.iter().map(|&s| u32::from(s)).collect();
        vec![
            column("r_score", scores(&self.r)),
            column("f_score", scores(&self.f)),
            column("m_score", scores(&self.m)),
            column("rfm_code", (0..self.r.len()).map(|i| self.code(i)).collect()),
        ]
    }
}

/// Scores every customer of the table.
pub fn scores(table: &CustomerTable) -> Rfm {
    let n = table.len();
    let (cuts, r) = score(&parallel::collect(n, |i| -f64::from(table.days_since_last(i))));
    let recency = Thresholds::new(Measure::Recency, cuts.map(|cut| -cut), &r);
    let (cuts, f) = score(&parallel::collect(n, |i| f64::from(table.orders[i])));
    let frequency = Thresholds::new(Measure::Frequency, cuts, &f);
    let (cuts, m) = score(&graded_spend(table));
    let monetary = Thresholds::new(Measure::Monetary, cuts, &m);
    let grid = grid(table, &r, &f);
    Rfm { r, f, m, recency, frequency, monetary, grid }
}

/// The four cuts of `values` and the score of each.
fn score(values: &[f64]) -> ([f64; 4], Vec<u8>) {
    let sorted = ascending(values.to_vec());
    let cuts = QUANTILES.map(|percent| quantile(&sorted, percent));
    let scores = parallel::collect(values.len(), |i| {
        1 + cuts.iter().map(|&cut| u8::from(cut < values[i])).sum::<u8>()
    });
    (cuts, scores)
}

/// The value at rank ⌈percent·n/100⌉ of values in ascending order; 0 when there are none.
fn quantile(sorted: &[f64], percent: u64) -> f64 {
    // In integers: 0.2 · 15 must not become the fourth rank by a rounding error.
    let rank = (percent * sorted.len() as u64).div_ceil(100);
    rank.checked_sub(1).map_or(0.0, |at| sorted[at as usize])
}

fn grid(table: &CustomerTable, r: &[u8], f: &[u8]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = (0..25u8)
        .map(|at| Cell { r: at / 5 + 1, f: at % 5 + 1, customers: 0, total_spend: 0.0, mean_spend: 0.0 })
        .collect();
    // In the order of ids, which is the table's: the sums are the same at any number of threads.
    for ((&r, &f), &spend) in r.iter().zip(f).zip(&table.total_spend) {
        let cell = &mut cells[5 * (usize::from(r) - 1) + usize::from(f) - 1];
        cell.customers += 1;
        cell.total_spend += spend;
    }
    for cell in &mut cells {
        if cell.customers > 0 {
            cell.mean_spend = cell.total_spend / cell.customers as f64;
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Row, any_rows, spending, table};
    use super::*;

    /// Ten customers by hand: orders 1 1 1 1 2 2 3 3 5 9, so the cuts at ranks 2, 4, 6, 8 are 1, 1, 2, 3.
    #[test]
    fn frequency_by_hand() {
        let orders = [1, 1, 1, 1, 2, 2, 3, 3, 5, 9];
        let rows: Vec<Row> =
            (0..).zip(orders).map(|(id, n)| Row { id, frequency: n - 1, ..Row::default() }).collect();
        let rfm = scores(&table(&rows));
        assert_eq!(rfm.frequency.cuts, [1.0, 1.0, 2.0, 3.0]);
        assert_eq!(rfm.f, [1, 1, 1, 1, 3, 3, 4, 4, 5, 5]);
        assert_eq!(rfm.frequency.customers, [4, 0, 2, 2, 2]);
        assert_eq!(
            rfm.frequency.words,
            [
                "F 1: at most 1 order",
                "F 2: nobody",
                "F 3: 2 orders",
                "F 4: 3 orders",
                "F 5: at least 4 orders"
            ]
        );
        assert_eq!(rfm.frequency.phrase(3, 4), "2 to 3 orders");
        assert_eq!(rfm.frequency.phrase(1, 5), "any number of orders");
    }

    /// Days 0, 10, 20, 30, 40: one customer per score, the latest buyer the best.
    #[test]
    fn recency_is_reversed() {
        let rows: Vec<Row> = (0..5).map(|id| Row { id, since: 10 * id as u32, ..Row::default() }).collect();
        let rfm = scores(&table(&rows));
        assert_eq!(rfm.r, [5, 4, 3, 2, 1]);
        assert_eq!(rfm.recency.cuts, [40.0, 30.0, 20.0, 10.0]);
        assert_eq!(
            rfm.recency.words,
            [
                "R 1: last order at least 40 days ago",
                "R 2: last order 30 to 39 days ago",
                "R 3: last order 20 to 29 days ago",
                "R 4: last order 10 to 19 days ago",
                "R 5: last order at most 9 days ago",
            ]
        );
        assert_eq!(rfm.recency.phrase(3, 5), "last order at most 29 days ago");
    }

    #[test]
    fn money_words_and_codes() {
        let rfm = scores(&spending(&[10.0, 20.0, 30.0, 1234.5, 5000.0]));
        assert_eq!(rfm.m, [1, 2, 3, 4, 5]);
        assert_eq!(rfm.monetary.words[3], "M 4: spend over 30.00 and at most 1,234.50");
        assert_eq!(rfm.monetary.words[4], "M 5: spend over 1,234.50");
        // All equal in days and orders: the lowest score for all.
        assert_eq!(rfm.code(4), 115);
        let columns = rfm.columns();
        assert_eq!(columns[3].values, Values::Count(vec![111, 112, 113, 114, 115]));
        assert_eq!(rfm.cell(1, 1).customers, 5);
        assert_eq!(rfm.cell(1, 1).mean_spend, 6294.5 / 5.0);
        assert_eq!(rfm.recency.words[4], "R 5: nobody");
    }

    #[test]
    fn sums_equal_as_decimals_share_a_score() {
        let rfm = scores(&spending(&[0.1 + 0.2, 0.3, 0.5, 0.7, 0.9]));
        assert_eq!(rfm.m[0], rfm.m[1]);
    }

    #[test]
    fn nobody_and_one() {
        assert!(scores(&table(&[])).r.is_empty());
        assert_eq!(scores(&spending(&[5.0])).code(0), 111);
    }

    proptest! {
        #[test]
        fn scores_are_monotone_and_ties_share_them(rows in any_rows(60)) {
            let table = table(&rows);
            let rfm = scores(&table);
            for i in 0..table.len() {
                for j in 0..table.len() {
                    if table.days_since_last(i) <= table.days_since_last(j) { prop_assert!(rfm.r[i] >= rfm.r[j]); }
                    if table.orders[i] >= table.orders[j] { prop_assert!(rfm.f[i] >= rfm.f[j]); }
                    if table.total_spend[i] >= table.total_spend[j] { prop_assert!(rfm.m[i] >= rfm.m[j]); }
                }
            }
            // A fifth of the customers, rounded down, is never exceeded below the cuts.
            for thresholds in [&rfm.recency, &rfm.frequency, &rfm.monetary] {
                let n = table.len() as u64;
                prop_assert_eq!(thresholds.customers.iter().sum::<u64>(), n);
                for top in 1..5u64 {
                    let above: u64 = thresholds.customers[(5 - top) as usize..].iter().sum();
                    prop_assert!(above * 5 <= n * top);
                }
            }
            prop_assert_eq!(rfm.grid.iter().map(|cell| cell.customers).sum::<u64>(), table.len() as u64);
        }

        #[test]
        fn the_order_of_rows_does_not_matter(rows in any_rows(60), by in 1usize..59) {
            let mut turned = rows.clone();
            turned.rotate_left(by % rows.len());
            prop_assert_eq!(scores(&table(&rows)), scores(&table(&turned)));
        }
    }
}
