//! Searches among two maxima, with and without a rehearsal.

use super::*;
use crate::calendar::Unit;

/// A model with one parameter, its logarithm the scale-free one.
#[derive(Debug, Clone, PartialEq)]
struct One(f64);

impl Parametric for One {
    const MODEL: &'static str = "one parameter";
    const NAMES: &'static [&'static str] = &["u"];

    fn unit(&self) -> Option<Unit> {
        None
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.0]
    }

    fn scale_free(&self) -> Vec<f64> {
        vec![self.0.ln()]
    }

    fn with_scale_free(&self, theta: &[f64]) -> One {
        One(theta[0].exp())
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(1);
        out[(0, 0)] = self.0;
        out
    }
}

/// −ln(right·e^(−(θ − 3)²/2) + left·e^(−(θ + 3)²/2)).
fn hills(theta: &[f64], right: f64, left: f64) -> Evaluation {
    let theta = theta[0];
    let (p, q) = (right * (-0.5 * (theta - 3.0).powi(2)).exp(), left * (-0.5 * (theta + 3.0).powi(2)).exp());
    let share = q / (p + q);
    let mut hessian = Matrix::zeros(1);
    hessian[(0, 0)] = 1.0 - 36.0 * share * (1.0 - share);
    Evaluation { value: -(p + q).ln(), gradient: vec![theta - 3.0 + 6.0 * share], hessian }
}

fn coordinates() -> [Coordinate; 1] {
    let edge = |at: f64| Edge { at, near: at, name: "far", explanation: "", advice: "", usable: true };
    [Coordinate { name: "u", low: edge(-9.0), high: edge(9.0) }]
}

/// All customers are best on the right, the sample that searches are rehearsed on is best on the left.
fn found(starts: &[f64]) -> Fit<One> {
    let coordinates = coordinates();
    let originals: Vec<Vec<f64>> = starts.iter().map(|&start| vec![start]).collect();
    let starts = rehearse(originals.clone(), &coordinates, |theta| hills(theta, 0.5, 1.0), &()).unwrap();
    let search = Search { customers: 1, patterns: 1, starts, originals, coordinates: &coordinates };
    fit(&One(1.0), search, |theta| hills(theta, 1.0, 0.5), &()).unwrap()
}

fn at(fit: &Fit<One>) -> f64 {
    fit.params.as_ref().unwrap().0.ln()
}

#[test]
fn a_rehearsal_does_not_make_searches_agree() {
    // Two rehearsals met on the right: one of them is searched again from where it began.
    let fit = found(&[2.5, -2.5, 3.5]);
    assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum);
    assert!((at(&fit) - 3.0).abs() < 1e-3, "{}", at(&fit));
    // The left one is .7 lower: whoever draws parameters has to know of it.
    let fit = fit.uncertainty.unwrap();
    assert_eq!(fit.rivals().len(), 1);
    assert!((fit.rivals()[0][0] + 3.0).abs() < 1e-3);
}

#[test]
fn the_better_maximum_of_all_customers_wins_over_the_samples() {
    // Only the start that is not rehearsed leads to the right.
    let fit = found(&[-2.5, 2.5, -3.5]);
    assert!((at(&fit) - 3.0).abs() < 1e-3);
    let Verdict::Boundary { name, usable, .. } = fit.report.verdict else {
        panic!("{:?}", fit.report.verdict)
    };
    assert_eq!((name, usable), ("the starts disagree", true));
    assert_eq!(fit.report.starts.len(), 3);
}
