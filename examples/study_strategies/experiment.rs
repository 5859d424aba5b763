//! Experiments with known effects, from lots to verdicts: three tiers, two actions, six strategies that cost nothing.

use std::fmt::Write;

use tiercast::calendar::Unit;
use tiercast::clv::{GammaGamma, ModelName, ParetoNbd};
use tiercast::learn::{Covariate, HalfLift, Lift, Trial, effects, halved};
use tiercast::parallel;
use tiercast::random::{Purpose, Stream, hash_integer};
use tiercast::recovery::own_futures::{Buyer, near_the_literature};
use tiercast::simulate::{
    Comparison, Engine, Evaluator, Heads, Metric, ParameterDraws, Parameters, SimulateOptions, SplitWinner,
    Verdict, split_winners,
};
use tiercast::strategy::Assumed;

use super::company::{Company, Fallible, TIERS, checked, mean_and_error, percent, tier};

/// The actions; each is given to one tier by one strategy.
const ACTIONS: [&str; 2] = ["call", "gift"];

/// Strategies beside doing nothing.
pub const STRATEGIES: usize = ACTIONS.len() * TIERS.len();

/// True lifts by action and tier.
pub type Effects = [[f64; 3]; 2];

/// Nothing has an effect.
pub const NONE: Effects = [[0.0; 3]; 2];

/// Mean orders a week in each tier; customers' rates are spread as a Gamma distribution with this shape.
const RATES: [f64; 3] = [0.25, 0.10, 0.04];
const SHAPE: f64 = 1.5;

/// Weeks in which orders are counted after the contact, and before it.
const WEEKS: f64 = 12.0;

/// Customers of each tier whose futures are compared.
const CUSTOMERS: usize = 300;

/// What is asked of the experiments.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// Customers of each tier in the experiment.
    pub of_tier: u32,
    pub effects: Effects,
    /// Worlds of the comparison; with 0 there is none, and no verdict.
    pub worlds: u32,
    pub seed: u64,
}

/// The customers whose futures are compared: the same in all experiments, of the literature's parameters.
pub struct Futures {
    company: Company,
    parameters: Parameters,
}

impl Futures {
    pub fn new(seed: u64) -> Futures {
        let world = near_the_literature(ModelName::ParetoNbd, 0.0, seed, 0);
        let mut of_tier = [0; 3];
        let mut buyers = Vec::new();
        for i in 0.. {
            let buyer = Buyer::drawn(&world, seed, u32::MAX, i);
            let count = &mut of_tier[usize::from(tier(&buyer))];
            if *count < CUSTOMERS {
                *count += 1;
                buyers.push(buyer);
            }
            if of_tier == [CUSTOMERS; 3] {
                break;
            }
        }
        let mut company = Company::new(&buyers);
        // Gains are the same multiple of a lift whatever the histories are: few distinct ones are quick.
        let times = company.t_days.iter_mut().chain(&mut company.recency_days);
        times.for_each(|days| *days = days.next_multiple_of(28));
        let [r, alpha, s, beta] = [0, 1, 2, 3].map(|k| world.purchases[k]);
        let [p, q, gamma] = world.spend;
        let purchases = ParetoNbd { r, alpha, s, beta, unit: Unit::Week }.into();
        Futures { company, parameters: Parameters { purchases, spend: GammaGamma { p, q, gamma } } }
    }
}

/// What came of an experiment, by strategy without doing nothing.
#[derive(Debug, Clone)]
pub struct Found {
    /// Whether it is declared to gain; empty without a comparison, as are the next two.
    pub gains: Vec<bool>,
    /// Whether its interval of the expected gain lies above 0: the one that holds for all strategies together, …
    pub together: Vec<bool>,
    /// … and the strategy's own.
    pub alone: Vec<bool>,
    /// The true gain.
    pub truth: Vec<f64>,
    /// The gain by the whole table, and by each half of it.
    pub whole: Vec<f64>,
    pub halves: [Vec<f64>; 2],
    pub split: [SplitWinner; 2],
}

/// Orders of a customer in `weeks` at a rate.
fn orders(stream: &mut Stream, rate: f64, weeks: f64) -> f64 {
    let (mut count, mut at) = (0u32, stream.exponential() / rate);
    while at < weeks {
        count += 1;
        at += stream.exponential() / rate;
    }
    f64::from(count)
}

