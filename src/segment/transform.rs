//! Columns of numbers made comparable: logarithm, winsorising, standardising, with a report of what was done.

use serde::{Deserialize, Serialize};

use super::points::Points;
use crate::error::{Error, Result};
use crate::parallel;

/// Values summed at a time; sums are added in the order of these chunks.
const CHUNK: usize = 16_384;

/// A spread below this share of the mean is rounding, not a difference between customers.
const LEAST_RELATIVE_SD: f64 = 1e-12;

/// What is done to a feature, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transform {
    /// ln(1 + x): for counts and money, whose largest values would otherwise be clusters of their own. Values below 0
    /// (net refunds) count as 0.
    pub log1p: bool,
    /// Values beyond these quantiles (0 to 1) count as the quantiles.
    pub winsorise: Option<(f64, f64)>,
    /// (x − mean) / standard deviation: no feature weighs more for its units.
    pub standardise: bool,
}

impl Default for Transform {
    fn default() -> Self {
        Transform { log1p: false, winsorise: None, standardise: true }
    }
}

/// A feature as it is: a name, and one value per row.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: &'a [f64],
    /// What is done to them.
    pub transform: Transform,
}

/// Why a feature takes no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// It is a number for nobody.
    NoNumbers,
    /// It is the same for everybody.
    Same,
    /// It differs, but not after logarithm and cuts.
    SameAfterTransform,
}

impl LeftOut {
    /// In words, behind the name of a feature.
    pub fn words(self) -> &'static str {
        match self {
            LeftOut::NoNumbers => "is no number for any customer",
            LeftOut::Same => "is the same for every customer",
            LeftOut::SameAfterTransform => "does not differ after logarithm and cuts",
        }
    }
}

/// What was done to a feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceReport {
    /// Its name.
    pub name: String,
    /// What was done.
    pub transform: Transform,
    /// Values below 0 of which no logarithm was taken.
    pub below_zero: u64,
    /// The cuts of winsorising, after the logarithm.
    pub cuts: Option<(f64, f64)>,
    /// Values that were cut.
    pub cut: u64,
    /// The mean of the finite values, before standardising; none where there is none.
    pub mean: Option<f64>,
    /// Their standard deviation (divided by n), before standardising; none where there is none.
    pub sd: Option<f64>,
    /// Values that were no finite number and count as the mean.
    pub not_finite: u64,
    /// Whether it takes part; one that is the same for everybody cannot.
    pub used: bool,
    /// Why it takes none; none where it does.
    pub left_out: Option<LeftOut>,
}

/// Features ready to cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// One column per feature used.
    pub columns: Vec<Vec<f64>>,
    /// Which source each column is, as index into `reports`.
    pub used: Vec<usize>,
    /// Every feature, used or not.
    pub reports: Vec<SourceReport>,
}

impl Prepared {
    /// Transforms `sources`; features that are the same for everybody are left out, which their reports say.
    ///
    /// # Errors
    /// [`Error::Value`] when lengths differ, two features share a name, quantiles are not 0 ≤ low < high ≤ 1, or values
    /// are so large that their mean or standard deviation is not finite.
    pub fn of(sources: &[Source<'_>]) -> Result<Prepared> {
        for (at, source) in sources.iter().enumerate() {
            check(source, &sources[..at])?;
        }
        let mut prepared = Prepared { columns: Vec::new(), used: Vec::new(), reports: Vec::new() };
        for (at, source) in sources.iter().enumerate() {
            let (column, report) = prepare(source)?;
            if report.used {
                prepared.columns.push(column);
                prepared.used.push(at);
            }
            prepared.reports.push(report);
        }
        Ok(prepared)
    }

    /// The columns as points.
    ///
    /// # Errors
    /// As [`Points::new`]: when no feature is left, above all.
    pub fn points(&self) -> Result<Points<'_>> {
        Points::new(self.columns.iter().map(Vec::as_slice).collect())
    }

    /// The names of the columns.
    pub fn names(&self) -> Vec<&str> {
        self.used.iter().map(|&at| self.reports[at].name.as_str()).collect()
    }
}

fn check(source: &Source<'_>, before: &[Source<'_>]) -> Result<()> {
    let fail = |what: String, value: String, problem: String, remedy: &str| {
        Err(Error::value(what, value, problem, remedy))
    };
    let name = &source.name;
    if before.iter().any(|other| other.name == *name) {
        return fail(
            "a feature's name".into(),
            name.clone(),
            "two features have it".into(),
            "name each once",
        );
    }
    if let Some(first) = before.first()
        && first.values.len() != source.values.len()
    {
        let problem = format!("feature {} has {}", first.name, first.values.len());
        let found = source.values.len().to_string();
        return fail(
            format!("the number of values of feature {name}"),
            found,
            problem,
            "give columns of one table",
        );
    }
    if let Some((low, high)) = source.transform.winsorise
        && !(0.0 <= low && low < high && high <= 1.0)
    {
        let value = format!("{low}, {high}");
        let problem = "they are not 0 ≤ low < high ≤ 1".into();
        return fail(
            format!("the quantiles of feature {name}"),
            value,
            problem,
            "give two such as 0.01 and 0.99",
        );
    }
    Ok(())
}

