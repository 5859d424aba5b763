//! Every criterion of every method, in the data and in every replication of the bootstrap.

use super::bootstrap::Weights;
use super::coverage;
use super::curve::{Curve, Ranked, TENTHS, edge};
use super::figure;
use super::methods::Predictions;
use super::moments::{Compared, Moments, Prediction};
use super::report::{Better, Coverage, Criterion, Decile, Difference, Method, MethodKind, Metric};
use crate::error::Result;
use crate::progress::Progress;

/// What methods are judged by, for each customer in the order of the table.
pub(super) struct Scoring<'a> {
    pub(super) frequency: &'a [u32],
    pub(super) transactions: &'a [f64],
    pub(super) spend: &'a [f64],
    pub(super) hash: &'a [u64],
    pub(super) weights: Weights,
}

/// The criteria, and what deciles and groups are made of.
pub(super) struct Scores {
    moments: Moments,
    methods: Vec<OfMethod>,
}

/// What belongs to one method.
struct OfMethod {
    /// Its predictions of transactions and of spend among those of the moments.
    index: [Option<usize>; 2],
    /// How often its intervals held.
    coverage: Option<Coverage>,
    /// By criterion, in every replication.
    values: Vec<Option<Vec<f64>>>,
    /// By predicted transactions.
    curve: Option<Curve>,
}

impl Scoring<'_> {
    /// Judges the methods.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub(super) fn score(&self, methods: &[Predictions], progress: &dyn Progress) -> Result<Scores> {
        progress.phase("resampling customers", 2 + methods.len() as u64);
        let mut compared = Compared {
            frequency: self.frequency,
            transactions: self.transactions,
            spend: self.spend,
            predictions: Vec::new(),
            hash: self.hash,
            weights: self.weights,
        };
        let mut out = Vec::new();
        for method in methods {
            // What only orders customers has no errors.
            let spend = method.spend.as_ref().filter(|_| method.kind != MethodKind::Ranking);
            let mut index = [None; 2];
            for (at, values) in [method.transactions.as_ref(), spend].into_iter().enumerate() {
                if let Some(values) = values {
                    index[at] = Some(compared.predictions.len());
                    compared.predictions.push(Prediction { values, of_spend: at == 1 });
                }
            }
            let intervals = method.intervals.map(|intervals| coverage::judge(intervals, self));
            out.push(OfMethod { index, coverage: intervals, values: Vec::new(), curve: None });
        }
        let moments = compared.moments();
        progress.check()?;
        progress.advance(1);
        let perfect = [self.transactions, self.spend].map(|actual| self.curve(actual));
        progress.check()?;
        progress.advance(1);
        for (method, out) in methods.iter().zip(&mut out) {
            let by_spend = method.spend.as_ref().map(|spend| self.curve(spend));
            progress.check()?;
            out.curve = method.transactions.as_ref().map(|transactions| self.curve(transactions));
            out.values =
                Criterion::ALL.map(|c| criterion(c, out, &moments, by_spend.as_ref(), &perfect)).into();
            progress.check()?;
            progress.advance(1);
        }
        Ok(Scores { moments, methods: out })
    }

    fn curve(&self, score: &[f64]) -> Curve {
        let quantities = [self.transactions, self.spend];
        Ranked { score, quantities, hash: self.hash, weights: self.weights }.curve()
    }
}

/// A criterion in every replication; none where the method says nothing of it.
fn criterion(
    criterion: Criterion,
    of: &OfMethod,
    moments: &Moments,
    by_spend: Option<&Curve>,
    perfect: &[Curve; 2],
) -> Option<Vec<f64>> {
    let every = |value: &dyn Fn(usize) -> f64| (0..moments.weight.len()).map(value).collect();
    let [transactions, spend] = of.index;
    Some(match criterion {
        Criterion::Mae => transactions.map(|k| every(&|r| moments.errors(k, r).mae))?,
        Criterion::Rmse => transactions.map(|k| every(&|r| moments.errors(k, r).rmse))?,
        Criterion::Correlation => transactions.map(|k| every(&|r| moments.errors(k, r).correlation))?,
        Criterion::Bias => transactions.map(|k| every(&|r| moments.errors(k, r).bias))?,
        Criterion::SpendMae => spend.map(|k| every(&|r| moments.errors(k, r).mae))?,
        Criterion::SpendBias => spend.map(|k| every(&|r| moments.errors(k, r).bias))?,
        Criterion::DecileError => {
            let curve = of.curve.as_ref()?;
            every(&|r| {
                let tenths = (0..TENTHS).map(|k| tenth(curve, r, k)).filter(|of| of.0 > 0.0);
                tenths.map(|(n, predicted, actual)| n * (predicted - actual).abs()).sum::<f64>()
                    / curve.weight[r]
            })
        }
        Criterion::GiniTransactions => {
            let curve = of.curve.as_ref()?;
            every(&|r| curve.gini[r][0] / perfect[0].gini[r][0])
        }
        Criterion::GiniSpend => {
            let curve = by_spend?;
            every(&|r| curve.gini[r][1] / perfect[1].gini[r][1])
        }
        Criterion::TopTenthSpend => {
            let curve = by_spend?;
            every(&|r| match edge(0, curve.weight[r]) {
                n if n > 0.0 => curve.edges[r][0][2] / curve.edges[r][TENTHS - 1][2],
                _ => f64::NAN,
            })
        }
    })
}

