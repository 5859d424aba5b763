//! Fits with covariates against known coefficients, differences, and the models without them.

use super::*;
use crate::clv::bg_nbd::{BgNbd, BgNbdModel};
use crate::clv::minimise::Evaluation;
use crate::clv::pareto_nbd::{ParetoNbd, ParetoNbdModel};
use crate::parallel::with_threads;
use crate::random::{Purpose, Stream};

/// Customers in continuous time, in days, with a score, a level and a flag that means nothing.
#[derive(Default)]
struct World {
    x: Vec<u32>,
    t_x: Vec<f64>,
    t: Vec<f64>,
    score: Vec<f64>,
    level: Vec<&'static str>,
    flag: Vec<f64>,
}

const LEVELS: [&str; 3] = ["mail", "shop", "web"];

/// Effects on purchases of one unit of score and of "shop" and "web", and on dropout of one unit of score.
const PURCHASE: [f64; 3] = [0.05, -0.5, 0.4];
const DROPOUT: f64 = -0.06;

impl World {
    fn new(seed: u64, customers: u64, own: impl Fn(f64, f64, &mut Stream) -> (f64, f64, f64)) -> World {
        let mut out = World::default();
        for i in 0..customers {
            let mut stream = Stream::new(seed, i, 0, Purpose::Synth);
            let score = 40.0 + 10.0 * stream.normal();
            let place = (stream.uniform() * 4.0) as usize % 3;
            let purchase = PURCHASE[0] * (score - 40.0) + [0.0, PURCHASE[1], PURCHASE[2]][place];
            let (rate, p, life) = own(purchase, DROPOUT * (score - 40.0), &mut stream);
            let t = 150.0 + 500.0 * stream.uniform();
            let (mut x, mut t_x) = (0, 0.0);
            loop {
                let next = t_x + stream.exponential() / rate;
                if next > t.min(life) {
                    break;
                }
                (x, t_x) = (x + 1, next);
                if stream.uniform() < p {
                    break;
                }
            }
            out.x.push(x);
            out.t_x.push(t_x);
            out.t.push(t);
            out.score.push(score);
            out.level.push(LEVELS[place]);
            out.flag.push(f64::from(u8::from(stream.uniform() < 0.3)));
        }
        out
    }

    fn bg_nbd(seed: u64, customers: u64) -> World {
        World::new(seed, customers, |purchase, dropout, stream| {
            let params = BgNbdModel::shifted(&BG_NBD, purchase, dropout);
            let rate = stream.gamma(params.r) / params.alpha;
            (rate, stream.beta(params.a, params.b), f64::INFINITY)
        })
    }

    fn pareto_nbd(seed: u64, customers: u64) -> World {
        World::new(seed, customers, |purchase, dropout, stream| {
            let params = ParetoNbdModel::shifted(&PARETO_NBD, purchase, dropout);
            let rate = stream.gamma(params.r) / params.alpha;
            let mu = stream.gamma(params.s) / params.beta;
            (rate, 0.0, stream.exponential() / mu)
        })
    }

    fn patterns(&self) -> Patterns {
        Patterns::from_times(&self.x, &self.t_x, &self.t).unwrap()
    }

    fn score(&self) -> Covariate {
        Covariate::numeric("score", self.score.clone())
    }

    fn level(&self) -> Covariate {
        Covariate::categorical("channel", self.level.iter().map(Some))
    }

    fn flag(&self) -> Covariate {
        Covariate::numeric("flag", self.flag.clone())
    }

    fn covariates(&self) -> Covariates {
        Covariates::new(&[self.score(), self.level()], &[self.score()], self.x.len()).unwrap()
    }

    fn fit<M: CovariateModel>(&self, model: M, covariates: &Covariates) -> CovariateFit<M> {
        fit(&model, &self.patterns(), covariates, Unit::Day, Options::default(), &()).unwrap()
    }
}

