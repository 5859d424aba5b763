//! Names of clusters, made from how far each stands from everybody: in words, and a short one to work with.
//!
//! All thresholds are fixed, so that the same clusters have the same names.

use super::features::Measure;
use crate::customers::spend::money;

/// A cluster stands out in a feature where its mean is this many standard deviations of all customers away from
/// their mean.
const STANDS_OUT: f64 = 0.5;

/// From this many standard deviations on it stands out very much: one customer in fifteen of a normal distribution.
const STANDS_FAR_OUT: f64 = 1.5;

/// Below a mean of a twentieth of a repeat purchase practically nobody came back.
const ONE_TIME: f64 = 0.05;

/// A short name has fewer characters than a tier's may have: clusters become tiers.
const LONGEST: usize = 99;

/// Room for the number that tells apart what nothing else does: " (100)".
const ROOM_FOR_NUMBER: usize = 6;

/// Room for the usual name in front of other features: "Lapsed one-time buyers, ".
const ROOM_FOR_USUAL: usize = 24;

/// Features that a short name tells of; how many more there are is all it says of the rest.
const STRONGEST: usize = 3;

/// Characters of a feature's name in a short name.
const LONGEST_FEATURE: usize = 24;

/// What a name is made from.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    /// The number of the cluster.
    pub(super) cluster: u32,
    /// The cluster's mean of recency, frequency and spend, in standard deviations from everybody's.
    pub(super) standing: Vec<(Measure, f64)>,
    /// The same of any other feature.
    pub(super) others: Vec<(String, f64)>,
    /// Mean number of repeat purchases, where it is known.
    pub(super) repeats: Option<f64>,
    /// The median of total spend, where it is known.
    pub(super) typical_spend: Option<f64>,
}

/// The two names of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// "recent, frequent, big spenders".
    pub(super) words: String,
    /// "Champions".
    pub(super) proposed: String,
}

/// Gives every cluster a name of its own: its words, then its other features, then what its customers typically spend,
/// then its number. With `noise` somebody is in no cluster.
pub(super) fn names(clusters: &[Figures], noise: bool) -> Vec<Names> {
    let alone = clusters.len() == 1 && !noise;
    let words = clusters.iter().map(|c| if alone { "all customers".into() } else { words(c) }).collect();
    let proposed =
        clusters.iter().map(|c| if alone { "All customers".into() } else { proposal(c) }).collect();
    // The words hold the other features already.
    let words = told_apart(clusters, words, &[&spend, &number]);
    let proposed = told_apart(clusters, proposed, &[&others, &spend, &number]);
    words.into_iter().zip(proposed).map(|(words, proposed)| Names { words, proposed }).collect()
}

/// A longer name for a cluster that shares its own with another.
type Rename<'a> = &'a dyn Fn(&Figures, &str) -> String;

fn others(cluster: &Figures, name: &str) -> String {
    match (cluster.standing.is_empty(), strongest(cluster)) {
        // It is made of them already.
        (true, _) | (_, None) => name.to_string(),
        (false, Some(others)) => format!("{name}, {others}"),
    }
}

fn spend(cluster: &Figures, name: &str) -> String {
    let longer = cluster.typical_spend.map(|spend| format!("{name}, typically {}", money(spend)));
    // Where there is no room the number will do.
    longer.filter(|longer| is_short(longer)).unwrap_or_else(|| name.to_string())
}

fn number(cluster: &Figures, name: &str) -> String {
    format!("{name} ({})", cluster.cluster)
}

