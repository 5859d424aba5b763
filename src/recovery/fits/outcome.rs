//! What a fit makes of a data set, and the likelihood that judges any parameters.

use super::{Data, Model, World};
use crate::calendar::Unit;
use crate::clv::bg_bb::{BetaBinomial, BetaBinomialModel};
use crate::clv::family::with_parameters;
use crate::clv::{
    Bdw, BdwModel, BgBb, BgBbModel, Cohorts, ContractModel, FitReport, GammaGamma, GammaGammaModel,
    ModelName, Opportunities, Patterns, PurchaseFit, Sbg, SbgModel, Verdict,
};
use crate::error::{Error, Result};

/// A verdict's name: "verified optimum", the boundary's, or "failed: " and why.
pub fn label(verdict: &Verdict) -> String {
    match verdict {
        Verdict::VerifiedOptimum => "verified optimum".to_string(),
        Verdict::Boundary { name, .. } => (*name).to_string(),
        Verdict::Failed { reason, .. } => format!("failed: {reason}"),
    }
}

/// The purchase model of that name.
fn purchase_model(model: Model) -> Option<ModelName> {
    Some(match model {
        Model::BgNbd => ModelName::BgNbd,
        Model::MbgNbd => ModelName::MbgNbd,
        Model::ParetoNbd => ModelName::ParetoNbd,
        Model::Nbd => ModelName::Nbd,
        _ => return None,
    })
}

pub(super) fn fit(world: &World) -> Result<FitReport> {
    Ok(match (&world.data, world.model) {
        (Data::Purchases { frequency, recency, t }, model) => {
            let name = purchase_model(model).ok_or_else(|| mismatch(world))?;
            let patterns = Patterns::from_times(frequency, recency, t)?;
            PurchaseFit::new(name, &patterns, Unit::Week, &())?.report().clone()
        }
        (Data::Spend { frequency, mean }, _) => GammaGammaModel.fit(frequency, mean, &())?.report,
        (Data::Opportunities { x, t_x, n }, model) => {
            let data = Opportunities::from_statistics(x, t_x, n)?;
            match model {
                Model::BetaBinomial => BetaBinomialModel.fit(&data, &())?.report,
                _ => BgBbModel.fit(&data, &())?.report,
            }
        }
        (Data::Contracts(survivors), model) => {
            let cohorts = cohorts(survivors)?;
            match model {
                Model::Bdw => BdwModel.fit(&cohorts, &())?.report,
                _ => SbgModel.fit(&cohorts, &())?.report,
            }
        }
    })
}

pub(super) fn log_likelihood(world: &World, natural: &[f64]) -> Result<Option<f64>> {
    if natural.iter().any(|value| !(value.is_finite() && *value > 0.0)) {
        return Ok(None);
    }
    Ok(match (&world.data, world.model, natural) {
        (Data::Purchases { frequency, recency, t }, model, _) => {
            let name = purchase_model(model).ok_or_else(|| mismatch(world))?;
            let week = Unit::Week.days();
            with_parameters(name, natural, Unit::Week).map(|params| {
                (0..t.len())
                    .map(|i| params.log_likelihood(frequency[i], recency[i] / week, t[i] / week))
                    .sum()
            })
        }
        (Data::Spend { frequency, mean }, _, &[p, q, gamma]) => {
            let params = GammaGamma { p, q, gamma };
            let used = frequency.iter().zip(mean).filter(|&(&x, &mean)| x > 0 && mean > 0.0);
            Some(used.map(|(&x, &mean)| params.log_likelihood(x, mean)).sum())
        }
        (Data::Opportunities { x, t_x, n }, _, &[alpha, beta, gamma, delta]) => {
            let params = BgBb { alpha, beta, gamma, delta };
            Some((0..n.len()).map(|i| params.log_likelihood(x[i], t_x[i], n[i])).sum())
        }
        (Data::Opportunities { x, n, .. }, _, &[alpha, beta]) => {
            let params = BetaBinomial { alpha, beta };
            Some((0..n.len()).map(|i| params.log_likelihood(x[i], n[i])).sum())
        }
        (Data::Contracts(survivors), _, &[gamma, delta]) => {
            Some(of_contracts(&Sbg { gamma, delta }, survivors))
        }
        (Data::Contracts(survivors), _, &[gamma, delta, c]) => {
            Some(of_contracts(&Bdw { gamma, delta, c }, survivors))
        }
        _ => return Err(mismatch(world)),
    })
}

/// Who renewed and who left at each renewal.
fn of_contracts(params: &impl ContractModel, survivors: &[Vec<i64>]) -> f64 {
    let mut sum = 0.0;
    for cohort in survivors {
        for (t, pair) in (1..).zip(cohort.windows(2)) {
            let (kept, lost) = (pair[1] as f64, (pair[0] - pair[1]) as f64);
            let ln_retention = params.ln_retention(t);
            if kept > 0.0 {
                sum += kept * ln_retention;
            }
            if lost > 0.0 {
                sum += lost * (-ln_retention.exp_m1()).ln();
            }
        }
    }
    sum
}

fn cohorts(survivors: &[Vec<i64>]) -> Result<Cohorts> {
    let mut rows = (Vec::new(), Vec::new(), Vec::new());
    for (number, cohort) in survivors.iter().enumerate() {
        for (period, &left) in (0..).zip(cohort) {
            rows.0.push(format!("{number:03}"));
            rows.1.push(period);
            rows.2.push(left);
        }
    }
    Cohorts::from_rows(&rows.0, &rows.1, &rows.2)
}

/// Parameters of another model, or a number of them that it does not have.
fn mismatch(world: &World) -> Error {
    let title = world.model.title();
    let problem = format!("{title} has others");
    Error::value("parameters", world.number, problem, "give them in the order of the literature")
}
