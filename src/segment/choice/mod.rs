//! How many clusters: a table of scores for each number, and the reason for the one proposed.

mod candidate;
mod decide;

use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

pub use candidate::{Candidate, Resampling};
use decide::decide;

use super::agreement::adjusted_rand;
use super::kmeans::{KMeans, KMeansValidParams};
use super::mixture::{Mixture, MixtureOptions};
use super::points::Points;
use super::sample::{self, RowKey};
use super::scores::{calinski_harabasz, silhouette};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Clusters that resamples find again to this degree are called stable.
///
/// Hennig, "Cluster-wise assessment of cluster stability" (Computational Statistics & Data Analysis 52, 2007), calls
/// 0.75 valid and 0.85 highly stable, on a related scale.
pub const STABLE: f64 = 0.8;

/// What is clustered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// k-means.
    #[default]
    KMeans,
    /// A mixture of normal distributions.
    Mixture,
}

/// Which numbers are tried, and on what they are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChoiceOptions {
    /// The smallest number tried, at least 2.
    pub from: usize,
    /// The largest number tried.
    pub to: usize,
    /// What is clustered by.
    pub method: Method,
    /// The seed of starts, samples and resamples.
    pub seed: u64,
    /// Starts of each search.
    pub starts: u32,
    /// Rows on which each number's clusters are fitted before all rows are assigned; all of them for k-means where it is
    /// not given, and what [`MixtureOptions::new`] takes for mixtures.
    pub sample: Option<usize>,
    /// Rows of which silhouettes are taken; each is held against all the others.
    pub silhouette_rows: usize,
    /// Resamples for stability; 0 leaves it out.
    pub resamples: u32,
    /// Rows of the sample that is resampled.
    pub resample_rows: usize,
}

impl Default for ChoiceOptions {
    fn default() -> Self {
        ChoiceOptions {
            from: 2,
            to: 10,
            method: Method::KMeans,
            seed: 1,
            starts: 4,
            sample: None,
            silhouette_rows: 5_000,
            resamples: 20,
            resample_rows: 10_000,
        }
    }
}

impl ChoiceOptions {
    fn check(&self) -> Result<()> {
        if self.from < 2 || self.to < self.from || self.to > super::MOST_CLUSTERS {
            return Err(Error::value(
                "the numbers of clusters to try",
                format!("{} to {}", self.from, self.to),
                "it is no range from 2 on",
                format!("give a range between 2 and {}", super::MOST_CLUSTERS),
            ));
        }
        for (what, value) in [
            ("the number of starts", self.starts as usize),
            ("the rows to fit on", self.sample.unwrap_or(1)),
            ("the rows for silhouettes", self.silhouette_rows),
            ("the rows to resample", self.resample_rows),
        ] {
            if value == 0 {
                return Err(Error::value(what, 0, "nothing could be judged", "give a number from 1 on"));
            }
        }
        Ok(())
    }
}

/// The table and what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// One line per number tried.
    pub candidates: Vec<Candidate>,
    /// The number proposed.
    pub chosen: usize,
    /// Why, in a sentence.
    pub reason: String,
    /// Rows of which silhouettes were taken.
    pub silhouette_rows: u64,
    /// Rows of the sample that was resampled.
    pub resample_rows: u64,
    /// Resamples.
    pub resamples: u32,
    /// Numbers that could not be tried, and why; what is to be known of the others' figures.
    pub warnings: Vec<String>,
}

