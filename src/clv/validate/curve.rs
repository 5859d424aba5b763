//! Concentration curves: what the customers with the highest scores did, in the data and in every replication.
//!
//! Customers with equal scores are taken together: what the curve says inside a tie is the mean over all orders of the
//! tied, so that a share of the top tenth never depends on which of two equal customers comes first.

use std::cmp::Ordering;

use super::bootstrap::Weights;
use crate::parallel;

/// Customers per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 4096;

/// Tenths of the customers.
pub(super) const TENTHS: usize = 10;

/// Sums of score, first and second quantity over the customers up to some place of the curve.
type Sums = [f64; 3];

/// Sums over the customers with the highest scores, by replication.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    /// `edges[r][k]` = sums over the highest k + 1 tenths of the customers, [`edge`] of them; the last is that over all.
    pub(super) edges: Vec<[Sums; TENTHS]>,
    /// Gini coefficients of the two quantities in this order: 1 less twice the area between the curve and the top.
    pub(super) gini: Vec<[f64; 2]>,
    /// The weight of all customers.
    pub(super) weight: Vec<f64>,
}

/// What is ranked by what.
pub(super) struct Ranked<'a> {
    /// By which customers are ordered, the highest first; all finite.
    pub(super) score: &'a [f64],
    /// Two quantities of each.
    pub(super) quantities: [&'a [f64]; 2],
    /// The hashes of their ids.
    pub(super) hash: &'a [u64],
    pub(super) weights: Weights,
}

/// Sums of a run of customers, by replication.
struct Part {
    weight: Vec<f64>,
    sums: [Vec<f64>; 3],
    /// Area below the curve of each quantity from where the run begins.
    area: [Vec<f64>; 2],
}

impl Part {
    fn new(len: usize) -> Part {
        let zeros = || vec![0.0; len];
        Part { weight: zeros(), sums: [zeros(), zeros(), zeros()], area: [zeros(), zeros()] }
    }

    fn clear(&mut self) {
        let all = self.sums.iter_mut().chain(&mut self.area).chain([&mut self.weight]);
        all.for_each(|of| of.fill(0.0));
    }

    /// Adds one customer, without area.
    #[inline]
    fn add(&mut self, weights: &[f64], values: Sums) {
        self.weight.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w);
        for (sums, value) in self.sums.iter_mut().zip(values) {
            sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w * value);
        }
    }

    /// Adds what comes next on the curve.
    fn append(&mut self, next: &Part) {
        for (q, area) in self.area.iter_mut().enumerate() {
            let before = &self.sums[q + 1];
            for (r, area) in area.iter_mut().enumerate() {
                *area += next.area[q][r] + before[r] * next.weight[r];
            }
        }
        self.weight.iter_mut().zip(&next.weight).for_each(|(sum, more)| *sum += more);
        for (sums, next) in self.sums.iter_mut().zip(&next.sums) {
            sums.iter_mut().zip(next).for_each(|(sum, more)| *sum += more);
        }
    }

    /// Makes the curve straight through the run: all its customers are tied.
    fn straighten(&mut self) {
        for (area, sums) in self.area.iter_mut().zip(&self.sums[1..]) {
            for ((area, sum), weight) in area.iter_mut().zip(sums).zip(&self.weight) {
                *area = 0.5 * sum * weight;
            }
        }
    }

    fn at(&self, r: usize) -> Sums {
        [self.sums[0][r], self.sums[1][r], self.sums[2][r]]
    }
}

