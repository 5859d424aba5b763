//! The likelihood of BG/BB on distinct histories, with its first two derivatives, and the fit.
//!
//! A history's probability is a sum over the opportunities at which its customer may have left. Customers with the
//! same (x, n) share these terms, so the sum is built once per (x, n) from n downwards and read off at each t_x.

use super::{BgBb, Cell, Opportunities};
use crate::clv::beta_shape::Derivatives;
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{Fit, FitReport, LogLikelihood, Parametric, SetAside, Verdict};
use crate::clv::search::{self, Coordinate, Edge, Search};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::special::{digamma_delta, ln_gamma_delta, logistic, trigamma_delta};

/// (x, n) per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 64;

/// Four parameters need at least this many opportunities: with two there are four histories, whose probabilities sum
/// to 1.
const FEWEST_OPPORTUNITIES: u32 = 3;

/// BG/BB before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BgBbModel;

impl BgBbModel {
    /// Fits by maximum likelihood. Customers without an opportunity (n = 0) say nothing and are counted in the
    /// report. Deterministic, whatever the number of threads and the order of the customers.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`Verdict`].
    pub fn fit(&self, data: &Opportunities, progress: &dyn Progress) -> Result<Fit<BgBb>> {
        let usable = Usable::new(data);
        if let Some(verdict) = usable.nothing_to_fit(FEWEST_OPPORTUNITIES) {
            return Ok(usable.without_fit(BgBb::MODEL, verdict));
        }
        let likelihood = Likelihood::new(usable.cells);
        let [probability, sizes] = transaction_coordinates();
        let coordinates = [probability, sizes, dropout_coordinate(), dropout_sizes()];
        let search = Search {
            customers: usable.customers,
            patterns: usable.cells.len() as u64,
            starts: starts(usable.rate()),
            originals: Vec::new(),
            coordinates: &coordinates,
        };
        let like = BgBb { alpha: 1.0, beta: 1.0, gamma: 1.0, delta: 1.0 };
        let mut fit = search::fit(&like, search, |theta| likelihood.mean_loss(theta), progress)?;
        fit.report.set_aside = usable.set_aside();
        Ok(fit)
    }

    /// The likelihood at any parameters, over the customers whom the fit would use.
    pub fn likelihood<'a>(&self, data: &'a Opportunities) -> impl LogLikelihood + use<'a> {
        Likelihood::new(Usable::new(data).cells)
    }
}

impl LogLikelihood for Likelihood<'_> {
    fn customers(&self) -> f64 {
        self.customers
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        Likelihood::mean_loss(self, theta)
    }
}

/// The customers with an opportunity.
pub(super) struct Usable<'a> {
    pub cells: &'a [Cell],
    pub customers: u64,
    without_opportunity: u64,
}