const BG_NBD: BgNbd = BgNbd { r: 0.9, alpha: 20.0, a: 0.9, b: 3.0, unit: Unit::Day };
const PARETO_NBD: ParetoNbd = ParetoNbd { r: 0.9, alpha: 20.0, s: 0.8, beta: 150.0, unit: Unit::Day };

/// (estimate − truth)/standard error of a fit's parameters, as logarithms, and of its coefficients.
fn errors<M: CovariateModel>(fit: &CovariateFit<M>, base: &M::Params, world: &World) -> Vec<f64> {
    assert_eq!(fit.report.fit.verdict, Verdict::VerifiedOptimum, "{:?}", fit.report);
    // The report's parameters are those at the mean score.
    let mean = world.score.iter().sum::<f64>() / world.score.len() as f64 - 40.0;
    let want = M::shifted(base, PURCHASE[0] * mean, DROPOUT * mean).natural();
    let parameters = (fit.report.fit.parameters.iter().zip(want))
        .map(|(p, want)| (p.estimate / want).ln() * p.estimate / p.standard_error.unwrap());
    let want = [PURCHASE[0], PURCHASE[1], PURCHASE[2], DROPOUT];
    assert_eq!(fit.report.coefficients.len(), want.len());
    let coefficients = (fit.report.coefficients.iter().zip(want))
        .map(|(c, want)| (c.estimate - want) / c.standard_error.unwrap());
    parameters.chain(coefficients).collect()
}

/// Within three standard errors, and neither biased nor with errors that are too small or too large. The eight errors of a
/// fit are correlated, so that n of them count for fewer.
fn check_errors(z: &[f64], most_mean: f64, deviations: std::ops::Range<f64>) {
    let n = z.len() as f64;
    let inside = z.iter().filter(|z| z.abs() <= 3.0).count();
    assert!(inside as f64 >= 0.99 * n, "{inside} of {n}: {z:?}");
    let mean = z.iter().sum::<f64>() / n;
    let deviation = (z.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / (n - 1.0)).sqrt();
    assert!(mean.abs() < most_mean && deviations.contains(&deviation), "mean {mean}, deviation {deviation}");
}

#[test]
fn known_coefficients_are_found_bg_nbd() {
    let mut z = Vec::new();
    for seed in 0..12 {
        let world = World::bg_nbd(seed, 1500);
        let fit = world.fit(BgNbdModel, &world.covariates());
        z.extend(errors(&fit, &BG_NBD, &world));
        assert_eq!(fit.report.coefficients[1].reference.as_deref(), Some("mail"));
        assert_eq!(fit.report.coefficients[2].level.as_deref(), Some("web"));
        assert!(fit.report.against_plain.unwrap().p_value < 1e-6);
    }
    check_errors(&z, 0.4, 0.75..1.25);
}

#[test]
fn known_coefficients_are_found_pareto_nbd() {
    let mut z = Vec::new();
    for seed in 20..22 {
        let world = World::pareto_nbd(seed, 800);
        z.extend(errors(&world.fit(ParetoNbdModel, &world.covariates()), &PARETO_NBD, &world));
    }
    check_errors(&z, 1.0, 0.4..1.6);
}

