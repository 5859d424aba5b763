//! Random numbers keyed by what they are for, and the distributions drawn from them.
//!
//! A [`Stream`] is addressed by (seed, customer, replication, purpose). Nothing depends on threads, on the order of
//! rows or on how many numbers another stream has used: two strategies that look at the same customer in the same
//! replication see the same luck. The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
//! numbers: as easy as 1, 2, 3", SC 2011): the key is the seed, the 128-bit counter holds the address, so streams
//! with different addresses never overlap.

mod ziggurat;

pub use ziggurat::Ziggurat;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Parameters of the models, once per replication.
    Parameters = 1,
    /// Parameters of the responses, once per replication.
    Responses = 2,
    /// Whether a customer is alive, and its own purchase and dropout rates.
    Latent = 3,
    /// When its purchases after the first happen.
    Arrivals = 4,
    /// What they are worth.
    Spend = 5,
    /// Choosing a sample of customers.
    Sample = 6,
    /// Seeds handed to a library.
    Library = 7,
    /// Histories from known parameters: apart from all that a run on such a history draws with the same seed.
    Synth = 8,
    /// How often a customer counts in each replication of a bootstrap.
    Bootstrap = 9,
    /// Which half of a table of contacts a customer is in.
    Halves = 10,
    /// Which customers a strategy chooses by lot.
    Selection = 11,
    /// Customers who are not there yet.
    NewCustomers = 12,
}

/// The customer number of streams that belong to no customer.
pub const NOBODY: u64 = 0;

/// A stable 64-bit hash of an integer id: the same on every machine and in every version.
pub fn hash_integer(id: u64) -> u64 {
    // The finaliser of splitmix64 (Steele, Lea and Flood 2014): a bijection, so integer ids never collide.
    let mut z = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stable 64-bit hash of a text id (XXH3, whose output is fixed by its specification).
pub fn hash_text(id: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id)
}

/// A sequence of random numbers with an address of its own.
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    /// Numbers that were made and not handed out yet, the next one last.
    spare: [u64; 4],
    left: u8,
}

impl Stream {
    /// The stream of (seed, customer, replication, purpose). It holds 2^25 numbers.
    #[inline]
    pub fn new(seed: u64, customer: u64, replication: u32, purpose: Purpose) -> Stream {
        Stream {
            key: [seed as u32, (seed >> 32) as u32],
            // The low 24 bits of the last word count the blocks.
            counter: [customer as u32, (customer >> 32) as u32, replication, (purpose as u32) << 24],
            spare: [0; 4],
            left: 0,
        }
    }

    /// The same stream, made for a reader who takes more than two numbers of it: they are the same, and come faster.
    #[inline]
    pub fn long(seed: u64, customer: u64, replication: u32, purpose: Purpose) -> Stream {
        let mut stream = Stream::new(seed, customer, replication, purpose);
        stream.two_blocks();
        stream
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        if self.left > 0 {
            self.left -= 1;
            return self.spare[usize::from(self.left)];
        }
        self.more()
    }

    /// The next block, of two numbers; from the second time on two blocks side by side, whose steps the processor overlaps:
    /// many streams end before that.
    fn more(&mut self) -> u64 {
        let low = |block: &[u32; 4]| u64::from(block[0]) | u64::from(block[1]) << 32;
        let high = |block: &[u32; 4]| u64::from(block[2]) | u64::from(block[3]) << 32;
        if self.counter[3] & 0xff_ffff == 0 {
            let [block] = philox([self.counter], self.key);
            self.counter[3] += 1;
            self.spare[0] = high(&block);
            self.left = 1;
            return low(&block);
        }
        self.two_blocks();
        self.left -= 1;
        self.spare[3]
    }

    #[inline]
    fn two_blocks(&mut self) {
        let low = |block: &[u32; 4]| u64::from(block[0]) | u64::from(block[1]) << 32;
        let high = |block: &[u32; 4]| u64::from(block[2]) | u64::from(block[3]) << 32;
        let mut second = self.counter;
        second[3] += 1;
        let [first, second] = philox([self.counter, second], self.key);
        self.counter[3] += 2;
        self.spare = [high(&second), low(&second), high(&first), low(&first)];
        self.left = 4;
    }

