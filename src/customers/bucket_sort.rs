//! Sorting ids with their places, in time that grows with their number.
//!
//! Customers' ids are spread over their range about evenly, so that an id's value says nearly where it goes. Where they
//! are not, the few buckets that hold many are sorted as any list is.

/// Fewer than this are sorted as any list is.
const FEWEST: usize = 64;

/// Sorts by key; equal keys by place.
pub(crate) fn sort(pairs: &mut Vec<(u64, u32)>) {
    let n = pairs.len();
    let (mut low, mut high) = (u64::MAX, 0);
    for &(key, _) in pairs.iter() {
        (low, high) = (low.min(key), high.max(key));
    }
    if n < FEWEST || low == high {
        pairs.sort_unstable();
        return;
    }
    // A bucket for each pair. Rounding does not matter: a greater key never gets an earlier bucket.
    let scale = (n - 1) as f64 / (high - low) as f64;
    let bucket = |key: u64| (((key - low) as f64 * scale) as usize).min(n - 1);
    let mut ends = vec![0u32; n + 1];
    for &(key, _) in pairs.iter() {
        ends[bucket(key) + 1] += 1;
    }
    for i in 1..ends.len() {
        ends[i] += ends[i - 1];
    }
    let mut sorted = vec![(0, 0); n];
    for &pair in pairs.iter() {
        let place = &mut ends[bucket(pair.0)];
        sorted[*place as usize] = pair;
        *place += 1;
    }
    // `ends[b]` is where bucket b ends now.
    let mut begin = 0;
    for &end in &ends[..n] {
        let end = end as usize;
        if end - begin > 1 {
            sorted[begin..end].sort_unstable();
        }
        begin = end;
    }
    *pairs = sorted;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(keys: impl IntoIterator<Item = u64>) {
        let mut pairs: Vec<(u64, u32)> = keys.into_iter().zip(0..).collect();
        let mut expected = pairs.clone();
        expected.sort();
        sort(&mut pairs);
        assert_eq!(pairs, expected);
    }

    #[test]
    fn ranges_of_every_width() {
        check([]);
        check((0..1000).rev());
        check([7; 100]);
        check((0..1000).map(|i| i * (u64::MAX / 999)));
        check((0..100).map(|i| u64::MAX - i));
        check((0..200).map(|i| if i == 0 { u64::MAX } else { i }));
        check((0..64).map(|i| 1 << i).chain((0..64).map(|i| (1 << i) - 1)));
    }

    proptest! {
        #[test]
        fn any_keys(keys in prop::collection::vec(prop_oneof![any::<u64>(), 0..500u64, Just(u64::MAX)], 0..400)) {
            check(keys);
        }
    }
}
