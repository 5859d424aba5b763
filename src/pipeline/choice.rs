//! Which purchase model a run uses: the one asked for, or the one that a holdout within the history prefers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::RunConfig;
use crate::calendar::Day;
use crate::clv::validate::{Choice, ValidateOptions, choose};
use crate::clv::{ModelName, Patterns, PurchaseFit};
use crate::customers::{Summary, summarize_open};
use crate::error::{Error, Result};
use crate::history::{History, HistoryOptions, Source};
use crate::progress::Progress;

/// About how many customers are judged at most: enough to tell models apart by a hundredth of their error, and a small
/// part of what a run of more customers costs.
const MOST_JUDGED: usize = 100_000;

/// Replications of the bootstrap by which models are told apart.
const REPLICATIONS: u32 = 400;

/// The model where no holdout can judge: its P(alive) says something of everybody.
const FALLBACK: ModelName = ModelName::ParetoNbd;

/// Which purchase model is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ModelSetting {
    /// The one that a holdout within the history prefers.
    #[default]
    Auto,
    /// This one.
    Named(ModelName),
}

impl fmt::Display for ModelSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelSetting::Auto => f.pad("auto"),
            ModelSetting::Named(name) => name.fmt(f),
        }
    }
}

impl FromStr for ModelSetting {
    type Err = Error;

    fn from_str(text: &str) -> Result<ModelSetting> {
        match text {
            "auto" => Ok(ModelSetting::Auto),
            text => text.parse().map(ModelSetting::Named).map_err(|_: Error| {
                let keys: Vec<&str> = ModelName::ALL.into_iter().map(ModelName::key).collect();
                let remedy = format!("choose auto or one of {}", keys.join(", "));
                Error::value("a purchase model", text, "there is no such model", remedy)
            }),
        }
    }
}

impl Serialize for ModelSetting {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ModelSetting {
    fn deserialize<D: Deserializer<'de>>(input: D) -> std::result::Result<ModelSetting, D::Error> {
        let text = String::deserialize(input)?;
        text.parse().map_err(|error: Error| match error.hint() {
            Some(hint) => serde::de::Error::custom(format!("{error}; {hint}")),
            None => serde::de::Error::custom(error),
        })
    }
}

/// Which model a run uses, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelChoice {
    /// What was asked for.
    pub asked: ModelSetting,
    /// The model used.
    pub used: ModelName,
    /// Why, as a sentence.
    pub reason: String,
    /// What the holdout says; none where a model was asked for, or the history cannot be halved.
    pub holdout: Option<Choice>,
}

/// The choice, and the fit to the whole calibration window of the model that was chosen.
///
/// A model that is asked for is used, whatever its fit amounts to. Of `auto`, the first usable one is: the one preferred by
/// the holdout (where there is none, Pareto/NBD), then Pareto/NBD, then the others by their errors in the holdout.
///
/// # Errors
/// Those of reading the history again; [`Error::FileChanged`] where its files are no longer those that were read.
pub(super) fn fit_chosen(
    sources: &[Source],
    summary: &Summary,
    patterns: &Patterns,
    config: &RunConfig,
    progress: &dyn Progress,
) -> Result<(ModelChoice, PurchaseFit)> {
    let asked = config.model;
    if let ModelSetting::Named(used) = asked {
        let fit = PurchaseFit::new(used, patterns, config.unit, progress)?;
        let reason = format!("{} was asked for.", used.title());
        return Ok((ModelChoice { asked, used, reason, holdout: None }, fit));
    }
    let (holdout, mut reason) = match halved(sources, summary, config, progress)? {
        Ok(choice) => {
            let half =
                format!("Fitted up to {} and judged by what came after it", choice.window.calibration_end);
            let reason = match choice.preferred {
                Some(name) => format!("{half}, {} is preferred: {}.", name.title(), choice.why),
                None => format!("{half}, no model is preferred: {}; {}.", choice.why, fallback_words()),
            };
            (Some(choice), reason)
        }
        Err(problem) => {
            (None, format!("No holdout could judge the models: {problem}; {}.", fallback_words()))
        }
    };
    let mut first: Option<(ModelName, PurchaseFit)> = None;
    for name in order(holdout.as_ref()) {
        let fit = PurchaseFit::new(name, patterns, config.unit, progress)?;
        if fit.model().is_some() {
            if first.is_some() {
                reason.push_str(&format!(" {} is used instead.", name.title()));
            }
            return Ok((ModelChoice { asked, used: name, reason, holdout }, fit));
        }
        let verdict = fit.report().verdict.sentence();
        reason.push_str(&format!(
            " The fit of {} to the whole history is not usable: {verdict}.",
            name.title()
        ));
        first.get_or_insert((name, fit));
    }
    let (used, fit) = first.expect("there are models");
    Ok((ModelChoice { asked, used, reason, holdout }, fit))
}

