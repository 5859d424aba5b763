//! Worlds with a fitted model, beliefs and a future of their own: what the intervals of a comparison hold.

use tiercast::calendar::Unit;
use tiercast::clv::{
    BgNbd, BgNbdModel, Fit, GammaGamma, GammaGammaModel, LogLikelihood, ModelName, Parametric, ParetoNbd,
    ParetoNbdModel, Patterns, PosteriorOptions, Prior, PurchaseParameters,
};
use tiercast::recovery::own_futures::{Bought, Buyer, SPREAD, Treated, near_the_literature};
use tiercast::recovery::own_truth::WorldParameters;
use tiercast::simulate::{
    Comparison, Engine, Estimate, Evaluator, Heads, Metric, ParameterDraws, Parameters, SimulateOptions,
};
use tiercast::strategy::{Lever, Plan, StrategySet, World};

use super::company::{Company, Fallible, checked, mean_and_error, percent};

/// The strategy file of these worlds.
pub const STRATEGIES: &str = include_str!("coverage.toml");

/// Weeks of the future.
const HORIZON: f64 = 52.0;

/// What is asked of the worlds.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// Customers at least, and at most.
    pub customers: (u32, u32),
    /// Draws of the parameters; each has one future.
    pub draws: u32,
    pub seed: u64,
}

/// What a world says of one strategy.
#[derive(Debug, Clone, Copy)]
pub struct OfStrategy {
    /// Profit above that of doing nothing; of doing nothing the profit itself.
    pub said: Estimate,
    /// What came of it.
    pub realised: f64,
    /// What was to be expected of it given the histories, had the parameters and effects been known.
    pub expected: f64,
}

/// What a world says of each strategy.
#[derive(Debug, Clone)]
pub struct Found {
    pub strategies: Vec<OfStrategy>,
    /// Whether the draws of the parameters may be trusted.
    pub trusted: bool,
}

fn drawn<P: Parametric + Copy + Into<PurchaseParameters>>(
    fit: &Fit<P>,
    likelihood: &impl LogLikelihood,
    company: &Company,
    options: &PosteriorOptions,
) -> Fallible<Option<ParameterDraws>> {
    let (x, mean) = (&company.frequency, &company.mean);
    let spend = GammaGammaModel.fit(x, mean, &())?;
    let of_spend = GammaGammaModel.likelihood(x, mean)?;
    let purchases = fit.posterior(likelihood, options, &())?;
    let spend = spend.posterior(&of_spend, options, &())?;
    Ok(purchases.zip(spend).map(|(purchases, spend)| ParameterDraws::new(&purchases, &spend)))
}

fn fitted(
    model: ModelName,
    company: &Company,
    options: &PosteriorOptions,
) -> Fallible<Option<ParameterDraws>> {
    let unit = Unit::Week;
    let patterns = &Patterns::from_times(&company.frequency, &company.recency, &company.t)?;
    match model {
        ModelName::BgNbd => {
            let fit = BgNbdModel.fit(patterns, unit, &())?;
            drawn(&fit, &BgNbdModel.likelihood(patterns, unit), company, options)
        }
        _ => {
            let fit = ParetoNbdModel.fit(patterns, unit, &())?;
            drawn(&fit, &ParetoNbdModel.likelihood(patterns, unit), company, options)
        }
    }
}

fn as_parameters(world: &WorldParameters) -> Parameters {
    let [r, alpha, third, fourth] = [0, 1, 2, 3].map(|k| world.purchases[k]);
    let [p, q, gamma] = world.spend;
    let unit = Unit::Week;
    let purchases = match world.model {
        ModelName::BgNbd => BgNbd { r, alpha, a: third, b: fourth, unit }.into(),
        _ => ParetoNbd { r, alpha, s: third, beta: fourth, unit }.into(),
    };
    Parameters { purchases, spend: GammaGamma { p, q, gamma } }
}

/// World `number`; `None` where the analyst has no usable fit.
pub fn world(model: ModelName, number: u32, request: Request) -> Fallible<Option<Found>> {
    let parameters = near_the_literature(model, SPREAD, request.seed, number);
    let (fewest, most) = request.customers;
    let customers = fewest + number % (most - fewest + 1);
    let buyers: Vec<Buyer> =
        (0..customers).map(|i| Buyer::drawn(&parameters, request.seed, number, i)).collect();
    let company = Company::new(&buyers);
    let set = checked(STRATEGIES)?;
    let plans = company.plans(&set)?;
    let counts = company.heads();
    let heads = Heads { customers: &counts, reachable: &counts };

    // The analyst's side.
    let seed = request.seed.wrapping_add(1_000_000 + u64::from(number));
    let options = PosteriorOptions { prior: Prior::default(), draws: request.draws, seed };
    let Some(draws) = fitted(model, &company, &options)? else { return Ok(None) };
    let simulate = SimulateOptions { seed, draw_responses: true, futures: 1 };
    let engine = Engine::new(company.population(), &set, &plans, simulate)?;
    let outcome = engine.run(&draws.draws, &())?;
    let comparison = Comparison::new(&outcome, &set, &plans, heads, &draws);

    // The world's: what is true of all that is believed has its own seed.
    let truth = set.draw(request.seed ^ 1 << 40, number);
    let known = as_parameters(&parameters);
    let gains = Evaluator::new(&engine, known, &plans, &counts).gains(&truth);
    let realised = profits(&set, &plans, (&buyers, &company), &truth, request.seed);
    let baseline = baseline(&company, &known) * set.margin;
    let strategies = (0..plans.len())
        .map(|s| {
            let row = comparison.find(s, None, Metric::Profit).ok_or("no profit")?;
            Ok(match s {
                0 => OfStrategy { said: row.estimate, realised: realised[0], expected: baseline },
                _ => OfStrategy {
                    said: row.difference,
                    realised: realised[s] - realised[0],
                    expected: gains[s],
                },
            })
        })
        .collect::<Fallible<_>>()?;
    Ok(Some(Found { strategies, trusted: !draws.untrusted }))
}