/// Tries each number of clusters on `points`. `key` is what a row is known by where samples are drawn.
///
/// For k-means the number with the highest silhouette is proposed among those that are stable ([`STABLE`]), or among all
/// where none is, which the reason says; for mixtures the one with the lowest BIC. Of equal ones the smaller.
///
/// # Errors
/// [`Error::Value`] for an impossible range, or where the points do not differ; [`Error::Interrupted`] when `progress`
/// asks for it.
pub fn choose(
    points: &Points<'_>,
    options: &ChoiceOptions,
    key: RowKey<'_>,
    progress: &dyn Progress,
) -> Result<Choice> {
    options.check()?;
    let different = points.distinct(options.to);
    if different < options.from {
        return Err(Error::value(
            "the smallest number of clusters",
            options.from,
            format!("only {different} rows differ"),
            "there is nothing to choose",
        ));
    }
    let mut warnings = Vec::new();
    if different < options.to {
        warnings.push(format!("only {different} rows differ: more clusters were not tried"));
    }
    let rows = sample::choose(points.rows(), options.resample_rows, key, options.seed, RESAMPLED);
    let columns = points.select(&rows);
    let base = Points::new(columns.iter().map(Vec::as_slice).collect())?;
    let key_of_base = |at: usize| key(rows[at]);
    let mut candidates = Vec::new();
    for clusters in options.from..=options.to.min(different) {
        progress.check()?;
        let search = Search { clusters, options };
        let found = match search.whole(points, key, progress) {
            Ok(found) => found,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                warnings.push(format!("{clusters} clusters: {error}"));
                continue;
            }
        };
        let silhouette = silhouette(points, &found.codes, options.silhouette_rows, key, options.seed)?;
        let (stability, resampling) = search.stability(&base, &key_of_base, progress)?;
        let candidate = Candidate {
            clusters,
            inertia: found.inertia,
            calinski_harabasz: calinski_harabasz(points, &found.codes),
            silhouette: silhouette.map(|silhouette| silhouette.mean),
            stability,
            bic: found.bic,
            found: found.clusters(clusters),
            converged: found.converged,
            starts_lost: found.starts_lost,
            regularisation: found.regularisation,
            resampling,
        };
        let notes = candidate.notes();
        if !notes.is_empty() {
            warnings.push(format!("{clusters} clusters: {}", notes.join("; ")));
        }
        candidates.push(candidate);
    }
    let Some((chosen, reason)) = decide(&candidates, options.method) else {
        let problem = warnings.last().cloned().unwrap_or_else(|| "no score could be computed".into());
        return Err(Error::value(
            "the numbers of clusters to try",
            format!("{} to {}", options.from, options.to),
            problem,
            "try fewer clusters, or other features",
        ));
    };
    Ok(Choice {
        candidates,
        chosen,
        reason,
        silhouette_rows: options.silhouette_rows.min(points.rows()) as u64,
        resample_rows: rows.len() as u64,
        resamples: options.resamples,
        warnings,
    })
}

/// The replication number of the sample that is resampled.
const RESAMPLED: u32 = 2;

struct Search<'a> {
    clusters: usize,
    options: &'a ChoiceOptions,
}

/// Clusters of all rows.
struct Found {
    codes: Vec<u16>,
    inertia: Option<f64>,
    bic: Option<f64>,
    converged: bool,
    starts_lost: u32,
    regularisation: Option<f64>,
}

impl Found {
    fn of_centres(codes: Vec<u16>, inertia: f64, converged: bool) -> Found {
        Found { codes, inertia: Some(inertia), bic: None, converged, starts_lost: 0, regularisation: None }
    }

    /// How many of them have a row.
    fn clusters(&self, wanted: usize) -> usize {
        let mut has = vec![false; wanted];
        self.codes.iter().for_each(|&code| has[usize::from(code)] = true);
        has.into_iter().filter(|has| *has).count()
    }
}

/// What a model makes of the rows of the sample, and whether it was fitted as it should be.
struct Assignment {
    codes: Vec<u16>,
    at_rest: bool,
}

