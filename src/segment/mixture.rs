//! Mixtures of normal distributions: linfa fits them on a sample, our own densities assign every row.
//!
//! linfa's densities are exponentials that vanish for points far from every component, and its fit then ends in NaN. So
//! the features are standardised and cut at a few standard deviations before the fit, a fit that fails is repeated with
//! more regularisation, which the report says, and all rows are assigned by logarithms of densities, which cannot vanish.

use std::ops::Range;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::GaussianMixtureModel;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

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

#[derive(Debug, Clone, PartialEq)]
struct Component {
    weight: f64,
    mean: Vec<f64>,
    /// The rows of L⁻¹ below and on the diagonal, one after the other, with covariance L Lᵀ.
    inverse: Vec<f64>,
    /// ln(weight) − ln|L| − d/2 ln 2π.
    constant: f64,
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

impl Component {
    /// None where the covariance is not positive definite or something is no finite number.
    fn new(weight: f64, mean: &[f64], covariance: ArrayView2<'_, f64>) -> Option<Component> {
        let d = mean.len();
        let mut lower = vec![vec![0.0; d]; d];
        for i in 0..d {
            for j in 0..=i {
                let done: f64 = (0..j).map(|m| lower[i][m] * lower[j][m]).sum();
                let left = covariance[[i, j]] - done;
                if i == j {
                    if !(left > 0.0 && left.is_finite()) {
                        return None;
                    }
                    lower[i][i] = left.sqrt();
                } else {
                    lower[i][j] = left / lower[j][j];
                }
            }
        }
        let mut inverse = vec![vec![0.0; d]; d];
        for i in 0..d {
            let row: Vec<f64> = (0..=i)
                .map(|j| {
                    let done: f64 = (j..i).map(|m| lower[i][m] * inverse[m][j]).sum();
                    (f64::from(u8::from(i == j)) - done) / lower[i][i]
                })
                .collect();
            inverse[i][..=i].copy_from_slice(&row);
        }
        let ln_root: f64 = (0..d).map(|i| lower[i][i].ln()).sum();
        let constant = weight.ln() - ln_root - 0.5 * d as f64 * std::f64::consts::TAU.ln();
        let inverse: Vec<f64> = inverse.iter().enumerate().flat_map(|(i, row)| row[..=i].to_vec()).collect();
        let sound = constant.is_finite() && mean.iter().chain(&inverse).all(|x| x.is_finite());
        sound.then(|| Component { weight, mean: mean.to_vec(), inverse, constant })
    }

