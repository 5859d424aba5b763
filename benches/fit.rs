//! The two fits and the value columns on the whole CDNOW log, and on a simulated million with `TIERCAST_BENCH_MILLION=1`.

#[path = "../src/clv/test_data.rs"]
mod test_data;

use std::hint::black_box;

use calendar::Unit;
use criterion::{Criterion, criterion_group, criterion_main};
use tiercast::calendar;
use tiercast::clv::{
    BgNbd, BgNbdModel, Fit, GammaGamma, GammaGammaModel, Patterns, ValueOptions, customer_value,
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

criterion_group!(benches, fits);
criterion_main!(benches);
