//! What the estimators need beside the outcome: each customer's probability of treatment, and what it was expected to do in each
//! arm. Expectations are from customers of other folds. Probabilities are known, or estimated from everybody: a logistic
//! regression on a few columns does not follow single customers, and from other folds the reciprocals would be too large on
//! average.

use super::linear::{Line, logit};
use super::trial::Trial;
use crate::clv::dense::dot;
use crate::special::logistic;

/// Parts of the customers, of which each is predicted from the others (Chernozhukov and others, "Double/debiased machine
/// learning for treatment and structural parameters", Econometrics Journal 21, 2018).
pub(super) const FOLDS: u64 = 5;

/// Estimated probabilities are kept this far from 0 and 1.
const CLIP: f64 = 0.01;

/// Customers of an arm per column of a regression; with fewer the mean alone is taken.
const PER_COLUMN: usize = 10;

/// Some customers of a trial as the estimators see them.
pub(super) struct Arms {
    pub(super) treated: Vec<bool>,
    pub(super) outcome: Vec<f64>,
    /// 1 and the covariates.
    pub(super) rows: Vec<Vec<f64>>,
    fold: Vec<u64>,
    known: Option<Vec<f64>>,
    /// Whether there are customers enough for regressions on the covariates.
    pub(super) with_covariates: bool,
}

impl Arms {
    pub(super) fn new(trial: &Trial, who: Vec<usize>, is_treated: impl Fn(u8) -> bool) -> Arms {
        let treated: Vec<bool> = who.iter().map(|&i| is_treated(trial.arm[i])).collect();
        let of_arm = treated.iter().filter(|treated| **treated).count();
        let fewest = of_arm.min(treated.len() - of_arm);
        let with_covariates = fewest >= PER_COLUMN * (1 + trial.covariates.len());
        Arms {
            outcome: who.iter().map(|&i| trial.outcome[i]).collect(),
            rows: who.iter().map(|&i| trial.row(i, with_covariates)).collect(),
            // The hash's upper half: its lower bits may choose samples elsewhere.
            fold: who.iter().map(|&i| (trial.hash[i] >> 32) % FOLDS).collect(),
            known: trial.probability.as_ref().map(|p| who.iter().map(|&i| p[i]).collect()),
            treated,
            with_covariates,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.outcome.len()
    }

    /// Customers who were treated, or who were not.
    pub(super) fn in_arm(&self, treated: bool) -> usize {
        self.treated.iter().filter(|own| **own == treated).count()
    }

    fn chosen(&self, keep: impl Fn(usize) -> bool) -> (Vec<Vec<f64>>, Vec<f64>, Vec<bool>) {
        let places = (0..self.len()).filter(|&k| keep(k));
        let (mut rows, mut outcome, mut treated) = (Vec::new(), Vec::new(), Vec::new());
        for k in places {
            rows.push(self.rows[k].clone());
            outcome.push(self.outcome[k]);
            treated.push(self.treated[k]);
        }
        (rows, outcome, treated)
    }

    /// The customers of one arm: rows and outcomes.
    pub(super) fn arm(&self, treated: bool) -> (Vec<Vec<f64>>, Vec<f64>) {
        let (rows, outcome, _) = self.chosen(|k| self.treated[k] == treated);
        (rows, outcome)
    }

    /// Known probabilities of the other arm instead.
    pub(super) fn turn_probabilities(&mut self) {
        self.known.iter_mut().flatten().for_each(|p| *p = 1.0 - *p);
    }

    /// Whether the probabilities of treatment are known.
    pub(super) fn are_known(&self) -> bool {
        self.known.is_some()
    }

    /// Each customer's probability of treatment: as it is known, or by a logistic regression on all of them; and how many were
    /// beyond the bounds of estimated ones.
    pub(super) fn probability(&self) -> (Vec<f64>, u64) {
        match &self.known {
            Some(known) => (known.clone(), 0),
            None => {
                let coefficients = logit(&self.rows, &self.treated);
                clipped(self.rows.iter().map(|row| logistic(dot(&coefficients, row))))
            }
        }
    }

    /// What each customer is expected to do if treated, or if not, by a regression on that arm in other folds.
    pub(super) fn expected_of_others(&self, treated: bool) -> Vec<f64> {
        let by_fold: Vec<Line> = (0..FOLDS)
            .map(|fold| {
                let (rows, outcome, _) = self.chosen(|k| self.fold[k] != fold && self.treated[k] == treated);
                Line::fit(&rows, &outcome)
            })
            .collect();
        (0..self.len())
            .map(|k| {
                let line = &by_fold[self.fold[k] as usize];
                // Where no other fold has the arm nothing is expected.
                if line.coefficients.is_empty() { 0.0 } else { line.at(&self.rows[k]) }
            })
            .collect()
    }
}

fn clipped(all: impl Iterator<Item = f64>) -> (Vec<f64>, u64) {
    let mut beyond = 0;
    let kept = all
        .map(|p| {
            let inside = p.clamp(CLIP, 1.0 - CLIP);
            beyond += u64::from(inside != p);
            inside
        })
        .collect();
    (kept, beyond)
}
