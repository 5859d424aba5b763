//! Predictions against closed forms, event-by-event futures, exact distributions, and worlds whose future is known.

use super::count::{orders, poisson};
use super::*;
use crate::calendar::Unit;
use crate::clv::latent::{Dropout, Latent};
use crate::clv::uncertainty::{PosteriorOptions, Prior};
use crate::clv::{BgNbd, BgNbdModel, ParetoNbd, Patterns};
use crate::parallel::with_threads;
use crate::random::{Purpose, Stream, hash_integer};
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

/// JSON has no infinite numbers, and null would say that there is none.
#[test]
fn infinite_ends_are_written_as_text() {
    let interval =
        Interval { value: 1.5, mean_lower: 0.0, mean_upper: f64::INFINITY, lower: 0.0, upper: 7.0 };
    let json = serde_json::to_value(interval).unwrap();
    assert_eq!((&json["mean_upper"], &json["upper"]), (&"inf".into(), &7.0.into()));
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

fn options(horizon: &str, level: f64) -> PredictOptions {
    discounted(horizon, "0%/yr", level)
}

fn discounted(horizon: &str, discount: &str, level: f64) -> PredictOptions {
    let (horizon, discount) = (horizon.parse().unwrap(), discount.parse().unwrap());
    PredictOptions { value: ValueOptions { horizon, discount, margin: 1.0 }, level, seed: 5 }
}

/// Counts drawn at once against counts of events, for every way to leave, few orders and many; and in each step as many as
/// are expected there.
#[test]
fn counts_are_those_of_events() {
    let flat = Steps::new(&options("20w", 0.9).value, Unit::Week);
    let steps = Steps::new(&discounted("20w", "1%/mo", 0.9).value, Unit::Week);
    assert!(flat.are_equal() && !steps.are_equal() && steps.len() == 20);
    let ways =
        [Dropout::Never, Dropout::AfterPurchase(0.3), Dropout::AtRate(0.05), Dropout::AfterPurchase(1.0)];
    let many = [Dropout::Never, Dropout::AfterPurchase(0.02), Dropout::AtRate(0.05)];
    let cases = ways.map(|way| (way, 0.4)).into_iter().chain(many.map(|way| (way, 4.5)));
    for (dropout, rate) in cases {
        let latent = Latent { alive: true, rate, dropout };
        let events = |stream: &mut Stream| {
            let mut n = 0.0;
            latent.purchases(stream, 20.0, |_| n += 1.0);
            n
        };
        let n = 20_000;
        let (by_event, variance_by_event, _) = moments(n, events);
        let mut in_step = [0.0; 20];
        for steps in [&flat, &steps] {
            let (mean, variance, error) = moments(n, |stream| {
                let mut placed = 0.0;
                let all = orders(&latent, stream, steps, |step, count| {
                    in_step[step] += count;
                    placed += count;
                });
                assert!(placed == if steps.are_equal() { 0.0 } else { all });
                all
            });
            assert!((mean - latent.expected(20.0)).abs() < 5.0 * error, "{dropout:?} {mean}");
            assert!((mean - by_event).abs() < 7.0 * error, "{dropout:?} {mean} {by_event}");
            assert!(
                (variance - variance_by_event).abs() <= 0.07 * variance_by_event,
                "{dropout:?} {variance}"
            );
        }
        for (step, &count) in in_step.iter().enumerate() {
            let until = |step: usize| latent.expected(step as f64);
            let (got, want) = (count / n as f64, until(step + 1) - until(step));
            // Of whole numbers with this mean the variance is not much larger.
            assert!(
                (got - want).abs() < 6.0 * (want / n as f64).sqrt() + 1e-9,
                "{dropout:?} {step}: {got} {want}"
            );
        }
    }
    let gone = Latent { alive: false, rate: 9.0, dropout: Dropout::Never };
    assert_eq!(orders(&gone, &mut Stream::new(1, 1, 1, Purpose::Arrivals), &steps, |_, _| {}), 0.0);
    let for_ever = Latent { alive: true, rate: 0.45, dropout: Dropout::AfterPurchase(0.0) };
    let (mean, _, error) = moments(10_000, |stream| orders(&for_ever, stream, &steps, |_, _| {}));
    assert!((mean - 9.0).abs() < 5.0 * error);
}

struct World {
    statistics: Statistics,
    hash: Vec<u64>,
}

impl World {
    fn new(frequency: &[u32], recency_days: &[u32], t_days: &[u32]) -> World {
        let days = |days: &[u32]| days.iter().map(|&days| f64::from(days)).collect();
        let worth = |&x: &u32| if x > 0 { 20.0 + f64::from(x) } else { 0.0 };
        World {
            statistics: Statistics {
                frequency: frequency.to_vec(),
                recency_days: days(recency_days),
                t_days: days(t_days),
                monetary_value: frequency.iter().map(worth).collect(),
            },
            hash: (0..frequency.len() as u64).map(hash_integer).collect(),
        }
    }

    fn customers(&self) -> Customers<'_> {
        Customers { statistics: &self.statistics, hash: &self.hash, groups: None }
    }
}

