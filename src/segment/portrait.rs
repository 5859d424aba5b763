//! What the customers of clusters are like in any features: means and medians in the features' own units, how far each
//! cluster stands from everybody, names, and an order from the best to the worst.

use serde::Serialize;

use super::features::Measure;
use super::names::{Figures, names};
use super::profile::typical;
use super::transform::Prepared;
use crate::parallel;

/// By what clusters are ordered, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By mean lifetime value.
    Clv,
    /// By mean total spend.
    TotalSpend,
    /// By number of customers.
    Size,
}

impl Order {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Order::Clv => "mean clv",
            Order::TotalSpend => "mean total_spend",
            Order::Size => "number of customers",
        }
    }
}

/// What is known of the customers who were grouped; each slice has one value per customer, NaN where there is none.
#[derive(Debug)]
pub struct Known<'a> {
    /// The features as they were compared.
    pub prepared: &'a Prepared,
    /// The same in their own units, in the order of the reports of `prepared`.
    pub values: &'a [Vec<f64>],
    /// Lifetime value, if it is known.
    pub clv: Option<&'a [f64]>,
    /// Total spend, if it is known.
    pub total_spend: Option<&'a [f64]>,
}

/// A feature over the customers of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trait {
    /// The feature.
    pub name: String,
    /// Mean of the values that are numbers; none where none is.
    pub mean: Option<f64>,
    /// Their median.
    pub median: Option<f64>,
    /// Customers whose value is no number.
    pub missing: u64,
    /// The cluster's mean of the transformed feature, in standard deviations from that of all customers; none where the
    /// feature took no part.
    pub standing: Option<f64>,
}

/// What the customers of a cluster are like.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Portrait {
    /// The number of the cluster, from 1 for the best.
    pub cluster: u32,
    /// A short name, which no other cluster has: "Champions".
    pub proposed_name: String,
    /// A name in words, which no other cluster has: "recent, frequent, big spenders".
    pub name: String,
    /// Customers.
    pub customers: u64,
    /// Their share of all who were grouped (noise included), 0 to 1.
    pub share_of_customers: f64,
    /// Their total spend, where it is known.
    pub spend: Option<f64>,
    /// Its share of all spend; none where there is none to share.
    pub share_of_spend: Option<f64>,
    /// Mean lifetime value, where it is known.
    pub mean_clv: Option<f64>,
    /// Every feature.
    pub features: Vec<Trait>,
}

/// The clusters of `codes` (below `clusters`, each with a customer; none for noise) from the best to the worst: their
/// order, what they are like, and the place among them of every code.
///
/// They are ordered by mean lifetime value where it is known of somebody, else by mean total spend, else by size. Of equal
/// ones the larger comes first, then the one of the first customer.
pub fn portraits(
    known: &Known<'_>,
    codes: &[Option<u16>],
    clusters: usize,
) -> (Order, Vec<Portrait>, Vec<u16>) {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); clusters];
    for (i, code) in codes.iter().enumerate() {
        if let Some(code) = code {
            members[usize::from(*code)].push(i);
        }
    }
    let is_known = |values: Option<&[f64]>| values.is_some_and(|v| v.iter().any(|x| x.is_finite()));
    let (order, worth) = match (is_known(known.clv), is_known(known.total_spend)) {
        (true, _) => (Order::Clv, known.clv),
        (false, true) => (Order::TotalSpend, known.total_spend),
        (false, false) => (Order::Size, None),
    };
    let mut ranked: Vec<(Option<f64>, u16)> =
        (0..clusters).map(|at| (worth.and_then(|values| mean(values, &members[at])), at as u16)).collect();
    // None is the least: a cluster of whom nothing is known comes last.
    ranked.sort_by(|(a, i), (b, j)| {
        let (x, y) = (&members[usize::from(*i)], &members[usize::from(*j)]);
        let by_worth = match (a, b) {
            (Some(a), Some(b)) => b.total_cmp(a),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_worth.then(y.len().cmp(&x.len())).then(x.first().cmp(&y.first()))
    });
    let mut places = vec![0; clusters];
    for (place, &(_, code)) in ranked.iter().enumerate() {
        places[usize::from(code)] = place as u16;
    }
    let mut found = parallel::map(clusters, |place| {
        let own = &members[usize::from(ranked[place].1)];
        portrait(known, own, place as u32 + 1, codes.len())
    });
    name(known, &mut found, codes.iter().any(Option::is_none));
    (order, found, places)
}

/// The mean of the finite values of some customers.
fn mean(values: &[f64], members: &[usize]) -> Option<f64> {
    let finite = members.iter().map(|&i| values[i]).filter(|x| x.is_finite());
    let (sum, n) = finite.fold((0.0, 0u64), |(sum, n), x| (sum + x, n + 1));
    (n > 0).then(|| sum / n as f64)
}

fn sum<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    values.filter(|x| x.is_finite()).sum()
}

fn portrait(known: &Known<'_>, members: &[usize], cluster: u32, customers: usize) -> Portrait {
    let spend = known.total_spend.map(|spend| sum(members.iter().map(|&i| &spend[i])));
    let all = known.total_spend.map(|spend| sum(spend.iter()));
    Portrait {
        cluster,
        proposed_name: String::new(),
        name: String::new(),
        customers: members.len() as u64,
        share_of_customers: members.len() as f64 / customers as f64,
        spend,
        share_of_spend: spend.zip(all).filter(|(_, all)| *all > 0.0).map(|(spend, all)| spend / all),
        mean_clv: known.clv.and_then(|clv| mean(clv, members)),
        features: (0..known.prepared.reports.len()).map(|at| feature(known, members, at)).collect(),
    }
}

