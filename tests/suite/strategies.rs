//! What a comparison must never get wrong: nothing differs from itself, a known lift gives its closed form, budgets
//! hold.

use tiercast::calendar::Unit;
use tiercast::clv::{BgNbd, BgNbdModel, GammaGamma, GammaGammaModel, Patterns, PosteriorOptions, Prior};
use tiercast::customers::{CustomerTable, OrderDays, summarize};
use tiercast::history::{HistoryOptions, Source};
use tiercast::pipeline::{RunConfig, StrategyText};
use tiercast::simulate::{
    Comparison, Engine, Heads, Metric, Outcome, ParameterDraws, Population, SimulateOptions, Verdict,
};
use tiercast::strategy::{People, Plan, StrategySet};
use tiercast::tier::Columns;

use crate::support::dataset;

/// The CDNOW sample, calibration to 1997-09-30, in weeks.
pub fn sample() -> CustomerTable {
    let options =
        HistoryOptions { calibration_end: Some("1997-09-30".parse().unwrap()), ..HistoryOptions::default() };
    summarize(&[Source::Path(dataset("cdnow/cdnow_sample.parquet"))], &options, Unit::Week, &())
        .unwrap()
        .table
}

/// Three arbitrary tiers: what is tested does not depend on who is where.
fn tiers(table: &CustomerTable) -> Vec<u8> {
    (0..table.len()).map(|i| (i % 3) as u8).collect()
}

pub fn strategies(text: &str) -> StrategySet {
    let schemes = RunConfig::default().read_schemes().unwrap();
    StrategyText { name: "test".into(), text: text.into() }.check(&schemes).unwrap()
}

/// One action; `effects` are the lifts of the purchase rate in the three tiers at 1 of money per customer.
pub fn one_action(effects: [f64; 3], width: f64, strategies: &str) -> String {
    let mut text = String::from(
        "horizon = \"52w\"\nmargin = 0.5\nbudget = 2357\ntiers = \"value\"\n[[action]]\nname = \"act\"\n",
    );
    for (tier, effect) in ["high", "mid", "low"].iter().zip(effects) {
        text.push_str(&format!(
            "[[response]]\naction = \"act\"\ntier = \"{tier}\"\non = \"purchase_rate\"\ncurve = \"power\"\n\
             exponent = 1.0\nscale = 1.0\neffect = {effect}\nlower = {}\nupper = {}\nsource = \"assumption\"\n",
            effect - width,
            effect + width
        ));
    }
    text + strategies
}

pub const TWO_EVEN: &str = "[[strategy]]\nname = \"one\"\naction = \"act\"\nrule = \"uniform\"\n\
                        [[strategy]]\nname = \"two\"\naction = \"act\"\nrule = \"uniform\"\n";

fn simulate(
    table: &CustomerTable,
    set: &StrategySet,
    replications: u32,
    fixed: bool,
) -> (Outcome, Comparison) {
    let patterns = Patterns::from_table(table).unwrap();
    let purchases = BgNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, &()).unwrap();
    let draws = if fixed {
        ParameterDraws::fixed(purchases.params.unwrap(), spend.params.unwrap(), replications)
    } else {
        let options = PosteriorOptions { prior: Prior::Flat, draws: replications, seed: 1 };
        let of_purchases = BgNbdModel.likelihood(&patterns, Unit::Week);
        let of_spend = GammaGammaModel.likelihood(&table.frequency, &table.monetary_value).unwrap();
        ParameterDraws::new(
            &purchases.posterior(&of_purchases, &options, &()).unwrap().unwrap(),
            &spend.posterior(&of_spend, &options, &()).unwrap().unwrap(),
        )
    };
    simulate_draws(table, set, &draws, !fixed)
}

pub fn simulate_draws(
    table: &CustomerTable,
    set: &StrategySet,
    draws: &ParameterDraws,
    draw_responses: bool,
) -> (Outcome, Comparison) {
    simulate_without(table, set, draws, draw_responses, None)
}