/// Gradient against sixth-order differences of the value, Hessian against those of the gradient.
fn check_derivatives<M: CovariateModel>(model: M, world: &World, thetas: &[[f64; 8]]) {
    let (patterns, covariates) = (world.patterns(), world.covariates());
    let like = model.fit_patterns(&patterns, Unit::Day, &()).unwrap().params.unwrap();
    let likelihood = Likelihood::<M>::new(&patterns, &covariates, Unit::Day, like, 3.0);
    for theta in thetas {
        let at = likelihood.mean_loss(theta);
        for i in 0..8 {
            let h = 2e-3;
            let moved: Vec<Evaluation> = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]
                .iter()
                .map(|by| {
                    let mut theta = *theta;
                    theta[i] += by * h;
                    likelihood.mean_loss(&theta)
                })
                .collect();
            let slope = |f: &dyn Fn(&Evaluation) -> f64| {
                let weights = [-1.0, 9.0, -45.0, 45.0, -9.0, 1.0];
                moved.iter().zip(weights).map(|(at, w)| w * f(at)).sum::<f64>() / (60.0 * h)
            };
            let scale = at.value.abs() + 1.0;
            let got = slope(&|e| e.value);
            assert!((got - at.gradient[i]).abs() < 1e-7 * scale, "{i}: {got} {}", at.gradient[i]);
            for j in 0..8 {
                let (got, want) = (slope(&|e| e.gradient[j]), at.hessian[(i, j)]);
                assert!((got - want).abs() < 1e-7 * scale, "{i} {j}: {got} {want}");
                assert!((want - at.hessian[(j, i)]).abs() < 1e-12 * scale);
            }
        }
    }
}

#[test]
fn derivatives_match_differences() {
    let thetas = [
        [-3.0, -0.1, -1.2, 1.3, 0.4, -0.5, 0.3, -0.6],
        [-5.0, 1.5, 0.8, -1.0, -0.8, 0.2, 1.1, 0.9],
        [-2.0, -2.0, -3.0, 3.0, 0.0, 0.0, 0.0, 0.0],
    ];
    check_derivatives(BgNbdModel, &World::bg_nbd(30, 60), &thetas);
    let thetas = thetas.map(|mut theta| {
        theta[2] -= 4.0;
        theta
    });
    check_derivatives(ParetoNbdModel, &World::pareto_nbd(31, 40), &thetas);
}

fn check_plain<M: CovariateModel>(model: M, world: &World) {
    let patterns = world.patterns();
    let plain = model.fit_patterns(&patterns, Unit::Day, &()).unwrap();
    let like = plain.params.clone().unwrap();
    let theta = like.scale_free();
    // Coefficients of 0, at the maximum and beside it.
    let covariates = world.covariates();
    let likelihood = Likelihood::<M>::new(&patterns, &covariates, Unit::Day, like.clone(), 0.0);
    let objective = model.objective(&patterns, Unit::Day);
    for by in [0.0, 0.7, -1.1] {
        let base: Vec<f64> = theta.iter().enumerate().map(|(i, t)| t + by / (1.0 + i as f64)).collect();
        let with: Vec<f64> = base.iter().copied().chain([0.0; 4]).collect();
        let (got, want) = (likelihood.mean_loss(&with), objective.mean_loss(&base));
        assert!((got.value - want.value).abs() < 1e-12 * want.value.abs());
        for i in 0..4 {
            assert!((got.gradient[i] - want.gradient[i]).abs() < 1e-11, "{i} {by}");
            for j in 0..4 {
                assert!((got.hessian[(i, j)] - want.hessian[(i, j)]).abs() < 1e-10, "{i} {j} {by}");
            }
        }
    }
    // No covariates at all.
    let nothing = Covariates::new(&[], &[], world.x.len()).unwrap();
    let fit = world.fit(model, &nothing);
    assert_eq!(fit.report.fit.verdict, plain.report.verdict);
    for (got, want) in fit.report.fit.parameters.iter().zip(&plain.report.parameters) {
        assert!((got.estimate / want.estimate - 1.0).abs() < 1e-7, "{got:?} {want:?}");
    }
    let params = fit.params.unwrap();
    assert_eq!(params.params_for(&[], &[]).unwrap().natural(), params.base().natural());
    assert!(fit.report.against_plain.is_none() && fit.report.fit.warnings.is_empty());
}

#[test]
fn without_coefficients_the_models_are_the_plain_ones() {
    check_plain(BgNbdModel, &World::bg_nbd(40, 700));
    check_plain(ParetoNbdModel, &World::pareto_nbd(41, 300));
}

