//! Tiers by customers' own rates, draw by draw.

use std::sync::{Mutex, PoisonError};

use super::division::{Cut, Division, Ranked};
use crate::clv::own_value::{Histories, Models, OwnValues};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::tier::Graded;

/// Customers that one thread takes at a time.
const CHUNK: usize = 4 * 4096;

/// As many draws as a count of 16 bits holds.
pub const MOST_DRAWS: u32 = 65_535;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurenessOptions {
    /// Draws of everybody's own rates and spend; from 2 to [`MOST_DRAWS`].
    pub draws: u32,
}

/// The tiers of one scheme by own rates, over all draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Sureness {
    /// Draws.
    pub draws: u32,
    /// Tiers of the scheme.
    pub tiers: usize,
    /// How often each customer was in each tier: entry customer × tiers + tier.
    counts: Vec<u16>,
    /// In each draw, what the tiers by the rules hold by own rates.
    pub cuts: Vec<Vec<Cut>>,
    /// In each draw, the accuracy ratio; none where nobody is worth anything.
    pub accuracy: Vec<Option<f64>>,
    /// In each draw, what each tier by the rules is worth by own rates.
    pub worth: Vec<Vec<f64>>,
}

impl Sureness {
    /// P(tier) of customer `i`.
    pub fn probability(&self, i: usize, tier: usize) -> f64 {
        f64::from(self.counts[i * self.tiers + tier]) / f64::from(self.draws)
    }

    /// The tier in which customer `i` was most often; of equal ones the best.
    pub fn likeliest(&self, i: usize) -> u8 {
        let counts = &self.counts[i * self.tiers..(i + 1) * self.tiers];
        let most = counts.iter().max().copied().unwrap_or(0);
        counts.iter().position(|&count| count == most).unwrap_or(0) as u8
    }

    /// Customers expected in each tier by own rates (columns), by their tier by the rules (rows).
    pub fn confusion(&self, codes: &[u8]) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0u64; self.tiers]; self.tiers];
        for (i, &code) in codes.iter().enumerate() {
            let counts = &self.counts[i * self.tiers..(i + 1) * self.tiers];
            for (sum, &count) in sums[usize::from(code)].iter_mut().zip(counts) {
                *sum += u64::from(count);
            }
        }
        let share = |count: u64| count as f64 / f64::from(self.draws);
        sums.into_iter().map(|row| row.into_iter().map(share).collect()).collect()
    }

    /// Of each tier by the rules, customers who belong there with at least this probability.
    pub fn sure(&self, codes: &[u8], probability: f64) -> Vec<u64> {
        let mut out = vec![0; self.tiers];
        for (i, &code) in codes.iter().enumerate() {
            out[usize::from(code)] += u64::from(self.probability(i, usize::from(code)) >= probability);
        }
        out
    }
}

/// Draws everybody's own figures and asks the rules of every scheme with them, thresholds held fixed. `models` are those of
/// each draw of the parameters, taken in turn; what a customer is worth is [`crate::clv::own_value::OwnFigures::worth`].
///
/// The customers of the schemes and of `histories` are the same, in the same order; `who` is a customer's id, for errors. Takes
/// customers × draws × about a third of a microsecond of processor time, and a twentieth more for each scheme.
///
/// # Errors
/// Too few or too many draws, no models, schemes over other customers, a customer who has no tier by own rates (a scheme without
/// a default), and [`Error::Interrupted`].
pub fn sureness(
    schemes: &[&Graded<'_>],
    histories: Histories<'_>,
    own: &OwnValues,
    models: &[Models<'_>],
    options: SurenessOptions,
    who: &(dyn Fn(usize) -> String + Sync),
    progress: &dyn Progress,
) -> Result<Vec<Sureness>> {
    let SurenessOptions { draws } = options;
    if !(2..=MOST_DRAWS).contains(&draws) {
        let remedy = format!("give a number from 2 to {MOST_DRAWS}");
        return Err(Error::value("the number of draws", draws, "no probability can be made of it", remedy));
    }
    let n = histories.hash.len();
    if models.is_empty() || schemes.iter().any(|scheme| scheme.tiering.codes.len() != n) {
        return Err(Error::internal("drawing tiers", "no models, or schemes over other customers"));
    }
    let tiers: Vec<usize> = schemes.iter().map(|scheme| scheme.tiering.tiers.len()).collect();
    // Each chunk's own counts, by scheme: nobody else asks for them at the same time.
    let of_chunk = |chunk: usize| {
        let len = ((chunk + 1) * CHUNK).min(n) - chunk * CHUNK;
        Mutex::new(tiers.iter().map(|tiers| vec![0u16; len * tiers]).collect::<Vec<_>>())
    };
    let chunks = n.div_ceil(CHUNK);
    let counts: Vec<Mutex<Vec<Vec<u16>>>> = (0..chunks).map(of_chunk).collect();
    let mut out: Vec<Sureness> = tiers
        .iter()
        .map(|&tiers| Sureness {
            draws,
            tiers,
            counts: Vec::new(),
            cuts: Vec::new(),
            accuracy: Vec::new(),
            worth: Vec::new(),
        })
        .collect();
    progress.phase("drawing own rates", u64::from(draws));
    let mut p_alive = Vec::new();
    for k in 0..draws {
        progress.check()?;
        let model = models[k as usize % models.len()];
        if k == 0 || models.len() > 1 {
            p_alive = own.p_alive(histories.patterns, model.purchases);
        }
        let worth = parallel::try_map(chunks, |chunk| {
            progress.check()?;
            let rows = chunk * CHUNK..((chunk + 1) * CHUNK).min(n);
            let figures = own.draw(k, model, histories, &p_alive, rows.clone());
            let columns = figures.columns();
            let mut counts = counts[chunk].lock().unwrap_or_else(PoisonError::into_inner);
            for ((scheme, counts), &tiers) in schemes.iter().zip(counts.iter_mut()).zip(&tiers) {
                let found = scheme.scheme().tiers_with(rows.clone(), &columns);
                for (k, (counts, tier)) in counts.chunks_exact_mut(tiers).zip(found).enumerate() {
                    let tier = tier.ok_or_else(|| without_tier(scheme, &who(rows.start + k)))?;
                    counts[usize::from(tier)] += 1;
                }
            }
            Ok(figures.worth().to_vec())
        })?;
        let worth = worth.concat();
        let divide =
            |scheme: &&Graded| Division::new(&scheme.tiering.codes, scheme.tiering.tiers.len(), &worth);
        let divisions: Vec<Division> = schemes.iter().map(divide).collect();
        let ranked = Ranked::new(worth);
        for (out, division) in out.iter_mut().zip(divisions) {
            out.cuts.push(division.cuts(&ranked));
            out.accuracy.push(division.accuracy(&ranked));
            out.worth.push(division.worth());
        }
        progress.advance(1);
    }
    for chunk in counts {
        let chunk = chunk.into_inner().unwrap_or_else(PoisonError::into_inner);
        out.iter_mut().zip(chunk).for_each(|(out, counts)| out.counts.extend(counts));
    }
    Ok(out)
}

fn without_tier(scheme: &Graded<'_>, who: &str) -> Error {
    Error::value(
        "the scheme",
        scheme.tiering.key.clone(),
        format!("by its own rates customer {who} may have no tier: no rule takes it"),
        "end the scheme with a [[tier]] that has default = true",
    )
}
