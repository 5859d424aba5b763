//! Draws against known distributions, an independent implementation of the smoothing, and a Markov chain (NUTS).

use super::sample::Sample;
use super::smoothing::{fit_generalised_pareto, smooth};
use super::*;
use crate::calendar::Unit;
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{Fit, FitReport, LogLikelihood, Parametric, Verdict};
use crate::clv::test_data::sample;
use crate::clv::{BgNbdModel, GammaGammaModel, ParetoNbdModel, Patterns};
use crate::parallel::{self, with_threads};
use crate::special::{digamma, trigamma};

#[path = "nuts.rs"]
mod nuts;

#[track_caller]
fn close(what: impl std::fmt::Display, got: f64, want: f64, tolerance: f64) {
    assert!((got / want - 1.0).abs() <= tolerance, "{what}: {got:e} for {want:e}");
}

/// ln weights i = 0, 1, … 999 and what ArviZ 0.23.4 (`psislw`) makes of them: k̂, effective size, weights 0 and 17.
#[test]
fn smoothing_as_arviz_does_it() {
    let ranks = |i: u32| (f64::from((i * 7919) % 1000) + 0.5) / 1000.0;
    type Case = (fn(f64, f64) -> f64, [f64; 4]);
    let cases: [Case; 3] = [
        (
            |_, u| -0.6 * u.ln(),
            [0.5838651961254637, 260.51438574150535, 0.037442668941811995, 0.0005478056189947805],
        ),
        (
            |i, _| 2.0 * i.sin() + (3.7 * i).cos(),
            [-0.5416621652951165, 320.209375478787, 0.0009349357477955198, 0.00013636862825123152],
        ),
        (
            |i, u| -1.2 * u.ln() + 0.3 * i.sin(),
            [1.0378339131842205, 10.42178602619149, 0.2827323032295782, 7.410407631561977e-5],
        ),
    ];
    for (ln_weight, want) in cases {
        let ln_weights: Vec<f64> = (0..1000).map(|i| ln_weight(f64::from(i), ranks(i)) + 1000.0).collect();
        let got = smooth(&ln_weights);
        close("k", got.k_hat, want[0], 1e-9);
        close("effective", got.effective, want[1], 1e-9);
        close("first", got.normalised[0], want[2], 1e-9);
        close("eighteenth", got.normalised[17], want[3], 1e-9);
        close("sum", got.normalised.iter().sum(), 1.0, 1e-12);
    }
}

/// Zhang and Stephens' estimate as ArviZ 0.23.4 (`_gpdfit`) gives it.
#[test]
fn generalised_pareto_as_arviz_fits_it() {
    let exponential: Vec<f64> = (1..=200).map(|i| -(-(f64::from(i) - 0.5) / 200.0).ln_1p()).collect();
    let (k, sigma) = fit_generalised_pareto(&exponential);
    close("k", k, 0.03437334540487299, 1e-9);
    close("sigma", sigma, 0.9874132580566842, 1e-9);
    let pareto: Vec<f64> =
        (1..=100).map(|i| ((1.0 - (f64::from(i) - 0.5) / 100.0).powf(-0.4) - 1.0) / 0.4 * 2.0).collect();
    let (k, sigma) = fit_generalised_pareto(&pareto);
    close("k", k, 0.41673979113119, 1e-9);
    close("sigma", sigma, 1.9738380832825015, 1e-9);
}

#[test]
fn weights_without_a_tail_or_without_a_number() {
    let none = smooth(&[f64::NEG_INFINITY; 500]);
    assert_eq!((none.k_hat, none.effective), (f64::INFINITY, 0.0));
    assert!(none.normalised.iter().all(|w| *w == 1.0 / 500.0));
    let same = smooth(&[3.0; 100]);
    assert_eq!((same.k_hat, same.effective.round()), (0.0, 100.0));
    let mut some = vec![f64::NAN; 100];
    some[7] = 1.0;
    some[8] = f64::NEG_INFINITY;
    let one = smooth(&some);
    assert!(one.k_hat.is_infinite() && one.normalised[7] == 1.0 && one.effective == 1.0);
}

