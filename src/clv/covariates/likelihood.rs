//! The likelihood of customers with covariates, with its first two derivatives.
//!
//! Covariates move logarithms of natural parameters linearly, so a customer's derivatives by those logarithms are all
//! that is needed: sums of them over the customers of one row, times the row, are the derivatives by coefficients.

use super::Covariates;
use super::customer::{CovariateModel, LogTerms, OfCustomer};
use crate::calendar::Unit;
use crate::clv::dense::{Matrix, dot};
use crate::clv::minimise::Evaluation;
use crate::clv::model::Parametric;
use crate::clv::pattern::Patterns;
use crate::parallel;

/// Distinct customers per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 1024;

/// Customers that no one can tell apart.
struct Distinct {
    purchase: u32,
    dropout: u32,
    x: u32,
    t_x: f64,
    t: f64,
    weight: f64,
}

/// What the likelihood needs, arranged once.
pub(super) struct Likelihood<'a, M: CovariateModel> {
    covariates: &'a Covariates,
    distinct: Vec<Distinct>,
    customers: f64,
    of_customer: OfCustomer<M::Params>,
    like: M::Params,
    /// Half the weight of the coefficients' squares.
    penalty: f64,
}

/// Sums of derivatives by the logarithms of four natural parameters and by all coefficients.
struct Sums {
    value: f64,
    gradient: Vec<f64>,
    hessian: Matrix,
}

impl<'a, M: CovariateModel> Likelihood<'a, M> {
    pub(super) fn new(
        patterns: &Patterns,
        covariates: &'a Covariates,
        unit: Unit,
        like: M::Params,
        penalty: f64,
    ) -> Likelihood<'a, M> {
        let mut keys: Vec<(u32, u32, u32)> = parallel::collect(patterns.customers(), |i| {
            (covariates.purchase.row_of(i), covariates.dropout.row_of(i), patterns.of_customer(i) as u32)
        });
        keys.sort_unstable();
        let distinct = keys
            .chunk_by(|a, b| a == b)
            .map(|same| {
                let (purchase, dropout, pattern) = same[0];
                let pattern = pattern as usize;
                Distinct {
                    purchase,
                    dropout,
                    x: patterns.frequency(pattern),
                    t_x: patterns.recency_days(pattern) / unit.days(),
                    t: patterns.t_days(pattern) / unit.days(),
                    weight: same.len() as f64,
                }
            })
            .collect();
        Likelihood {
            covariates,
            distinct,
            customers: patterns.customers() as f64,
            of_customer: M::of_customer(),
            like,
            penalty: 0.5 * penalty,
        }
    }

    /// Distinct histories with their covariates.
    pub(super) fn len(&self) -> usize {
        self.distinct.len()
    }

    /// Minus the mean log-likelihood of a customer, with the penalty's share, by the scale-free parameters and the
    /// coefficients of purchases and dropout.
    pub(super) fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let n = theta.len();
        let base = self.like.with_scale_free(&theta[..4]);
        let (purchase, dropout) = theta[4..].split_at(self.covariates.purchase.width());
        let sums = self.sums(&base, purchase, dropout);
        // From logarithms of natural parameters to the scale-free ones; coefficients stay.
        let natural = base.natural();
        let by_theta = base.jacobian();
        let mut jacobian = Matrix::identity(n);
        for i in 0..4 {
            for j in 0..4 {
                jacobian[(i, j)] = by_theta[(i, j)] / natural[i];
            }
        }
        let mut hessian = sums.hessian.congruent(&jacobian);
        let by_logs = [sums.gradient[0], sums.gradient[1], sums.gradient[2], sums.gradient[3]];
        for (place, value) in M::bend(&base, &by_logs) {
            hessian[(place, place)] += value;
        }
        let mut gradient: Vec<f64> =
            (0..n).map(|j| (0..n).map(|i| sums.gradient[i] * jacobian[(i, j)]).sum()).collect();
        let coefficients = &theta[4..];
        let value = sums.value - self.penalty * dot(coefficients, coefficients);
        for (j, coefficient) in coefficients.iter().enumerate() {
            gradient[4 + j] -= 2.0 * self.penalty * coefficient;
            hessian[(4 + j, 4 + j)] -= 2.0 * self.penalty;
        }
        for i in 0..n {
            gradient[i] /= -self.customers;
            for j in 0..n {
                hessian[(i, j)] /= -self.customers;
            }
        }
        Evaluation { value: -value / self.customers, gradient, hessian }
    }

    fn sums(&self, base: &M::Params, purchase: &[f64], dropout: &[f64]) -> Sums {
        let width = 4 + purchase.len() + dropout.len();
        let chunk = |range: std::ops::Range<usize>| {
            let mut sums = Sums { value: 0.0, gradient: vec![0.0; width], hessian: Matrix::zeros(width) };
            // Customers with the same rows stand together.
            let same = |a: &Distinct, b: &Distinct| (a.purchase, a.dropout) == (b.purchase, b.dropout);
            for together in self.distinct[range].chunk_by(same) {
                let z = self.covariates.purchase.row(together[0].purchase);
                let w = self.covariates.dropout.row(together[0].dropout);
                let params = M::shifted(base, dot(purchase, z), dot(dropout, w));
                let mut terms = LogTerms::default();
                for one in together {
                    terms.add(one.weight, &(self.of_customer)(&params, one.x, one.t_x, one.t));
                }
                sums.add::<M>(&terms, z, w);
            }
            sums
        };
        let none = || Sums { value: 0.0, gradient: vec![0.0; width], hessian: Matrix::zeros(width) };
        parallel::reduce_chunks(self.distinct.len(), CHUNK, chunk, Sums::plus).unwrap_or_else(none)
    }
}