    /// Uniform on the open interval (0, 1): (k + ½)/2^52, so that neither end is ever drawn.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
    }

    /// Exponential with mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Standard normal, by inversion: one number of the stream each.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform())
    }

    /// Gamma with the given shape (> 0) and rate 1.
    ///
    /// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); below shape 1 with their
    /// power of a uniform. Shapes so small that the result underflows give 0.
    #[inline]
    pub fn gamma(&mut self, shape: f64) -> f64 {
        self.gamma_of(&GammaShape::new(shape))
    }

    /// [`Stream::gamma`] of a shape that is drawn of often.
    #[inline]
    pub fn gamma_of(&mut self, shape: &GammaShape) -> f64 {
        if shape.power > 0.0 {
            let scale = (self.uniform().ln() / shape.power).exp();
            return self.gamma_from_one(shape) * scale;
        }
        self.gamma_from_one(shape)
    }

    #[inline]
    fn gamma_from_one(&mut self, &GammaShape { d, c, .. }: &GammaShape) -> f64 {
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            let u = self.uniform();
            let x2 = x * x;
            if u < 1.0 - 0.0331 * x2 * x2 || u.ln() < 0.5 * x2 + d * (1.0 - v + v.ln()) {
                return d * v;
            }
        }
    }

    /// Beta(a, b), both > 0.
    ///
    /// From the logarithms of two gammas: with small shapes the gammas themselves underflow, where the draw is 0 or 1
    /// and their logarithms still say which.
    #[inline]
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let x = self.ln_gamma_draw(a);
        let y = self.ln_gamma_draw(b);
        1.0 / (1.0 + (y - x).exp())
    }

    /// The logarithm of a draw from Gamma(shape, rate 1).
    #[inline]
    fn ln_gamma_draw(&mut self, shape: f64) -> f64 {
        let of = GammaShape::new(shape);
        if of.power > 0.0 {
            let ln_scale = self.uniform().ln() / of.power;
            return self.gamma_from_one(&of).ln() + ln_scale;
        }
        self.gamma_from_one(&of).ln()
    }
}

/// What Marsaglia and Tsang's method needs of a shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaShape {
    /// The shape, one more where it is below 1, less a third.
    d: f64,
    /// 1/√(9d).
    c: f64,
    /// The shape where it is below 1, else 0.
    power: f64,
}

impl GammaShape {
    /// Of a shape above 0.
    #[inline]
    pub fn new(shape: f64) -> GammaShape {
        let is_below = shape < 1.0;
        let d = if is_below { shape + 1.0 } else { shape } - 1.0 / 3.0;
        GammaShape { d, c: 1.0 / (9.0 * d).sqrt(), power: if is_below { shape } else { 0.0 } }
    }
}

/// The blocks of some counters.
#[inline]
fn philox<const N: usize>(mut counters: [[u32; 4]; N], mut key: [u32; 2]) -> [[u32; 4]; N] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(0x9e37_79b9);
            key[1] = key[1].wrapping_add(0xbb67_ae85);
        }
        for counter in &mut counters {
            let a = u64::from(counter[0]) * 0xd251_1f53;
            let b = u64::from(counter[2]) * 0xcd9e_8d57;
            *counter = [
                (b >> 32) as u32 ^ counter[1] ^ key[0],
                b as u32,
                (a >> 32) as u32 ^ counter[3] ^ key[1],
                a as u32,
            ];
        }
    }
    counters
}

/// The quantile function of the standard normal for p in (0, 1), relative error about 1e-16.
///
/// Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
#[inline]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(&CENTRE_TOP, r) / polynomial(&CENTRE_BOTTOM, r);
    }
    normal_tail_quantile(p, q)
}

/// Out of line: three draws in twenty come here.
#[inline(never)]
fn normal_tail_quantile(p: f64, q: f64) -> f64 {
    let r = (-(if q < 0.0 { p } else { 1.0 - p }).ln()).sqrt();
    let x = if r <= 5.0 {
        polynomial(&MIDDLE_TOP, r - 1.6) / polynomial(&MIDDLE_BOTTOM, r - 1.6)
    } else {
        polynomial(&TAIL_TOP, r - 5.0) / polynomial(&TAIL_BOTTOM, r - 5.0)
    };
    if q < 0.0 { -x } else { x }
}

/// Estrin's scheme: three dependent steps where Horner's has seven, which is what a draw waits for.
#[inline]
fn polynomial(c: &[f64; 8], x: f64) -> f64 {
    let x2 = x * x;
    let low = (c[0] + c[1] * x) + (c[2] + c[3] * x) * x2;
    let high = (c[4] + c[5] * x) + (c[6] + c[7] * x) * x2;
    low + high * (x2 * x2)
}

