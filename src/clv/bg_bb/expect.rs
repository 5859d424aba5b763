//! What BG/BB expects of every distinct history, with both kinds of interval where there are draws of the parameters.

use serde::Serialize;

use super::{BgBb, Cell, Opportunities};
use crate::clv::interval_ends::{of_counts, of_means};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::random::{Purpose, Stream, hash_integer};

/// Histories whose numbers by draw are held at a time: only sums of them are kept. Fixed, so that sums do not depend on
/// threads.
const CHUNK: usize = 64;

/// Over what transactions are expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpportunityExpectations {
    /// Opportunities after the last one observed, from 1 on.
    pub horizon: u32,
    /// The discount rate per opportunity, from 0 on.
    pub discount: f64,
    /// The seed of what chance does in each draw.
    pub seed: u64,
}

/// What is expected of the customers of one history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CellExpectation {
    /// P(alive at opportunity n + 1).
    pub p_alive: f64,
    /// Transactions at the next opportunities, as expected.
    pub expected: f64,
    /// DERT; none without a discount.
    pub dert: Option<f64>,
    /// Their 95 % intervals, where there are draws.
    pub spread: Option<CellSpread>,
}

/// 95 % intervals of what is expected, over the draws of the parameters, and of what a customer will do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CellSpread {
    /// Of P(alive).
    pub p_alive: (f64, f64),
    /// Of the expected transactions.
    pub expected: (f64, f64),
    /// Of the transactions that a customer will make.
    pub transactions: (f64, f64),
    /// Of DERT.
    pub dert: Option<(f64, f64)>,
}

/// Expectations of all customers together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ExpectedTotals {
    /// Customers.
    pub customers: u64,
    /// Of these alive at the next opportunity, as expected.
    pub alive: f64,
    /// Transactions expected at the next opportunities.
    pub expected_transactions: f64,
    /// The 95 % interval of that expectation, where there are draws.
    pub expected_transactions_mean: Option<(f64, f64)>,
}

/// What `model` expects of each of the histories, in the order of [`Opportunities::cells`], and of all customers.
/// Deterministic, whatever the number of threads.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub fn expectations(
    data: &Opportunities,
    model: &BgBb,
    draws: &[BgBb],
    options: &OpportunityExpectations,
    progress: &dyn Progress,
) -> Result<(Vec<CellExpectation>, ExpectedTotals)> {
    let cells = data.cells();
    progress.phase("expecting", cells.len() as u64);
    let mut found: Vec<CellExpectation> = Vec::with_capacity(cells.len());
    let mut by_draw = vec![0.0; draws.len()];
    let chunks: Vec<&[Cell]> = cells.chunks(CHUNK).collect();
    let of_chunk = |i: usize| {
        let mut sums = vec![0.0; draws.len()];
        let mut out = Vec::with_capacity(chunks[i].len());
        for cell in chunks[i] {
            progress.check()?;
            let (expectation, expected) = of_cell(cell, model, draws, options);
            sums.iter_mut().zip(expected).for_each(|(sum, value)| *sum += cell.customers as f64 * value);
            out.push(expectation);
        }
        Ok((out, sums))
    };
    parallel::try_ordered(chunks.len(), of_chunk, |_, (out, sums)| {
        progress.advance(out.len() as u64);
        found.extend(out);
        by_draw.iter_mut().zip(sums).for_each(|(all, sum)| *all += sum);
        Ok(())
    })?;
    let sum = |of: fn(&CellExpectation) -> f64| -> f64 {
        cells.iter().zip(&found).map(|(cell, found)| cell.customers as f64 * of(found)).sum()
    };
    let totals = ExpectedTotals {
        customers: data.customers(),
        alive: sum(|cell| cell.p_alive),
        expected_transactions: sum(|cell| cell.expected),
        expected_transactions_mean: (!by_draw.is_empty()).then(|| of_means(by_draw)),
    };
    Ok((found, totals))
}

/// Of one history, and its expected transactions by each draw.
fn of_cell(
    cell: &Cell,
    model: &BgBb,
    draws: &[BgBb],
    options: &OpportunityExpectations,
) -> (CellExpectation, Vec<f64>) {
    let Cell { x, t_x, n, .. } = *cell;
    let OpportunityExpectations { horizon, discount, seed } = *options;
    let dert = |params: &BgBb| params.dert(x, t_x, n, discount);
    let expected = |params: &BgBb| params.conditional_expected(x, t_x, n, horizon);
    let by_draw: Vec<f64> = draws.iter().map(expected).collect();
    let address =
        hash_integer(u64::from(x)) ^ hash_integer(u64::from(t_x) << 32 | u64::from(n)).rotate_left(1);
    let spread = (!draws.is_empty()).then(|| CellSpread {
        p_alive: of_means(draws.iter().map(|params| params.p_alive(x, t_x, n)).collect()),
        expected: of_means(by_draw.clone()),
        transactions: of_counts(
            (0..)
                .zip(draws)
                .map(|(number, params)| {
                    let mut stream = Stream::new(seed, address, number, Purpose::Latent);
                    let latent = params.draw(&mut stream, x, t_x, n);
                    let mut count = 0.0;
                    latent.transactions(&mut stream, horizon, |_| count += 1.0);
                    count
                })
                .collect(),
        ),
        dert: (discount > 0.0).then(|| of_means(draws.iter().map(dert).collect())),
    });
    let cell = CellExpectation {
        p_alive: model.p_alive(x, t_x, n),
        expected: expected(model),
        dert: (discount > 0.0).then(|| dert(model)),
        spread,
    };
    (cell, by_draw)
}
