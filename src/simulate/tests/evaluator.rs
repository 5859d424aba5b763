//! The quick expectations against the simulation's own, and what is asked of them.

use super::scenario::{Company, SPEND, models, set};
use crate::calendar::{Discount, Period};
use crate::simulate::{
    Comparison, Engine, Evaluator, Heads, Metric, ParameterDraws, Parameters, SimulateOptions, sensitivity,
    split_winners,
};
use crate::strategy::response::Half;
use crate::strategy::{Belief, Lever, Source};

const LIFTS: [(Lever, f64); 4] =
    [(Lever::PurchaseRate, 0.3), (Lever::Dropout, -0.4), (Lever::Reactivation, 0.2), (Lever::Spend, 0.1)];

#[test]
fn the_evaluator_says_what_the_simulation_expects() {
    let company = Company::of(300);
    let heads = company.heads();
    for purchases in models() {
        for discounted in [false, true] {
            let (mut set, mut plans) = set(&LIFTS, &[1.0, 2.0]);
            if discounted {
                set.discount = Some(Discount::new(0.1, Period::Year).unwrap());
            }
            set.new_customers = Some(Belief::fixed(3.0));
            set.actions[0].cost_on_response = 0.7;
            set.actions[0].points = 0.02;
            set.actions[0].breakage = Belief::fixed(0.25);
            set.actions[0].cannibalisation = Belief::fixed(0.1);
            set.resources.minute_cost = 0.1;
            set.actions[0].minutes_on_response = 2.0;
            for plan in &mut plans[1..] {
                plan.contacts = heads.iter().map(|&n| vec![n]).collect();
                (plan.fixed, plan.fixed_cost) = (vec![(0, 10.0)], 10.0);
                plan.cost = 10.0 + (0..2).map(|k| plan.contact_cost(k)).sum::<f64>();
            }
            let options = SimulateOptions { seed: 5, draw_responses: false, futures: 2 };
            let engine = Engine::new(company.population(), &set, &plans, options).unwrap();
            let parameters = Parameters { purchases, spend: SPEND };
            let outcome = engine.run(&[parameters], &()).unwrap();
            let draws = ParameterDraws::fixed(purchases, SPEND, 1);
            let heads = Heads { customers: &heads, reachable: &heads };
            let comparison = Comparison::new(&outcome, &set, &plans, heads, &draws);
            let evaluator = Evaluator::new(&engine, parameters, &plans, heads.reachable);
            let gains = evaluator.gains(&set.stated());
            for (strategy, gain) in gains.iter().enumerate() {
                let want = comparison.find(strategy, None, Metric::Profit).unwrap().difference.value;
                assert!((gain - want).abs() < 1e-9 * (1.0 + want.abs()), "{strategy}: {gain} {want}");
            }
        }
    }
}

#[test]
fn at_the_break_even_a_strategy_gains_nothing() {
    let company = Company::of(300);
    let heads = company.heads();
    for purchases in models() {
        let (mut set, mut plans) = set(&LIFTS[..1], &[1.0]);
        for response in &mut set.responses {
            response.effect.lower = 0.1;
            response.effect.upper = 0.6;
            response.effect.source = Source::Elicited;
        }
        plans[1].contacts = heads.iter().map(|&n| vec![n]).collect();
        let options = SimulateOptions { seed: 5, draw_responses: false, futures: 1 };
        let engine = Engine::new(company.population(), &set, &plans, options).unwrap();
        let evaluator = Evaluator::new(&engine, Parameters { purchases, spend: SPEND }, &plans, &heads);
        let found = sensitivity(&evaluator, &set, &()).unwrap();
        // Two tiers' responses, and what part would have come in anyway, which is not said to be anything but 0.
        assert_eq!((found.len(), found[0].bars.len()), (1, 3));
        assert!(found[0].bars[0].swing() >= found[0].bars[1].swing() && found[0].bars[2].swing() == 0.0);
        for bar in &found[0].bars[..2] {
            assert!(bar.gain_at_lower < found[0].gain && found[0].gain < bar.gain_at_upper);
            let Some(at) = bar.break_even else { continue };
            let mut world = set.stated();
            let which = set.assumed().into_iter().find(|&of| set.assumed_name(of) == bar.name).unwrap();
            world.set(which, at);
            assert!(evaluator.gains(&world)[1].abs() < 1e-6, "{bar:?}");
        }
    }
}

#[test]
fn the_winner_of_one_half_is_valued_by_the_other() {
    let company = Company::of(300);
    let heads = company.heads();
    let (mut set, mut plans) = set(&LIFTS[..1], &[1.0, 1.0]);
    // Strategy 1 treats the high tier, strategy 2 the low one; the halves disagree about which responds.
    use crate::strategy::plan::Given;
    plans[1].given = Given::ByTier(vec![1, 0]);
    plans[2].given = Given::ByTier(vec![0, 1]);
    let half = |effect: f64| Half { effect, lower: effect - 0.05, upper: effect + 0.05 };
    set.responses[0].halves = Some([half(0.5), half(0.0)]);
    set.responses[1].halves = Some([half(0.0), half(0.5)]);
    let options = SimulateOptions { seed: 5, draw_responses: false, futures: 1 };
    let engine = Engine::new(company.population(), &set, &plans, options).unwrap();
    let evaluator =
        Evaluator::new(&engine, Parameters { purchases: models()[2], spend: SPEND }, &plans, &heads);
    let [first, second] = split_winners(&evaluator, &set, 1).unwrap();
    assert_eq!((first.strategy, second.strategy), (1, 2));
    for winner in [first, second] {
        assert!(winner.gain_in_choice > 0.0 && winner.gain == 0.0, "{winner:?}");
        assert!(winner.lower < 0.0 && winner.upper > 0.0);
    }
}