#[test]
fn the_scale_of_a_covariate_does_not_matter() {
    let mut world = World::bg_nbd(50, 900);
    let covariates = world.covariates();
    let one = world.fit(BgNbdModel, &covariates);
    let (score, channel) = (Value::Number(55.0), Value::Level("web"));
    let params = one.params.as_ref().unwrap();
    let of_55 = params.params_for(&[score, channel], &[score]).unwrap();
    // What a covariate does is alpha·exp(−γ·z) and a·exp(γ·z).
    let mean = world.score.iter().sum::<f64>() / 900.0;
    let c: Vec<f64> = one.report.coefficients.iter().map(|c| c.estimate).collect();
    let alpha = params.base().alpha * (-c[0] * (55.0 - mean) - c[2]).exp();
    assert!((of_55.alpha / alpha - 1.0).abs() < 1e-12);
    assert!((of_55.a / (params.base().a * (c[3] * (55.0 - mean)).exp()) - 1.0).abs() < 1e-12);
    assert_eq!((of_55.r, of_55.b), (params.base().r, params.base().b));
    let (s, l) = (Value::Number(world.score[7]), Value::Level(world.level[7]));
    assert_eq!(params.params_of(&covariates, 7).unwrap(), params.params_for(&[s, l], &[s]).unwrap());
    for score in &mut world.score {
        *score = 1000.0 * *score - 3e5;
    }
    let other = world.fit(BgNbdModel, &world.covariates());
    let log = |fit: &CovariateFit<BgNbdModel>| fit.report.fit.log_likelihood.unwrap();
    assert!((log(&one) - log(&other)).abs() < 1e-8 * log(&one).abs());
    let score = Value::Number(55e3 - 3e5);
    let again = other.params.as_ref().unwrap().params_for(&[score, channel], &[score]).unwrap();
    assert!((again.alpha / of_55.alpha - 1.0).abs() < 1e-6 && (again.a / of_55.a - 1.0).abs() < 1e-6);
    for (k, scale) in [(0, 1000.0), (1, 1.0), (3, 1000.0)] {
        let (a, b) = (&one.report.coefficients[k], &other.report.coefficients[k]);
        assert!((b.estimate * scale / a.estimate - 1.0).abs() < 1e-5);
        assert!((b.standard_error.unwrap() * scale / a.standard_error.unwrap() - 1.0).abs() < 1e-5);
    }
    // What a file keeps gives the same parameters.
    let effects = params.effects();
    let at_55 = Value::Number(55.0);
    let purchase = effects.purchase[0].of(at_55).unwrap() + effects.purchase[1].of(channel).unwrap();
    let dropout = effects.dropout[0].of(at_55).unwrap();
    let kept = shifted_parameters(crate::clv::ModelName::BgNbd, &params.base().natural(), purchase, dropout);
    for (kept, want) in kept.iter().zip(of_55.natural()) {
        assert!((kept / want - 1.0).abs() < 1e-13);
    }
    assert!(effects.purchase[0].is_beyond(1e3) && !effects.purchase[0].is_beyond(40.0));
    assert_eq!(effects.purchase[1].of(Value::Level("mail")), Some(0.0));
    assert_eq!(effects.purchase[1].of(Value::Level("fax")), None);
    assert_eq!(
        (effects.purchase[1].of(score), effects.purchase[0].of(Value::Number(f64::NAN))),
        (None, None)
    );
    let text = serde_json::to_string(&effects).unwrap();
    assert_eq!(serde_json::from_str::<Effects>(&text).unwrap(), effects);
    assert!(serde_json::from_str::<Effects>(&text.replace("\"mean\"", "\"means\"")).is_err());
    assert!(params.params_for(&[score], &[score]).is_err());
    assert!(params.params_for(&[channel, score], &[score]).is_err());
    let error = params.params_for(&[score, Value::Level("fax")], &[score]).unwrap_err();
    assert!(error.to_string().contains("fax"), "{error}");
    assert!(params.params_of(&world.covariates(), 7).is_err());
}