/// The same, where some have opted out.
fn simulate_without(
    table: &CustomerTable,
    set: &StrategySet,
    draws: &ParameterDraws,
    draw_responses: bool,
    opted_out: Option<&[bool]>,
) -> (Outcome, Comparison) {
    let codes = tiers(table);
    let hash: Vec<u64> = (0..table.len()).map(|i| table.ids.hash(i)).collect();
    // Tiers are worth 300, 200 and 100 in all.
    let clv: Vec<f64> = codes.iter().map(|&k| f64::from(3 - k)).collect();
    let columns = Columns::of_table(table);
    let people = People {
        tier: &codes,
        tiers: 3,
        clv: &clv,
        opted_out,
        hash: &hash,
        ids: &table.ids,
        columns: &columns,
        seed: 1,
        base: std::path::Path::new(""),
    };
    let plans: Vec<Plan> = (0..set.strategies.len()).map(|s| Plan::new(set, s, &people).unwrap().0).collect();
    let population = Population {
        frequency: &table.frequency,
        recency_days: &table.recency_days,
        t_days: &table.t_days,
        monetary_value: &table.monetary_value,
        tier: &codes,
        tiers: 3,
        spend_over: OrderDays::Repeat,
        hash: &hash,
        opted_out,
    };
    let options = SimulateOptions { seed: 1, draw_responses, futures: 1 };
    let engine = Engine::new(population, set, &plans, options).unwrap();
    let outcome = engine.run(&draws.draws, &()).unwrap();
    let count = |wanted: &dyn Fn(usize) -> bool| -> Vec<u64> {
        (0..3).map(|k| (0..codes.len()).filter(|&i| codes[i] == k && wanted(i)).count() as u64).collect()
    };
    let (customers, reachable) = (count(&|_| true), count(&|i| !opted_out.is_some_and(|out| out[i])));
    let heads = Heads { customers: &customers, reachable: &reachable };
    let comparison = Comparison::new(&outcome, set, &plans, heads, draws);
    (outcome, comparison)
}

