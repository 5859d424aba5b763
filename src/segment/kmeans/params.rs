//! What a search for clusters may be told, unchecked and checked, as linfa's own algorithms have it.

use linfa::ParamGuard;
use ndarray::Array2;

use crate::error::{Error, Result};

/// The most clusters a search can be asked for.
pub const MOST_CLUSTERS: usize = u16::MAX as usize;

/// Where searches begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// Greedy k-means++.
    PlusPlus,
    /// These centres, one per row. There is one start then, on all points.
    Precomputed(Array2<f64>),
}

/// Parameters of [`KMeans`](super::KMeans) that have been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansValidParams {
    pub(super) clusters: usize,
    pub(super) seed: u64,
    pub(super) starts: u32,
    pub(super) max_iterations: u32,
    pub(super) tolerance: f64,
    pub(super) sample: Option<usize>,
    pub(super) init: Init,
}

impl KMeansValidParams {
    /// Clusters wanted.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// The seed of all starts.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Starts, of which the one with the least inertia is kept.
    pub fn starts(&self) -> u32 {
        self.starts
    }

    /// The tolerance of the centres' shifts.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }
}

/// Parameters of [`KMeans`](super::KMeans). `fit` checks them; `check` does it alone.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansParams(KMeansValidParams);

impl KMeansParams {
    /// The defaults: 4 starts on a sample of 65,536 rows, the best one continued on all; 300 iterations; tolerance 1e-4.
    pub fn new(clusters: usize) -> KMeansParams {
        KMeansParams(KMeansValidParams {
            clusters,
            seed: 1,
            starts: 4,
            max_iterations: 300,
            tolerance: 1e-4,
            sample: Some(1 << 16),
            init: Init::PlusPlus,
        })
    }

    /// The seed: each start has random numbers of its own.
    pub fn seed(mut self, seed: u64) -> KMeansParams {
        self.0.seed = seed;
        self
    }

    /// Starts, of which the one with the least inertia is kept.
    pub fn starts(mut self, starts: u32) -> KMeansParams {
        self.0.starts = starts;
        self
    }

    /// Iterations after which a start is given up as not converged.
    pub fn max_iterations(mut self, iterations: u32) -> KMeansParams {
        self.0.max_iterations = iterations;
        self
    }

    /// Centres rest when the sum of their squared shifts is no more than this times the mean variance of the features
    /// (scikit-learn's rule), or when no point changes its cluster; 0 leaves only the latter.
    pub fn tolerance(mut self, tolerance: f64) -> KMeansParams {
        self.0.tolerance = tolerance;
        self
    }

    /// Starts are searched on a sample of so many rows (at least 512 per cluster), and the best one is continued on all
    /// rows; with `None` each start is searched on all rows. Where there are less than twice as many rows, all of them
    /// are used in any case.
    pub fn sample(mut self, rows: Option<usize>) -> KMeansParams {
        self.0.sample = rows;
        self
    }

    /// Where searches begin.
    pub fn init(mut self, init: Init) -> KMeansParams {
        self.0.init = init;
        self
    }
}

impl ParamGuard for KMeansParams {
    type Checked = KMeansValidParams;
    type Error = Error;

    fn check_ref(&self) -> Result<&KMeansValidParams> {
        let params = &self.0;
        if !(1..=MOST_CLUSTERS).contains(&params.clusters) {
            return Err(Error::value(
                "the number of clusters",
                params.clusters,
                "it is out of range",
                format!("give a number from 1 to {MOST_CLUSTERS}"),
            ));
        }
        for (what, number) in
            [("the number of starts", params.starts), ("the number of iterations", params.max_iterations)]
        {
            if number == 0 {
                return Err(Error::value(what, 0, "nothing would be fitted", "give a number from 1 on"));
            }
        }
        if !(params.tolerance.is_finite() && params.tolerance >= 0.0) {
            return Err(Error::value(
                "the tolerance of the clusters' centres",
                params.tolerance,
                "it is no number from 0 on",
                "give a small number such as 1e-4",
            ));
        }
        if params.sample == Some(0) {
            return Err(Error::value(
                "the sample for starts",
                0,
                "there would be nothing to start from",
                "give a number of rows, or none to use all",
            ));
        }
        if let Init::Precomputed(centres) = &params.init {
            if centres.nrows() != params.clusters || centres.ncols() == 0 {
                return Err(Error::value(
                    "the number of given centres",
                    centres.nrows(),
                    format!("{} clusters were asked for", params.clusters),
                    "give one row per cluster",
                ));
            }
            if let Some(bad) = centres.iter().find(|x| !x.is_finite()) {
                return Err(Error::value(
                    "a given centre",
                    bad,
                    "it is no finite number",
                    "give finite centres",
                ));
            }
        }
        Ok(params)
    }

    fn check(self) -> Result<KMeansValidParams> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// What linfa's traits need to report shapes that do not fit.
impl From<linfa::Error> for Error {
    fn from(error: linfa::Error) -> Error {
        Error::internal("clustering", error)
    }
}