impl Search<'_> {
    fn whole(&self, points: &Points<'_>, key: RowKey<'_>, progress: &dyn Progress) -> Result<Found> {
        Ok(match self.options.method {
            Method::KMeans => {
                let params = self.k_means(self.options.starts)?;
                let Some(sample) = self.options.sample.filter(|&sample| sample < points.rows()) else {
                    let (model, codes) = params.fit_points(points, key, progress)?;
                    let report = model.report();
                    return Ok(Found::of_centres(codes, report.inertia, report.converged));
                };
                let rows = sample::choose(points.rows(), sample, key, self.options.seed, 0);
                let columns = points.select(&rows);
                let sampled = Points::new(columns.iter().map(Vec::as_slice).collect())?;
                let (model, _) = params.fit_points(&sampled, &|at| key(rows[at]), progress)?;
                let (codes, inertia) = model.assign(points)?;
                Found::of_centres(codes, inertia, model.report().converged)
            }
            Method::Mixture => {
                let options = self.mixture(self.options.starts);
                let (mixture, codes) = Mixture::fit(points, &options, key, progress)?;
                let report = mixture.report();
                Found {
                    codes,
                    inertia: None,
                    bic: Some(report.bic),
                    // A fit without a start that rests is an error.
                    converged: true,
                    starts_lost: options.starts - report.starts_converged,
                    regularisation: raised(&options, report.regularisation),
                }
            }
        })
    }

    fn k_means(&self, starts: u32) -> Result<KMeansValidParams> {
        KMeans::params(self.clusters).seed(self.options.seed).starts(starts).check()
    }

    fn mixture(&self, starts: u32) -> MixtureOptions {
        let usual = MixtureOptions::new(self.clusters);
        let sample = self.options.sample.unwrap_or(usual.sample);
        MixtureOptions { seed: self.options.seed, starts, sample, ..usual }
    }

    /// Whether the clusters of resamples are those of the sample: each model assigns all rows of the sample.
    fn stability(
        &self,
        base: &Points<'_>,
        key: RowKey<'_>,
        progress: &dyn Progress,
    ) -> Result<(Option<f64>, Resampling)> {
        let mut resampling = Resampling::default();
        if self.options.resamples == 0 {
            return Ok((None, resampling));
        }
        let Some(reference) = self.assignment(base, base, key, progress)? else {
            return Ok((None, Resampling { sample_lost: true, ..resampling }));
        };
        resampling.strained += u32::from(!reference.at_rest);
        let mut total = 0.0;
        for resample in 0..self.options.resamples {
            progress.check()?;
            let rows = sample::resample(base.rows(), key, self.options.seed, resample);
            let columns = base.select(&rows);
            let drawn = Points::new(columns.iter().map(Vec::as_slice).collect())?;
            // The same row may stand there twice: its place tells the two apart.
            let key_of_drawn = |at: usize| key(rows[at]).wrapping_add(at as u64);
            let found = if drawn.rows() == 0 {
                None
            } else {
                self.assignment(&drawn, base, &key_of_drawn, progress)?
            };
            // A model that cannot be fitted to a resample agrees with nothing.
            match found {
                None => resampling.lost += 1,
                Some(found) => {
                    total += adjusted_rand(&reference.codes, &found.codes)?;
                    resampling.strained += u32::from(!found.at_rest);
                }
            }
        }
        Ok((Some(total / f64::from(self.options.resamples)), resampling))
    }

    /// What a model fitted on `on` makes of `of`; none where it cannot be fitted.
    fn assignment(
        &self,
        on: &Points<'_>,
        of: &Points<'_>,
        key: RowKey<'_>,
        progress: &dyn Progress,
    ) -> Result<Option<Assignment>> {
        match self.options.method {
            Method::KMeans => {
                let (model, _) = self.k_means(self.options.starts)?.fit_points(on, key, progress)?;
                Ok(Some(Assignment { codes: model.assign(of)?.0, at_rest: model.report().converged }))
            }
            Method::Mixture => {
                let options = self.mixture(1);
                match Mixture::fit(on, &options, key, progress) {
                    Ok((mixture, _)) => Ok(Some(Assignment {
                        codes: mixture.assign(of)?.codes,
                        at_rest: raised(&options, mixture.report().regularisation).is_none(),
                    })),
                    Err(Error::Interrupted) => Err(Error::Interrupted),
                    Err(_) => Ok(None),
                }
            }
        }
    }
}

/// The regularisation, where it is more than was asked for.
fn raised(options: &MixtureOptions, regularisation: f64) -> Option<f64> {
    (regularisation > options.regularisation).then_some(regularisation)
}

#[cfg(test)]
mod tests {
    use super::super::sample::by_number;
    use super::*;
    use crate::parallel;
    use crate::random::{Purpose, Stream};

    /// Three groups, `apart` standard deviations from each other.
    fn groups(n: u64, apart: f64) -> (Vec<f64>, Vec<f64>) {
        (0..n)
            .map(|i| {
                let mut draw = Stream::new(21, i, 0, Purpose::Synth);
                let (x, y) = [(0.0, 0.0), (1.0, 0.0), (0.5, 0.9)][i as usize % 3];
                (apart * x + draw.normal(), apart * y + draw.normal())
            })
            .unzip()
    }

    fn small() -> ChoiceOptions {
        ChoiceOptions {
            to: 5,
            silhouette_rows: 600,
            resamples: 4,
            resample_rows: 800,
            ..ChoiceOptions::default()
        }
    }

