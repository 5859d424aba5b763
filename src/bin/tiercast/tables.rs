//! The short tables of a run and of an inspection.

use tiercast::calendar::Day;
use tiercast::clv::validate::Figure;
use tiercast::customers::ListReport;
use tiercast::history::{Inspection, JoinReport, Unmatched};
use tiercast::pipeline::{ModelChoice, Run, Simulated};
use tiercast::report::format::{NONE, count, interval, money, number, percent, signed, significant};
use tiercast::simulate::{ClaimVerdict, Comparison, Metric};
use tiercast::strategy::{Source, StrategySet};

use crate::render::Grid;

/// Files of a history.
pub fn files(inspection: &Inspection) -> String {
    let mut grid = Grid::new("Files", &["file", ">rows", ">row groups", ">bytes", "compression"]);
    for file in &inspection.files {
        grid.row(vec![
            file.name.clone(),
            count(file.rows),
            count(file.row_groups as u64),
            count(file.bytes),
            file.compression.clone(),
        ]);
    }
    grid.text()
}

/// What each column is taken for.
pub fn columns(inspection: &Inspection) -> String {
    let mut grid = Grid::new("Columns", &["column", "type", "taken for"]);
    let roles = inspection.columns.roles();
    for (name, kind) in inspection.files.iter().take(1).flat_map(|file| &file.schema) {
        let mut taken: Vec<&str> =
            roles.iter().filter(|(_, column)| column.name == *name).map(|(role, _)| *role).collect();
        taken.extend((inspection.source.as_ref() == Some(name)).then_some("source"));
        grid.row(vec![name.clone(), kind.clone(), taken.join(", ")]);
    }
    grid.text()
}

/// The customers in a few figures.
pub fn customers(run: &Run) -> String {
    let table = &run.summary.table;
    let repeaters = table.frequency.iter().filter(|&&x| x > 0).count() as u64;
    let mut grid = Grid::new("Customers", &["", ">"]);
    let mut line = |what: &str, value: String| {
        grid.row(vec![what.to_string(), value]);
    };
    line("customers", count(table.len() as u64));
    line("of them with a repeat purchase", count(repeaters));
    line("observed up to", table.window.calibration_end.to_string());
    if table.window.has_holdout() {
        line("holdout up to", table.window.as_of.to_string());
    }
    line("total spend", money(table.total_spend.iter().sum()));
    line("Gini coefficient of spend", significant(run.concentration.gini, 3));
    if let Some((_, list)) = &run.list {
        line("prospects: in the list, without an order", count(list.counts.prospects));
        line("customers not in the list", count(list.counts.not_listed));
    }
    let mut text = grid.text();
    if let Some(top) = run.concentration.top.iter().find(|t| t.customers == 0.2) {
        // Directly under the table, before its closing empty line.
        text.truncate(text.len() - 1);
        text.push_str(&format!("{}\n\n", top.sentence()));
    }
    text
}

/// How the customers list and those who ordered go together.
pub fn customer_list(list: &ListReport) -> String {
    let mut grid = Grid::new("Customers list", &["", ">count"]);
    for (what, n) in [
        ("customers in the list", list.counts.matched),
        ("customers not in the list", list.counts.not_listed),
        ("prospects: in the list, without an order", list.counts.prospects),
        ("rows of the list without an id", list.null_ids),
    ] {
        grid.row(vec![what.to_string(), count(n)]);
    }
    grid.text()
}

/// What became of the ids of each source.
pub fn id_map(join: &JoinReport) -> String {
    let not_found = match join.unmatched {
        Unmatched::Aside => ">not in it: ids",
        Unmatched::Keep => ">not in it, kept: ids",
    };
    let columns =
        ["source", ">in the map: ids", ">rows", not_found, ">rows", ">several customers: ids", ">rows"];
    let mut grid = Grid::new(format!("Ids by {}", join.map.file), &columns);
    for (name, counts) in &join.sources {
        let each = [counts.matched, counts.unmatched, counts.ambiguous];
        let figures = each.into_iter().flat_map(|of| [count(of.ids), count(of.rows)]);
        grid.row(std::iter::once(name.clone()).chain(figures).collect());
    }
    grid.text()
}

