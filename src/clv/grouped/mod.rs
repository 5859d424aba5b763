//! Fits by group (a region, an acquisition cohort) with partial pooling: groups with many customers keep their own
//! estimates, groups with few lean on what all groups have in common.
//!
//! Empirical Bayes on the scale-free scale: a group's parameters are θ_g ~ N(μ, Σ), Σ diagonal, and its pooled
//! estimate is the maximum of its own likelihood times that density: a fit of its own data, not an average of
//! estimates, so that groups without an estimate of their own (few customers, nobody who returned, a boundary) count
//! for what they say. μ and Σ come from all groups by restricted maximum likelihood (`population.rs`). A variance of 0
//! says that the groups do not differ in that parameter beyond chance; it is then common to all, and said so. Standard
//! errors take in what is open about μ and Σ, so they exceed (I + Σ⁻¹)⁻¹, I being the information of the group's data.
//!
//! The shrinkage of a parameter of a group is the part of the groups' variance that the group's own data leave
//! unexplained, 1 − (weight of its own data): 0 is its own estimate, 1 the mean's.

mod named;
mod pooled;
mod population;
mod report;
#[cfg(test)]
mod tests;

pub use self::named::fit_groups_named;
use self::pooled::{Data, Mode, Pooling, pool};
use self::population::Population;
pub use self::report::{GroupReport, GroupedFit, GroupedReport, Pooled, Shrunk, Spread};
use super::dense::Matrix;
use super::model::{Fit, Parameter, Parametric, Verdict};
use super::objective::FitsPatterns;
use super::pattern::Patterns;
use super::uncertainty::Uncertainty;
use crate::calendar::Unit;
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;

/// Below this many groups with customers the spread between groups is itself a guess, and said to be.
const FEW_GROUPS: usize = 10;

/// The gradient of a penalised mean loss below which an estimate counts as a maximum.
const GRADIENT_OF_AN_OPTIMUM: f64 = 1e-6;

/// Two starts agree when their penalised log-likelihoods differ by less.
const SAME_OPTIMUM: f64 = 1e-4;

/// Which group each customer belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    names: Vec<String>,
    codes: Vec<u32>,
}

impl Groups {
    /// Groups by name; `codes[i]` is the place of customer i's group in `names`. A group may have no customer.
    ///
    /// # Errors
    /// A code without a name, a name given twice, no name at all.
    pub fn new(names: Vec<String>, codes: Vec<u32>) -> Result<Groups> {
        const REMEDY: &str = "give each customer's group as its place, from 0, in the list of names";
        if names.is_empty() {
            return Err(Error::value("the list of groups", "", "it has no name", REMEDY));
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::value("a group's name", twice[0], "it is given twice", REMEDY));
        }
        if let Some(code) = codes.iter().find(|&&code| code as usize >= names.len()) {
            let problem = format!("there are {} groups", names.len());
            return Err(Error::value("a group's code", code, problem, REMEDY));
        }
        Ok(Groups { names, codes })
    }

    /// The names, by code.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The group of each customer.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The customers of each group, ascending.
    fn members(&self) -> Vec<Vec<u32>> {
        let mut out = vec![Vec::new(); self.names.len()];
        for (customer, &code) in (0u32..).zip(&self.codes) {
            out[code as usize].push(customer);
        }
        out
    }

    /// The groups' places in the list of names, in the order of the names.
    fn by_name(&self) -> Vec<usize> {
        let mut out: Vec<usize> = (0..self.names.len()).collect();
        out.sort_unstable_by_key(|&g| &self.names[g]);
        out
    }
}

/// What was made for the groups in `order`, in the order of the list of names.
fn as_listed<T>(order: &[usize], made: Vec<T>) -> Vec<T> {
    let mut pairs: Vec<(usize, T)> = order.iter().copied().zip(made).collect();
    pairs.sort_unstable_by_key(|&(g, _)| g);
    pairs.into_iter().map(|(_, item)| item).collect()
}

