//! The generator against its definition, and the files against the generator.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType, UInt32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::calendar::Day;
use crate::parallel::with_threads;

const PARETO: Model = Model::ParetoNbd { r: 0.8, alpha: 3.75, s: 0.6, beta: 12.0 };
const BG: Model = Model::BgNbd { r: 0.8, alpha: 6.0, a: 1.8, b: 3.4 };

fn config(customers: u64) -> Config {
    Config {
        customers,
        seed: 5,
        model: PARETO,
        spend: Spend { p: 6.25, q: 3.74, gamma: 15.4 },
        start: "2023-01-01".parse().unwrap(),
        end: "2024-12-28".parse().unwrap(),
        join_until: None,
        seasonality: 0.0,
        ids: Ids::Integer,
        attributes: false,
        order: Order::Time,
    }
}

fn drawn(config: Config) -> Vec<Customer> {
    let plan = Plan::new(config).unwrap();
    (0..plan.config().customers as u32).map(|i| plan.customer(i)).collect()
}

/// Mean and variance to five standard errors of the mean and to a share of the variance.
#[track_caller]
fn moments(values: impl Iterator<Item = f64>, mean: f64, variance: f64, tolerance: f64) {
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        n += 1.0;
        sum += value;
        squares += value * value;
    }
    let got = sum / n;
    assert!((got - mean).abs() < 5.0 * (variance / n).sqrt(), "mean {got} {mean}");
    let spread = squares / n - got * got;
    assert!((spread / variance - 1.0).abs() < tolerance, "variance {spread} {variance}");
}

#[test]
fn rates_have_their_moments() {
    let customers = drawn(config(100_000));
    moments(customers.iter().map(|c| c.lambda), 0.8 / 3.75, 0.8 / (3.75 * 3.75), 0.05);
    moments(customers.iter().map(|c| c.nu), 3.74 / 15.4, 3.74 / (15.4 * 15.4), 0.05);
    moments(customers.iter().map(|c| c.weeks), 62.0, 84.0 * 84.0 / 12.0, 0.02);
    let mu = |c: &Customer| match c.departure {
        Departure::After { mu, .. } => mu,
        Departure::Purchase { .. } => panic!("not of this model"),
    };
    moments(customers.iter().map(mu), 0.6 / 12.0, 0.6 / 144.0, 0.05);
    // Given its rate, an amount is gamma with mean p/ν and variance p/ν², cents aside.
    let amounts = customers.iter().map(|c| c.purchases[0].amount * c.nu);
    moments(amounts, 6.25, 6.25, 0.05);
    // Given the time it was there, a customer's repeat purchases are Poisson.
    let excess = customers.iter().map(|c| {
        let Departure::After { lifetime, .. } = c.departure else { panic!("not of this model") };
        let mean = c.lambda * c.weeks.min(lifetime);
        (c.purchases.len() as f64 - 1.0 - mean) / mean.max(1e-9).sqrt()
    });
    let (n, squares) = excess.fold((0.0, 0.0), |(n, sum), z: f64| (n + 1.0, sum + z * z));
    assert!((squares / n - 1.0f64).abs() < 0.1, "{}", squares / n);
}

#[test]
fn dropout_probabilities_have_their_moments() {
    let customers = drawn(Config { model: BG, ..config(50_000) });
    let p = |c: &Customer| match c.departure {
        Departure::Purchase { p, .. } => p,
        Departure::After { .. } => panic!("not of this model"),
    };
    moments(customers.iter().map(p), 1.8 / 5.2, 1.8 * 3.4 / (5.2 * 5.2 * 6.2), 0.05);
    // Of all repeat purchases, the expected number ended in leaving.
    let repeats: f64 = customers.iter().map(|c| p(c) * (c.purchases.len() as f64 - 1.0)).sum();
    let left = customers.iter().filter(|c| !c.is_alive()).count() as f64;
    assert!((left / repeats - 1.0).abs() < 0.03, "{left} {repeats}");
    assert!(customers.iter().all(|c| c.is_alive() || c.purchases.len() > 1));
}

