//! Clusters that are known, and what must not change them.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::KMeans as OfLinfa;
use proptest::prelude::*;

use super::*;
use crate::customers::testing::{Row, any_rows, spending, table};
use crate::parallel;
use crate::random::{Purpose, Stream};

/// Three groups far apart, `each` customers per group, the groups mixed among the ids.
fn blobs(each: i64) -> Vec<Row> {
    (0..3 * each)
        .map(|id| {
            let mut stream = Stream::new(5, id as u64, 0, Purpose::Spend);
            let mut near = |x: f64| x * (0.1 * stream.normal()).exp();
            let (frequency, since, spend) =
                [(25.0, 5.0, 3000.0), (5.0, 60.0, 200.0), (0.0, 600.0, 15.0)][id as usize % 3];
            Row {
                id,
                frequency: near(frequency) as u32,
                since: near(since) as u32,
                monetary_value: 0.0,
                total_spend: near(spend),
            }
        })
        .collect()
}

fn three() -> SegmentOptions {
    SegmentOptions { clusters: 3, ..SegmentOptions::default() }
}

#[test]
fn obvious_groups_are_found() {
    let table = table(&blobs(200));
    let found = segment(&table, &three(), &()).unwrap();
    for (i, &code) in found.codes.iter().enumerate() {
        assert_eq!(usize::from(code), i % 3);
    }
    assert!(found.converged && found.warnings.is_empty());
    assert_eq!(found.fitted_on, 600);
    assert_eq!(found.profiles[0].name, "recent, frequent, big spenders");
    assert_eq!(found.profiles[2].name, "long absent, one-time, small spenders");
    assert_eq!(found.profiles.iter().map(|p| p.customers).collect::<Vec<_>>(), [200; 3]);
    assert_eq!(found.column().values, Values::Count((0..600).map(|i| i % 3 + 1).collect()));
    let json = serde_json::to_value(&found).unwrap();
    assert!(json.get("codes").is_none() && json["profiles"][0]["frequency"]["median"].is_number());
}

#[test]
fn threads_change_nothing() {
    let mut options = SegmentOptions { clusters: 4, ..SegmentOptions::default() };
    let table = table(&blobs(7000));
    for sample in [None, Some(5000)] {
        options.sample = sample;
        let run =
            |threads| parallel::with_threads(threads, || segment(&table, &options, &()).unwrap()).unwrap();
        let one = run(1);
        for threads in [2, 3] {
            let other = run(threads);
            assert_eq!(one, other);
            assert_eq!(one.inertia.to_bits(), other.inertia.to_bits());
        }
    }
}

/// The steps of linfa's k-means, called one by one, end where linfa ends.
#[test]
fn steps_end_where_linfa_ends() {
    let features = Features::of(&table(&blobs(300))).unwrap();
    let points = points(&features.columns).unwrap();
    let search =
        reference::Search { clusters: 4, seed: 9, runs: 1, max_iterations: 300, tolerance: 1e-8, init: None };
    let (fitted, _) = reference::fit(&points, &search, &()).unwrap();
    let linfa = OfLinfa::params_with_rng(4, reference::generator(9, 1))
        .n_runs(1)
        .max_n_iterations(300)
        .tolerance((1e-8 * points.mean_variance()).sqrt())
        .fit(&DatasetBase::from(points.to_array()))
        .unwrap();
    assert!(fitted.converged && fitted.iterations > 2);
    assert_eq!(&fitted.centres, linfa.centroids());
}

#[test]
fn both_algorithms_find_the_groups() {
    let table = table(&blobs(300));
    let own = segment(&table, &three(), &()).unwrap();
    let linfa = segment(&table, &SegmentOptions { algorithm: Algorithm::Linfa, ..three() }, &()).unwrap();
    assert_eq!(own.codes, linfa.codes);
    assert_eq!(own.profiles, linfa.profiles);
    assert!((own.inertia / linfa.inertia - 1.0).abs() < 1e-9);
    assert_eq!((own.starts.len(), linfa.starts.len()), (4, 4));
    assert!(linfa.method.starts_with("k-means (linfa)") && own.method.starts_with("k-means from greedy"));
}

