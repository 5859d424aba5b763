//! What fits and draws of parameters take, without start-up and reading, as other tools' fits are timed.
//!
//! ```text
//! fit_times [--model bg-nbd] [--rounds N] [--threads N] [--draws N] [--at r,alpha,…] CUSTOMERS.parquet
//! ```
//! Each round goes from the customers' columns in memory to the verified optimum (finding equal histories included) and,
//! with `--draws`, to draws of the parameters. `--at` evaluates the log-likelihood of somebody else's parameters,
//! customer by customer. Prints one JSON object.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};
use tiercast::calendar::Unit;
use tiercast::clv::family::with_parameters;
use tiercast::clv::{
    BgNbdModel, Fit, LogLikelihood, ModelName, Parametric, ParetoNbdModel, Patterns, Posterior,
    PosteriorOptions, Prior, PurchaseFit,
};
use tiercast::customers::{Statistics, StatisticsFile};
use tiercast::parallel;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What was asked for.
struct Request {
    model: ModelName,
    rounds: usize,
    threads: usize,
    draws: Option<u32>,
    at: Option<Vec<f64>>,
    file: PathBuf,
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let answer = parallel::with_threads(request.threads, || measure(&request))??;
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let (mut model, mut rounds, mut threads, mut draws, mut at, mut file) =
        (ModelName::BgNbd, 3, 0, None, None, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--model" => model = value()?.parse()?,
            "--rounds" => rounds = value()?.parse::<usize>()?.max(1),
            "--threads" => threads = value()?.parse()?,
            "--draws" => draws = Some(value()?.parse()?),
            "--at" => at = Some(value()?.split(',').map(str::parse).collect::<Result<_, _>>()?),
            option if option.starts_with('-') => return Err(format!("no option {option}").into()),
            name => file = Some(PathBuf::from(name)),
        }
    }
    Ok(Request { model, rounds, threads, draws, at, file: file.ok_or("give a table of customers")? })
}

fn measure(request: &Request) -> Fallible<Value> {
    let file = StatisticsFile::open(&request.file, None)?;
    let statistics = file.statistics(0..file.stretches())?;
    if let Some(at) = &request.at {
        return log_likelihood(request.model, at, file.unit(), &statistics);
    }
    let (mut of_fit, mut of_draws) = (Vec::new(), Vec::new());
    let (mut report, mut posterior) = (Value::Null, Value::Null);
    let unit = file.unit();
    for _ in 0..request.rounds {
        let began = Instant::now();
        let patterns = patterns(&statistics)?;
        let fit = PurchaseFit::new(request.model, &patterns, unit, &())?;
        of_fit.push(began.elapsed().as_secs_f64());
        report = serde_json::to_value(fit.report())?;
        if let Some(draws) = request.draws {
            let options = PosteriorOptions { prior: Prior::default(), draws, seed: 1 };
            posterior = match &fit {
                PurchaseFit::BgNbd(fit) => drawn(fit, &BgNbdModel.likelihood(&patterns, unit), &options)?,
                PurchaseFit::ParetoNbd(fit) => {
                    drawn(fit, &ParetoNbdModel.likelihood(&patterns, unit), &options)?
                }
                other => return Err(format!("draws of {} are not timed here", other.name()).into()),
            };
            of_draws.push(began.elapsed().as_secs_f64());
        }
    }
    Ok(json!({
        "customers": statistics.frequency.len(),
        "fit_seconds": of_fit,
        "fit_and_draws_seconds": of_draws,
        "fit": report,
        "posterior": posterior,
    }))
}

fn drawn<P: Parametric>(
    fit: &Fit<P>,
    likelihood: &impl LogLikelihood,
    options: &PosteriorOptions,
) -> Fallible<Value> {
    let posterior: Option<Posterior<P>> = fit.posterior(likelihood, options, &())?;
    Ok(posterior.map(|posterior| serde_json::to_value(&posterior.report)).transpose()?.unwrap_or_default())
}

fn patterns(statistics: &Statistics) -> tiercast::Result<Patterns> {
    let whole = |days: &[f64]| days.iter().map(|&days| days as u32).collect::<Vec<_>>();
    let Statistics { frequency, recency_days, t_days, .. } = statistics;
    match statistics.are_whole_days() {
        true => Patterns::from_days(frequency, &whole(recency_days), &whole(t_days)),
        false => Patterns::from_times(frequency, recency_days, t_days),
    }
}

fn log_likelihood(model: ModelName, at: &[f64], unit: Unit, customers: &Statistics) -> Fallible<Value> {
    let params = with_parameters(model, at, unit).ok_or("these are no parameters of the model")?;
    let of_customer = |i: usize| {
        let days = [customers.recency_days[i], customers.t_days[i]].map(|days| days / unit.days());
        params.log_likelihood(customers.frequency[i], days[0], days[1])
    };
    let sum: f64 = parallel::collect(customers.frequency.len(), of_customer).iter().sum();
    Ok(json!({ "log_likelihood": sum }))
}
