//! Points grouped by any technique: one way to ask, and one kind of answer.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::choice::{Choice, ChoiceOptions, Method, choose};
use super::density::{DensityOptions, dense};
use super::kmeans::StartReport;
use super::mixture::{Mixture, MixtureOptions, MixtureReport};
use super::points::Points;
use super::sample::RowKey;
use super::{Algorithm, MOST_CLUSTERS, SegmentOptions, fewer, fit, method, still_moving};
use crate::customers::spend::count;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// How many clusters; in JSON as it is written, such as "5" or "2..8".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// So many.
    One(usize),
    /// As many as [`choose`] proposes, of these and all between them.
    Range {
        /// The fewest.
        from: usize,
        /// The most.
        to: usize,
    },
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::One(clusters) => clusters.fmt(f),
            Number::Range { from, to } => write!(f, "{from}..{to}"),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl FromStr for Number {
    type Err = Error;

    fn from_str(text: &str) -> Result<Number> {
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let read = match text.split_once("..") {
            None => number(text).map(Number::One),
            Some((from, to)) => number(from).zip(number(to)).map(|(from, to)| Number::Range { from, to }),
        };
        read.ok_or_else(|| {
            let remedy = "write a number such as 5, or a range such as 2..8, of which the best is chosen";
            Error::value("the number of clusters", text, "it is neither a number nor a range", remedy)
        })
    }
}

/// How points are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub enum Technique {
    /// [`KMeans`](super::KMeans).
    KMeans {
        /// Clusters.
        number: Number,
        /// Starts, of which the best is kept.
        starts: u32,
    },
    /// linfa's k-means.
    Linfa {
        /// Clusters.
        clusters: usize,
        /// Starts, of which the best is kept.
        starts: u32,
    },
    /// A mixture of normal distributions ([`Mixture`]).
    Mixture {
        /// Components.
        number: Number,
        /// Starts, of which the best is kept.
        starts: u32,
    },
    /// Dense groups and noise ([`dense`]).
    Dbscan {
        /// How far a neighbour may be.
        radius: f64,
        /// Neighbours that make a point dense, itself included.
        neighbours: usize,
    },
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GroupingOptions {
    /// How.
    pub technique: Technique,
    /// The seed of samples and starts.
    pub seed: u64,
    /// Rows on which is fitted before all are assigned; the technique's own number where none is given (k-means: all).
    pub sample: Option<usize>,
}

/// Groups of points, and how they were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grouping {
    /// The cluster of every point, from 0; none for noise. Every cluster has a point.
    #[serde(skip)]
    pub codes: Vec<Option<u16>>,
    /// Clusters that there are.
    pub clusters: usize,
    /// Clusters that were asked for, or chosen; none where the technique finds their number.
    pub clusters_wanted: Option<usize>,
    /// Points.
    pub customers: u64,
    /// Points on which was fitted.
    pub fitted_on: u64,
    /// Points in no cluster.
    pub noise: u64,
    /// Whether the search came to rest.
    pub converged: bool,
    /// The table of scores by number of clusters, where one was chosen.
    pub choice: Option<Choice>,
    /// What the technique itself reports.
    pub fit: FitReport,
    /// How the clusters were found, in a sentence.
    pub method: String,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// What a technique reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FitReport {
    /// Either k-means.
    Centres {
        /// Sum of squared distances of all points from their centre.
        inertia: f64,
        /// Iterations of the start that was kept.
        iterations: u32,
        /// Its number, from 1.
        best_start: u32,
        /// Points on a sample of which starts were searched.
        starts_on: Option<u64>,
        /// How each start went.
        starts: Vec<StartReport>,
    },
    /// A mixture.
    Mixture(MixtureReport),
    /// Dense groups.
    Density {
        /// How far a neighbour may be.
        radius: f64,
        /// Neighbours that make a point dense.
        neighbours: usize,
        /// Dense points among those on which was fitted.
        core_points: u64,
    },
}

