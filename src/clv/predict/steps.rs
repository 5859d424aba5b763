//! The horizon's steps: when each ends, and what money in it is worth today.

use crate::calendar::Unit;
use crate::clv::schedule::Schedule;
use crate::clv::value::ValueOptions;

/// The steps of a horizon, as [`Schedule`] has them.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    /// The end of each, in the model's time.
    ends: Vec<f64>,
    /// The discount factor at the end of each.
    factors: Vec<f64>,
    are_equal: bool,
}

impl Steps {
    pub(super) fn new(options: &ValueOptions, unit: Unit) -> Steps {
        let points = Schedule::steps(options, unit).points;
        let ends: Vec<f64> = points.iter().map(|&(end, _)| end).collect();
        let factors: Vec<f64> = ends.iter().map(|end| options.discount.factor(end * unit.days())).collect();
        let are_equal = factors.iter().all(|factor| *factor == factors[0]);
        Steps { ends, factors, are_equal }
    }

    /// How many.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether money is worth the same in all of them.
    #[inline]
    pub(super) fn are_equal(&self) -> bool {
        self.are_equal
    }

    /// The end of the last one.
    #[inline]
    pub(super) fn horizon(&self) -> f64 {
        self.ends[self.ends.len() - 1]
    }

    /// The end of a step.
    #[inline]
    pub(super) fn end(&self, step: usize) -> f64 {
        self.ends[step]
    }

    /// What money in a step is worth today.
    #[inline]
    pub(super) fn factor(&self, step: usize) -> f64 {
        self.factors[step]
    }

    /// The step in which a moment of the horizon lies. All are equally long but the last.
    #[inline]
    pub(super) fn at(&self, moment: f64) -> usize {
        ((moment / self.ends[0]) as usize).min(self.ends.len() - 1)
    }
}