/// Two positive numbers, with a likelihood given as a formula.
#[derive(Debug, Clone, Copy)]
struct Pair(f64, f64);

impl Parametric for Pair {
    const MODEL: &'static str = "pair";
    const NAMES: &'static [&'static str] = &["u", "v"];

    fn unit(&self) -> Option<Unit> {
        Some(Unit::Day)
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.0, self.1]
    }

    fn scale_free(&self) -> Vec<f64> {
        vec![self.0.ln(), self.1.ln()]
    }

    fn with_scale_free(&self, theta: &[f64]) -> Pair {
        Pair(theta[0].exp(), theta[1].exp())
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(2);
        (out[(0, 0)], out[(1, 1)]) = (self.0, self.1);
        out
    }
}

/// Minus the log-likelihood of one coordinate with two derivatives.
type Coordinate = fn(f64) -> [f64; 3];

struct Formula([Coordinate; 2]);

impl LogLikelihood for Formula {
    fn customers(&self) -> f64 {
        1.0
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let [a, b] = [self.0[0](theta[0]), self.0[1](theta[1])];
        let mut hessian = Matrix::zeros(2);
        (hessian[(0, 0)], hessian[(1, 1)]) = (a[2], b[2]);
        Evaluation { value: a[0] + b[0], gradient: vec![a[1], b[1]], hessian }
    }
}

/// A fit to `formula` whose maximum is at `theta`.
fn fit(formula: &Formula, theta: [f64; 2]) -> Fit<Pair> {
    let centre = Pair(1.0, 1.0).with_scale_free(&theta);
    let information = formula.mean_loss(&theta).hessian;
    Fit {
        report: FitReport::without_data(Pair::MODEL, None, 1, Verdict::VerifiedOptimum),
        params: Some(centre),
        uncertainty: Some(Uncertainty::new(centre, &information, &[false; 2])),
    }
}

/// The logarithm of a Gamma(2): skewed, mean ψ(2), variance ψ′(2).
fn ln_gamma_two(theta: f64) -> [f64; 3] {
    [theta.exp() - 2.0 * theta, theta.exp() - 2.0, theta.exp()]
}

/// The logarithm of a Gamma(0.5), the other way round.
fn minus_ln_gamma_half(theta: f64) -> [f64; 3] {
    let e = (-theta).exp();
    [e + 0.5 * theta, 0.5 - e, e]
}

fn options(prior: Prior, draws: u32) -> PosteriorOptions {
    PosteriorOptions { prior, draws, seed: 4 }
}

fn draw(formula: &Formula, theta: [f64; 2], options: &PosteriorOptions) -> Posterior<Pair> {
    fit(formula, theta).posterior(formula, options, &()).unwrap().unwrap()
}

#[test]
fn skewed_distributions_are_met() {
    let formula = Formula([ln_gamma_two, minus_ln_gamma_half]);
    let posterior = draw(&formula, [2f64.ln(), 2f64.ln()], &options(Prior::Flat, 10_000));
    let report = &posterior.report;
    assert_eq!(report.trust, Trust::Good, "{report:?}");
    assert!(report.effective >= 10_000.0 && report.fixed == 0 && report.warnings().is_empty());
    let want = [(digamma(2.0), trigamma(2.0).sqrt()), (-digamma(0.5), trigamma(0.5).sqrt())];
    for (i, (mean, sd)) in want.into_iter().enumerate() {
        let (got_mean, got_sd) = report.scale_free[i];
        assert!((got_mean - mean).abs() < 0.04 * sd, "{i}: {got_mean} for {mean}");
        close(i, got_sd, sd, 0.04);
        // What was resampled says the same.
        let drawn: Vec<f64> = posterior.draws.iter().map(|d| d.scale_free()[i]).collect();
        let n = drawn.len() as f64;
        let drawn_mean = drawn.iter().sum::<f64>() / n;
        assert!((drawn_mean - mean).abs() < 0.04 * sd);
        close(i, (drawn.iter().map(|d| (d - drawn_mean).powi(2)).sum::<f64>() / n).sqrt(), sd, 0.04);
    }
    // Gamma(2) has its quantiles at .2422093 and 5.571643 (scipy), the median at 1.678347.
    let u = &report.parameters[0];
    close("lower", u.lower, 0.2422093, 0.1);
    close("median", u.median, 1.678347, 0.03);
    close("upper", u.upper, 5.571643, 0.03);
}