/// Groups `points`. `key` is what a row is known by where samples are drawn.
///
/// # Errors
/// [`Error::Value`] for options that make no sense, for points that do not differ enough, where nothing is dense or more
/// than [`MOST_CLUSTERS`] groups are; [`Error::Interrupted`] when `progress` asks for it.
pub fn group(
    points: &Points<'_>,
    options: &GroupingOptions,
    key: RowKey<'_>,
    progress: &dyn Progress,
) -> Result<Grouping> {
    if let Some(sample) = options.sample.filter(|&sample| sample < MOST_CLUSTERS) {
        let remedy = format!("give a number from {MOST_CLUSTERS} on");
        return Err(Error::value(
            "the sample for clustering",
            sample,
            "it is too small to find clusters in",
            remedy,
        ));
    }
    let asked = Asked { points, options, key, progress };
    match options.technique {
        Technique::KMeans { number, starts } => {
            let (clusters, choice) = asked.number(number, Method::KMeans, starts)?;
            asked.centres(Algorithm::Own, clusters, starts, choice)
        }
        Technique::Linfa { clusters, starts } => asked.centres(Algorithm::Linfa, clusters, starts, None),
        Technique::Mixture { number, starts } => {
            let (components, choice) = asked.number(number, Method::Mixture, starts)?;
            asked.mixture(components, starts, choice)
        }
        Technique::Dbscan { radius, neighbours } => asked.dense(radius, neighbours),
    }
}

struct Asked<'a> {
    points: &'a Points<'a>,
    options: &'a GroupingOptions,
    key: RowKey<'a>,
    progress: &'a dyn Progress,
}