/// Every customer is in the cluster with the nearest centre, fitted on a sample or on all.
#[test]
fn a_sample_assigns_as_all_do() {
    let table = table(&blobs(500));
    let options = SegmentOptions { sample: Some(300), ..three() };
    let sampled = segment(&table, &options, &()).unwrap();
    let whole = segment(&table, &three(), &()).unwrap();
    assert_eq!((sampled.fitted_on, sampled.customers), (300, 1500));
    assert!(sampled.method.contains("on 300 of 1,500 customers"), "{}", sampled.method);
    // The groups are so far apart that the sample's centres divide them in the same way.
    assert_eq!(sampled.codes, whole.codes);
    assert_eq!(sampled.profiles, whole.profiles);
}

#[test]
fn few_or_equal_customers() {
    for (spend, clusters) in [
        (vec![], 0),
        (vec![5.0], 1),
        (vec![5.0; 40], 1),
        (vec![5.0, 9.0], 2),
        (vec![5.0, 9.0, 5.0, 9.0, 1.0], 3),
        (vec![f64::NAN, 9.0, 5.0], 3),
    ] {
        let found = segment(&spending(&spend), &SegmentOptions::default(), &()).unwrap();
        assert_eq!(found.profiles.len(), clusters, "{spend:?}");
        assert_eq!(found.codes.len(), spend.len());
        assert!(found.inertia.is_finite() && found.inertia.abs() < 1e-12);
        assert_eq!(found.warnings.is_empty(), spend.is_empty());
    }
    let found = segment(&spending(&[5.0, 9.0]), &SegmentOptions::default(), &()).unwrap();
    assert_eq!(found.codes, [1, 0]);
    assert_eq!(found.warnings[2], "5 clusters were asked for, but there are only 2 different customers");
}

#[test]
fn impossible_options_are_refused() {
    let table = spending(&[1.0, 2.0]);
    let refused = |change: fn(&mut SegmentOptions)| {
        let mut options = SegmentOptions::default();
        change(&mut options);
        segment(&table, &options, &()).unwrap_err().to_string()
    };
    assert_eq!(refused(|o| o.clusters = 0), "the number of clusters cannot be \"0\": it is out of range");
    assert!(refused(|o| o.clusters = 101).contains("101"));
    assert!(refused(|o| o.runs = 0).contains("starts"));
    assert!(refused(|o| o.max_iterations = 0).contains("iterations"));
    assert!(refused(|o| o.tolerance = f64::NAN).contains("NaN"));
    assert!(refused(|o| o.sample = Some(3)).contains("sample"));
}

#[test]
fn a_cancelled_run_stops() {
    struct Cancelled;
    impl Progress for Cancelled {
        fn cancelled(&self) -> bool {
            true
        }
    }
    assert!(matches!(segment(&table(&blobs(50)), &three(), &Cancelled), Err(Error::Interrupted)));
}

#[test]
fn too_few_iterations_are_said() {
    let options = SegmentOptions { max_iterations: 1, ..three() };
    let found = segment(&table(&blobs(100)), &options, &()).unwrap();
    assert!(!found.converged);
    assert_eq!(found.warnings, ["the clusters' centres were still moving after 1 iterations"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn invariants(rows in any_rows(60), by in 1usize..59, clusters in 1usize..9) {
        let options = SegmentOptions { clusters, runs: 2, ..SegmentOptions::default() };
        let found = segment(&table(&rows), &options, &()).unwrap();
        prop_assert!(found.profiles.len() <= clusters);
        prop_assert_eq!(found.profiles.iter().map(|p| p.customers).sum::<u64>(), rows.len() as u64);
        prop_assert!(found.profiles.windows(2).all(|p| p[0].total_spend.mean >= p[1].total_spend.mean));
        prop_assert!(found.inertia.is_finite() && found.inertia >= 0.0);
        for (at, profile) in found.profiles.iter().enumerate() {
            prop_assert!(profile.customers > 0 && !profile.name.is_empty());
            prop_assert!(found.profiles[..at].iter().all(|other| other.name != profile.name));
        }
        // Equal customers share a cluster.
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate().skip(i) {
                if (a.frequency, a.since, a.total_spend) == (b.frequency, b.since, b.total_spend) {
                    prop_assert_eq!(found.codes[i], found.codes[j]);
                }
            }
        }
        let mut turned = rows.clone();
        turned.rotate_left(by % rows.len());
        prop_assert_eq!(segment(&table(&turned), &options, &()).unwrap(), found);
    }
}
