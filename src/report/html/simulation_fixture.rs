//! A plausible comparison for tests, without a simulation; and a strategy file that uses everything.

use crate::calendar::Day;
use crate::simulate::{
    Bar, ClaimCheck, Comparison, Estimate, Metric, NEW_CUSTOMERS, PeriodRow, Row, Sensitivity, SplitWinner,
    Standing, Verdict, Winner,
};
use crate::strategy::action::Kind;
use crate::strategy::file::StrategyFile;
use crate::strategy::plan::{Given, Limit};
use crate::strategy::response::Half;
use crate::strategy::{BUNDLED, Belief, Curve, Lever, Plan, Response, Source, StrategySet, Treatment};

use super::{Drawn, SimulationPage};

/// What a page says of strategies.
pub(in crate::report) struct Found {
    pub comparison: Comparison,
    pub sensitivity: Vec<Sensitivity>,
    pub split_winners: [SplitWinner; 2],
    pub claims: Vec<ClaimCheck>,
}

fn fixed(x: f64) -> Estimate {
    Estimate { value: x, lower: x, upper: x, mean_lower: x, mean_upper: x, mc_error: 0.0 }
}

fn around(x: f64, known: f64, all: f64) -> Estimate {
    Estimate {
        value: x,
        lower: x - all,
        upper: x + 1.1 * all,
        mean_lower: x - known,
        mean_upper: x + 1.05 * known,
        mc_error: all / 40.0,
    }
}

/// Every strategy but the first treats everybody: the second one all alike, the others with most of the money in the first
/// tier.
fn plan(set: &StrategySet, s: usize, customers: &[u64]) -> Plan {
    let budget = set.strategies[s].budget.unwrap_or(6000.0);
    let mut plan = Plan {
        treatments: Vec::new(),
        given: Given::ByTier(vec![0; customers.len()]),
        contacts: vec![Vec::new(); customers.len()],
        fixed: Vec::new(),
        fixed_cost: 0.0,
        cost: 0.0,
        unspent: 0.0,
        minutes: 0.0,
        stock: 0.0,
        limited_by: Limit::Budget,
    };
    if s == 0 {
        return plan;
    }
    let action = (s - 1) % set.actions.len();
    plan.fixed_cost = set.actions[action].fixed_cost;
    plan.fixed = vec![(action, plan.fixed_cost)];
    let weight = |k: usize| if s == 1 { customers[k] as f64 } else { [0.5, 0.35, 0.15][k] };
    let all = (0..customers.len()).map(weight).sum::<f64>().max(1.0);
    for (k, &heads) in customers.iter().enumerate() {
        let money = (budget - plan.fixed_cost) * weight(k) / all / heads.max(1) as f64;
        plan.treatments.push(Treatment { action, money });
    }
    for (k, contacts) in plan.contacts.iter_mut().enumerate() {
        contacts.extend((0..customers.len()).map(|of| if of == k { customers[k] } else { 0 }));
    }
    plan.given = Given::ByTier((1..=customers.len() as u8).collect());
    plan.cost = plan.fixed_cost + (0..customers.len()).map(|k| plan.contact_cost(k)).sum::<f64>();
    plan.unspent = budget - plan.cost;
    plan.minutes = customers.iter().sum::<u64>() as f64 * set.actions[action].minutes_on_contact;
    plan
}

