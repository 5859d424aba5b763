//! Errors of many fits in standard errors, by parameter, and their table.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clv::Verdict;

/// A parameter over many fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub parameter: String,
    /// Pairs of this parameter and a fit with a standard error.
    pub pairs: u64,
    /// Those of them within three standard errors of the truth.
    pub within: u64,
    /// The mean of z = (estimate − truth)/standard error: about 0 where the estimate is unbiased.
    pub mean: f64,
    /// The standard deviation of z: about 1 where the standard errors are right.
    pub deviation: f64,
}

/// What became of many fits to worlds whose truth is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Study {
    /// What was fitted.
    pub title: String,
    /// Worlds.
    pub worlds: u64,
    /// Customers of all worlds.
    pub customers: u64,
    /// By parameter.
    pub rows: Vec<Row>,
    /// All parameters together.
    pub all: Row,
    /// Fits by verdict. Only verified optima have pairs.
    pub verdicts: BTreeMap<String, u64>,
}

/// z by parameter, as they come.
#[derive(Debug, Default)]
pub(super) struct Tally {
    names: Vec<String>,
    z: Vec<Vec<f64>>,
    verdicts: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a fit's verdict; whether it is a verified optimum, whose parameters then count.
    pub fn verdict(&mut self, verdict: &Verdict) -> bool {
        let name = match verdict {
            Verdict::VerifiedOptimum => "verified optimum",
            Verdict::Boundary { name, .. } => name,
            Verdict::Failed { .. } => "failed",
        };
        *self.verdicts.entry(name.to_string()).or_default() += 1;
        *verdict == Verdict::VerifiedOptimum
    }

    /// Adds an estimate's distance from the truth, in standard errors.
    pub fn add(&mut self, name: &str, z: f64) {
        let place = self.names.iter().position(|other| other == name).unwrap_or_else(|| {
            self.names.push(name.to_string());
            self.z.push(Vec::new());
            self.names.len() - 1
        });
        self.z[place].push(z);
    }

    /// The study, with parameters in the order in which they first came.
    pub fn study(self, title: String, worlds: u64, customers: u64) -> Study {
        let all: Vec<f64> = self.z.iter().flatten().copied().collect();
        Study {
            title,
            worlds,
            customers,
            rows: self.names.iter().zip(&self.z).map(|(name, z)| Row::new(name, z)).collect(),
            all: Row::new("all", &all),
            verdicts: self.verdicts,
        }
    }
}

impl Row {
    fn new(parameter: &str, z: &[f64]) -> Row {
        let n = z.len() as f64;
        let mean = z.iter().sum::<f64>() / n;
        let squares: f64 = z.iter().map(|z| (z - mean) * (z - mean)).sum();
        Row {
            parameter: parameter.to_string(),
            pairs: z.len() as u64,
            within: z.iter().filter(|z| z.abs() <= 3.0).count() as u64,
            mean,
            deviation: (squares / (n - 1.0)).sqrt(),
        }
    }

    /// The share of pairs within three standard errors.
    pub fn share(&self) -> f64 {
        self.within as f64 / self.pairs as f64
    }
}

impl Study {
    /// The study as Markdown.
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "## {}\n\n{} worlds, {} customers.\n\n| parameter | pairs | within 3 s.e. | mean of z | sd of z |\n\
             |---|---:|---:|---:|---:|\n",
            self.title, self.worlds, self.customers
        );
        for row in self.rows.iter().chain([&self.all]) {
            out += &format!(
                "| {} | {} | {:.2} % | {:+.3} | {:.3} |\n",
                row.parameter,
                row.pairs,
                100.0 * row.share(),
                row.mean,
                row.deviation
            );
        }
        let verdicts: Vec<String> =
            self.verdicts.iter().map(|(verdict, fits)| format!("{verdict}: {fits}")).collect();
        out + &format!("\nFits by verdict: {}.\n", verdicts.join("; "))
    }
}
