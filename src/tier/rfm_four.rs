//! RFM four-way: high value, potential, ordinary, lost (高价值/潜力/一般/流失), by ordered rules on the scores.

use super::{Scheme, Tiering};
use crate::customers::CustomerTable;
use crate::customers::rfm::{Rfm, Thresholds};
use crate::error::Result;
use crate::parallel;

const NAMES: [&str; 4] = ["high_value", "potential", "ordinary", "lost"];
const HIGH: u8 = 0;
const POTENTIAL: u8 = 1;
const ORDINARY: u8 = 2;
const LOST: u8 = 3;

/// A rule: the lowest and highest R, F and M score with which it matches.
#[derive(Debug, Clone, Copy)]
struct Rule {
    tier: u8,
    scores: [(u8, u8); 3],
    /// Why, for the rule's words.
    why: &'static str,
}

/// Any score.
const ANY: (u8, u8) = (1, 5);

/// The rules in order; the first that matches decides. The last one matches everybody.
const RULES: [Rule; 7] = [
    Rule { tier: HIGH, scores: [(3, 5), (4, 5), (4, 5)], why: "not long absent, frequent and spending much" },
    Rule {
        tier: POTENTIAL,
        scores: [(3, 5), ANY, (3, 5)],
        why: "not high value, but not long absent and spending fairly",
    },
    Rule {
        tier: POTENTIAL,
        scores: [(3, 5), (3, 5), ANY],
        why: "not high value, but not long absent and fairly frequent",
    },
    // The best customers when they begin to stay away: there is more to win back here than anywhere.
    Rule {
        tier: POTENTIAL,
        scores: [(2, 2), (4, 5), (4, 5)],
        why: "slipping away, but frequent and spending much",
    },
    Rule { tier: LOST, scores: [(1, 1), ANY, ANY], why: "absent for longest" },
    Rule {
        tier: LOST,
        scores: [(2, 2), (1, 2), (1, 2)],
        why: "long absent, with few orders and little spend",
    },
    Rule { tier: ORDINARY, scores: [ANY, ANY, ANY], why: "everybody else" },
];

/// The four tiers from the scores R, F and M.
#[derive(Debug, Clone, Copy)]
pub struct RfmFour;

impl RfmFour {
    /// The tier (index into [`Scheme::tiers`]) of a customer with those scores, 1 to 5 each.
    pub fn tier_of(r: u8, f: u8, m: u8) -> u8 {
        let matches = |rule: &&Rule| {
            rule.scores.iter().zip([r, f, m]).all(|(&(low, high), score)| (low..=high).contains(&score))
        };
        RULES.iter().find(matches).map_or(ORDINARY, |rule| rule.tier)
    }
}

impl Scheme for RfmFour {
    fn key(&self) -> &str {
        "rfm"
    }

    fn title(&self) -> &str {
        "RFM: high value, potential, ordinary, lost"
    }

    fn column(&self) -> &str {
        "tier_rfm"
    }

    fn tiers(&self) -> Vec<&str> {
        NAMES.to_vec()
    }

    fn grade(&self, table: &CustomerTable, rfm: &Rfm) -> Result<Tiering> {
        let codes = parallel::collect(table.len(), |i| Self::tier_of(rfm.r[i], rfm.f[i], rfm.m[i]));
        let rules = (0..NAMES.len() as u8).map(|tier| words(tier, rfm)).collect();
        Ok(Tiering::new(self, table, rules, thresholds(rfm), codes))
    }
}

/// The rules of a tier in words: "…: last order at most 30 days ago (R 3–5), at least 4 orders (F 4–5)".
fn words(tier: u8, rfm: &Rfm) -> String {
    let rules: Vec<String> =
        RULES.iter().filter(|rule| rule.tier == tier).map(|rule| rule.words(rfm)).collect();
    rules.join("; or ")
}

