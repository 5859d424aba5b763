//! A small company and strategies made by hand, without a file.

use crate::calendar::{Period, Span, Unit};
use crate::clv::{BgNbd, GammaGamma, MbgNbd, Nbd, ParetoNbd, PurchaseParameters};
use crate::customers::OrderDays;
use crate::random::hash_integer;
use crate::simulate::{Engine, Outcome, Parameters, Population, SimulateOptions};
use crate::strategy::action::{Action, Kind};
use crate::strategy::plan::{Given, Limit, Plan, Treatment};
use crate::strategy::{Belief, Curve, Lever, Resources, Response, Rule, Strategy, StrategySet};

pub const SPEND: GammaGamma = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };

/// The four models at parameters of the literature, in weeks.
pub fn models() -> [PurchaseParameters; 4] {
    let unit = Unit::Week;
    [
        BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426, unit }.into(),
        MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614, unit }.into(),
        ParetoNbd { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669, unit }.into(),
        Nbd { r: 0.385, alpha: 12.07, unit }.into(),
    ]
}

/// Customers of two tiers with histories of all kinds.
pub struct Company {
    pub frequency: Vec<u32>,
    pub recency_days: Vec<u32>,
    pub t_days: Vec<u32>,
    pub monetary_value: Vec<f64>,
    pub tier: Vec<u8>,
    pub hash: Vec<u64>,
}

impl Company {
    /// `n` customers.
    pub fn of(n: usize) -> Company {
        let pick = |i: usize, of: u64| hash_integer(i as u64 * 7 + of);
        let frequency: Vec<u32> = (0..n).map(|i| (pick(i, 1) % 9) as u32 / 2).collect();
        let t_days: Vec<u32> = (0..n).map(|i| 140 + 7 * (pick(i, 2) % 20) as u32).collect();
        let recency_days = (0..n)
            .map(|i| if frequency[i] == 0 { 0 } else { 1 + (pick(i, 3) % u64::from(t_days[i] - 1)) as u32 })
            .collect();
        let monetary_value =
            (0..n).map(|i| if frequency[i] == 0 { 0.0 } else { 10.0 + (pick(i, 4) % 50) as f64 }).collect();
        let tier = (0..n).map(|i| u8::from(frequency[i] < 2)).collect();
        let hash = (0..n).map(|i| hash_integer(i as u64)).collect();
        Company { frequency, recency_days, t_days, monetary_value, tier, hash }
    }

    /// One customer with a history.
    pub fn one(frequency: u32, recency_days: u32, t_days: u32, spend: f64, id: u64) -> Company {
        Company {
            frequency: vec![frequency],
            recency_days: vec![recency_days],
            t_days: vec![t_days],
            monetary_value: vec![spend],
            tier: vec![0],
            hash: vec![hash_integer(id)],
        }
    }

    pub fn population(&self) -> Population<'_> {
        Population {
            frequency: &self.frequency,
            recency_days: &self.recency_days,
            t_days: &self.t_days,
            monetary_value: &self.monetary_value,
            tier: &self.tier,
            tiers: 2,
            spend_over: OrderDays::Repeat,
            hash: &self.hash,
            opted_out: None,
        }
    }

    pub fn heads(&self) -> [u64; 2] {
        let of = |k: u8| self.tier.iter().filter(|&&tier| tier == k).count() as u64;
        [of(0), of(1)]
    }
}

/// Strategies that treat everybody: strategy k + 1 gives `doses[k]` of the only action, whose lifts at a dose of 1 are
/// `lifts`.
pub fn set(lifts: &[(Lever, f64)], doses: &[f64]) -> (StrategySet, Vec<Plan>) {
    let action = Action {
        name: "act".into(),
        kind: Kind::Own,
        description: String::new(),
        fixed_cost: 0.0,
        cost_on_contact: None,
        cost_on_response: 0.0,
        price_cut: 0.0,
        points: 0.0,
        breakage: Belief::fixed(0.0),
        cannibalisation: Belief::fixed(0.0),
        minutes_on_contact: 0.0,
        minutes_on_response: 0.0,
        stock_on_contact: 0.0,
        stock_on_response: 0.0,
        max_per_customer: None,
        max_customers: None,
    };
    let responses = (0..2)
        .flat_map(|tier| {
            lifts.iter().map(move |&(on, lift)| Response {
                action: 0,
                tier,
                on,
                curve: Curve::Power { scale: 1.0, exponent: 1.0 },
                effect: Belief::fixed(lift),
                over: None,
                halves: None,
                key: format!("act{tier}{}", on.name()),
            })
        })
        .collect();
    let nothing =
        Strategy { name: "do_nothing".into(), description: String::new(), rule: Rule::Nothing, budget: None };
    let strategies = std::iter::once(nothing.clone())
        .chain(doses.iter().map(|dose| Strategy { name: format!("dose {dose}"), ..nothing.clone() }))
        .collect();
    let set = StrategySet {
        file: String::new(),
        title: String::new(),
        currency: String::new(),
        horizon: Span::new(39.0, Period::Week).unwrap(),
        periods: 13,
        discount: None,
        margin: 0.5,
        resources: Resources::default(),
        new_customers: None,
        scheme: "value".into(),
        tiers: vec!["high".into(), "low".into()],
        actions: vec![action],
        responses,
        strategies,
        claims: Vec::new(),
    };
    let plans = std::iter::once(0.0).chain(doses.iter().copied()).map(plan).collect();
    (set, plans)
}

/// Everybody gets `money` of the only action; what that costs is of no interest here.
pub fn plan(money: f64) -> Plan {
    let gives = money > 0.0;
    Plan {
        treatments: if gives { vec![Treatment { action: 0, money }] } else { Vec::new() },
        given: Given::ByTier(vec![u8::from(gives); 2]),
        contacts: vec![vec![0; usize::from(gives)]; 2],
        fixed: Vec::new(),
        fixed_cost: 0.0,
        cost: 0.0,
        unspent: 0.0,
        minutes: 0.0,
        stock: 0.0,
        limited_by: Limit::Customers,
    }
}

/// One world of fixed parameters with so many futures.
pub fn futures(
    company: &Company,
    purchases: PurchaseParameters,
    (set, plans): &(StrategySet, Vec<Plan>),
    futures: usize,
) -> Outcome {
    let options = SimulateOptions { seed: 5, draw_responses: false, futures };
    let engine = Engine::new(company.population(), set, plans, options).unwrap();
    engine.run(&[Parameters { purchases, spend: SPEND }], &()).unwrap()
}

/// Mean and standard error over the futures of an outcome.
pub fn mean(outcome: &Outcome, of: impl Fn(usize) -> f64) -> (f64, f64) {
    let n = outcome.replications() as f64;
    let values: Vec<f64> = (0..outcome.replications()).map(of).collect();
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}