fn prepare(source: &Source<'_>) -> Result<(Vec<f64>, SourceReport)> {
    let Transform { log1p, winsorise, standardise } = source.transform;
    let raw = source.values;
    let below_zero = if log1p { raw.iter().filter(|x| **x < 0.0).count() as u64 } else { 0 };
    let mut column = match log1p {
        // `max` would turn NaN into 0.
        true => parallel::collect(raw.len(), |i| if raw[i] < 0.0 { 0.0 } else { raw[i].ln_1p() }),
        false => raw.to_vec(),
    };
    let cuts = winsorise.and_then(|(low, high)| quantiles(&column, low, high));
    let mut cut = 0;
    if let Some((low, high)) = cuts {
        for x in &mut column {
            if x.is_finite() && (*x < low || *x > high) {
                *x = x.clamp(low, high);
                cut += 1;
            }
        }
    }
    let moments = mean_and_sd(&column);
    let (mean, sd) = moments.unwrap_or((0.0, 0.0));
    if !(mean.is_finite() && sd.is_finite()) {
        let (what, value) = if mean.is_finite() { ("standard deviation", sd) } else { ("mean", mean) };
        return Err(Error::value(
            format!("the {what} of feature {}", source.name),
            value,
            "some values are so large that their sum or their squares overflow",
            "leave such rows out, or take the logarithm of the feature",
        ));
    }
    let used = sd > LEAST_RELATIVE_SD * (1.0 + mean.abs());
    let left_out = match moments {
        _ if used => None,
        None => Some(LeftOut::NoNumbers),
        Some(_) if differ(raw) => Some(LeftOut::SameAfterTransform),
        Some(_) => Some(LeftOut::Same),
    };
    let mut not_finite = 0;
    for x in &mut column {
        if !x.is_finite() {
            *x = mean;
            not_finite += 1;
        }
        if standardise && used {
            *x = (*x - mean) / sd;
        }
    }
    let report = SourceReport {
        name: source.name.clone(),
        transform: source.transform,
        below_zero,
        cuts,
        cut,
        mean: moments.map(|(mean, _)| mean),
        sd: moments.map(|(_, sd)| sd),
        not_finite,
        used,
        left_out,
    };
    Ok((column, report))
}

/// Whether finite values differ by more than rounding.
fn differ(values: &[f64]) -> bool {
    let finite = values.iter().copied().filter(|x| x.is_finite());
    let (least, most) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)));
    // The difference of the largest may be infinite, which is a difference.
    most - least > LEAST_RELATIVE_SD * (1.0 + least.abs().min(most.abs()))
}

/// Two quantiles of the finite values, between order statistics as in R's type 7 and numpy; none where there is none.
fn quantiles(values: &[f64], low: f64, high: f64) -> Option<(f64, f64)> {
    let mut finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    let last = finite.len().checked_sub(1)?;
    let mut at = |p: f64| {
        let place = p * last as f64;
        let below = (place.floor() as usize).min(last);
        let (_, &mut lower, above) = finite.select_nth_unstable_by(below, f64::total_cmp);
        match above.iter().copied().min_by(f64::total_cmp) {
            Some(upper) if (upper - lower).is_finite() => lower + (place - below as f64) * (upper - lower),
            Some(upper) => (1.0 - (place - below as f64)) * lower + (place - below as f64) * upper,
            None => lower,
        }
    };
    Some((at(low), at(high)))
}

