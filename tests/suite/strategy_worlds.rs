//! A small version of `examples/study_strategies.rs`: intervals, verdicts and winners in worlds whose truth is known.

#[path = "../../examples/study_strategies/company.rs"]
mod company;
#[path = "../../examples/study_strategies/coverage.rs"]
mod coverage;
#[path = "../../examples/study_strategies/experiment.rs"]
mod experiment;

use tiercast::clv::ModelName;
use tiercast::parallel;

/// The study has 1,000 to 1,500 customers, hundreds of worlds of each model and 400 draws.
#[test]
fn intervals_hold_what_happens() {
    let request = coverage::Request { customers: (100, 103), draws: 40, seed: 1 };
    for (model, name) in [(ModelName::ParetoNbd, "Pareto/NBD"), (ModelName::BgNbd, "BG/NBD")] {
        let found = parallel::map(3, |i| coverage::world(model, i as u32, request).unwrap().unwrap());
        assert!(found.iter().all(|of| of.trusted));
        let rows = coverage::rows(name, &found).unwrap();
        for strategy in 0..3 {
            // Two of three or more with a probability of more than 99 % each.
            assert!(coverage::happened(&found, strategy).within >= 2, "{rows}");
            assert!(coverage::expected(&found, strategy).within >= 2, "{rows}");
            assert!(coverage::surprise(&found, strategy).abs() < 6.0, "{rows}");
        }
    }
}

/// The study has 1,000 experiments of each size.
#[test]
fn no_gain_is_declared_where_nothing_has_an_effect() {
    let request = experiment::Request { of_tier: 200, effects: experiment::NONE, worlds: 180, seed: 1 };
    let found = experiment::experiments(&request, 6).unwrap();
    let [verdicts, together, alone] = experiment::declared(&found);
    // At most 7 % are wanted.
    assert!(found.len() == 6 && verdicts <= 1, "{verdicts}");
    assert!(verdicts <= together && together <= alone, "{verdicts} {together} {alone}");
    let row = experiment::row("none", 200, &found);
    let of = experiment::winners(&found);
    assert!(of.in_sample.0 > 2.0 * of.in_sample.1 && of.in_choice.0 > 2.0 * of.in_choice.1, "{row}");
    // The other half has not chosen: what it is off by is what any strategy is off by.
    assert!((of.split.0 - of.unchosen.0).abs() < 3.5 * of.split.1, "{row}");
}
