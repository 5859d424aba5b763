//! Gauss–Legendre quadrature on sixteen nodes.

/// Nodes of one panel. An integrand that falls by e²⁰ within a panel is integrated to about 1e-11.
pub(crate) const NODES: usize = 16;

/// Nodes in (0, 1) with their weights, which sum to 1.
pub(crate) struct Rule {
    pub(crate) nodes: [(f64, f64); NODES],
}

impl Rule {
    /// The rule, made once.
    pub(crate) fn shared() -> &'static Rule {
        static RULE: std::sync::OnceLock<Rule> = std::sync::OnceLock::new();
        RULE.get_or_init(Rule::new)
    }

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

/// The largest length of a panel of [`Rule::walk`]: the integrands' nearest singularities lie π from the real axis.
const LONGEST_PANEL: f64 = 4.0;

/// The largest change of the integrand's logarithm within a panel.
const CHANGE_OF_PANEL: f64 = 14.0;

/// Where a log-concave integrand has fallen by e to this power and still falls, the rest is left out: it is below
/// e^−42 of what was met, divided by the slope there over the first panel's.
const FALL_AT_END: f64 = 42.0;

/// Panels at most: parameters at the far corners of what numbers can say ask for some hundred.
const MOST_PANELS: u32 = 4096;

impl Rule {
    /// Visits nodes and weights for an integral over (0, length) of a positive log-concave function; `slope` is the
    /// derivative of its logarithm, which never grows. Panels are as long as the function allows, and end where
    /// nothing is left.
    ///
    /// With sixteen nodes a panel is exact to about 1e-14.
    pub(crate) fn walk(&self, length: f64, slope: impl Fn(f64) -> f64, mut visit: impl FnMut(f64, f64)) {
        let mut fall = 0.0;
        let mut begin = 0.0;
        let mut first = slope(0.0);
        for _ in 0..MOST_PANELS {
            let mut width = (length - begin).min(LONGEST_PANEL);
            let mut last;
            loop {
                last = slope(begin + width);
                let steepest = first.abs().max(last.abs());
                let change = steepest * width;
                if change.is_nan() || change <= CHANGE_OF_PANEL {
                    break;
                }
                // The slope at a panel's end says too much where it grows fast: a tenth at least, half at most.
                width *= (CHANGE_OF_PANEL / change).clamp(0.1, 0.5);
            }
            for &(node, weight) in &self.nodes {
                visit(begin + node * width, weight * width);
            }
            begin += width;
            // At least so much: the slope at the begin is the flattest of a fall.
            fall += (-first).max(0.0) * width;
            if begin >= length || fall > FALL_AT_END && last < 0.0 {
                return;
            }
            first = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gamma functions as integrals in the logarithm: shapes from flat to sharp, from the mode to either side.
    #[test]
    fn log_concave_integrals() {
        let rule = Rule::new();
        for shape in [0.01, 0.5, 1.0, 30.0, 1e4, 1e6] {
            // Γ(shape) from e^(shape·y − e^y), relative to its mode at y = ln shape.
            let mut sum = 0.0;
            for side in [1.0, -1.0] {
                let slope = |v: f64| side * shape * -(side * v).exp_m1();
                rule.walk(1e5, slope, |v, w| {
                    sum += w * (shape * (side * v - (side * v).exp_m1())).exp();
                });
            }
            let got = sum.ln() + shape * shape.ln() - shape;
            let want = crate::special::ln_gamma(shape);
            assert!((got - want).abs() < 1e-13 * (1.0 + want.abs()), "{shape}: {got} {want}");
        }
    }

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
