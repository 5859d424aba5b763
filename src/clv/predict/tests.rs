//! Predictions against closed forms, event-by-event futures, exact distributions, and worlds whose future is known.

use super::count::{orders, poisson};
use super::*;
use crate::calendar::Unit;
use crate::clv::latent::{Dropout, Latent};
use crate::clv::uncertainty::{PosteriorOptions, Prior};
use crate::clv::{BgNbd, BgNbdModel};
use crate::parallel::with_threads;
use crate::random::hash_integer;
use crate::special::ln_gamma;

const PURCHASES: BgNbd = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426, unit: Unit::Week };
const SPEND: GammaGamma = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };

/// Mean and variance of `draws` numbers, with the mean's standard error.
fn moments(draws: u64, mut draw: impl FnMut(&mut Stream) -> f64) -> (f64, f64, f64) {
    let (mut sum, mut squares) = (0.0, 0.0);
    for i in 0..draws {
        let y = draw(&mut Stream::new(3, hash_integer(i), 0, Purpose::Arrivals));
        sum += y;
        squares += y * y;
    }
    let n = draws as f64;
    let (mean, variance) = (sum / n, squares / n - (sum / n).powi(2));
    (mean, variance, (variance / n).sqrt())
}

#[test]
fn poisson_numbers_have_their_distribution() {
    for mean in [1e-3, 0.3, 5.0, 9.99, 10.0, 31.4, 500.0, 1e7] {
        let n = 40_000;
        let (got, variance, error) = moments(n, |stream| poisson(stream, mean));
        assert!((got - mean).abs() < 5.0 * error.max(1e-4), "{mean}: {got} ± {error}");
        // The variance's own relative error is about √((2 + 1/mean)/n).
        let slack = 5.0 * ((2.0 + 1.0 / mean) / n as f64).sqrt();
        assert!((variance / mean - 1.0).abs() < slack, "{mean}: variance {variance}");
    }
    // Every probability of both ways of drawing, within five standard errors.
    for mean in [4.0f64, 12.0] {
        let n = 100_000u32;
        let mut counts = [0u32; 60];
        for i in 0..n {
            let mut stream = Stream::new(9, hash_integer(u64::from(i)), 1, Purpose::Arrivals);
            counts[poisson(&mut stream, mean) as usize] += 1;
        }
        for (k, &count) in (0u32..).zip(&counts) {
            let k = f64::from(k);
            let p = (k * mean.ln() - mean - ln_gamma(k + 1.0)).exp();
            let error = (p * (1.0 - p) / f64::from(n)).sqrt();
            let got = f64::from(count) / f64::from(n);
            assert!((got - p).abs() < 5.0 * error + 1e-4 / f64::from(n), "{mean} {k}: {got} for {p}");
        }
    }
    assert_eq!(poisson(&mut Stream::new(1, 1, 1, Purpose::Arrivals), 0.0), 0.0);
    assert_eq!(poisson(&mut Stream::new(1, 1, 1, Purpose::Arrivals), 1e300), 1e300);
}

/// Counts drawn at once against counts of events, for every way to leave.
#[test]
fn counts_are_those_of_events() {
    for dropout in
        [Dropout::Never, Dropout::AfterPurchase(0.3), Dropout::AtRate(0.05), Dropout::AfterPurchase(1.0)]
    {
        let latent = Latent { alive: true, rate: 0.4, dropout };
        let events = |stream: &mut Stream| {
            let mut n = 0.0;
            latent.purchases(stream, 20.0, |_| n += 1.0);
            n
        };
        let (mean, variance, error) = moments(40_000, |stream| orders(&latent, stream, 20.0));
        let (by_event, variance_by_event, _) = moments(40_000, events);
        assert!((mean - latent.expected(20.0)).abs() < 5.0 * error, "{dropout:?} {mean}");
        assert!((mean - by_event).abs() < 7.0 * error, "{dropout:?} {mean} {by_event}");
        assert!((variance - variance_by_event).abs() <= 0.05 * variance_by_event, "{dropout:?} {variance}");
    }
    let gone = Latent { alive: false, rate: 9.0, dropout: Dropout::Never };
    assert_eq!(orders(&gone, &mut Stream::new(1, 1, 1, Purpose::Arrivals), 9.0), 0.0);
    let for_ever = Latent { alive: true, rate: 9.0, dropout: Dropout::AfterPurchase(0.0) };
    let (mean, _, error) = moments(10_000, |stream| orders(&for_ever, stream, 1.0));
    assert!((mean - 9.0).abs() < 5.0 * error);
}

struct World {
    patterns: Patterns,
    monetary_value: Vec<f64>,
    hash: Vec<u64>,
}

impl World {
    fn new(frequency: &[u32], recency_days: &[u32], t_days: &[u32]) -> World {
        World {
            patterns: Patterns::from_days(frequency, recency_days, t_days).unwrap(),
            monetary_value: frequency
                .iter()
                .map(|&x| if x > 0 { 20.0 + f64::from(x) } else { 0.0 })
                .collect(),
            hash: (0..frequency.len() as u64).map(hash_integer).collect(),
        }
    }

