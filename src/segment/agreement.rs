//! How much two groupings of the same rows agree.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// The adjusted Rand index: 1 where two groupings are the same but for the names of the groups, 0 on average where they
/// have nothing to do with each other, negative where they agree less than by chance.
///
/// Hubert and Arabie, "Comparing partitions" (Journal of Classification 2, 1985), computed from counts of pairs of rows
/// as in scikit-learn's `adjusted_rand_score`; pairs are counted exactly.
///
/// # Errors
/// [`Error::Value`] when the groupings are not of equally many rows.
pub fn adjusted_rand<A: Ord + Copy, B: Ord + Copy>(a: &[A], b: &[B]) -> Result<f64> {
    if a.len() != b.len() {
        return Err(Error::value(
            "the second grouping's number of rows",
            b.len(),
            format!("the first has {}", a.len()),
            "compare groupings of the same rows",
        ));
    }
    let mut both: BTreeMap<(A, B), u64> = BTreeMap::new();
    for (&a, &b) in a.iter().zip(b) {
        *both.entry((a, b)).or_default() += 1;
    }
    let (mut of_a, mut of_b): (BTreeMap<A, u64>, BTreeMap<B, u64>) = Default::default();
    for (&(a, b), &n) in &both {
        *of_a.entry(a).or_default() += n;
        *of_b.entry(b).or_default() += n;
    }
    let pairs = |n: u64| i128::from(n) * (i128::from(n) - 1) / 2;
    let all = pairs(a.len() as u64);
    let together: i128 = both.values().map(|&n| pairs(n)).sum();
    let only_a = of_a.values().map(|&n| pairs(n)).sum::<i128>() - together;
    let only_b = of_b.values().map(|&n| pairs(n)).sum::<i128>() - together;
    if only_a == 0 && only_b == 0 {
        return Ok(1.0);
    }
    let apart = (all - together - only_a - only_b) as f64;
    let (together, only_a, only_b) = (together as f64, only_a as f64, only_b as f64);
    Ok(2.0 * (together * apart - only_a * only_b)
        / ((together + only_a) * (only_a + apart) + (together + only_b) * (only_b + apart)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of scikit-learn's documentation of `adjusted_rand_score` (1.9).
    #[test]
    fn known_values() {
        for (a, b, want) in [
            ([0, 0, 1, 1], [0, 0, 1, 1], 1.0),
            ([0, 0, 1, 1], [1, 1, 0, 0], 1.0),
            ([0, 0, 1, 2], [0, 0, 1, 1], 0.571_428_571_428_571_4),
            ([0, 0, 1, 1], [0, 0, 1, 2], 0.571_428_571_428_571_4),
            ([0, 0, 0, 0], [0, 1, 2, 3], 0.0),
            ([0, 0, 1, 1], [0, 1, 0, 1], -0.5),
        ] {
            let got = adjusted_rand(&a, &b).unwrap();
            assert!((got - want).abs() < 1e-15, "{a:?} {b:?}: {got}");
        }
        // From user guide 2.3.11.1: [0, 0, 0, 1, 1, 1] and [0, 0, 1, 1, 2, 2].
        let got = adjusted_rand(&[0, 0, 0, 1, 1, 1], &['a', 'a', 'b', 'b', 'c', 'c']).unwrap();
        assert!((got - 0.242_424_242_424_242_4).abs() < 1e-15);
    }

    #[test]
    fn edges() {
        assert_eq!(adjusted_rand::<u16, u16>(&[], &[]).unwrap(), 1.0);
        assert_eq!(adjusted_rand(&[3], &[Some(1)]).unwrap(), 1.0);
        assert!(adjusted_rand(&[1, 2], &[1]).unwrap_err().to_string().contains("number of rows"));
    }

    #[test]
    fn unrelated_groupings_are_at_nothing() {
        use crate::random::{Purpose, Stream};
        let draw = |purpose| {
            (0..20_000u64)
                .map(move |i| (Stream::new(1, i, 0, purpose).uniform() * 5.0) as u8)
                .collect::<Vec<_>>()
        };
        let got = adjusted_rand(&draw(Purpose::Spend), &draw(Purpose::Latent)).unwrap();
        assert!(got.abs() < 0.002, "{got}");
    }
}
