//! The likelihood of Gamma-Gamma with its first two derivatives, and the fit.

use super::{GammaGamma, ln_inverse_beta, ln_one_plus};
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{Fit, FitReport, LogLikelihood, Parametric, SetAside, Verdict};
use crate::clv::search::{self, Coordinate, Edge, Search};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::special::{digamma_delta, trigamma, trigamma_delta};

/// Customers per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 8192;

/// A correlation between frequency and spend smaller than this is not worth a warning, however certain it is.
const WORTH_A_WARNING: f64 = 0.1;

/// The normal quantile of a 95 % interval.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// Why the fit sets customers aside whose orders are worth nothing or less: the model knows positive values only.
pub const NO_VALUE: &str = "mean repeat spend not above 0";

/// Gamma-Gamma before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GammaGammaModel;

impl GammaGammaModel {
    /// Fits by maximum likelihood to the customers with repeat purchases (`frequency` > 0) of a positive mean value
    /// (`monetary_value`); the others are counted in the report. Deterministic, whatever the number of threads and
    /// the order of the customers.
    ///
    /// # Errors
    /// Slices of different lengths, a value that is not finite, and [`Error::Interrupted`]: data that cannot be
    /// fitted end in a [`Verdict`].
    pub fn fit(
        &self,
        frequency: &[u32],
        monetary_value: &[f64],
        progress: &dyn Progress,
    ) -> Result<Fit<GammaGamma>> {
        check(frequency, monetary_value)?;
        let repeaters = frequency.iter().filter(|&&x| x > 0).count();
        let orders = used(frequency, monetary_value);
        let set_aside =
            [("no repeat purchase", frequency.len() - repeaters), (NO_VALUE, repeaters - orders.len())];
        let set_aside: Vec<SetAside> = (set_aside.into_iter().filter(|(_, customers)| *customers > 0))
            .map(|(reason, customers)| SetAside { reason, customers: customers as u64 })
            .collect();
        if orders.is_empty() {
            let verdict = Verdict::Boundary {
                name: "no repeat spend",
                explanation: "no customer has a repeat purchase with a positive value".to_string(),
                advice: "give a longer history, or a column with the amounts",
                usable: false,
            };
            let report =
                FitReport { set_aside, ..FitReport::without_data(GammaGamma::MODEL, None, 0, verdict) };
            return Ok(Fit { report, params: None, uncertainty: None });
        }
        let likelihood = Likelihood::new(orders);
        let mean = (likelihood.spent / likelihood.orders).ln();
        let coordinates = coordinates(mean);
        let search = Search {
            customers: likelihood.data.len() as u64,
            patterns: likelihood.distinct(),
            // ln(p·gamma/q) is the mean's logarithm but for q/(q − 1).
            starts: [(6.0f64, 4.0f64), (1.5, 2.5), (20.0, 8.0), (3.0, 1.5)]
                .map(|(p, q)| vec![mean + ((q - 1.0) / q).ln(), p.ln(), q.ln()])
                .to_vec(),
            originals: Vec::new(),
            coordinates: &coordinates,
        };
        let like = GammaGamma { p: 1.0, q: 1.0, gamma: 1.0 };
        let mut fit = search::fit(&like, search, |theta| likelihood.mean_loss(theta), progress)?;
        fit.report.set_aside = set_aside;
        judge_tail(&mut fit);
        if let Some(warning) =
            frequency_spend_correlation(frequency, monetary_value).and_then(|c| c.warning())
        {
            fit.report.warnings.push(warning);
        }
        Ok(fit)
    }

    /// The likelihood at any parameters, over the customers whom [`GammaGammaModel::fit`] would use.
    ///
    /// # Errors
    /// As the fit's.
    pub fn likelihood(
        &self,
        frequency: &[u32],
        monetary_value: &[f64],
    ) -> Result<impl LogLikelihood + use<>> {
        check(frequency, monetary_value)?;
        Ok(Likelihood::new(used(frequency, monetary_value)))
    }
}

/// The customers with repeat purchases of positive mean value, in an order that does not depend on theirs.
fn used(frequency: &[u32], monetary_value: &[f64]) -> Vec<(u32, f64)> {
    let mut orders: Vec<(u32, f64)> = (frequency.iter().zip(monetary_value))
        .filter(|&(&x, &mean)| x > 0 && mean > 0.0)
        .map(|(&x, &mean)| (x, mean))
        .collect();
    // Positive numbers order as their bits; equal customers cannot be told apart, so the order is the only one.
    parallel::sort_by_key(&mut orders, |&(x, mean)| (x, mean.to_bits()));
    orders
}

impl LogLikelihood for Likelihood {
    fn customers(&self) -> f64 {
        self.data.len() as f64
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        Likelihood::mean_loss(self, theta)
    }
}