fn fallback_words() -> String {
    format!("{} is taken, whose P(alive) says something of every customer", FALLBACK.title())
}

/// The models in the order in which they are tried.
fn order(holdout: Option<&Choice>) -> Vec<ModelName> {
    let preferred = holdout.and_then(|choice| choice.preferred);
    let mut judged: Vec<_> = holdout.map_or(Vec::new(), |choice| choice.models.iter().collect());
    judged.sort_by(|a, b| a.rmse.value.total_cmp(&b.rmse.value));
    let judged = judged.into_iter().map(|judged| judged.model);
    let mut out = Vec::new();
    for name in preferred.into_iter().chain([FALLBACK]).chain(judged).chain(ModelName::ALL) {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// Reads the history again up to the end of calibration with the first half of that time as calibration, and judges the
/// models by the other. `Err` with what is wrong where it cannot be halved.
///
/// Nothing after the run's own end of calibration is looked at: its holdout stays one.
fn halved(
    sources: &[Source],
    summary: &Summary,
    config: &RunConfig,
    progress: &dyn Progress,
) -> Result<std::result::Result<Choice, String>> {
    let end = summary.table.window.calibration_end;
    let Some(&first) = summary.table.first_order.iter().min() else {
        return Ok(Err("there is no customer".to_string()));
    };
    let days = end.since(first);
    if days < 2 {
        return Ok(Err(format!("the history runs from {first} to {end} and has no halves")));
    }
    let options = HistoryOptions {
        as_of: Some(end),
        calibration_end: Some(Day(first.0 + days / 2)),
        cohorts: None,
        periods: None,
        keep: Vec::new(),
        ..config.history.clone()
    };
    let history = History::open(sources, &options)?;
    // Of a bad file that is left out one cannot know what it was.
    let (before, now) = (&summary.history.files, &history.inspection().files);
    let differs = (0..before.len().max(now.len())).find(|&i| before.get(i) != now.get(i));
    let file = differs.and_then(|i| before.get(i).or(now.get(i)));
    if let (Some(file), true) = (file, summary.history.skipped.is_empty()) {
        return Err(Error::FileChanged { path: file.name.clone().into() });
    }
    let half = summarize_open(history, config.unit, progress)?;
    let options = ValidateOptions { replications: REPLICATIONS, seed: config.seed };
    choose(&half.table, MOST_JUDGED, &options, progress).map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_back() {
        for text in ["auto", "pareto-nbd", "bg-nbd", "mbg-nbd", "nbd"] {
            let setting: ModelSetting = text.parse().unwrap();
            assert_eq!(setting.to_string(), text);
            let json = serde_json::to_string(&setting).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<ModelSetting>(&json).unwrap(), setting);
        }
        let error = "BG/NBD".parse::<ModelSetting>().unwrap_err();
        assert!(error.hint().unwrap().starts_with("choose auto or one of pareto-nbd, bg-nbd"), "{error}");
        assert!(serde_json::from_str::<ModelSetting>("\"best\"").is_err());
    }

    #[test]
    fn without_a_holdout_pareto_nbd_is_tried_first() {
        let names = [ModelName::ParetoNbd, ModelName::BgNbd, ModelName::MbgNbd, ModelName::Nbd];
        assert_eq!(order(None), names);
    }
}
