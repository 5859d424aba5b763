//! A model held against the customers of a file: their scores, and their tiers by own rates.

use std::borrow::Cow;
use std::ops::Range;

use super::super::models::check_money;
use super::report::Draws;
use super::{AssessModel, AssessRequest, Ids, StatisticsFile, Unit, WholeFile};
use crate::clv::own_value::{FIGURES, Histories, Models, OwnValues};
use crate::clv::{GammaGamma, Patterns, PurchaseModel, Scorer, Scores};
use crate::customers::{OrderDays, Statistics};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::tier::columns::Loaded;
use crate::tier::judge::{Sureness, SurenessOptions, sureness};
use crate::tier::rules::{Kind, Measure};
use crate::tier::{Columns, Graded, Look};

/// Customers that one thread scores at a time.
const CHUNK: usize = 65_536;

/// Scores of the file that differ by more than this from those of the model are another model's.
const SAME: f64 = 1e-9;

pub(super) struct Drawn<'a> {
    model: AssessModel<'a>,
    seed: u64,
    unit: Unit,
    over: OrderDays,
    statistics: Statistics,
    patterns: Patterns,
    hash: &'a [u64],
    purchases: Vec<Box<dyn PurchaseModel>>,
    spend: Vec<GammaGamma>,
    /// Whether the parameters are drawn too.
    parameters_are_drawn: bool,
    scores: Scores,
}

