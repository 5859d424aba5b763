//! A study of P(tier) and of regret: over worlds whose truth is known, with fitted models.
//!
//! ```text
//! study_tiers --worlds 200 --customers 3000 --draws 200 --seed 1 --out tiers.md
//! ```
//! `--first-alike` makes first orders like later ones, which the model of spend does not see.
//! Writes Markdown, and says on standard error how far it is. The tables are in `docs/studies/tiers.md`.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use tiercast::calendar::{Day, Unit};
use tiercast::clv::own_value::{Histories, Models, OwnValues};
use tiercast::clv::{
    BgNbdModel, Fit, GammaGamma, GammaGammaModel, LogLikelihood, MbgNbdModel, ModelName, Parametric,
    ParetoNbdModel, Patterns, PosteriorOptions, Prior, PurchaseModel, Scorer, ValueOptions,
};
use tiercast::customers::OrderDays;
use tiercast::parallel;
use tiercast::recovery::own_truth::{FirstOrder, KnownCustomers, WorldParameters};
use tiercast::tier::columns::Loaded;
use tiercast::tier::judge::{Division, Ranked, SurenessOptions, sureness};
use tiercast::tier::rules::{Kind, Measure};
use tiercast::tier::{Columns, Graded, SchemeFile, builtin};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const SCHEMES: [&str; 4] = ["clv", "vip", "value", "potential"];

struct Request {
    worlds: u32,
    customers: u32,
    draws: u32,
    seed: u64,
    first: FirstOrder,
    out: PathBuf,
}

/// What a world says of one scheme.
struct OfScheme {
    /// By tenth of P(tier): P expected, its variance, and how many belonged there.
    bins: [(f64, f64, f64); 10],
    /// Whether the true regret of the best tier, and the true accuracy ratio, lay in their 90 % intervals.
    regret_is_in: bool,
    accuracy_is_in: bool,
    /// The true regret of the best tier and the one expected.
    regret: (f64, f64),
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let schemes: Vec<SchemeFile> =
        SCHEMES.iter().map(|key| builtin::scheme_file(key)).collect::<Result<_, _>>()?;
    let mut found: Vec<Vec<OfScheme>> = Vec::new();
    let mut unusable = 0;
    for number in 0..request.worlds {
        match world(&request, number, &schemes)? {
            Some(of_world) => found.push(of_world),
            None => unusable += 1,
        }
        if number % 10 == 9 {
            writeln!(std::io::stderr(), "{} of {} worlds", number + 1, request.worlds)?;
        }
    }
    save(&request, &found, unusable)
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let mut request = Request {
        worlds: 200,
        customers: 3000,
        draws: 200,
        seed: 1,
        first: FirstOrder::Apart,
        out: PathBuf::new(),
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--worlds" => request.worlds = value()?.parse()?,
            "--customers" => request.customers = value()?.parse()?,
            "--draws" => request.draws = value()?.parse()?,
            "--seed" => request.seed = value()?.parse()?,
            "--first-alike" => request.first = FirstOrder::Alike,
            "--out" => request.out = value()?.into(),
            option => return Err(format!("no option {option}").into()),
        }
    }
    if request.out.as_os_str().is_empty() {
        return Err("give --out FILE.md".into());
    }
    Ok(request)
}

fn value() -> Fallible<ValueOptions> {
    Ok(ValueOptions { horizon: "12mo".parse()?, discount: "10%/yr".parse()?, margin: 1.0 })
}

/// The fitted models at draws of their parameters, and at their estimates.
struct Fitted {
    estimate: Box<dyn PurchaseModel>,
    spend: GammaGamma,
    purchases: Vec<Box<dyn PurchaseModel>>,
    spends: Vec<GammaGamma>,
}

