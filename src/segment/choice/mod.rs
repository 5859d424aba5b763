//! How many clusters: a table of scores for each number, and the reason for the one proposed.

mod decide;

use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

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

/// One number of clusters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Clusters.
    pub clusters: usize,
    /// The sum of squared distances from the centres (k-means).
    pub inertia: Option<f64>,
    /// The ratio of variances between and within, on all rows: larger is better.
    pub calinski_harabasz: Option<f64>,
    /// The mean silhouette on a sample: larger is better, 1 the most.
    pub silhouette: Option<f64>,
    /// The mean adjusted Rand index of resamples' clusters with the sample's: 1 where they are the same.
    pub stability: Option<f64>,
    /// BIC on all rows (mixtures): smaller is better.
    pub bic: Option<f64>,
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
    /// Numbers that could not be tried, and why.
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
        let (codes, inertia, bic) = match search.whole(points, key, progress) {
            Ok(found) => found,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                warnings.push(format!("{clusters} clusters: {error}"));
                continue;
            }
        };
        let silhouette = silhouette(points, &codes, options.silhouette_rows, key, options.seed)?;
        candidates.push(Candidate {
            clusters,
            inertia,
            calinski_harabasz: calinski_harabasz(points, &codes),
            silhouette: silhouette.map(|silhouette| silhouette.mean),
            stability: search.stability(&base, &key_of_base, progress)?,
            bic,
        });
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

/// The code of every row, inertia, BIC.
type Found = (Vec<u16>, Option<f64>, Option<f64>);

impl Search<'_> {
    fn whole(&self, points: &Points<'_>, key: RowKey<'_>, progress: &dyn Progress) -> Result<Found> {
        Ok(match self.options.method {
            Method::KMeans => {
                let params = self.k_means(self.options.starts)?;
                let Some(sample) = self.options.sample.filter(|&sample| sample < points.rows()) else {
                    let (model, codes) = params.fit_points(points, key, progress)?;
                    return Ok((codes, Some(model.report().inertia), None));
                };
                let rows = sample::choose(points.rows(), sample, key, self.options.seed, 0);
                let columns = points.select(&rows);
                let sampled = Points::new(columns.iter().map(Vec::as_slice).collect())?;
                let (model, _) = params.fit_points(&sampled, &|at| key(rows[at]), progress)?;
                let (codes, inertia) = model.assign(points)?;
                (codes, Some(inertia), None)
            }
            Method::Mixture => {
                let (mixture, codes) =
                    Mixture::fit(points, &self.mixture(self.options.starts), key, progress)?;
                (codes, None, Some(mixture.report().bic))
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
    fn stability(&self, base: &Points<'_>, key: RowKey<'_>, progress: &dyn Progress) -> Result<Option<f64>> {
        if self.options.resamples == 0 {
            return Ok(None);
        }
        let reference = self.assignment(base, base, key, progress)?;
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
            if let (Some(reference), Some(found)) = (&reference, &found) {
                total += adjusted_rand(reference, found)?;
            }
        }
        Ok(reference.map(|_| total / f64::from(self.options.resamples)))
    }

    /// What a model fitted on `on` makes of `of`; none where it cannot be fitted.
    fn assignment(
        &self,
        on: &Points<'_>,
        of: &Points<'_>,
        key: RowKey<'_>,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<u16>>> {
        match self.options.method {
            Method::KMeans => {
                let (model, _) = self.k_means(self.options.starts)?.fit_points(on, key, progress)?;
                Ok(Some(model.assign(of)?.0))
            }
            Method::Mixture => match Mixture::fit(on, &self.mixture(1), key, progress) {
                Ok((mixture, _)) => Ok(Some(mixture.assign(of)?.codes)),
                Err(Error::Interrupted) => Err(Error::Interrupted),
                Err(_) => Ok(None),
            },
        }
    }
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
