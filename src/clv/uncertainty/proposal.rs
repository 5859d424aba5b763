//! What parameters are proposed from: a split multivariate t around the maximum.

use crate::clv::dense::{Matrix, dot};
use crate::random::Stream;

/// Degrees of freedom: tails heavy enough to cover a likelihood that falls much more slowly than a normal, with four in
/// five proposals still effective where it is one.
const DEGREES: f64 = 5.0;

/// The fall of the log-density two standard errors from the maximum of a normal.
const FALL_AT_TWO: f64 = 2.0;

/// A fall within this range counts as normal enough; the spread then stays what the information says.
const NORMAL_ENOUGH: std::ops::Range<f64> = 1.0..4.0;

/// A side is never made narrower or wider than by these factors: beyond, the density is flat or a cliff, and the
/// adapted proposal has to see to it.
const NARROWEST: f64 = 0.1;
const WIDEST: f64 = 5.0;

/// Halvings of the bracket for a side's spread: three digits.
const HALVINGS: usize = 12;

/// A multivariate t with a spread of its own on each side of each direction (Geweke, "Bayesian Inference in Econometric
/// Models Using Monte Carlo Integration", Econometrica 57, 1989).
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    centre: Vec<f64>,
    /// Column k is direction k, one standard error long; 0 for directions that stay fixed.
    factor: Matrix,
    /// Which columns are not 0.
    free: Vec<usize>,
    /// Factors on the spread of direction k below and above the centre.
    sides: Vec<[f64; 2]>,
}

impl Proposal {
    pub(super) fn new(centre: Vec<f64>, factor: Matrix) -> Proposal {
        let n = centre.len();
        let free = (0..n).filter(|&k| (0..n).any(|i| factor[(i, k)] != 0.0)).collect();
        Proposal { centre, factor, free, sides: vec![[1.0; 2]; n] }
    }

    /// Fits the spread of each side of each direction to `ln_density`, whose maximum is the centre.
    pub(super) fn split(mut self, ln_density: impl Fn(&[f64]) -> f64) -> Proposal {
        let top = ln_density(&self.centre);
        for &k in &self.free {
            for (side, sign) in [(0, -1.0), (1, 1.0)] {
                // The fall at `scale` times two standard errors; what is not a number is out of the question.
                let fall = |scale: f64| {
                    let step = 2.0 * sign * scale;
                    let point: Vec<f64> =
                        (0..self.centre.len()).map(|i| self.centre[i] + step * self.factor[(i, k)]).collect();
                    let fall = top - ln_density(&point);
                    if fall.is_nan() { f64::INFINITY } else { fall }
                };
                if NORMAL_ENOUGH.contains(&fall(1.0)) {
                    continue;
                }
                let (mut low, mut high) = (NARROWEST, WIDEST);
                for _ in 0..HALVINGS {
                    let middle = (low * high).sqrt();
                    if fall(middle) > FALL_AT_TWO { high = middle } else { low = middle }
                }
                self.sides[k][side] = high;
            }
        }
        self
    }

    /// A point and the logarithm of the density there, without its constants.
    pub(super) fn draw(&self, stream: &mut Stream) -> (Vec<f64>, f64) {
        let mut z = vec![0.0; self.centre.len()];
        for &k in &self.free {
            z[k] = stream.normal();
        }
        let chi_square = 2.0 * stream.gamma(0.5 * DEGREES);
        let stretch = (DEGREES / chi_square).sqrt();
        z.iter_mut().for_each(|z| *z *= stretch);
        let dimension = self.free.len() as f64;
        let mut ln_density = -0.5 * (DEGREES + dimension) * (dot(&z, &z) / DEGREES).ln_1p();
        for &k in &self.free {
            // Half of the probability stays on each side, over `side` times the length.
            let side = self.sides[k][usize::from(z[k] > 0.0)];
            z[k] *= side;
            ln_density -= side.ln();
        }
        let step = self.factor.times(&z);
        (self.centre.iter().zip(step).map(|(centre, step)| centre + step).collect(), ln_density)
    }
}
