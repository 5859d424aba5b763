//! Normal and exponential numbers by the ziggurat: a third of the time of inversion, which is what a future's many orders
//! cost.
//!
//! Marsaglia and Tsang, "The ziggurat method for generating random variables", Journal of Statistical Software 5 (2000), with
//! 256 layers and separate bits for layer, sign and place (Doornik 2005). Both are exact. A number may take several of the
//! stream's: what follows it in a stream moves with it, in the same way for everybody who reads that stream.

use std::sync::OnceLock;

use super::{GammaShape, Stream};

const LAYERS: usize = 256;

/// Right ends of the layers, ascending in the density: `x[0]` is the base layer's width with its tail, `x[1]` where the tail
/// begins, and `x[256]` is 0.
struct Layers {
    x: [f64; LAYERS + 1],
    /// The density at `x`, without its constant.
    f: [f64; LAYERS + 1],
}

impl Layers {
    /// Layers of equal area `area` of a falling density, the tail beginning at `tail`.
    fn new(tail: f64, area: f64, density: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Layers {
        let mut x = [0.0; LAYERS + 1];
        x[0] = area / density(tail);
        x[1] = tail;
        for i in 2..LAYERS {
            x[i] = inverse(density(x[i - 1]) + area / x[i - 1]);
        }
        Layers { f: x.map(density), x }
    }
}

/// Where the normal's tail begins, and the area of a layer.
const NORMAL: (f64, f64) = (3.654_152_885_361_009, 0.004_928_673_233_974_655);
/// The same of the exponential.
const EXPONENTIAL: (f64, f64) = (7.697_117_470_131_05, 0.003_949_659_822_581_557);

fn normal_layers() -> &'static Layers {
    static LAYERS: OnceLock<Layers> = OnceLock::new();
    LAYERS.get_or_init(|| {
        Layers::new(NORMAL.0, NORMAL.1, |x| (-0.5 * x * x).exp(), |y| (-2.0 * y.ln()).max(0.0).sqrt())
    })
}

fn exponential_layers() -> &'static Layers {
    static LAYERS: OnceLock<Layers> = OnceLock::new();
    LAYERS.get_or_init(|| Layers::new(EXPONENTIAL.0, EXPONENTIAL.1, |x| (-x).exp(), |y| (-y.ln()).max(0.0)))
}

/// The ziggurats at hand, looked up once for many numbers.
#[derive(Clone, Copy)]
pub struct Ziggurat {
    normal: &'static Layers,
    exponential: &'static Layers,
}

impl Default for Ziggurat {
    fn default() -> Ziggurat {
        Ziggurat { normal: normal_layers(), exponential: exponential_layers() }
    }
}

/// Layer, place within it in [0, 1) and the sign bit, from different bits.
#[inline]
fn parts(bits: u64) -> (usize, f64, u64) {
    ((bits & 0xff) as usize, (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0), bits & 0x100)
}

impl Ziggurat {
    /// Standard normal.
    #[inline]
    pub fn normal(&self, stream: &mut Stream) -> f64 {
        let (layer, u, sign) = parts(stream.bits());
        let x = u * self.normal.x[layer];
        let x = if x < self.normal.x[layer + 1] { x } else { self.normal_edge(stream, layer, x) };
        if sign == 0 { x } else { -x }
    }

    /// Beyond the part of a layer that lies under the density whatever its height: one draw in eighty.
    #[inline(never)]
    fn normal_edge(&self, stream: &mut Stream, mut layer: usize, mut x: f64) -> f64 {
        let Layers { x: ends, f } = self.normal;
        loop {
            if layer == 0 {
                // The tail beyond: Marsaglia 1964.
                loop {
                    let (a, b) = (stream.exponential() / NORMAL.0, stream.exponential());
                    if 2.0 * b > a * a {
                        return NORMAL.0 + a;
                    }
                }
            }
            if f[layer] + stream.uniform() * (f[layer + 1] - f[layer]) < (-0.5 * x * x).exp() {
                return x;
            }
            let u;
            (layer, u, _) = parts(stream.bits());
            x = u * ends[layer];
            if x < ends[layer + 1] {
                return x;
            }
        }
    }

    /// Exponential with mean 1.
    #[inline]
    pub fn exponential(&self, stream: &mut Stream) -> f64 {
        let (layer, u, _) = parts(stream.bits());
        let x = u * self.exponential.x[layer];
        if x < self.exponential.x[layer + 1] { x } else { self.exponential_edge(stream, layer, x) }
    }