/// The swing moves purchases between seasons, not their total over whole years; the year's share by month follows
/// the sine.
#[test]
fn seasons_keep_the_total() {
    let years = |seasonality| Config {
        seasonality,
        start: "2021-01-01".parse().unwrap(),
        end: "2024-12-31".parse().unwrap(),
        join_until: Some("2021-01-01".parse().unwrap()),
        // Nobody leaves to speak of, so that each year has its whole purchases.
        model: Model::ParetoNbd { r: 50.0, alpha: 100.0, s: 1.0, beta: 1e9 },
        ..config(3_000)
    };
    let repeats =
        |customers: &[Customer]| customers.iter().map(|c| c.purchases.len() as f64 - 1.0).sum::<f64>();
    let (flat, swinging) = (drawn(years(0.0)), drawn(years(0.6)));
    let (a, b) = (repeats(&flat), repeats(&swinging));
    assert!((a - b).abs() < 5.0 * (a + b).sqrt(), "{a} {b}");
    // E[cos] of a purchase's place in the year is half the swing.
    let plan = Plan::new(years(1.0)).unwrap();
    let place = |customers: &[Customer]| {
        let places = customers.iter().flat_map(|c| {
            let joined = plan.weeks() - c.weeks;
            let plan = &plan;
            c.purchases[1..].iter().map(move |p| plan.season(joined + p.at) - 1.0)
        });
        let (n, sum) = places.fold((0.0, 0.0), |(n, sum), place| (n + 1.0, sum + place));
        sum / n
    };
    assert!((place(&swinging) - 0.3).abs() < 5.0 / b.sqrt(), "{}", place(&swinging));
    assert!(place(&flat).abs() < 5.0 / a.sqrt(), "{}", place(&flat));
    assert!((plan.season(f64::from(Day(19_000).since(plan.config().start)) / 7.0) - 1.0).abs() <= 1.0);
}

#[test]
fn uuids_are_unique_and_look_so() {
    let mut seen = HashSet::new();
    for index in 0..200_000 {
        let mut id = String::new();
        ids::text_id(Ids::Uuid, 1, index, &mut id);
        assert_eq!(id.len(), 36);
        let bytes = id.as_bytes();
        assert!([8, 13, 18, 23].iter().all(|&i| bytes[i] == b'-'), "{id}");
        assert!(bytes[14] == b'4' && b"89ab".contains(&bytes[19]), "{id}");
        assert!(seen.insert(id));
    }
}

fn read(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect()
}

fn written(config: Config) -> (tempfile::TempDir, Written, Plan) {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(config).unwrap();
    let written = write(&plan, folder.path(), &()).unwrap();
    (folder, written, plan)
}

#[test]
fn history_and_truth_agree() {
    for (order, model) in [(Order::Time, PARETO), (Order::Customer, BG)] {
        let (folder, written, plan) =
            written(Config { order, model, seasonality: 0.3, attributes: true, ..config(20_000) });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let mut of_customer: BTreeMap<i64, Vec<(i64, f64)>> = BTreeMap::new();
        let (mut last, mut rows) = ((i64::MIN, i64::MIN), 0);
        for batch in read(&folder.path().join("history/part-000.parquet")) {
            let ids = batch["customer_id"].as_primitive::<Int64Type>();
            let times = batch["order_ts"].as_primitive::<TimestampMicrosecondType>();
            let amounts = batch["amount"].as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let (id, time) = (ids.value(row), times.value(row));
                let key = if order == Order::Time { (time, id) } else { (id, time) };
                assert!(key >= last);
                last = key;
                of_customer.entry(id).or_default().push((time, amounts.value(row)));
            }
            rows += batch.num_rows() as u64;
            assert_eq!(batch.num_columns(), 5);
        }
        assert_eq!((rows, of_customer.len()), (written.orders, 20_000));
        let mut index = 0;
        for batch in read(&folder.path().join(TRUTH)) {
            let ids = batch["customer_id"].as_primitive::<Int64Type>();
            let first = batch["first_order_ts"].as_primitive::<TimestampMicrosecondType>();
            let orders = batch["orders"].as_primitive::<UInt32Type>();
            let lambda = batch["lambda"].as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let rows = &of_customer[&ids.value(row)];
                let customer = plan.customer(index);
                assert_eq!(ids.value(row), i64::from(index));
                assert_eq!(rows[0].0, first.value(row));
                assert_eq!(rows.len(), orders.value(row) as usize);
                assert_eq!(lambda.value(row), customer.lambda);
                let drawn: Vec<_> = customer.purchases.iter().map(|p| (p.time, p.amount)).collect();
                assert_eq!(*rows, drawn);
                index += 1;
            }
        }
        assert_eq!(index, 20_000);
    }
}

