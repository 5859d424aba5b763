//! One number of clusters with its scores, and what is to be known of them.

use serde::Serialize;

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
    /// Clusters in which there is somebody: fewer than `clusters` where fewer rows of the sample differ, or a component is
    /// nobody's likeliest.
    pub found: usize,
    /// Whether the search came to rest.
    pub converged: bool,
    /// Starts of a mixture that did not come to rest.
    pub starts_lost: u32,
    /// The regularisation with which a mixture was fitted, where it had to be raised.
    pub regularisation: Option<f64>,
    /// How the fits for stability went.
    pub resampling: Resampling,
}

/// How the fits for stability went: those that went wrong stand in the mean with what they came to, or with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Resampling {
    /// Whether the sample itself could not be fitted, so that there is no stability.
    pub sample_lost: bool,
    /// Resamples that could not be fitted and count as agreeing with nothing.
    pub lost: u32,
    /// Fits (the sample's among them) that did not come to rest, or only with more regularisation.
    pub strained: u32,
}

impl Candidate {
    /// What is to be known of its figures, in a few words each; nothing where all went well.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Resampling { sample_lost, lost, strained } = self.resampling;
        if !self.converged {
            notes.push("did not come to rest".into());
        }
        if self.found < self.clusters {
            notes.push(format!("only {} have customers", self.found));
        }
        if self.starts_lost > 0 {
            notes.push(format!("starts that did not come to rest: {}", self.starts_lost));
        }
        if let Some(regularisation) = self.regularisation {
            notes.push(format!("regularisation raised to {regularisation}"));
        }
        if sample_lost {
            notes.push("no stability: the sample could not be fitted".into());
        }
        if lost > 0 {
            notes.push(format!("resamples that could not be fitted: {lost}"));
        }
        if strained > 0 {
            notes.push(format!("fits for stability not at rest or with more regularisation: {strained}"));
        }
        notes
    }
}