/// As many draws that are all the same: the parameters are known.
fn known<P: PurchaseModel + Clone + 'static>(model: &P, draws: usize) -> Vec<Box<dyn PurchaseModel>> {
    (0..draws).map(|_| Box::new(model.clone()) as Box<dyn PurchaseModel>).collect()
}

fn predict(
    customers: &Customers<'_>,
    purchases: &[Box<dyn PurchaseModel>],
    spend: Option<&[GammaGamma]>,
    options: PredictOptions,
) -> Predicted {
    Predictor::new(purchases, spend, options).unwrap().predict(customers, &()).unwrap()
}

/// What is drawn has the mean that is expected: orders and discounted value, of customers alive, doubtful and new, with
/// few orders and many, by both ways to leave.
#[test]
fn draws_have_their_expectation() {
    let world = World::new(
        &[2, 0, 7, 1, 0, 40, 300],
        &[213, 0, 150, 12, 0, 255, 258],
        &[272, 272, 200, 272, 0, 260, 260],
    );
    let codes: Vec<u32> = (0..7).collect();
    let customers = Customers { groups: Some(Groups { codes: &codes, count: 7 }), ..world.customers() };
    let draws = 3000;
    let spend = vec![SPEND; draws];
    let pareto = ParetoNbd { r: 0.5534, alpha: 10.578, s: 0.6061, beta: 11.669, unit: Unit::Week };
    for (name, purchases) in [("BG/NBD", known(&PURCHASES, draws)), ("Pareto/NBD", known(&pareto, draws))] {
        for discount in ["0%/yr", "3%/mo"] {
            let mut options = discounted("9mo", discount, 0.95);
            options.value.margin = 0.4;
            let found = predict(&customers, &purchases, Some(&spend), options);
            for i in 0..7 {
                let of = &world.statistics;
                let (t_x, t) = (of.recency_days[i] / 7.0, of.t_days[i] / 7.0);
                let want = purchases[0].p_alive(of.frequency[i], t_x, t);
                assert!((found.p_alive.mean_upper[i] - want).abs() < 1e-13 * want, "{name} {i}");
            }
            for (slot, sums) in found.groups.iter().chain([&found.sums]).enumerate() {
                for (expected, drawn) in [sums.of_orders(), sums.of_value()] {
                    let n = draws as f64;
                    let mean = drawn.iter().sum::<f64>() / n;
                    let error = (drawn.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n / n).sqrt();
                    let apart = (mean - expected[0]) / error;
                    assert!(apart.abs() < 4.5, "{name} {discount} {slot}: {mean} ± {error}, {}", expected[0]);
                }
            }
        }
    }
    // Parameters that are known leave the expectation no interval, and it is the closed form.
    let purchases = known(&PURCHASES, 100);
    let options = discounted("39w", "10%/yr", 0.95);
    let found = predict(&customers, &purchases, Some(&spend[..100]), options);
    let (t_x, t) = (213.0 / 7.0, 272.0 / 7.0);
    let want = PURCHASES.conditional_expected(2, t_x, t, 39.0);
    let same = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 1e-9, "{got} for {want}");
    same(found.orders.value[0], want);
    assert_eq!(found.orders.mean_lower[0], found.orders.mean_upper[0]);
    assert!(found.orders.lower[0] <= want && want <= found.orders.upper[0]);
    let factor = |week: u32| 1.1f64.powf(-7.0 * f64::from(week) / 365.25);
    let up_to = |week: u32| PURCHASES.conditional_expected(2, t_x, t, f64::from(week));
    let steps: f64 = (1..=39).map(|week| (up_to(week) - up_to(week - 1)) * factor(week)).sum();
    let (clv, spend_ends) = (found.clv.unwrap(), found.spend.unwrap());
    same(clv.value[0], steps * SPEND.expected_spend(2, 22.0));
    same(spend_ends.mean_lower[0], SPEND.expected_spend(2, 22.0));
    same(found.p_alive.mean_upper[0], PURCHASES.p_alive(2, t_x, t));
    let delta = 1.1f64.ln() / 365.25 * 7.0;
    same(found.dert.unwrap().mean_lower[0], PURCHASES.dert(2, t_x, t, delta));
}