/// Parameters and verdicts of the models.
pub fn models(run: &Run) -> String {
    let mut grid =
        Grid::new("Lifetime models", &["model", "parameter", ">estimate", ">standard error", "verdict"]);
    for report in [run.purchases.report(), &run.spend.report] {
        let verdict = format!("{}, LL {}", report.verdict.sentence(), log_likelihood(report.log_likelihood));
        if report.parameters.is_empty() {
            grid.row(vec![report.model.into(), String::new(), String::new(), String::new(), verdict.clone()]);
        }
        for (i, parameter) in report.parameters.iter().enumerate() {
            grid.row(vec![
                if i == 0 { report.model.into() } else { String::new() },
                parameter.name.into(),
                significant(parameter.estimate, 6),
                parameter.standard_error.map_or("unknown".into(), |e| significant(e, 3)),
                if i == 0 { verdict.clone() } else { String::new() },
            ]);
        }
    }
    choice(&run.model) + &grid.text()
}

/// Which model of purchases is used, and why.
fn choice(choice: &ModelChoice) -> String {
    let Some(holdout) = choice.holdout.as_ref().filter(|holdout| !holdout.models.is_empty()) else {
        return format!("Model of purchases\n{}\n\n", choice.reason);
    };
    let title = format!(
        "Model of purchases: the holdout from {} to {}, {} of {} customers",
        Day(holdout.window.calibration_end.0 + 1),
        holdout.window.as_of,
        count(holdout.judged),
        count(holdout.customers),
    );
    let columns = ["model", ">RMSE", ">95 %", ">difference", ">95 %", ""];
    let mut grid = Grid::new(title, &columns);
    let show = |value: f64| number(value, 4);
    let ends = |figure: Figure| match (figure.lower, figure.upper) {
        (Some(lower), Some(upper)) => interval(lower, upper, show),
        _ => NONE.to_string(),
    };
    for judged in &holdout.models {
        grid.row(vec![
            judged.model.title().to_string(),
            show(judged.rmse.value),
            ends(judged.rmse),
            judged.difference.map_or(String::new(), |figure| show(figure.value)),
            judged.difference.map_or(String::new(), ends),
            if judged.model == choice.used { "used".to_string() } else { String::new() },
        ]);
    }
    let mut text = grid.text();
    // Directly under the table, before its closing empty line.
    text.truncate(text.len() - 1);
    text + &format!("{}\n\n", choice.reason)
}

fn log_likelihood(value: Option<f64>) -> String {
    value.map_or("none".into(), |v| format!("{v:.3}"))
}

/// Tiers by every scheme.
pub fn tiers(run: &Run) -> String {
    let mut text = String::new();
    for tiering in &run.tierings {
        let columns = ["tier", ">customers", ">share", ">spend", ">share of spend", "rule"];
        let mut grid = Grid::new(format!("Tiers by {}", tiering.key), &columns);
        for tier in &tiering.tiers {
            grid.row(vec![
                tier.name.clone(),
                count(tier.customers),
                percent(tier.share_of_customers),
                money(tier.spend),
                percent(tier.share_of_spend),
                tier.rule.clone(),
            ]);
        }
        text.push_str(&grid.text());
    }
    text
}

/// Strategies side by side, and what the intervals are.
pub fn strategies(run: &Run) -> String {
    let (Some(set), Some(simulated)) = (&run.strategies, &run.simulated) else { return String::new() };
    strategies_of(set, &simulated.comparison, run.begins())
}

/// A comparison with what it rests on: strategies, risk, break-evens, winners of halves, claims.
pub fn simulated(set: &StrategySet, simulated: &Simulated, begins: Day) -> String {
    let comparison = &simulated.comparison;
    let mut text = strategies_of(set, comparison, begins);
    let columns = [
        "strategy",
        ">P(gain)",
        "95 %, all strategies together",
        ">loss in the worst 5 %, at least",
        ">on average",
        ">over budget",
    ];
    let mut grid = Grid::new("How sure, and how bad it can be (a loss below 0 is a gain)", &columns);
    for (name, standing) in comparison.strategies.iter().zip(&comparison.standings).skip(1) {
        grid.row(vec![
            name.clone(),
            share(comparison, standing.p_gain),
            interval(standing.joint.0, standing.joint.1, signed),
            money(standing.value_at_risk),
            money(-standing.worst_mean),
            standing.p_over_budget.map_or(NONE.to_string(), percent),
        ]);
    }
    text += &grid.text();
    let columns = [
        "strategy",
        "assumption",
        ">stated",
        "its interval",
        "source",
        ">gain at its ends",
        "",
        ">gains nothing at",
    ];
    let mut grid = Grid::new("What the gains rest on (at the models' estimates)", &columns);
    for own in &simulated.sensitivity {
        for bar in own.bars.iter().take(MOST_BARS) {
            grid.row(vec![
                comparison.strategies[own.strategy].clone(),
                bar.name.clone(),
                significant(bar.value, 3),
                interval(bar.lower, bar.upper, |v| significant(v, 3)),
                bar.source.name().to_string(),
                signed(bar.gain_at_lower),
                signed(bar.gain_at_upper),
                bar.break_even.map_or(NONE.to_string(), |value| significant(value, 3)),
            ]);
        }
    }
    text += &grid.text();
    for (half, winner) in ["first", "second"].iter().zip(simulated.split_winners.iter().flatten()) {
        text += &format!(
            "The {half} half of the contacts chooses \"{}\" with a gain of {}; the other half values it at {} (95 % {}).\n",
            comparison.strategies[winner.strategy],
            signed(winner.gain_in_choice),
            signed(winner.gain),
            interval(winner.lower, winner.upper, signed),
        );
    }
    for claim in &simulated.claims {
        text += &format!(
            "Claim \"{}\": needs {} of all sales in tier {}, which made {} and is expected to make {}: {}.\n",
            claim.name,
            percent(claim.share_needed),
            claim.tier,
            percent(claim.share_of_spend),
            percent(claim.share_expected),
            claim_words(claim.verdict),
        );
    }
    text
}