// Coefficients as published, digit for digit.
#[allow(clippy::excessive_precision)]
const CENTRE_TOP: [f64; 8] = [
    3.3871328727963666080,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
];
#[allow(clippy::excessive_precision)]
const CENTRE_BOTTOM: [f64; 8] = [
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
];
#[allow(clippy::excessive_precision)]
const MIDDLE_TOP: [f64; 8] = [
    1.42343711074968357734,
    4.63033784615654529590,
    5.76949722146069140550,
    3.64784832476320460504,
    1.27045825245236838258,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
];
#[allow(clippy::excessive_precision)]
const MIDDLE_BOTTOM: [f64; 8] = [
    1.0,
    2.05319162663775882187,
    1.67638483018380384940,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
];
#[allow(clippy::excessive_precision)]
const TAIL_TOP: [f64; 8] = [
    6.65790464350110377720,
    5.46378491116411436990,
    1.78482653991729133580,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
];
#[allow(clippy::excessive_precision)]
const TAIL_BOTTOM: [f64; 8] = [
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn philox_matches_its_known_answers() {
        assert_eq!(philox([[0; 4]], [0; 2]), [[0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]]);
        assert_eq!(
            philox([[u32::MAX; 4]], [u32::MAX; 2]),
            [[0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]]
        );
        assert_eq!(
            philox([[0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]], [0xa409_3822, 0x299f_31d0]),
            [[0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]]
        );
    }

    /// Blocks are made two at a time; the numbers are those of the blocks one by one.
    #[test]
    fn a_stream_is_its_blocks_in_order() {
        let mut stream = Stream::new(3, 9, 4, Purpose::Spend);
        for block in 0..7u32 {
            let [b] = philox([[9, 0, 4, (5 << 24) + block]], [3, 0]);
            assert_eq!(stream.bits(), u64::from(b[0]) | u64::from(b[1]) << 32);
            assert_eq!(stream.bits(), u64::from(b[2]) | u64::from(b[3]) << 32);
        }
        let (mut long, mut short) =
            (Stream::long(3, 9, 4, Purpose::Spend), Stream::new(3, 9, 4, Purpose::Spend));
        assert!((0..20).all(|_| long.bits() == short.bits()));
    }

    #[test]
    fn normal_quantiles() {
        for (p, x) in
            [(0.5, 0.0), (0.975, 1.959963984540054), (1e-10, -6.361340902404056), (0.8, 0.8416212335729143)]
        {
            assert!((normal_quantile(p) - x).abs() < 1e-14 * (1.0 + x.abs()), "{p}");
        }
    }

    fn moments(n: u32, mut draw: impl FnMut(&mut Stream) -> f64) -> (f64, f64) {
        let (mut sum, mut squares) = (0.0, 0.0);
        for customer in 0..u64::from(n) {
            let x = draw(&mut Stream::new(7, hash_integer(customer), 0, Purpose::Latent));
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(n);
        (mean, squares / f64::from(n) - mean * mean)
    }

    #[test]
    fn distributions_have_their_moments() {
        let n = 200_000;
        let close = |got: (f64, f64), mean: f64, variance: f64| {
            // Five standard errors of a mean; the variance to 5 %.
            assert!((got.0 - mean).abs() < 5.0 * (variance / f64::from(n)).sqrt(), "{got:?} {mean}");
            assert!((got.1 / variance - 1.0).abs() < 0.05, "{got:?} {variance}");
        };
        close(moments(n, Stream::uniform), 0.5, 1.0 / 12.0);
        close(moments(n, Stream::exponential), 1.0, 1.0);
        close(moments(n, Stream::normal), 0.0, 1.0);
        for shape in [0.25, 1.0, 3.7, 250.0] {
            close(moments(n, |s| s.gamma(shape)), shape, shape);
        }
        let (a, b): (f64, f64) = (0.8, 2.4);
        for scale in [1.0, 1e-2, 1e-3, 1e-6, 1e-9] {
            let (a, b) = (a * scale, b * scale);
            close(moments(n, |s| s.beta(a, b)), a / (a + b), a * b / ((a + b).powi(2) * (a + b + 1.0)));
        }
    }

    #[test]
    fn a_stream_is_its_address() {
        let draw = |customer, replication, purpose| Stream::new(1, customer, replication, purpose).bits();
        assert_eq!(draw(5, 3, Purpose::Latent), draw(5, 3, Purpose::Latent));
        assert_ne!(draw(5, 3, Purpose::Latent), draw(5, 4, Purpose::Latent));
        assert_ne!(draw(5, 3, Purpose::Latent), draw(6, 3, Purpose::Latent));
        assert_ne!(draw(5, 3, Purpose::Latent), draw(5, 3, Purpose::Arrivals));
    }
}