impl Rule {
    fn words(&self, rfm: &Rfm) -> String {
        let conditions: Vec<String> = [&rfm.recency, &rfm.frequency, &rfm.monetary]
            .into_iter()
            .zip(self.scores)
            .filter(|&(_, scores)| scores != ANY)
            .map(|(thresholds, scores)| condition(thresholds, scores))
            .collect();
        if conditions.is_empty() {
            self.why.into()
        } else {
            format!("{}: {}", self.why, conditions.join(", "))
        }
    }
}

fn condition(thresholds: &Thresholds, (low, high): (u8, u8)) -> String {
    let letter = thresholds.measure.letter();
    let range = if low == high { format!("{letter} {low}") } else { format!("{letter} {low}–{high}") };
    format!("{} ({range})", thresholds.phrase(low, high))
}

/// The cuts behind the scores that the rules ask for, named by the score that they open.
fn thresholds(rfm: &Rfm) -> Vec<(String, f64)> {
    let cuts = |thresholds: &Thresholds| {
        let letter = thresholds.measure.letter();
        let named = (2..).zip(thresholds.cuts).map(|(score, cut)| (format!("{letter} {score}"), cut));
        named.collect::<Vec<_>>()
    };
    [&rfm.recency, &rfm.frequency, &rfm.monetary].into_iter().flat_map(cuts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::rfm::scores;
    use crate::customers::testing::{Row, table};

    /// The tiers written down a second time, as one would decide them by hand.
    fn by_hand(r: u8, f: u8, m: u8) -> &'static str {
        match r {
            1 => "lost",
            2 if f >= 4 && m >= 4 => "potential",
            2 if f <= 2 && m <= 2 => "lost",
            2 => "ordinary",
            _ if f >= 4 && m >= 4 => "high_value",
            _ if f >= 3 || m >= 3 => "potential",
            _ => "ordinary",
        }
    }

    #[test]
    fn each_of_the_125_codes_has_one_tier() {
        let mut sizes = [0; 4];
        for r in 1..=5 {
            for f in 1..=5 {
                for m in 1..=5 {
                    let tier = RfmFour::tier_of(r, f, m);
                    sizes[usize::from(tier)] += 1;
                    assert_eq!(NAMES[usize::from(tier)], by_hand(r, f, m), "{r}{f}{m}");
                }
            }
        }
        assert_eq!(sizes, [12, 55, 29, 29]);
    }

    #[test]
    fn a_higher_score_is_never_a_worse_tier() {
        for code in 0..125u8 {
            let (r, f, m) = (code / 25 + 1, code / 5 % 5 + 1, code % 5 + 1);
            let tier = RfmFour::tier_of(r, f, m);
            assert!(r == 5 || RfmFour::tier_of(r + 1, f, m) <= tier);
            assert!(f == 5 || RfmFour::tier_of(r, f + 1, m) <= tier);
            assert!(m == 5 || RfmFour::tier_of(r, f, m + 1) <= tier);
        }
    }

    #[test]
    fn words_name_the_thresholds() {
        let row = |id: i64| Row {
            id,
            frequency: id as u32,
            since: 50 - 10 * id as u32,
            total_spend: 100.0 * id as f64,
            monetary_value: 0.0,
        };
        let table = table(&[row(0), row(1), row(2), row(3), row(4)]);
        let tiering = RfmFour.grade(&table, &scores(&table)).unwrap();
        // Codes 111, 222, 333, 444, 555.
        assert_eq!(tiering.codes, [LOST, LOST, POTENTIAL, HIGH, HIGH]);
        assert_eq!(
            tiering.tiers[0].rule,
            "not long absent, frequent and spending much: last order at most 39 days ago (R 3–5), \
             at least 4 orders (F 4–5), spend over 200.00 (M 4–5)"
        );
        assert_eq!(
            tiering.tiers[3].rule,
            "absent for longest: last order at least 50 days ago (R 1); or long absent, with few orders and \
             little spend: last order 40 to 49 days ago (R 2), at most 2 orders (F 1–2), spend of at most 100.00 \
             (M 1–2)"
        );
        assert_eq!(tiering.thresholds.len(), 12);
        assert_eq!(tiering.thresholds[5], ("F 3".to_string(), 2.0));
    }
}