/// Fits `model` to each group with partial pooling; `whole` is the model's fit to all of `patterns`.
///
/// Deterministic, whatever the number of threads, the order of customers and the numbers given to groups.
///
/// # Errors
/// Groups that are not those of the patterns' customers, and [`Error::Interrupted`].
pub fn fit_groups<M: FitsPatterns>(
    model: &M,
    patterns: &Patterns,
    groups: &Groups,
    unit: Unit,
    whole: &Fit<M::Params>,
    progress: &dyn Progress,
) -> Result<GroupedFit<M::Params>> {
    if groups.codes.len() != patterns.customers() {
        let problem = format!("there are {} customers", patterns.customers());
        let remedy = "give one group per customer, in the customers' order";
        return Err(Error::value("the number of groups' codes", groups.codes.len(), problem, remedy));
    }
    // By name, so that no sum over groups shows which numbers they were given.
    let order = groups.by_name();
    let names: Vec<&String> = order.iter().map(|&g| &groups.names[g]).collect();
    let parts: Vec<Patterns> = {
        let members = groups.members();
        parallel::map(order.len(), |k| patterns.of_customers(&members[order[k]]))
    };
    progress.phase("groups", parts.len() as u64);
    let own: Vec<Fit<M::Params>> = parallel::try_map(parts.len(), |g| {
        let fit = model.fit_patterns(&parts[g], unit, &Quiet(progress))?;
        progress.advance(1);
        Ok(fit)
    })?;
    let mut report = GroupedReport {
        model: M::Params::MODEL,
        unit,
        customers: patterns.customers() as u64,
        population: Vec::new(),
        mean: Vec::new(),
        groups: Vec::new(),
        rounds: 0,
        verdict: Verdict::VerifiedOptimum,
        warnings: Vec::new(),
    };
    let Some(common) = &whole.params else {
        report.verdict = Verdict::Failed {
            reason: format!("all customers together have no usable fit: {}", whole.report.verdict.sentence()),
            advice: "what helps the whole helps the groups",
        };
        let alone = (names.iter().zip(&own))
            .map(|(name, own)| GroupReport::without_pooling(name, &own.report, &report.verdict))
            .collect();
        report.groups = as_listed(&order, alone);
        return Ok(GroupedFit { report, groups: own.iter().map(|_| None).collect() });
    };
    let data: Vec<Data<'_>> = (parts.iter().zip(&own))
        .map(|(part, own)| Data {
            objective: (!part.is_empty()).then(|| model.objective(part, unit)),
            own: own.params.as_ref().map(Parametric::scale_free),
        })
        .collect();
    let pooling = pool(&data, &common.scale_free(), progress)?;
    report.rounds = pooling.rounds;
    report.population = spread::<M>(&pooling.population);
    report.mean = mean_parameters(&pooling.population, common);
    let telling = data.iter().filter(|group| group.objective.is_some()).count();
    report.verdict = overall(&pooling, telling);
    report.warnings = warnings(&report.population, &pooling.population, telling, &whole.report.verdict);
    let populations = (&pooling.population, pooling.alternatives.as_slice());
    let (reports, out): (Vec<GroupReport>, Vec<_>) = (pooling.modes.iter().zip(&own))
        .zip(names.iter().zip(&data))
        .map(|((mode, own), (name, data))| one_group::<M>(name, own, data, mode, populations, common))
        .unzip();
    report.groups = as_listed(&order, reports);
    let out = as_listed(&order, out);
    let unusable = out.iter().filter(|group| group.is_none()).count();
    if unusable > 0 {
        report.warnings.push(format!("{unusable} groups have no usable estimates: see their verdicts"));
    }
    Ok(GroupedFit { report, groups: out })
}

/// Passes on the wish to stop, but not the phases of a single group's fit.
struct Quiet<'a>(&'a dyn Progress);

impl Progress for Quiet<'_> {
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

fn spread<M: FitsPatterns>(population: &Population) -> Vec<Spread> {
    (M::SCALE_FREE.iter().enumerate())
        .map(|(j, &name)| Spread {
            name,
            mean: population.mean[j],
            standard_error: population.mean_covariance[(j, j)].sqrt(),
            deviation: population.variance[j].sqrt(),
        })
        .collect()
}

/// The natural parameters at the groups' mean, with the error of the mean.
fn mean_parameters<P: Parametric>(population: &Population, like: &P) -> Vec<Parameter> {
    let params = like.with_scale_free(&population.mean);
    let information = population.mean_covariance.map_eigenvalues(|v| 1.0 / v);
    let held = vec![false; population.mean.len()];
    let errors = Uncertainty::new(params.clone(), &information, &held).standard_errors();
    (P::NAMES.iter().zip(params.natural()).enumerate())
        .map(|(i, (&name, estimate))| Parameter {
            name,
            estimate,
            standard_error: errors.as_ref().map(|errors| errors[i]),
        })
        .collect()
}

fn overall(pooling: &Pooling, telling: usize) -> Verdict {
    let boundary = |name, explanation: &str, advice| Verdict::Boundary {
        name,
        explanation: explanation.to_string(),
        advice,
        usable: true,
    };
    if !pooling.settled {
        boundary(
            "the population is not settled",
            "the variances between groups still moved when the search ended",
            "each group's estimates are right for the variances shown; merge the smallest groups",
        )
    } else if telling < 2 {
        boundary(
            "one group",
            "a single group has customers: nothing can be said about differences",
            "its estimates are those of the whole",
        )
    } else if pooling.population.variance.iter().all(|&v| v == 0.0) {
        boundary(
            "no differences between groups",
            "the groups do not differ beyond chance: all variances between them are 0",
            "use the fit of the whole for all groups",
        )
    } else {
        Verdict::VerifiedOptimum
    }
}

