//! The likelihood of sBG and BdW, with its first two derivatives, and what the data can tell.
//!
//! Each customer up for renewal t renews with probability r(t): given how many renewed and how many left at each t, over
//! all cohorts, nothing else matters. Whoever is left when its cohort's data end has made its renewals so far and
//! counts no further, which is right censoring.

use super::cohorts::Cohorts;
use crate::clv::beta_shape::{self, Derivatives};
use crate::clv::dense::Matrix;
use crate::clv::discrete_survival::ln_survival;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{Fit, FitReport, LogLikelihood, SetAside, Verdict};
use crate::clv::search::{Coordinate, Edge};
use crate::special::{digamma_delta, trigamma, trigamma_delta};

/// What happened at one renewal.
struct Renewal {
    t: f64,
    kept: f64,
    lost: f64,
}

/// What the likelihood needs of the cohorts.
pub(super) struct Likelihood {
    renewals: Vec<Renewal>,
    customers: u64,
    unobserved: u64,
}

impl LogLikelihood for Likelihood {
    fn customers(&self) -> f64 {
        self.customers as f64
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        Likelihood::mean_loss(self, theta)
    }
}

/// t^c − (t − 1)^c for t ≥ 1, without cancellation.
pub(super) fn step_of_power(t: f64, c: f64) -> f64 {
    if t <= 1.0 { 1.0 } else { (t - 1.0).powf(c) * (-c * (-1.0 / t).ln_1p()).exp_m1() }
}

impl Likelihood {
    pub(super) fn new(cohorts: &Cohorts) -> Likelihood {
        let (mut customers, mut unobserved) = (0, 0);
        let longest = cohorts.cohorts().iter().map(|cohort| cohort.survivors().len()).max().unwrap_or(0);
        let mut counts = vec![(0u64, 0u64); longest];
        for cohort in cohorts.cohorts() {
            let survivors = cohort.survivors();
            *(if survivors.len() > 1 { &mut customers } else { &mut unobserved }) += survivors[0];
            for (t, pair) in (1..).zip(survivors.windows(2)) {
                let count: &mut (u64, u64) = &mut counts[t];
                *count = (count.0 + pair[1], count.1 + (pair[0] - pair[1]));
            }
        }
        let renewals = (counts.into_iter().enumerate())
            .filter(|(_, (kept, lost))| kept + lost > 0)
            .map(|(t, (kept, lost))| Renewal { t: t as f64, kept: kept as f64, lost: lost as f64 })
            .collect();
        Likelihood { renewals, customers, unobserved }
    }

    /// Customers with a renewal observed.
    pub(super) fn customers(&self) -> u64 {
        self.customers
    }

    /// Renewals at which somebody was up.
    pub(super) fn renewals(&self) -> u64 {
        self.renewals.len() as u64
    }

    pub(super) fn set_aside(&self) -> Vec<SetAside> {
        let reason = "no renewal observed";
        let customers = self.unobserved;
        (customers > 0).then_some(SetAside { reason, customers }).into_iter().collect()
    }

    pub(super) fn without_fit<P>(&self, model: &'static str, verdict: Verdict) -> Fit<P> {
        let mut report = FitReport::without_data(model, None, self.customers, verdict);
        report.patterns = self.renewals();
        report.set_aside = self.set_aside();
        Fit { report, params: None, uncertainty: None }
    }

    /// The logit of the share lost at the first renewal, moved a little inside.
    pub(super) fn first_loss(&self) -> f64 {
        let (kept, lost) = self.renewals.first().map_or((0.0, 0.0), |first| (first.kept, first.lost));
        ((lost + 0.5) / (kept + 0.5)).ln()
    }

    /// Why there is nothing to fit with `parameters` parameters, if so.
    pub(super) fn nothing_to_fit(&self, parameters: usize) -> Option<Verdict> {
        let boundary = |name, explanation: String, advice| {
            Some(Verdict::Boundary { name, explanation, advice, usable: false })
        };
        if self.customers == 0 {
            return if self.unobserved == 0 {
                let reason = "there is no customer".to_string();
                Some(Verdict::Failed { reason, advice: "give cohorts with customers" })
            } else {
                boundary(
                    "no renewals observed",
                    "every cohort has its period 0 only".to_string(),
                    "give the survivors of later periods",
                )
            };
        }
        if self.renewals.iter().all(|renewal| renewal.lost == 0.0) {
            return boundary(
                "nobody left",
                "every customer renewed every time: the data cannot tell how long customers stay".to_string(),
                "give a longer history or more customers",
            );
        }
        if self.renewals.iter().all(|renewal| renewal.kept == 0.0) {
            return boundary(
                "nobody renewed",
                "every customer left at the first renewal: the data cannot tell who would stay".to_string(),
                "check that period 0 holds the customers before their first renewal",
            );
        }
        if self.renewals.len() < parameters {
            let renewals = self.renewals.len();
            return boundary(
                "too few renewals",
                format!("{renewals} renewal(s) observed, fewer than the {parameters} parameters"),
                "give the survivors of later periods",
            );
        }
        None
    }