/// A new customer's orders have a known distribution: both ends of its interval are that distribution's quantiles.
#[test]
fn ends_are_quantiles_of_the_distribution() {
    let world = World::new(&[0], &[0], &[0]);
    let found = predict(&world.customers(), &known(&PURCHASES, 20_000), None, options("78w", 0.9));
    let quantile = |p: f64| {
        let (mut x, mut cumulated) = (0, PURCHASES.pmf(0, 78.0));
        while cumulated < p {
            x += 1;
            cumulated += PURCHASES.pmf(x, 78.0);
        }
        f64::from(x)
    };
    assert_eq!((found.orders.lower[0], found.orders.upper[0]), (quantile(0.05), quantile(0.95)));
    assert!(found.clv.is_none() && found.dert.is_none() && found.sums.total(0.9).clv.is_none());
}

/// Neither threads nor other customers change a customer's numbers, and groups add up.
#[test]
fn customers_stand_alone_and_groups_add_up() {
    let n = 20_000u32;
    let frequency: Vec<u32> = (0..n).map(|i| i % 4).collect();
    let t_days: Vec<u32> = (0..n).map(|i| 100 + i % 50).collect();
    let recency: Vec<u32> =
        (0..n as usize).map(|i| if frequency[i] > 0 { t_days[i] / 2 } else { 0 }).collect();
    let world = World::new(&frequency, &recency, &t_days);
    let draws: Vec<Box<dyn PurchaseModel>> = (0..12)
        .map(|i| Box::new(BgNbd { r: 0.2 + 0.01 * f64::from(i), ..PURCHASES }) as Box<dyn PurchaseModel>)
        .collect();
    let spend = vec![SPEND; 12];
    let codes: Vec<u32> = (0..n).map(|i| i % 3).collect();
    let options = discounted("26w", "10%/yr", 0.8);
    let customers = Customers { groups: Some(Groups { codes: &codes, count: 3 }), ..world.customers() };
    let run = |threads| with_threads(threads, || predict(&customers, &draws, Some(&spend), options)).unwrap();
    let found = run(1);
    assert!(found == run(3));
    let all = found.sums.total(0.8);
    assert_eq!(all.customers, u64::from(n));
    let groups: Vec<Total> = found.groups.iter().map(|sums| sums.total(0.8)).collect();
    assert_eq!(groups.iter().map(|group| group.customers).sum::<u64>(), all.customers);
    let together: f64 = groups.iter().map(|group| group.clv.unwrap().value).sum();
    assert!((together / all.clv.unwrap().value - 1.0).abs() < 1e-12);
    let of_customers: f64 = found.orders.value.iter().sum();
    assert!((of_customers / all.orders.value - 1.0).abs() < 1e-12);
    assert!(all.orders.mean_lower < all.orders.value && all.orders.value < all.orders.mean_upper);
    // The last few customers alone.
    let from = n as usize - 7;
    let some = World {
        statistics: Statistics {
            frequency: frequency[from..].to_vec(),
            recency_days: world.statistics.recency_days[from..].to_vec(),
            t_days: world.statistics.t_days[from..].to_vec(),
            monetary_value: world.statistics.monetary_value[from..].to_vec(),
        },
        hash: world.hash[from..].to_vec(),
    };
    let alone = predict(&some.customers(), &draws, Some(&spend), options);
    assert_eq!(alone.orders.upper, found.orders.upper[from..]);
    assert_eq!(alone.clv.unwrap().upper, found.clv.unwrap().upper[from..]);
}