/// The contact table of experiment `number`: half of each tier is treated by lot, with one of the actions.
fn trial(request: &Request, number: u32) -> Fallible<Trial> {
    let names = |all: &[&str]| all.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let mut out = Trial {
        hash: Vec::new(),
        tier: Vec::new(),
        tiers: names(&TIERS),
        arm: Vec::new(),
        arms: names(&["none", ACTIONS[0], ACTIONS[1]]),
        outcome: Vec::new(),
        probability: None,
        covariates: Vec::new(),
    };
    let mut before = Vec::new();
    for i in 0..3 * request.of_tier {
        let hash = hash_integer(u64::from(number) << 32 | u64::from(i));
        let mut stream = Stream::new(request.seed, hash, 5, Purpose::Synth);
        let tier = i as usize % 3;
        let rate = RATES[tier] * stream.gamma(SHAPE) / SHAPE;
        let arm = match stream.uniform() {
            u if u < 0.5 => 0,
            u if u < 0.75 => 1,
            _ => 2,
        };
        let factor = if arm > 0 { 1.0 + request.effects[arm - 1][tier] } else { 1.0 };
        before.push(orders(&mut stream, rate, WEEKS));
        out.outcome.push(orders(&mut stream, rate * factor, WEEKS));
        out.hash.push(hash);
        out.tier.push(tier as u8);
        out.arm.push(arm as u8);
    }
    out.covariates.push(Covariate { name: "orders before".into(), values: before });
    Ok(out.checked()?)
}

/// What was learned as a strategy file; `None` where an effect has no lift.
fn file(trial: &Trial, seed: u64) -> Fallible<Option<String>> {
    let mut text = "horizon = \"52w\"\nmargin = 0.4\ntiers = \"by_orders\"\n".to_string();
    for action in ACTIONS {
        writeln!(text, "[[action]]\nname = \"{action}\"\ncost_on_contact = 0.0")?;
        for tier in TIERS {
            writeln!(
                text,
                "[[strategy]]\nname = \"{action} {tier}\"\nrule = \"rules\"\ngive = [ {{ action = \"{action}\", where = \"tier = {tier}\" }} ]"
            )?;
        }
    }
    let entry = |lift: &Option<Lift>| {
        let lift = lift.filter(|lift| lift.upper.is_finite())?;
        Some([lift.lift, lift.lower, lift.upper])
    };
    // As `learn` writes halves: less the bias of a ratio.
    let unbiased =
        |lift: &Option<Lift>| entry(lift).zip(*lift).map(|([_, l, u], lift)| [lift.unbiased, l, u]);
    for (effect, of_halves) in effects(trial, true).iter().zip(halved(trial, seed, true)) {
        let half = |half: &HalfLift| unbiased(&half.lift);
        let [first, second] = &of_halves.halves;
        let (Some([lift, lower, upper]), Some(first), Some(second)) =
            (entry(&effect.lift), half(first), half(second))
        else {
            return Ok(None);
        };
        let [first, second] = [first, second].map(|[lift, lower, upper]| {
            format!("{{ effect = {lift:?}, lower = {lower:?}, upper = {upper:?} }}")
        });
        writeln!(
            text,
            "[[response]]\naction = \"{}\"\ntier = \"{}\"\non = \"purchase_rate\"\neffect = {lift:?}\nlower = {lower:?}\nupper = {upper:?}\n\
             source = \"experiment\"\nhalves = [{first}, {second}]",
            effect.action, effect.tier
        )?;
    }
    Ok(Some(text))
}

/// Experiment `number`, learned, planned and compared; `None` where an effect has no lift.
pub fn experiment(futures: &Futures, request: &Request, number: u32) -> Fallible<Option<Found>> {
    let trial = trial(request, number)?;
    let Some(text) = file(&trial, request.seed)? else { return Ok(None) };
    let set = checked(&text)?;
    let Futures { company, parameters } = futures;
    let plans = company.plans(&set)?;
    let counts = company.heads();
    let heads = Heads { customers: &counts, reachable: &counts };
    let seed = request.seed.wrapping_add(1_000_000 + u64::from(number));
    let options = SimulateOptions { seed, draw_responses: true, futures: 1 };
    let engine = Engine::new(company.population(), &set, &plans, options)?;
    let draws = ParameterDraws::fixed(parameters.purchases, parameters.spend, request.worlds);
    let comparison = match request.worlds {
        0 => None,
        _ => Some(Comparison::new(&engine.run(&draws.draws, &())?, &set, &plans, heads, &draws)),
    };
    let evaluator = Evaluator::new(&engine, *parameters, &plans, &counts);
    let gains = |effect: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let mut world = set.stated();
        (0..set.responses.len()).for_each(|i| world.set(Assumed::Effect(i), effect(i)));
        evaluator.gains(&world)[1..].to_vec()
    };
    let of_half =
        |k: usize| gains(&|i| set.responses[i].halves.as_ref().map_or(f64::NAN, |halves| halves[k].effect));
    let of_strategies = |pick: &dyn Fn(&Comparison, usize) -> Option<bool>| -> Vec<bool> {
        comparison.iter().flat_map(|of| (1..=STRATEGIES).filter_map(|s| pick(of, s))).collect()
    };
    Ok(Some(Found {
        gains: of_strategies(&|of, s| of.verdict(s).map(|verdict| verdict == Verdict::Gains)),
        together: of_strategies(&|of, s| of.standings.get(s).map(|standing| standing.joint.0 > 0.0)),
        alone: of_strategies(&|of, s| {
            of.find(s, None, Metric::Profit).map(|row| row.difference.mean_lower > 0.0)
        }),
        truth: gains(&|i| request.effects[set.responses[i].action][set.responses[i].tier]),
        whole: gains(&|i| set.responses[i].effect.value),
        halves: [of_half(0), of_half(1)],
        split: split_winners(&evaluator, &set, seed).ok_or("no halves")?,
    }))
}

