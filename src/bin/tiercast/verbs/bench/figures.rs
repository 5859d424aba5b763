//! The figures of a bench: medians, rates, speed-up by threads and growth by size, as JSON and as tables.

use serde::Serialize;
use tiercast::report::format::{NONE, count, number, plural, significant};
use tiercast::report::scaling::{growth_exponent, median, speed_up};

use crate::bars::Stage;
use crate::render::Grid;

/// What a process does outside its stages: starting, opening files, ending.
const REST: &str = "rest";

/// What the whole process is called beside its stages.
const WHOLE: &str = "whole process";

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    schema: u32,
    tiercast: &'static str,
    machine: Machine,
    /// What each process ran.
    verb: &'static str,
    options: Vec<String>,
    rounds: u32,
    histories: Vec<HistoryFigures>,
    /// Exponents of time by rows; empty with one size.
    growth: Vec<Growth>,
}

#[derive(Debug, Serialize)]
struct Machine {
    system: &'static str,
    architecture: &'static str,
    cores: usize,
}

/// One history at every number of threads.
#[derive(Debug, Serialize)]
pub struct HistoryFigures {
    pub name: String,
    pub customers: u64,
    pub rows: u64,
    /// Size of its files.
    pub bytes: u64,
    pub runs: Vec<ThreadsFigures>,
}

/// One number of threads; figures are medians over the rounds.
#[derive(Debug, Serialize)]
pub struct ThreadsFigures {
    threads: usize,
    seconds: f64,
    rows_per_second: f64,
    bytes_per_second: f64,
    peak_memory_bytes: Option<f64>,
    /// Against the fewest threads, round by round.
    speed_up: Option<f64>,
    stages: Vec<StageFigures>,
    rounds: Vec<Round>,
}

#[derive(Debug, Serialize)]
struct StageFigures {
    name: String,
    seconds: f64,
    speed_up: Option<f64>,
}

/// One measured process.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// From its start to its end, seen from outside.
    pub seconds: f64,
    pub peak_memory_bytes: Option<u64>,
    pub stages: Vec<Stage>,
}

#[derive(Debug, Serialize)]
struct Growth {
    stage: String,
    threads: usize,
    exponent: f64,
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Round {
    /// The seconds of a stage: one may be entered several times.
    fn stage(&self, name: &str) -> f64 {
        if name == REST {
            let stages: f64 = self.stages.iter().map(|stage| stage.seconds).sum();
            return (self.seconds - stages).max(0.0);
        }
        // Not `sum`, whose empty sum is −0.
        self.stages.iter().filter(|stage| stage.name == name).fold(0.0, |sum, stage| sum + stage.seconds)
    }
}

impl ThreadsFigures {
    /// Figures of `rounds` with `threads`; `base` are the rounds with the fewest threads.
    pub fn new(threads: usize, rounds: &[Round], base: &[Round], rows: u64, bytes: u64) -> ThreadsFigures {
        let middle = |of: &dyn Fn(&Round) -> f64| {
            median(&rounds.iter().map(of).collect::<Vec<_>>()).expect("there is at least one round")
        };
        let faster = |of: &dyn Fn(&Round) -> f64| {
            let pairs = base.iter().zip(rounds).filter_map(|(base, own)| speed_up(of(base), of(own)));
            median(&pairs.collect::<Vec<_>>())
        };
        let seconds = middle(&|round| round.seconds);
        let peaks: Option<Vec<f64>> =
            rounds.iter().map(|round| round.peak_memory_bytes.map(|bytes| bytes as f64)).collect();
        let stages = stage_names(rounds)
            .into_iter()
            .map(|name| StageFigures {
                seconds: middle(&|round| round.stage(&name)),
                speed_up: faster(&|round| round.stage(&name)),
                name,
            })
            .collect();
        ThreadsFigures {
            threads,
            seconds,
            rows_per_second: rows as f64 / seconds,
            bytes_per_second: bytes as f64 / seconds,
            peak_memory_bytes: peaks.and_then(|peaks| median(&peaks)),
            speed_up: faster(&|round| round.seconds),
            stages,
            rounds: rounds.to_vec(),
        }
    }

    fn stage(&self, name: &str) -> Option<&StageFigures> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    fn seconds_of(&self, name: &str) -> Option<f64> {
        if name == WHOLE { Some(self.seconds) } else { self.stage(name).map(|stage| stage.seconds) }
    }
}

/// Stages in the order in which they come, the rest last.
fn stage_names(rounds: &[Round]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for stage in rounds.iter().flat_map(|round| &round.stages) {
        if !names.contains(&stage.name) {
            names.push(stage.name.clone());
        }
    }
    names.push(REST.to_string());
    names
}

impl Figures {
    /// Adds the growth by size to what was measured.
    pub fn new(rounds: u32, options: Vec<String>, histories: Vec<HistoryFigures>) -> Figures {
        let machine =
            Machine { system: std::env::consts::OS, architecture: std::env::consts::ARCH, cores: cores() };
        let mut figures = Figures {
            schema: 1,
            tiercast: env!("CARGO_PKG_VERSION"),
            machine,
            verb: "summarize",
            options,
            rounds,
            histories,
            growth: Vec::new(),
        };
        for stage in std::iter::once(WHOLE.to_string()).chain(figures.stages()) {
            for (i, threads) in figures.threads().into_iter().enumerate() {
                let points: Vec<(f64, f64)> = figures
                    .histories
                    .iter()
                    .filter_map(|h| Some((h.rows as f64, h.runs[i].seconds_of(&stage)?)))
                    .collect();
                if let Some(exponent) = growth_exponent(&points) {
                    figures.growth.push(Growth { stage: stage.clone(), threads, exponent });
                }
            }
        }
        figures
    }