/// Customers, mean score and mean transactions of tenth `k`.
fn tenth(curve: &Curve, r: usize, k: usize) -> (f64, f64, f64) {
    let upper = curve.edges[r][k];
    let lower = k.checked_sub(1).map_or([0.0; 3], |k| curve.edges[r][k]);
    let below = k.checked_sub(1).map_or(0.0, |k| edge(k, curve.weight[r]));
    let n = edge(k, curve.weight[r]) - below;
    (n, (upper[0] - lower[0]) / n, (upper[1] - lower[1]) / n)
}

impl Scores {
    /// Customers of a group by calibration frequency, and their mean transactions, in every replication.
    pub(super) fn group(&self, group: usize) -> (Vec<f64>, Vec<f64>) {
        let [weight, sum] = &self.moments.groups[group];
        let all = &self.moments.weight;
        // A share of so many customers as there are, however many a replication has.
        let customers = weight.iter().zip(all).map(|(n, of)| n / of * all[0]);
        let mean = sum.iter().zip(weight).map(|(sum, n)| sum / n);
        (customers.collect(), mean.collect())
    }

    /// Mean predicted transactions of a group by method `m`, in every replication.
    pub(super) fn predicted_of_group(&self, m: usize, group: usize) -> Option<Vec<f64>> {
        Some(self.moments.mean_of_group(self.methods[m].index[0]?, group))
    }

    /// A criterion of method `m` in every replication.
    #[cfg(test)]
    pub(super) fn every(&self, m: usize, criterion: Criterion) -> Option<Vec<f64>> {
        let at = Criterion::ALL.iter().position(|&of| of == criterion)?;
        self.methods[m].values[at].clone()
    }

    /// Every pair of methods by every criterion that both have.
    pub(super) fn differences(&self) -> Vec<Difference> {
        let mut out = Vec::new();
        for (c, criterion) in Criterion::ALL.into_iter().enumerate() {
            for (method, of) in self.methods.iter().enumerate() {
                for (other, than) in self.methods.iter().enumerate().skip(method + 1) {
                    let (Some(a), Some(b)) = (&of.values[c], &than.values[c]) else { continue };
                    let less = |(a, b): (&f64, &f64)| match criterion.better() {
                        Better::NearerZero => a.abs() - b.abs(),
                        _ => a - b,
                    };
                    let difference: Vec<f64> = a.iter().zip(b).map(less).collect();
                    out.extend(figure(&difference).map(|figure| Difference {
                        criterion,
                        method,
                        other,
                        figure,
                    }));
                }
            }
        }
        out
    }

    /// The methods with their figures.
    pub(super) fn into_methods(self, methods: &[Predictions]) -> Vec<Method> {
        methods.iter().zip(&self.methods).map(|(method, of)| self.method(method, of)).collect()
    }

    fn method(&self, method: &Predictions, of: &OfMethod) -> Method {
        let metrics = Criterion::ALL
            .into_iter()
            .zip(&of.values)
            .map(|(criterion, values)| Metric { criterion, figure: values.as_deref().and_then(figure) });
        let total = |at: usize| of.index[at].map(|k| self.moments.total(k));
        Method {
            name: method.name.clone(),
            kind: method.kind,
            about: method.about,
            transactions: total(0),
            spend: total(1),
            metrics: metrics.collect(),
            deciles: of.curve.as_ref().map_or_else(Vec::new, deciles),
            coverage: of.coverage.clone(),
        }
    }
}

fn deciles(curve: &Curve) -> Vec<Decile> {
    let all = |k: usize| (0..curve.weight.len()).map(move |r| tenth(curve, r, k));
    (0..TENTHS)
        .filter_map(|k| {
            Some(Decile {
                decile: k as u8 + 1,
                customers: tenth(curve, 0, k).0,
                predicted: figure(&all(k).map(|of| of.1).collect::<Vec<_>>())?,
                actual: figure(&all(k).map(|of| of.2).collect::<Vec<_>>())?,
            })
        })
        .collect()
}
