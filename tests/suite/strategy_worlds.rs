//! A small version of `examples/study_strategies.rs`: intervals, verdicts and winners in worlds whose truth is known.

#[path = "../../examples/study_strategies/company.rs"]
mod company;
#[path = "../../examples/study_strategies/coverage.rs"]
mod coverage;
#[path = "../../examples/study_strategies/experiment.rs"]
mod experiment;

use tiercast::clv::ModelName;
use tiercast::parallel;

/// The study has 1,000 worlds of each model and 400 draws.
#[test]
fn intervals_hold_what_happens() {
    let request = coverage::Request { draws: 100, seed: 1 };
    for (model, name) in [(ModelName::ParetoNbd, "Pareto/NBD"), (ModelName::BgNbd, "BG/NBD")] {
        let found = parallel::map(10, |i| coverage::world(model, i as u32, request).unwrap().unwrap());
        let rows = coverage::rows(name, &found).unwrap();
        for strategy in 0..3 {
            // Nine of ten or more with a probability of 91 % each.
            assert!(coverage::happened(&found, strategy).within >= 8, "{rows}");
            assert!(coverage::expected(&found, strategy).within >= 8, "{rows}");
            assert!(coverage::surprise(&found, strategy).abs() < 4.0, "{rows}");
        }
    }
}

/// The study has 1,000 experiments.
#[test]
fn no_gain_is_declared_where_nothing_has_an_effect() {
    let request = experiment::Request { of_tier: 300, effects: experiment::NONE, worlds: 400, seed: 1 };
    let found = experiment::experiments(&request, 40).unwrap();
    let [verdicts, together, alone] = experiment::declared(&found);
    // At most 7 % are wanted.
    assert!(found.len() == 40 && verdicts <= 3, "{verdicts}");
    assert!(verdicts <= together && together <= alone, "{verdicts} {together} {alone}");
    let row = experiment::row("none", 300, &found);
    let of = experiment::winners(&found);
    assert!(of.in_sample.0 > 4.0 * of.in_sample.1 && of.in_choice.0 > 4.0 * of.in_choice.1, "{row}");
    // The other half has not chosen: what it is off by is what any strategy is off by.
    assert!((of.split.0 - of.unchosen.0).abs() < 3.5 * of.split.1, "{row}");
}