#[test]
fn what_cannot_be_is_refused() {
    let world = World::new(&[0, 1], &[0, 3], &[5, 5]);
    let draws = known(&PURCHASES, 100);
    let good = options("4w", 0.9);
    let new = |draws: &[Box<dyn PurchaseModel>], spend: Option<&[GammaGamma]>, options| {
        Predictor::new(draws, spend, options).err().map(|e| e.to_string()).unwrap_or_default()
    };
    assert!(new(&[], None, good).contains("draws"));
    assert!(new(&draws, Some(&[SPEND]), good).contains("spend"));
    assert!(new(&draws, None, options("4w", 95.0)).contains("level"));
    let predictor = Predictor::new(&draws, None, good).unwrap();
    let said = |customers: &Customers<'_>| predictor.predict(customers, &()).unwrap_err().to_string();
    let customers = world.customers();
    let with = |codes, count| Customers { groups: Some(Groups { codes, count }), ..customers };
    assert!(said(&with(&[0, 2], 2)).contains("group code"));
    assert!(said(&with(&[0], 2)).contains("group codes"));
    assert!(said(&with(&[0, 1], 2501)).contains("2500 at most"));
    assert!(said(&Customers { hash: &world.hash[1..], ..customers }).contains("hash"));
    let heavy = [GammaGamma { q: 0.9, ..SPEND }; 100];
    let predictor = Predictor::new(&draws, Some(&heavy), good).unwrap();
    assert!(predictor.warnings()[0].contains("no finite mean"));
    let found = predictor.predict(&customers, &()).unwrap();
    // The expectation is infinite, what happens is not.
    let clv = found.clv.unwrap();
    assert!(clv.value[0].is_infinite() && clv.mean_lower[0].is_infinite() && clv.upper[0].is_finite());
    let few = Predictor::new(&draws[..10], None, good).unwrap();
    assert!(few.warnings()[0].contains("too few"), "{:?}", few.warnings());
    let nobody = World::new(&[], &[], &[]);
    let found = few.predict(&nobody.customers(), &()).unwrap();
    let total = found.sums.total(0.9);
    assert_eq!((total.customers, total.orders.upper), (0, 0.0));
}

/// How often of `worlds` something was below its interval and above it, against the two-sided band of four binomial
/// standard errors.
#[track_caller]
fn covered(what: &str, beyond: &[(bool, bool)], level: f64) {
    let n = beyond.len() as f64;
    let share =
        |of: &dyn Fn(&(bool, bool)) -> bool| beyond.iter().filter(|world| of(world)).count() as f64 / n;
    let tail = 0.5 * (1.0 - level);
    for (end, got, want) in [
        ("below", share(&|world| world.0), tail),
        ("above", share(&|world| world.1), tail),
        ("within", share(&|world| !world.0 && !world.1), level),
    ] {
        let band = 4.0 * (want * (1.0 - want) / n).sqrt();
        assert!(got > 0.0 && (got - want).abs() < band, "{what}: {got} {end} for {want} ± {band}");
    }
}