impl Asked<'_> {
    /// The number that was asked for, or the one that is proposed with the reason for it.
    fn number(&self, number: Number, method: Method, starts: u32) -> Result<(usize, Option<Choice>)> {
        let (from, to) = match number {
            Number::One(clusters) => return Ok((clusters, None)),
            Number::Range { from, to } => (from, to),
        };
        let GroupingOptions { seed, sample, .. } = *self.options;
        let options = ChoiceOptions { from, to, method, seed, starts, sample, ..ChoiceOptions::default() };
        let choice = choose(self.points, &options, self.key, self.progress)?;
        Ok((choice.chosen, Some(choice)))
    }

    fn centres(
        &self,
        algorithm: Algorithm,
        clusters: usize,
        starts: u32,
        choice: Option<Choice>,
    ) -> Result<Grouping> {
        let GroupingOptions { seed, sample, .. } = *self.options;
        let options =
            SegmentOptions { clusters, seed, runs: starts, sample, algorithm, ..SegmentOptions::default() };
        options.check()?;
        let fitted = fit(self.points, self.key, &options, self.progress)?;
        let rows = self.points.rows();
        let mut warnings = Vec::new();
        if fitted.clusters < clusters {
            warnings.push(fewer(clusters, fitted.clusters, fitted.on < rows as u64));
        }
        if !fitted.converged {
            warnings.push(still_moving(&options));
        }
        Ok(self.grouping(
            fitted.codes.iter().map(|&code| Some(code)).collect(),
            fitted.clusters,
            Grouping {
                clusters_wanted: Some(clusters),
                fitted_on: fitted.on,
                converged: fitted.converged,
                choice,
                method: method(&options, &fitted, rows),
                warnings,
                ..Grouping::none(FitReport::Centres {
                    inertia: fitted.inertia,
                    iterations: fitted.iterations,
                    best_start: fitted.best,
                    starts_on: fitted.starts_on,
                    starts: fitted.starts,
                })
            },
        ))
    }

    fn mixture(&self, components: usize, starts: u32, choice: Option<Choice>) -> Result<Grouping> {
        if !(1..=MOST_CLUSTERS).contains(&components) {
            let remedy = format!("give a number from 1 to {MOST_CLUSTERS}");
            return Err(Error::value("the number of components", components, "it is out of range", remedy));
        }
        let usual = MixtureOptions::new(components);
        let sample = self.options.sample.unwrap_or(usual.sample);
        let options = MixtureOptions { seed: self.options.seed, starts, sample, ..usual };
        let (mixture, codes) = Mixture::fit(self.points, &options, self.key, self.progress)?;
        let report = mixture.report().clone();
        let method = format!(
            "a mixture of {} normal distributions, the best of {starts} starts, fitted on {}; each customer is in the \
             component that it most probably came from",
            report.components,
            self.on(report.fitted_on)
        );
        Ok(self.grouping(
            codes.into_iter().map(Some).collect(),
            components,
            Grouping {
                clusters_wanted: Some(components),
                fitted_on: report.fitted_on,
                choice,
                method,
                warnings: report.warnings.clone(),
                ..Grouping::none(FitReport::Mixture(report))
            },
        ))
    }

    fn dense(&self, radius: f64, neighbours: usize) -> Result<Grouping> {
        let usual = DensityOptions::new(radius, neighbours);
        let sample = self.options.sample.unwrap_or(usual.sample);
        let options = DensityOptions { seed: self.options.seed, sample, ..usual };
        let found = dense(self.points, &options, self.key, self.progress)?;
        let groups = found.counts.len();
        if groups == 0 {
            let problem = format!("no customer has {neighbours} within it: all would be noise");
            let remedy = "give a larger radius, fewer neighbours, or a larger sample";
            return Err(Error::value("the radius of neighbours", radius, problem, remedy));
        }
        if groups > MOST_CLUSTERS {
            let problem = format!(
                "{} groups are dense, and nobody can run more than {MOST_CLUSTERS}",
                count(groups as u64)
            );
            let remedy = "give a larger radius, or more neighbours";
            return Err(Error::value("the radius of neighbours", radius, problem, remedy));
        }
        let method = format!(
            "DBSCAN within {radius} with {neighbours} neighbours, fitted on {}; each customer is in the group of the \
             nearest dense one in reach, or noise",
            self.on(found.fitted_on)
        );
        let fit = FitReport::Density { radius, neighbours, core_points: found.core_points };
        let codes = found.codes.iter().map(|code| code.map(|code| code as u16)).collect();
        let about =
            Grouping { fitted_on: found.fitted_on, noise: found.noise, method, ..Grouping::none(fit) };
        Ok(self.grouping(codes, groups, about))
    }

    /// On how many customers was fitted, in words.
    fn on(&self, fitted_on: u64) -> String {
        let rows = self.points.rows() as u64;
        match fitted_on < rows {
            true => {
                format!("{} of {} customers, chosen by a hash of their ids", count(fitted_on), count(rows))
            }
            false => format!("all {} customers", count(rows)),
        }
    }

    /// The grouping with its clusters numbered without gaps: those that got nobody are dropped.
    fn grouping(&self, mut codes: Vec<Option<u16>>, clusters: usize, about: Grouping) -> Grouping {
        let mut sizes = vec![0u64; clusters];
        for &code in codes.iter().flatten() {
            sizes[usize::from(code)] += 1;
        }
        let mut next = 0;
        let names: Vec<u16> = sizes
            .iter()
            .map(|&size| {
                let name = next;
                next += u16::from(size > 0);
                name
            })
            .collect();
        let found = usize::from(next);
        codes.iter_mut().flatten().for_each(|code| *code = names[usize::from(*code)]);
        let mut warnings = about.warnings;
        if let Some(choice) = &about.choice {
            warnings.extend(choice.warnings.iter().cloned());
        }
        if found < clusters {
            let empty = clusters - found;
            let are = if empty == 1 { "cluster has" } else { "clusters have" };
            warnings.push(format!("{empty} {are} no customer, and there are {found}"));
        }
        Grouping { codes, clusters: found, customers: self.points.rows() as u64, warnings, ..about }
    }
}

