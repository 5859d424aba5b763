//! Fits by group against worlds of known populations, the whole, and differences.

use super::population::{Population, Quadratic, restricted_loss};
use super::*;
use crate::clv::bg_nbd::{BgNbd, BgNbdModel};
use crate::clv::pareto_nbd::{ParetoNbd, ParetoNbdModel};
use crate::parallel::with_threads;
use crate::random::{Purpose, Stream};

/// Customers in continuous time, in days.
#[derive(Default, Clone)]
struct World {
    x: Vec<u32>,
    t_x: Vec<f64>,
    t: Vec<f64>,
    codes: Vec<u32>,
}

impl World {
    fn patterns(&self) -> Patterns {
        Patterns::from_times(&self.x, &self.t_x, &self.t).unwrap()
    }

    fn groups(&self, n: usize) -> Groups {
        Groups::new((0..n).map(|g| format!("region {g}")).collect(), self.codes.clone()).unwrap()
    }

    /// Adds one customer of a group: purchases at `rate`, each followed by leaving with `p`, gone after `life`, seen
    /// for `t`.
    fn add(&mut self, stream: &mut Stream, code: u32, rate: f64, p: f64, life: f64, t: f64) {
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
        self.x.push(x);
        self.t_x.push(t_x);
        self.t.push(t);
        self.codes.push(code);
    }

    fn add_bg_nbd(&mut self, seed: u64, code: u32, customers: usize, params: &BgNbd) {
        let mut stream = Stream::new(seed, u64::from(code), 0, Purpose::Synth);
        for i in 0..customers {
            let rate = stream.gamma(params.r) / params.alpha;
            let p = stream.beta(params.a, params.b);
            let t = 200.0 + 530.0 * (i as f64 + 0.5) / customers as f64;
            self.add(&mut stream, code, rate, p, f64::INFINITY, t);
        }
    }

    fn add_pareto_nbd(&mut self, seed: u64, code: u32, customers: usize, params: &ParetoNbd) {
        let mut stream = Stream::new(seed, u64::from(code), 0, Purpose::Synth);
        for i in 0..customers {
            let rate = stream.gamma(params.r) / params.alpha;
            let mu = stream.gamma(params.s) / params.beta;
            let life = stream.exponential() / mu;
            let t = 200.0 + 530.0 * (i as f64 + 0.5) / customers as f64;
            self.add(&mut stream, code, rate, 0.0, life, t);
        }
    }

    /// The customers of `groups`, in any order: customer i is `order[i]`.
    fn reordered(&self, order: &[usize]) -> World {
        World {
            x: order.iter().map(|&i| self.x[i]).collect(),
            t_x: order.iter().map(|&i| self.t_x[i]).collect(),
            t: order.iter().map(|&i| self.t[i]).collect(),
            codes: order.iter().map(|&i| self.codes[i]).collect(),
        }
    }
}

fn fit<M: FitsPatterns>(model: &M, world: &World, n: usize) -> GroupedFit<M::Params> {
    let patterns = world.patterns();
    let whole = model.fit_patterns(&patterns, Unit::Day, &()).unwrap();
    fit_groups(model, &patterns, &world.groups(n), Unit::Day, &whole, &()).unwrap()
}

const LIKE: BgNbd = BgNbd { r: 0.6, alpha: 25.0, a: 0.8, b: 2.5, unit: Unit::Day };
const LIKE_PARETO: ParetoNbd = ParetoNbd { r: 0.7, alpha: 25.0, s: 0.6, beta: 150.0, unit: Unit::Day };

/// Parameters of a group: the mean plus normal deviations.
fn truth(seed: u64, g: usize, mean: &[f64], deviation: &[f64; 4]) -> Vec<f64> {
    let mut stream = Stream::new(seed, g as u64, 1, Purpose::Parameters);
    mean.iter().zip(deviation).map(|(m, d)| m + d * stream.normal()).collect()
}

fn sizes(g: usize) -> usize {
    [30, 60, 100, 200, 400, 900][g % 6]
}

