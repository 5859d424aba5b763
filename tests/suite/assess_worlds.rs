//! P(tier) and regret in worlds whose truth is known.

use std::borrow::Cow;

use tiercast::calendar::{Day, Unit};
use tiercast::clv::own_value::{Histories, Models, OwnValues};
use tiercast::clv::{
    BgNbd, GammaGamma, MbgNbd, ModelName, ParetoNbd, Patterns, PurchaseModel, Scorer, ValueOptions,
};
use tiercast::customers::OrderDays;
use tiercast::recovery::own_truth::{FirstOrder, KnownCustomers, WorldParameters};
use tiercast::tier::columns::Loaded;
use tiercast::tier::judge::{Division, Ranked, Sureness, SurenessOptions, sureness};
use tiercast::tier::rules::{Kind, Measure};
use tiercast::tier::{Columns, Graded, SchemeFile, builtin};

/// Tiers by what is left of a customer, its state and its amounts, with a column that is no figure of a model beside them.
const MIXED: &str = r#"
scheme = "mixed"
title = "Mixed"
[let]
big = "top(expected_spend, 30%)"
[[tier]]
name = "core"
when = "p_alive > 0.6 and clv >= top(clv, 20%)"
[[tier]]
name = "rich"
when = "expected_spend >= big and total_spend > 0"
[[tier]]
name = "others"
default = true
"#;

fn model_of(world: &WorldParameters) -> Box<dyn PurchaseModel> {
    let [r, alpha, a, b] = world.purchases[..] else { panic!() };
    let unit = Unit::Week;
    match world.model {
        ModelName::BgNbd => Box::new(BgNbd { r, alpha, a, b, unit }),
        ModelName::MbgNbd => Box::new(MbgNbd { r, alpha, a, b, unit }),
        _ => Box::new(ParetoNbd { r, alpha, s: a, beta: b, unit }),
    }
}

fn value() -> ValueOptions {
    ValueOptions { horizon: "12mo".parse().unwrap(), discount: "10%/yr".parse().unwrap(), margin: 0.5 }
}

struct Judged {
    codes: Vec<u8>,
    tiers: usize,
    truth: Vec<u8>,
    /// Of two independent runs.
    sureness: [Sureness; 2],
}

/// Everything of one world by schemes: tiers by the rules, tiers by the truth, P(tier) twice.
fn judge(
    customers: &KnownCustomers,
    world: &WorldParameters,
    schemes: &[SchemeFile],
    draws: u32,
) -> Vec<Judged> {
    let model = model_of(world);
    let [p, q, gamma] = world.spend;
    let spend = GammaGamma { p, q, gamma };
    let scores =
        Scorer::new(model.as_ref(), Some(&spend), value()).score(&customers.statistics, &()).unwrap();
    let n = customers.hash.len();
    let mut columns = Columns::new(n, Day(0));
    for (name, measure, values) in [
        ("p_alive", Measure::Share, &scores.p_alive),
        ("expected_spend", Measure::Money, &scores.expected_spend),
        ("clv", Measure::Money, &scores.clv),
        ("total_spend", Measure::Money, &customers.total_spend),
    ] {
        columns.push(name, Kind::Number(measure), Loaded::Numbers(Cow::Borrowed(values)));
    }
    let graded: Vec<Graded<'_>> = schemes
        .iter()
        .map(|scheme| {
            let ready = scheme.ready(&columns).unwrap();
            ready.grade_rows(&customers.total_spend, |i| i.to_string()).unwrap()
        })
        .collect();
    let all: Vec<&Graded<'_>> = graded.iter().collect();
    let statistics = &customers.statistics;
    let patterns =
        Patterns::from_times(&statistics.frequency, &statistics.recency_days, &statistics.t_days).unwrap();
    let histories = Histories { statistics, patterns: &patterns, hash: &customers.hash };
    let models = [Models { purchases: model.as_ref(), spend: Some(&spend) }];
    let run = |seed: u64| {
        let own = OwnValues::new(&value(), Unit::Week, OrderDays::Repeat, seed);
        sureness(&all, histories, &own, &models, SurenessOptions { draws }, &|i| i.to_string(), &()).unwrap()
    };
    let (one, two) = (run(11), run(12));
    graded
        .iter()
        .zip(one.into_iter().zip(two))
        .map(|(graded, (one, two))| Judged {
            codes: graded.tiering.codes.clone(),
            tiers: graded.tiering.tiers.len(),
            truth: graded
                .scheme()
                .tiers_with(0..n, &customers.truth())
                .into_iter()
                .map(Option::unwrap)
                .collect(),
            sureness: [one, two],
        })
        .collect()
}

