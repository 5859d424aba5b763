//! The fast k-means against the slow one and against linfa's, and what must not change it.

use linfa::ParamGuard;
use linfa::traits::Predict;
use proptest::prelude::*;

use super::*;
use crate::parallel;
use crate::random::{Purpose, Stream};

/// `n` points of `d` features around `groups` centres, as columns.
fn around(n: usize, d: usize, groups: u64, spread: f64, seed: u64) -> Vec<Vec<f64>> {
    let centre = |group: u64, j: usize| Stream::new(seed, group, j as u32, Purpose::Latent).normal() * 4.0;
    (0..d)
        .map(|j| {
            let value = |i: usize| {
                let mut draw = Stream::new(seed, i as u64, j as u32, Purpose::Synth);
                centre(i as u64 % groups, j) + spread * draw.normal()
            };
            (0..n).map(value).collect()
        })
        .collect()
}

fn points(columns: &[Vec<f64>]) -> Points<'_> {
    Points::new(columns.iter().map(Vec::as_slice).collect()).unwrap()
}

fn rows(points: &Points<'_>) -> Vec<Vec<f64>> {
    (0..points.rows()).map(|row| points.point(row)).collect()
}

fn fit(points: &Points<'_>, params: &KMeansParams) -> (KMeans, Vec<u16>) {
    params.check_ref().unwrap().fit_points(points, &by_number, &()).unwrap()
}

/// Bit for bit, whatever the number of features (compiled for few, general for many) and of points (whole vectors and
/// what is left of them).
#[test]
fn distances_are_those_of_the_slow_way() {
    for d in (1..=10).chain([15, 16, 17]) {
        for n in [1, 7, 8, 9, 31, 512, 513, 1500] {
            let columns = around(n, d, 3, 1.0, d as u64);
            let points = points(&columns);
            let centres: Vec<Vec<f64>> = (0..n.min(6)).map(|at| points.point(at * n / n.min(6))).collect();
            let flat = centres.concat();
            let (codes, counts, inertia) = lloyd::assign(&points, &flat);
            let mut total = 0.0;
            for (row, point) in rows(&points).iter().enumerate() {
                let (code, distance) = slow::nearest(point, &centres);
                assert_eq!(usize::from(codes[row]), code, "{d} {n} {row}");
                total += distance;
                let (mut best, mut found) = ([0.0], [0u64]);
                kernel::nearest(&points, row..row + 1, &flat, &mut best, &mut found);
                assert_eq!(best[0].to_bits(), distance.to_bits());
            }
            for from in (0..n).step_by(kernel::TILE) {
                let tile = from..(from + kernel::TILE).min(n);
                let (mut best, mut found) = (vec![0.0; tile.len()], vec![0u64; tile.len()]);
                kernel::nearest(&points, tile.clone(), &flat, &mut best, &mut found);
                let closest: Vec<f64> = tile.clone().map(|i| 0.25 + (i % 3) as f64).collect();
                let mut closer = vec![0.0; tile.len()];
                kernel::closer(&points, tile.clone(), &centres[0], &closest, &mut closer);
                for (at, row) in tile.enumerate() {
                    let point = points.point(row);
                    assert_eq!(
                        best[at].to_bits(),
                        slow::nearest(&point, &centres).1.to_bits(),
                        "{d} {n} {row}"
                    );
                    let one = slow::nearest(&point, &centres[..1]).1;
                    assert_eq!(closer[at].to_bits(), one.min(closest[at]).to_bits());
                }
            }
            assert_eq!(counts.iter().sum::<u64>(), n as u64);
            assert!((inertia - total).abs() <= 1e-12 * total);
        }
    }
}