impl<'a> Usable<'a> {
    pub(super) fn new(data: &'a Opportunities) -> Usable<'a> {
        // Cells are ordered by n.
        let (without, cells) = data.cells().split_at(data.cells().partition_point(|cell| cell.n == 0));
        let without_opportunity = without.iter().map(|cell| cell.customers).sum();
        Usable { cells, customers: data.customers() - without_opportunity, without_opportunity }
    }

    /// Transactions per opportunity.
    pub(super) fn rate(&self) -> f64 {
        let sum = |of: fn(&Cell) -> u32| -> f64 {
            self.cells.iter().map(|cell| f64::from(of(cell)) * cell.customers as f64).sum()
        };
        sum(|cell| cell.x) / sum(|cell| cell.n)
    }

    pub(super) fn set_aside(&self) -> Vec<SetAside> {
        let customers = self.without_opportunity;
        let reason = "no opportunity observed";
        (customers > 0).then_some(SetAside { reason, customers }).into_iter().collect()
    }

    pub(super) fn without_fit<P>(&self, model: &'static str, verdict: Verdict) -> Fit<P> {
        let mut report = FitReport::without_data(model, None, self.customers, verdict);
        report.patterns = self.cells.len() as u64;
        report.set_aside = self.set_aside();
        Fit { report, params: None, uncertainty: None }
    }

    pub(super) fn nothing_to_fit(&self, fewest: u32) -> Option<Verdict> {
        let boundary = |name, explanation: &str, advice| {
            Some(Verdict::Boundary { name, explanation: explanation.to_string(), advice, usable: false })
        };
        if self.customers == 0 {
            return if self.without_opportunity == 0 {
                let reason = "there is no customer".to_string();
                Some(Verdict::Failed { reason, advice: "give a history with customers" })
            } else {
                boundary(
                    "no opportunities observed",
                    "no opportunity had passed after any customer's first transaction",
                    "give a longer history, or shorter periods as opportunities",
                )
            };
        }
        if self.rate() == 0.0 {
            return boundary(
                "no repeat transactions",
                "nobody transacted again: the data cannot tell how customers leave or return",
                "give a longer history, or longer periods as opportunities",
            );
        }
        let most = self.cells.iter().filter(|cell| cell.customers > 0).map(|cell| cell.n).max().unwrap_or(0);
        if most < fewest {
            return Some(Verdict::Boundary {
                name: "too few opportunities",
                explanation: format!(
                    "no customer has more than {most}: fewer different histories than parameters, which need {fewest}"
                ),
                advice: "give a longer history, or shorter periods as opportunities",
                usable: false,
            });
        }
        None
    }
}

/// Where the search starts: four pictures of the same transactions, with more and more customers gone.
fn starts(rate: f64) -> Vec<Vec<f64>> {
    let logit = |p: f64| (p / (1.0 - p)).ln();
    // Those who left transacted more often while they were there: the probability while alive is above the mean one.
    let rate = logit(rate.clamp(1e-4, 0.99));
    vec![
        vec![rate + 0.5, 0.7, logit(0.1), 1.0],
        vec![rate, 0.0, logit(0.03), 2.0],
        vec![rate + 1.0, 1.5, logit(0.2), 1.5],
        vec![rate + 2.0, 1.0, logit(0.4), 0.5],
    ]
}

pub(super) const LARGE: f64 = 13.815_510_557_964_274; // ln 1e6
pub(super) const PRACTICALLY: f64 = 9.210_340_371_976_184; // ln 1e4

fn edge(at: f64, near: f64, name: &'static str, explanation: &'static str, advice: &'static str) -> Edge {
    Edge { at, near, name, explanation, advice, usable: true }
}

/// The ranges of the distribution of transaction probabilities.
pub(super) fn transaction_coordinates() -> [Coordinate; 2] {
    [
        Coordinate {
            name: "alpha/(alpha+beta)",
            low: edge(
                -16.0,
                -14.0,
                "practically no transactions",
                "alpha goes to 0: the probability of a transaction vanishes",
                "take longer periods as opportunities",
            ),
            high: edge(
                16.0,
                14.0,
                "a transaction at every opportunity",
                "beta goes to 0: whoever is alive transacts at every opportunity",
                "predictions hold; if every customer is like that, shorter periods tell more",
            ),
        },
        Coordinate {
            name: "alpha and beta",
            low: edge(
                -LARGE,
                -PRACTICALLY,
                "transactions all or nothing",
                "alpha and beta go to 0: each customer transacts at every opportunity or at none",
                "look at those who never transact apart from the others",
            ),
            high: edge(
                LARGE,
                PRACTICALLY,
                "homogeneous transaction probabilities",
                "alpha and beta grow without bound at a fixed ratio: all customers transact with the same probability",
                "predictions hold; differences between customers beyond chance are not detectable",
            ),
        },
    ]
}

fn dropout_coordinate() -> Coordinate {
    Coordinate {
        name: "gamma/(gamma+delta)",
        low: edge(
            -16.0,
            -14.0,
            "no dropout detectable",
            "gamma goes to 0: nobody seems to have left",
            "predictions are those of the beta-binomial; give a longer history to see customers leave",
        ),
        high: edge(
            16.0,
            14.0,
            "everybody leaves at once",
            "delta goes to 0: nobody seems to stay for the first opportunity",
            "check that the history is complete after each customer's first transaction",
        ),
    }
}

fn dropout_sizes() -> Coordinate {
    Coordinate {
        name: "gamma and delta",
        low: edge(
            -LARGE,
            -PRACTICALLY,
            "dropout all or nothing",
            "gamma and delta go to 0: each customer leaves before the first opportunity or never",
            "predictions hold; treat P(alive) with care",
        ),
        high: edge(
            LARGE,
            PRACTICALLY,
            "homogeneous dropout",
            "gamma and delta grow without bound at a fixed ratio: all customers leave with the same probability",
            "predictions hold; differences between customers beyond chance are not detectable",
        ),
    }
}

/// What the likelihood needs of the histories, arranged once.
pub(super) struct Likelihood<'a> {
    cells: &'a [Cell],
    customers: f64,
    /// Where the cells of each (x, n) begin, and the end.
    groups: Vec<usize>,
    most: u32,
}

/// ln Γ(a + k) − ln Γ(a) with its first two derivatives, for k = 0, 1, …
struct Table(Vec<[f64; 3]>);

impl Table {
    fn new(a: f64, most: u32) -> Table {
        Table(
            (0..=most)
                .map(|k| {
                    let k = f64::from(k);
                    [ln_gamma_delta(a, k), digamma_delta(a, k), trigamma_delta(a, k)]
                })
                .collect(),
        )
    }

    fn at(&self, k: u32) -> [f64; 3] {
        self.0[k as usize]
    }
}

struct Tables {
    alpha: Table,
    beta: Table,
    alpha_beta: Table,
    delta: Table,
    gamma_delta: Table,
    /// ln Γ(gamma + 1) − ln Γ(gamma) = ln gamma, with derivatives.
    gamma: [f64; 3],
}

/// A logarithm with its gradient and Hessian by (alpha, beta, gamma, delta).
#[derive(Clone, Copy, Default)]
struct Term {
    value: f64,
    gradient: [f64; 4],
    hessian: [[f64; 4]; 4],
}

