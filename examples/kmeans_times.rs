//! What k-means takes and how good it is, from columns in memory, as other tools' fits are timed.
//!
//! ```text
//! kmeans_times --rows N --features D --clusters K [--seeds 10] [--starts 4] [--sample 65536|none] [--tolerance 1e-4]
//!              [--threads N] COLUMNS.f64
//! ```
//! The file holds one column of little-endian 64-bit numbers after the other. Each seed is one fit, from the columns to
//! centres and every row's cluster, checks of the input included. Prints one JSON object; `cpu_seconds` (user and system)
//! come in hundredths of a second, where the system tells them.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use linfa::ParamGuard;
use serde_json::json;
use tiercast::parallel;
use tiercast::segment::sample::by_number;
use tiercast::segment::{KMeans, Points};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What was asked for.
struct Request {
    rows: usize,
    features: usize,
    clusters: usize,
    seeds: u64,
    starts: u32,
    sample: Option<usize>,
    tolerance: f64,
    threads: usize,
    file: PathBuf,
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let answer = parallel::with_threads(request.threads, || measure(&request))??;
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let (mut rows, mut features, mut clusters, mut seeds, mut starts) = (None, None, 8, 10, 4);
    let (mut sample, mut tolerance, mut threads, mut file) = (Some(1 << 16), 1e-4, 0, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--rows" => rows = Some(value()?.parse()?),
            "--features" => features = Some(value()?.parse()?),
            "--clusters" => clusters = value()?.parse()?,
            "--seeds" => seeds = value()?.parse()?,
            "--starts" => starts = value()?.parse()?,
            "--sample" => sample = Some(value()?).filter(|v| v != "none").map(|v| v.parse()).transpose()?,
            "--tolerance" => tolerance = value()?.parse()?,
            "--threads" => threads = value()?.parse()?,
            option if option.starts_with('-') => return Err(format!("no option {option}").into()),
            name => file = Some(PathBuf::from(name)),
        }
    }
    Ok(Request {
        rows: rows.ok_or("give --rows")?,
        features: features.ok_or("give --features")?,
        clusters,
        seeds,
        starts,
        sample,
        tolerance,
        threads,
        file: file.ok_or("give a file of columns")?,
    })
}

fn measure(request: &Request) -> Fallible<serde_json::Value> {
    let columns = columns(request)?;
    let mut fits = Vec::new();
    for seed in 1..=request.seeds {
        let params = KMeans::params(request.clusters)
            .seed(seed)
            .starts(request.starts)
            .sample(request.sample)
            .tolerance(request.tolerance)
            .check()?;
        let (began, cpu) = (Instant::now(), cpu_seconds());
        let points = Points::new(columns.iter().map(Vec::as_slice).collect())?;
        let (model, _) = params.fit_points(&points, &by_number, &())?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu = cpu.zip(cpu_seconds()).map(|(before, after)| after - before);
        let report = model.report();
        fits.push(json!({
            "seed": seed, "seconds": seconds, "cpu_seconds": cpu, "inertia": report.inertia,
            "iterations": report.iterations, "converged": report.converged,
            "iterations_of_starts": report.starts.iter().map(|start| start.iterations).collect::<Vec<_>>(),
        }));
    }
    Ok(
        json!({ "rows": request.rows, "features": request.features, "clusters": request.clusters, "fits": fits }),
    )
}

fn columns(request: &Request) -> Fallible<Vec<Vec<f64>>> {
    let bytes = std::fs::read(&request.file)?;
    let (words, rest) = bytes.as_chunks::<8>();
    if words.len() != request.rows * request.features || !rest.is_empty() {
        let (found, wanted) = (bytes.len(), 8 * request.rows * request.features);
        return Err(format!("{} has {found} bytes instead of {wanted}", request.file.display()).into());
    }
    let column = |words: &[[u8; 8]]| words.iter().map(|word| f64::from_le_bytes(*word)).collect();
    Ok(words.chunks(request.rows).map(column).collect())
}

/// User and system time of this process so far, from Linux's /proc; none elsewhere.
fn cpu_seconds() -> Option<f64> {
    let line = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the command's name in brackets the fields are plain: user and system time are the 12th and 13th of them.
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}