struct Score {
    /// (pooled − truth)/standard error of each parameter of each group.
    z: Vec<f64>,
    own_squares: f64,
    pooled_squares: f64,
}

fn score(report: &GroupedReport, truths: &[Vec<f64>]) -> Score {
    let mut out = Score { z: Vec::new(), own_squares: 0.0, pooled_squares: 0.0 };
    for (group, truth) in report.groups.iter().zip(truths) {
        for (shrunk, truth) in group.scale_free.iter().zip(truth) {
            out.z.push((shrunk.pooled - truth) / shrunk.standard_error);
            if let Some(own) = shrunk.own {
                // Own estimates at a boundary would decide alone: they count as off by e^2 at most.
                out.own_squares += (own - truth).clamp(-2.0, 2.0).powi(2);
                out.pooled_squares += (shrunk.pooled - truth).powi(2);
            }
        }
    }
    out
}

/// Within three standard errors, and neither biased nor with errors that are too small or too large.
fn check_errors(z: &[f64], most_mean: f64, deviations: std::ops::Range<f64>) {
    let n = z.len() as f64;
    let within = z.iter().filter(|z| z.abs() <= 3.0).count();
    assert!(within as f64 >= 0.99 * n, "{within} of {n}");
    let mean = z.iter().sum::<f64>() / n;
    let deviation = (z.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / (n - 1.0)).sqrt();
    assert!(mean.abs() < most_mean && deviations.contains(&deviation), "mean {mean}, deviation {deviation}");
}

#[test]
fn pooled_estimates_beat_own_ones_bg_nbd() {
    let deviation = [0.4, 0.25, 0.4, 0.3];
    let mean = LIKE.scale_free();
    let mut z = Vec::new();
    for seed in 0..3 {
        let truths: Vec<Vec<f64>> = (0..48).map(|g| truth(seed, g, &mean, &deviation)).collect();
        let mut world = World::default();
        for (g, theta) in truths.iter().enumerate() {
            world.add_bg_nbd(seed, g as u32, sizes(g), &LIKE.with_scale_free(theta));
        }
        let fit = fit(&BgNbdModel, &world, truths.len());
        let report = &fit.report;
        assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{:?}", report.population);
        let score = score(report, &truths);
        assert!(score.pooled_squares < 0.7 * score.own_squares);
        z.extend(score.z);
        for (group, pooled) in report.groups.iter().zip(&fit.groups) {
            assert_eq!(group.verdict, Verdict::VerifiedOptimum, "{group:?}");
            assert!(pooled.is_some());
            if let Some(own) = group.own.log_likelihood {
                assert!(group.log_likelihood.unwrap() <= own + 1e-6);
            }
        }
    }
    check_errors(&z, 0.15, 0.85..1.15);
}

#[test]
fn pooled_estimates_beat_own_ones_pareto_nbd() {
    let deviation = [0.4, 0.25, 0.5, 0.2];
    let mean = LIKE_PARETO.scale_free();
    let truths: Vec<Vec<f64>> = (0..12).map(|g| truth(5, g, &mean, &deviation)).collect();
    let mut world = World::default();
    for (g, theta) in truths.iter().enumerate() {
        world.add_pareto_nbd(5, g as u32, sizes(g) / 2, &LIKE_PARETO.with_scale_free(theta));
    }
    let fit = fit(&ParetoNbdModel, &world, truths.len());
    let score = score(&fit.report, &truths);
    // 48 pairs, correlated within a group.
    check_errors(&score.z, 0.5, 0.6..1.3);
    assert!(score.pooled_squares < 0.7 * score.own_squares);
}

/// Small groups, one that says nothing, and a little of everything.
fn mixed() -> World {
    let mut world = World::default();
    let deviation = [0.5, 0.2, 0.3, 0.1];
    for g in 0..8 {
        let theta = truth(9, g, &LIKE.scale_free(), &deviation);
        let size = [3, 150, 40, 200, 80, 300, 25, 1][g];
        world.add_bg_nbd(9, g as u32, size, &LIKE.with_scale_free(&theta));
    }
    // Nobody of group 8 returned, and group 9 has no customer.
    for _ in 0..5 {
        world.x.push(0);
        world.t_x.push(0.0);
        world.t.push(60.0);
        world.codes.push(8);
    }
    world
}

