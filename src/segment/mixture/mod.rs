//! Mixtures of normal distributions: linfa fits them on a sample, our own densities assign every row.
//!
//! linfa's densities are exponentials that vanish for points far from every component, and its fit then ends in NaN. So
//! the features are standardised and cut at a few standard deviations before the fit, a fit that fails is repeated with
//! more regularisation, which the report says, and all rows are assigned by logarithms of densities, which cannot vanish.

mod normal;

use std::ops::Range;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::GaussianMixtureModel;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use normal::{Component, log_sum};

use super::kmeans::reference::generator;
use super::points::{CHUNK, Points};
use super::sample::{self, RowKey};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;

/// How often the regularisation is raised tenfold before a fit is given up.
const RAISES: i32 = 3;

/// How a mixture is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixtureOptions {
    /// Components.
    pub components: usize,
    /// The seed of the sample and of all starts.
    pub seed: u64,
    /// Starts (linfa's k-means), of which the one with the largest likelihood is kept.
    pub starts: u32,
    /// Rows of the sample on which is fitted; linfa's fit is serial.
    pub sample: usize,
    /// Iterations of expectation and maximisation after which a start is given up.
    pub max_iterations: u32,
    /// A start rests when the mean log-likelihood changes by less.
    pub tolerance: f64,
    /// Added to the variances, in those of the features.
    pub regularisation: f64,
    /// Standardised features beyond this count as this.
    pub cut: f64,
}

impl MixtureOptions {
    /// 2 starts on a sample of 20,000 rows, 500 iterations, tolerance 1e-3, regularisation 1e-4, cut at 4 standard
    /// deviations.
    pub fn new(components: usize) -> MixtureOptions {
        MixtureOptions {
            components,
            seed: 1,
            starts: 2,
            sample: 20_000,
            max_iterations: 500,
            tolerance: 1e-3,
            regularisation: 1e-4,
            cut: 4.0,
        }
    }

    fn check(&self) -> Result<()> {
        for (what, value, most) in [
            ("the number of components", self.components as u64, u64::from(u16::MAX)),
            ("the number of starts", u64::from(self.starts), u64::MAX),
            ("the number of iterations", u64::from(self.max_iterations), u64::MAX),
            ("the sample for the mixture", self.sample as u64, u64::MAX),
        ] {
            if value == 0 || value > most {
                return Err(Error::value(what, value, "it is out of range", "give a number from 1 on"));
            }
        }
        for (what, value) in [
            ("the tolerance of the mixture", self.tolerance),
            ("the regularisation of the mixture", self.regularisation),
            ("the cut of the mixture's features", self.cut),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::value(what, value, "it is no positive number", "give a positive number"));
            }
        }
        Ok(())
    }
}

/// How a mixture was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MixtureReport {
    /// Components.
    pub components: usize,
    /// Rows on which was fitted.
    pub fitted_on: u64,
    /// Rows assigned.
    pub rows: u64,
    /// The log-likelihood of all rows, of standardised and cut features.
    pub log_likelihood: f64,
    /// Weights, means and covariances that are free.
    pub parameters: u64,
    /// −2 log-likelihood + parameters · ln(rows), on all rows. Schwarz, "Estimating the dimension of a model" (Annals
    /// of Statistics 6, 1978).
    pub bic: f64,
    /// The regularisation with which it was fitted.
    pub regularisation: f64,
    /// Starts that came to rest.
    pub starts_converged: u32,
    /// Values that were cut, of all rows and features.
    pub cut: u64,
    /// Rows of which each component is the likeliest.
    pub counts: Vec<u64>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// A mixture of normal distributions.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    components: Vec<Component>,
    /// Means and standard deviations by which features are standardised.
    standard: Vec<(f64, f64)>,
    cut: f64,
    report: MixtureReport,
}

