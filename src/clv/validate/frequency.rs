//! Customers by calibration frequency: what is expected of them, what they did, and how many there should be.

use std::collections::BTreeMap;

use super::methods::Predictions;
use super::moments::GROUPS;
use super::report::FrequencyGroup;
use super::scores::Scores;
use super::{Forecast, figure};
use crate::customers::CustomerTable;
use crate::parallel;

pub(super) fn groups(table: &CustomerTable, methods: &[Predictions], scores: &Scores) -> Vec<FrequencyGroup> {
    let mut observed: BTreeMap<u32, u64> = BTreeMap::new();
    for &t in &table.t_days {
        *observed.entry(t).or_default() += 1;
    }
    let observed: Vec<(u32, u64)> = observed.into_iter().collect();
    let expected: Vec<Option<[f64; GROUPS]>> =
        methods.iter().map(|method| method.forecast.map(|model| histogram(model, &observed))).collect();
    (0..GROUPS)
        .filter_map(|group| {
            let (customers, actual) = scores.group(group);
            Some(FrequencyGroup {
                frequency: group as u32,
                and_more: group + 1 == GROUPS,
                customers: figure(&customers)?,
                actual: figure(&actual),
                predicted: (0..methods.len())
                    .map(|m| figure(&scores.predicted_of_group(m, group)?))
                    .collect(),
                expected_customers: expected.iter().map(|of| of.map(|of| of[group])).collect(),
            })
        })
        .collect()
}

/// Customers whom a model expects with each frequency, given how long each was observed.
fn histogram(model: &dyn Forecast, observed: &[(u32, u64)]) -> [f64; GROUPS] {
    let unit = model.unit();
    let parts = parallel::map_chunks(observed.len(), 16, |range| {
        let mut out = [0.0; GROUPS];
        for &(t, customers) in &observed[range] {
            let mut rest = 1.0;
            for (x, sum) in (0u32..).zip(&mut out[..GROUPS - 1]) {
                let p = model.pmf(x, unit.of_days(t));
                *sum += customers as f64 * p;
                rest -= p;
            }
            out[GROUPS - 1] += customers as f64 * rest.max(0.0);
        }
        out
    });
    let mut out = [0.0; GROUPS];
    for part in parts {
        out.iter_mut().zip(part).for_each(|(sum, more)| *sum += more);
    }
    out
}