fn check(frequency: &[u32], monetary_value: &[f64]) -> Result<()> {
    let remedy = "give one frequency and one finite mean spend per customer";
    if frequency.len() != monetary_value.len() {
        let lengths = format!("{} and {}", frequency.len(), monetary_value.len());
        let problem = "frequency and spend must have one entry per customer";
        return Err(Error::value("the statistics' lengths", lengths, problem, remedy));
    }
    match monetary_value.iter().find(|mean| !mean.is_finite()) {
        Some(&mean) => Err(Error::value("a mean spend", mean, "it is not a finite number", remedy)),
        None => Ok(()),
    }
}

/// Without a mean (q ≤ 1) there is nothing to expect; without a variance (q ≤ 2) there is, with a warning.
fn judge_tail(fit: &mut Fit<GammaGamma>) {
    let Some(params) = fit.params else { return };
    if params.q <= 1.0 {
        fit.report.verdict = Verdict::Boundary {
            name: "infinite mean spend",
            explanation: format!(
                "q = {:.3} is not above 1: the mean spend over customers is infinite",
                params.q
            ),
            advice: "look for a few extreme amounts, and use past spend instead of this model",
            usable: false,
        };
        fit.params = None;
        fit.uncertainty = None;
    } else if params.q <= 2.0 {
        fit.report.warnings.push(format!(
            "Gamma-Gamma: q = {:.3} is not above 2, so the variance of spend over customers is infinite; expected \
             spend of customers with few orders depends on the largest spenders",
            params.q
        ));
    }
}

fn coordinates(mean: f64) -> [Coordinate; 3] {
    let edge = |at: f64, near: f64, name, explanation, advice, usable| Edge {
        at,
        near,
        name,
        explanation,
        advice,
        usable,
    };
    let level = |at: f64| {
        edge(
            at,
            at,
            "a spend without bound",
            "the likelihood grows as the mean spend leaves every plausible range",
            "check the amounts of the history",
            false,
        )
    };
    let large = 1e6f64.ln();
    let practically = 1e4f64.ln();
    [
        Coordinate { name: "the mean spend", low: level(mean - 25.0), high: level(mean + 25.0) },
        Coordinate {
            name: "p",
            low: edge(
                -large,
                -practically,
                "orders beyond a gamma distribution",
                "p goes to 0: a customer's orders vary without bound",
                "look for a few extreme amounts",
                false,
            ),
            high: edge(
                large,
                practically,
                "constant spend within customers",
                "p grows without bound: the means of few customers leave no room for orders of different value",
                "expectations hold (they are each customer's own mean); futures vary too little, as every order of a \
                 customer is worth the same in them",
                true,
            ),
        },
        Coordinate {
            name: "q",
            low: edge(
                -large,
                -practically,
                "infinite mean spend",
                "q goes to 0: spend over customers has no mean",
                "look for a few extreme amounts, and use past spend instead of this model",
                false,
            ),
            high: edge(
                large,
                practically,
                "homogeneous spend",
                "q and gamma grow without bound at a fixed ratio: customers do not differ in what they spend",
                "predictions hold: they are the mean of all orders",
                true,
            ),
        },
    ]
}

/// The repeat purchases of the customers, arranged once.
pub(super) struct Likelihood {
    /// (x, x·mean), ordered.
    data: Vec<(f64, f64)>,
    /// The distinct x and the customers with each.
    counts: Vec<(f64, f64)>,
    /// Σ x.
    orders: f64,
    /// Σ x·mean.
    spent: f64,
    /// Σ ln mean.
    log_mean: f64,
}

/// Sums over customers with z = x·mean: of ln(1 + z/gamma) and its first two derivatives by gamma; of x·ln(1 + gamma/z),
/// x/(gamma + z) and x/(gamma + z)², which are what x·ln z and x·ln(gamma + z) leave of each other. Taken apart those two
/// lose every digit of a customer with millions of orders.
#[derive(Default, Clone, Copy)]
struct Sums([f64; 6]);

impl Likelihood {
    pub(super) fn new(orders: Vec<(u32, f64)>) -> Likelihood {
        let mut out = Likelihood {
            data: Vec::with_capacity(orders.len()),
            counts: Vec::new(),
            orders: 0.0,
            spent: 0.0,
            log_mean: 0.0,
        };
        for (x, mean) in orders {
            let x = f64::from(x);
            let spent = x * mean;
            out.orders += x;
            out.spent += spent;
            out.log_mean += mean.ln();
            match out.counts.last_mut() {
                Some(last) if last.0 == x => last.1 += 1.0,
                _ => out.counts.push((x, 1.0)),
            }
            out.data.push((x, spent));
        }
        out
    }

    fn distinct(&self) -> u64 {
        let changes = self.data.windows(2).filter(|w| w[0] != w[1]).count();
        changes as u64 + 1
    }