impl Mixture {
    /// Fits a mixture and assigns every row to the component that it most probably came from (the first of equal ones).
    /// `key` is what a row is known by where the sample is drawn.
    ///
    /// # Errors
    /// [`Error::Value`] for impossible options, and where no start comes to rest; [`Error::Interrupted`] when `progress`
    /// asks for it.
    pub fn fit(
        points: &Points<'_>,
        options: &MixtureOptions,
        key: RowKey<'_>,
        progress: &dyn Progress,
    ) -> Result<(Mixture, Vec<u16>)> {
        options.check()?;
        let deviations = points.variances().iter().map(|&v| if v > 0.0 { v.sqrt() } else { 1.0 });
        let standard: Vec<(f64, f64)> = points.means().iter().copied().zip(deviations).collect();
        let rows = sample::choose(points.rows(), options.sample, key, options.seed, 0);
        let sampled = Array2::from_shape_fn((rows.len(), points.features()), |(at, j)| {
            let (mean, sd) = standard[j];
            ((points.column(j)[rows[at]] - mean) / sd).clamp(-options.cut, options.cut)
        });
        let different = distinct(sampled.view(), options.components);
        if different < options.components {
            return Err(Error::value(
                "the number of components",
                options.components,
                format!("only {different} rows of the sample differ"),
                "ask for fewer components, or a larger sample",
            ));
        }
        progress.phase("mixture", u64::from(options.starts));
        let mut regularisation = options.regularisation;
        let mut last = String::new();
        for raise in 0..=RAISES {
            regularisation = options.regularisation * 10f64.powi(raise);
            let (best, converged, problem) = starts(sampled.view(), options, regularisation, progress)?;
            if let Some(components) = best {
                let warnings = warnings(options, regularisation, converged);
                let report = MixtureReport {
                    components: options.components,
                    fitted_on: rows.len() as u64,
                    rows: points.rows() as u64,
                    log_likelihood: 0.0,
                    parameters: parameters(options.components, points.features()),
                    bic: 0.0,
                    regularisation,
                    starts_converged: converged,
                    cut: 0,
                    counts: Vec::new(),
                    warnings,
                };
                let mut mixture = Mixture { components, standard, cut: options.cut, report };
                let assigned = mixture.assign(points)?;
                let report = &mut mixture.report;
                report.log_likelihood = assigned.log_likelihood;
                report.bic =
                    -2.0 * assigned.log_likelihood + report.parameters as f64 * (points.rows() as f64).ln();
                report.cut = assigned.cut;
                report.counts = assigned.counts;
                return Ok((mixture, assigned.codes));
            }
            last = problem;
        }
        Err(Error::value(
            "the number of components",
            options.components,
            format!("no start came to rest, not even with regularisation {regularisation}: {last}"),
            "ask for fewer components, or more iterations",
        ))
    }

    /// How it was fitted.
    pub fn report(&self) -> &MixtureReport {
        &self.report
    }

    /// The weights of the components, which sum to 1.
    pub fn weights(&self) -> Vec<f64> {
        self.components.iter().map(|component| component.weight).collect()
    }

    /// The means of the components, in the units of the features.
    pub fn means(&self) -> Vec<Vec<f64>> {
        let unit = |mean: &[f64]| mean.iter().zip(&self.standard).map(|(x, (m, sd))| m + sd * x).collect();
        self.components.iter().map(|component| unit(&component.mean)).collect()
    }

    /// The likeliest component of every row, and the log-likelihood of all of them.
    ///
    /// # Errors
    /// [`Error::Value`] when the points have another number of features.
    pub fn assign(&self, points: &Points<'_>) -> Result<Assigned> {
        if points.features() != self.standard.len() {
            return Err(Error::value(
                "the number of features",
                points.features(),
                format!("the mixture has {}", self.standard.len()),
                "give the features that were fitted, in their order",
            ));
        }
        let chunk = |rows: Range<usize>| {
            let mut part = Assigned::of_nothing(self.components.len());
            let mut x = vec![0.0; self.standard.len()];
            let mut densities = vec![0.0; self.components.len()];
            for row in rows {
                for (j, (slot, (mean, sd))) in x.iter_mut().zip(&self.standard).enumerate() {
                    let standard = (points.column(j)[row] - mean) / sd;
                    *slot = standard.clamp(-self.cut, self.cut);
                    part.cut += u64::from(*slot != standard);
                }
                let mut best = 0;
                for (at, component) in self.components.iter().enumerate() {
                    densities[at] = component.log_density(&x);
                    if densities[at] > densities[best] {
                        best = at;
                    }
                }
                part.log_likelihood += log_sum(&densities, densities[best]);
                part.codes.push(best as u16);
                part.counts[best] += 1;
            }
            part
        };
        let mut all = Assigned::of_nothing(self.components.len());
        for part in parallel::map_chunks(points.rows(), CHUNK, chunk) {
            all.codes.extend(part.codes);
            all.counts.iter_mut().zip(part.counts).for_each(|(a, b)| *a += b);
            all.log_likelihood += part.log_likelihood;
            all.cut += part.cut;
        }
        Ok(all)
    }
}

