//! Values with gradient and Hessian by (r, alpha, s, beta), as the likelihood adds them up.

/// A number that depends on the parameters, with its gradient and Hessian (upper triangle, row by row) by
/// (r, alpha, s, beta).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Terms {
    pub value: f64,
    pub gradient: [f64; 4],
    pub hessian: [f64; 10],
}

/// Places of entries of the Hessian.
pub(super) const RR: usize = 0;
pub(super) const R_ALPHA: usize = 1;
pub(super) const ALPHA_ALPHA: usize = 4;
pub(super) const SS: usize = 7;
pub(super) const S_BETA: usize = 8;
pub(super) const BETA_BETA: usize = 9;

impl Terms {
    pub(super) fn add(&mut self, weight: f64, other: &Terms) {
        self.value += weight * other.value;
        self.add_derivatives(weight, other);
    }

    /// Adds the gradient and the Hessian without the value.
    pub(super) fn add_derivatives(&mut self, weight: f64, other: &Terms) {
        for (own, other) in self.gradient.iter_mut().zip(&other.gradient) {
            *own += weight * other;
        }
        for (own, other) in self.hessian.iter_mut().zip(&other.hessian) {
            *own += weight * other;
        }
    }

    /// Adds `weight`·v·vᵀ to the Hessian.
    #[inline]
    pub(super) fn add_square(&mut self, weight: f64, v: &[f64; 4]) {
        let mut k = 0;
        for i in 0..4 {
            let by = weight * v[i];
            for other in &v[i..] {
                self.hessian[k] += by * other;
                k += 1;
            }
        }
    }

    /// Adds a positive term of weight `p` whose logarithm has the derivatives given; `curved` is its own Hessian at
    /// (r, alpha), (alpha, alpha), (s, s), (s, beta), (beta, beta), the only ones that differ from 0.
    #[inline]
    pub(super) fn add_positive(&mut self, p: f64, slope: &[f64; 4], curved: [f64; 5]) {
        self.value += p;
        for (own, slope) in self.gradient.iter_mut().zip(slope) {
            *own += p * slope;
        }
        self.add_square(p, slope);
        for (place, curve) in [R_ALPHA, ALPHA_ALPHA, SS, S_BETA, BETA_BETA].into_iter().zip(curved) {
            self.hessian[place] += p * curve;
        }
    }

    /// The logarithm of a sum of positive terms.
    pub(super) fn ln(mut self) -> Terms {
        let sum = self.value;
        self.value = sum.ln();
        self.gradient.iter_mut().for_each(|g| *g /= sum);
        self.hessian.iter_mut().for_each(|h| *h /= sum);
        let slope = self.gradient;
        self.add_square(-1.0, &slope);
        self
    }

    /// The inverse of [`Terms::ln`].
    pub(super) fn exp(mut self) -> Terms {
        let slope = self.gradient;
        self.add_square(1.0, &slope);
        let value = self.value.exp();
        self.gradient.iter_mut().for_each(|g| *g *= value);
        self.hessian.iter_mut().for_each(|h| *h *= value);
        Terms { value, ..self }
    }
}
