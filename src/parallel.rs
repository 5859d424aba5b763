//! Ordered parallel work: the only file that imports rayon.
//!
//! Results never depend on the number of threads, because work is cut into chunks whose size depends on the data
//! alone and partial results are combined in the order of the chunks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

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

/// Threads at hand.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// `f(0), f(1), … f(n-1)` in order, computed in parallel.
pub fn map<R: Send>(n: usize, f: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    (0..n).into_par_iter().with_max_len(1).map(f).collect()
}

/// Like [`map`] for work that can fail: the error of the lowest index is returned, whatever finished first.
pub fn try_map<R: Send>(n: usize, f: impl Fn(usize) -> Result<R> + Sync + Send) -> Result<Vec<R>> {
    map(n, f).into_iter().collect()
}

/// Runs `step` once for each of `0..n`; each thread works with a state of its own, made by `init`, and the states are
/// returned in no particular order: what is made of them must not depend on which thread did what.
///
/// The error of the lowest index is returned, whatever finished first; what comes after it may not have been run.
pub fn try_workers<S: Send>(
    n: usize,
    init: impl Fn() -> S + Sync,
    step: impl Fn(&mut S, usize) -> Result<()> + Sync,
) -> Result<Vec<S>> {
    let (next, stop) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let states = rayon::broadcast(|_| {
        let mut state = init();
        loop {
            // Indices are handed out in order, so that all below a failed one have been taken and will be finished.
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n || i > stop.load(Ordering::Relaxed) {
                return (state, None);
            }
            if let Err(error) = step(&mut state, i) {
                stop.fetch_min(i, Ordering::Relaxed);
                return (state, Some((i, error)));
            }
        }
    });
    let mut first: Option<(usize, Error)> = None;
    let mut out = Vec::with_capacity(states.len());
    for (state, failed) in states {
        out.push(state);
        if let Some((i, error)) = failed
            && first.as_ref().is_none_or(|(lowest, _)| i < *lowest)
        {
            first = Some((i, error));
        }
    }
    match first {
        Some((_, error)) => Err(error),
        None => Ok(out),
    }
}

/// Products of [`try_ordered`] that may wait for an earlier one, for each thread.
const WAITING: usize = 2;

/// Produces `0..n` in parallel and consumes the products in order, with no more than a few waiting at any time.
///
/// The error of the lowest index is returned.
pub fn try_ordered<T: Send>(
    n: usize,
    produce: impl Fn(usize) -> Result<T> + Sync,
    consume: impl FnMut(usize, T) -> Result<()> + Send,
) -> Result<()> {
    struct Line<T, F> {
        consume: F,
        next: usize,
        ready: BTreeMap<usize, Result<T>>,
        failed: Option<Error>,
    }
    let taken = AtomicUsize::new(0);
    let line = Mutex::new(Line { consume, next: 0, ready: BTreeMap::new(), failed: None });
    let moved = Condvar::new();
    let lock = || line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    rayon::broadcast(|context| {
        let most = WAITING * context.num_threads();
        loop {
            let i = taken.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                return;
            }
            let mut guard = lock();
            while guard.failed.is_none() && i >= guard.next + most {
                guard = moved.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner);
            }
            if guard.failed.is_some() {
                return;
            }
            drop(guard);
            let product = produce(i);
            let mut guard = lock();
            guard.ready.insert(i, product);
            let Line { consume, next, ready, failed } = &mut *guard;
            while failed.is_none()
                && let Some(product) = ready.remove(next)
            {
                match product.and_then(|product| consume(*next, product)) {
                    Ok(()) => *next += 1,
                    Err(error) => *failed = Some(error),
                }
            }
            moved.notify_all();
        }
    });
    match line.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).failed {
        Some(error) => Err(error),
        None => Ok(()),
    }
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
    fn workers_do_everything_once() {
        for threads in [1, 2, 5] {
            let seen = with_threads(threads, || {
                try_workers(100, Vec::new, |seen: &mut Vec<usize>, i| {
                    seen.push(i);
                    Ok(())
                })
            });
            let mut seen = seen.unwrap().unwrap().concat();
            seen.sort_unstable();
            assert_eq!(seen, (0..100).collect::<Vec<_>>());
            let failing = with_threads(threads, || {
                try_workers(
                    100,
                    || (),
                    |(), i| if i >= 40 { Err(Error::value("i", i, "", "")) } else { Ok(()) },
                )
            });
            assert!(failing.unwrap().unwrap_err().to_string().contains("\"40\""));
        }
    }

    #[test]
    fn products_are_consumed_in_order() {
        for threads in [1, 2, 5] {
            let (mut seen, produce) =
                (Vec::new(), |i: usize| if i == 60 { Err(Error::value("i", i, "", "")) } else { Ok(i) });
            let result = with_threads(threads, || {
                try_ordered(100, produce, |i, product| {
                    assert_eq!(i, product);
                    seen.push(i);
                    Ok(())
                })
            });
            assert!(result.unwrap().unwrap_err().to_string().contains("\"60\""));
            assert_eq!(seen, (0..60).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_error_is_returned() {
        let result: Result<Vec<usize>> =
            try_map(100, |i| if i % 7 == 6 { Err(Error::value("i", i, "seven", "none")) } else { Ok(i) });
        assert!(result.unwrap_err().to_string().contains("\"6\""));
    }
}