/// Mean and standard deviation (divided by n) of the finite values; none where there is none. They are not finite where
/// sums overflow.
fn mean_and_sd(values: &[f64]) -> Option<(f64, f64)> {
    let sum = |f: &(dyn Fn(f64) -> f64 + Sync)| {
        let chunk = |range| {
            let values: &[f64] = &values[range];
            values.iter().filter(|x| x.is_finite()).fold((0.0, 0u64), |(sum, n), &x| (sum + f(x), n + 1))
        };
        parallel::reduce_chunks(values.len(), CHUNK, chunk, |a, b| (a.0 + b.0, a.1 + b.1)).unwrap_or((0.0, 0))
    };
    let (total, n) = sum(&|x| x);
    if n == 0 {
        return None;
    }
    let mean = total / n as f64;
    // In two passes: the squares of x itself would cancel where the spread is small.
    let (squares, n) = sum(&|x| (x - mean) * (x - mean));
    Some((mean, (squares / n as f64).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source<'a>(name: &str, values: &'a [f64], transform: Transform) -> Source<'a> {
        Source { name: name.into(), values, transform }
    }

    #[test]
    fn each_step_is_what_it_says() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        let plain = Transform { standardise: false, ..Transform::default() };
        let cut = Transform { winsorise: Some((0.05, 0.975)), ..plain };
        let prepared = Prepared::of(&[
            source("plain", &values, plain),
            source("cut", &values, cut),
            source("log", &values, Transform { log1p: true, ..plain }),
            source("all", &values, Transform { log1p: true, standardise: true, ..cut }),
        ])
        .unwrap();
        assert_eq!(prepared.columns[0], values);
        // numpy.quantile(range(101), [0.05, 0.975]) = 5, 97.5.
        assert_eq!(prepared.reports[1].cuts, Some((5.0, 97.5)));
        assert_eq!(prepared.reports[1].cut, 5 + 3);
        assert_eq!(
            (prepared.columns[1][0], prepared.columns[1][50], prepared.columns[1][100]),
            (5.0, 50.0, 97.5)
        );
        assert_eq!(prepared.columns[2][9], 10f64.ln());
        let mean = prepared.columns[3].iter().sum::<f64>() / 101.0;
        let variance = prepared.columns[3].iter().map(|x| x * x).sum::<f64>() / 101.0;
        assert!(mean.abs() < 1e-14 && (variance - 1.0).abs() < 1e-13);
        assert_eq!(prepared.names(), ["plain", "cut", "log", "all"]);
        assert_eq!(prepared.points().unwrap().features(), 4);
    }

    #[test]
    fn what_is_no_number_or_no_difference() {
        let standard = Transform::default();
        let odd = [f64::NAN, -2.0, f64::INFINITY, 3.0];
        let prepared = Prepared::of(&[
            source("same", &[7.3; 4], standard),
            source("odd", &odd, Transform { log1p: true, winsorise: Some((0.0, 1.0)), ..standard }),
        ])
        .unwrap();
        assert!(!prepared.reports[0].used);
        assert_eq!(prepared.used, [1]);
        let report = &prepared.reports[1];
        assert_eq!((report.not_finite, report.below_zero, report.cut), (2, 1, 0));
        assert_eq!(prepared.columns[0], [0.0, -1.0, 0.0, 1.0]);
        assert!(Prepared::of(&[source("same", &[1.0; 3], standard)]).unwrap().points().is_err());
        let nothing =
            Prepared::of(&[source("none", &[], Transform { winsorise: Some((0.1, 0.9)), ..standard })]);
        let nothing = nothing.unwrap();
        let report = &nothing.reports[0];
        assert_eq!((report.used, report.mean, report.left_out), (false, None, Some(LeftOut::NoNumbers)));
    }

    #[test]
    fn why_a_feature_is_left_out() {
        let standard = Transform::default();
        let rare: Vec<f64> = (0..100).map(|i| if i == 7 { 3.0 } else { 1.0 }).collect();
        let cut = Transform { winsorise: Some((0.05, 0.95)), ..standard };
        let none = [f64::NAN; 100];
        let refunds: Vec<f64> = (0..100).map(|i| -f64::from(i)).collect();
        let huge: Vec<f64> = (0..100).map(|i| if i == 7 { 1e300 } else { -1.5e308 }).collect();
        let prepared = Prepared::of(&[
            source("same", &[1.0 / 3.0; 100], standard),
            source("cut", &rare, cut),
            source("log", &refunds, Transform { log1p: true, ..standard }),
            source("none", &none, Transform { log1p: true, ..cut }),
            source("used", &rare, standard),
            source("huge", &huge, Transform { log1p: true, ..standard }),
        ])
        .unwrap();
        let why: Vec<Option<LeftOut>> = prepared.reports.iter().map(|report| report.left_out).collect();
        let after = Some(LeftOut::SameAfterTransform);
        assert_eq!(why, [Some(LeftOut::Same), after, after, Some(LeftOut::NoNumbers), None, None]);
        assert_eq!(prepared.used, [4, 5]);
    }

    /// Their standard deviation would be infinite, and the feature would be 0 for everybody.
    #[test]
    fn values_whose_squares_overflow_are_refused_by_name() {
        let standard = Transform::default();
        let refused = |values: &[f64]| {
            let error = Prepared::of(&[source("x", &[1.0; 2], standard), source("big", values, standard)]);
            error.unwrap_err().to_string()
        };
        assert!(refused(&[1e160, 2.0]).contains("the standard deviation of feature big"));
        assert!(refused(&[1.7e308, 1.7e308]).contains("the mean of feature big"));
        let cut = Transform { winsorise: Some((0.25, 0.75)), ..standard };
        assert!(Prepared::of(&[source("wide", &[-1.7e308, 1.7e308], cut)]).is_err());
    }

    #[test]
    fn impossible_requests_are_refused() {
        let standard = Transform::default();
        let refused = |sources: &[Source<'_>]| Prepared::of(sources).unwrap_err().to_string();
        let (short, long) = ([1.0, 2.0], [1.0, 2.0, 3.0]);
        assert!(
            refused(&[source("a", &short, standard), source("b", &long, standard)]).contains("feature b")
        );
        assert!(
            refused(&[source("a", &long, standard), source("a", &long, standard)]).contains("two features")
        );
        let wrong = Transform { winsorise: Some((0.9, 0.1)), ..standard };
        assert!(refused(&[source("a", &long, wrong)]).contains("quantiles of feature a"));
    }
}
