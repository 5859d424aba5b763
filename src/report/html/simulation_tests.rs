use super::simulation_fixture::{found, simulation};
use super::tests::check_page;
use super::{Drawn, SimulationPage, render_simulation};
use crate::calendar::Day;
use crate::simulate::{Verdict, Winner};
use crate::strategy::Lever;
use crate::tier::opt_out::OptOutReport;

const SECTIONS: [&str; 12] = [
    "What each strategy gains",
    "Risk",
    "Tier by tier",
    "Who gets what",
    "Over the horizon",
    "What the gains rest on",
    "Claims",
    "Assumptions",
    "Built into the model",
    "How to read the intervals",
    "Warnings",
    "Configuration and provenance",
];

fn show(page: &SimulationPage) -> String {
    let html = render_simulation(page);
    check_page(&html, &SECTIONS);
    html
}

#[test]
fn the_page_is_whole_and_needs_nothing_else() {
    let made = simulation(str::to_string);
    let html = show(&made.page());
    // All customers and the key, three tiers, two fans and a tornado for each of three strategies.
    assert_eq!(html.matches("<svg class=\"chart\"").count(), 2 + 3 + 9);
    assert_eq!(html.matches("role=\"img\"").count(), html.matches("<title>").count() - 1);
    for part in [
        "discounted at 10%/yr",
        "Profit and its difference are discounted at 10%/yr; cost, orders and revenue are not",
        "New customers come at a steady rate: 120.0 per period of 30.44\u{a0}days (80.00 to\u{a0}170.0)",
        "BG/NBD takes every customer without a repeat purchase for alive",
        "unless an action brings them back",
        "winning them back brings nothing",
        "(each a draw of the models’ parameters and all that is believed)",
        "Chosen by one half of the contacts and valued by the other",
        "does not add up",
        "it cannot be: the tier would have to make more than all sales",
        "<td class=\"n\">−10.0\u{a0}%</td><td class=\"n\">+5.0\u{a0}%</td>",
        "the tier and all sales move in opposite directions",
        "with nobody else moving the tier alone would give +2.8\u{a0}% to +3.1\u{a0}%",
        "of the budget, the same money for each of a tier",
        "value from −100.0\u{a0}% to +250.0\u{a0}%",
        "it is that over the horizon and the discount of the command, not those of the strategy file",
        "net of cannibalisation: of what an action adds, the part that would have come in anyway is taken off.",
        // 6,000 of contacts, and 3 minutes for each of 23,570 at 0.05.
        "added up from what is paid upfront (9,536\u{a0}USD)",
        "inside its interval",
        "outside its interval",
        "<small>new customers</small>",
        ", measured over 12\u{a0}weeks<small>",
        "at most 60,000, 0.05\u{a0}USD per minute",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // With a path in this variable the page is written there, to be looked at.
    if let Some(path) = std::env::var_os("TIERCAST_SIMULATION_SAMPLE") {
        std::fs::write(path, html).unwrap();
    }
}

#[test]
fn what_the_strategy_file_leaves_out_is_said_to_be_left_out() {
    let mut made = simulation(str::to_string);
    made.set.new_customers = None;
    made.set.discount = None;
    made.set.responses.retain(|r| r.on != Lever::Reactivation);
    made.found = found(&made.set, &[10, 20, 30], &[1_000.0, 800.0, 300.0]);
    made.texts[0].1 = "MBG/NBD".into();
    let html = show(&SimulationPage { split_winners: None, claims: &[], sensitivity: &[], ..made.page() });
    for part in [
        ", not discounted.",
        "Nothing is discounted.",
        "none within the comparison of strategies",
        "Only the customers of this history are simulated",
        "makes no claim that could be held against the data",
        "It was not asked on which assumptions",
        "not learned by halves",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("BG/NBD takes every") && !html.contains("New customers come"));
    assert!(
        !html.contains("brought back")
            && !html.contains("brings them back")
            && !html.contains("discounted at")
    );
}

#[test]
fn nasty_names_do_not_break_out() {
    let made = simulation(|name| format!("<script>alert('{name}')</script> & \"co\" </td></svg>"));
    let html = show(&made.page());
    assert!(html.contains("&lt;script&gt;") && !html.contains("</td></svg>"));
    let mut claims = simulation(str::to_string);
    claims.found.claims[0].name = "<img x>".into();
    claims.found.sensitivity[0].bars[0].name = "</title><b>".into();
    let html = show(&claims.page());
    assert!(!html.contains("<img") && html.contains("&lt;/title&gt;"));
}

#[test]
fn the_headline_has_an_interval_and_says_what_does_not_hold() {
    let mut made = simulation(str::to_string);
    let answer = |made: &super::simulation_fixture::Simulation| {
        let html = show(&made.page());
        let (_, rest) = html.split_once("<div class=\"answer\">").unwrap();
        rest.split_once("</div>").unwrap().0.to_string()
    };
    for standing in &mut made.found.comparison.standings[1..] {
        (standing.verdict, standing.joint) = (Verdict::Undecided, (-750.0, 1_250.0));
    }
    made.found.comparison.winner =
        Some(Winner { strategy: 1, gain_in_choice: 90.0, gain_out_of_choice: -10.0, mc_error: 30.0 });
    made.found.split_winners[0].lower = -1.0;
    let undecided = answer(&made);
    assert!(
        undecided.contains("Undecided") && undecided.contains("95\u{a0}% interval −750.00 to\u{a0}+1,250")
    );
    // By name, since it need not be the strategy of the headline.
    let named = format!(
        "“{}” (undecided) has the highest mean of all; chosen by one half of the worlds and valued on the other, the best gains \
         −10.00 on average (numerical error ±30.00, one standard error), which cannot be told from 0.",
        made.set.strategies[1].name
    );
    assert!(undecided.contains(&named), "{undecided}");
    assert!(undecided.contains(" (95\u{a0}% interval −"), "{undecided}");
    assert!(undecided.contains("The gain is not sure to hold"));

    made.found.comparison.standings[2].verdict = Verdict::Gains;
    made.found.comparison.standings[2].joint = (10.0, 90.0);
    assert!(answer(&made).contains("over doing nothing (95\u{a0}% interval +10.00 to\u{a0}+90.00)"));
    for standing in &mut made.found.comparison.standings[1..] {
        standing.verdict = Verdict::Loses;
    }
    assert!(answer(&made).contains("Every strategy loses against doing nothing"));
}

#[test]
fn few_worlds_no_strategy_and_numbers_that_are_none_still_render() {
    let mut made = simulation(str::to_string);
    made.found.comparison.worlds = 3;
    let html = show(&made.page());
    assert!(
        html.contains("There are too few worlds to choose") && !html.contains("has the highest mean of all")
    );

    let mut none = simulation(str::to_string);
    for row in &mut none.found.comparison.rows {
        (row.difference.value, row.estimate.mean_lower) = (f64::NAN, f64::NEG_INFINITY);
    }
    for row in &mut none.found.comparison.periods {
        row.contribution_difference.mean_lower = f64::NAN;
        row.contribution_difference.upper = f64::INFINITY;
    }
    for standing in &mut none.found.comparison.standings {
        (standing.joint, standing.value_at_risk) = ((f64::NAN, f64::NAN), f64::NAN);
    }
    for bar in none.found.sensitivity.iter_mut().flat_map(|own| &mut own.bars) {
        (bar.gain_at_lower, bar.break_even) = (f64::NAN, Some(f64::NAN));
    }
    none.found.claims[0].share_needed = f64::INFINITY;
    show(&none.page());

    let mut alone = simulation(str::to_string);
    alone.set.strategies.truncate(1);
    alone.found = found_alone(&alone.set);
    assert!(show(&alone.page()).contains("There is no strategy to compare"));
}

/// Only doing nothing.
fn found_alone(set: &crate::strategy::StrategySet) -> super::simulation_fixture::Found {
    let mut all = simulation(str::to_string).found;
    all.comparison.strategies.truncate(1);
    all.comparison.plans.truncate(1);
    all.comparison.standings.truncate(1);
    all.comparison.rows.retain(|row| row.strategy == 0);
    all.comparison.periods.retain(|row| row.strategy == 0);
    all.comparison.winner = None;
    all.sensitivity.clear();
    all.split_winners.iter_mut().for_each(|split| split.strategy = 0);
    assert_eq!(set.strategies.len(), 1);
    all
}

/// The text of a section, from its heading on.
fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let (_, rest) = html.split_once(&format!("<section id=\"{id}\">")).unwrap();
    rest.split_once("</section>").unwrap().0
}

