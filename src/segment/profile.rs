//! What the customers of a run's cluster are like, in figures and in names made from them.

use serde::Serialize;

use super::features::{Features, Measure};
use super::names::{Figures, Names, names};
use crate::customers::CustomerTable;
use crate::parallel;

/// Mean and median of a figure over the customers of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Typical {
    /// Mean.
    pub mean: f64,
    /// Median: of an even number of customers the mean of the two in the middle.
    pub median: f64,
}

/// What the customers of a cluster are like.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Number of the cluster, from 1, by descending mean spend.
    pub cluster: u32,
    /// A name made from the figures, such as "recent, frequent, big spenders". No two clusters share one.
    pub name: String,
    /// A shorter name to work with, proposed from the same figures: "Champions", "Lapsed one-time buyers". No two
    /// clusters share one.
    pub proposed_name: String,
    /// Customers.
    pub customers: u64,
    /// Share of all customers, 0 to 1.
    pub share_of_customers: f64,
    /// Repeat purchases.
    pub frequency: Typical,
    /// Days since the last order.
    pub days_since_last: Typical,
    /// Mean spend of the repeat purchases; 0 for customers without one.
    pub monetary_value: Typical,
    /// Total spend each.
    pub total_spend: Typical,
    /// Total spend of all of them.
    pub spend: f64,
    /// Share of all spend; 0 where there is none to share.
    pub share_of_spend: f64,
    /// The cluster's mean of each feature used, in standard deviations from the mean of all customers.
    pub standing: Vec<(Measure, f64)>,
}

/// The profiles of `clusters` (the customers of each, every one with at least one), in that order.
pub(super) fn profiles(table: &CustomerTable, features: &Features, clusters: &[Vec<usize>]) -> Vec<Profile> {
    let total: f64 = table.total_spend.iter().sum();
    let mut profiles = parallel::map(clusters.len(), |at| {
        let members = &clusters[at];
        let typical = |of: &dyn Fn(usize) -> f64| typical(members.iter().map(|&i| of(i)).collect());
        let total_spend = typical(&|i| table.total_spend[i]);
        let spend: f64 = members.iter().map(|&i| table.total_spend[i]).sum();
        let standing = |(column, &measure): (usize, &Measure)| {
            let sum: f64 = members.iter().map(|&i| features.columns[column][i]).sum();
            (measure, sum / members.len() as f64)
        };
        Profile {
            cluster: at as u32 + 1,
            name: String::new(),
            proposed_name: String::new(),
            customers: members.len() as u64,
            share_of_customers: members.len() as f64 / table.len() as f64,
            frequency: typical(&|i| f64::from(table.frequency[i])),
            days_since_last: typical(&|i| f64::from(table.days_since_last(i))),
            monetary_value: typical(&|i| table.monetary_value[i]),
            total_spend,
            spend,
            share_of_spend: if total > 0.0 { spend / total } else { 0.0 },
            standing: features.measures.iter().enumerate().map(standing).collect(),
        }
    });
    name(&mut profiles);
    profiles
}

/// Of at least one value.
pub(super) fn typical(mut values: Vec<f64>) -> Typical {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let (below, &mut middle, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    let median = if n % 2 == 1 {
        middle
    } else {
        below.iter().copied().max_by(f64::total_cmp).map_or(middle, |lower| (lower + middle) / 2.0)
    };
    Typical { mean, median }
}

/// Gives every profile its names.
fn name(profiles: &mut [Profile]) {
    let figures = |profile: &Profile| Figures {
        cluster: profile.cluster,
        standing: profile.standing.clone(),
        others: Vec::new(),
        repeats: Some(profile.frequency.mean),
        typical_spend: Some(profile.total_spend.median),
    };
    let names = names(&profiles.iter().map(figures).collect::<Vec<_>>(), false);
    for (profile, Names { words, proposed }) in profiles.iter_mut().zip(names) {
        (profile.name, profile.proposed_name) = (words, proposed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::testing::{Row, table};

    #[test]
    fn medians() {
        assert_eq!(typical(vec![5.0, 1.0, 3.0]), Typical { mean: 3.0, median: 3.0 });
        assert_eq!(typical(vec![4.0, 1.0, 3.0, 2.0]), Typical { mean: 2.5, median: 2.5 });
        assert_eq!(typical(vec![7.0]).median, 7.0);
    }

    #[test]
    fn figures_and_names() {
        let row = |id, frequency, since, total_spend| Row {
            id,
            frequency,
            since,
            total_spend,
            monetary_value: if frequency > 0 { 10.0 } else { 0.0 },
        };
        let table = table(&[
            row(0, 20, 2, 900.0),
            row(1, 30, 4, 700.0),
            row(2, 0, 300, 10.0),
            row(3, 0, 310, 12.0),
            row(4, 0, 320, 8.0),
            row(5, 0, 310, 30.0),
        ]);
        let features = Features::of(&table).unwrap();
        let profiles = profiles(&table, &features, &[vec![0, 1], vec![5], vec![2, 3, 4]]);
        assert_eq!(profiles[0].name, "recent, frequent, big spenders");
        assert_eq!(profiles[0].frequency, Typical { mean: 25.0, median: 25.0 });
        assert_eq!(profiles[0].days_since_last.mean, 3.0);
        assert_eq!(profiles[0].share_of_customers, 2.0 / 6.0);
        assert_eq!(profiles[0].spend, 1600.0);
        assert_eq!(profiles[1].name, "long absent, one-time customers");
        assert_eq!(profiles[2].name, "long absent, one-time, small spenders");
        assert_eq!(profiles[2].total_spend.median, 10.0);
        let proposed = [
            "Champions",
            "Lapsed one-time buyers, typically 30.00",
            "Lapsed one-time buyers, typically 10.00",
        ];
        assert_eq!(profiles.iter().map(|p| p.proposed_name.as_str()).collect::<Vec<_>>(), proposed);
        let share: f64 = profiles.iter().map(|p| p.share_of_spend).sum();
        assert!((share - 1.0).abs() < 1e-15);
    }

    #[test]
    fn names_are_told_apart() {
        let row = |id, total_spend| Row { id, total_spend, ..Row::default() };
        let table = table(&[row(0, 100.0), row(1, 100.0), row(2, 100.0), row(3, 5.0)]);
        let features = Features::of(&table).unwrap();
        let profiles = profiles(&table, &features, &[vec![0], vec![1], vec![2, 3]]);
        assert_eq!(profiles[0].name, "big spenders, typically 100.00 (1)");
        assert_eq!(profiles[1].name, "big spenders, typically 100.00 (2)");
        assert_eq!(profiles[2].name, "small spenders");
    }
}
