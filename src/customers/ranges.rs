//! Partitions that are ranges of ids: what is folded of one follows what is folded of the one before it, and within a
//! partition an integer takes half the bits.

use std::ops::Range;

/// Steps in which ranges are cut, for each partition: so even can they be.
const STEPS: u64 = 8;

/// A partition that would get this many times its share makes hashes the better choice.
const UNEVEN: u64 = 8;

/// Which ids belong to which partition.
///
/// Ids are given as keys that sort like them. The keys from [`Ranges::low`] on are cut into steps of equal width, and
/// each step belongs to one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ranges {
    low: u64,
    shift: u32,
    /// The partition of each step.
    steps: Vec<u16>,
    /// The first key of each partition, and the key after the last one's.
    begins: Vec<u64>,
}

impl Ranges {
    /// Ranges of about as many of the rows each as a sample of their keys says, for keys within `bounds` as far as
    /// they are known. `None` if keys are spread so unevenly that some partition would get far more than its share, or
    /// so widely that their places in a partition would not fit in `bits` bits.
    pub(crate) fn new(
        sample: &[u64],
        bounds: Option<(u64, u64)>,
        partitions: usize,
        bits: u32,
    ) -> Option<Ranges> {
        let (mut low, mut high) = (*sample.iter().min()?, *sample.iter().max()?);
        if let Some((least, greatest)) = bounds {
            (low, high) = (low.min(least), high.max(greatest));
        }
        let most = partitions as u64 * STEPS;
        let shift = (0..64).find(|shift| (high - low) >> shift < most)?;
        let len = ((high - low) >> shift) + 1;
        let mut rows = vec![0u64; len as usize];
        sample.iter().for_each(|key| rows[((key - low) >> shift) as usize] += 1);
        // One part in ten as if rows were spread evenly: a sample knows nothing of what it did not meet.
        let weights = rows.iter().map(|&rows| 9 * len * rows + sample.len() as u64);
        let total = 10 * len * sample.len() as u64;
        let mut before = 0;
        let mut steps = Vec::with_capacity(rows.len());
        for weight in weights {
            if u128::from(weight) * partitions as u128 > u128::from(total) * u128::from(UNEVEN) {
                return None;
            }
            steps.push((u128::from(before) * partitions as u128 / u128::from(total)) as u16);
            before += weight;
        }
        // The steps must end before the greatest number, so that no key below the lowest falls into one of them.
        (len << shift).checked_add(low).filter(|_| len <= u64::MAX >> shift)?;
        let key_of = |step: usize| low + ((step as u64) << shift);
        let begins: Vec<u64> =
            (0..=partitions).map(|p| key_of(steps.partition_point(|&step| usize::from(step) < p))).collect();
        let fits = begins.windows(2).all(|pair| u128::from(pair[1] - pair[0]) <= 1 << bits);
        fits.then_some(Ranges { low, shift, steps, begins })
    }

    /// The partition of a key and its mark, from which [`Ranges::first_mark`] tells its place; `None` for a key that has none.
    #[inline]
    pub(crate) fn mark(&self, key: u64) -> Option<(usize, u32)> {
        // A key below the lowest gets a distance that no step has, because the steps end before the greatest number.
        let distance = key.wrapping_sub(self.low);
        let partition = *self.steps.get((distance >> self.shift) as usize)?;
        Some((usize::from(partition), distance as u32))
    }

    /// The partition that is nearest to a key without a place.
    pub(crate) fn nearest(&self, key: u64) -> usize {
        if key < self.low { 0 } else { self.begins.len() - 2 }
    }

    /// The mark of a partition's first key: its distance to another mark is a place in the partition.
    pub(crate) fn first_mark(&self, partition: usize) -> u32 {
        (self.begins[partition] - self.low) as u32
    }

    /// The keys of a partition that have a place in it.
    pub(crate) fn keys(&self, partition: usize) -> Range<u64> {
        self.begins[partition]..self.begins[partition + 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_key_has_its_place(
            mut sample in prop::collection::vec(prop_oneof![0..1000u64, any::<u64>(), (u64::MAX - 500)..=u64::MAX], 1..300),
            narrow in any::<bool>(),
            bits in 0..8u32,
        ) {
            if narrow {
                sample.iter_mut().for_each(|key| *key %= 100_000);
            }
            let partitions = 1 << bits;
            let Some(ranges) = Ranges::new(&sample, None, partitions, u32::BITS) else { return Ok(()) };
            prop_assert_eq!(ranges.begins.len(), partitions + 1);
            prop_assert!(ranges.begins.is_sorted());
            let others = sample.iter().flat_map(|&key| [key, key.wrapping_add(1), key.wrapping_sub(1), key / 2]);
            for key in others {
                match ranges.mark(key) {
                    Some((partition, mark)) => {
                        let place = mark.wrapping_sub(ranges.first_mark(partition));
                        prop_assert_eq!(ranges.keys(partition).start + u64::from(place), key);
                        prop_assert!(ranges.keys(partition).contains(&key));
                    }
                    None => {
                        prop_assert!(!sample.contains(&key));
                        let nearest = ranges.nearest(key);
                        prop_assert_eq!(nearest, if key < ranges.low { 0 } else { partitions - 1 });
                    }
                }
            }
        }
    }

    #[test]
    fn rows_are_shared_out_evenly() {
        // Old customers have most of the rows.
        let sample: Vec<u64> = (0..4096u64).map(|i| i * i / 16).collect();
        let ranges = Ranges::new(&sample, Some((0, 2_000_000)), 16, u32::BITS).unwrap();
        let mut counts = [0; 16];
        sample.iter().for_each(|&key| counts[ranges.mark(key).unwrap().0] += 1);
        assert!(counts.iter().all(|&count| count < 800), "{counts:?}");
        assert_eq!(ranges.mark(2_000_000).unwrap().0, 15);
        assert_eq!((ranges.mark(9_000_000), ranges.nearest(9_000_000)), (None, 15));
    }

    #[test]
    fn uneven_or_wide_keys_are_refused() {
        assert_eq!(Ranges::new(&[], None, 4, u32::BITS), None);
        assert_eq!(Ranges::new(&[5; 100], None, 64, u32::BITS), None);
        assert!(Ranges::new(&[5; 100], None, 4, u32::BITS).is_some());
        let clumps: Vec<u64> = (0..1000).map(|i| if i % 2 == 0 { i } else { u64::MAX - i }).collect();
        assert_eq!(Ranges::new(&clumps, None, 64, u32::BITS), None);
        assert_eq!(Ranges::new(&[0, 1 << 40], None, 4, u32::BITS), None);
        assert!(Ranges::new(&[0, 1 << 40], None, 4, u64::BITS).is_some());
    }
}
