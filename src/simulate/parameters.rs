//! The models' parameters in each replication: drawn from what the data leave open, or held at the estimates.

use super::tables::Parameters;
use crate::clv::{GammaGamma, Posterior, PosteriorReport, PurchaseParameters, Trust};

/// When more than this share of draws has no finite mean, the interval of the expectation has no upper end to speak of;
/// with more than this share without a finite variance, means of futures are not to be relied on.
const DOUBTFUL_SHARE: f64 = 0.025;

/// With fewer replications, or draws worth fewer independent ones, no verdict is given: the end of an interval is then
/// too uncertain to face 0.
pub const FEWEST_FOR_A_VERDICT: u32 = 180;

/// One set of parameters per replication.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterDraws {
    /// By replication.
    pub draws: Vec<Parameters>,
    /// Whether the mean of spend is too poorly known for any verdict.
    pub mean_doubtful: bool,
    /// Whether the diagnostics of the draws say that intervals from them are not to be trusted.
    pub untrusted: bool,
    /// As many independent draws would be worth as much; infinite where nothing was drawn.
    pub effective: f64,
    /// How many different ones there are among them; where there are fewer than worlds they are used in turn.
    pub distinct: usize,
    /// Whether nothing was drawn at all: the parameters are the estimates.
    pub is_fixed: bool,
    /// What a reader of the intervals has to know.
    pub warnings: Vec<String>,
}

impl ParameterDraws {
    /// A replication for each draw of the two posteriors (for the fewer of them), which are independent.
    ///
    /// Draws of spend without a finite mean (q ≤ 1) are replaced by others of the same posterior, which is conditioning
    /// on a finite mean; where there is no other, by the estimate. How many, directions that stay fixed, and what the
    /// diagnostics of either posterior forbid are in the warnings.
    pub fn new<P: Copy + Into<PurchaseParameters>>(
        purchases: &Posterior<P>,
        spend: &Posterior<GammaGamma>,
    ) -> ParameterDraws {
        let of_purchases: Vec<PurchaseParameters> =
            purchases.draws.iter().map(|&params| params.into()).collect();
        ParameterDraws::of(&of_purchases, (&spend.draws, spend.estimate), [&purchases.report, &spend.report])
    }

    /// The same of draws that were kept, each with its report.
    pub fn of(
        of_purchases: &[PurchaseParameters],
        (of_spend, estimate_of_spend): (&[GammaGamma], GammaGamma),
        reports: [&PosteriorReport; 2],
    ) -> ParameterDraws {
        let mut warnings: Vec<String> = reports.iter().flat_map(|report| report.warnings()).collect();
        // Directions held fixed are taken for known, which they are not.
        let untrusted = reports.iter().any(|report| report.trust == Trust::Poor || report.fixed > 0);
        let effective = reports.iter().map(|report| report.effective).fold(f64::INFINITY, f64::min);
        if untrusted {
            warnings.push(
                "no verdict is given on any strategy: the draws of the parameters are not to be trusted"
                    .into(),
            );
        } else if effective < f64::from(FEWEST_FOR_A_VERDICT)
            && of_purchases.len() >= FEWEST_FOR_A_VERDICT as usize
        {
            warnings.push(format!(
                "no verdict is given on any strategy: the draws of the parameters are worth {effective:.0} independent \
                 ones, and {FEWEST_FOR_A_VERDICT} are needed"
            ));
        }
        let infinite = of_spend.iter().filter(|draw| draw.q <= 2.0).count();
        if estimate_of_spend.q <= 2.0 || infinite as f64 > DOUBTFUL_SHARE * of_spend.len() as f64 {
            warnings.push(format!(
                "spend is heavy-tailed (q = {:.3}; {infinite} of {} draws of it are at most 2, where the variance is \
                 infinite): intervals of what will happen are wide, and means over simulated futures do not settle; values are means of \
                 exact expectations",
                estimate_of_spend.q,
                of_spend.len()
            ));
        }
        let finite: Vec<GammaGamma> = of_spend.iter().copied().filter(|draw| draw.q > 1.0).collect();
        let mut replaced = 0;
        let draws: Vec<Parameters> = (of_purchases.iter().zip(of_spend))
            .map(|(&purchases, &drawn)| {
                if drawn.q > 1.0 {
                    return Parameters { purchases, spend: drawn };
                }
                // Draws have no order, so the n-th replacement is as good as any.
                let other = finite.get(replaced % finite.len().max(1)).copied();
                replaced += 1;
                Parameters { purchases, spend: other.unwrap_or(estimate_of_spend) }
            })
            .collect();
        let mean_doubtful = replaced as f64 > DOUBTFUL_SHARE * draws.len() as f64;
        if replaced > 0 {
            warnings.push(format!(
                "{replaced} draws of the spend parameters had no finite mean (q ≤ 1) and were replaced: the mean of \
                 spend is poorly known{}",
                if mean_doubtful { ", too poorly for a verdict on any strategy" } else { "" }
            ));
        }
        ParameterDraws {
            distinct: draws.len(),
            is_fixed: false,
            draws,
            mean_doubtful,
            untrusted,
            effective,
            warnings,
        }
    }

    /// The estimates in every replication: no uncertainty of parameters.
    pub fn fixed(
        purchases: impl Into<PurchaseParameters>,
        spend: GammaGamma,
        replications: u32,
    ) -> ParameterDraws {
        let draws = vec![Parameters { purchases: purchases.into(), spend }; replications as usize];
        let mut warnings = Vec::new();
        if spend.q <= 1.0 {
            warnings.push(format!(
                "the mean of spend is infinite (q = {:.3}): no amount of money can be relied on, and no verdict is given",
                spend.q
            ));
        } else if spend.q <= 2.0 {
            warnings.push(format!(
                "spend is heavy-tailed (q = {:.3}): intervals of what will happen are wide",
                spend.q
            ));
        }
        ParameterDraws {
            draws,
            mean_doubtful: spend.q <= 1.0,
            untrusted: false,
            effective: f64::INFINITY,
            distinct: replications as usize,
            is_fixed: true,
            warnings,
        }
    }
}