/// The rows' components.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// The likeliest component of every row.
    pub codes: Vec<u16>,
    /// Rows of each component.
    pub counts: Vec<u64>,
    /// The log-likelihood of all rows.
    pub log_likelihood: f64,
    /// Values that were cut.
    pub cut: u64,
}

impl Assigned {
    fn of_nothing(components: usize) -> Assigned {
        Assigned { codes: Vec::new(), counts: vec![0; components], log_likelihood: 0.0, cut: 0 }
    }
}

/// The best of the starts that came to rest, how many did, and what the last of the others said.
fn starts(
    sampled: ArrayView2<'_, f64>,
    options: &MixtureOptions,
    regularisation: f64,
    progress: &dyn Progress,
) -> Result<(Option<Vec<Component>>, u32, String)> {
    let dataset = DatasetBase::from(sampled);
    let mut best: Option<(f64, Vec<Component>)> = None;
    let (mut converged, mut problem) = (0, String::new());
    for start in 1..=options.starts {
        progress.check()?;
        let fitted =
            GaussianMixtureModel::params_with_rng(options.components, generator(options.seed, start))
                .n_runs(1)
                .max_n_iterations(u64::from(options.max_iterations))
                .tolerance(options.tolerance)
                .reg_covariance(regularisation)
                .fit(&dataset);
        progress.advance(1);
        let model = match fitted {
            Ok(model) => model,
            Err(error) => {
                problem = error.to_string();
                continue;
            }
        };
        let parts = model.weights().iter().zip(model.means().rows()).zip(model.covariances().outer_iter());
        let components: Option<Vec<Component>> = parts
            .map(|((&weight, mean), covariance)| Component::new(weight, &mean.to_vec(), covariance))
            .collect();
        let Some(components) = components else {
            problem = "a covariance is not positive definite".into();
            continue;
        };
        converged += 1;
        let likelihood: f64 = sampled
            .rows()
            .into_iter()
            .map(|row| {
                let x = row.to_vec();
                let densities: Vec<f64> = components.iter().map(|c| c.log_density(&x)).collect();
                log_sum(&densities, densities.iter().copied().fold(f64::NEG_INFINITY, f64::max))
            })
            .sum();
        if best.as_ref().is_none_or(|(most, _)| likelihood > *most) {
            best = Some((likelihood, components));
        }
    }
    Ok((best.map(|(_, components)| components), converged, problem))
}

/// Weights that sum to 1, means, and symmetric covariances.
fn parameters(components: usize, features: usize) -> u64 {
    (components - 1 + components * features + components * features * (features + 1) / 2) as u64
}

fn warnings(options: &MixtureOptions, regularisation: f64, converged: u32) -> Vec<String> {
    let mut warnings = Vec::new();
    if regularisation > options.regularisation {
        let wanted = options.regularisation;
        warnings.push(format!(
            "the mixture could only be fitted with regularisation {regularisation} instead of {wanted}"
        ));
    }
    if converged < options.starts {
        let lost = options.starts - converged;
        warnings.push(format!("{lost} of {} starts of the mixture did not come to rest", options.starts));
    }
    warnings
}

/// How many different rows there are, counted up to `enough`.
fn distinct(rows: ArrayView2<'_, f64>, enough: usize) -> usize {
    let mut seen = Vec::new();
    for row in rows.rows() {
        if seen.len() == enough {
            break;
        }
        if !seen.contains(&row) {
            seen.push(row);
        }
    }
    seen.len()
}

#[cfg(test)]
mod tests;