#[test]
fn what_is_held_is_in_no_interval_and_the_page_says_so() {
    let made = simulation(str::to_string);
    for (drawn, what, held) in [
        (
            Drawn { parameters: true, responses: false },
            "the models’ parameters",
            "All that is believed is held as stated",
        ),
        (
            Drawn { parameters: false, responses: true },
            "all that is believed",
            "The models’ parameters are held at their estimates",
        ),
    ] {
        let html = show(&SimulationPage { drawn, ..made.page() });
        for part in [
            &format!("(each a draw of {what})"),
            &format!("interval of the expected difference, over {what}, which"),
            &format!("(draws of {what})"),
            &format!("what is not known ({what}) and luck"),
            held,
        ] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("parameters and all that is believed"));
        assert_eq!(html.contains("each world draws its own"), drawn.responses);
        assert_eq!(html.contains("Each assumption is drawn on its own"), drawn.responses);
    }

    let mut one = simulation(str::to_string);
    one.found.comparison.worlds = 1;
    for standing in &mut one.found.comparison.standings[1..] {
        standing.verdict = Verdict::Undecided;
    }
    let nothing = Drawn { parameters: false, responses: false };
    let html = show(&SimulationPage { drawn: nothing, ..one.page() });
    for part in [
        "With the models’ parameters and all that is believed held at their values “",
        "without an interval, and no verdict",
        "(nothing is drawn)",
        "expectations are exact values at these and have no interval",
        "by luck alone",
        "Nothing is drawn, so there is one world",
        "Expectations have no interval here",
        "they are held at the medians",
    ] {
        assert!(html.contains(part), "{part}");
    }
    let whole = section(&html, "differences");
    assert!(
        !whole.contains("Thick bar")
            && !whole.contains("expectation −")
            && !whole.contains("Numerical error")
    );
    // P(gain) and P(best).
    let none = "<td class=\"n\">–</td><td class=\"n\">–</td></tr>";
    assert_eq!(whole.matches(none).count(), one.set.strategies.len(), "{whole}");
    assert!(!section(&html, "time").contains("expected") && !section(&html, "time").contains("Thick bar"));

    let html = show(&one.page());
    assert!(html.contains("Undecided: 1 world is too few for a verdict on any strategy (180 are needed)"));
    assert!(html.contains(
        "expectations are those of a single draw of the models’ parameters and all that is believed"
    ));
    one.found.comparison.worlds = 100;
    assert!(show(&one.page()).contains("Undecided: 100 worlds are too few for a verdict on any strategy"));
}