#[test]
fn bad_designs_are_refused() {
    let numbers = |name: &str, values: &[f64]| Covariate::numeric(name, values.to_vec());
    let levels = |name: &str, values: &[&str]| Covariate::categorical(name, values.iter().map(Some));
    let one = numbers("one", &[1.0, 2.0, 4.0, 9.0]);
    let problem = |covariates: &[Covariate]| DesignMatrix::new(covariates, 4).unwrap_err().to_string();
    let missing = problem(&[numbers("age", &[1.0, f64::NAN, 3.0, f64::NAN])]);
    assert!(missing.contains("\"age\"") && missing.contains("2 values") && missing.contains("customer 1"));
    let gap = Covariate::categorical("city", [Some("x"), None, Some("y"), Some("x")]);
    assert!(problem(&[gap]).contains("customer 1"));
    assert!(problem(&[numbers("age", &[0.1 + 0.2, 0.3, 0.3, 0.3])]).contains("the last digit"));
    // Ten apart at 1e15, where numbers still have their last whole digits, is a difference like any other.
    let far = numbers("age", &[1e15, 1e15 + 10.0, 1e15 - 10.0, 1e15]);
    assert!(DesignMatrix::new(&[far], 4).is_ok());
    assert!(problem(&[numbers("age", &[1.7e308, -1.7e308, 0.0, 1.7e308])]).contains("too large"));
    assert!(problem(&[levels("city", &["x"; 4])]).contains("all customers have this level"));
    assert!(problem(&[numbers("age", &[1.0])]).contains("there are 4 customers"));
    assert!(problem(&[one.clone(), one.clone()]).contains("twice"));
    // two = 3·one − 1; and two levels that a number repeats.
    let other = numbers("other", &[1.0, 0.0, 7.0, 3.0]);
    let two = numbers("two", &[2.0, 5.0, 11.0, 26.0]);
    let found = problem(&[one.clone(), other, two]);
    assert!(found.contains("two") && found.contains("\"one\"") && !found.contains("\"other\""), "{found}");
    let flag = numbers("flag", &[0.0, 5.0, 0.0, 5.0]);
    let found = problem(&[levels("city", &["x", "y", "x", "y"]), flag]);
    assert!(found.contains("flag") && found.contains("city=y"), "{found}");
    // The reference is the most frequent level, of equals the first by name; unused levels have no column.
    let design = DesignMatrix::new(&[levels("city", &["c", "b", "b", "c"]), one], 4).unwrap();
    assert_eq!((design.width(), design.encoding().reference("city")), (2, Some("b")));
    let patterns = Patterns::from_days(&[1, 2, 0], &[3, 4, 0], &[9, 9, 9]).unwrap();
    let covariates = Covariates::new(&[], &[], 4).unwrap();
    assert!(fit(&BgNbdModel, &patterns, &covariates, Unit::Day, Options::default(), &()).is_err());
    let (covariates, options) = (Covariates::new(&[], &[], 3).unwrap(), Options { penalty: -1.0 });
    assert!(fit(&BgNbdModel, &patterns, &covariates, Unit::Day, options, &()).is_err());
}