#[test]
fn ends_where_the_slow_way_ends() {
    for (n, d, k) in [(700, 1, 3), (5000, 3, 8), (9000, 2, 5), (1200, 8, 4), (900, 18, 4)] {
        let columns = around(n, d, k as u64, 1.5, 40 + d as u64);
        let points = points(&columns);
        let centres = Array2::from_shape_fn((k, d), |(at, j)| columns[j][at * 7]);
        let params = KMeans::params(k).init(Init::Precomputed(centres.clone())).tolerance(1e-4);
        let (model, codes) = fit(&points, &params);
        let start = centres.rows().into_iter().map(|row| row.to_vec()).collect();
        let at_rest = 1e-4 * points.mean_variance();
        let (slow, slow_codes, inertia, iterations, rest) = slow::lloyd(&rows(&points), start, at_rest, 300);
        let report = model.report();
        assert_eq!((report.iterations, report.converged), (iterations, rest));
        assert!(iterations >= 2);
        assert!((report.inertia / inertia - 1.0).abs() < 1e-12);
        for (a, b) in model.centres().iter().zip(slow.concat()) {
            assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} {b}");
        }
        assert_eq!(codes.iter().map(|&code| usize::from(code)).collect::<Vec<_>>(), slow_codes);
    }
}

/// Both algorithms have the same resting places, though linfa's takes other steps.
#[test]
fn rests_where_linfa_rests() {
    let columns = around(3000, 3, 5, 0.8, 9);
    let points = points(&columns);
    let centres = Array2::from_shape_fn((5, 3), |(at, j)| columns[j][at]);
    let (model, codes) =
        fit(&points, &KMeans::params(5).init(Init::Precomputed(centres.clone())).tolerance(0.0));
    let search = reference::Search {
        clusters: 5,
        seed: 1,
        runs: 1,
        max_iterations: 300,
        tolerance: 1e-24,
        init: Some(centres),
    };
    let (linfa, starts) = reference::fit(&points, &search, &()).unwrap();
    assert!(model.report().converged && linfa.converged && starts.len() == 1);
    assert!((model.report().inertia / linfa.inertia - 1.0).abs() < 1e-12);
    assert_eq!(reference::assign(&points, &linfa.centres).0, codes);
    for (a, b) in model.centres().iter().zip(&linfa.centres) {
        assert!((a - b).abs() < 1e-9);
    }
}

#[test]
fn threads_change_nothing() {
    let columns = around(40_000, 3, 6, 2.0, 3);
    let points = points(&columns);
    for params in [KMeans::params(6).sample(Some(8000)).starts(2), KMeans::params(6).sample(None).starts(1)] {
        let run = |threads| parallel::with_threads(threads, || fit(&points, &params)).unwrap();
        let (one, codes) = run(1);
        assert_eq!(one.report().sample.is_some(), params.check_ref().unwrap().sample.is_some());
        for threads in [2, 3, 8] {
            let (other, other_codes) = run(threads);
            assert_eq!(codes, other_codes);
            assert_eq!(one, other);
            assert_eq!(one.report().inertia.to_bits(), other.report().inertia.to_bits());
            let bits = |model: &KMeans| model.centres().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&one), bits(&other));
        }
    }
}

/// Starts on a sample end as well as starts on all rows.
#[test]
fn a_sample_costs_no_inertia() {
    let columns = around(60_000, 2, 7, 1.0, 77);
    let points = points(&columns);
    let of = |sample| fit(&points, &KMeans::params(7).sample(sample)).0.report().clone();
    let (sampled, whole) = (of(Some(10_000)), of(None));
    assert_eq!((sampled.sample, whole.sample), (Some(10_000), None));
    assert!(sampled.converged && whole.converged);
    assert!(sampled.inertia < 1.001 * whole.inertia, "{} {}", sampled.inertia, whole.inertia);
    assert!(sampled.starts.iter().all(|start| start.converged && start.iterations > 0));
    let least = sampled.starts.iter().map(|start| start.inertia).fold(f64::INFINITY, f64::min);
    assert_eq!(sampled.starts[sampled.best_start as usize - 1].inertia, least);
}