#[test]
fn the_models_leaving_is_said_as_it_is() {
    let mut made = simulation(str::to_string);
    let mut model = |name: &str| {
        made.texts[0].1 = format!("{name}: r 0.25");
        section(&show(&made.page()), "model").to_string()
    };
    let nbd = model("NBD");
    assert!(
        nbd.contains("never leave")
            && nbd.contains("change nothing here")
            && !nbd.contains("Who is brought back")
    );
    assert!(model("BG/NBD").contains("after any repeat purchase, unless"));
    let mbg = model("MBG/NBD");
    assert!(mbg.contains("the first included") && !mbg.contains("for alive"));
    assert!(model("Pareto/NBD").contains("until they leave for good, unless"));
}

#[test]
fn who_opted_out_and_over_which_horizon_lifetime_value_is() {
    let mut made = simulation(str::to_string);
    made.texts
        .extend([("horizon", "24mo"), ("discount", "8%/yr")].map(|(k, v)| (k.to_string(), v.to_string())));
    let opt_out = OptOutReport { lines: 3, date: Day(10_407), customers: 2_357, remarks: Vec::new() };
    let html = show(&SimulationPage { opt_out: Some(&opt_out), ..made.page() });
    assert!(
        html.contains("2,357\u{a0}customers have opted out by ") && html.contains("(10.0\u{a0}% of all)")
    );
    assert!(html.contains("of the command (horizon 24mo, discount 8%/yr), not those"));
    assert!(!show(&made.page()).contains("opted out by"));
}
