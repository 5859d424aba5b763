//! The fits, Pareto/NBD's predictions and the value columns on the whole CDNOW log, and on a simulated million with `TIERCAST_BENCH_MILLION=1`.

#[path = "../src/clv/test_data.rs"]
mod test_data;

use std::hint::black_box;

use calendar::Unit;
use criterion::{Criterion, criterion_group, criterion_main};
use tiercast::calendar;
use tiercast::clv::{
    BgNbd, BgNbdModel, Fit, GammaGamma, GammaGammaModel, ParetoNbd, ParetoNbdModel, Patterns, PurchaseModel,
    ValueOptions, customer_value,
};
use tiercast::random::{Purpose, Stream, hash_integer};

/// Customers of a BG/NBD and Gamma-Gamma world at the parameters of the CDNOW sample: frequency, recency and T in
/// days, mean repeat spend.
fn world(customers: u64) -> (Vec<u32>, Vec<u32>, Vec<u32>, Vec<f64>) {
    let mut out = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for customer in 0..customers {
        let mut stream = Stream::new(1, hash_integer(customer), 0, Purpose::Latent);
        let rate = stream.gamma(0.8) / 4.4 / 7.0;
        let dropout = stream.beta(0.8, 2.4);
        let t = (140.0 + 590.0 * stream.uniform()) as u32;
        let (mut x, mut last, mut now) = (0u32, 0u32, 0.0);
        loop {
            now += stream.exponential() / rate;
            if now >= f64::from(t) {
                break;
            }
            // Purchases of one day count once.
            if now as u32 > last {
                (x, last) = (x + 1, now as u32);
                if stream.uniform() < dropout {
                    break;
                }
            }
        }
        let spend_rate = stream.gamma(3.74) / 15.44;
        let n = f64::from(x);
        out.0.push(x);
        out.1.push(last);
        out.2.push(t);
        out.3.push(if x == 0 { 0.0 } else { stream.gamma(6.25 * n) / spend_rate / n });
    }
    out
}

fn options() -> ValueOptions {
    ValueOptions { horizon: "12mo".parse().unwrap(), discount: "10%/yr".parse().unwrap(), margin: 1.0 }
}

fn fits(criterion: &mut Criterion) {
    let million = std::env::var_os("TIERCAST_BENCH_MILLION").is_some();
    let (x, recency, t, spend) = if million {
        world(1_000_000)
    } else {
        let log = test_data::whole_log();
        (log.frequency, log.recency_days, log.t_days, log.monetary_value)
    };
    let mut group = criterion.benchmark_group(format!("{} customers", x.len()));
    group.sample_size(10);
    group.bench_function("patterns", |b| {
        b.iter(|| Patterns::from_days(black_box(&x), &recency, &t).unwrap());
    });
    let patterns = Patterns::from_days(&x, &recency, &t).unwrap();
    group.bench_function("BG/NBD", |b| {
        b.iter(|| BgNbdModel.fit(black_box(&patterns), Unit::Week, &()).unwrap());
    });
    group.bench_function("Gamma-Gamma", |b| {
        b.iter(|| GammaGammaModel.fit(black_box(&x), &spend, &()).unwrap());
    });
    let purchases: Fit<BgNbd> = BgNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
    let money: Fit<GammaGamma> = GammaGammaModel.fit(&x, &spend, &()).unwrap();
    group.bench_function("value columns with intervals", |b| {
        b.iter(|| customer_value(&patterns, &spend, &purchases, Some(&money), &options(), &()).unwrap());
    });
    group.finish();
}

/// Customers of a Pareto/NBD world near the parameters of the CDNOW sample: frequency, recency and T in days.
fn pareto_world(customers: u64) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let mut out = (Vec::new(), Vec::new(), Vec::new());
    for customer in 0..customers {
        let mut stream = Stream::new(1, hash_integer(customer), 0, Purpose::Latent);
        let rate = stream.gamma(0.55) / 10.6 / 7.0;
        let dropout = stream.gamma(0.61) / 11.7 / 7.0;
        let t = (140.0 + 590.0 * stream.uniform()) as u32;
        let end = f64::from(t).min(stream.exponential() / dropout);
        let (mut x, mut last, mut now) = (0u32, 0u32, 0.0);
        loop {
            now += stream.exponential() / rate;
            if now >= end {
                break;
            }
            // Purchases of one day count once.
            if now as u32 > last {
                (x, last) = (x + 1, now as u32);
            }
        }
        out.0.push(x);
        out.1.push(last);
        out.2.push(t);
    }
    out
}

/// Pareto/NBD: the fit to 100,000 customers, and what each of them costs afterwards, one at a time on one thread.
fn pareto_nbd(criterion: &mut Criterion) {
    let (x, recency, t) = pareto_world(100_000);
    let mut group = criterion.benchmark_group("Pareto/NBD, 100000 customers");
    group.sample_size(10);
    let patterns = Patterns::from_days(&x, &recency, &t).unwrap();
    group.bench_function("fit", |b| {
        b.iter(|| ParetoNbdModel.fit(black_box(&patterns), Unit::Week, &()).unwrap());
    });
    let fit: Fit<ParetoNbd> = ParetoNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
    let params = fit.params.unwrap();
    let weeks = |days: u32| Unit::Week.of_days(days);
    let mut each = |name: &str, f: &dyn Fn(u32, f64, f64) -> f64| {
        group.bench_function(name, |b| {
            b.iter(|| (0..x.len()).map(|i| f(x[i], weeks(recency[i]), weeks(t[i]))).sum::<f64>());
        });
    };
    each("P(alive)", &|x, t_x, t| params.p_alive(x, t_x, t));
    each("52 weeks' purchases if alive", &|x, _, t| params.expected_if_alive(x, t, 52.0));
    each("DERT if alive", &|x, _, t| params.discounted_if_alive(x, t, 0.0027, f64::INFINITY));
    group.finish();
}

criterion_group!(benches, fits, pareto_nbd);
criterion_main!(benches);