    fn threads(&self) -> Vec<usize> {
        self.histories.first().map_or(Vec::new(), |h| h.runs.iter().map(|run| run.threads).collect())
    }

    fn stages(&self) -> Vec<String> {
        let rounds = self.histories.iter().flat_map(|h| &h.runs).flat_map(|run| &run.rounds);
        stage_names(&rounds.cloned().collect::<Vec<_>>())
    }

    /// The figures as text.
    pub fn tables(&self) -> String {
        self.processes() + &self.by_stage() + &self.by_size()
    }

    fn processes(&self) -> String {
        let title = format!(
            "History → customer table, tiercast {} on {} {} with {}; medians of {}, files in the page cache",
            self.tiercast,
            self.machine.system,
            self.machine.architecture,
            plural(self.machine.cores as u64, "core", "cores"),
            plural(u64::from(self.rounds), "round", "rounds"),
        );
        let columns = ["history", ">rows", ">size", ">threads", ">seconds", ">rows/s", ">bytes/s"];
        let mut grid = Grid::new(title, &[&columns[..], &[">peak memory", ">speed-up"]].concat());
        for (history, run) in self.lines() {
            grid.row(vec![
                history.name.clone(),
                count(history.rows),
                bytes(history.bytes as f64),
                run.threads.to_string(),
                significant(run.seconds, 3),
                count(run.rows_per_second as u64),
                bytes(run.bytes_per_second),
                run.peak_memory_bytes.map_or(NONE.to_string(), bytes),
                times(run.speed_up),
            ]);
        }
        grid.text()
    }

    fn by_stage(&self) -> String {
        let stages = self.stages();
        let columns = ["history".to_string(), ">threads".to_string()];
        let columns: Vec<String> =
            columns.into_iter().chain(stages.iter().map(|s| format!(">{s}"))).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut grid = Grid::new("Seconds by stage, with the speed-up", &columns);
        for (history, run) in self.lines() {
            let cells = stages.iter().map(|name| {
                let stage = run.stage(name);
                stage.map_or(NONE.to_string(), |s| {
                    format!("{} ({})", significant(s.seconds, 3), times(s.speed_up))
                })
            });
            grid.row([history.name.clone(), run.threads.to_string()].into_iter().chain(cells).collect());
        }
        grid.text()
    }

    /// Nothing with one size.
    fn by_size(&self) -> String {
        if self.growth.is_empty() {
            return String::new();
        }
        let threads = self.threads();
        let columns: Vec<String> =
            threads.iter().map(|&n| format!(">{}", plural(n as u64, "thread", "threads"))).collect();
        let columns: Vec<&str> = std::iter::once("stage").chain(columns.iter().map(String::as_str)).collect();
        let mut grid = Grid::new("Growth: time ∝ rows^exponent, 1 is linear", &columns);
        for stage in std::iter::once(WHOLE.to_string()).chain(self.stages()) {
            let cells = threads.iter().map(|&n| {
                let growth = self.growth.iter().find(|g| g.stage == stage && g.threads == n);
                growth.map_or(NONE.to_string(), |g| number(g.exponent, 2))
            });
            let cells: Vec<String> = std::iter::once(stage.clone()).chain(cells).collect();
            grid.row(cells);
        }
        grid.text()
    }

    fn lines(&self) -> impl Iterator<Item = (&HistoryFigures, &ThreadsFigures)> {
        self.histories.iter().flat_map(|history| history.runs.iter().map(move |run| (history, run)))
    }
}

fn times(speed_up: Option<f64>) -> String {
    speed_up.map_or(NONE.to_string(), |x| format!("×{}", number(x, 2)))
}

/// Bytes in powers of a thousand.
fn bytes(bytes: f64) -> String {
    let (scale, unit) = if bytes >= 1e9 { (1e9, "GB") } else { (1e6, "MB") };
    format!("{}\u{a0}{unit}", significant(bytes / scale, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(seconds: f64, reading: f64) -> Round {
        let stages = vec![Stage { name: "reading".into(), seconds: reading }];
        Round { seconds, peak_memory_bytes: Some(1_000_000), stages }
    }

    #[test]
    fn figures_are_medians_and_ratios_within_rounds() {
        let base = [round(2.0, 1.0), round(4.0, 3.0), round(8.0, 6.0)];
        let own = [round(1.0, 1.0), round(1.0, 1.0), round(4.0, 3.0)];
        let figures = ThreadsFigures::new(2, &own, &base, 100, 1000);
        assert_eq!((figures.seconds, figures.rows_per_second, figures.speed_up), (1.0, 100.0, Some(2.0)));
        assert_eq!(figures.peak_memory_bytes, Some(1e6));
        assert_eq!(figures.stage("reading").unwrap().speed_up, Some(2.0));
        assert_eq!(figures.stage(REST).unwrap().seconds, 0.0);
    }

    #[test]
    fn growth_is_that_of_the_rows() {
        let history = |rows: u64| {
            let seconds = rows as f64 * 1e-3;
            let rounds = [round(seconds, seconds / 2.0)];
            let runs = vec![ThreadsFigures::new(1, &rounds, &rounds, rows, 10 * rows)];
            HistoryFigures { name: format!("{rows} rows"), customers: 1, rows, bytes: 10 * rows, runs }
        };
        let figures = Figures::new(1, Vec::new(), vec![history(100), history(10_000)]);
        assert_eq!(figures.growth.len(), 3);
        assert!(figures.growth.iter().all(|g| (g.exponent - 1.0).abs() < 1e-9));
        let one = Figures::new(1, Vec::new(), vec![history(100)]);
        assert!(one.growth.is_empty() && !one.tables().contains("Growth"));
    }
}
