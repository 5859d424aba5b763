//! The data set `datasets/shop`: that it is what its generator makes, and that what is planted in it is found.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tiercast::calendar::Unit;
use tiercast::clv::covariates::{self, Covariate, Covariates, Options};
use tiercast::clv::{GammaGammaModel, ParetoNbdModel, Patterns, Verdict};
use tiercast::history::{HistoryOptions, Source};
use tiercast::synth::shop::{
    self, AMOUNT_SHAPE, ANSWERED, CHANNELS, CONTACT_WEEK, CONTACTS, CUSTOMERS, CUSTOMERS_LIST, Level, Member,
    NATURES, Nature, OPTED_OUT, ORDERS, PROSPECTS, REGIONS, SEED, SOURCES, STRATA, Shop, TRUTH,
};

use crate::support::{Scratch, dataset};

const FILES: [&str; 4] = [ORDERS, CUSTOMERS_LIST, CONTACTS, TRUTH];

fn read(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let mut batches = reader.with_batch_size(1 << 20).build().unwrap();
    let batch = batches.next().unwrap().unwrap();
    assert!(batches.next().is_none());
    batch
}

fn file(name: &str) -> RecordBatch {
    read(&dataset("shop").join(name))
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Vec<&'a str> {
    // Nulls are empty.
    batch.column_by_name(name).unwrap().as_string::<i32>().iter().map(Option::unwrap_or_default).collect()
}

/// Numbers of any of the types in the files; nulls are NaN.
fn numbers(batch: &RecordBatch, name: &str) -> Vec<f64> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    let value = |i: usize| match column.data_type() {
        DataType::Int32 => f64::from(column.as_primitive::<Int32Type>().value(i)),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(i) as f64,
        DataType::Float64 => column.as_primitive::<Float64Type>().value(i),
        DataType::Decimal128(_, 2) => column.as_primitive::<Decimal128Type>().value(i) as f64 / 100.0,
        DataType::Boolean => f64::from(u8::from(column.as_boolean().value(i))),
        other => panic!("{name} is {other}"),
    };
    (0..column.len()).map(|i| if column.is_null(i) { f64::NAN } else { value(i) }).collect()
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0))
}

/// The files hold what the generator makes. Bytes depend on the version of the compression; the content does not.
#[test]
fn the_files_are_those_of_the_generator() {
    let scratch = Scratch::new();
    let written = Shop::new(SEED, CUSTOMERS).write(scratch.root()).unwrap();
    assert_eq!(written.len(), FILES.len());
    let mut bytes = 0;
    for ((path, rows), name) in written.iter().zip(FILES) {
        let (made, kept) = (read(path), file(name));
        bytes += std::fs::metadata(dataset("shop").join(name)).unwrap().len();
        assert_eq!(*rows, kept.num_rows(), "{name}");
        assert_eq!(made.schema(), kept.schema(), "{name}");
        for (field, (made, kept)) in
            made.schema().fields().iter().zip(made.columns().iter().zip(kept.columns()))
        {
            let same = match (made.as_primitive_opt::<Float64Type>(), kept.as_primitive_opt::<Float64Type>())
            {
                // Other machines' exp and ln may differ in the last digit.
                (Some(made), Some(kept)) => made.iter().zip(kept).all(|pair| match pair {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs(),
                    (a, b) => a == b,
                }),
                _ => made == kept,
            };
            assert!(same, "{name}: {}", field.name());
        }
    }
    assert!(bytes < 3_000_000, "{bytes}");
}