#[test]
fn bytes_do_not_depend_on_threads() {
    for order in [Order::Time, Order::Customer] {
        let of = |threads| {
            let config = Config { order, ids: Ids::Uuid, ..config(30_000) };
            let (folder, ..) = with_threads(threads, || written(config)).unwrap();
            ["history/part-000.parquet", TRUTH].map(|name| fs::read(folder.path().join(name)).unwrap())
        };
        let one = of(1);
        for threads in [2, 3] {
            assert!(of(threads) == one, "{order:?} {threads}");
        }
    }
}

/// Slices follow each other in time, whatever their ends, and lose nothing.
#[test]
fn slices_are_in_order() {
    let plan = Plan::new(config(3_000)).unwrap();
    let pilot = slices::Pilot::new(&plan);
    let ends = pilot.ends(7);
    let folder = tempfile::tempdir().unwrap();
    let mut scratch = slices::Slices::new(folder.path(), ends.len() + 1).unwrap();
    let rows = |c: Customer| {
        c.purchases.into_iter().map(move |p| columns::Row { time: p.time, index: c.index, amount: p.amount })
    };
    let mut all: Vec<columns::Row> = (0..3_000).flat_map(|i| rows(plan.customer(i))).collect();
    scratch.append(&slices::scatter(all.iter().copied(), &ends)).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let slices: Vec<Vec<columns::Row>> = (0..scratch.len()).map(|i| scratch.sorted(i).unwrap()).collect();
    let share = all.len() as f64 / 7.0;
    assert!(slices.iter().all(|slice| (slice.len() as f64 / share - 1.0).abs() < 0.01));
    all.sort_by_key(|row| (row.time, row.index));
    assert_eq!(slices.concat(), all);
}

#[test]
fn what_cannot_be_is_refused() {
    let model = |r, alpha, s| Model::ParetoNbd { r, alpha, s, beta: 12.0 };
    let spend = Spend { p: 6.25, q: 3.74, gamma: 15.4 };
    let day = |text: &str| text.parse::<Day>().unwrap();
    for (wrong, word) in [
        (config(0), "number of customers cannot be \"0\""),
        (config(1 << 33), "too many"),
        (
            Config { model: model(-1.0, 3.0, 0.6), ..config(1) },
            "parameter r cannot be \"-1\": it must be positive",
        ),
        (Config { model: model(f64::NAN, 3.0, 0.6), ..config(1) }, "parameter r cannot be \"NaN\""),
        (Config { model: model(0.8, f64::INFINITY, 0.6), ..config(1) }, "parameter alpha"),
        (Config { model: model(0.8, 3.0, 0.0), ..config(1) }, "parameter s"),
        (Config { model: model(1e6, 1e-3, 0.6), ..config(1) }, "times in the window"),
        (Config { spend: Spend { q: 0.01, ..spend }, ..config(1) }, "parameter q"),
        (Config { seasonality: 1.5, ..config(1) }, "--seasonality"),
        (Config { seasonality: f64::NAN, ..config(1) }, "--seasonality"),
        (Config { end: day("2022-12-31"), ..config(1) }, "before the start"),
        (Config { start: day("0001-01-01"), ..config(1) }, "--start"),
        (Config { join_until: Some(day("2030-01-01")), ..config(1) }, "outside the window"),
    ] {
        let message = Plan::new(wrong).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
    let one_day = Plan::new(Config { end: day("2023-01-01"), ..config(10) }).unwrap();
    assert_eq!(one_day.join_until(), day("2023-01-01"));
}