    fn customers(&self) -> Customers<'_> {
        Customers { patterns: &self.patterns, monetary_value: &self.monetary_value, hash: &self.hash }
    }
}

fn options(horizon: &str, level: f64) -> PredictOptions {
    PredictOptions { horizon: horizon.parse().unwrap(), level, seed: 5 }
}

/// What is drawn has the mean that is expected: orders and spend, of customers alive, doubtful and new.
#[test]
fn draws_have_their_expectation() {
    let world = World::new(&[2, 0, 7, 1, 0, 40], &[213, 0, 150, 12, 0, 255], &[272, 272, 200, 272, 0, 260]);
    let draws = 4000;
    let (purchases, spend) = (vec![PURCHASES; draws], vec![SPEND; draws]);
    let options = options("39w", 0.95);
    let codes: Vec<u32> = (0..6).collect();
    let groupings = [Grouping { name: "each", codes: &codes, groups: 6 }];
    let customers = world.customers();
    let order = in_order_of_patterns(&world.patterns);
    let work = Work {
        customers: &customers,
        purchases: &purchases,
        spend: Some(&spend),
        groupings: &groupings,
        options: &options,
        order: &order,
    };
    let part = work.chunk(0..6);
    for (slot, sums) in part.sums.iter().enumerate() {
        for (drawn, expected) in [(&sums.orders, &sums.expected_orders), (&sums.spend, &sums.expected_spend)]
        {
            let n = draws as f64;
            let mean = drawn.iter().sum::<f64>() / n;
            let error = (drawn.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n / n).sqrt();
            assert!((mean - expected[0]).abs() < 4.0 * error, "{slot}: {mean} ± {error}, {}", expected[0]);
        }
    }
    // Parameters that are known leave the expectation no interval, and it is the closed form.
    let found = predict_intervals(&customers, &purchases, Some(&spend), &groupings, &options, &()).unwrap();
    let want = PURCHASES.conditional_expected(2, 213.0 / 7.0, 272.0 / 7.0, 39.0);
    assert!((found.orders.value[0] / want - 1.0).abs() < 1e-12);
    assert_eq!(found.orders.mean_lower[0], found.orders.mean_upper[0]);
    assert!(found.orders.lower[0] <= want && want <= found.orders.upper[0]);
    let money = found.spend.unwrap();
    let want = want * SPEND.expected_spend(2, 22.0);
    assert!((money.value[0] / want - 1.0).abs() < 1e-12);
}

/// A new customer's orders have a known distribution: both ends of its interval are that distribution's quantiles.
#[test]
fn ends_are_quantiles_of_the_distribution() {
    let world = World::new(&[0], &[0], &[0]);
    let purchases = vec![PURCHASES; 20_000];
    let found =
        predict_intervals(&world.customers(), &purchases, None, &[], &options("78w", 0.9), &()).unwrap();
    let quantile = |p: f64| {
        let (mut x, mut cumulated) = (0, PURCHASES.pmf(0, 78.0));
        while cumulated < p {
            x += 1;
            cumulated += PURCHASES.pmf(x, 78.0);
        }
        f64::from(x)
    };
    assert_eq!((found.orders.lower[0], found.orders.upper[0]), (quantile(0.05), quantile(0.95)));
    assert!(found.spend.is_none() && found.totals[0].spend.is_none());
}

/// Neither threads nor other customers change a customer's numbers, and groups add up.
#[test]
fn customers_stand_alone_and_groups_add_up() {
    let n = 5000u32;
    let frequency: Vec<u32> = (0..n).map(|i| i % 4).collect();
    let t_days: Vec<u32> = (0..n).map(|i| 100 + i % 50).collect();
    let recency: Vec<u32> =
        (0..n as usize).map(|i| if frequency[i] > 0 { t_days[i] / 2 } else { 0 }).collect();
    let world = World::new(&frequency, &recency, &t_days);
    let draws: Vec<BgNbd> = (0..12).map(|i| BgNbd { r: 0.2 + 0.01 * f64::from(i), ..PURCHASES }).collect();
    let spend = vec![SPEND; 12];
    let codes: Vec<u32> = (0..n).map(|i| i % 3).collect();
    let groupings = [Grouping { name: "third", codes: &codes, groups: 3 }];
    let options = options("26w", 0.8);
    let run = |threads| {
        with_threads(threads, || {
            predict_intervals(&world.customers(), &draws, Some(&spend), &groupings, &options, &()).unwrap()
        })
        .unwrap()
    };
    let found = run(1);
    assert_eq!(found, run(3));
    let [all, thirds @ ..] = &found.totals[..] else { panic!() };
    assert_eq!((all.customers, thirds.len()), (u64::from(n), 3));
    assert_eq!(thirds.iter().map(|total| total.customers).sum::<u64>(), all.customers);
    let sum: f64 = thirds.iter().map(|total| total.orders.value).sum();
    assert!((sum / all.orders.value - 1.0).abs() < 1e-12);
    let sum: f64 = found.orders.value.iter().sum();
    assert!((sum / all.orders.value - 1.0).abs() < 1e-12);
    for total in &found.totals {
        let Interval { mean_lower, value, mean_upper, lower, upper } = total.orders;
        assert!(mean_lower < value && value < mean_upper && lower < value && value < upper);
    }
    // The last hundred alone.
    let from = n as usize - 100;
    let some = World {
        patterns: Patterns::from_days(&frequency[from..], &recency[from..], &t_days[from..]).unwrap(),
        monetary_value: world.monetary_value[from..].to_vec(),
        hash: world.hash[from..].to_vec(),
    };
    let alone = predict_intervals(&some.customers(), &draws, Some(&spend), &[], &options, &()).unwrap();
    assert_eq!(alone.orders.upper, found.orders.upper[from..]);
    assert_eq!(alone.spend.unwrap().upper, found.spend.unwrap().upper[from..]);
}