/// A customer of a world: its history, and what it does afterwards by step, with what that is worth.
fn live(model: &BgNbd, world: u32, i: u64, end: f64, steps: &Steps) -> (u32, f64, f64, f64, f64) {
    let mut stream = Stream::new(77, hash_integer(i), world, Purpose::Synth);
    let mut amounts = Stream::new(78, hash_integer(i), world, Purpose::Synth);
    let latent = model.draw(&mut stream, 0, 0.0, 0.0);
    let rate = amounts.gamma(SPEND.q) / SPEND.gamma;
    let (mut x, mut last, mut spent, mut orders, mut value) = (0, 0.0, 0.0, 0.0, 0.0);
    latent.purchases(&mut stream, end + steps.horizon(), |at| {
        let amount = amounts.gamma(SPEND.p) / rate;
        if at <= end {
            x += 1;
            last = at;
            spent += amount;
        } else {
            orders += 1.0;
            value += amount * steps.factor(steps.at(at - end));
        }
    });
    (x, last, if x > 0 { spent / f64::from(x) } else { 0.0 }, orders, value)
}

/// Worlds of known parameters: the customers' total value of the future, discounted by step, is within its interval as often
/// as stated, and misses it at both ends alike.
#[test]
fn totals_of_value_are_covered_as_often_as_stated() {
    let model = BgNbd { r: 0.8, alpha: 7.0, a: 0.8, b: 2.4, unit: Unit::Week };
    let (draws, level) = (100, 0.8);
    let options = discounted("6mo", "5%/mo", level);
    let steps = Steps::new(&options.value, Unit::Week);
    let (purchases, spend) = (known(&model, draws), vec![SPEND; draws]);
    let worlds = parallel::map(400, |world| {
        let (mut statistics, mut value) = (Statistics::default(), 0.0);
        for i in 0..25 {
            let end = [26.0, 38.0][(i % 2) as usize];
            let (x, last, mean, _, worth) = live(&model, world as u32, i, end, &steps);
            statistics.frequency.push(x);
            statistics.recency_days.push(7.0 * last);
            statistics.t_days.push(7.0 * end);
            statistics.monetary_value.push(mean);
            value += worth;
        }
        let hash: Vec<u64> = (0..25).map(hash_integer).collect();
        let customers = Customers { statistics: &statistics, hash: &hash, groups: None };
        let options = PredictOptions { seed: world as u64, ..options };
        let total = predict(&customers, &purchases, Some(&spend), options).sums.total(level).clv.unwrap();
        (value < total.lower, value > total.upper)
    });
    covered("value", &worlds, level);
}

/// The same of orders, where the parameters are fitted to each world's past and drawn from their posterior.
#[test]
fn totals_are_covered_as_often_as_stated() {
    let model = BgNbd { r: 0.8, alpha: 7.0, a: 0.8, b: 2.4, unit: Unit::Week };
    let (customers, level) = (80, 0.8);
    let options = options("26w", level);
    let steps = Steps::new(&options.value, Unit::Week);
    let worlds = parallel::map(240, |world| {
        let (mut statistics, mut future) = (Statistics::default(), 0.0);
        for i in 0..customers {
            let end = [26.0, 38.0][(i % 2) as usize];
            let (x, last, _, orders, _) = live(&model, world as u32, i, end, &steps);
            statistics.frequency.push(x);
            statistics.recency_days.push(7.0 * last);
            statistics.t_days.push(7.0 * end);
            future += orders;
        }
        let Statistics { frequency, recency_days, t_days, .. } = &statistics;
        let patterns = Patterns::from_times(frequency, recency_days, t_days).unwrap();
        let fit = BgNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
        let asked = PosteriorOptions { prior: Prior::Flat, draws: 100, seed: 1 };
        let likelihood = BgNbdModel.likelihood(&patterns, Unit::Week);
        let posterior = fit.posterior(&likelihood, &asked, &()).unwrap().unwrap();
        let draws: Vec<Box<dyn PurchaseModel>> =
            posterior.draws.iter().map(|draw| Box::new(*draw) as Box<dyn PurchaseModel>).collect();
        let hash: Vec<u64> = (0..customers).map(hash_integer).collect();
        let customers = Customers { statistics: &statistics, hash: &hash, groups: None };
        let options = PredictOptions { seed: world as u64, ..options };
        let total = predict(&customers, &draws, None, options).sums.total(level).orders;
        (future < total.lower, future > total.upper)
    });
    covered("orders", &worlds, level);
}