/// −ln(e^(−(θ − 8)²/2) + .8·e^(−(θ + 8)²/2)): two maxima, of which proposals around one never see the other.
fn two_hills(theta: f64) -> [f64; 3] {
    let (right, left) = (-0.5 * (theta - 8.0).powi(2), 0.8f64.ln() - 0.5 * (theta + 8.0).powi(2));
    let top = right.max(left);
    let [p, q] = [right, left].map(|ln| (ln - top).exp());
    let share = q / (p + q);
    let gradient = theta - 8.0 + 16.0 * share;
    [-(top + (p + q).ln()), gradient, 1.0 - 256.0 * share * (1.0 - share)]
}

#[test]
fn a_second_maximum_takes_the_trust_away() {
    let formula = Formula([two_hills, ln_gamma_two]);
    let at = |theta: f64| [theta, 2f64.ln()];
    let beside = |rivals: Vec<Vec<f64>>| {
        let mut fit = fit(&formula, at(8.0));
        fit.uncertainty = fit.uncertainty.map(|found| found.beside(rivals));
        fit.posterior(&formula, &options(Prior::Flat, 500), &()).unwrap().unwrap().report
    };
    // The weights alone say that all is well.
    assert_eq!(beside(Vec::new()).trust, Trust::Good);
    // An end of a search that is only slightly off the same maximum is no other one.
    assert_eq!((beside(vec![vec![8.5, 0.6]]).rivals, beside(vec![vec![8.5, 0.6]]).trust), (0, Trust::Good));
    let report = beside(vec![vec![-7.0, 0.6], vec![-8.0, 0.7]]);
    assert_eq!((report.rivals, report.trust), (1, Trust::Poor));
    assert!(report.sentence().contains("another maximum far from the draws"), "{}", report.sentence());
    assert_eq!(report.warnings(), [report.sentence()]);
}

#[test]
fn draws_do_not_depend_on_threads_and_do_on_the_seed() {
    let formula = Formula([ln_gamma_two, minus_ln_gamma_half]);
    let with = |threads, seed| {
        let options = PosteriorOptions { prior: Prior::Flat, draws: 50, seed };
        let posterior = with_threads(threads, || draw(&formula, [2f64.ln(); 2], &options)).unwrap();
        posterior.draws.iter().map(|d| (d.0.to_bits(), d.1.to_bits())).collect::<Vec<_>>()
    };
    assert_eq!(with(1, 1), with(3, 1));
    assert_ne!(with(1, 1), with(1, 2));
}

/// A direction without information stays fixed under the flat prior, and follows the weak one.
#[test]
fn what_the_data_do_not_determine() {
    let formula = Formula([ln_gamma_two, |_| [0.0; 3]]);
    let flat = draw(&formula, [2f64.ln(), 1.5], &options(Prior::Flat, 1000));
    assert_eq!(flat.report.fixed, 1);
    assert!(flat.report.warnings()[0].contains("1 of 2 directions"), "{:?}", flat.report.warnings());
    assert!(flat.draws.iter().all(|d| (d.1.ln() - 1.5).abs() < 1e-12));
    assert!(flat.report.scale_free[1].1 < 1e-12);
    let weak = draw(&formula, [2f64.ln(), 1.5], &options(Prior::Weak, 4000));
    assert_eq!((weak.report.fixed, weak.report.trust), (0, Trust::Good));
    let (mean, sd) = weak.report.scale_free[1];
    assert!(mean.abs() < 0.15, "{mean}");
    close("sd of the prior", sd, 2.5, 0.04);
}

