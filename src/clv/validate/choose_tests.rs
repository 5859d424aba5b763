//! The choice against the whole validation, and what it does with samples and with little data.

use super::super::report::Criterion;
use super::super::{candidates, validate};
use super::*;
use crate::calendar::Unit;
use crate::clv::gamma_gamma::GammaGammaModel;
use crate::customers::summarize;
use crate::history::HistoryOptions;
use crate::history::testing::cdnow;
use crate::parallel::with_threads;

/// The CDNOW sample, 39 weeks after 39.
fn sample_table() -> CustomerTable {
    let options = HistoryOptions {
        customer: vec!["sample_id".to_string()],
        calibration_end: Some("1997-09-30".parse().unwrap()),
        ..HistoryOptions::default()
    };
    summarize(&[cdnow("cdnow_sample.parquet")], &options, Unit::Week, &()).unwrap().table
}

const OPTIONS: ValidateOptions = ValidateOptions { replications: 60, seed: 1 };

#[test]
fn with_all_customers_it_is_the_validation() {
    let table = sample_table();
    let patterns = Patterns::from_table(&table).unwrap();
    let fits = candidates(&patterns, &table, &()).unwrap();
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, &()).unwrap();
    let whole = validate(&table, None, &patterns, &fits, &spend, &OPTIONS, &()).unwrap();
    let choice = choose(&table, usize::MAX, &OPTIONS, &()).unwrap();
    assert_eq!((choice.customers, choice.judged), (2357, 2357));
    let preferred = whole.preferred.as_ref().unwrap();
    assert_eq!(choice.preferred.unwrap().title(), preferred.model);
    // On the sample the bootstrap tells NBD alone from the others.
    let alike = "; the bootstrap cannot tell it from BG/NBD and MBG/NBD";
    assert_eq!(choice.why, format!("{}{alike}", preferred.why));
    assert_eq!(choice.models.len(), 4);
    let same = |got: Figure, want: Figure| {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-10 * b.abs().max(1e-3);
        assert!(close(got.value, want.value), "{got:?} {want:?}");
        assert!(close(got.lower.unwrap(), want.lower.unwrap()), "{got:?} {want:?}");
        assert!(close(got.upper.unwrap(), want.upper.unwrap()), "{got:?} {want:?}");
    };
    for judged in &choice.models {
        let m = whole.methods.iter().position(|method| method.name == judged.model.title()).unwrap();
        same(judged.rmse, whole.methods[m].figure(Criterion::Rmse).unwrap());
        if let Some(difference) = judged.difference {
            same(difference, whole.difference(Criterion::Rmse, m, preferred.method).unwrap());
        }
    }
}

#[test]
fn a_sample_is_about_as_large_as_asked_for_and_the_same_at_any_number_of_threads() {
    let table = sample_table();
    let run = || choose(&table, 1000, &OPTIONS, &()).unwrap();
    let choice = with_threads(1, run).unwrap();
    assert!((900..1100).contains(&choice.judged), "{}", choice.judged);
    assert_eq!(choice.customers, 2357);
    assert_eq!(with_threads(3, run).unwrap(), choice);
    // Another seed, other customers.
    let other = choose(&table, 1000, &ValidateOptions { seed: 2, ..OPTIONS }, &()).unwrap();
    assert_ne!(other.models[0].rmse.value, choice.models[0].rmse.value);
}

#[test]
fn too_few_orders_prefer_nothing() {
    let mut table = sample_table();
    let choice = choose(&table, 50, &OPTIONS, &()).unwrap();
    assert!(choice.preferred.is_none() && choice.models.is_empty());
    assert!(choice.why.contains("have an order in the holdout"), "{}", choice.why);
    table.holdout = None;
    assert!(choose(&table, 50, &OPTIONS, &()).is_err());
}