impl Grouping {
    /// What is filled in by whoever found something.
    fn none(fit: FitReport) -> Grouping {
        Grouping {
            codes: Vec::new(),
            clusters: 0,
            clusters_wanted: None,
            customers: 0,
            fitted_on: 0,
            noise: 0,
            converged: true,
            choice: None,
            fit,
            method: String::new(),
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::agreement::adjusted_rand;
    use super::super::sample::by_number;
    use super::*;
    use crate::random::{Purpose, Stream};

    /// Three groups far apart.
    fn three(n: u64) -> (Vec<f64>, Vec<f64>) {
        (0..n)
            .map(|i| {
                let mut draw = Stream::new(2, i, 0, Purpose::Synth);
                let (x, y) = [(0.0, 0.0), (10.0, 0.0), (5.0, 9.0)][i as usize % 3];
                (x + draw.normal(), y + draw.normal())
            })
            .unzip()
    }

    fn options(technique: Technique) -> GroupingOptions {
        GroupingOptions { technique, seed: 1, sample: None }
    }

    fn all() -> [Technique; 4] {
        [
            Technique::KMeans { number: Number::One(3), starts: 2 },
            Technique::Linfa { clusters: 3, starts: 2 },
            Technique::Mixture { number: Number::One(3), starts: 1 },
            Technique::Dbscan { radius: 1.5, neighbours: 5 },
        ]
    }

    #[test]
    fn every_technique_finds_what_is_there() {
        let (x, y) = three(900);
        let points = Points::new(vec![&x, &y]).unwrap();
        let truth: Vec<u16> = (0..900).map(|i| i % 3).collect();
        for technique in all() {
            for sample in [None, Some(400)] {
                let options = GroupingOptions { sample, ..options(technique) };
                let found = group(&points, &options, &by_number, &()).unwrap();
                assert_eq!((found.clusters, found.converged), (3, true), "{technique:?}");
                assert_eq!(found.fitted_on, sample.unwrap_or(900) as u64);
                assert_eq!(found.method.contains("of 900 customers"), sample.is_some(), "{}", found.method);
                let in_one: Vec<usize> = (0..900).filter(|&i| found.codes[i].is_some()).collect();
                assert_eq!(in_one.len() as u64 + found.noise, 900);
                assert!(in_one.len() > 850, "{technique:?}");
                let codes: Vec<u16> = in_one.iter().filter_map(|&i| found.codes[i]).collect();
                let known: Vec<u16> = in_one.iter().map(|&i| truth[i]).collect();
                assert!(adjusted_rand(&codes, &known).unwrap() > 0.99, "{technique:?}");
            }
        }
    }

    #[test]
    fn a_number_is_chosen() {
        let (x, y) = three(300);
        let points = Points::new(vec![&x, &y]).unwrap();
        let number = Number::Range { from: 2, to: 4 };
        for sample in [None, Some(200)] {
            let technique = Technique::KMeans { number, starts: 1 };
            let found =
                group(&points, &GroupingOptions { sample, ..options(technique) }, &by_number, &()).unwrap();
            let choice = found.choice.unwrap();
            assert_eq!((choice.chosen, found.clusters, found.clusters_wanted), (3, 3, Some(3)));
            // The clusters that were judged are those that are given.
            let FitReport::Centres { inertia, .. } = found.fit else { panic!() };
            assert_eq!(choice.candidates[1].inertia, Some(inertia));
        }
    }

    #[test]
    fn too_few_and_too_many() {
        let points = Points::new(vec![&[1.0, 1.0, 2.0, 2.0]]).unwrap();
        let few = group(&points, &options(all()[0]), &by_number, &()).unwrap();
        assert_eq!((few.clusters, few.clusters_wanted), (2, Some(3)));
        assert_eq!(few.warnings, ["3 clusters were asked for, but there are only 2 different customers"]);
        let fails = |technique| group(&points, &options(technique), &by_number, &()).unwrap_err().to_string();
        assert!(fails(all()[2]).contains("only 2 rows of the sample differ"));
        assert!(fails(Technique::Mixture { number: Number::One(101), starts: 1 }).contains("out of range"));
        assert!(fails(Technique::Dbscan { radius: 0.1, neighbours: 3 }).contains("all would be noise"));
        let x: Vec<f64> = (0..404).map(|i| f64::from(i / 4)).collect();
        let points = Points::new(vec![&x]).unwrap();
        let technique = Technique::Dbscan { radius: 0.1, neighbours: 3 };
        let error = group(&points, &options(technique), &by_number, &()).unwrap_err().to_string();
        assert!(error.contains("101 groups are dense"), "{error}");
    }

    #[test]
    fn numbers_are_read() {
        assert_eq!("5".parse::<Number>().unwrap(), Number::One(5));
        assert_eq!("2..8".parse::<Number>().unwrap(), Number::Range { from: 2, to: 8 });
        for text in ["", "2..", "..8", "2-8", "x", "-1", "2..=8"] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }
}