#[test]
fn groups_that_say_little_end_near_the_mean() {
    let fit = fit(&BgNbdModel, &mixed(), 10);
    let report = &fit.report;
    assert!(fit.groups.iter().all(Option::is_some), "{report:?}");
    for (g, least) in [(0, 0.4), (7, 0.8), (8, 0.5), (9, 0.999_999)] {
        for (shrunk, spread) in report.groups[g].scale_free.iter().zip(&report.population) {
            assert!(shrunk.shrinkage >= least, "{g} {shrunk:?}");
            let away = (shrunk.pooled - spread.mean).abs();
            assert!(away <= 1.5 * spread.deviation, "{g} {shrunk:?} {spread:?}");
            if g == 9 {
                assert!(away < 1e-12 && shrunk.own.is_none());
                assert!(shrunk.standard_error >= spread.deviation);
            }
        }
    }
    // The largest decides for itself where its data speak.
    assert!(report.groups[5].scale_free[0].shrinkage < 0.2, "{:?}", report.groups[5]);
    assert_eq!(report.groups[8].own.parameters.len(), 0);
    assert!(report.groups[8].log_likelihood.is_some() && report.groups[9].log_likelihood.is_none());
    assert!(report.warnings.iter().any(|w| w.contains("9 groups")), "{:?}", report.warnings);
    let json = serde_json::to_value(report).unwrap();
    assert_eq!(json["groups"][3]["name"], "region 3");
    assert_eq!(json["groups"][3]["scale_free"][1]["name"], "ln r");
}

#[test]
fn one_group_is_the_whole() {
    let mut world = World::default();
    world.add_bg_nbd(3, 0, 400, &LIKE);
    let patterns = world.patterns();
    let whole = BgNbdModel.fit(&patterns, Unit::Day, &()).unwrap();
    for groups in [1, 2] {
        let fit = fit_groups(&BgNbdModel, &patterns, &world.groups(groups), Unit::Day, &whole, &()).unwrap();
        assert!(matches!(fit.report.verdict, Verdict::Boundary { name: "one group", usable: true, .. }));
        let group = &fit.report.groups[0];
        assert!(group.scale_free.iter().all(|s| s.shrinkage == 1.0));
        for (got, want) in group.parameters.iter().zip(&whole.report.parameters) {
            assert!((got.estimate / want.estimate - 1.0).abs() < 1e-6, "{got:?} {want:?}");
            // But for the next to nothing that is known beforehand.
            let ratio = got.standard_error.unwrap() / want.standard_error.unwrap();
            assert!((ratio - 1.0).abs() < 2e-2, "{got:?} {want:?}");
        }
    }
}

#[test]
fn identical_groups_do_not_differ() {
    let mut one = World::default();
    one.add_bg_nbd(4, 0, 250, &LIKE);
    let mut world = World::default();
    for code in 0..12 {
        world.x.extend(&one.x);
        world.t_x.extend(&one.t_x);
        world.t.extend(&one.t);
        world.codes.extend(one.codes.iter().map(|_| code));
    }
    let whole = BgNbdModel.fit(&world.patterns(), Unit::Day, &()).unwrap();
    let fit = fit(&BgNbdModel, &world, 12);
    assert!(matches!(fit.report.verdict, Verdict::Boundary { name: "no differences between groups", .. }));
    for group in &fit.report.groups {
        assert!(group.scale_free.iter().all(|s| s.shrinkage == 1.0));
        for (got, want) in group.scale_free.iter().zip(whole.params.unwrap().scale_free()) {
            assert!((got.pooled - want).abs() < 1e-6, "{got:?} {want}");
        }
    }
}