fn drawn<P: Parametric + PurchaseModel + 'static>(
    fit: &Fit<P>,
    likelihood: &impl LogLikelihood,
    known: &KnownCustomers,
    options: &PosteriorOptions,
) -> Fallible<Option<Fitted>> {
    let statistics = &known.statistics;
    let spend = GammaGammaModel.fit(&statistics.frequency, &statistics.monetary_value, &())?;
    let of_spend = GammaGammaModel.likelihood(&statistics.frequency, &statistics.monetary_value)?;
    let (Some(purchases), Some(spends)) =
        (fit.posterior(likelihood, options, &())?, spend.posterior(&of_spend, options, &())?)
    else {
        return Ok(None);
    };
    let (Some(estimate), Some(amounts)) = (fit.params.clone(), spend.params) else { return Ok(None) };
    Ok(Some(Fitted {
        estimate: Box::new(estimate),
        spend: amounts,
        purchases: purchases.draws.into_iter().map(|draw| Box::new(draw) as Box<dyn PurchaseModel>).collect(),
        spends: spends.draws,
    }))
}

fn fitted(
    model: ModelName,
    patterns: &Patterns,
    known: &KnownCustomers,
    options: &PosteriorOptions,
) -> Fallible<Option<Fitted>> {
    let unit = Unit::Week;
    match model {
        ModelName::BgNbd => drawn(
            &BgNbdModel.fit(patterns, unit, &())?,
            &BgNbdModel.likelihood(patterns, unit),
            known,
            options,
        ),
        ModelName::MbgNbd => drawn(
            &MbgNbdModel.fit(patterns, unit, &())?,
            &MbgNbdModel.likelihood(patterns, unit),
            known,
            options,
        ),
        _ => drawn(
            &ParetoNbdModel.fit(patterns, unit, &())?,
            &ParetoNbdModel.likelihood(patterns, unit),
            known,
            options,
        ),
    }
}

fn world(request: &Request, number: u32, schemes: &[SchemeFile]) -> Fallible<Option<Vec<OfScheme>>> {
    let model = [ModelName::BgNbd, ModelName::MbgNbd, ModelName::ParetoNbd][number as usize % 3];
    let parameters = WorldParameters::drawn(model, request.seed, number);
    let known = KnownCustomers::drawn(
        &parameters,
        request.customers,
        &value()?,
        request.first,
        (request.seed, number),
    );
    let statistics = &known.statistics;
    let patterns = Patterns::from_times(&statistics.frequency, &statistics.recency_days, &statistics.t_days)?;
    let seed = request.seed.wrapping_add(u64::from(number));
    let options = PosteriorOptions { prior: Prior::default(), draws: request.draws, seed };
    let Some(fitted) = fitted(model, &patterns, &known, &options)? else { return Ok(None) };
    let scores =
        Scorer::new(fitted.estimate.as_ref(), Some(&fitted.spend), value()?).score(statistics, &())?;
    let mut columns = Columns::new(known.hash.len(), Day(0));
    for (name, values) in [("clv", &scores.clv), ("total_spend", &known.total_spend)] {
        columns.push(name, Kind::Number(Measure::Money), Loaded::Numbers(Cow::Borrowed(values)));
    }
    let mut graded = Vec::new();
    for scheme in schemes {
        graded.push(scheme.ready(&columns)?.grade_rows(&known.total_spend, |i| i.to_string())?);
    }
    let all: Vec<&Graded<'_>> = graded.iter().collect();
    let histories = Histories { statistics, patterns: &patterns, hash: &known.hash };
    let models: Vec<Models<'_>> = (fitted.purchases.iter().zip(&fitted.spends))
        .map(|(purchases, spend)| Models { purchases: purchases.as_ref(), spend: Some(spend) })
        .collect();
    // Bins by one run, means of another: the draws' own noise moves nobody into a bin.
    let run = |seed: u64| {
        let own = OwnValues::new(&value()?, Unit::Week, OrderDays::Repeat, seed);
        let options = SurenessOptions { draws: request.draws };
        Ok::<_, Box<dyn Error + Send + Sync>>(sureness(
            &all,
            histories,
            &own,
            &models,
            options,
            &|i| i.to_string(),
            &(),
        )?)
    };
    let (one, two) = (run(seed ^ 1 << 40)?, run(seed ^ 1 << 41)?);
    let ranked = Ranked::new(known.clv.clone());
    let truth = known.truth();
    let of_scheme = |k: usize| {
        let (graded, one, two) = (&graded[k], &one[k], &two[k]);
        let mut bins = [(0.0, 0.0, 0.0); 10];
        for (i, tier) in graded.scheme().tiers_with(0..known.hash.len(), &truth).into_iter().enumerate() {
            for other in 0..one.tiers {
                let p = two.probability(i, other);
                let bin = &mut bins[((one.probability(i, other) * 10.0) as usize).min(9)];
                bin.0 += p;
                bin.1 += p * (1.0 - p) * (1.0 + 1.0 / f64::from(request.draws));
                bin.2 += f64::from(u8::from(tier == Some(other as u8)));
            }
        }
        let division = Division::new(&graded.tiering.codes, one.tiers, &known.clv);
        let mut regrets: Vec<f64> = two.cuts.iter().map(|cuts| cuts[0].regret).collect();
        let mut accuracies: Vec<f64> = two.accuracy.iter().flatten().copied().collect();
        let regret = division.cuts(&ranked)[0].regret;
        OfScheme {
            bins,
            regret_is_in: within(&mut regrets, regret),
            accuracy_is_in: division.accuracy(&ranked).is_some_and(|own| within(&mut accuracies, own)),
            regret: (regret, regrets.iter().sum::<f64>() / regrets.len() as f64),
        }
    };
    Ok(Some((0..graded.len()).map(of_scheme).collect()))
}