    #[test]
    fn the_number_that_is_there_is_found() {
        let (x, y) = groups(1500, 12.0);
        let points = Points::new(vec![&x, &y]).unwrap();
        let run = || choose(&points, &small(), &by_number, &()).unwrap();
        let choice = run();
        assert_eq!(choice.chosen, 3);
        assert_eq!(choice.candidates.iter().map(|c| c.clusters).collect::<Vec<_>>(), [2, 3, 4, 5]);
        let three = &choice.candidates[1];
        assert!(three.stability.unwrap() > 0.99 && three.silhouette.unwrap() > 0.7 && three.bic.is_none());
        let ratio = |c: &Candidate| c.calinski_harabasz.unwrap();
        assert!(choice.candidates.iter().all(|c| ratio(c) <= ratio(three)));
        assert!(choice.candidates.windows(2).all(|pair| pair[0].inertia > pair[1].inertia));
        assert!(
            choice.reason.starts_with("3 clusters have the highest mean silhouette"),
            "{}",
            choice.reason
        );
        for threads in [1, 3] {
            assert_eq!(parallel::with_threads(threads, run).unwrap(), choice);
        }
    }

    #[test]
    fn bic_finds_the_components() {
        let (x, y) = groups(1500, 8.0);
        let points = Points::new(vec![&x, &y]).unwrap();
        let options = ChoiceOptions { method: Method::Mixture, starts: 1, resamples: 1, to: 4, ..small() };
        let choice = choose(&points, &options, &by_number, &()).unwrap();
        assert_eq!(choice.chosen, 3, "{choice:?}");
        assert!(choice.reason.starts_with("3 components have the lowest BIC"), "{}", choice.reason);
        assert!(choice.candidates.iter().all(|c| c.bic.is_some() && c.inertia.is_none()));
    }

    #[test]
    fn a_ball_has_no_groups() {
        let (x, y) = groups(1500, 0.0);
        let points = Points::new(vec![&x, &y]).unwrap();
        let options = ChoiceOptions { from: 3, ..small() };
        let choice = choose(&points, &options, &by_number, &()).unwrap();
        let best = choice.candidates.iter().filter_map(|c| c.stability).fold(0.0, f64::max);
        assert!(best < STABLE, "{choice:?}");
        assert!(choice.reason.contains("not as groups that exist"), "{}", choice.reason);
    }

    #[test]
    fn what_went_wrong_is_said() {
        // Six values, and a sample of four rows.
        let x: Vec<f64> = (0..400).map(|i| f64::from(i % 6)).collect();
        let points = Points::new(vec![&x]).unwrap();
        let options = ChoiceOptions { sample: Some(4), resamples: 0, ..small() };
        let choice = choose(&points, &options, &by_number, &()).unwrap();
        let last = choice.candidates.last().unwrap();
        assert!(last.clusters == 5 && last.found < 5, "{choice:?}");
        let note = format!("only {} have customers", last.found);
        assert_eq!(last.notes(), std::slice::from_ref(&note));
        assert!(choice.warnings.contains(&format!("5 clusters: {note}")), "{:?}", choice.warnings);

        let wrong = Candidate {
            converged: false,
            starts_lost: 1,
            regularisation: Some(0.001),
            resampling: Resampling { sample_lost: true, lost: 2, strained: 3 },
            found: 3,
            ..last.clone()
        };
        assert_eq!(wrong.notes().len(), 7);
    }

    #[test]
    fn few_rows_and_refusals() {
        let points = Points::new(vec![&[1.0, 2.0, 1.0, 2.0, 9.0]]).unwrap();
        let choice = choose(&points, &ChoiceOptions { resamples: 0, ..small() }, &by_number, &()).unwrap();
        assert_eq!(choice.candidates.len(), 2);
        assert_eq!(choice.warnings, ["only 3 rows differ: more clusters were not tried"]);
        assert!(choice.reason.contains("was not looked at"));
        let alike = Points::new(vec![&[1.0, 1.0]]).unwrap();
        assert!(
            choose(&alike, &small(), &by_number, &()).unwrap_err().to_string().contains("only 1 rows differ")
        );
        for (from, to) in [(1, 5), (4, 3), (2, 101)] {
            let options = ChoiceOptions { from, to, ..small() };
            assert!(choose(&points, &options, &by_number, &()).is_err());
        }
    }
}
