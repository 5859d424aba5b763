//! Mixtures that are known, points that break others' densities, and what must not change them.

use super::*;
use crate::random::{Purpose, Stream};
use crate::segment::sample::by_number;

/// A wide and a narrow normal distribution, three quarters and a quarter, and `far` rows at 1e6.
fn two(n: u64, far: u64) -> (Vec<f64>, Vec<f64>) {
    (0..n + far)
        .map(|i| {
            let mut draw = Stream::new(11, i, 0, Purpose::Synth);
            let (a, b) = (draw.normal(), draw.normal());
            match i {
                _ if i >= n => (1e6, -1e6),
                _ if i % 4 == 0 => (8.0 + 0.5 * a, 0.3 * b),
                _ => (2.0 * a, 2.0 * (0.6 * a + 0.8 * b)),
            }
        })
        .unzip()
}

#[test]
fn parameters_are_recovered() {
    let (x, y) = two(6000, 0);
    let points = Points::new(vec![&x, &y]).unwrap();
    let (mixture, codes) = Mixture::fit(&points, &MixtureOptions::new(2), &by_number, &()).unwrap();
    let narrow = usize::from(mixture.weights()[0] > 0.5);
    assert!((mixture.weights()[narrow] - 0.25).abs() < 0.02);
    let means = mixture.means();
    assert!((means[narrow][0] - 8.0).abs() < 0.1 && means[1 - narrow][0].abs() < 0.2, "{means:?}");
    let wrong =
        codes.iter().enumerate().filter(|&(i, &code)| (i % 4 == 0) != (usize::from(code) == narrow)).count();
    assert!(wrong < 60, "{wrong}");
    let report = mixture.report();
    assert_eq!((report.parameters, report.counts.iter().sum::<u64>()), (11, 6000));
    assert!((report.bic - (-2.0 * report.log_likelihood + 11.0 * 6000f64.ln())).abs() < 1e-9);
    // One component explains it worse.
    let (one, _) = Mixture::fit(&points, &MixtureOptions::new(1), &by_number, &()).unwrap();
    assert!(one.report().bic > report.bic + 1000.0);
}

/// linfa's densities vanish 38 standard deviations from every component; ours do not, and no NaN comes out.
#[test]
fn far_points_do_no_harm() {
    let (x, y) = two(4000, 3);
    let points = Points::new(vec![&x, &y]).unwrap();
    let (mixture, codes) = Mixture::fit(&points, &MixtureOptions::new(3), &by_number, &()).unwrap();
    let report = mixture.report();
    assert!(report.log_likelihood.is_finite() && report.cut == 6, "{report:?}");
    assert_eq!(codes[4000], codes[4002]);
    let elsewhere = Points::new(vec![&[1e9, -1e9], &[1e9, 0.0]]).unwrap();
    assert!(mixture.assign(&elsewhere).unwrap().log_likelihood.is_finite());
}

#[test]
fn threads_samples_and_refusals() {
    let (x, y) = two(5000, 0);
    let points = Points::new(vec![&x, &y]).unwrap();
    let options = MixtureOptions { sample: 1500, starts: 1, ..MixtureOptions::new(2) };
    let run = |threads| {
        parallel::with_threads(threads, || Mixture::fit(&points, &options, &by_number, &()).unwrap()).unwrap()
    };
    let one = run(1);
    assert_eq!((one.0.report().fitted_on, one.1.len()), (1500, 5000));
    for threads in [2, 3] {
        let other = run(threads);
        assert_eq!(one, other);
        assert_eq!(one.0.report().bic.to_bits(), other.0.report().bic.to_bits());
    }
    let alike = Points::new(vec![&[1.0, 1.0, 2.0]]).unwrap();
    let refused = Mixture::fit(&alike, &MixtureOptions::new(3), &by_number, &()).unwrap_err();
    assert!(refused.to_string().contains("only 2 rows of the sample differ"), "{refused}");
    for change in [
        (|o: &mut MixtureOptions| o.components = 0) as fn(&mut MixtureOptions),
        |o| o.starts = 0,
        |o| o.cut = f64::NAN,
        |o| o.regularisation = 0.0,
    ] {
        let mut options = MixtureOptions::new(2);
        change(&mut options);
        assert!(Mixture::fit(&points, &options, &by_number, &()).is_err());
    }
}