impl Ranked<'_> {
    /// The curve.
    pub(super) fn curve(&self) -> Curve {
        let order = self.order();
        let bounds = self.bounds(&order);
        let pieces = bounds.len() - 1;
        let parts: Vec<Part> = parallel::map(pieces, |c| {
            let mut whole = Part::new(self.weights.len());
            self.groups(&order[bounds[c]..bounds[c + 1]], |group| whole.append(group));
            whole
        });
        let len = self.weights.len();
        let mut whole = Part::new(len);
        // The pieces in which an edge lies, with the sums before them: weights are whole numbers, whose sums are exact.
        let total: Vec<f64> = (0..len).map(|r| parts.iter().map(|part| part.weight[r]).sum()).collect();
        let mut crossed = Vec::new();
        for (c, part) in parts.iter().enumerate() {
            let is_crossed = (0..len).any(|r| {
                let from = edge_above(whole.weight[r], total[r]);
                from < TENTHS - 1 && whole.weight[r] + part.weight[r] >= edge(from, total[r])
            });
            if is_crossed {
                let sums = [0, 1, 2].map(|q| whole.sums[q].clone());
                crossed.push((c, Part { weight: whole.weight.clone(), sums, area: Default::default() }));
            }
            whole.append(part);
        }
        let found = parallel::map(crossed.len(), |i| {
            let (c, before) = &crossed[i];
            self.cross(&order[bounds[*c]..bounds[c + 1]], before, &total)
        });
        let none_yet = |r: usize| {
            std::array::from_fn(|k| if edge(k, total[r]) > 0.0 { [f64::NAN; 3] } else { [0.0; 3] })
        };
        let mut edges: Vec<[Sums; TENTHS]> = (0..len).map(none_yet).collect();
        for (r, k, sums) in found.into_iter().flatten() {
            edges[r][k] = sums;
        }
        for (r, edges) in edges.iter_mut().enumerate() {
            edges[TENTHS - 1] = whole.at(r);
        }
        let gini = |r: usize| {
            [0, 1].map(|q| 2.0 * whole.area[q][r] / (whole.sums[q + 1][r] * whole.weight[r]) - 1.0)
        };
        Curve { edges, gini: (0..len).map(gini).collect(), weight: whole.weight }
    }

    /// Customers by descending score, the tied in the order of the table.
    fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.score.len() as u32).collect();
        parallel::sort_by(&mut order, |&a, &b| {
            let by_score = self.score[b as usize].total_cmp(&self.score[a as usize]);
            if by_score == Ordering::Equal { a.cmp(&b) } else { by_score }
        });
        order
    }

    /// Where pieces begin and end: never inside a tie.
    fn bounds(&self, order: &[u32]) -> Vec<usize> {
        let score = |at: usize| self.score[order[at] as usize];
        let mut bounds = vec![0];
        let mut at = CHUNK;
        while at < order.len() {
            while at < order.len() && score(at) == score(at - 1) {
                at += 1;
            }
            bounds.push(at);
            at += CHUNK;
        }
        if bounds.last() != Some(&order.len()) {
            bounds.push(order.len());
        }
        bounds
    }

    /// Hands over each tie among the customers of a piece, a lone customer as a tie of one.
    fn groups(&self, piece: &[u32], mut each: impl FnMut(&Part)) {
        let mut weights = vec![0.0; self.weights.len()];
        let mut group = Part::new(self.weights.len());
        for tied in piece.chunk_by(|&a, &b| self.score[a as usize] == self.score[b as usize]) {
            group.clear();
            for &i in tied {
                let i = i as usize;
                self.weights.fill(self.hash[i], &mut weights);
                group.add(&weights, [self.score[i], self.quantities[0][i], self.quantities[1][i]]);
            }
            group.straighten();
            each(&group);
        }
    }

    /// The edges inside a piece: replication, which, sums up to it.
    fn cross(&self, piece: &[u32], before: &Part, total: &[f64]) -> Vec<(usize, usize, Sums)> {
        let mut weight = before.weight.clone();
        let mut sums: Vec<Sums> = (0..weight.len()).map(|r| before.at(r)).collect();
        let mut next: Vec<usize> =
            weight.iter().zip(total).map(|(&w, &total)| edge_above(w, total)).collect();
        let mut found = Vec::new();
        self.groups(piece, |group| {
            for r in 0..weight.len() {
                let (more, of_group) = (group.weight[r], group.at(r));
                while next[r] < TENTHS - 1 && more > 0.0 && weight[r] + more >= edge(next[r], total[r]) {
                    let part = (edge(next[r], total[r]) - weight[r]) / more;
                    found.push((r, next[r], [0, 1, 2].map(|q| sums[r][q] + part * of_group[q])));
                    next[r] += 1;
                }
                weight[r] += more;
                sums[r].iter_mut().zip(of_group).for_each(|(sum, more)| *sum += more);
            }
        });
        found
    }
}

/// The customers up to edge `k`: k + 1 tenths of them, rounded down to whole ones.
pub(super) fn edge(k: usize, total: f64) -> f64 {
    (total * (k + 1) as f64 / TENTHS as f64).floor()
}

/// The first edge above a weight, the end of all not counted.
fn edge_above(weight: f64, total: f64) -> usize {
    (0..TENTHS - 1).find(|&k| edge(k, total) > weight).unwrap_or(TENTHS)
}