    #[inline(never)]
    fn exponential_edge(&self, stream: &mut Stream, mut layer: usize, mut x: f64) -> f64 {
        let Layers { x: ends, f } = self.exponential;
        loop {
            if layer == 0 {
                // What is beyond the tail's begin is exponential again.
                return EXPONENTIAL.0 + stream.exponential();
            }
            if f[layer] + stream.uniform() * (f[layer + 1] - f[layer]) < (-x).exp() {
                return x;
            }
            let u;
            (layer, u, _) = parts(stream.bits());
            x = u * ends[layer];
            if x < ends[layer + 1] {
                return x;
            }
        }
    }

    /// Gamma of a shape, rate 1: as [`Stream::gamma_of`], with normals from the ziggurat.
    #[inline]
    pub fn gamma(&self, stream: &mut Stream, shape: &GammaShape) -> f64 {
        let above_one = self.gamma_from_one(stream, shape);
        match shape.power > 0.0 {
            true => (-self.exponential(stream) / shape.power).exp() * above_one,
            false => above_one,
        }
    }

    /// Marsaglia and Tsang's method. One draw of 64 bits serves the normal (layer, sign and 40 bits of its place) and the first 15
    /// bits of the uniform that it is accepted by; nine times in ten these decide.
    #[inline]
    fn gamma_from_one(&self, stream: &mut Stream, shape: &GammaShape) -> f64 {
        let &GammaShape { d, c, .. } = shape;
        loop {
            let bits = stream.bits();
            let layer = (bits & 0xff) as usize;
            let place = (bits >> 24) as f64 * (1.0 / 1_099_511_627_776.0);
            let x = place * self.normal.x[layer];
            let x = if x < self.normal.x[layer + 1] { x } else { self.normal_edge(stream, layer, x) };
            let x = if bits & 0x100 == 0 { x } else { -x };
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            let x2 = x * x;
            let surely = 1.0 - 0.0331 * x2 * x2;
            let coarse = ((bits >> 9) & 0x7fff) as f64;
            if (coarse + 1.0) * (1.0 / 32_768.0) <= surely || accepts(stream, coarse, (surely, x2, d, v)) {
                return d * v;
            }
        }
    }
}

/// Whether a gamma is taken whose uniform begins with the 15 bits of `coarse`.
#[inline(never)]
fn accepts(stream: &mut Stream, coarse: f64, (surely, x2, d, v): (f64, f64, f64, f64)) -> bool {
    let u = (coarse + stream.uniform()) * (1.0 / 32_768.0);
    u < surely || u.ln() < 0.5 * x2 + d * (1.0 - v + v.ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use crate::special::gamma_q;

    const DRAWS: usize = 400_000;

    fn draws(f: impl Fn(&Ziggurat, &mut Stream) -> f64) -> Vec<f64> {
        let ziggurat = Ziggurat::default();
        let mut stream = Stream::new(17, 4, 0, Purpose::Sample);
        let mut out: Vec<f64> = (0..DRAWS).map(|_| f(&ziggurat, &mut stream)).collect();
        out.sort_by(f64::total_cmp);
        out
    }

    /// The largest distance from a distribution function, by √n (Kolmogorov and Smirnov): 1.95 is exceeded once in a thousand.
    fn distance(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
        let n = sorted.len() as f64;
        let far = |(i, &x): (usize, &f64)| {
            let at = cdf(x);
            (at - i as f64 / n).abs().max((at - (i + 1) as f64 / n).abs())
        };
        sorted.iter().enumerate().map(far).fold(0.0, f64::max) * n.sqrt()
    }

    #[test]
    fn layers_close_at_the_top() {
        for layers in [normal_layers(), exponential_layers()] {
            // The last layer has the area of the others.
            let area = layers.x[LAYERS - 1] * (1.0 - layers.f[LAYERS - 1]);
            let base = layers.x[0] * layers.f[1];
            assert!((area / base - 1.0).abs() < 1e-6, "{area} {base}");
        }
    }

    #[test]
    fn numbers_have_their_distributions() {
        let normal = |x: f64| {
            let tail = 0.5 * gamma_q(0.5, 0.5 * x * x);
            if x < 0.0 { tail } else { 1.0 - tail }
        };
        assert!(distance(&draws(|z, s| z.normal(s)), normal) < 1.95);
        assert!(distance(&draws(|z, s| z.exponential(s)), |x| -(-x).exp_m1()) < 1.95);
        for shape in [0.3, 1.0, 6.25, 40.0] {
            let of = GammaShape::new(shape);
            assert!(distance(&draws(|z, s| z.gamma(s, &of)), |x| 1.0 - gamma_q(shape, x)) < 1.95, "{shape}");
        }
    }

    #[test]
    fn tails_are_there() {
        let x = draws(|z, s| z.normal(s));
        let beyond = x.iter().filter(|x| x.abs() > NORMAL.0).count() as f64;
        // P(|x| > 3.654) = 2.58e-4: 103 of 400,000.
        assert!((beyond - 103.3).abs() < 4.0 * 103.3f64.sqrt(), "{beyond}");
    }
}