/// A common part of all values, and the unit, change nothing that matters.
#[test]
fn shifts_and_scales() {
    let columns = around(2000, 2, 4, 1.0, 8);
    let params = KMeans::params(4).tolerance(0.0);
    let (plain, codes) = fit(&points(&columns), &params);
    for (scale, shift) in [(1e100, 0.0), (1e-100, 0.0), (1.0, 1e8), (3.7e5, -1e12)] {
        let changed: Vec<Vec<f64>> =
            columns.iter().map(|column| column.iter().map(|x| scale * x + shift).collect()).collect();
        let (model, other) = fit(&points(&changed), &params);
        assert_eq!(codes, other, "{scale} {shift}");
        let rounding = 1e-12 + 1e-15 * (shift / scale).abs();
        assert!(
            (model.report().inertia / plain.report().inertia / scale / scale - 1.0).abs()
                < rounding.max(1e-7 * f64::from(u8::from(shift != 0.0)))
        );
    }
}

#[test]
fn few_points_and_few_different_ones() {
    let one = [vec![3.0], vec![4.0]];
    let (model, codes) = fit(&points(&one), &KMeans::params(5));
    assert_eq!((model.centres().nrows(), codes, model.report().inertia), (1, vec![0], 0.0));
    assert!(model.report().converged);

    let constant = vec![vec![1.0, 2.0, 1.0, 2.0, 7.0, 7.0], vec![5.0; 6]];
    let (model, codes) = fit(&points(&constant), &KMeans::params(4));
    assert_eq!((model.report().clusters, model.report().clusters_wanted), (3, 4));
    assert_eq!(model.report().inertia, 0.0);
    assert!(codes[0] == codes[2] && codes[1] == codes[3] && codes[4] == codes[5] && codes[0] != codes[1]);

    let alike = vec![vec![2.5; 100]];
    assert_eq!(fit(&points(&alike), &KMeans::params(3)).0.report().counts, [100]);

    let none = Points::new(vec![&[]]).unwrap();
    let refused = KMeans::params(2).check().unwrap().fit_points(&none, &by_number, &()).unwrap_err();
    assert!(refused.to_string().contains("nothing to group"));
}

/// Two centres far away get nobody at first; they are put to the farthest points.
#[test]
fn empty_clusters_are_put_elsewhere() {
    let columns = around(3000, 2, 4, 0.5, 13);
    let points = points(&columns);
    let centres =
        Array2::from_shape_fn((4, 2), |(at, j)| if at < 2 { columns[j][at] } else { 1e6 + at as f64 });
    let (model, _) = fit(&points, &KMeans::params(4).init(Init::Precomputed(centres.clone())));
    let report = model.report();
    assert_eq!(report.starts[0].relocated, 2);
    assert!(report.counts.iter().all(|&n| n > 0));
    let start = centres.rows().into_iter().map(|row| row.to_vec()).collect();
    let at_rest = 1e-4 * points.mean_variance();
    let (_, _, inertia, iterations, _) = slow::lloyd(&rows(&points), start, at_rest, 300);
    assert_eq!(report.iterations, iterations);
    assert!((report.inertia / inertia - 1.0).abs() < 1e-12);
    // Where no point is apart from its centre, an empty cluster stays empty and says so.
    let two = vec![vec![1.0, 1.0, 5.0]];
    let given = ndarray::array![[1.0], [5.0], [100.0]];
    let (model, _) = fit(&self::points(&two), &KMeans::params(3).init(Init::Precomputed(given)));
    assert_eq!(model.report().counts, [2, 1, 0]);
}

