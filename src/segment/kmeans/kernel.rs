//! Squared distances of many points at a time, with the vector instructions that the processor has.
//!
//! The instruction set is chosen while the program runs, by the crate pulp (AVX-512, AVX2, or none of them), which needs
//! no unsafe code here. A distance is (x₁−c₁)², to which (x₂−c₂)² … are added one after the other: the same
//! multiplications and additions in every variant, none of them fused, each point in a lane of its own. So the bits
//! of a distance, and with them every assignment, are the same whatever the processor has.

#![allow(
    clippy::needless_range_loop,
    clippy::explicit_counter_loop,
    clippy::manual_memcpy,
    reason = "a call that is not inlined, be it an iterator's, would be compiled for the oldest processor"
)]

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use crate::segment::points::Points;

/// Points whose distances are kept at a time: they fit the nearest cache together with their coordinates.
pub(crate) const TILE: usize = 512;

/// Runs `$body` with the constant `$D`, where a version for so many features is compiled; `$other` elsewhere.
macro_rules! by_features {
    ($features:expr, $D:ident => $body:expr, _ => $other:expr) => {
        by_features!(@ $features, $D, $body, $other, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
    (@ $features:expr, $D:ident, $body:expr, $other:expr, $($n:literal)+) => {
        match $features {
            $($n => {
                const $D: usize = $n;
                $body
            })+
            _ => $other,
        }
    };
}
pub(super) use by_features;

/// The number of the nearest centre of each point in `rows` (the lower one of two equally near), and the squared
/// distance from it.
///
/// `centres` holds one centre after the other; `rows`, `distances` and `codes` have one length, at most [`TILE`].
pub(super) fn nearest(
    points: &Points<'_>,
    rows: Range<usize>,
    centres: &[f64],
    distances: &mut [f64],
    codes: &mut [u64],
) {
    nearest_with(Arch::new(), points, rows, centres, distances, codes);
}

fn nearest_with(
    arch: Arch,
    points: &Points<'_>,
    rows: Range<usize>,
    centres: &[f64],
    distances: &mut [f64],
    codes: &mut [u64],
) {
    let features = points.features();
    by_features!(features, D => {
        let centres = centres.as_chunks::<D>().0;
        arch.dispatch(Nearest { x: points.parts_of::<D>(rows), centres, distances, codes })
    }, _ => {
        let parts = points.parts(rows);
        distances.fill(f64::INFINITY);
        codes.fill(0);
        let mut from = [0.0; TILE];
        let from = &mut from[..distances.len()];
        for (code, centre) in centres.chunks_exact(features).enumerate() {
            far(arch, &parts, centre, from);
            arch.dispatch(Keep { from, code: code as u64, distances, codes });
        }
    })
}

/// The squared distance of each point in `rows` from `centre`, or what `closest` says where that is less, into `out`.
pub(super) fn closer(
    points: &Points<'_>,
    rows: Range<usize>,
    centre: &[f64],
    closest: &[f64],
    out: &mut [f64],
) {
    closer_with(Arch::new(), points, rows, centre, closest, out);
}

fn closer_with(
    arch: Arch,
    points: &Points<'_>,
    rows: Range<usize>,
    centre: &[f64],
    closest: &[f64],
    out: &mut [f64],
) {
    by_features!(points.features(), D => {
        let mut at = [0.0; D];
        at.copy_from_slice(centre);
        arch.dispatch(Closer { x: points.parts_of::<D>(rows), centre: at, closest, out })
    }, _ => {
        far(arch, &points.parts(rows), centre, out);
        for (out, closest) in out.iter_mut().zip(closest) {
            *out = if *out < *closest { *out } else { *closest };
        }
    })
}

/// Squared distances of points with any number of features.
fn far(arch: Arch, parts: &[&[f64]], centre: &[f64], out: &mut [f64]) {
    let (first, others) = (parts[0], &parts[1..]);
    arch.dispatch(Square { x: first, centre: centre[0], out });
    for (x, &centre) in others.iter().zip(&centre[1..]) {
        arch.dispatch(AddSquare { x, centre, out });
    }
}

/// Vectors of points that are held against one centre at a time: two of them share what is loaded of the centre, and
/// one need not wait for the other's result.
const TOGETHER: usize = 2;

struct Nearest<'a, const D: usize> {
    x: [&'a [f64]; D],
    centres: &'a [[f64; D]],
    distances: &'a mut [f64],
    codes: &'a mut [u64],
}

impl<const D: usize> WithSimd for Nearest<'_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let whole = self.distances.len() / S::F64_LANES;
        let mut x: [&[S::f64s]; D] = [&[]; D];
        for j in 0..D {
            x[j] = &S::as_simd_f64s(self.x[j]).0[..whole];
        }
        let distances = &mut S::as_mut_simd_f64s(self.distances).0[..whole];
        let codes = &mut S::as_mut_simd_u64s(self.codes).0[..whole];
        let mut i = 0;
        while i + TOGETHER <= whole {
            nearest_of::<S, D, TOGETHER>(simd, &x, i, self.centres, distances, codes);
            i += TOGETHER;
        }
        while i < whole {
            nearest_of::<S, D, 1>(simd, &x, i, self.centres, distances, codes);
            i += 1;
        }
        for i in whole * S::F64_LANES..self.distances.len() {
            let (mut best, mut code) = (f64::INFINITY, 0);
            for (at, centre) in self.centres.iter().enumerate() {
                let mut distance = 0.0;
                for j in 0..D {
                    let apart = self.x[j][i] - centre[j];
                    distance = if j == 0 { apart * apart } else { distance + apart * apart };
                }
                if distance < best {
                    (best, code) = (distance, at as u64);
                }
            }
            self.distances[i] = best;
            self.codes[i] = code;
        }
    }
}

