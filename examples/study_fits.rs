//! A study of fits: a thousand data sets across the models, ordinary and degenerate, and what the fit of each ends in;
//! beside lifetimes 0.11.3 where it has the model.
//!
//! ```text
//! study_fits --datasets 1000 --seed 1 --out DIR            # DIR/customers.csv and DIR/fits.csv
//! python examples/study_fits_lifetimes.py DIR              # DIR/lifetimes.csv
//! study_fits --datasets 1000 --seed 1 --out DIR --report   # the table, on standard output
//! ```
//! Both are judged by one function, the model's exact log-likelihood, customer by customer, at the parameters that each
//! found. The table is `docs/studies/fits.md`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tiercast::clv::{FitReport, Verdict};
use tiercast::recovery::fits::{Data, Model, World, label, world};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Log-likelihoods that differ by less than this share are the same, and so are those within this of 0 per customer, where
/// the data are certain and parameters go to a limit.
const SAME: f64 = 1e-6;

struct Request {
    datasets: u32,
    seed: u64,
    out: PathBuf,
    report: bool,
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let mut all = Vec::new();
    for number in 0..request.datasets {
        let world = world(request.seed, number, request.datasets);
        let begun = Instant::now();
        let report = world.fit().map_err(|error| format!("data set {number}: {error}"))?;
        all.push((world, report, begun.elapsed().as_secs_f64()));
    }
    if request.report {
        return report(&request, &all);
    }
    fs::create_dir_all(&request.out)?;
    customers(&all, &request.out.join("customers.csv"))?;
    fits(&all, &request.out.join("fits.csv"))
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let mut request = Request { datasets: 1000, seed: 1, out: PathBuf::new(), report: false };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--datasets" => request.datasets = value()?.parse()?,
            "--seed" => request.seed = value()?.parse()?,
            "--out" => request.out = value()?.into(),
            "--report" => request.report = true,
            option => return Err(format!("no option {option}").into()),
        }
    }
    if request.out.as_os_str().is_empty() {
        return Err("give --out DIR".into());
    }
    Ok(request)
}

type Fitted = (World, FitReport, f64);

/// The data of the models that lifetimes has; times in weeks.
fn customers(all: &[Fitted], path: &Path) -> Fallible<()> {
    let mut out = csv::Writer::from_path(path)?;
    out.write_record(["dataset", "model", "frequency", "recency", "t", "monetary_value"])?;
    for (world, ..) in all {
        let mut row = |x: u32, t_x: f64, t: f64, mean: f64| {
            let names = [world.number.to_string(), world.model.title().to_string(), x.to_string()];
            out.write_record(names.into_iter().chain([t_x, t, mean].map(|v| v.to_string())))
        };
        match (&world.data, world.model) {
            (_, Model::Nbd | Model::BetaBinomial) | (Data::Contracts(_), _) => {}
            (Data::Purchases { frequency, recency, t }, _) => {
                for i in 0..t.len() {
                    row(frequency[i], recency[i] / 7.0, t[i] / 7.0, 0.0)?;
                }
            }
            (Data::Spend { frequency, mean }, _) => {
                for i in 0..mean.len() {
                    row(frequency[i], 0.0, 0.0, mean[i])?;
                }
            }
            (Data::Opportunities { x, t_x, n }, _) => {
                for i in 0..n.len() {
                    row(x[i], t_x[i].into(), n[i].into(), 0.0)?;
                }
            }
        }
    }
    Ok(out.flush()?)
}

fn fits(all: &[Fitted], path: &Path) -> Fallible<()> {
    let mut out = csv::Writer::from_path(path)?;
    out.write_record([
        "dataset",
        "model",
        "kind",
        "customers",
        "verdict",
        "log_likelihood",
        "log_likelihood_of_truth",
        "seconds",
        "parameters",
    ])?;
    for (world, report, seconds) in all {
        let truth = world.truth.as_ref().map(|truth| world.log_likelihood(truth)).transpose()?.flatten();
        let show = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let parameters: Vec<String> =
            report.parameters.iter().map(|p| format!("{}={}", p.name, p.estimate)).collect();
        out.write_record([
            world.number.to_string(),
            world.model.title().to_string(),
            world.kind.to_string(),
            world.customers.to_string(),
            label(&report.verdict),
            show(report.log_likelihood),
            show(truth),
            format!("{seconds:.4}"),
            parameters.join(" "),
        ])?;
    }
    Ok(out.flush()?)
}

/// What lifetimes made of a data set.
struct Peer {
    status: String,
    seconds: f64,
    parameters: Vec<f64>,
}

fn peers(path: &Path) -> Fallible<BTreeMap<u32, Peer>> {
    let mut out = BTreeMap::new();
    for row in csv::Reader::from_path(path)?.records() {
        let row = row?;
        let cell = |i: usize| row.get(i).ok_or_else(|| format!("{}: a cell is missing", path.display()));
        let parameters = cell(3)?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let peer = Peer { status: cell(1)?.to_string(), seconds: cell(2)?.parse()?, parameters };
        out.insert(cell(0)?.parse()?, peer);
    }
    Ok(out)
}

/// Counts of a model's data sets, or of one kind of them.
#[derive(Default)]
struct Tally {
    datasets: u32,
    verdicts: BTreeMap<String, u32>,
    below_truth: u32,
    seconds: Vec<f64>,
    fitted: u32,
    exceptions: u32,
    over_time: u32,
    peer_seconds: Vec<f64>,
    /// Data sets where both have parameters, lifetimes' lower, and ours lower.
    compared: u32,
    peer_lower: u32,
    ours_lower: u32,
    /// By how much lifetimes is lower at most, as a share.
    most: f64,
}