#[test]
fn neither_threads_nor_order_show() {
    let world = mixed();
    let first = with_threads(1, || fit(&BgNbdModel, &world, 10).report).unwrap();
    assert_eq!(with_threads(3, || fit(&BgNbdModel, &world, 10).report).unwrap(), first);
    let n = world.x.len();
    let order: Vec<usize> = (0..n).map(|i| (i * 7919 + 13) % n).collect();
    assert!(!n.is_multiple_of(7919));
    assert_eq!(fit(&BgNbdModel, &world.reordered(&order), 10).report, first);
    // Other numbers for the same groups: group g becomes 7·g mod 10.
    let renumbered = World { codes: world.codes.iter().map(|g| g * 7 % 10).collect(), ..world.clone() };
    let mut names = vec![String::new(); 10];
    (0..10).for_each(|g| names[g * 7 % 10] = format!("region {g}"));
    let groups = Groups::new(names, renumbered.codes.clone()).unwrap();
    let patterns = world.patterns();
    let whole = BgNbdModel.fit(&patterns, Unit::Day, &()).unwrap();
    let mut again = fit_groups(&BgNbdModel, &patterns, &groups, Unit::Day, &whole, &()).unwrap().report;
    assert_eq!(again.groups[7].name, "region 1");
    again.groups.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(again, first);
}

/// NBD and MBG/NBD are pooled like the others; NBD, which has two parameters, from worlds that nobody leaves.
#[test]
fn every_model_is_pooled() {
    let mut world = World::default();
    let truths: Vec<Vec<f64>> =
        (0..16).map(|g| truth(6, g, &LIKE.scale_free(), &[0.4, 0.25, 0.0, 0.0])).collect();
    for (g, theta) in truths.iter().enumerate() {
        let BgNbd { r, alpha, .. } = LIKE.with_scale_free(theta);
        world.add_bg_nbd(6, g as u32, sizes(g), &BgNbd { r, alpha, a: 1e-9, b: 1e9, unit: Unit::Day });
    }
    let found = fit(&crate::clv::NbdModel, &world, 16);
    assert_eq!(found.report.verdict, Verdict::VerifiedOptimum);
    let truths: Vec<Vec<f64>> = truths.into_iter().map(|theta| theta[..2].to_vec()).collect();
    check_errors(&score(&found.report, &truths).z, 0.6, 0.6..1.4);
    assert_eq!(found.report.mean.iter().map(|p| p.name).collect::<Vec<_>>(), ["r", "alpha"]);
    assert!(found.report.mean.iter().all(|p| p.standard_error.is_some_and(|e| e > 0.0)));
    let found = fit(&crate::clv::MbgNbdModel, &mixed(), 10);
    assert!(found.groups.iter().all(Option::is_some), "{:?}", found.report);
}

#[test]
fn wrong_groups_are_refused() {
    let names = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
    let error = Groups::new(names(&["a", "b"]), vec![0, 2]).unwrap_err();
    assert!(error.to_string().contains("a group's code cannot be \"2\""), "{error}");
    assert!(Groups::new(names(&["a", "a"]), vec![0]).unwrap_err().to_string().contains("twice"));
    assert!(Groups::new(Vec::new(), Vec::new()).is_err());
    let patterns = Patterns::from_days(&[0, 1], &[0, 2], &[9, 9]).unwrap();
    let whole = BgNbdModel.fit(&patterns, Unit::Day, &()).unwrap();
    let groups = Groups::new(names(&["a"]), vec![0]).unwrap();
    assert!(fit_groups(&BgNbdModel, &patterns, &groups, Unit::Day, &whole, &()).is_err());
}

#[test]
fn a_whole_without_a_fit_says_so() {
    let patterns = Patterns::from_days(&[0, 0], &[0, 0], &[9, 9]).unwrap();
    let whole = BgNbdModel.fit(&patterns, Unit::Day, &()).unwrap();
    let groups = Groups::new(vec!["a".into(), "b".into()], vec![0, 1]).unwrap();
    let fit = fit_groups(&BgNbdModel, &patterns, &groups, Unit::Day, &whole, &()).unwrap();
    assert!(!fit.report.verdict.is_usable() && fit.groups.iter().all(Option::is_none));
    assert_eq!(fit.report.groups.len(), 2);
}