#[test]
fn every_row_is_used_or_has_a_reason() {
    let scratch = Scratch::new();
    let (orders, list) = (dataset("shop/orders.parquet"), dataset("shop/customers.parquet"));
    let common =
        ["summarize", orders.to_str().unwrap(), "--customers-list", list.to_str().unwrap(), "--json"];
    let run = |more: &[&str]| -> Value {
        let ran = scratch.run(&[&common[..], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let plain = run(&["-o", "plain.parquet"]);
    let truth = file(TRUTH);
    let shop = Shop::new(SEED, CUSTOMERS);
    let planted: usize = shop.members.iter().map(|m| m.purchases.len()).sum();
    let vouchers = shop.members.iter().flat_map(|m| &m.purchases).filter(|p| p.cents == 0).count();
    let ledger = &plain["ledger"];
    let reasons = &ledger["set_aside_by_reason"];
    let bad = shop::GUESTS + shop::NO_DATE + shop::SPREADSHEET_DATES + shop::NO_AMOUNT;
    assert_eq!(ledger["read"], planted + bad + shop::REFUNDS + shop::ORPHAN_REFUNDS + shop::DUPLICATES);
    assert_eq!(ledger["used"], planted + shop::DUPLICATES);
    assert_eq!(reasons["null_customer"], shop::GUESTS);
    assert_eq!(reasons["null_time"], shop::NO_DATE);
    assert_eq!(reasons["impossible_date"], shop::SPREADSHEET_DATES);
    assert_eq!(reasons["null_amount"], shop::NO_AMOUNT);
    assert_eq!(reasons["refund"], shop::REFUNDS + shop::ORPHAN_REFUNDS);
    assert_eq!(reasons.as_object().unwrap().len(), 5, "{reasons}");
    // The README has them.
    assert_eq!((&ledger["read"], &ledger["zero_amounts"]), (&ROWS.into(), &vouchers.into()), "{ledger}");
    assert_eq!((shop::GUESTS, shop::REFUNDS, shop::DUPLICATES, vouchers), (40, 180, 60, VOUCHERS));

    let prospects = numbers(&truth, "lambda").iter().filter(|l| l.is_nan()).count();
    assert_eq!(plain["customers_list"]["prospects"], prospects);
    assert_eq!(plain["customers_list"]["not_listed"], 0);
    assert_eq!(plain["customers"], CUSTOMERS as usize - prospects);
    assert_eq!(prospects, PROSPECTS_THERE);

    let net = run(&[
        "-o",
        "net.parquet",
        "--refunds",
        "net",
        "--drop-duplicates",
        "--cost",
        "cost",
        "--keep",
        "channel",
        "--periods",
        "quarter:8",
    ]);
    let reasons = &net["ledger"]["set_aside_by_reason"];
    assert_eq!(reasons["refund_without_order"], shop::ORPHAN_REFUNDS);
    assert_eq!(reasons["duplicate"], shop::DUPLICATES);
    assert!(reasons["refund"].is_null());
    let table = read(&scratch.path("net.parquet"));
    for name in
        ["total_cost", "channel", "orders_2025_Q2", "spend_2023_Q3", "gap_mean", "credit_limit", "region"]
    {
        assert!(table.column_by_name(name).is_some(), "{name}");
    }
    // The table's orders are those of the truth, duplicates dropped; its spend is that less the refunds of customers.
    let rows = file(ORDERS);
    let refunded: f64 = numbers(&rows, "amount").iter().filter(|a| **a < 0.0).sum();
    let orphaned: f64 = {
        let of_prospects: std::collections::HashSet<String> =
            shop.members.iter().filter(|m| m.truth.is_none()).map(|m| m.profile.id()).collect();
        let pairs = texts(&rows, "customer_id").into_iter().zip(numbers(&rows, "amount"));
        pairs.filter(|(id, amount)| *amount < 0.0 && of_prospects.contains(*id)).map(|(_, a)| a).sum()
    };
    let cents: i64 = shop.members.iter().flat_map(|m| &m.purchases).map(|p| p.cents).sum();
    let total: f64 = numbers(&table, "total_spend").into_iter().filter(|s| !s.is_nan()).sum();
    assert!((total - (cents as f64 / 100.0 + refunded - orphaned)).abs() < 0.01, "{total}");
}

const ROWS: usize = 70_529;
const VOUCHERS: usize = 15;
const PROSPECTS_THERE: usize = 2_008;

/// That `count` of `n` is a share as planted: within four standard errors.
#[track_caller]
fn is_share(count: usize, n: usize, share: f64, what: &str) {
    let error = (share * (1.0 - share) / n as f64).sqrt();
    let got = count as f64 / n as f64;
    assert!((got - share).abs() < 4.0 * error, "{what}: {got} instead of {share}");
}

#[test]
fn attributes_have_their_shares() {
    let (list, truth, orders) = (file(CUSTOMERS_LIST), file(TRUTH), file(ORDERS));
    let n = list.num_rows();
    let natures = texts(&list, "nature");
    for nature in &NATURES {
        let own: Vec<usize> = (0..n).filter(|&i| natures[i] == nature.name).collect();
        is_share(own.len(), n, nature.share, nature.name);
        let industries = texts(&list, "industry");
        for (industry, share) in nature.industries {
            is_share(
                own.iter().filter(|&&i| industries[i] == *industry).count(),
                own.len(),
                *share,
                industry,
            );
        }
        assert_eq!(nature.industries.is_empty(), own.iter().all(|&i| industries[i].is_empty()));
    }
    let levels = |batch: &RecordBatch, column: &str, levels: &[Level]| {
        let values = texts(batch, column);
        for level in levels {
            is_share(values.iter().filter(|v| **v == level.name).count(), n, level.share, level.name);
        }
    };
    levels(&list, "region", &REGIONS);
    levels(&list, "source", &SOURCES);
    levels(&truth, "home_channel", &CHANNELS);
    let prospects = numbers(&truth, "lambda").iter().filter(|l| l.is_nan()).count();
    is_share(prospects, n, PROSPECTS, "prospects");
    is_share(numbers(&list, "opted_out").iter().filter(|o| **o == 1.0).count(), n, OPTED_OUT, "opted out");
    let answered = numbers(&list, "satisfaction").iter().filter(|s| !s.is_nan()).count();
    is_share(answered, n - prospects, ANSWERED, "answered");
    let limits = numbers(&list, "credit_limit");
    assert!((0..n).all(|i| natures[i] != "person" || limits[i].is_nan()));
    for channel in ["online", "store"] {
        let share = texts(&orders, "channel").iter().filter(|c| **c == channel).count() as f64
            / orders.num_rows() as f64;
        assert!((0.25..0.75).contains(&share), "{channel} {share}");
    }
}

/// What a fit sees of a customer up to the contact, in continuous time.
fn seen(member: &Member) -> Option<(u32, f64, f64)> {
    let joined = member.profile.behaviour.as_ref()?.joined;
    let before: Vec<f64> =
        member.purchases.iter().map(|p| p.at).take_while(|at| *at < CONTACT_WEEK).collect();
    let last = before.last()?;
    Some((before.len() as u32 - 1, 7.0 * (last - joined), 7.0 * (CONTACT_WEEK - joined)))
}

/// Distances of every parameter and coefficient of Pareto/NBD from what is planted in a nature, in standard errors.
fn distances(nature: &Nature, members: &[&Member], statistics: &[(u32, f64, f64)]) -> Vec<(String, f64)> {
    let x: Vec<u32> = statistics.iter().map(|s| s.0).collect();
    let column = |f: fn(&(u32, f64, f64)) -> f64| statistics.iter().map(f).collect::<Vec<_>>();
    let patterns = Patterns::from_times(&x, &column(|s| s.1), &column(|s| s.2)).unwrap();
    let region = |f: fn(&Level) -> &'static str| {
        Covariate::categorical("region", members.iter().map(|m| Some(f(m.profile.region))))
    };
    let source = Covariate::categorical("source", members.iter().map(|m| Some(m.profile.source.name)));
    // Of the regions only the west moves dropout.
    let west = region(|level| if level.name == "west" { "west" } else { "others" });
    let covariates =
        Covariates::new(&[region(|level| level.name), source.clone()], &[west, source], members.len())
            .unwrap();
    let fit = covariates::fit(&ParetoNbdModel, &patterns, &covariates, Unit::Week, Options::default(), &())
        .unwrap();
    let report = fit.report;
    assert_eq!(report.fit.verdict, Verdict::VerifiedOptimum, "{}: {report:?}", nature.name);
    let planted = [nature.r, nature.alpha, nature.s, nature.beta];
    let mut out: Vec<(String, f64)> = (report.fit.parameters.iter().zip(planted))
        .map(|(p, truth)| {
            (p.name.to_string(), (p.estimate / truth).ln() * p.estimate / p.standard_error.unwrap())
        })
        .collect();
    for c in &report.coefficients {
        let levels: &[Level] = if c.covariate == "region" { &REGIONS } else { &SOURCES };
        let (level, reference) = (c.level.as_deref().unwrap(), c.reference.as_deref().unwrap());
        assert!(["north", "organic", "others"].contains(&reference));
        let level = levels.iter().find(|l| l.name == level).unwrap();
        let dropout = format!("{:?}", c.side) == "Dropout";
        let factor = if dropout { level.dropout } else { level.rate };
        let name = format!("{:?} {}", c.side, level.name);
        out.push((name, (c.estimate - factor.ln()) / c.standard_error.unwrap()));
    }
    out
}

#[track_caller]
fn all_within(distances: &[(String, f64)], most: f64, what: &str) {
    assert_eq!(distances.len(), 4 + 5 + 3);
    for (name, z) in distances {
        assert!(z.abs() < most, "{what}, {name}: {z} standard errors; all: {distances:?}");
    }
}

/// Exact times up to the contact give parameters and coefficients of each nature back.
#[test]
fn exact_times_give_the_planted_parameters() {
    let shop = Shop::new(SEED, CUSTOMERS);
    for nature in &NATURES {
        let of_nature = shop.members.iter().filter(|m| m.profile.nature.name == nature.name);
        let (members, statistics): (Vec<&Member>, Vec<_>) =
            of_nature.filter_map(|m| Some((m, seen(m)?))).unzip();
        all_within(&distances(nature, &members, &statistics), 3.0, nature.name);
    }
}

/// The table of days that `summarize` makes gives them back too: customers buy so rarely that merging a day's purchases
/// costs less than a standard error.
#[test]
fn days_give_the_planted_parameters() {
    let shop = Shop::new(SEED, CUSTOMERS);
    let options = HistoryOptions { as_of: Some("2025-01-12".parse().unwrap()), ..HistoryOptions::default() };
    let source = [Source::Path(dataset("shop/orders.parquet"))];
    let table = tiercast::customers::summarize(&source, &options, Unit::Week, &()).unwrap().table;
    let places: HashMap<String, usize> = (0..table.len()).map(|i| (table.ids.text(i), i)).collect();
    for nature in &NATURES {
        let of_nature = shop.members.iter().filter(|m| m.profile.nature.name == nature.name);
        let (members, statistics): (Vec<&Member>, Vec<_>) = of_nature
            .filter_map(|m| {
                let &i = places.get(&m.profile.id())?;
                let (recency, t) = (f64::from(table.recency_days[i]), f64::from(table.t_days[i]));
                Some((m, (table.frequency[i], recency, t)))
            })
            .unzip();
        all_within(&distances(nature, &members, &statistics), 3.0, nature.name);
    }
}

/// Gamma-Gamma finds the spend of each nature, once the factors on it are taken off.
#[test]
fn amounts_give_the_planted_parameters() {
    let shop = Shop::new(SEED, CUSTOMERS);
    for nature in &NATURES {
        let of_nature =
            shop.members.iter().filter(|m| m.profile.nature.name == nature.name && m.truth.is_some());
        let (frequency, value): (Vec<u32>, Vec<f64>) = of_nature
            .map(|m| {
                let repeats: Vec<i64> = m.purchases.iter().skip(1).map(|p| p.cents).collect();
                let mean = repeats.iter().sum::<i64>() as f64 / 100.0 / repeats.len().max(1) as f64;
                (repeats.len() as u32, mean / m.profile.spend_factor())
            })
            .unzip();
        let fit = GammaGammaModel.fit(&frequency, &value, &()).unwrap();
        assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum, "{}", nature.name);
        let gamma = nature.order_value * (nature.q - 1.0) / AMOUNT_SHAPE;
        for (p, truth) in fit.report.parameters.iter().zip([AMOUNT_SHAPE, nature.q, gamma]) {
            let z = (p.estimate / truth).ln() * p.estimate / p.standard_error.unwrap();
            assert!(z.abs() < 3.0, "{} {}: {} instead of {truth}, z {z}", nature.name, p.name, p.estimate);
        }
    }
}

/// Difference in means of called and not called, with its variance, and the mean of the truth.
fn difference(outcome: &[f64], treated: &[f64], truth: &[f64], who: &[usize]) -> (f64, f64, f64) {
    let arm = |arm: f64| -> (f64, f64) {
        let values: Vec<f64> = who.iter().filter(|&&i| treated[i] == arm).map(|&i| outcome[i]).collect();
        let (mean, variance) = mean_and_variance(&values);
        (mean, variance / values.len() as f64)
    };
    let (called, others) = (arm(1.0), arm(0.0));
    let truth = who.iter().map(|&i| truth[i]).sum::<f64>() / who.len() as f64;
    (called.0 - others.0, called.1 + others.1, truth)
}

/// A difference in means finds the effect that was planted, in each stratum and weighted over them; not over all alike.
#[test]
fn the_contact_has_its_effect() {
    let (contacts, truth) = (file(CONTACTS), file(TRUTH));
    let place: HashMap<&str, usize> =
        texts(&truth, "customer_id").into_iter().enumerate().map(|(i, id)| (id, i)).collect();
    let rows: Vec<usize> = texts(&contacts, "customer_id").into_iter().map(|id| place[id]).collect();
    let of_truth = |name: &str| -> Vec<f64> {
        let column = numbers(&truth, name);
        rows.iter().map(|&i| column[i]).collect()
    };
    let treated = numbers(&contacts, "treated");
    let strata = texts(&contacts, "stratum");
    let all: Vec<usize> = (0..rows.len()).collect();
    let caused: f64 = of_truth("caused_orders").iter().sum();
    let expected: f64 =
        of_truth("extra_orders_12w").iter().zip(&treated).filter(|(_, t)| **t == 1.0).map(|(e, _)| e).sum();
    assert!((caused - expected).abs() < 3.0 * expected.sqrt(), "{caused} {expected}");
    for (outcome, effect) in [("orders_12w", "extra_orders_12w"), ("spend_12w", "extra_spend_12w")] {
        let (outcome, effect) = (numbers(&contacts, outcome), of_truth(effect));
        let (mut sum, mut variance, mut planted) = (0.0, 0.0, 0.0);
        for stratum in &STRATA {
            let who: Vec<usize> = all.iter().copied().filter(|&i| strata[i] == stratum.name).collect();
            let called = who.iter().filter(|&&i| treated[i] == 1.0).count();
            is_share(called, who.len(), stratum.probability, stratum.name);
            let (found, error2, true_one) = difference(&outcome, &treated, &effect, &who);
            let z = (found - true_one) / error2.sqrt();
            assert!(z.abs() < 3.0, "{}: {found} instead of {true_one}, z {z}", stratum.name);
            if stratum.name == "mid" {
                // Orders tell the effect from none; spend, whose chance is larger, does only by two standard errors.
                assert!(found > 2.0 * error2.sqrt(), "{found}");
            }
            let weight = who.len() as f64 / all.len() as f64;
            sum += weight * found;
            variance += weight * weight * error2;
            planted += weight * true_one;
        }
        let z = (sum - planted) / variance.sqrt();
        assert!(z.abs() < 3.0, "{sum} instead of {planted}, z {z}");
        // Who spends more was called more often: without strata the contact seems to do what it does not.
        let (naive, error2, _) = difference(&outcome, &treated, &effect, &all);
        assert!(naive - planted > 3.0 * error2.sqrt(), "{naive} {planted}");
    }
}

/// The strata are the value tiers on the day before the contact; outcomes are those of the orders.
#[test]
fn contacts_agree_with_the_orders() {
    let contacts = file(CONTACTS);
    let options = HistoryOptions {
        as_of: Some("2025-04-06".parse().unwrap()),
        calibration_end: Some("2025-01-12".parse().unwrap()),
        drop_duplicates: true,
        ..HistoryOptions::default()
    };
    let source = [Source::Path(dataset("shop/orders.parquet"))];
    let table = tiercast::customers::summarize(&source, &options, Unit::Week, &()).unwrap().table;
    let scheme = tiercast::tier::builtin::scheme_file("value").unwrap();
    let columns = tiercast::tier::Columns::of_table(&table);
    let tiers = scheme.grade(&table, &columns).unwrap().tiering;
    let places: HashMap<String, usize> = (0..table.len()).map(|i| (table.ids.text(i), i)).collect();
    let (strata, ids) = (texts(&contacts, "stratum"), texts(&contacts, "customer_id"));
    let (orders, spend) = (numbers(&contacts, "orders_12w"), numbers(&contacts, "spend_12w"));
    let holdout = table.holdout.as_ref().unwrap();
    for i in 0..contacts.num_rows() {
        let place = places[ids[i]];
        assert_eq!(tiers.tier(place).name, strata[i], "{}", ids[i]);
        assert!((holdout.spend[place] - spend[i]).abs() < 1e-6, "{}", ids[i]);
        // The table counts days, which may hold several orders.
        assert!(f64::from(holdout.frequency[place]) <= orders[i]);
        assert_eq!(holdout.frequency[place] == 0, orders[i] == 0.0);
    }
}

/// The strategy file has the lifts of the trial, to the last digit that it shows.
#[test]
fn the_strategy_file_has_what_the_trial_found() {
    let contacts = file(CONTACTS);
    let (treated, strata) = (numbers(&contacts, "treated"), texts(&contacts, "stratum"));
    let orders = numbers(&contacts, "orders_12w");
    let text = std::fs::read_to_string(dataset("shop/strategies.toml")).unwrap();
    let document: toml::Table = text.parse().unwrap();
    for response in document["response"].as_array().unwrap() {
        let arm = |arm: f64| {
            let own = (0..orders.len())
                .filter(|&i| strata[i] == response["tier"].as_str().unwrap() && treated[i] == arm);
            let own: Vec<f64> = own.map(|i| orders[i]).collect();
            let (mean, variance) = mean_and_variance(&own);
            (mean, variance / own.len() as f64 / (mean * mean))
        };
        let (called, others) = (arm(1.0), arm(0.0));
        let ratio = called.0 / others.0;
        let error = 1.96 * ratio * (called.1 + others.1).sqrt();
        for (key, found) in
            [("effect", ratio - 1.0), ("lower", ratio - 1.0 - error), ("upper", ratio - 1.0 + error)]
        {
            let stated = response[key].as_float().unwrap();
            assert!((stated - found).abs() <= 0.0005 + 1e-9, "{response:?}, {key}: {found}");
        }
    }
    let scratch = Scratch::new();
    let (orders, strategies) = (dataset("shop/orders.parquet"), dataset("shop/strategies.toml"));
    let ran = scratch.run(&[
        "run",
        orders.to_str().unwrap(),
        "--strategies",
        strategies.to_str().unwrap(),
        "--dry-run",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn value_is_uneven_and_some_customers_lose_money() {
    let options = HistoryOptions {
        cost: Some("cost".to_string()),
        drop_duplicates: true,
        refunds: tiercast::amount::Refunds::Net,
        ..HistoryOptions::default()
    };
    let source = [Source::Path(dataset("shop/orders.parquet"))];
    let table = tiercast::customers::summarize(&source, &options, Unit::Week, &()).unwrap().table;
    let batch = tiercast::customers::table::to_record_batch(&table).unwrap();
    let list = file(CUSTOMERS_LIST);
    let service: HashMap<&str, f64> =
        texts(&list, "customer_id").into_iter().zip(numbers(&list, "cost_to_serve")).collect();
    let (spend, cost) = (numbers(&batch, "total_spend"), numbers(&batch, "total_cost"));
    let profit: Vec<f64> = (0..table.len())
        .map(|i| {
            let years = f64::from(table.t_days[i] + 1) / 365.25;
            spend[i] - cost[i] - service[table.ids.text(i).as_str()] * years
        })
        .collect();
    let by = |values: &[f64]| -> Vec<usize> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        order.truncate(values.len() / 5);
        order
    };
    let (rich, worthy) = (by(&spend), by(&profit));
    let share = rich.iter().map(|&i| spend[i]).sum::<f64>() / spend.iter().sum::<f64>();
    assert!((0.7..0.8).contains(&share), "{share}");
    let losing = profit.iter().filter(|p| **p < 0.0).count() as f64 / profit.len() as f64;
    assert!((0.05..0.35).contains(&losing), "{losing}");
    // Top fifths by spend and by profit differ.
    let worthy: std::collections::HashSet<usize> = worthy.into_iter().collect();
    let both = rich.iter().filter(|i| worthy.contains(i)).count() as f64 / rich.len() as f64;
    assert!((0.6..0.95).contains(&both), "{both}");
    assert!(rich.iter().any(|&i| profit[i] < 0.0));
}

#[test]
fn the_truth_is_calibrated() {
    let (truth, list) = (file(TRUTH), file(CUSTOMERS_LIST));
    let (p, alive) = (numbers(&truth, "p_alive"), numbers(&truth, "alive_at_end"));
    // In tenths of P(alive), so many are alive.
    for tenth in 0..10 {
        let (low, high) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
        let who: Vec<usize> = (0..p.len()).filter(|&i| p[i] > low && p[i] <= high).collect();
        let expected: f64 = who.iter().map(|&i| p[i]).sum();
        let variance: f64 = who.iter().map(|&i| p[i] * (1.0 - p[i])).sum();
        let found = who.iter().filter(|&&i| alive[i] == 1.0).count() as f64;
        assert!(
            who.len() > 100 && (found - expected).abs() < 4.0 * variance.sqrt(),
            "{low}: {found} {expected}"
        );
    }
    // The dissatisfied leave: ranks of satisfaction and of μ go against each other.
    let (satisfaction, mu) = (numbers(&list, "satisfaction"), numbers(&truth, "mu"));
    let means: Vec<f64> = (1..=5)
        .map(|mark| {
            let of = (0..mu.len()).filter(|&i| satisfaction[i] == f64::from(mark)).map(|i| mu[i].ln());
            let of: Vec<f64> = of.collect();
            assert!(of.len() > 300, "{mark}: {}", of.len());
            mean_and_variance(&of).0
        })
        .collect();
    assert!(means.windows(2).all(|pair| pair[0] > pair[1] + 0.3), "{means:?}");
}
