//! One weighted normal distribution, by logarithms of its density.

use ndarray::ArrayView2;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Component {
    /// Its share of the rows.
    pub(super) weight: f64,
    pub(super) mean: Vec<f64>,
    /// The rows of L⁻¹ below and on the diagonal, one after the other, with covariance L Lᵀ.
    inverse: Vec<f64>,
    /// ln(weight) − ln|L| − d/2 ln 2π.
    constant: f64,
}

impl Component {
    /// None where the covariance is not positive definite or something is no finite number.
    pub(super) fn new(weight: f64, mean: &[f64], covariance: ArrayView2<'_, f64>) -> Option<Component> {
        let d = mean.len();
        let mut lower = vec![vec![0.0; d]; d];
        for i in 0..d {
            for j in 0..=i {
                let done: f64 = (0..j).map(|m| lower[i][m] * lower[j][m]).sum();
                let left = covariance[[i, j]] - done;
                if i == j {
                    if !(left > 0.0 && left.is_finite()) {
                        return None;
                    }
                    lower[i][i] = left.sqrt();
                } else {
                    lower[i][j] = left / lower[j][j];
                }
            }
        }
        let mut inverse = vec![vec![0.0; d]; d];
        for i in 0..d {
            let row: Vec<f64> = (0..=i)
                .map(|j| {
                    let done: f64 = (j..i).map(|m| lower[i][m] * inverse[m][j]).sum();
                    (f64::from(u8::from(i == j)) - done) / lower[i][i]
                })
                .collect();
            inverse[i][..=i].copy_from_slice(&row);
        }
        let ln_root: f64 = (0..d).map(|i| lower[i][i].ln()).sum();
        let constant = weight.ln() - ln_root - 0.5 * d as f64 * std::f64::consts::TAU.ln();
        let inverse: Vec<f64> = inverse.iter().enumerate().flat_map(|(i, row)| row[..=i].to_vec()).collect();
        let sound = constant.is_finite() && mean.iter().chain(&inverse).all(|x| x.is_finite());
        sound.then(|| Component { weight, mean: mean.to_vec(), inverse, constant })
    }

    /// ln(weight · density).
    pub(super) fn log_density(&self, x: &[f64]) -> f64 {
        let (mut square, mut rest) = (0.0, self.inverse.as_slice());
        for i in 0..x.len() {
            let (row, below) = rest.split_at(i + 1);
            let y: f64 = row.iter().zip(x).zip(&self.mean).map(|((l, x), mean)| l * (x - mean)).sum();
            square += y * y;
            rest = below;
        }
        self.constant - 0.5 * square
    }
}

/// ln Σ exp(x), given the largest.
pub(super) fn log_sum(x: &[f64], largest: f64) -> f64 {
    largest + x.iter().map(|x| (x - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_are_those_of_the_formula() {
        let covariance = ndarray::array![[2.0, 0.6], [0.6, 1.0]];
        let component = Component::new(0.3, &[1.0, -1.0], covariance.view()).unwrap();
        let (dx, dy) = (0.5f64, 2.0f64);
        let det: f64 = 2.0 * 1.0 - 0.36;
        let square = (1.0 * dx * dx - 2.0 * 0.6 * dx * dy + 2.0 * dy * dy) / det;
        let want = 0.3f64.ln() - (std::f64::consts::TAU * det.sqrt()).ln() - 0.5 * square;
        assert!((component.log_density(&[1.5, 1.0]) - want).abs() < 1e-14);
        assert!(Component::new(0.3, &[0.0, 0.0], ndarray::array![[1.0, 1.0], [1.0, 1.0]].view()).is_none());
        assert!((log_sum(&[-1000.0, -1000.0], -1000.0) - (-1000.0 + 2f64.ln())).abs() < 1e-12);
    }
}