impl LogTerms {
    fn add(&mut self, weight: f64, other: &LogTerms) {
        self.value += weight * other.value;
        for i in 0..4 {
            self.gradient[i] += weight * other.gradient[i];
            for j in 0..4 {
                self.hessian[i][j] += weight * other.hessian[i][j];
            }
        }
    }
}

impl Sums {
    /// Adds the customers of one row, `z` for purchases and `w` for dropout.
    fn add<M: CovariateModel>(&mut self, terms: &LogTerms, z: &[f64], w: &[f64]) {
        self.value += terms.value;
        for i in 0..4 {
            self.gradient[i] += terms.gradient[i];
            for j in 0..4 {
                self.hessian[(i, j)] += terms.hessian[i][j];
            }
        }
        // Each coefficient moves the logarithm of one natural parameter by a signed entry of the row.
        let ((alpha, alpha_sign), (leave, leave_sign)) = (M::PURCHASE, M::DROPOUT);
        let moves = || {
            let purchase = z.iter().map(move |entry| (alpha, alpha_sign * entry));
            let dropout = w.iter().map(move |entry| (leave, leave_sign * entry));
            (4..).zip(purchase.chain(dropout))
        };
        for (c, (moved, by)) in moves().filter(|(_, (_, by))| *by != 0.0) {
            self.gradient[c] += terms.gradient[moved] * by;
            for i in 0..4 {
                let mixed = terms.hessian[i][moved] * by;
                self.hessian[(i, c)] += mixed;
                self.hessian[(c, i)] += mixed;
            }
            for (d, (other, by_other)) in moves() {
                self.hessian[(c, d)] += terms.hessian[moved][other] * by * by_other;
            }
        }
    }

    fn plus(mut self, other: Sums) -> Sums {
        self.value += other.value;
        for (i, g) in other.gradient.iter().enumerate() {
            self.gradient[i] += g;
            for j in 0..other.gradient.len() {
                self.hessian[(i, j)] += other.hessian[(i, j)];
            }
        }
        self
    }
}