#[test]
fn what_cannot_be_is_refused() {
    let world = World::new(&[0, 1], &[0, 3], &[5, 5]);
    let customers = world.customers();
    let draws = [PURCHASES; 100];
    let codes = [0, 2];
    let groups = [Grouping { name: "tier", codes: &codes, groups: 2 }];
    let good = options("4w", 0.9);
    let bad = options("4w", 95.0);
    let run = |customers: &Customers<'_>,
               draws: &[BgNbd],
               spend: Option<&[GammaGamma]>,
               groups: &[Grouping<'_>],
               options: &PredictOptions| {
        predict_intervals(customers, draws, spend, groups, options, &())
    };
    let said = |result: Result<Intervals>| result.unwrap_err().to_string();
    assert!(said(run(&customers, &[], None, &[], &good)).contains("draws"));
    assert!(said(run(&customers, &draws, Some(&[SPEND]), &[], &good)).contains("spend"));
    assert!(said(run(&customers, &draws, None, &groups, &good)).contains("group code"));
    assert!(said(run(&customers, &draws, None, &[], &bad)).contains("level"));
    let few = Customers { hash: &world.hash[1..], ..customers };
    assert!(said(run(&few, &draws, None, &[], &good)).contains("hash"));
    let heavy = [GammaGamma { q: 0.9, ..SPEND }; 100];
    let found = run(&customers, &draws, Some(&heavy), &[], &good).unwrap();
    assert!(found.warnings[0].contains("no finite mean") && found.spend.unwrap().value[0].is_infinite());
    let found = run(&customers, &draws[..10], None, &[], &good).unwrap();
    assert!(found.warnings[0].contains("too few"), "{:?}", found.warnings);
    let nobody = World::new(&[], &[], &[]);
    let found = run(&nobody.customers(), &draws, None, &[], &good).unwrap();
    assert_eq!((found.totals[0].customers, found.totals[0].orders.upper), (0, 0.0));
}

/// How many of `worlds` have their future total within the 90 % interval: customers of known parameters are drawn, fitted
/// by their past, and predicted with parameters from the posterior.
fn covered(worlds: u32, customers: u64) -> u32 {
    let truth = BgNbd { r: 0.8, alpha: 7.0, a: 0.8, b: 2.4, unit: Unit::Week };
    let within = parallel::map(worlds as usize, |world| {
        let (mut x, mut t_x, mut t, mut future) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
        for i in 0..customers {
            let mut stream = Stream::new(77, hash_integer(i), world as u32, Purpose::Synth);
            let end = [26.0, 38.0][(i % 2) as usize];
            let (mut n, mut last) = (0, 0.0);
            let latent = truth.draw(&mut stream, 0, 0.0, 0.0);
            latent.purchases(&mut stream, end + 26.0, |at| {
                if at <= end {
                    n += 1;
                    last = at;
                } else {
                    future += 1.0;
                }
            });
            x.push(n);
            t_x.push(7.0 * last);
            t.push(7.0 * end);
        }
        let patterns = Patterns::from_times(&x, &t_x, &t).unwrap();
        let fit = BgNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
        let asked = PosteriorOptions { prior: Prior::Flat, draws: 100, seed: 1 };
        let likelihood = BgNbdModel.likelihood(&patterns, Unit::Week);
        let posterior = fit.posterior(&likelihood, &asked, &()).unwrap().unwrap();
        let hash: Vec<u64> = (0..customers).map(hash_integer).collect();
        let customers = Customers { patterns: &patterns, monetary_value: &[], hash: &hash };
        let options = PredictOptions { seed: world as u64, ..options("26w", 0.9) };
        let found = predict_intervals(&customers, &posterior.draws, None, &[], &options, &()).unwrap();
        let total = found.totals[0].orders;
        u32::from(total.lower <= future && future <= total.upper)
    });
    within.into_iter().sum()
}

#[test]
fn totals_are_covered_as_often_as_stated() {
    let (worlds, customers) = (120, 100);
    let share = f64::from(covered(worlds, customers)) / f64::from(worlds);
    assert!((0.87..=0.93).contains(&share), "{share}");
}