/// Customers with these heads and values by tier under all strategies of the set; new customers where it has some.
pub(in crate::report) fn found(set: &StrategySet, customers: &[u64], worth: &[f64]) -> Found {
    let plans: Vec<Plan> = (0..set.strategies.len()).map(|s| plan(set, s, customers)).collect();
    let mut tiers = set.tiers.clone();
    tiers.extend(set.new_customers.as_ref().map(|_| NEW_CUSTOMERS.to_string()));
    let (mut rows, mut periods, mut gains) = (Vec::new(), Vec::new(), Vec::new());
    for (s, plan) in plans.iter().enumerate() {
        let contacted = (0..customers.len()).map(|k| plan.contacted(k) as f64).sum::<f64>();
        for tier in std::iter::once(None).chain((0..tiers.len()).map(Some)) {
            let there = customers.len();
            let of = |f: &dyn Fn(usize) -> f64| match tier {
                None => (0..there).map(f).sum(),
                Some(k) if k < there => f(k),
                Some(_) => 0.0,
            };
            let lift = of(&|k| {
                let money = plan.treatments.get(k).map_or(0.0, |treatment| treatment.money);
                worth[k] * [0.08, 0.2, 0.1][k] * (1.0 - (-money / 0.6).exp())
            });
            let (heads, worth) = (of(&|k| customers[k] as f64), of(&|k| worth[k]));
            let share = if tier.is_none() { plan.fixed_cost } else { 0.0 };
            let minutes = |k: usize| plan.minutes * plan.contacted(k) as f64 / contacted.max(1.0);
            let cost = share + of(&|k| plan.contact_cost(k) + set.resources.minute_cost * minutes(k));
            let (luck, gained) = (0.02 * worth + 20.0, set.margin * lift - cost);
            let paired =
                |x: f64, known: f64| if s == 0 { fixed(0.0) } else { around(x, known, known + 0.05 * luck) };
            let profit = around(set.margin * (worth + lift) - cost, 0.02 * worth, 0.03 * worth + luck);
            let gain = paired(gained, 0.2 * lift);
            let mut push = |metric, estimate, difference| {
                rows.push(Row { strategy: s, tier, metric, estimate, difference });
            };
            push(Metric::Customers, fixed(heads), fixed(0.0));
            push(Metric::Cost, fixed(cost), fixed(cost));
            let orders = around(worth / 35.0, worth / 700.0, worth / 400.0);
            push(Metric::Orders, orders, paired(lift / 35.0, lift / 70.0));
            let revenue = around(worth + lift, 0.05 * worth, 0.06 * worth + luck);
            push(Metric::Revenue, revenue, paired(lift, 0.7 * lift));
            push(Metric::Profit, profit, gain);
            if cost > 0.0 {
                push(Metric::Roi, fixed(gained / cost), fixed(gained / cost));
            }
            if tier.is_none() {
                gains.push(gain);
            }
            let n = set.periods as f64;
            periods.extend((1..=set.periods).map(|period| {
                // The lift fades.
                let part = 2.0 * (n - period as f64 + 0.5) / (n * n);
                PeriodRow {
                    strategy: s,
                    tier,
                    period,
                    orders: around(worth / 35.0 / n, worth / 700.0, worth / 400.0),
                    revenue: around(worth / n, 0.05 * worth / n, 0.06 * worth / n),
                    contribution: around(set.margin * worth / n, 0.02 * worth / n, 0.03 * worth / n),
                    orders_difference: paired(part * lift / 35.0, part * lift / 70.0),
                    revenue_difference: paired(part * lift, 0.7 * part * lift),
                    contribution_difference: paired(part * set.margin * lift, 0.7 * part * set.margin * lift),
                }
            }));
        }
    }
    let strategies: Vec<String> = set.strategies.iter().map(|s| s.name.clone()).collect();
    let sensitivity = (1..plans.len()).map(|s| sensitivity(set, s, gains[s].value)).collect();
    let winner =
        (1..plans.len()).fold(1, |best, s| if gains[s].value > gains[best].value { s } else { best });
    let split = |strategy: usize| SplitWinner {
        strategy,
        gain_in_choice: 1.2 * gains[strategy].value,
        gain: 0.8 * gains[strategy].value,
        lower: gains[strategy].mean_lower,
        upper: gains[strategy].mean_upper,
    };
    let claim = |name: &str, tier: usize, lift, sales, share| {
        ClaimCheck::new((name.to_string(), set.tiers[tier].clone()), (lift, sales), share, 0.9 * share)
    };
    Found {
        split_winners: [split(winner), split(1)],
        claims: vec![
            claim("VIP repurchase +30 % gave +20 % sales", 0, 0.3, 0.2, 0.58),
            claim("the middle gives 2 %", 1, 0.1, 0.02, 0.31),
            claim("the low tier doubles sales", 2, 0.5, 1.0, 0.1),
            claim("VIPs +10 % gave +6 %", 0, 0.1, 0.06, 0.58),
            claim("fewer VIPs, more sales", 0, -0.1, 0.05, 0.58),
        ],
        sensitivity,
        comparison: Comparison {
            standings: gains.iter().enumerate().map(|(s, gain)| standing(s, gain)).collect(),
            winner: Some(Winner {
                strategy: winner,
                gain_in_choice: gains[winner].value + 30.0,
                gain_out_of_choice: gains[winner].value - 25.0,
                mc_error: 40.0,
            }),
            strategies,
            tiers,
            replications: 800,
            worlds: 400,
            plans,
            rows,
            periods,
        },
    }
}

fn standing(s: usize, gain: &Estimate) -> Standing {
    let wide = 0.2 * (gain.mean_upper - gain.mean_lower);
    let joint = (gain.mean_lower - wide, gain.mean_upper + wide);
    let verdict = match joint {
        _ if s == 0 => Verdict::Baseline,
        (low, _) if low > 0.0 => Verdict::Gains,
        (_, high) if high < 0.0 => Verdict::Loses,
        _ => Verdict::Undecided,
    };
    Standing {
        verdict,
        joint,
        p_best: [0.11, 0.07, 0.71, 0.11][s.min(3)],
        p_gain: if gain.value > 0.0 { 0.83 } else { 0.21 },
        value_at_risk: -0.9 * gain.lower,
        worst_mean: 1.05 * gain.lower,
        p_over_budget: Some(if s == 2 { 0.062 } else { 0.0 }),
    }
}

fn sensitivity(set: &StrategySet, strategy: usize, gain: f64) -> Sensitivity {
    let mut bars: Vec<Bar> = set
        .assumed()
        .into_iter()
        .enumerate()
        .filter_map(|(i, of)| {
            let belief = set.belief(of).filter(|belief| belief.lower < belief.upper)?;
            let swing = (gain.abs() + 200.0) / (1.0 + i as f64);
            Some(Bar {
                name: set.assumed_name(of),
                value: belief.value,
                lower: belief.lower,
                upper: belief.upper,
                source: belief.source,
                gain_at_lower: gain - swing,
                gain_at_upper: gain + 0.9 * swing,
                break_even: (i < 2).then(|| belief.value - gain / swing * (belief.value - belief.lower)),
                searched: (-1.0, 2.5),
            })
        })
        .collect();
    bars.sort_by(|a, b| b.swing().total_cmp(&a.swing()));
    Sensitivity { strategy, gain, bars }
}

