//! A model held against the customers of a file: their tiers by own rates.

use super::super::scored_table::ScoredTable;
use super::report::Draws;
use super::{AssessModel, AssessRequest, Ids, WholeFile};
use crate::clv::own_value::{FIGURES, Histories, Models, OwnValues};
use crate::clv::{GammaGamma, Patterns, PurchaseModel};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::tier::judge::{Sureness, SurenessOptions, sureness};
use crate::tier::{Columns, Graded, Look};

pub(super) struct Drawn<'a> {
    model: AssessModel<'a>,
    seed: u64,
    scored: ScoredTable,
    patterns: Patterns,
    hash: &'a [u64],
    purchases: Vec<Box<dyn PurchaseModel>>,
    spend: Vec<GammaGamma>,
    /// Whether the parameters are drawn too.
    parameters_are_drawn: bool,
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
        let scored = ScoredTable::new(file, model.model, model.value, request.reading, hash.len(), progress)?;
        let of = &scored.statistics;
        let patterns = Patterns::from_times(&of.frequency, &of.recency_days, &of.t_days)?;
        let drawn = model.model.drawn_models().map_err(wrong)?;
        let parameters_are_drawn = drawn.is_some();
        let (purchases, spend) = match drawn {
            Some(drawn) => (drawn.purchases, drawn.spend.unwrap_or_default()),
            None => {
                let spend = model.model.spend_model().map_err(wrong)?;
                (vec![model.model.model().map_err(wrong)?], spend.into_iter().collect())
            }
        };
        let seed = request.seed;
        Ok(Drawn { model, seed, scored, patterns, hash, purchases, spend, parameters_are_drawn })
    }

    /// Refuses a file whose scores are another model's.
    pub(super) fn check(&self, look: &Look<'_>, ids: &Ids, who: &[u32]) -> Result<()> {
        self.scored.check(look, ids, who)
    }

    /// Refuses a scheme that looks at a figure that is not drawn here: it would be held fixed, and every tier called certain.
    /// What else a reader has to know of its columns.
    pub(super) fn check_scheme(&self, scheme: &Graded<'_>, look: &Look<'_>) -> Result<Vec<String>> {
        let key = &scheme.tiering.key;
        let is_drawn = |name: &str| self.scored.columns().any(|(own, ..)| own == name);
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
        self.scored.add_to(columns);
    }

    pub(super) fn sureness(
        &self,
        schemes: &[&Graded<'_>],
        who: &(dyn Fn(usize) -> String + Sync),
        progress: &dyn Progress,
    ) -> Result<Vec<Sureness>> {
        let own = OwnValues::new(&self.model.value, self.scored.unit, self.scored.over, self.seed);
        let models: Vec<Models<'_>> = self
            .purchases
            .iter()
            .enumerate()
            .map(|(k, purchases)| Models { purchases: purchases.as_ref(), spend: self.spend.get(k) })
            .collect();
        let Drawn { patterns, hash, .. } = self;
        let statistics = &self.scored.statistics;
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
            has_money: !self.scored.scores.clv.is_empty(),
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
        let negative = self.scored.statistics.negative_money();
        if negative > 0 && !self.spend.is_empty() {
            out.push(format!("{negative} customers have a mean value of orders below 0, which counts as 0"));
        }
        out
    }
}