/// Normal likelihood × normal prior: the centre and spread are known.
#[test]
fn the_weak_prior_is_the_one_that_is_stated() {
    let formula = Formula([|t| [0.5 * t * t, t, 1.0], |t| [2.0 * (t - 3.0).powi(2), 4.0 * (t - 3.0), 4.0]]);
    let report = draw(&formula, [0.0, 3.0], &options(Prior::Weak, 10_000)).report;
    // A rate: one per 182.625 days, sd 3. A shape: 0, sd 2.5.
    let centre = -(182.625f64.ln());
    for (i, (data, precision, centre, sd)) in
        [(0.0, 1.0, centre, 3.0), (3.0, 4.0, 0.0, 2.5)].into_iter().enumerate()
    {
        let total: f64 = precision + 1.0 / (sd * sd);
        let mean = (data * precision + centre / (sd * sd)) / total;
        let (got_mean, got_sd) = report.scale_free[i];
        assert!((got_mean - mean).abs() < 0.03 / total.sqrt(), "{i}: {got_mean} for {mean}");
        close(i, got_sd, 1.0 / total.sqrt(), 0.03);
    }
}

/// What no proposal can cover is not sold as known.
#[test]
fn what_cannot_be_covered_is_not_trusted() {
    // A spike |θ − 1|^−0.9, whose weights have a tail of shape 0.9 under any smooth proposal.
    let spike: Coordinate = |t| [0.9 * (t - 1.0).abs().ln() + 0.5 * t * t, 0.0, 1.0];
    let report = draw(&Formula([spike, ln_gamma_two]), [0.0, 2f64.ln()], &options(Prior::Flat, 1000)).report;
    assert_eq!(report.trust, Trust::Poor, "{report:?}");
    assert!(report.sentence().contains("do not trust") && report.sentence().contains("--prior weak"));
    assert_eq!(report.warnings(), [report.sentence()]);
    // What is stored is read back to the last bit, none of it being beyond all numbers.
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<PosteriorReport>(&text).unwrap(), report);
}

/// A spike |θ − 1|^−c gives weights with a tail of shape c: whether they are trusted does not depend on how many draws are
/// asked for, though few proposals would suffice for few draws.
#[test]
fn trust_does_not_depend_on_the_number_of_draws() {
    let spikes: [(Coordinate, bool); 3] = [
        (|t| [0.3 * (t - 1.0).abs().ln() + 0.5 * t * t, 0.0, 1.0], true),
        (|t| [0.62 * (t - 1.0).abs().ln() + 0.5 * t * t, 0.0, 1.0], true),
        (|t| [1.2 * (t - 1.0).abs().ln() + 0.5 * t * t, 0.0, 1.0], false),
    ];
    for (i, (spike, trusted)) in spikes.into_iter().enumerate() {
        for draws in [10, 100, 400, 2000] {
            let formula = Formula([spike, ln_gamma_two]);
            let report = draw(&formula, [0.0, 2f64.ln()], &options(Prior::Flat, draws)).report;
            assert_eq!(report.trust != Trust::Poor, trusted, "{i}, {draws} draws: {report:?}");
        }
    }
}