/// Mean of what is sampled, with its standard error.
pub fn sampled(outcome: &Outcome, of: impl Fn(usize) -> f64) -> (f64, f64) {
    let values: Vec<f64> = (0..outcome.replications()).map(of).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

#[test]
fn a_strategy_does_not_differ_from_itself_nor_one_without_effect_from_nothing() {
    let table = sample();
    let set = strategies(&one_action([0.1, 0.2, 0.3], 0.05, TWO_EVEN));
    let (outcome, _) = simulate(&table, &set, 30, false);
    let mut moved = false;
    for r in 0..outcome.replications() {
        for k in 0..3 {
            assert_eq!(outcome.orders(r, 1, k), outcome.orders(r, 2, k));
            assert_eq!(outcome.revenue(r, 1, k).to_bits(), outcome.revenue(r, 2, k).to_bits());
            assert_eq!(
                outcome.expected_revenue(r, 1, k).to_bits(),
                outcome.expected_revenue(r, 2, k).to_bits()
            );
            moved |= outcome.orders(r, 1, k) != outcome.orders(r, 0, k);
            // More treatment never costs orders.
            assert!(outcome.orders(r, 1, k) >= outcome.orders(r, 0, k));
        }
    }
    assert!(moved, "the test would show nothing");

    let none = strategies(&one_action([0.0; 3], 0.0, TWO_EVEN));
    let (outcome, comparison) = simulate(&table, &none, 30, false);
    for r in 0..outcome.replications() {
        for k in 0..3 {
            assert_eq!(outcome.orders(r, 1, k), outcome.orders(r, 0, k));
            assert_eq!(outcome.revenue(r, 1, k).to_bits(), outcome.revenue(r, 0, k).to_bits());
        }
    }
    for metric in [Metric::Orders, Metric::Revenue] {
        let d = comparison.find(1, None, metric).unwrap().difference;
        assert_eq!(
            (d.value, d.lower, d.upper, d.mean_lower, d.mean_upper, d.mc_error),
            (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        );
    }
}

/// +10 % purchase rate on everybody, parameters and response held fixed, 52 weeks. Dropout follows purchases, so the
/// closed form is CET(1.1·t): 2089.39861 → 2253.10553 (CDNOW sample at its optimum, 40-digit arithmetic), +7.84 %.
#[test]
fn ten_percent_more_purchases_give_the_closed_form() {
    let table = sample();
    let set = strategies(&one_action([0.1; 3], 0.0, TWO_EVEN));
    let (outcome, comparison) = simulate(&table, &set, 400, true);
    let within = |(got, error): (f64, f64), want: f64| {
        assert!(error > 0.0 && (got - want).abs() < 3.0 * error, "{got} ± {error}, want {want}");
    };
    let orders = |r: usize, s: usize| (0..3).map(|k| outcome.orders(r, s, k)).sum::<f64>();
    within(sampled(&outcome, |r| orders(r, 0)), 2089.39861);
    within(sampled(&outcome, |r| orders(r, 1)), 2253.10553);
    within(sampled(&outcome, |r| orders(r, 1) - orders(r, 0)), 2253.10553 - 2089.39861);
    // The expectation beside the futures is the closed form itself (to the optimum's own digits), and is what is said.
    let expected = |s: usize| (0..3).map(|k| outcome.expected_orders(0, s, k)).sum::<f64>();
    assert!((expected(0) / 2089.39861 - 1.0).abs() < 1e-5, "{}", expected(0));
    assert!((expected(1) / 2253.10553 - 1.0).abs() < 1e-5, "{}", expected(1));
    assert!((expected(1) / expected(0) - 1.0784).abs() < 1e-4);
    let said = comparison.find(1, None, Metric::Orders).unwrap().estimate;
    assert!((said.value - expected(1)).abs() < 1e-6 && said.mc_error < 1e-9, "{said:?}");
    // Sampled revenue agrees with the expectation too.
    let revenue: f64 = (0..3).map(|k| outcome.expected_revenue(0, 1, k)).sum();
    within(sampled(&outcome, |r| (0..3).map(|k| outcome.revenue(r, 1, k)).sum()), revenue);
}

/// The bundled strategies on CDNOW's sample, parameters and responses held fixed: with the same luck a difference varies at least
/// ten times less than that of independent futures.
#[test]
fn the_same_luck_pays_on_the_bundled_scenario() {
    let table = sample();
    let set = strategies(tiercast::strategy::BUNDLED);
    let (outcome, _) = simulate(&table, &set, 400, true);
    let n = outcome.replications();
    let revenue = |r: usize, s: usize| (0..3).map(|k| outcome.revenue(r % n, s, k)).sum::<f64>();
    for s in 1..set.strategies.len() {
        let (_, paired) = sampled(&outcome, |r| revenue(r, s) - revenue(r, 0));
        let (_, apart) = sampled(&outcome, |r| revenue(r, s) - revenue(r + 1, 0));
        let ratio = (apart / paired).powi(2);
        assert!(ratio > 10.0, "{}: {ratio}", set.strategies[s].name);
    }
}

/// Futures agree with their expectation for every shape of dropout, down to "at once or never" (a, b → 0).
#[test]
fn futures_keep_to_their_expectation_however_extreme_dropout_is() {
    let table = sample();
    let set = strategies(&one_action([0.1; 3], 0.0, TWO_EVEN));
    for (a, b) in [(1e-7, 3e-7), (1e-3, 1e-3), (1e-2, 3e-2), (0.8, 2.4), (30.0, 90.0), (1e-6, 5.0)] {
        let purchases = BgNbd { r: 0.25, alpha: 4.4, a, b, unit: Unit::Week };
        let spend = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };
        let (outcome, _) = simulate_draws(&table, &set, &ParameterDraws::fixed(purchases, spend, 150), false);
        for s in 0..2 {
            let (value, error) = sampled(&outcome, |r| (0..3).map(|k| outcome.orders(r, s, k)).sum());
            let expected: f64 = (0..3).map(|k| outcome.expected_orders(0, s, k)).sum();
            assert!(
                (value - expected).abs() < 4.0 * error,
                "a {a}, b {b}, strategy {s}: {value} ± {error}, expected {expected}"
            );
        }
    }
}

/// Equal strategies share every win, and few replications decide nothing.
#[test]
fn order_in_the_file_and_few_replications_decide_nothing() {
    let table = sample();
    let set = strategies(&one_action([5.0; 3], 0.1, TWO_EVEN));
    let (_, comparison) = simulate(&table, &set, 200, false);
    let p_best: Vec<f64> = comparison.standings.iter().map(|of| of.p_best).collect();
    assert_eq!(p_best, [0.0, 0.5, 0.5]);
    let verdicts: Vec<Verdict> = comparison.standings.iter().map(|of| of.verdict).collect();
    assert_eq!(verdicts, [Verdict::Baseline, Verdict::Gains, Verdict::Gains]);
    let (_, comparison) = simulate(&table, &set, 140, false);
    assert_eq!(comparison.standings[1].verdict, Verdict::Undecided);
}

/// Draws that are not to be trusted, or are worth too few independent ones, decide nothing however large the gain is.
#[test]
fn poor_draws_decide_nothing() {
    let table = sample();
    let set = strategies(&one_action([5.0; 3], 0.1, TWO_EVEN));
    let purchases = BgNbd { r: 0.2425945, alpha: 4.4136020, a: 0.7929221, b: 2.4259070, unit: Unit::Week };
    let spend = GammaGamma { p: 6.249572, q: 3.744225, gamma: 15.443522 };
    let fixed = ParameterDraws::fixed(purchases, spend, 200);
    let verdict = |draws: &ParameterDraws| simulate_draws(&table, &set, draws, true).1.standings[1].verdict;
    assert_eq!(verdict(&fixed), Verdict::Gains);
    assert_eq!(verdict(&ParameterDraws { effective: 180.5, ..fixed.clone() }), Verdict::Gains);
    assert_eq!(verdict(&ParameterDraws { effective: 179.5, ..fixed.clone() }), Verdict::Undecided);
    assert_eq!(verdict(&ParameterDraws { untrusted: true, ..fixed.clone() }), Verdict::Undecided);
    assert_eq!(verdict(&ParameterDraws { effective: f64::NAN, ..fixed }), Verdict::Undecided);
}

/// A fixed cost is in the tiers too, whether or not anything is left to give.
#[test]
fn fixed_costs_are_apportioned() {
    let table = sample();
    for fixed in [100.0, 2357.0] {
        let text = one_action([0.1; 3], 0.0, TWO_EVEN);
        let set = strategies(&text.replace(
            "name = \"act\"\n[[response]]",
            &format!("name = \"act\"\nfixed_cost = {fixed}\n[[response]]"),
        ));
        assert_eq!(set.actions[0].fixed_cost, fixed);
        let (_, comparison) = simulate(&table, &set, 5, true);
        let cost = |tier| comparison.find(1, tier, Metric::Cost).unwrap().estimate.value;
        assert!((cost(None) - 2357.0).abs() < 1e-9);
        let tiers: f64 = (0..3).map(|k| cost(Some(k))).sum();
        assert!((tiers - cost(None)).abs() < 1e-9, "{fixed}: {tiers}");
    }
}

/// With responses drawn, the expectation's interval is that of the response.
#[test]
fn the_intervals_are_what_they_say() {
    let table = sample();
    let set = strategies(&one_action([0.2; 3], 0.1, TWO_EVEN));
    let (_, comparison) = simulate(&table, &set, 400, false);
    let orders = comparison.find(1, None, Metric::Orders).unwrap();
    for e in [orders.estimate, orders.difference] {
        // Futures vary more than their mean; the ends of both intervals have a numerical error of their own.
        let slack = 0.1 * (e.mean_upper - e.mean_lower);
        assert!(e.lower <= e.mean_lower + slack && e.mean_upper - slack <= e.upper, "{e:?}");
        assert!(e.mean_lower < e.value && e.value < e.mean_upper);
        assert!(
            e.mc_error > 0.0 && e.mc_error < (e.upper - e.lower) / 20.0,
            "an error is no interval: {e:?}"
        );
    }
    // do nothing never differs from itself
    let base = comparison.find(0, None, Metric::Profit).unwrap().difference;
    assert_eq!((base.value, base.lower, base.upper), (0.0, 0.0, 0.0));
}

#[test]
fn no_strategy_spends_above_its_budget_and_tiers_add_up() {
    let table = sample();
    let set = strategies(&one_action(
        [0.1; 3],
        0.0,
        "[[strategy]]\nname = \"a\"\naction = \"act\"\nrule = \"uniform\"\n\
         [[strategy]]\nname = \"b\"\naction = \"act\"\nrule = \"proportional_to_clv\"\nbudget = 1000.01\n\
         [[strategy]]\nname = \"c\"\naction = \"act\"\nrule = \"shares\"\nshares = { high = 0.7, mid = 0.3 }\n",
    ));
    let (_, comparison) = simulate(&table, &set, 10, false);
    for (s, strategy) in set.strategies.iter().enumerate() {
        let plan = &comparison.plans[s];
        let budget = strategy.budget.unwrap();
        assert!(plan.cost <= budget, "{}: {} of {budget}", strategy.name, plan.cost);
        assert!(s == 0 || plan.unspent < 1e-6 * budget);
        for metric in [Metric::Cost, Metric::Orders, Metric::Revenue, Metric::Profit] {
            let of = |tier| comparison.find(s, tier, metric).unwrap().estimate.value;
            let sum: f64 = (0..3).map(|k| of(Some(k))).sum();
            assert!((sum - of(None)).abs() < 1e-9 * of(None).abs().max(1.0), "{metric:?}");
        }
    }
}

/// All that is simulated of a strategy, bit by bit.
fn bits(outcome: &Outcome, strategy: usize) -> Vec<u64> {
    let mut out = Vec::new();
    for r in 0..outcome.replications() {
        for k in 0..3 {
            out.push(outcome.orders(r, strategy, k).to_bits());
            out.push(outcome.revenue(r, strategy, k).to_bits());
            out.push(outcome.expected_orders(r, strategy, k).to_bits());
            out.push(outcome.expected_revenue(r, strategy, k).to_bits());
        }
    }
    out
}

const UNEVEN: &str = "[[strategy]]\nname = \"one\"\naction = \"act\"\nrule = \"uniform\"\n\
                      [[strategy]]\nname = \"two\"\naction = \"act\"\nrule = \"proportional_to_clv\"\n\
                      [[strategy]]\nname = \"three\"\naction = \"act\"\nrule = \"shares\"\n\
                      shares = { high = 0.5, mid = 0.5 }\n";

/// Whoever opted out is never treated: under every strategy what the others do is all that differs from doing nothing, and
/// doing nothing is what it is without a list. Orders are counts and can be taken apart exactly.
#[test]
fn nobody_who_opted_out_is_treated() {
    let table = sample();
    let set = strategies(&one_action([0.3, 0.4, 0.5], 0.1, UNEVEN));
    let (purchases, spend) = (
        BgNbd { r: 0.24, alpha: 4.41, a: 0.79, b: 2.43, unit: Unit::Week },
        GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 },
    );
    let draws = ParameterDraws::fixed(purchases, spend, 6);
    let (whole, _) = simulate_draws(&table, &set, &draws, true);
    for seed in 0..4u64 {
        let mut stream = tiercast::random::Stream::new(seed, 7, 0, tiercast::random::Purpose::Latent);
        let share = [0.02, 0.3, 0.7, 0.98][seed as usize];
        let out: Vec<bool> = (0..table.len()).map(|_| stream.uniform() < share).collect();
        let (mixed, comparison) = simulate_without(&table, &set, &draws, true, Some(&out));
        assert_eq!(bits(&mixed, 0), bits(&whole, 0));
        // The opted out alone are as without any strategy; the others alone gain what all gain.
        let only = |wanted: bool| {
            let kept: Vec<usize> = (0..table.len()).filter(|&i| out[i] == wanted).collect();
            let of = |values: &[u32]| kept.iter().map(|&i| values[i]).collect::<Vec<u32>>();
            let codes: Vec<u8> = kept.iter().map(|&i| (i % 3) as u8).collect();
            let hash: Vec<u64> = kept.iter().map(|&i| table.ids.hash(i)).collect();
            let money: Vec<f64> = kept.iter().map(|&i| table.monetary_value[i]).collect();
            let is_out = vec![wanted; kept.len()];
            let population = Population {
                frequency: &of(&table.frequency),
                recency_days: &of(&table.recency_days),
                t_days: &of(&table.t_days),
                monetary_value: &money,
                tier: &codes,
                tiers: 3,
                spend_over: OrderDays::Repeat,
                hash: &hash,
                opted_out: Some(&is_out),
            };
            let options = SimulateOptions { seed: 1, draw_responses: true, futures: 1 };
            let engine = Engine::new(population, &set, &comparison.plans, options).unwrap();
            engine.run(&draws.draws, &()).unwrap()
        };
        let (unreached, reached) = (only(true), only(false));
        for s in 1..4 {
            assert_eq!(bits(&unreached, s), bits(&unreached, 0));
            assert_ne!(bits(&reached, s), bits(&reached, 0));
            for r in 0..6 {
                for k in 0..3 {
                    let gain = |of: &Outcome| of.orders(r, s, k) - of.orders(r, 0, k);
                    assert_eq!(gain(&mixed), gain(&reached));
                }
            }
            // Nobody on the list costs anything: the whole budget goes to the others.
            let plan = &comparison.plans[s];
            let given: f64 = (0..3).map(|k| plan.contact_cost(k)).sum();
            let reached = (0..table.len()).filter(|&i| !out[i]).count() as u64;
            assert!((0..3).map(|k| plan.contacted(k)).sum::<u64>() <= reached);
            assert!((given - 2357.0).abs() < 1e-6, "{given}");
        }
    }
}