fn told_apart(clusters: &[Figures], mut names: Vec<String>, renames: &[Rename<'_>]) -> Vec<String> {
    for rename in renames {
        let before = names.clone();
        for (at, name) in names.iter_mut().enumerate() {
            if before.iter().enumerate().any(|(other, same)| other != at && *same == before[at]) {
                *name = rename(&clusters[at], name);
            }
        }
    }
    names
}

/// Whether a name with a number behind it can be a tier's.
fn is_short(name: &str) -> bool {
    name.chars().count() + ROOM_FOR_NUMBER <= LONGEST
}

/// "very low p_alive".
fn word(name: &str, standing: f64) -> String {
    let very = if standing.abs() >= STANDS_FAR_OUT { "very " } else { "" };
    let side = if standing > 0.0 { "high" } else { "low" };
    format!("{very}{side} {name}")
}

/// The features beside recency, frequency and spend in which a cluster stands out.
fn standing_out(cluster: &Figures) -> impl Iterator<Item = &(String, f64)> {
    cluster.others.iter().filter(|(_, standing)| standing.abs() >= STANDS_OUT)
}

/// "high clv, very low p_alive": all of them.
fn outstanding(cluster: &Figures) -> Option<String> {
    let words: Vec<String> = standing_out(cluster).map(|(name, standing)| word(name, *standing)).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// "high clv, very low p_alive and 4 more": the strongest of them in the order of the features, as far as a short name
/// has room.
fn strongest(cluster: &Figures) -> Option<String> {
    let before = if cluster.standing.is_empty() { 0 } else { ROOM_FOR_USUAL };
    let room = LONGEST - ROOM_FOR_NUMBER - before;
    let all: Vec<&(String, f64)> = standing_out(cluster).collect();
    let mut ranked: Vec<usize> = (0..all.len()).collect();
    // Stable: of equal ones the first.
    ranked.sort_by(|&a, &b| all[b].1.abs().total_cmp(&all[a].1.abs()));
    let of_first = |taken: usize| {
        let mut chosen = ranked[..taken].to_vec();
        chosen.sort_unstable();
        let words: Vec<String> = chosen.into_iter().map(|at| word(&clipped(&all[at].0), all[at].1)).collect();
        match all.len() - taken {
            0 => words.join(", "),
            more => format!("{} and {more} more", words.join(", ")),
        }
    };
    let most = all.len().min(STRONGEST);
    // One has room whatever it is called.
    (1..=most).rev().map(of_first).find(|text| text.chars().count() <= room)
}

/// A feature's name as a short name has room for it, in one line.
fn clipped(name: &str) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    match name.chars().count() > LONGEST_FEATURE {
        true => name.chars().take(LONGEST_FEATURE - 1).map(plain).chain(['…']).collect(),
        false => name.chars().map(plain).collect(),
    }
}

/// "recent, very frequent, big spenders".
fn words(cluster: &Figures) -> String {
    let mut words = Vec::new();
    let mut spenders = None;
    for &(measure, standing) in &cluster.standing {
        let very = if standing.abs() >= STANDS_FAR_OUT { "very " } else { "" };
        let (high, low) = (standing >= STANDS_OUT, standing <= -STANDS_OUT);
        match measure {
            // More days are a longer absence.
            Measure::Recency if low => words.push(format!("{very}recent")),
            Measure::Recency if high => words.push(format!("{very}long absent")),
            Measure::Frequency if is_one_time(cluster) => words.push("one-time".into()),
            Measure::Frequency if high => words.push(format!("{very}frequent")),
            Measure::Frequency if low => words.push(format!("{very}infrequent")),
            Measure::Spend if high => spenders = Some(format!("{very}big spenders")),
            Measure::Spend if low => spenders = Some(format!("{very}small spenders")),
            _ => {}
        }
    }
    let own = match (words.is_empty(), spenders) {
        (true, None) => None,
        (false, None) => Some(format!("{} customers", words.join(", "))),
        (_, Some(spenders)) => {
            words.push(spenders);
            Some(words.join(", "))
        }
    };
    match (own, outstanding(cluster)) {
        (None, None) => "average customers".into(),
        (Some(own), None) => own,
        (None, Some(others)) => format!("customers with {others}"),
        (Some(own), Some(others)) => format!("{own}, with {others}"),
    }
}

fn is_one_time(cluster: &Figures) -> bool {
    cluster.repeats.is_some_and(|repeats| repeats < ONE_TIME)
}

/// "Champions": the usual names of RFM segments, where the cluster's standing gives a reason for one.
fn proposal(cluster: &Figures) -> String {
    if cluster.standing.is_empty() {
        let others = strongest(cluster).unwrap_or_else(|| "average customers".into());
        let mut letters = others.chars();
        return letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect());
    }
    let standing = |wanted: Measure| {
        let found = cluster.standing.iter().find(|(measure, _)| *measure == wanted);
        found.map_or(0.0, |&(_, standing)| standing)
    };
    let high = |measure| standing(measure) >= STANDS_OUT;
    let low = |measure| standing(measure) <= -STANDS_OUT;
    let (recent, absent) = (low(Measure::Recency), high(Measure::Recency));
    let (big, small) = (high(Measure::Spend), low(Measure::Spend));
    let name = match (is_one_time(cluster), high(Measure::Frequency)) {
        (true, _) if big => "One-time big spenders",
        (true, _) if recent => "Newcomers",
        (true, _) if absent => "Lapsed one-time buyers",
        (true, _) => "One-time buyers",
        (_, true) if absent => "Regulars at risk",
        (_, true) if recent && big => "Champions",
        (_, true) if recent => "Active regulars",
        (_, true) if big => "Loyal big spenders",
        (_, true) => "Regulars",
        _ if big && absent => "Big spenders at risk",
        _ if big => "Big spenders",
        _ if absent => "Lapsed customers",
        _ if recent => "Recent customers",
        _ if small => "Small spenders",
        _ => "Average customers",
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(cluster: u32, clv: f64) -> Figures {
        Figures { cluster, others: vec![("clv".into(), clv), ("gap".into(), -0.6)], ..Figures::default() }
    }

    #[test]
    fn other_features_have_words() {
        let of = |clusters: &[Figures]| -> Vec<(String, String)> {
            names(clusters, false).into_iter().map(|names| (names.words, names.proposed)).collect()
        };
        let both = of(&[other(1, 2.0), other(2, 0.1)]);
        assert_eq!(
            both[0],
            ("customers with very high clv, low gap".into(), "Very high clv, low gap".into())
        );
        assert_eq!(both[1].1, "Low gap");
        // With recency, frequency or spend among the features those give the name, and the others tell it apart.
        let spending =
            |cluster, clv| Figures { standing: vec![(Measure::Spend, 1.0)], ..other(cluster, clv) };
        let three = of(&[spending(1, 2.0), spending(2, 0.1), spending(3, 0.2)]);
        assert_eq!(three[0].0, "big spenders, with very high clv, low gap");
        assert_eq!(three[0].1, "Big spenders, very high clv, low gap");
        assert_eq!(three[1].1, "Big spenders, low gap (2)");
        assert_eq!(three[2].1, "Big spenders, low gap (3)");
        let plain = Figures { cluster: 2, ..Figures::default() };
        assert_eq!(of(&[other(1, 0.0), plain])[1].1, "Average customers");
        assert_eq!(of(&[other(1, 0.0)])[0].1, "All customers");
        // Beside noise the only group is not everybody.
        let beside_noise = names(&[other(1, 0.0)], true);
        assert_eq!(
            (&*beside_noise[0].proposed, &*beside_noise[0].words),
            ("Low gap", "customers with low gap")
        );
    }

    #[test]
    fn a_short_name_is_short_enough_for_a_tier() {
        let many = |cluster, length: usize| Figures {
            cluster,
            others: (0..20).map(|i| (format!("{i:02}").repeat(length), 0.6 + f64::from(i % 5))).collect(),
            typical_spend: Some(1e15),
            standing: vec![(Measure::Frequency, -1.0), (Measure::Spend, 1.0), (Measure::Recency, 0.0)],
            repeats: Some(0.0),
        };
        let short = names(&[many(1, 1), many(2, 1)], false);
        assert_eq!(
            short[1].proposed,
            "One-time big spenders, very high 04, very high 09, very high 14 and 17 more (2)"
        );
        assert_eq!(short[1].words.matches("high").count(), 20);
        for length in 1..200 {
            let plain = |cluster| Figures { standing: Vec::new(), ..many(cluster, length) };
            let found = names(&[many(99, length), many(100, length), plain(1), plain(2)], false);
            for (at, names) in found.iter().enumerate() {
                assert!(names.proposed.chars().count() <= LONGEST, "{}", names.proposed);
                assert!(found[..at].iter().all(|other| other.proposed != names.proposed));
                assert!(names.proposed.contains("igh 04"), "{}", names.proposed);
            }
        }
    }

    #[test]
    fn nobody_is_called_one_time_without_being_counted() {
        let of = |repeats| {
            let cluster =
                Figures { standing: vec![(Measure::Frequency, -1.0)], repeats, ..Figures::default() };
            names(&[cluster, other(2, 1.0)], false)[0].proposed.clone()
        };
        assert_eq!(of(Some(0.0)), "One-time buyers");
        assert_eq!(of(None), "Average customers");
    }
}