fn feature(known: &Known<'_>, members: &[usize], at: usize) -> Trait {
    let report = &known.prepared.reports[at];
    let values = &known.values[at];
    let finite: Vec<f64> = members.iter().map(|&i| values[i]).filter(|x| x.is_finite()).collect();
    let missing = (members.len() - finite.len()) as u64;
    let typical = (!finite.is_empty()).then(|| typical(finite));
    let column = known.prepared.used.iter().position(|&used| used == at);
    let standing = column.map(|column| {
        let column = &known.prepared.columns[column];
        let mean = members.iter().map(|&i| column[i]).sum::<f64>() / members.len() as f64;
        match report.mean.zip(report.sd) {
            Some((all, sd)) if !report.transform.standardise => (mean - all) / sd,
            _ => mean,
        }
    });
    Trait {
        name: report.name.clone(),
        mean: typical.map(|typical| typical.mean),
        median: typical.map(|typical| typical.median),
        missing,
        standing,
    }
}

/// What the column of a feature measures, if it is one of the three that clusters are usually named by.
fn measure(name: &str) -> Option<Measure> {
    match name {
        "days_since_last" => Some(Measure::Recency),
        "frequency" | "orders" => Some(Measure::Frequency),
        "total_spend" => Some(Measure::Spend),
        _ => None,
    }
}

fn name(known: &Known<'_>, portraits: &mut [Portrait], noise: bool) {
    let figures = |portrait: &Portrait| {
        let mut out = Figures { cluster: portrait.cluster, ..Figures::default() };
        for own in &portrait.features {
            let Some(standing) = own.standing else { continue };
            match measure(&own.name) {
                // Of frequency and orders the first: both say the same.
                Some(measure) if !out.standing.iter().any(|(known, _)| *known == measure) => {
                    out.standing.push((measure, standing));
                }
                Some(_) => {}
                None => out.others.push((own.name.clone(), standing)),
            }
        }
        let of = |name: &str| portrait.features.iter().find(|own| own.name == name);
        let orders = || of("orders").and_then(|own| own.mean).map(|orders| orders - 1.0);
        out.repeats = of("frequency").and_then(|own| own.mean).or_else(orders);
        out.typical_spend = of("total_spend").and_then(|own| own.median);
        out
    };
    debug_assert_eq!(known.values.len(), known.prepared.reports.len());
    let found = names(&portraits.iter().map(figures).collect::<Vec<_>>(), noise);
    for (portrait, names) in portraits.iter_mut().zip(found) {
        (portrait.name, portrait.proposed_name) = (names.words, names.proposed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::transform::{Source, Transform};
    use super::*;

    const SPEND: [f64; 6] = [900.0, 10.0, 12.0, f64::NAN, 700.0, 1000.0];
    const SINCE: [f64; 6] = [3.0, 300.0, 310.0, 280.0, 5.0, 290.0];
    const CODES: [Option<u16>; 6] = [Some(1), Some(0), Some(0), Some(0), Some(1), None];

    fn known(prepared: &Prepared) -> Known<'_> {
        static VALUES: std::sync::OnceLock<Vec<Vec<f64>>> = std::sync::OnceLock::new();
        let values = VALUES.get_or_init(|| vec![SPEND.to_vec(), SINCE.to_vec()]);
        Known { prepared, values, clv: None, total_spend: Some(&SPEND) }
    }

    fn prepared(standardise: bool) -> Prepared {
        let transform = Transform { standardise, ..Transform::default() };
        let source = |name: &str, values| Source { name: name.into(), values, transform };
        Prepared::of(&[source("total_spend", &SPEND), source("days_since_last", &SINCE)]).unwrap()
    }

    #[test]
    fn figures_order_and_names() {
        let prepared = prepared(true);
        let (order, found, places) = portraits(&known(&prepared), &CODES, 2);
        assert_eq!((order, places), (Order::TotalSpend, vec![1, 0]));
        assert_eq!(found[0].name, "recent, big spenders");
        assert_eq!(found[1].proposed_name, "Lapsed customers");
        assert_eq!((found[0].customers, found[0].spend), (2, Some(1600.0)));
        assert!((found[0].share_of_customers - 2.0 / 6.0).abs() < 1e-15);
        assert!((found[0].share_of_spend.unwrap() - 1600.0 / 2622.0).abs() < 1e-15);
        let spend = &found[1].features[0];
        assert_eq!((spend.mean, spend.median, spend.missing), (Some(11.0), Some(11.0), 1));
        // Features that are not standardised stand as far from everybody.
        let raw = self::prepared(false);
        let (_, others, _) = portraits(&known(&raw), &CODES, 2);
        for (a, b) in found.iter().zip(&others) {
            for (a, b) in a.features.iter().zip(&b.features) {
                assert!((a.standing.unwrap() - b.standing.unwrap()).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn lifetime_value_comes_first_and_size_last() {
        let prepared = prepared(true);
        let clv = [1.0, 5.0, 6.0, 7.0, 2.0, 0.0];
        let by_clv = Known { clv: Some(&clv), ..known(&prepared) };
        let (order, found, places) = portraits(&by_clv, &CODES, 2);
        assert_eq!((order, places, found[0].mean_clv), (Order::Clv, vec![0, 1], Some(6.0)));
        let unknown = [f64::NAN; 6];
        let by_size = Known { clv: Some(&unknown), total_spend: None, ..known(&prepared) };
        let (order, found, places) = portraits(&by_size, &CODES, 2);
        assert_eq!((order, places), (Order::Size, vec![0, 1]));
        assert!(found.iter().all(|p| p.spend.is_none() && p.mean_clv.is_none()));
    }
}
