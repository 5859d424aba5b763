//! Gauss–Legendre quadrature on sixteen nodes.

/// Nodes of one panel. An integrand that falls by e²⁰ within a panel is integrated to about 1e-11.
pub(crate) const NODES: usize = 16;

/// Nodes in (0, 1) with their weights, which sum to 1.
pub(crate) struct Rule {
    pub(crate) nodes: [(f64, f64); NODES],
}

impl Rule {
    /// Roots of the Legendre polynomial by Newton's method from their asymptotic places (Abramowitz and Stegun
    /// 25.4.29, 22.16.6).
    pub(crate) fn new() -> Rule {
        let n = NODES as f64;
        let mut nodes = [(0.0, 0.0); NODES];
        for (i, node) in nodes.iter_mut().enumerate() {
            let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..8 {
                let (mut before, mut value) = (1.0, x);
                for k in 2..=NODES {
                    let k = k as f64;
                    (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
                }
                slope = n * (x * value - before) / (x * x - 1.0);
                x -= value / slope;
            }
            *node = (0.5 * (1.0 + x), 1.0 / ((1.0 - x * x) * slope * slope));
        }
        Rule { nodes }
    }

    /// ∫ f over (low, high), cut into `panels` equal parts.
    pub(crate) fn integral(&self, low: f64, high: f64, panels: u32, mut f: impl FnMut(f64) -> f64) -> f64 {
        let width = (high - low) / f64::from(panels);
        let mut sum = 0.0;
        for panel in 0..panels {
            let begin = low + f64::from(panel) * width;
            sum += self.nodes.iter().map(|&(x, weight)| weight * f(begin + x * width)).sum::<f64>();
        }
        sum * width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_exact() {
        let rule = Rule::new();
        for power in 0..2 * NODES as i32 {
            let sum: f64 = rule.nodes.iter().map(|&(x, w)| w * x.powi(power)).sum();
            let want = 1.0 / f64::from(power + 1);
            assert!((sum / want - 1.0).abs() < 1e-13, "{power}: {sum} {want}");
        }
    }
}