#[inline(always)]
fn nearest_of<S: Simd, const D: usize, const U: usize>(
    simd: S,
    x: &[&[S::f64s]; D],
    at: usize,
    centres: &[[f64; D]],
    distances: &mut [S::f64s],
    codes: &mut [S::u64s],
) {
    let mut point = [[simd.splat_f64s(0.0); D]; U];
    for u in 0..U {
        for j in 0..D {
            point[u][j] = x[j][at + u];
        }
    }
    let mut best = [simd.splat_f64s(f64::INFINITY); U];
    let mut code = [simd.splat_u64s(0); U];
    let mut number = 0u64;
    for centre in centres {
        let name = simd.splat_u64s(number);
        number += 1;
        let mut distance = [simd.splat_f64s(0.0); U];
        for j in 0..D {
            let c = simd.splat_f64s(centre[j]);
            for u in 0..U {
                let apart = simd.sub_f64s(point[u][j], c);
                let square = simd.mul_f64s(apart, apart);
                distance[u] = if j == 0 { square } else { simd.add_f64s(distance[u], square) };
            }
        }
        for u in 0..U {
            let less = simd.less_than_f64s(distance[u], best[u]);
            best[u] = simd.select_f64s(less, distance[u], best[u]);
            code[u] = simd.select_u64s(less, name, code[u]);
        }
    }
    for u in 0..U {
        distances[at + u] = best[u];
        codes[at + u] = code[u];
    }
}

struct Closer<'a, const D: usize> {
    x: [&'a [f64]; D],
    centre: [f64; D],
    closest: &'a [f64],
    out: &'a mut [f64],
}

impl<const D: usize> WithSimd for Closer<'_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let whole = self.out.len() / S::F64_LANES;
        let mut x: [&[S::f64s]; D] = [&[]; D];
        let mut centre = [simd.splat_f64s(0.0); D];
        for j in 0..D {
            x[j] = &S::as_simd_f64s(self.x[j]).0[..whole];
            centre[j] = simd.splat_f64s(self.centre[j]);
        }
        let closest = &S::as_simd_f64s(self.closest).0[..whole];
        let out = &mut S::as_mut_simd_f64s(self.out).0[..whole];
        for i in 0..whole {
            let mut distance = simd.splat_f64s(0.0);
            for j in 0..D {
                let apart = simd.sub_f64s(x[j][i], centre[j]);
                let square = simd.mul_f64s(apart, apart);
                distance = if j == 0 { square } else { simd.add_f64s(distance, square) };
            }
            let less = simd.less_than_f64s(distance, closest[i]);
            out[i] = simd.select_f64s(less, distance, closest[i]);
        }
        for i in whole * S::F64_LANES..self.out.len() {
            let mut distance = 0.0;
            for j in 0..D {
                let apart = self.x[j][i] - self.centre[j];
                distance = if j == 0 { apart * apart } else { distance + apart * apart };
            }
            self.out[i] = if distance < self.closest[i] { distance } else { self.closest[i] };
        }
    }
}

struct Square<'a> {
    x: &'a [f64],
    centre: f64,
    out: &'a mut [f64],
}

impl WithSimd for Square<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, x) in self.out.iter_mut().zip(self.x) {
            *out = (x - self.centre) * (x - self.centre);
        }
    }
}

struct AddSquare<'a> {
    x: &'a [f64],
    centre: f64,
    out: &'a mut [f64],
}

impl WithSimd for AddSquare<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, x) in self.out.iter_mut().zip(self.x) {
            *out += (x - self.centre) * (x - self.centre);
        }
    }
}

struct Keep<'a> {
    from: &'a [f64],
    code: u64,
    distances: &'a mut [f64],
    codes: &'a mut [u64],
}

impl WithSimd for Keep<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((from, best), code) in self.from.iter().zip(self.distances).zip(self.codes) {
            let less = *from < *best;
            *best = if less { *from } else { *best };
            *code = if less { self.code } else { *code };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    /// Every instruction set that this processor has and that is compiled in.
    fn sets() -> Vec<Arch> {
        let mut sets = vec![Arch::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            sets.extend(pulp::x86::V3::try_new().map(Arch::V3));
            sets.extend(pulp::x86::V4::try_new().map(Arch::V4));
        }
        sets.push(Arch::new());
        sets
    }

    #[test]
    fn instruction_sets_change_no_bit() {
        for features in [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 19u32] {
            let value = |row: usize, j: u32| Stream::new(4, row as u64, j, Purpose::Synth).normal();
            let columns: Vec<Vec<f64>> =
                (0..features).map(|j| (0..TILE).map(|row| value(row, j)).collect()).collect();
            let points = Points::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
            let centres: Vec<f64> = (0..7).flat_map(|at| points.point(at * 11)).collect();
            // Whole vectors only, some and a rest, and a rest only.
            for len in [TILE, 77, 3] {
                let closest: Vec<f64> = (0..len).map(|i| 0.1 * (i % 40) as f64).collect();
                let run = |arch: Arch| {
                    let (mut distances, mut codes) = (vec![0.0; len], vec![0u64; len]);
                    nearest_with(arch, &points, 0..len, &centres, &mut distances, &mut codes);
                    let mut out = vec![0.0; len];
                    closer_with(arch, &points, 0..len, &points.point(5), &closest, &mut out);
                    let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<_>>();
                    (bits(distances), codes, bits(out))
                };
                let scalar = run(Arch::Scalar);
                assert!(scalar.1.iter().any(|&code| code > 0));
                for arch in sets() {
                    assert_eq!(run(arch), scalar, "{arch:?}, {features} features, {len} points");
                }
            }
        }
    }
}