    /// ln(weight · density).
    fn log_density(&self, x: &[f64]) -> f64 {
        let (mut square, mut rest) = (0.0, self.inverse.as_slice());
        for i in 0..x.len() {
            let (row, below) = rest.split_at(i + 1);
            let y: f64 = row.iter().zip(x).zip(&self.mean).map(|((l, x), mean)| l * (x - mean)).sum();
            square += y * y;
            rest = below;
        }
        self.constant - 0.5 * square
    }
}

/// ln Σ exp(x), given the largest.
fn log_sum(x: &[f64], largest: f64) -> f64 {
    largest + x.iter().map(|x| (x - largest).exp()).sum::<f64>().ln()
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
mod tests {
    use super::super::sample::by_number;
    use super::*;
    use crate::random::{Purpose, Stream};

    /// A wide and a narrow normal distribution, three quarters and a quarter, and `far` rows at 1e6.
    fn two(n: u64, far: u64) -> (Vec<f64>, Vec<f64>) {
        (0..n + far)
            .map(|i| {
                let mut draw = Stream::new(11, i, 0, Purpose::Synth);
                let (a, b) = (draw.normal(), draw.normal());
                match i {
                    _ if i >= n => (1e6, -1e6),
                    _ if i % 4 == 0 => (8.0 + 0.5 * a, 0.3 * b),
                    _ => (2.0 * a, 2.0 * (0.6 * a + 0.8 * b)),
                }
            })
            .unzip()
    }

    #[test]
    fn parameters_are_recovered() {
        let (x, y) = two(6000, 0);
        let points = Points::new(vec![&x, &y]).unwrap();
        let (mixture, codes) = Mixture::fit(&points, &MixtureOptions::new(2), &by_number, &()).unwrap();
        let narrow = usize::from(mixture.weights()[0] > 0.5);
        assert!((mixture.weights()[narrow] - 0.25).abs() < 0.02);
        let means = mixture.means();
        assert!((means[narrow][0] - 8.0).abs() < 0.1 && means[1 - narrow][0].abs() < 0.2, "{means:?}");
        let wrong = codes
            .iter()
            .enumerate()
            .filter(|&(i, &code)| (i % 4 == 0) != (usize::from(code) == narrow))
            .count();
        assert!(wrong < 60, "{wrong}");
        let report = mixture.report();
        assert_eq!((report.parameters, report.counts.iter().sum::<u64>()), (11, 6000));
        assert!((report.bic - (-2.0 * report.log_likelihood + 11.0 * 6000f64.ln())).abs() < 1e-9);
        // One component explains it worse.
        let (one, _) = Mixture::fit(&points, &MixtureOptions::new(1), &by_number, &()).unwrap();
        assert!(one.report().bic > report.bic + 1000.0);
    }

    /// linfa's densities vanish 38 standard deviations from every component; ours do not, and no NaN comes out.
    #[test]
    fn far_points_do_no_harm() {
        let (x, y) = two(4000, 3);
        let points = Points::new(vec![&x, &y]).unwrap();
        let (mixture, codes) = Mixture::fit(&points, &MixtureOptions::new(3), &by_number, &()).unwrap();
        let report = mixture.report();
        assert!(report.log_likelihood.is_finite() && report.cut == 6, "{report:?}");
        assert_eq!(codes[4000], codes[4002]);
        let elsewhere = Points::new(vec![&[1e9, -1e9], &[1e9, 0.0]]).unwrap();
        assert!(mixture.assign(&elsewhere).unwrap().log_likelihood.is_finite());
    }

    #[test]
    fn densities_are_those_of_the_formula() {
        let covariance = ndarray::array![[2.0, 0.6], [0.6, 1.0]];
        let component = Component::new(0.3, &[1.0, -1.0], covariance.view()).unwrap();
        let (dx, dy) = (0.5f64, 2.0f64);
        let det: f64 = 2.0 * 1.0 - 0.36;
        let square = (1.0 * dx * dx - 2.0 * 0.6 * dx * dy + 2.0 * dy * dy) / det;
        let want = 0.3f64.ln() - (std::f64::consts::TAU * det.sqrt()).ln() - 0.5 * square;
        assert!((component.log_density(&[1.5, 1.0]) - want).abs() < 1e-14);
        assert!(Component::new(0.3, &[0.0, 0.0], ndarray::array![[1.0, 1.0], [1.0, 1.0]].view()).is_none());
        assert!((log_sum(&[-1000.0, -1000.0], -1000.0) - (-1000.0 + 2f64.ln())).abs() < 1e-12);
    }

    #[test]
    fn threads_samples_and_refusals() {
        let (x, y) = two(5000, 0);
        let points = Points::new(vec![&x, &y]).unwrap();
        let options = MixtureOptions { sample: 1500, starts: 1, ..MixtureOptions::new(2) };
        let run = |threads| {
            parallel::with_threads(threads, || Mixture::fit(&points, &options, &by_number, &()).unwrap())
                .unwrap()
        };
        let one = run(1);
        assert_eq!((one.0.report().fitted_on, one.1.len()), (1500, 5000));
        for threads in [2, 3] {
            let other = run(threads);
            assert_eq!(one, other);
            assert_eq!(one.0.report().bic.to_bits(), other.0.report().bic.to_bits());
        }
        let alike = Points::new(vec![&[1.0, 1.0, 2.0]]).unwrap();
        let refused = Mixture::fit(&alike, &MixtureOptions::new(3), &by_number, &()).unwrap_err();
        assert!(refused.to_string().contains("only 2 rows of the sample differ"), "{refused}");
        for change in [
            (|o: &mut MixtureOptions| o.components = 0) as fn(&mut MixtureOptions),
            |o| o.starts = 0,
            |o| o.cut = f64::NAN,
            |o| o.regularisation = 0.0,
        ] {
            let mut options = MixtureOptions::new(2);
            change(&mut options);
            assert!(Mixture::fit(&points, &options, &by_number, &()).is_err());
        }
    }
}