/// Among samples that are not to be trusted, one without a k̂ gives way to one with any.
#[test]
fn a_sample_without_a_tail_shape_is_no_better_than_others() {
    let sample = |k_hat: f64| Sample {
        points: vec![vec![0.0]; 3000],
        weights: smoothing::Weights { normalised: vec![1.0 / 3000.0; 3000], k_hat, effective: 500.0 },
    };
    assert!(
        sample(0.9).is_better_than(&sample(f64::NAN)) && sample(0.9).is_better_than(&sample(f64::INFINITY))
    );
    assert!(
        !sample(f64::NAN).is_better_than(&sample(0.9)) && !sample(f64::NAN).is_better_than(&sample(f64::NAN))
    );
    // Good draws that are few for what is asked want more proposals; other ones only if they are worth little.
    assert!(!sample(0.1).wants_better() && sample(0.6).wants_better() && sample(f64::NAN).wants_better());
    let mut thin = sample(0.1);
    thin.weights.effective = 300.0;
    assert!(thin.wants_better());
}

/// How long both run, and how far they may differ: means in standard deviations, standard deviations relatively.
struct Trial {
    draws: u32,
    chains: u64,
    of_chain: u64,
    means: f64,
    sds: f64,
}

/// Means within a tenth of a standard deviation, standard deviations within 10 %.
const TRIAL: Trial = Trial { draws: 4000, chains: 4, of_chain: 1000, means: 0.1, sds: 0.1 };

/// Importance sampling and NUTS on the same likelihood.
#[track_caller]
fn agrees_with_nuts<P: Parametric>(fit: &Fit<P>, likelihood: &impl LogLikelihood, trial: &Trial) {
    let posterior = fit.posterior(likelihood, &options(Prior::Flat, trial.draws), &()).unwrap().unwrap();
    assert_ne!(posterior.report.trust, Trust::Poor, "{:?}", posterior.report);
    let prior = Prior::Flat.normal(fit.params.as_ref().unwrap());
    let uncertainty = fit.uncertainty.as_ref().unwrap();
    let runs = parallel::map(trial.chains as usize, |chain| {
        nuts::chain(
            likelihood,
            uncertainty.theta(),
            uncertainty.factor(),
            &prior,
            chain as u64,
            trial.of_chain,
        )
    });
    let all: Vec<Vec<f64>> = runs.concat();
    let n = all.len() as f64;
    for (i, &(mean, sd)) in posterior.report.scale_free.iter().enumerate() {
        let nuts_mean = all.iter().map(|theta| theta[i]).sum::<f64>() / n;
        let nuts_sd = (all.iter().map(|theta| (theta[i] - nuts_mean).powi(2)).sum::<f64>() / n).sqrt();
        let apart = (mean - nuts_mean) / nuts_sd;
        assert!(apart.abs() < trial.means, "{} {i}: means {apart:.3} sds apart", P::MODEL);
        close(format!("{} {i}", P::MODEL), sd, nuts_sd, trial.sds);
    }
}

#[test]
fn bg_nbd_agrees_with_nuts() {
    let data = sample();
    let patterns = Patterns::from_days(&data.frequency, &data.recency_days, &data.t_days).unwrap();
    let fit = BgNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
    agrees_with_nuts(&fit, &BgNbdModel.likelihood(&patterns, Unit::Week), &TRIAL);
}

#[test]
fn gamma_gamma_agrees_with_nuts() {
    let data = sample();
    let fit = GammaGammaModel.fit(&data.frequency, &data.monetary_value, &()).unwrap();
    let likelihood = GammaGammaModel.likelihood(&data.frequency, &data.monetary_value).unwrap();
    agrees_with_nuts(&fit, &likelihood, &TRIAL);
}

#[test]
fn pareto_nbd_agrees_with_nuts() {
    let data = sample();
    let patterns = Patterns::from_days(&data.frequency, &data.recency_days, &data.t_days).unwrap();
    let fit = ParetoNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
    // 20,000 draws and four chains of 1500 agree as well, and take three times as long.
    let trial = Trial { draws: 8000, of_chain: 800, ..TRIAL };
    agrees_with_nuts(&fit, &ParetoNbdModel.likelihood(&patterns, Unit::Week), &trial);
}