/// So many experiments; those whose effects have no lift are missing.
pub fn experiments(request: &Request, number: u32) -> Fallible<Vec<Found>> {
    let futures = Futures::new(request.seed);
    let found = parallel::map(number as usize, |i| experiment(&futures, request, i as u32));
    Ok(found.into_iter().collect::<Fallible<Vec<_>>>()?.into_iter().flatten().collect())
}

/// How many experiments declare a gain of any strategy: by the verdict, by the joint intervals, and by each strategy's own interval.
pub fn declared(found: &[Found]) -> [usize; 3] {
    let count = |any: fn(&Found) -> bool| found.iter().filter(|of| any(of)).count();
    [
        count(|of| of.gains.contains(&true)),
        count(|of| of.together.contains(&true)),
        count(|of| of.alone.contains(&true)),
    ]
}

/// A mean and its Monte Carlo error, in standard errors of a gain.
pub type Bias = (f64, f64);

/// How far gains lie above the truth, in standard errors of the strategy's gain (as it varies over the experiments).
#[derive(Debug, Clone, Copy)]
pub struct Winners {
    /// The gain of the table's winner by the table.
    pub in_sample: Bias,
    /// The gain of a half's winner by that half, …
    pub in_choice: Bias,
    /// … and by the half that did not choose it: what is reported.
    pub split: Bias,
    /// The gains by a half of all strategies, each as often as it wins: what the estimator is off by without any choice.
    pub unchosen: Bias,
    /// The truth of the table's winner.
    pub truth: Bias,
    /// Halves' winners whose truth lies in the interval that the other half gives, and all of them.
    pub held: (usize, usize),
}

/// The standard deviation of each strategy's gain.
fn deviations(gains: &[&Vec<f64>]) -> Vec<f64> {
    let of = |s: usize| {
        let own: Vec<f64> = gains.iter().map(|gains| gains[s]).collect();
        mean_and_error(&own).1 * (own.len() as f64).sqrt()
    };
    (0..STRATEGIES).map(of).collect()
}

pub fn winners(found: &[Found]) -> Winners {
    let by_whole = deviations(&found.iter().map(|of| &of.whole).collect::<Vec<_>>());
    let by_half = deviations(&found.iter().flat_map(|of| &of.halves).collect::<Vec<_>>());
    let best =
        |gains: &[f64]| (0..STRATEGIES).fold(0, |best, s| if gains[s] > gains[best] { s } else { best });
    let mean = |of: &dyn Fn(&Found) -> f64| mean_and_error(&found.iter().map(of).collect::<Vec<_>>());
    let of_split = |pick: fn(&SplitWinner) -> f64| {
        mean(&|of: &Found| {
            let above = |won: &SplitWinner| {
                let s = won.strategy - 1;
                (pick(won) - of.truth[s]) / by_half[s]
            };
            of.split.iter().map(above).sum::<f64>() / 2.0
        })
    };
    let mut wins = [0.0; STRATEGIES];
    found.iter().flat_map(|of| &of.split).for_each(|won| wins[won.strategy - 1] += 1.0);
    let all: f64 = wins.iter().sum();
    let held = |won: &SplitWinner, of: &Found| {
        let truth = of.truth[won.strategy - 1];
        won.lower <= truth && truth <= won.upper
    };
    Winners {
        in_sample: mean(&|of| {
            let s = best(&of.whole);
            (of.whole[s] - of.truth[s]) / by_whole[s]
        }),
        in_choice: of_split(|won| won.gain_in_choice),
        split: of_split(|won| won.gain),
        unchosen: mean(&|of| {
            let above = |s: usize| (of.halves[0][s] + of.halves[1][s] - 2.0 * of.truth[s]) / 2.0 / by_half[s];
            (0..STRATEGIES).map(|s| wins[s] / all * above(s)).sum()
        }),
        truth: mean(&|of| {
            let s = best(&of.whole);
            of.truth[s] / by_whole[s]
        }),
        held: (
            found.iter().map(|of| of.split.iter().filter(|won| held(won, of)).count()).sum(),
            2 * found.len(),
        ),
    }
}

/// The row of a setting.
pub fn row(name: &str, of_tier: u32, found: &[Found]) -> String {
    let bias = |(mean, error): Bias| format!("{mean:+.2} ± {error:.2}");
    let of = winners(found);
    format!(
        "| {name} | {of_tier} | {} | {} | {} | {} | {} | {} |\n",
        bias(of.truth),
        bias(of.in_sample),
        bias(of.in_choice),
        bias(of.split),
        bias(of.unchosen),
        percent(of.held.0, of.held.1)
    )
}
