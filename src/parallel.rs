//! Ordered parallel work: the only file that imports rayon.
//!
//! Results never depend on the number of threads, because work is cut into chunks whose size depends on the data
//! alone and partial results are combined in the order of the chunks.

use rayon::prelude::*;

use crate::error::{Error, Result};

/// More threads than this are a slip of the keyboard: no machine has the cores, and starting them takes minutes.
const MOST_THREADS: usize = 1024;

/// Runs `work` with `threads` threads (at most 1024); 0 takes one per available core.
pub fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R> {
    if threads > MOST_THREADS {
        let remedy = format!("give a number up to {MOST_THREADS}; 0 takes one thread per core");
        return Err(Error::value("threads", threads, "no machine has so many cores", remedy));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| Error::internal("starting threads", e))?;
    Ok(pool.install(work))
}

/// `f(0), f(1), … f(n-1)` in order, computed in parallel.
pub fn map<R: Send>(n: usize, f: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    (0..n).into_par_iter().with_max_len(1).map(f).collect()
}

/// Like [`map`] for work that can fail: the error of the lowest index is returned, whatever finished first.
pub fn try_map<R: Send>(n: usize, f: impl Fn(usize) -> Result<R> + Sync + Send) -> Result<Vec<R>> {
    map(n, f).into_iter().collect()
}

/// Consumes `items` in parallel, keeping their order in the result.
pub fn map_items<T: Send, R: Send>(items: Vec<T>, f: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    items.into_par_iter().with_max_len(1).map(f).collect()
}

/// Cuts `0..len` into chunks of `chunk` and returns `f(range)` of each, in order.
pub fn map_chunks<R: Send>(
    len: usize,
    chunk: usize,
    f: impl Fn(std::ops::Range<usize>) -> R + Sync + Send,
) -> Vec<R> {
    map(len.div_ceil(chunk), |i| f(i * chunk..((i + 1) * chunk).min(len)))
}

/// The chunks' values combined from left to right: the same bits at any number of threads.
pub fn reduce_chunks<R: Send>(
    len: usize,
    chunk: usize,
    f: impl Fn(std::ops::Range<usize>) -> R + Sync + Send,
    combine: impl Fn(R, R) -> R,
) -> Option<R> {
    map_chunks(len, chunk, f).into_iter().reduce(combine)
}

/// A new vector of `f(i)` for `i` in `0..len`.
pub fn collect<T: Send>(len: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    (0..len).into_par_iter().with_min_len(1024).map(f).collect()
}

/// Sorts by a key that tells any two elements apart, so that the order is the only one possible.
pub fn sort_by_key<T: Send, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K + Sync) {
    items.par_sort_unstable_by_key(key);
}

/// Sorts by a comparison that tells any two elements apart.
pub fn sort_by<T: Send>(items: &mut [T], compare: impl Fn(&T, &T) -> std::cmp::Ordering + Sync) {
    items.par_sort_unstable_by(compare);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_depend_on_threads() {
        let x: Vec<f64> = (0..100_003).map(|i| 1.0 / (1.0 + i as f64)).collect();
        let sum = || reduce_chunks(x.len(), 1000, |r| x[r].iter().sum::<f64>(), |a, b| a + b).unwrap();
        let one = with_threads(1, sum).unwrap();
        for n in [2, 3, 8] {
            assert_eq!(with_threads(n, sum).unwrap().to_bits(), one.to_bits());
        }
    }

    #[test]
    fn the_first_error_is_returned() {
        let result: Result<Vec<usize>> =
            try_map(100, |i| if i % 7 == 6 { Err(Error::value("i", i, "seven", "none")) } else { Ok(i) });
        assert!(result.unwrap_err().to_string().contains("\"6\""));
    }
}