/// With everybody on the list every strategy is doing nothing, to the bit, and costs nothing, a fixed cost included.
#[test]
fn with_everybody_on_the_list_all_strategies_do_nothing() {
    let table = sample();
    let text = one_action([0.3, 0.4, 0.5], 0.1, UNEVEN);
    let text =
        text.replace("name = \"act\"\n[[response]]", "name = \"act\"\nfixed_cost = 100.0\n[[response]]");
    let set = strategies(&text);
    assert_eq!(set.actions[0].fixed_cost, 100.0);
    let (purchases, spend) = (
        BgNbd { r: 0.24, alpha: 4.41, a: 0.79, b: 2.43, unit: Unit::Week },
        GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 },
    );
    let draws = ParameterDraws::fixed(purchases, spend, 6);
    let (whole, _) = simulate_draws(&table, &set, &draws, true);
    let (outcome, comparison) = simulate_without(&table, &set, &draws, true, Some(&vec![true; table.len()]));
    for s in 0..4 {
        assert_eq!(bits(&outcome, s), bits(&whole, 0), "{s}");
        assert_eq!((comparison.plans[s].cost, comparison.plans[s].fixed_cost), (0.0, 0.0));
        for metric in [Metric::Cost, Metric::Orders, Metric::Revenue, Metric::Profit] {
            let row = comparison.find(s, None, metric).unwrap();
            assert_eq!((row.difference.value, row.difference.lower, row.difference.upper), (0.0, 0.0, 0.0));
        }
        let customers = comparison.find(s, None, Metric::Customers).unwrap().estimate.value;
        assert_eq!(customers, table.len() as f64);
    }
}