fn claim_words(verdict: ClaimVerdict) -> &'static str {
    match verdict {
        ClaimVerdict::AddsUp => "it adds up",
        ClaimVerdict::NeedsMore => "it does not add up",
        ClaimVerdict::GivesMore => "it says too little, the tier alone gives more",
        ClaimVerdict::Contradictory => "it contradicts itself",
    }
}

/// A share of worlds: of one world there is none.
fn share(comparison: &Comparison, share: f64) -> String {
    if comparison.worlds > 1 { percent(share) } else { NONE.to_string() }
}

/// What can be said of a strategy; one world says nothing of any other.
fn verdict(comparison: &Comparison, s: usize) -> &'static str {
    if s > 0 && comparison.worlds == 1 { NONE } else { comparison.standings[s].verdict.word() }
}

/// Assumptions of a strategy that are shown; the report has all.
const MOST_BARS: usize = 3;

/// The same of any comparison from a day on.
pub fn strategies_of(set: &StrategySet, comparison: &Comparison, begins: Day) -> String {
    let title = format!(
        "Strategies over {} from {}, {} futures of every customer; profit = {} of revenue − cost{}{}",
        set.horizon,
        begins,
        count(comparison.replications as u64),
        percent(set.margin),
        set.discount.map_or(String::new(), |discount| format!(", discounted at {discount}")),
        if set.currency.is_empty() { String::new() } else { format!(", in {}", set.currency) },
    );
    let columns = [
        "strategy",
        ">cost",
        ">profit",
        "95 %, with luck",
        ">gain in profit",
        "95 %, its mean",
        "95 %, with luck",
        ">P(best)",
        "verdict",
    ];
    let mut grid = Grid::new(title, &columns);
    for (s, name) in comparison.strategies.iter().enumerate() {
        let (Some(cost), Some(profit)) =
            (comparison.find(s, None, Metric::Cost), comparison.find(s, None, Metric::Profit))
        else {
            continue;
        };
        let d = profit.difference;
        grid.row(vec![
            name.clone(),
            money(cost.estimate.value),
            money(profit.estimate.value),
            interval(profit.estimate.lower, profit.estimate.upper, money),
            if s == 0 { String::new() } else { signed(d.value) },
            if s == 0 { String::new() } else { interval(d.mean_lower, d.mean_upper, signed) },
            if s == 0 { String::new() } else { interval(d.lower, d.upper, signed) },
            share(comparison, comparison.standings[s].p_best),
            verdict(comparison, s).into(),
        ]);
    }
    let mut text = grid.text();
    text.push_str(
        "\"With luck\" is what will happen: what is drawn of parameters and responses, the customers' own rates and chance. \"Its \
         mean\" leaves the customers' chance out.\n",
    );
    if let Some(discount) = set.discount {
        text.push_str(&format!(
            "Profit and gain are discounted at {discount}, cost is not: it is what is paid, whenever it is.\n"
        ));
    }
    text.push_str("Every response is listed with its source in the report. ");
    let assumed = set.responses.iter().filter(|r| r.effect.source == Source::Assumption).count();
    text.push_str(&format!("{assumed} of {} responses are assumptions.\n", set.responses.len()));
    text
}