impl Tally {
    fn add(&mut self, fitted: &Fitted, peer: Option<&Peer>) -> Fallible<Option<String>> {
        let (world, report, seconds) = fitted;
        self.datasets += 1;
        *self.verdicts.entry(label(&report.verdict)).or_default() += 1;
        self.seconds.push(*seconds);
        let mut lower = None;
        if let (Some(truth), Some(found)) = (&world.truth, report.log_likelihood)
            && let Some(of_truth) = world.log_likelihood(truth)?
            && found < of_truth - SAME * of_truth.abs()
        {
            self.below_truth += 1;
            lower = Some(format!("below the truth: {found} < {of_truth}"));
        }
        let Some(peer) = peer else { return Ok(lower) };
        self.peer_seconds.push(peer.seconds);
        match peer.status.as_str() {
            "fitted" => self.fitted += 1,
            "over time" => self.over_time += 1,
            _ => self.exceptions += 1,
        }
        let judged = if peer.status == "fitted" { world.log_likelihood(&peer.parameters)? } else { None };
        if let (Some(found), Some(peers)) = (report.log_likelihood, judged.filter(|ll| ll.is_finite())) {
            self.compared += 1;
            let larger = found.abs().max(peers.abs());
            let share = if larger < SAME * world.customers as f64 { 0.0 } else { (found - peers) / larger };
            if share > SAME {
                self.peer_lower += 1;
                self.most = self.most.max(share);
            } else if share < -SAME || share.is_nan() {
                self.ours_lower += 1;
                lower = Some(format!("below lifetimes: {found} < {peers} at {:?}", peer.parameters));
            }
        }
        Ok(lower)
    }

    fn failed(&self) -> u32 {
        self.verdicts.iter().filter(|(name, _)| name.starts_with("failed")).map(|(_, count)| count).sum()
    }

    fn row(&self, names: &str, compares: bool) -> String {
        let optimum = label(&Verdict::VerifiedOptimum);
        let named: Vec<String> = (self.verdicts.iter())
            .filter(|(name, _)| **name != optimum)
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        let verified = self.verdicts.get(&optimum).copied().unwrap_or(0);
        let named = if named.is_empty() { "–".to_string() } else { named.join("; ") };
        let own = format!("{names} | {} | {verified} | {named} | {}", self.datasets, self.below_truth);
        if !compares {
            return format!("| {own} | – | – | – | – | – | – |\n");
        }
        let most = match self.most {
            0.0 => "–".to_string(),
            most => format!("{most:.0e}"),
        };
        format!(
            "| {own} | {} | {} | {} | {} of {} | {most} | {} |\n",
            self.fitted, self.exceptions, self.over_time, self.peer_lower, self.compared, self.ours_lower
        )
    }
}

const HEADS: &str = "data sets | verified optimum | diagnosis by name | below the truth | lifetimes fitted | exception | \
                     over 60 s | its likelihood lower | at most by | ours lower |\n";

fn report(request: &Request, all: &[Fitted]) -> Fallible<()> {
    let peers = peers(&request.out.join("lifetimes.csv"))?;
    let versions = fs::read_to_string(request.out.join("versions.txt"))?;
    let mut by_kind: BTreeMap<(Model, &str), Tally> = BTreeMap::new();
    let mut by_model: BTreeMap<Model, Tally> = BTreeMap::new();
    let mut order: Vec<(Model, &str)> = Vec::new();
    let mut lower = Vec::new();
    for fitted in all {
        let world = &fitted.0;
        let (peer, key) = (peers.get(&world.number), (world.model, world.kind));
        if !order.contains(&key) {
            order.push(key);
        }
        by_kind.entry(key).or_default().add(fitted, peer)?;
        if let Some(what) = by_model.entry(world.model).or_default().add(fitted, peer)? {
            let about = format!("data set {}, {}, {}", world.number, world.model.title(), world.kind);
            lower.push(format!("{about}, {} customers: {what}", world.customers));
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} data sets, seed {}, tiercast {}; {}.\n",
        request.datasets,
        request.seed,
        env!("CARGO_PKG_VERSION"),
        versions.trim()
    )?;
    let compares = |tally: &Tally| !tally.peer_seconds.is_empty();
    write!(out, "## By model\n\n| model | {HEADS}|---|{}\n", "---|".repeat(10))?;
    for (model, tally) in &by_model {
        write!(out, "{}", tally.row(model.title(), compares(tally)))?;
    }
    let failed: u32 = by_model.values().map(Tally::failed).sum();
    writeln!(
        out,
        "\nFits without a diagnosis: {failed}. Likelihoods lower than they should be: {}.\n",
        lower.len()
    )?;
    for line in &lower {
        writeln!(out, "- {line}")?;
    }
    write!(out, "## Seconds for a fit\n\n| model | median | longest | lifetimes: median | longest |\n")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for (model, tally) in &by_model {
        let show = |seconds: &[f64]| {
            let mut sorted = seconds.to_vec();
            sorted.sort_by(f64::total_cmp);
            match sorted.last() {
                Some(last) => format!("{:.4} | {last:.3}", sorted[sorted.len() / 2]),
                None => "– | –".to_string(),
            }
        };
        writeln!(out, "| {} | {} | {} |", model.title(), show(&tally.seconds), show(&tally.peer_seconds))?;
    }
    write!(
        out,
        "\n## By model and kind of data\n\n| model | kind | {HEADS}|---|---|{}\n",
        "---|".repeat(10)
    )?;
    for (model, kind) in order {
        if let Some(tally) = by_kind.get(&(model, kind)) {
            write!(out, "{}", tally.row(&format!("{} | {kind}", model.title()), compares(tally)))?;
        }
    }
    Ok(())
}
