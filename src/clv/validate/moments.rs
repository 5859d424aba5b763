//! One pass over the customers: errors, correlations, totals and means by calibration frequency, in the data and in
//! every replication.

use super::bootstrap::Weights;
use crate::parallel;

/// Customers per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 32_768;

/// Groups by calibration frequency: 0, 1, … and a last one for all that is more.
pub(super) const GROUPS: usize = 8;

/// The group of a frequency.
pub(super) fn group_of(frequency: u32) -> usize {
    (frequency as usize).min(GROUPS - 1)
}

/// What is compared.
pub(super) struct Compared<'a> {
    /// Calibration frequency of each customer.
    pub(super) frequency: &'a [u32],
    /// What happened in the holdout: transactions.
    pub(super) transactions: &'a [f64],
    /// What happened in the holdout: spend.
    pub(super) spend: &'a [f64],
    /// Predictions, each of transactions or of spend.
    pub(super) predictions: Vec<Prediction<'a>>,
    /// The hashes of ids.
    pub(super) hash: &'a [u64],
    pub(super) weights: Weights,
}

/// The predictions of one method.
#[derive(Clone, Copy)]
pub(super) struct Prediction<'a> {
    pub(super) values: &'a [f64],
    /// Whether they are of spend, else of transactions.
    pub(super) of_spend: bool,
}

/// Sums by replication.
#[derive(Clone, Default)]
pub(super) struct Moments {
    pub(super) weight: Vec<f64>,
    /// Of transactions and of spend.
    pub(super) actual: [Vec<f64>; 2],
    actual_squares: [Vec<f64>; 2],
    predictions: Vec<PredictionSums>,
    /// Weight and transactions of each group.
    pub(super) groups: Vec<[Vec<f64>; 2]>,
}

#[derive(Clone, Default)]
struct PredictionSums {
    of_spend: bool,
    sum: Vec<f64>,
    squares: Vec<f64>,
    products: Vec<f64>,
    absolute: Vec<f64>,
    squared_errors: Vec<f64>,
    groups: Vec<Vec<f64>>,
}

impl PredictionSums {
    fn lists(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        let own = [
            &mut self.sum,
            &mut self.squares,
            &mut self.products,
            &mut self.absolute,
            &mut self.squared_errors,
        ];
        own.into_iter().chain(&mut self.groups)
    }
}

#[inline]
fn add(sums: &mut [f64], weights: &[f64], value: f64) {
    sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w * value);
}

impl Compared<'_> {
    /// The sums, chunk by chunk in the table's order.
    pub(super) fn moments(&self) -> Moments {
        let chunk = |range| self.chunk(range);
        let combine = |mut a: Moments, mut b: Moments| {
            a.lists().zip(b.lists()).for_each(|(a, b)| a.iter_mut().zip(b).for_each(|(a, b)| *a += *b));
            a
        };
        parallel::reduce_chunks(self.frequency.len(), CHUNK, chunk, combine).unwrap_or_else(|| self.empty())
    }

    fn empty(&self) -> Moments {
        let len = self.weights.len();
        let predictions = self.predictions.iter().map(|prediction| PredictionSums {
            of_spend: prediction.of_spend,
            groups: vec![Vec::new(); GROUPS],
            ..PredictionSums::default()
        });
        let mut out = Moments {
            predictions: predictions.collect(),
            groups: vec![Default::default(); GROUPS],
            ..Moments::default()
        };
        out.lists().for_each(|list| list.resize(len, 0.0));
        out
    }

    fn chunk(&self, range: std::ops::Range<usize>) -> Moments {
        let mut out = self.empty();
        let mut weights = vec![0.0; self.weights.len()];
        for i in range {
            self.weights.fill(self.hash[i], &mut weights);
            let actual = [self.transactions[i], self.spend[i]];
            let group = group_of(self.frequency[i]);
            add(&mut out.weight, &weights, 1.0);
            for ((sum, squares), y) in out.actual.iter_mut().zip(&mut out.actual_squares).zip(actual) {
                add(sum, &weights, y);
                add(squares, &weights, y * y);
            }
            add(&mut out.groups[group][0], &weights, 1.0);
            add(&mut out.groups[group][1], &weights, actual[0]);
            for (prediction, sums) in self.predictions.iter().zip(&mut out.predictions) {
                let (p, y) = (prediction.values[i], actual[usize::from(prediction.of_spend)]);
                add(&mut sums.sum, &weights, p);
                add(&mut sums.squares, &weights, p * p);
                add(&mut sums.products, &weights, p * y);
                add(&mut sums.absolute, &weights, (p - y).abs());
                add(&mut sums.squared_errors, &weights, (p - y) * (p - y));
                add(&mut sums.groups[group], &weights, p);
            }
        }
        out
    }
}

/// What a prediction comes to in one replication; NaN where it does not exist.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Errors {
    /// Mean absolute error.
    pub(super) mae: f64,
    /// Root of the mean squared error.
    pub(super) rmse: f64,
    /// Correlation of predicted and actual.
    pub(super) correlation: f64,
    /// Predicted total as a share of the actual one, less 1.
    pub(super) bias: f64,
}

impl Moments {
    fn lists(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        std::iter::once(&mut self.weight)
            .chain(&mut self.actual)
            .chain(&mut self.actual_squares)
            .chain(self.predictions.iter_mut().flat_map(PredictionSums::lists))
            .chain(self.groups.iter_mut().flatten())
    }

    /// The errors of prediction `k` in replication `r`.
    pub(super) fn errors(&self, k: usize, r: usize) -> Errors {
        let sums = &self.predictions[k];
        let of = usize::from(sums.of_spend);
        let n = self.weight[r];
        let (p, y) = (sums.sum[r] / n, self.actual[of][r] / n);
        let (p2, y2) = (sums.squares[r] / n, self.actual_squares[of][r] / n);
        // A variance that is rounding and nothing else is none: a constant correlates with nothing.
        let variance = |square: f64, mean: f64| {
            let variance = square - mean * mean;
            if variance > 1e-12 * square { variance } else { f64::NAN }
        };
        Errors {
            mae: sums.absolute[r] / n,
            rmse: (sums.squared_errors[r] / n).sqrt(),
            correlation: (sums.products[r] / n - p * y) / (variance(p2, p) * variance(y2, y)).sqrt(),
            bias: if y > 0.0 { p / y - 1.0 } else { f64::NAN },
        }
    }

    /// The sum of prediction `k` over the customers.
    pub(super) fn total(&self, k: usize) -> f64 {
        self.predictions[k].sum[0]
    }

    /// Mean prediction `k` of a group in every replication; NaN where nobody is in it.
    pub(super) fn mean_of_group(&self, k: usize, group: usize) -> Vec<f64> {
        let sums = &self.predictions[k].groups[group];
        sums.iter().zip(&self.groups[group][0]).map(|(sum, n)| sum / n).collect()
    }
}