    /// Minus the mean log-likelihood of a customer, with derivatives by the scale-free parameters: (logit, ln size) for
    /// sBG, and ln c for BdW.
    pub(super) fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let (gamma, delta) = beta_shape::natural(&theta[..2]);
        let c = theta.get(2).map_or(1.0, |ln_c| ln_c.exp());
        let n = theta.len();
        let (mut value, mut gradient, mut hessian) = (0.0, vec![0.0; n], Matrix::zeros(n));
        for renewal in &self.renewals {
            let rate = LogRetention::new(gamma, delta, c, renewal.t);
            let (kept, lost) = (renewal.kept, renewal.lost);
            let losing = -rate.value.exp_m1();
            value += kept * rate.value;
            if lost > 0.0 {
                value += lost * losing.ln();
            }
            // Derivatives of kept·u + lost·ln(1 − e^u) by u.
            let odds = rate.value.exp() / losing;
            let (first, second) =
                if lost > 0.0 { (kept - lost * odds, -lost * odds / losing) } else { (kept, 0.0) };
            for i in 0..n {
                gradient[i] += first * rate.gradient[i];
                for j in 0..n {
                    hessian[(i, j)] +=
                        first * rate.hessian[i][j] + second * rate.gradient[i] * rate.gradient[j];
                }
            }
        }
        Derivatives { value, gradient, hessian }.mean_loss(&[(0, gamma, delta)], self.customers as f64)
    }
}

/// ln r(t) with derivatives by (gamma, delta, ln c).
struct LogRetention {
    value: f64,
    gradient: [f64; 3],
    hessian: [[f64; 3]; 3],
}

/// z = t^c and its first two derivatives by ln c.
fn power(t: f64, c: f64) -> [f64; 3] {
    if t == 0.0 {
        return [0.0; 3];
    }
    let log = c * t.ln();
    let z = log.exp();
    [z, z * log, z * log * (1.0 + log)]
}

impl LogRetention {
    /// ln r(t) = F(t^c) − F((t − 1)^c) with F(z) = ln B(gamma, delta + z).
    fn new(gamma: f64, delta: f64, c: f64, t: f64) -> LogRetention {
        let (before, after) = (power(t - 1.0, c), power(t, c));
        let (from, step) = (delta + before[0], step_of_power(t, c));
        let both = digamma_delta(gamma + from, step);
        let both_curved = trigamma_delta(gamma + from, step);
        // F′(z) = ψ(delta + z) − ψ(gamma + delta + z), and its derivatives by z (or delta) and by gamma.
        let by_z = |z: f64| {
            let at = delta + z;
            (-digamma_delta(at, gamma), -trigamma_delta(at, gamma), -trigamma(gamma + at))
        };
        let (slope0, curve0, cross0) = by_z(before[0]);
        let (slope1, curve1, cross1) = by_z(after[0]);
        let gamma_age = cross1 * after[1] - cross0 * before[1];
        let delta_age = curve1 * after[1] - curve0 * before[1];
        let age = slope1 * after[1] - slope0 * before[1];
        let age_age = curve1 * after[1] * after[1] + slope1 * after[2]
            - (curve0 * before[1] * before[1] + slope0 * before[2]);
        LogRetention {
            value: ln_survival(gamma, from, step),
            gradient: [-both, digamma_delta(from, step) - both, age],
            hessian: [
                [-both_curved, -both_curved, gamma_age],
                [-both_curved, trigamma_delta(from, step) - both_curved, delta_age],
                [gamma_age, delta_age, age_age],
            ],
        }
    }
}

fn edge(at: f64, near: f64, name: &'static str, explanation: &'static str, advice: &'static str) -> Edge {
    Edge { at, near, name, explanation, advice, usable: true }
}

/// The ranges of the distribution of the probability of leaving.
pub(super) fn beta_coordinates() -> [Coordinate; 2] {
    let (large, practically) = (1e6f64.ln(), 1e4f64.ln());
    [
        Coordinate {
            name: "gamma/(gamma+delta)",
            low: edge(
                -16.0,
                -14.0,
                "practically no losses",
                "gamma goes to 0: hardly anybody leaves at the first renewal",
                "give a longer history or more customers",
            ),
            high: edge(
                16.0,
                14.0,
                "practically all lost at the first renewal",
                "delta goes to 0: hardly anybody renews once",
                "check that period 0 holds the customers before their first renewal",
            ),
        },
        Coordinate {
            name: "gamma and delta",
            low: edge(
                -large,
                -practically,
                "losses all or nothing",
                "gamma and delta go to 0: customers leave at the first renewal or never",
                "do not project beyond the periods observed: that nobody leaves later is an extrapolation",
            ),
            high: edge(
                large,
                practically,
                "homogeneous losses",
                "gamma and delta grow without bound at a fixed ratio: all customers leave with the same probability",
                "predictions hold; differences between customers beyond chance are not detectable",
            ),
        },
    ]
}

/// The range of ln c.
pub(super) fn age_coordinate() -> Coordinate {
    Coordinate {
        name: "c",
        low: edge(
            -5.0,
            -4.5,
            "losses at the first renewal only",
            "c goes to 0: whoever renews once stays",
            "do not project beyond the periods observed: that nobody leaves later is an extrapolation",
        ),
        high: edge(
            3.0,
            2.8,
            "lifetimes of a fixed length",
            "c grows without bound: each customer leaves at an age of its own, almost for certain",
            "look for contracts that end by themselves",
        ),
    }
}