/// The revenue that is expected without treatment.
fn baseline(company: &Company, known: &Parameters) -> f64 {
    let model = known.purchases.model();
    (0..company.frequency.len())
        .map(|i| {
            let (x, days) = (company.frequency[i], [company.recency_days[i], company.t_days[i]]);
            let [t_x, t] = days.map(|days| f64::from(days) / 7.0);
            model.conditional_expected(x, t_x, t, HORIZON) * known.spend.expected_spend(x, company.mean[i])
        })
        .sum()
}

/// The profit of each strategy in the world's own future, from the file's beliefs as they are true, by hand.
fn profits(
    set: &StrategySet,
    plans: &[Plan],
    (buyers, company): (&[Buyer], &Company),
    truth: &World,
    seed: u64,
) -> Vec<f64> {
    let effect = |action: usize, tier: usize, on: Lever| {
        let found = set.responses.iter().position(|r| (r.action, r.tier, r.on) == (action, tier, on));
        found.map_or(0.0, |i| truth.effects[i])
    };
    let mut out: Vec<f64> = plans.iter().map(|plan| -plan.fixed_cost).collect();
    for (i, buyer) in buyers.iter().enumerate() {
        let tier = usize::from(company.tier[i]);
        let gets: Vec<_> = plans.iter().map(|plan| plan.of(i, tier)).collect();
        let treatments: Vec<Treated> = gets
            .iter()
            .map(|gets| {
                let Some(gets) = gets else { return Treated::NOT };
                let factor = |on| (1.0 + effect(gets.action, tier, on)).max(0.0);
                Treated {
                    rate: factor(Lever::PurchaseRate),
                    dropout: factor(Lever::Dropout),
                    spend: factor(Lever::Spend),
                    back: effect(gets.action, tier, Lever::Reactivation).clamp(0.0, 1.0),
                }
            })
            .collect();
        let bought = buyer.future(&treatments, HORIZON, seed);
        let Bought { revenue: untreated, .. } = bought[0];
        for ((out, own), gets) in out.iter_mut().zip(&bought).zip(&gets) {
            let Some(gets) = gets else {
                *out += set.margin * own.revenue;
                continue;
            };
            let action = &set.actions[gets.action];
            let anyway = truth.cannibalisation[gets.action] * (own.revenue - untreated);
            let claimed = 1.0 - truth.breakage[gets.action];
            let on_response = action.cost_on_response * own.orders + action.points * own.revenue;
            *out += set.margin * (own.revenue - anyway) - gets.money - claimed * on_response;
        }
    }
    out
}

/// How often numbers lie within, below and above their intervals.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Held {
    pub of: usize,
    pub within: usize,
    pub below: usize,
    pub above: usize,
}

impl Held {
    pub fn count(all: impl Iterator<Item = (f64, f64, f64)>) -> Held {
        let mut out = Held::default();
        for (lower, value, upper) in all {
            out.of += 1;
            out.below += usize::from(value < lower);
            out.above += usize::from(value > upper);
        }
        out.within = out.of - out.below - out.above;
        out
    }

    fn cell(&self) -> String {
        let share = |hits: usize| 100.0 * hits as f64 / self.of.max(1) as f64;
        format!(
            "{} ({:.1} below, {:.1} above)",
            percent(self.within, self.of),
            share(self.below),
            share(self.above)
        )
    }
}

/// How often what came of a strategy lay within what was said to happen.
pub fn happened(found: &[Found], strategy: usize) -> Held {
    let of = found.iter().map(|world| world.strategies[strategy]);
    Held::count(of.map(|s| (s.said.lower, s.realised, s.said.upper)))
}

/// How often what was to be expected lay within the interval of the mean.
pub fn expected(found: &[Found], strategy: usize) -> Held {
    let of = found.iter().map(|world| world.strategies[strategy]);
    Held::count(of.map(|s| (s.said.mean_lower, s.expected, s.said.mean_upper)))
}

/// What came of a strategy less what was to be expected, on average, in standard errors: this asks nothing of the analyst.
pub fn surprise(found: &[Found], strategy: usize) -> f64 {
    let of = found.iter().map(|world| world.strategies[strategy]);
    let (mean, error) = mean_and_error(&of.map(|s| s.realised - s.expected).collect::<Vec<_>>());
    mean / error
}

/// The rows of a model.
pub fn rows(model: &str, found: &[Found]) -> Fallible<String> {
    let names = checked(STRATEGIES)?.strategies.into_iter().map(|s| s.name);
    let mut out = String::new();
    for (s, name) in names.enumerate() {
        out += &format!(
            "| {model} | {name} | {} | {} | {:+.1} |\n",
            happened(found, s).cell(),
            expected(found, s).cell(),
            surprise(found, s)
        );
    }
    Ok(out)
}