/// Whether a figure lies within the middle 90 % of draws (places .05 and .95 of n + 1).
fn within(draws: &mut [f64], value: f64) -> bool {
    parallel::sort_by(draws, f64::total_cmp);
    let n = draws.len() as f64;
    let at = |p: f64| draws[((p * (n + 1.0) - 1.0).round() as usize).min(draws.len() - 1)];
    (at(0.05)..=at(0.95)).contains(&value)
}

fn save(request: &Request, found: &[Vec<OfScheme>], unusable: u32) -> Fallible<()> {
    let mut out = Vec::new();
    let Request { worlds, customers, draws, seed, first, .. } = request;
    writeln!(
        out,
        "{worlds} worlds of {customers} customers ({unusable} without usable fits), first orders {first:?}, {draws} draws, seed {seed}, tiercast {}.\n",
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "| P(tier) | {} |", SCHEMES.join(" | "))?;
    writeln!(out, "|---|{}", "---|".repeat(SCHEMES.len()))?;
    let mut beyond = 0;
    for bin in 0..10 {
        let mut line = format!("| {:.1} to {:.1} |", bin as f64 / 10.0, (bin + 1) as f64 / 10.0);
        for k in 0..SCHEMES.len() {
            let sum = |of: fn(&(f64, f64, f64)) -> f64| -> f64 {
                found.iter().map(|of_world| of(&of_world[k].bins[bin])).sum()
            };
            let (expected, variance, belonged) = (sum(|b| b.0), sum(|b| b.1), sum(|b| b.2));
            // Of schemes that are certain most tenths are empty.
            if variance == 0.0 {
                line += if expected == belonged { " exact |" } else { " wrong |" };
                continue;
            }
            let z = (belonged - expected) / variance.sqrt();
            beyond += u32::from(z.abs() > 3.0);
            line += &format!(" {belonged:.0} of {expected:.0} ({z:+.1}) |");
        }
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "\nCustomers × tiers in the tier by their true rates, of those expected there (standard errors apart); {beyond} beyond 3.\n"
    )?;
    writeln!(
        out,
        "| scheme | true regret of the best tier, mean | expected, mean | in its 90 % interval | accuracy ratio in its |"
    )?;
    writeln!(out, "|---|---|---|---|---|")?;
    for (k, scheme) in SCHEMES.iter().enumerate() {
        let n = found.len().max(1) as f64;
        let mean = |of: &dyn Fn(&OfScheme) -> f64| found.iter().map(|world| of(&world[k])).sum::<f64>() / n;
        writeln!(
            out,
            "| {scheme} | {:.1} | {:.1} | {:.1} % | {:.1} % |",
            mean(&|s| s.regret.0),
            mean(&|s| s.regret.1),
            100.0 * mean(&|s| f64::from(u8::from(s.regret_is_in))),
            100.0 * mean(&|s| f64::from(u8::from(s.accuracy_is_in))),
        )?;
    }
    Ok(std::fs::write(&request.out, out)?)
}
