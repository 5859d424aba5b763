//! A fit by group of any of the purchase models.

use super::{GroupedReport, Groups, fit_groups};
use crate::calendar::Unit;
use crate::clv::bg_nbd::BgNbdModel;
use crate::clv::family::{ModelName, PurchaseFit};
use crate::clv::mbg_nbd::MbgNbdModel;
use crate::clv::nbd::NbdModel;
use crate::clv::pareto_nbd::ParetoNbdModel;
use crate::clv::pattern::Patterns;
use crate::error::Result;
use crate::progress::Progress;

/// Fits the model of that name to all of `patterns`, and to each group with partial pooling.
///
/// # Errors
/// Those of [`fit_groups`].
pub fn fit_groups_named(
    name: ModelName,
    patterns: &Patterns,
    groups: &Groups,
    unit: Unit,
    progress: &dyn Progress,
) -> Result<(PurchaseFit, GroupedReport)> {
    let whole = PurchaseFit::new(name, patterns, unit, progress)?;
    let report = match &whole {
        PurchaseFit::BgNbd(fit) => fit_groups(&BgNbdModel, patterns, groups, unit, fit, progress)?.report,
        PurchaseFit::MbgNbd(fit) => fit_groups(&MbgNbdModel, patterns, groups, unit, fit, progress)?.report,
        PurchaseFit::ParetoNbd(fit) => {
            fit_groups(&ParetoNbdModel, patterns, groups, unit, fit, progress)?.report
        }
        PurchaseFit::Nbd(fit) => fit_groups(&NbdModel, patterns, groups, unit, fit, progress)?.report,
    };
    Ok((whole, report))
}
