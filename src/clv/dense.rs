//! Small dense symmetric matrices: the two operations that fitting needs, for dimensions up to about ten.

/// A square matrix, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    n: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// The n × n matrix of zeros.
    pub fn zeros(n: usize) -> Matrix {
        Matrix { n, values: vec![0.0; n * n] }
    }

    /// The n × n identity.
    pub fn identity(n: usize) -> Matrix {
        let mut out = Matrix::zeros(n);
        for i in 0..n {
            out[(i, i)] = 1.0;
        }
        out
    }

    /// Number of rows.
    pub fn dim(&self) -> usize {
        self.n
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..(i + 1) * self.n]
    }

    /// Matrix × vector.
    pub fn times(&self, v: &[f64]) -> Vec<f64> {
        (0..self.n).map(|i| dot(self.row(i), v)).collect()
    }

    /// vᵀ·M·v.
    pub fn quadratic(&self, v: &[f64]) -> f64 {
        dot(&self.times(v), v)
    }

    /// Jᵀ·M·J.
    pub fn congruent(&self, j: &Matrix) -> Matrix {
        let n = self.n;
        let mut out = Matrix::zeros(n);
        for r in 0..n {
            for c in 0..n {
                out[(r, c)] =
                    (0..n).map(|i| j[(i, r)] * (0..n).map(|k| self[(i, k)] * j[(k, c)]).sum::<f64>()).sum();
            }
        }
        out
    }

    /// The rows and columns listed in `keep`, in that order.
    pub fn restricted(&self, keep: &[usize]) -> Matrix {
        let mut out = Matrix::zeros(keep.len());
        for (r, &i) in keep.iter().enumerate() {
            for (c, &j) in keep.iter().enumerate() {
                out[(r, c)] = self[(i, j)];
            }
        }
        out
    }

    /// Whether every entry is a finite number.
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|v| v.is_finite())
    }

    /// Eigenvalues in ascending order, and the eigenvectors as the rows of the second result, of a symmetric matrix.
    ///
    /// Cyclic Jacobi rotations (Golub and Van Loan, "Matrix Computations", §8.5): accurate for every eigenvalue and
    /// quick at these sizes. The entries must be finite.
    pub fn eigen(&self) -> (Vec<f64>, Matrix) {
        let n = self.n;
        let mut m = self.clone();
        let mut v = Matrix::identity(n);
        // Ten sweeps suffice in practice (convergence is quadratic); the bound only guarantees an end.
        for _ in 0..60 {
            let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|ij| m[ij] * m[ij]).sum();
            if off == 0.0 {
                break;
            }
            for p in 0..n {
                for q in p + 1..n {
                    rotate(&mut m, &mut v, p, q);
                }
            }
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| m[(i, i)].total_cmp(&m[(j, j)]));
        let mut vectors = Matrix::zeros(n);
        for (r, &i) in order.iter().enumerate() {
            for c in 0..n {
                vectors[(r, c)] = v[(c, i)];
            }
        }
        (order.iter().map(|&i| m[(i, i)]).collect(), vectors)
    }

    /// The symmetric matrix with the same eigenvectors and `f` of each eigenvalue: `1/v` gives the inverse, `max(v, 0)`
    /// the nearest matrix that is not indefinite.
    pub fn map_eigenvalues(&self, f: impl Fn(f64) -> f64) -> Matrix {
        let (values, vectors) = self.eigen();
        let mut out = Matrix::zeros(self.n);
        for (k, value) in values.into_iter().map(f).enumerate() {
            let v = vectors.row(k);
            for i in 0..self.n {
                for j in 0..self.n {
                    out[(i, j)] += value * v[i] * v[j];
                }
            }
        }
        out
    }
}

/// Makes entry (p, q) zero by a rotation, collected in the columns of `v`.
fn rotate(m: &mut Matrix, v: &mut Matrix, p: usize, q: usize) {
    let n = m.n;
    let (mpp, mqq, mpq) = (m[(p, p)], m[(q, q)], m[(p, q)]);
    // Entries that cannot change the diagonal any more count as zero, so that the sweeps end.
    if mpq.abs() <= f64::EPSILON * 1e-3 * (mpp.abs() * mqq.abs()).sqrt() || mpq.abs() < f64::MIN_POSITIVE {
        m[(p, q)] = 0.0;
        m[(q, p)] = 0.0;
        return;
    }
    let theta = (mqq - mpp) / (2.0 * mpq);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for i in 0..n {
        let (a, b) = (m[(i, p)], m[(i, q)]);
        m[(i, p)] = c * a - s * b;
        m[(i, q)] = s * a + c * b;
    }
    for i in 0..n {
        let (a, b) = (m[(p, i)], m[(q, i)]);
        m[(p, i)] = c * a - s * b;
        m[(q, i)] = s * a + c * b;
    }
    m[(p, q)] = 0.0;
    m[(q, p)] = 0.0;
    for i in 0..n {
        let (a, b) = (v[(i, p)], v[(i, q)]);
        v[(i, p)] = c * a - s * b;
        v[(i, q)] = s * a + c * b;
    }
}

impl std::ops::Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.values[i * self.n + j]
    }
}

impl std::ops::IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.values[i * self.n + j]
    }
}

/// Σ aᵢ·bᵢ.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_rebuild_the_matrix() {
        let n = 6;
        let mut m = Matrix::zeros(n);
        for i in 0..n {
            for j in 0..n {
                // Badly scaled on purpose: entries from 1 to 1e-10.
                m[(i, j)] = 10f64.powi(-((i + j) as i32)) / (1.0 + (i as f64 - j as f64).abs());
            }
        }
        let (values, vectors) = m.eigen();
        assert!(values.windows(2).all(|w| w[0] <= w[1]));
        for i in 0..n {
            for j in 0..n {
                let sum: f64 = (0..n).map(|k| values[k] * vectors[(k, i)] * vectors[(k, j)]).sum();
                assert!((sum - m[(i, j)]).abs() < 1e-15, "{i} {j}");
                let unit: f64 = dot(vectors.row(i), vectors.row(j));
                assert!((unit - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn the_inverse_by_eigenvalues() {
        let mut m = Matrix::zeros(2);
        (m[(0, 0)], m[(0, 1)], m[(1, 0)], m[(1, 1)]) = (2.0, 1.0, 1.0, 4.0);
        let inverse = m.map_eigenvalues(|v| 1.0 / v);
        for (ij, want) in [((0, 0), 4.0), ((0, 1), -1.0), ((1, 0), -1.0), ((1, 1), 2.0)] {
            assert!((inverse[ij] - want / 7.0).abs() < 1e-15);
        }
    }

    #[test]
    fn eigenvalues_of_a_known_matrix() {
        let mut m = Matrix::zeros(2);
        (m[(0, 0)], m[(0, 1)], m[(1, 0)], m[(1, 1)]) = (2.0, 1.0, 1.0, 2.0);
        let (values, vectors) = m.eigen();
        assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
        assert!((vectors[(1, 0)] - vectors[(1, 1)]).abs() < 1e-15);
    }
}