fn warnings(spread: &[Spread], population: &Population, telling: usize, whole: &Verdict) -> Vec<String> {
    let mut out = Vec::new();
    let names = |which: &dyn Fn(usize) -> bool| -> Vec<&str> {
        spread.iter().enumerate().filter(|(j, _)| which(*j)).map(|(_, s)| s.name).collect()
    };
    let common = names(&|j| population.variance[j] == 0.0);
    if telling >= 2 && !common.is_empty() {
        let common = common.join(", ");
        out.push(format!("no differences between groups beyond chance in {common}: common to all groups"));
    }
    let wide = population.without_bound();
    if !wide.is_empty() {
        let wide = names(&|j| wide.contains(&j)).join(", ");
        out.push(format!("groups differ without bound in {wide}: pooling does not help there"));
    }
    if (2..FEW_GROUPS).contains(&telling) {
        out.push(format!(
            "with {telling} groups the spread between them is a rough estimate: a variance of 0 proves little"
        ));
    }
    if *whole != Verdict::VerifiedOptimum {
        out.push(format!("the whole's fit is no verified optimum: {}", whole.sentence()));
    }
    out
}

fn one_group<M: FitsPatterns>(
    name: &str,
    own: &Fit<M::Params>,
    data: &Data<'_>,
    mode: &Mode,
    (population, alternatives): (&Population, &[Population]),
    common: &M::Params,
) -> (GroupReport, Option<Pooled<M::Params>>) {
    let n = mode.point.len();
    let shrinkage = mode.quadratic.parts(&population.variance).posterior;
    let covariance = covariance(mode, population, alternatives);
    let information = covariance.map_eigenvalues(|v| 1.0 / v);
    let params = common.with_scale_free(&mode.point);
    let uncertainty = Uncertainty::new(params.clone(), &information, &vec![false; n]);
    let verdict = verdict_of(mode, uncertainty.is_complete());
    let errors = uncertainty.standard_errors();
    let parameters = (M::Params::NAMES.iter().zip(params.natural()).enumerate())
        .map(|(i, (&name, estimate))| Parameter {
            name,
            estimate,
            standard_error: errors.as_ref().map(|errors| errors[i]),
        })
        .collect();
    let scale_free = (M::SCALE_FREE.iter().enumerate())
        .map(|(j, &name)| Shrunk {
            name,
            own: data.own.as_ref().map(|own| own[j]),
            pooled: mode.point[j],
            standard_error: covariance[(j, j)].sqrt(),
            shrinkage: match population.variance[j] {
                0.0 => 1.0,
                variance => (shrinkage[(j, j)] / variance).clamp(0.0, 1.0),
            },
        })
        .collect();
    let group = GroupReport {
        name: name.to_string(),
        customers: own.report.customers,
        own: own.report.clone(),
        parameters,
        scale_free,
        log_likelihood: data.objective.is_some().then_some(mode.log_likelihood),
        verdict,
    };
    let usable = group.verdict.is_usable();
    (group, usable.then_some(Pooled { params, uncertainty }))
}

/// The covariance of a group's parameters: given the population, and as far as the population is open.
fn covariance(mode: &Mode, population: &Population, alternatives: &[Population]) -> Matrix {
    let n = mode.point.len();
    if alternatives.is_empty() {
        return mode.quadratic.under(population).1;
    }
    let mut out = Matrix::zeros(n);
    let weight = 1.0 / alternatives.len() as f64;
    for alternative in alternatives {
        let (mean, within) = mode.quadratic.under(alternative);
        for i in 0..n {
            for j in 0..n {
                let between = (mean[i] - mode.point[i]) * (mean[j] - mode.point[j]);
                out[(i, j)] += weight * (within[(i, j)] + between);
            }
        }
    }
    out
}

fn verdict_of(mode: &Mode, complete: bool) -> Verdict {
    let boundary =
        |name, explanation: String, advice| Verdict::Boundary { name, explanation, advice, usable: true };
    if !mode.gradient_norm.is_finite() || mode.gradient_norm > GRADIENT_OF_AN_OPTIMUM {
        Verdict::Failed {
            reason: format!("the search ended with a gradient of {:.1e}", mode.gradient_norm),
            advice: "please report this with the data: it should not happen",
        }
    } else if mode.at_range {
        boundary(
            "the end of the range",
            "a parameter is e^25 times that of the whole".to_string(),
            "look at this group apart from the others",
        )
    } else if mode.other_start.is_some_and(|other| other > SAME_OPTIMUM) {
        boundary(
            "the starts disagree",
            "the mean and the group's own estimates lead to different maxima; the higher one is given"
                .to_string(),
            "compare the group's own estimates with the pooled ones before relying on it",
        )
    } else if !complete {
        boundary(
            "a ridge",
            "neither the group nor all groups together determine every parameter".to_string(),
            "use expectations over the observed span only",
        )
    } else {
        Verdict::VerifiedOptimum
    }
}