#[test]
fn likelihood_ratios() {
    let world = World::bg_nbd(60, 900);
    let n = world.x.len();
    let design =
        |purchase: &[Covariate], dropout: &[Covariate]| Covariates::new(purchase, dropout, n).unwrap();
    let small = world.fit(BgNbdModel, &design(&[world.score(), world.level()], &[])).report;
    let large = world.fit(BgNbdModel, &world.covariates()).report;
    let idle = world
        .fit(BgNbdModel, &design(&[world.score(), world.level(), world.flag()], &[world.score()]))
        .report;
    let real = likelihood_ratio(&small, &large).unwrap();
    let log = |report: &CovariateReport| report.fit.log_likelihood.unwrap();
    assert_eq!((real.degrees_of_freedom, real.statistic), (1, 2.0 * (log(&large) - log(&small))));
    assert!(real.p_value < 1e-4);
    assert!(likelihood_ratio(&large, &idle).unwrap().p_value > 0.01);
    assert_eq!(large.aic, Some(2.0 * (8.0 - log(&large))));
    for (a, b) in [(&large, &small), (&large, &large)] {
        assert!(likelihood_ratio(a, b).is_err());
    }
    // The same names with other values, and with other levels.
    let squared = Covariate::numeric("score", world.score.iter().map(|s| s * s).collect());
    let merged = world.level.iter().map(|level| Some(if *level == "web" { "shop" } else { level }));
    let merged = Covariate::categorical("channel", merged);
    for purchase in [[squared, world.level()], [world.score(), merged]] {
        let other = world.fit(BgNbdModel, &design(&purchase, &[world.score()])).report;
        let error = likelihood_ratio(&small, &other).unwrap_err().to_string();
        assert!(error.contains("values or levels differ"), "{error}");
    }
    let options = Options { penalty: 50.0 };
    let shrunk =
        fit(&BgNbdModel, &world.patterns(), &world.covariates(), Unit::Day, options, &()).unwrap().report;
    assert!(likelihood_ratio(&small, &shrunk).is_err() && shrunk.against_plain.is_none());
    assert!(log(&shrunk) < log(&large) && shrunk.penalised_objective.unwrap() < log(&shrunk));
    assert!(shrunk.coefficients[0].estimate.abs() < large.coefficients[0].estimate.abs());
    assert!(shrunk.fit.warnings.iter().any(|w| w.contains("shrunk")));
    let json = serde_json::to_value(&large).unwrap();
    assert_eq!(json["coefficients"][3]["side"], "dropout");
}

/// Nobody of a level ever returns: its coefficient has no maximum, the others stay and keep their errors.
#[test]
fn a_level_that_tells_all_is_named() {
    let mut world = World::bg_nbd(70, 600);
    for i in 0..12 {
        (world.x[i], world.t_x[i], world.level[i]) = (0, 0.0, "fax");
        world.t[i] = 600.0;
    }
    let covariates = Covariates::new(&[world.level()], &[], 600).unwrap();
    let fit = world.fit(BgNbdModel, &covariates);
    let report = &fit.report;
    assert!(
        matches!(report.fit.verdict, Verdict::Boundary { name: "a coefficient without bound", .. }),
        "{report:?}"
    );
    assert!(report.fit.warnings.iter().any(|w| w.contains("channel=fax for purchases")), "{report:?}");
    assert!(report.coefficients[0].standard_error.is_none() && report.against_plain.is_none());
    assert!(report.coefficients[1].standard_error.unwrap() > 0.0);
    // A penalty has a maximum.
    let options = Options { penalty: 1.0 };
    let shrunk = super::fit(&BgNbdModel, &world.patterns(), &covariates, Unit::Day, options, &()).unwrap();
    assert_eq!(shrunk.report.fit.verdict, Verdict::VerifiedOptimum, "{:?}", shrunk.report);
}

#[test]
fn threads_do_not_show_and_nothing_to_fit_is_named() {
    let world = World::bg_nbd(80, 1200);
    let covariates = world.covariates();
    let one = with_threads(1, || world.fit(BgNbdModel, &covariates).report).unwrap();
    assert_eq!(with_threads(3, || world.fit(BgNbdModel, &covariates).report).unwrap(), one);
    let patterns = Patterns::from_days(&[0, 0], &[0, 0], &[9, 5]).unwrap();
    let covariates = Covariates::new(&[Covariate::numeric("age", vec![1.0, 2.0])], &[], 2).unwrap();
    let fit = fit(&BgNbdModel, &patterns, &covariates, Unit::Day, Options::default(), &()).unwrap();
    assert!(fit.params.is_none() && !fit.report.fit.verdict.is_usable());
}