impl Tables {
    fn new(params: &BgBb, most: u32) -> Tables {
        let BgBb { alpha, beta, gamma, delta } = *params;
        Tables {
            alpha: Table::new(alpha, most),
            beta: Table::new(beta, most),
            alpha_beta: Table::new(alpha + beta, most),
            delta: Table::new(delta, most),
            gamma_delta: Table::new(gamma + delta, most + 1),
            gamma: [gamma.ln(), 1.0 / gamma, -1.0 / (gamma * gamma)],
        }
    }

    /// x transactions at the opportunities 1 … k and alive there; `left`: gone at the next one.
    fn term(&self, x: u32, k: u32, left: bool) -> Term {
        let (a, b, ab) = (self.alpha.at(x), self.beta.at(k - x), self.alpha_beta.at(k));
        let (g, gd) = if left { (self.gamma, k + 1) } else { ([0.0; 3], k) };
        let (d, gd) = (self.delta.at(k), self.gamma_delta.at(gd));
        let mut hessian = [[0.0; 4]; 4];
        for (i, (one, both)) in [(a, ab), (b, ab), (g, gd), (d, gd)].into_iter().enumerate() {
            hessian[i][i] = one[2] - both[2];
            hessian[i][i ^ 1] = -both[2];
        }
        Term {
            value: a[0] + b[0] - ab[0] + g[0] + d[0] - gd[0],
            gradient: [a[1] - ab[1], b[1] - ab[1], g[1] - gd[1], d[1] - gd[1]],
            hessian,
        }
    }
}

impl Term {
    /// The logarithm of the sum of both exponentials. The Hessian of such a sum is the weighted mean of the Hessians
    /// and the weighted covariance of the gradients, which is updated without cancellation.
    fn add(&mut self, other: &Term) {
        let (share, rest) = (logistic(other.value - self.value), logistic(self.value - other.value));
        let mut away = [0.0; 4];
        for (i, away) in away.iter_mut().enumerate() {
            *away = other.gradient[i] - self.gradient[i];
        }
        for i in 0..4 {
            for j in 0..4 {
                self.hessian[i][j] = rest * self.hessian[i][j]
                    + share * other.hessian[i][j]
                    + share * rest * away[i] * away[j];
            }
            self.gradient[i] += share * away[i];
        }
        self.value = super::ln_sum(self.value, other.value);
    }

    fn add_scaled(&mut self, other: &Term, by: f64) {
        self.value += by * other.value;
        for i in 0..4 {
            self.gradient[i] += by * other.gradient[i];
            for j in 0..4 {
                self.hessian[i][j] += by * other.hessian[i][j];
            }
        }
    }
}

impl<'a> Likelihood<'a> {
    pub(super) fn new(cells: &'a [Cell]) -> Likelihood<'a> {
        let mut groups: Vec<usize> = (0..cells.len())
            .filter(|&i| i == 0 || (cells[i - 1].x, cells[i - 1].n) != (cells[i].x, cells[i].n))
            .collect();
        groups.push(cells.len());
        let customers = cells.iter().map(|cell| cell.customers as f64).sum();
        let most = cells.iter().map(|cell| cell.n).max().unwrap_or(0);
        Likelihood { cells, customers, groups, most }
    }

    /// Minus the mean log-likelihood of a customer, with derivatives by the scale-free parameters.
    pub(super) fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let like = BgBb { alpha: 1.0, beta: 1.0, gamma: 1.0, delta: 1.0 };
        let params = like.with_scale_free(theta);
        let tables = Tables::new(&params, self.most);
        let chunk = |range: std::ops::Range<usize>| {
            let mut sum = Term::default();
            for group in range {
                self.add_group(group, &tables, &mut sum);
            }
            sum
        };
        let plus = |mut a: Term, b: Term| {
            a.add_scaled(&b, 1.0);
            a
        };
        let sum = parallel::reduce_chunks(self.groups.len() - 1, CHUNK, chunk, plus).unwrap_or_default();
        let mut hessian = Matrix::zeros(4);
        for i in 0..4 {
            for j in 0..4 {
                hessian[(i, j)] = sum.hessian[i][j];
            }
        }
        let betas = [(0, params.alpha, params.beta), (2, params.gamma, params.delta)];
        Derivatives { value: sum.value, gradient: sum.gradient.to_vec(), hessian }
            .mean_loss(&betas, self.customers)
    }

    fn add_group(&self, group: usize, tables: &Tables, sum: &mut Term) {
        let cells = &self.cells[self.groups[group]..self.groups[group + 1]];
        let Cell { x, n, .. } = cells[0];
        let mut so_far = tables.term(x, n, false);
        let mut k = n;
        for cell in cells.iter().rev() {
            while k > cell.t_x {
                k -= 1;
                so_far.add(&tables.term(x, k, true));
            }
            sum.add_scaled(&so_far, cell.customers as f64);
        }
    }
}