/// In ten bins of P(tier) as many customers belong to the tier by their true rates as P(tier) says, within 3 standard errors.
/// Bins are made by one run of draws and means taken of another, so that the draws' own noise moves nobody into a bin.
#[test]
fn probabilities_of_tiers_are_calibrated_and_regret_is_the_true_one() {
    const DRAWS: u32 = 120;
    let schemes = [
        builtin::scheme_file("clv").unwrap(),
        builtin::scheme_file("vip").unwrap(),
        builtin::scheme_file("potential").unwrap(),
        SchemeFile::parse("mixed.toml", MIXED).unwrap(),
    ];
    for (number, model) in [ModelName::BgNbd, ModelName::MbgNbd, ModelName::ParetoNbd].into_iter().enumerate()
    {
        let world = WorldParameters::drawn(model, 5, number as u32);
        let customers = KnownCustomers::drawn(&world, 6000, &value(), FirstOrder::Apart, (5, number as u32));
        for (scheme, judged) in schemes.iter().zip(judge(&customers, &world, &schemes, DRAWS)) {
            let [one, two] = &judged.sureness;
            // (expected, variance, true) by bin.
            let mut bins = [(0.0f64, 0.0f64, 0.0f64); 10];
            for (i, &truth) in judged.truth.iter().enumerate() {
                let mut all = 0.0;
                for tier in 0..judged.tiers {
                    let p = two.probability(i, tier);
                    all += p;
                    let bin = &mut bins[((one.probability(i, tier) * 10.0) as usize).min(9)];
                    bin.0 += p;
                    bin.1 += p * (1.0 - p) * (1.0 + 1.0 / f64::from(DRAWS));
                    bin.2 += f64::from(u8::from(usize::from(truth) == tier));
                }
                assert!((all - 1.0).abs() < 1e-12);
            }
            for (k, (expected, variance, found)) in bins.into_iter().enumerate() {
                let error = variance.sqrt().max(0.5);
                assert!(
                    (found - expected).abs() <= 3.0 * error,
                    "{model:?}, {}: bin {k}: {found} customers, {expected:.1} ± {error:.1} expected",
                    scheme.key
                );
            }
            // What is lost against the truth, one customer after the other.
            let (ranked, division) = (
                Ranked::new(customers.clv.clone()),
                Division::new(&judged.codes, judged.tiers, &customers.clv),
            );
            for (at, cut) in division.cuts(&ranked).into_iter().enumerate() {
                let inside = |i: &usize| usize::from(judged.codes[*i]) <= at;
                let held: f64 = (0..judged.codes.len()).filter(inside).map(|i| customers.clv[i]).sum();
                let mut best = customers.clv.clone();
                best.sort_by(|a, b| b.total_cmp(a));
                let best: f64 = best[..cut.customers as usize].iter().sum();
                assert!((cut.regret - (best - held)).abs() <= 1e-9 * best, "{cut:?} {held} {best}");
                // The regret that draws expect, without knowing the truth, is near.
                let drawn: Vec<f64> = one.cuts.iter().chain(&two.cuts).map(|cuts| cuts[at].regret).collect();
                let n = drawn.len() as f64;
                let mean = drawn.iter().sum::<f64>() / n;
                let sd = (drawn.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n).sqrt();
                assert!((cut.regret - mean).abs() < 4.0 * sd, "{}: {} {mean} ± {sd}", scheme.key, cut.regret);
            }
        }
    }
}