#[test]
fn through_linfas_traits() {
    let columns = around(600, 3, 3, 0.2, 5);
    let array = points(&columns).to_array();
    let model = KMeans::params(3).seed(4).fit(&DatasetBase::from(array.view())).unwrap();
    let (other, codes) = fit(&points(&columns), &KMeans::params(3).seed(4));
    assert_eq!(model, other);
    let predicted = model.predict(&array);
    assert!(predicted.iter().zip(&codes).all(|(a, b)| *a == usize::from(*b)));
    let bad = KMeans::params(0).fit(&DatasetBase::from(array.view())).unwrap_err();
    assert!(bad.to_string().contains("number of clusters"));
    let mut wrong = array.clone();
    wrong[[5, 1]] = f64::NAN;
    let bad = KMeans::params(2).fit(&DatasetBase::from(wrong)).unwrap_err();
    assert!(bad.to_string().contains("feature 2 of row 6"), "{bad}");
    assert!(model.assign(&points(&columns[..2])).unwrap_err().to_string().contains("the centres have 3"));
}

#[test]
fn impossible_parameters_are_refused() {
    let refused = |params: KMeansParams| params.check().unwrap_err().to_string();
    assert!(refused(KMeans::params(70_000)).contains("out of range"));
    assert!(refused(KMeans::params(2).starts(0)).contains("starts"));
    assert!(refused(KMeans::params(2).max_iterations(0)).contains("iterations"));
    assert!(refused(KMeans::params(2).tolerance(-1.0)).contains("tolerance"));
    assert!(refused(KMeans::params(2).sample(Some(0))).contains("sample"));
    let given = |centres| KMeans::params(2).init(Init::Precomputed(centres));
    assert!(refused(given(ndarray::array![[1.0]])).contains("2 clusters were asked for"));
    assert!(refused(given(ndarray::array![[1.0], [f64::NAN]])).contains("given centre"));
    let two = given(ndarray::array![[1.0], [2.0]]).check().unwrap();
    let columns = [vec![1.0, 2.0], vec![3.0, 5.0]];
    let refused = two.fit_points(&points(&columns), &by_number, &()).unwrap_err().to_string();
    assert!(refused.contains("the points have 2"), "{refused}");
}

#[test]
fn too_few_iterations_are_said() {
    let columns = around(3000, 2, 5, 3.0, 2);
    let (model, _) = fit(&points(&columns), &KMeans::params(5).max_iterations(1).starts(1));
    assert_eq!((model.report().iterations, model.report().converged), (1, false));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// Few different values, so that there are ties, duplicates and empty clusters.
    #[test]
    fn as_the_slow_way(
        values in prop::collection::vec((-3i32..4, -2i32..3), 1..80),
        k in 1usize..7,
        max_iterations in 1u32..20,
    ) {
        let columns: Vec<Vec<f64>> = vec![
            values.iter().map(|v| f64::from(v.0) / 4.0).collect(),
            values.iter().map(|v| f64::from(v.1) / 2.0).collect(),
        ];
        let points = points(&columns);
        let centres: Vec<Vec<f64>> = (0..k).map(|at| vec![at as f64 / 3.0, at as f64 / 5.0]).collect();
        let given = Array2::from_shape_fn((k, 2), |(at, j)| centres[at][j]);
        let params = KMeans::params(k).init(Init::Precomputed(given)).max_iterations(max_iterations);
        let (model, codes) = fit(&points, &params);
        let at_rest = 1e-4 * points.mean_variance();
        let (slow, _, inertia, _, _) = slow::lloyd(&rows(&points), centres, at_rest, max_iterations);
        // Equal distances may be rounded apart by a mean's last digit: then the two go different ways from there.
        if model.centres().iter().zip(slow.concat()).all(|(a, b)| (a - b).abs() < 1e-12) {
            prop_assert!((model.report().inertia - inertia).abs() < 1e-12);
        } else {
            prop_assert!(model.report().iterations > 1);
        }
        let found: Vec<Vec<f64>> = model.centres().rows().into_iter().map(|row| row.to_vec()).collect();
        for (row, point) in rows(&points).iter().enumerate() {
            prop_assert_eq!(usize::from(codes[row]), slow::nearest(point, &found).0);
        }
        prop_assert_eq!(model.report().counts.iter().sum::<u64>(), values.len() as u64);
    }
}
