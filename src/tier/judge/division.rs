//! What the best tiers hold, against the best that as many customers could hold.

use serde::Serialize;

use crate::parallel;

/// Customers that one thread takes at a time.
const CHUNK: usize = 16 * 4096;

/// A sum that does not depend on the order of its terms: whole multiples of 2^−40, so that no order of customers and no
/// number of threads shows. Terms are rounded to 1e-12, and beyond 1e20 they count as 1e20; sums beyond 1.5e26 stay there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(i128);

const SCALE: f64 = (1u64 << 40) as f64;
const MOST: f64 = 1e20;

impl Exact {
    /// A number, rounded.
    #[inline]
    pub fn of(value: f64) -> Exact {
        Exact((value.clamp(-MOST, MOST) * SCALE).round() as i128)
    }

    /// The sum as a number.
    pub fn value(self) -> f64 {
        self.0 as f64 / SCALE
    }

    /// The sum of some numbers.
    pub fn sum(values: &[f64]) -> Exact {
        let of_chunk =
            |rows: std::ops::Range<usize>| values[rows].iter().map(|&value| Exact::of(value)).sum();
        parallel::reduce_chunks(values.len(), CHUNK, of_chunk, |a: Exact, b| a + b).unwrap_or_default()
    }
}

impl std::ops::Add for Exact {
    type Output = Exact;
    #[inline]
    fn add(self, other: Exact) -> Exact {
        Exact(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Exact {
    type Output = Exact;
    fn sub(self, other: Exact) -> Exact {
        Exact(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Exact {
    fn sum<I: Iterator<Item = Exact>>(all: I) -> Exact {
        all.fold(Exact::default(), |sum, one| sum + one)
    }
}

/// The best tiers down to one, together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cut {
    /// Customers in them.
    pub customers: u64,
    /// What they are worth.
    pub held: f64,
    /// What the best customers, as many of them, are worth.
    pub best: f64,
    /// What is lost: best − held, never negative.
    pub regret: f64,
}

/// What customers are worth, from the most to the least.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Descending.
    values: Vec<f64>,
    total: Exact,
}

impl Ranked {
    /// Of values that are finite, in any order.
    pub fn new(mut values: Vec<f64>) -> Ranked {
        let total = Exact::sum(&values);
        parallel::sort_by(&mut values, |a, b| b.total_cmp(a));
        Ranked { values, total }
    }

    /// What the `n` best are worth.
    pub fn best(&self, n: usize) -> Exact {
        Exact::sum(&self.values[..n])
    }

    /// What all are worth.
    pub fn total(&self) -> f64 {
        self.total.value()
    }

    /// Twice the area between the curve of the best (share of customers, best first → share of worth) and the diagonal:
    /// the Gini coefficient where no value is negative. None where there is nothing to share.
    pub fn gini(&self) -> Option<f64> {
        let n = self.values.len() as f64;
        // Σ (n + 1 − 2·rank)·value/(n·total), ranks from 1 for the best.
        let of_chunk = |rows: std::ops::Range<usize>| {
            let first = rows.start as f64;
            let terms = self.values[rows].iter().enumerate();
            terms.map(|(k, value)| (n - 1.0 - 2.0 * (first + k as f64)) * value).sum::<f64>()
        };
        let sum = parallel::reduce_chunks(self.values.len(), CHUNK, of_chunk, |a, b| a + b)?;
        (self.total() > 0.0).then(|| sum / (n * self.total()))
    }
}

/// Customers and what they are worth, tier by tier, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Division {
    /// Customers by tier.
    pub customers: Vec<u64>,
    /// What they are worth by tier.
    worth: Vec<Exact>,
}

impl Division {
    /// `codes[i]` is the tier of customer i, of `tiers`; who has none beyond them belongs to the last.
    pub fn new(codes: &[u8], tiers: usize, values: &[f64]) -> Division {
        let of_chunk = |rows: std::ops::Range<usize>| {
            let mut part = Division { customers: vec![0; tiers], worth: vec![Exact::default(); tiers] };
            for (&code, &value) in codes[rows.clone()].iter().zip(&values[rows]) {
                let tier = usize::from(code).min(tiers - 1);
                part.customers[tier] += 1;
                part.worth[tier] = part.worth[tier] + Exact::of(value);
            }
            part
        };
        let nobody = Division { customers: vec![0; tiers], worth: vec![Exact::default(); tiers] };
        parallel::reduce_chunks(codes.len(), CHUNK, of_chunk, |mut a, b| {
            a.customers.iter_mut().zip(b.customers).for_each(|(a, b)| *a += b);
            a.worth.iter_mut().zip(b.worth).for_each(|(a, b)| *a = *a + b);
            a
        })
        .unwrap_or(nobody)
    }

    /// What each tier is worth.
    pub fn worth(&self) -> Vec<f64> {
        self.worth.iter().map(|worth| worth.value()).collect()
    }

    /// One cut below every tier but the last, where everybody is above. `ranked` has the same customers' values.
    pub fn cuts(&self, ranked: &Ranked) -> Vec<Cut> {
        let (mut customers, mut held) = (0, Exact::default());
        let tiers = self.customers.len();
        let mut out = Vec::with_capacity(tiers.saturating_sub(1));
        for k in 0..tiers.saturating_sub(1) {
            customers += self.customers[k];
            held = held + self.worth[k];
            let best = ranked.best(customers as usize);
            let regret = (best - held).value();
            out.push(Cut { customers, held: held.value(), best: best.value(), regret });
        }
        out
    }

    /// Twice the area between the curve of the tiers (share of customers, best tier first → share of worth, straight within a
    /// tier) and the diagonal. None where there is nothing to share. 1 would be the whole worth in a tier of nobody; a tiering
    /// that puts bad customers first is negative.
    pub fn gini(&self) -> Option<f64> {
        let worth = self.worth();
        let customers: Vec<f64> = self.customers.iter().map(|&n| n as f64).collect();
        area(&customers, &worth)
    }

    /// The accuracy ratio: [`Division::gini`] over that of customers ordered by what they are truly worth. 1 is the best
    /// that any order could be, 0 as good as chance (Sobehart, Keenan and Stein, "Benchmarking quantitative default risk
    /// models", Moody's, 2000; as a normalised Gini of an ordered Lorenz curve: Frees, Meyers and Cummings, "Summarizing
    /// insurance scores using a Gini index", Journal of the American Statistical Association 106, 2011). A few tiers cannot
    /// reach 1: within a tier everybody counts alike.
    pub fn accuracy(&self, ranked: &Ranked) -> Option<f64> {
        let of_best = ranked.gini().filter(|gini| *gini > 0.0)?;
        Some(self.gini()? / of_best)
    }
}

/// Twice the area between a curve of straight pieces, each with so many customers and so much worth, and the diagonal.
pub(super) fn area(customers: &[f64], worth: &[f64]) -> Option<f64> {
    let (n, total) = (customers.iter().sum::<f64>(), worth.iter().sum::<f64>());
    if !(n > 0.0 && total > 0.0) {
        return None;
    }
    let (mut above, mut sum) = (0.0, 0.0);
    for (customers, worth) in customers.iter().zip(worth) {
        sum += customers * (above + 0.5 * worth);
        above += worth;
    }
    Some(2.0 * sum / (n * total) - 1.0)
}
