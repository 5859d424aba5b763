//! Expectations of cells and totals.

use super::super::*;
use super::{OPTIMUM, close, donations};

/// Expectations by cell are the model's own; with one set of parameters only chance spreads.
#[test]
fn expectations_of_cells_and_totals() {
    let data = donations();
    let options = OpportunityExpectations { horizon: 5, discount: 0.1, seed: 1 };
    let (cells, totals) = expectations(&data, &OPTIMUM, &[OPTIMUM; 500], &options, &()).unwrap();
    assert!((totals.expected_transactions - 12884.157).abs() < 0.05, "{totals:?}");
    assert_eq!(totals.customers, 11_104);
    for (cell, got) in data.cells().iter().zip(&cells) {
        let Cell { x, t_x, n, .. } = *cell;
        close("p_alive", got.p_alive, OPTIMUM.p_alive(x, t_x, n), 1e-15);
        close("expected", got.expected, OPTIMUM.conditional_expected(x, t_x, n, 5), 1e-15);
        close("DERT", got.dert.unwrap(), OPTIMUM.dert(x, t_x, n, 0.1), 1e-15);
        let spread = got.spread.unwrap();
        assert!((spread.expected.1 - spread.expected.0).abs() < 1e-12);
        // The ends of the count hold 95 % of its distribution, but for the error of 500 draws.
        let (low, high) = (spread.transactions.0 as u32, spread.transactions.1 as u32);
        let inside: f64 = (low..=high).map(|y| OPTIMUM.conditional_pmf(x, t_x, n, y, 5)).sum();
        assert!(inside > 0.95 - 4.0 * (0.05 * 0.95 / 500.0f64).sqrt(), "{cell:?} {spread:?} {inside}");
    }
    let without = OpportunityExpectations { discount: 0.0, ..options };
    let (cells, totals) = expectations(&data, &OPTIMUM, &[], &without, &()).unwrap();
    assert!(cells.iter().all(|cell| cell.dert.is_none() && cell.spread.is_none()));
    assert_eq!(totals.expected_transactions_mean, None);
}