/// A strategy file that uses everything, its names made by `name`.
pub(in crate::report) fn rich_set(name: impl Fn(&str) -> String) -> StrategySet {
    let known = vec![("value".to_string(), ["high", "mid", "low"].map(String::from).to_vec())];
    let mut set =
        StrategySet::new("fixture", StrategyFile::parse("fixture", BUNDLED).unwrap(), &known).unwrap();
    let belief =
        |value: f64, lower, upper, source| Belief { value, lower, upper, source, note: name("as asked") };
    let mut cut = set.actions[0].clone();
    (cut.name, cut.kind, cut.description) =
        (name("price cut"), Kind::Promotion, name("10 % less on every order"));
    (cut.price_cut, cut.fixed_cost, cut.max_per_customer) = (0.1, 400.0, None);
    cut.cost_on_contact = Some(1.5);
    cut.cannibalisation = belief(0.2, 0.1, 0.35, Source::Elicited);
    let own = &mut set.actions[0];
    (own.name, own.kind) = (name("letters"), Kind::Gift);
    (own.cost_on_response, own.points, own.minutes_on_contact) = (0.8, 0.02, 3.0);
    (own.stock_on_response, own.max_customers) = (1.0, Some(12_000));
    own.breakage = belief(0.3, 0.2, 0.45, Source::Assumption);
    set.actions.push(cut);
    let response = |tier: usize, on, curve, (value, lower, upper), source| Response {
        action: 1,
        tier,
        on,
        curve,
        effect: belief(value, lower, upper, source),
        over: (source == Source::Experiment).then(|| "12w".parse().unwrap()),
        halves: (source == Source::Experiment)
            .then(|| [0.9, 1.1].map(|by| Half { effect: by * value, lower, upper })),
        key: format!("1 {tier} {}", on.name()),
    };
    let table = Curve::Table { points: vec![(0.0, 0.0), (0.1, 0.6), (0.2, 1.0)] };
    set.responses.extend([
        response(0, Lever::PurchaseRate, Curve::Logit { base: 0.2 }, (4.0, -1.0, 9.0), Source::Experiment),
        response(
            1,
            Lever::Dropout,
            Curve::Hill { scale: 0.1, exponent: 2.0 },
            (-0.2, -0.4, 0.0),
            Source::Elicited,
        ),
        response(2, Lever::Reactivation, table, (0.05, 0.01, 0.09), Source::Assumption),
        response(2, Lever::Spend, Curve::Constant, (0.02, -0.01, 0.05), Source::Assumption),
    ]);
    set.title = name("What should be done next year?");
    set.currency = name("USD");
    set.tiers = set.tiers.iter().map(|tier| name(tier)).collect();
    for strategy in &mut set.strategies[1..] {
        (strategy.name, strategy.description) = (name(&strategy.name), name(&strategy.description));
    }
    set.strategies[3].budget = None;
    set.discount = Some("10%/yr".parse().unwrap());
    set.new_customers = Some(belief(120.0, 80.0, 170.0, Source::Elicited));
    set.resources.minutes = Some(60_000.0);
    set.resources.minute_cost = 0.05;
    set.resources.stock_cost = 3.0;
    set
}

/// What a page of a simulation refers to.
pub(super) struct Simulation {
    pub set: StrategySet,
    pub found: Found,
    pub texts: Vec<(String, String)>,
    pub warnings: Vec<String>,
}

/// A simulation whose every name is made by `name`.
pub(super) fn simulation(name: impl Fn(&str) -> String) -> Simulation {
    let set = rich_set(&name);
    let found = found(&set, &[2_100, 6_300, 15_170], &[310_000.0, 240_000.0, 130_000.0]);
    let texts = [
        ("model", "BG/NBD, fitted to 23,570 customers"),
        ("spend", "Gamma-Gamma, fitted to 11,516 customers"),
        ("draws", "400 of the posterior, worth 391 independent ones"),
    ];
    Simulation {
        found,
        set,
        texts: texts.map(|(key, value)| (name(key), value.to_string())).into(),
        warnings: vec![name("a strategy sets prices by tier")],
    }
}

impl Simulation {
    pub(super) fn page(&self) -> SimulationPage<'_> {
        SimulationPage {
            title: "",
            version: "0.1.0",
            seed: 1,
            currency: &self.set.currency,
            set: &self.set,
            comparison: &self.found.comparison,
            drawn: Drawn::ALL,
            opt_out: None,
            sensitivity: &self.found.sensitivity,
            split_winners: Some(&self.found.split_winners),
            claims: &self.found.claims,
            warnings: &self.warnings,
            config: &self.texts,
            begins: Day(10_407),
            model: &self.texts,
        }
    }
}