/// Groups with slopes and informations of every kind, one of them without information along a direction.
fn quadratics() -> Vec<Quadratic> {
    (0..6)
        .map(|g| {
            let mut stream = Stream::new(11, g, 0, Purpose::Parameters);
            let mut root = Matrix::zeros(3);
            for i in 0..3 {
                for j in 0..3 {
                    root[(i, j)] = 3.0 * stream.normal();
                }
            }
            if g == 2 {
                (root[(0, 0)], root[(1, 0)], root[(2, 0)]) = (0.0, 0.0, 0.0);
            }
            let information = Matrix::identity(3).congruent(&root);
            let mut normals = |scale: f64| (0..3).map(|_| scale * stream.normal()).collect::<Vec<_>>();
            Quadratic { at: normals(0.7), slope: normals(2.0), information }
        })
        .collect()
}

#[test]
fn derivatives_of_the_restricted_likelihood() {
    let (groups, whole) = (quadratics(), [0.1, -0.2, 0.3]);
    for logs in [[-1.0f64, 0.5, -2.0], [0.0, -6.0, 1.0], [-9.0, -3.0, 0.2]] {
        let loss = |logs: &[f64]| {
            restricted_loss(&groups, &whole, &logs.iter().map(|l| l.exp()).collect::<Vec<_>>())
        };
        let at = loss(&logs);
        for i in 0..3 {
            let h = 1e-3;
            let moved = |by: f64| {
                let mut logs = logs;
                logs[i] += by * h;
                loss(&logs)
            };
            let (a, b, c, d) = (moved(-2.0), moved(-1.0), moved(1.0), moved(2.0));
            let slope = |a: f64, b: f64, c: f64, d: f64| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
            let got = slope(a.value, b.value, c.value, d.value);
            assert!((got - at.gradient[i]).abs() < 1e-9, "{i}: {got} {}", at.gradient[i]);
            for j in 0..3 {
                let got = slope(a.gradient[j], b.gradient[j], c.gradient[j], d.gradient[j]);
                assert!((got - at.hessian[(i, j)]).abs() < 1e-9, "{i} {j}: {got} {}", at.hessian[(i, j)]);
            }
        }
    }
}

/// Equal informations: the restricted estimate is the groups' sample variance less that of their errors.
#[test]
fn variances_of_balanced_groups_have_a_closed_form() {
    let at = [1.3, -0.4, 0.2, 2.2, 0.9, -1.5, 0.4];
    let mean = at.iter().sum::<f64>() / 7.0;
    let sample = at.iter().map(|a| (a - mean) * (a - mean)).sum::<f64>() / 6.0;
    for error in [0.2, 0.6, 2.0 * sample] {
        let groups: Vec<Quadratic> = at
            .iter()
            .map(|&a| {
                let mut information = Matrix::zeros(1);
                information[(0, 0)] = 1.0 / error;
                Quadratic { at: vec![a], slope: vec![0.0], information }
            })
            .collect();
        let start = Population { mean: vec![mean], variance: vec![0.3], mean_covariance: Matrix::zeros(1) };
        let found = Population::fit(&groups, &[mean], &start, || Ok(())).unwrap();
        let want = (sample - error).max(0.0);
        // Next to nothing is known of the mean beforehand; that moves it by a thousandth.
        assert!((found.variance[0] - want).abs() <= 5e-3 * want, "{} {want}", found.variance[0]);
        let covariance = (found.variance[0] + error) / 7.0;
        assert!((found.mean_covariance[(0, 0)] / covariance - 1.0).abs() < 1e-2);
        assert!((found.mean[0] - mean).abs() < 1e-12);
        assert_eq!(found.variance[0] == 0.0, want == 0.0);
    }
}