impl<'a> Drawn<'a> {
    pub(super) fn new(
        file: &WholeFile,
        model: AssessModel<'a>,
        request: &AssessRequest<'_>,
        hash: &'a [u64],
        progress: &dyn Progress,
    ) -> Result<Drawn<'a>> {
        let wrong = |problem: String| Error::internal("a model that was checked", problem);
        let statistics_file = StatisticsFile::open_with(file.path(), request.reading)?;
        let purchases = model.model.model().map_err(wrong)?;
        let unit = purchases.time_unit();
        let mut over = OrderDays::Repeat;
        if let Some(money) = model.model.money() {
            check_money(&statistics_file, &money)?;
            over = money.over;
        }
        let statistics = statistics_file.statistics(0..statistics_file.stretches())?;
        if statistics.frequency.len() != hash.len() {
            return Err(Error::Document {
                file: file.path().display().to_string(),
                problem: format!(
                    "{} customers have frequency, recency and T, and {} a frequency",
                    statistics.frequency.len(),
                    hash.len()
                ),
                remedy: "give every customer all three, or none of them".into(),
            });
        }
        if hash.is_empty() {
            return Err(Error::Document {
                file: file.path().display().to_string(),
                problem: "its rows are all prospects, without frequency, recency and T".into(),
                remedy: "give a table with customers".into(),
            });
        }
        let patterns =
            Patterns::from_times(&statistics.frequency, &statistics.recency_days, &statistics.t_days)?;
        let spend = model.model.spend_model().map_err(wrong)?;
        progress.phase("scoring", 0);
        let scorer = Scorer::new(purchases.as_ref(), spend.as_ref(), model.value).over(over);
        let parts = parallel::try_map(hash.len().div_ceil(CHUNK), |i| {
            let rows = i * CHUNK..((i + 1) * CHUNK).min(hash.len());
            scorer.score(&part(&statistics, rows), progress)
        })?;
        drop(scorer);
        let scores = together(parts);
        let drawn = model.model.drawn_models().map_err(wrong)?;
        let parameters_are_drawn = drawn.is_some();
        let (purchases, spend) = match drawn {
            Some(drawn) => (drawn.purchases, drawn.spend.unwrap_or_default()),
            None => (vec![purchases], spend.into_iter().collect()),
        };
        let seed = request.seed;
        Ok(Drawn {
            model,
            seed,
            unit,
            over,
            statistics,
            patterns,
            hash,
            purchases,
            spend,
            parameters_are_drawn,
            scores,
        })
    }

    /// The scores by the names that they have as columns.
    fn columns(&self) -> impl Iterator<Item = (&'static str, Measure, &Vec<f64>)> {
        let Scores { p_alive, expected_transactions, dert, expected_spend, clv } = &self.scores;
        [
            ("p_alive", Measure::Share, p_alive),
            ("expected_transactions", Measure::Plain, expected_transactions),
            ("dert", Measure::Plain, dert),
            ("expected_spend", Measure::Money, expected_spend),
            ("clv", Measure::Money, clv),
        ]
        .into_iter()
        .filter(|(_, _, values)| !values.is_empty())
    }

    /// Refuses a file whose scores are another model's: its tiers would be judged by figures that they do not come from.
    pub(super) fn check(&self, look: &Look<'_>, ids: &Ids, who: &[u32]) -> Result<()> {
        let names = look.file.columns();
        for (name, _, own) in self.columns().filter(|(name, ..)| names.iter().any(|other| other == name)) {
            let there = look.numbers(name)?;
            let differs =
                |(a, b): (&f64, &f64)| !((a - b).abs() <= SAME * (1.0 + a.abs().max(b.abs())) || a == b);
            if let Some(i) = own.iter().zip(&there).position(differs) {
                return Err(Error::value(
                    "--model",
                    self.model.model.purchases.model.title(),
                    format!(
                        "{name} of customer {} is {} by it, and {} in {}: another model, horizon, discount or margin",
                        ids.text(who[i] as usize),
                        own[i],
                        there[i],
                        look.file.path().display()
                    ),
                    "give --horizon, --discount and --margin as for that table, or a table of `tiercast summarize`, to \
                     which the scores are added here",
                ));
            }
        }
        Ok(())
    }

    /// Refuses a scheme that looks at a figure that is not drawn here: it would be held fixed, and every tier called certain.
    /// What else a reader has to know of its columns.
    pub(super) fn check_scheme(&self, scheme: &Graded<'_>, look: &Look<'_>) -> Result<Vec<String>> {
        let key = &scheme.tiering.key;
        let is_drawn = |name: &str| self.columns().any(|(own, ..)| own == name);
        let missing = FIGURES.into_iter().filter(|name| !is_drawn(name));
        if let Some(name) = missing.into_iter().find(|name| scheme.scheme().looks_at(name)) {
            let why = if name == "dert" { "a discount above 0" } else { "a model of spend" };
            let problem = format!("its rules look at {name}, which this model does not give without {why}");
            return Err(Error::value("the scheme", key, problem, format!("give {why}, or another scheme")));
        }
        let columns = look.file.columns();
        let mut out = Vec::new();
        let added: Vec<&str> = FIGURES
            .into_iter()
            .filter(|name| !columns.iter().any(|own| own == name) && scheme.scheme().looks_at(name))
            .collect();
        if !added.is_empty() {
            out.push(format!(
                "{key} looks at {}, which the table lacks and which is added here: `tiercast tier` grades so after `tiercast predict`",
                added.join(", ")
            ));
        }
        let of_model = |name: &&String| {
            name.as_str() == "cluster"
                || FIGURES.iter().any(|figure| name.starts_with(&format!("{figure}_")))
                || matches!(name.as_str(), "cluster_number" | "tier_clv" | "tier_vip" | "tier_potential")
        };
        for name in columns.iter().filter(of_model).filter(|name| scheme.scheme().looks_at(name)) {
            out.push(format!("{key} looks at {name}, which comes of a model and is held fixed: its tiers seem surer than they are"));
        }
        Ok(out)
    }

    /// Adds the scores to what rules may look at.
    pub(super) fn add_to<'s>(&'s self, columns: &mut Columns<'s>) {
        for (name, measure, values) in self.columns() {
            columns.push(name, Kind::Number(measure), Loaded::Numbers(Cow::Borrowed(values)));
        }
    }

    pub(super) fn sureness(
        &self,
        schemes: &[&Graded<'_>],
        who: &(dyn Fn(usize) -> String + Sync),
        progress: &dyn Progress,
    ) -> Result<Vec<Sureness>> {
        let own = OwnValues::new(&self.model.value, self.unit, self.over, self.seed);
        let models: Vec<Models<'_>> = self
            .purchases
            .iter()
            .enumerate()
            .map(|(k, purchases)| Models { purchases: purchases.as_ref(), spend: self.spend.get(k) })
            .collect();
        let Drawn { statistics, patterns, hash, .. } = self;
        let options = SurenessOptions { draws: self.model.draws };
        sureness(schemes, Histories { statistics, patterns, hash }, &own, &models, options, who, progress)
    }

    pub(super) fn about(&self) -> Draws {
        let value = self.model.value;
        Draws {
            draws: self.model.draws,
            parameters: if self.parameters_are_drawn { self.purchases.len() } else { 0 },
            model: self.model.model.purchases.model,
            horizon: value.horizon,
            discount: value.discount,
            margin: value.margin,
            has_money: !self.scores.clv.is_empty(),
        }
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut out = self.model.model.draws.as_ref().map_or(Vec::new(), |draws| draws.warnings());
        if !self.parameters_are_drawn {
            out.push(
                "the model file has no draws of its parameters: they are held at their estimates, and intervals of totals are \
                 too narrow; fit it with --draws 400"
                    .into(),
            );
        } else if self.purchases.len() < self.model.draws as usize {
            out.push(format!(
                "{} draws of own rates use {} draws of the parameters several times",
                self.model.draws,
                self.purchases.len()
            ));
        }
        if self.model.model.purchases.model.is_blind_to_first_time_dropout() {
            out.push(format!(
                "{} takes everybody without a repeat purchase for alive, and is too sure of their tiers",
                self.model.model.purchases.model.title()
            ));
        }
        let without_mean = self.spend.iter().filter(|spend| spend.q <= 1.0).count();
        if without_mean > 0 {
            out.push(format!(
                "{without_mean} of {} draws of the spend parameters have no finite mean (q ≤ 1): means of worth do not settle",
                self.spend.len()
            ));
        }
        let negative = self.statistics.negative_money();
        if negative > 0 && !self.spend.is_empty() {
            out.push(format!("{negative} customers have a mean value of orders below 0, which counts as 0"));
        }
        out
    }
}

/// The statistics of some customers.
fn part(of: &Statistics, rows: Range<usize>) -> Statistics {
    Statistics {
        frequency: of.frequency[rows.clone()].to_vec(),
        recency_days: of.recency_days[rows.clone()].to_vec(),
        t_days: of.t_days[rows.clone()].to_vec(),
        monetary_value: of.monetary_value.get(rows).map_or(Vec::new(), <[f64]>::to_vec),
    }
}

fn together(parts: Vec<Scores>) -> Scores {
    let mut out = Scores::default();
    for part in parts {
        out.p_alive.extend(part.p_alive);
        out.expected_transactions.extend(part.expected_transactions);
        out.dert.extend(part.dert);
        out.expected_spend.extend(part.expected_spend);
        out.clv.extend(part.clv);
    }
    out
}