    /// Minus the mean log-likelihood of a customer, with derivatives by the scale-free parameters.
    pub(super) fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let params = GammaGamma { p: 1.0, q: 1.0, gamma: 1.0 }.with_scale_free(theta);
        let (value, gradient, hessian) = self.natural(&params);
        let jacobian = params.jacobian();
        let n = self.data.len() as f64;
        let mut h = hessian.congruent(&jacobian);
        // Second derivatives of the natural parameters by the scale-free ones, times the gradient.
        h[(1, 1)] += gradient[0] * params.p;
        h[(2, 2)] += gradient[1] * params.q;
        let signs = [1.0, -1.0, 1.0];
        let mut out = vec![0.0; 3];
        for j in 0..3 {
            out[j] = (0..3).map(|i| gradient[i] * jacobian[(i, j)]).sum::<f64>() / -n;
            for i in 0..3 {
                h[(i, j)] = (h[(i, j)] + gradient[2] * params.gamma * signs[i] * signs[j]) / -n;
            }
        }
        Evaluation { value: -value / n, gradient: out, hessian: h }
    }

    /// The log-likelihood with gradient and Hessian by (p, q, gamma).
    fn natural(&self, params: &GammaGamma) -> (f64, [f64; 3], Matrix) {
        let GammaGamma { p, q, gamma } = *params;
        let Sums([log, first, second, x_log, x_first, x_second]) = self.sums(gamma);
        let mut value = -self.log_mean - (p * x_log + q * log);
        let mut g = [-x_log, -log, -(p * x_first + q * first)];
        let mut h = Matrix::zeros(3);
        h[(0, 2)] = -x_first;
        h[(1, 2)] = -first;
        h[(2, 2)] = p * x_second - q * second;
        for &(x, n) in &self.counts {
            let px = p * x;
            value += n * ln_inverse_beta(px, q);
            g[0] += n * x * digamma_delta(px, q);
            g[1] += n * digamma_delta(q, px);
            h[(0, 0)] += n * x * x * trigamma_delta(px, q);
            h[(0, 1)] += n * x * trigamma(px + q);
            h[(1, 1)] += n * trigamma_delta(q, px);
        }
        for i in 0..3 {
            for j in 0..i {
                h[(i, j)] = h[(j, i)];
            }
        }
        (value, g, h)
    }

    fn sums(&self, gamma: f64) -> Sums {
        let chunk = |range: std::ops::Range<usize>| {
            let mut sums = [0.0; 6];
            for &(x, spent) in &self.data[range] {
                let log = (spent / gamma).ln_1p();
                let inverse = 1.0 / (gamma + spent);
                let first = -spent / gamma * inverse;
                let second = -first * (1.0 / gamma + inverse);
                let rest = ln_one_plus(gamma, spent);
                let terms = [log, first, second, x * rest, x * inverse, x * inverse * inverse];
                for (sum, term) in sums.iter_mut().zip(terms) {
                    *sum += term;
                }
            }
            Sums(sums)
        };
        let add = |mut a: Sums, b: Sums| {
            a.0.iter_mut().zip(b.0).for_each(|(a, b)| *a += b);
            a
        };
        parallel::reduce_chunks(self.data.len(), CHUNK, chunk, add).unwrap_or_default()
    }
}

/// The correlation between frequency and mean repeat spend, which Gamma-Gamma takes to be 0.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correlation {
    /// Pearson's correlation.
    pub value: f64,
    /// Lower end of its 95 % interval (Fisher's transformation).
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Customers with a repeat purchase of positive mean value.
    pub customers: u64,
}

impl Correlation {
    /// A warning when the correlation is away from 0 by more than chance and large enough to matter.
    pub fn warning(&self) -> Option<String> {
        let certain = self.lower > 0.0 || self.upper < 0.0;
        (certain && self.value.abs() >= WORTH_A_WARNING).then(|| {
            format!(
                "Gamma-Gamma assumes that spend does not depend on frequency, but among the {} customers with such orders \
                 their correlation is {:.3} (95 % interval {:.3} to {:.3}): values of frequent customers are {} \
                 by the model",
                self.customers,
                self.value,
                self.lower,
                self.upper,
                if self.value > 0.0 { "understated" } else { "overstated" }
            )
        })
    }
}

/// The correlation between `frequency` and `monetary_value` over customers with repeat purchases of a positive mean
/// value; none with fewer than four of them, or when one of the two does not vary.
pub fn frequency_spend_correlation(frequency: &[u32], monetary_value: &[f64]) -> Option<Correlation> {
    let pairs = || {
        (frequency.iter().zip(monetary_value))
            .filter(|&(&x, &mean)| x > 0 && mean > 0.0)
            .map(|(&x, &mean)| (f64::from(x), mean))
    };
    let (n, x_sum, m_sum) = pairs().fold((0.0, 0.0, 0.0), |(n, a, b), (x, m)| (n + 1.0, a + x, b + m));
    if n < 4.0 {
        return None;
    }
    let (mut xx, mut xm, mut mm) = (0.0, 0.0, 0.0);
    for (x, m) in pairs() {
        let (dx, dm) = (x - x_sum / n, m - m_sum / n);
        xx += dx * dx;
        xm += dx * dm;
        mm += dm * dm;
    }
    let scale = (xx * mm).sqrt();
    if scale <= 0.0 {
        return None;
    }
    let value = (xm / scale).clamp(-1.0, 1.0);
    let half = NORMAL_95 / (n - 3.0).sqrt();
    let z = value.atanh();
    Some(Correlation { value, lower: (z - half).tanh(), upper: (z + half).tanh(), customers: n as u64 })
}
