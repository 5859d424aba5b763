//! What the figures say, in sentences: the best by each criterion, by how much, and what is not won.

use super::report::{Better, Criterion, Figure, MethodKind, Preferred, Validation};
use crate::clv::model::Parametric;
use crate::clv::pareto_nbd::ParetoNbd;

/// Which model to use, as [`prefer`] has it.
pub(super) fn preferred(of: &Validation) -> Option<Preferred> {
    let contender = |&m: &usize| Contender { name: &of.methods[m].name, rmse: value(of, Criterion::Rmse, m) };
    let models: Vec<Contender> = of.tracked.iter().map(contender).collect();
    let difference =
        |k: usize, other: usize| of.difference(Criterion::Rmse, of.tracked[k], of.tracked[other]);
    let (best, why) = prefer(&models, difference)?;
    let method = of.tracked[best];
    Some(Preferred { method, model: of.methods[method].name.clone(), why })
}

/// A usable model with its root mean squared error, NaN where it has none.
pub(super) struct Contender<'a> {
    pub(super) name: &'a str,
    pub(super) rmse: f64,
}

/// The rule: the lowest holdout RMSE, but Pareto/NBD where the bootstrap cannot tell it from that one. It is the model
/// whose P(alive) says something of everybody. Its place among the models, and why; `difference` is that of the errors of
/// two of them.
pub(super) fn prefer(
    models: &[Contender],
    difference: impl Fn(usize, usize) -> Option<Figure>,
) -> Option<(usize, String)> {
    let judged = (0..models.len()).filter(|&k| !models[k].rmse.is_nan());
    let best = judged.reduce(|best, k| if models[k].rmse < models[best].rmse { k } else { best })?;
    let rmse = |k: usize| show(Criterion::Rmse, models[k].rmse);
    let pareto = models.iter().position(|model| model.name == ParetoNbd::MODEL).filter(|&k| k != best);
    if let Some((pareto, figure)) = pareto.and_then(|k| Some((k, difference(k, best)?)))
        && figure.lower.is_none_or(|lower| lower <= 0.0)
    {
        let why = format!(
            "{} has the lowest holdout RMSE, {} against {}, but the bootstrap cannot tell the two apart ({}), and then \
             Pareto/NBD is preferred",
            models[best].name,
            rmse(best),
            rmse(pareto),
            range(Criterion::Rmse, figure),
        );
        return Some((pareto, why));
    }
    let among = match models.len() {
        1 => "it is the only usable model".to_string(),
        n => format!("it predicts best of {n} usable models"),
    };
    Some((best, format!("{among} (holdout RMSE {})", rmse(best))))
}

/// The sentences.
pub(super) fn conclusions(of: &Validation) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(preferred) = &of.preferred {
        out.push(format!("Preferred model: {}; {}.", preferred.model, preferred.why));
    }
    out.extend(against_baselines(of));
    out.extend(Criterion::ALL.into_iter().filter_map(|criterion| winner(of, criterion)));
    out.extend(totals(of));
    for left_out in &of.left_out {
        out.push(format!("{} is left out, its fit is not usable: {}.", left_out.model, left_out.verdict));
    }
    out.extend(super::coverage::conclusions(of));
    out
}

/// Whether the models are worth their trouble.
fn against_baselines(of: &Validation) -> Vec<String> {
    let (mut wins, mut even, mut loses) = (Vec::new(), Vec::new(), Vec::new());
    for criterion in Criterion::ALL {
        let model = best(of, criterion, |kind| kind == MethodKind::Model);
        let baseline = best(of, criterion, |kind| kind != MethodKind::Model);
        let Some((model, baseline)) = model.zip(baseline) else { continue };
        let Some(gain) = advantage(of, criterion, model, baseline) else { continue };
        let words = format!(
            "{} ({} for {} against {} for {}; gain {}, {})",
            criterion.words(),
            show(criterion, value(of, criterion, model)),
            of.methods[model].name,
            show(criterion, value(of, criterion, baseline)),
            of.methods[baseline].name,
            margin(criterion, gain.value),
            range(criterion, gain),
        );
        match (gain.lower, gain.upper) {
            (Some(lower), _) if lower > 0.0 => wins.push(words),
            (_, Some(upper)) if upper < 0.0 => loses.push(words),
            _ => even.push(words),
        }
    }
    let sentence =
        |begin: &str, list: Vec<String>| (!list.is_empty()).then(|| format!("{begin} {}.", list.join("; ")));
    let won = !wins.is_empty();
    [
        sentence("Against the best prediction without a model, the models win on:", wins),
        sentence(
            match won {
                true => "They do not win, as far as the bootstrap can tell, on:",
                false => "The bootstrap cannot tell the models from the best prediction without one on:",
            },
            even,
        ),
        sentence("They lose on:", loses),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The best method by a criterion, and its margin over the next.
fn winner(of: &Validation, criterion: Criterion) -> Option<String> {
    let first = best(of, criterion, |_| true)?;
    let second = best_but(of, criterion, |m| m != first)?;
    let gain = advantage(of, criterion, first, second)?;
    let decided = gain.lower.is_some_and(|lower| lower > 0.0);
    Some(format!(
        "Best {}: {}, {} against {} for {} (better by {}, {}){}.",
        criterion.words(),
        of.methods[first].name,
        show(criterion, value(of, criterion, first)),
        show(criterion, value(of, criterion, second)),
        of.methods[second].name,
        margin(criterion, gain.value),
        range(criterion, gain),
        if decided { "" } else { "; the bootstrap cannot tell them apart" },
    ))
}

/// Cumulative repeat purchases at both ends.
fn totals(of: &Validation) -> Vec<String> {
    let (Some(last), Some(calibrated)) = (of.tracking.last(), of.tracking.iter().rfind(|week| !week.holdout))
    else {
        return Vec::new();
    };
    let share = |expected: f64, actual: u64| match actual {
        0 => "none were made".to_string(),
        actual => minus(format!("{:+.1} %", 100.0 * (expected / actual as f64 - 1.0))),
    };
    let of_model = |(k, &m): (usize, &usize)| {
        format!(
            "{} expects {:.0} repeat purchases to the end of calibration where {} were made ({}), and {:.0} to the end of \
             the holdout where {} were made ({}).",
            of.methods[m].name,
            calibrated.cumulative_expected[k],
            calibrated.cumulative_actual,
            share(calibrated.cumulative_expected[k], calibrated.cumulative_actual),
            last.cumulative_expected[k],
            last.cumulative_actual,
            share(last.cumulative_expected[k], last.cumulative_actual),
        )
    };
    of.tracked.iter().enumerate().map(of_model).collect()
}

fn value(of: &Validation, criterion: Criterion, method: usize) -> f64 {
    of.methods[method].figure(criterion).map_or(f64::NAN, |figure| figure.value)
}

/// The method that does best, the first of equals.
fn best(of: &Validation, criterion: Criterion, wanted: impl Fn(MethodKind) -> bool) -> Option<usize> {
    best_but(of, criterion, |m| wanted(of.methods[m].kind))
}

fn best_but(of: &Validation, criterion: Criterion, wanted: impl Fn(usize) -> bool) -> Option<usize> {
    let loss = |value: f64| match criterion.better() {
        Better::Lower => value,
        Better::Higher => -value,
        Better::NearerZero => value.abs(),
    };
    let all = (0..of.methods.len()).filter(|&m| wanted(m));
    let judged = all.filter_map(|m| Some((m, loss(of.methods[m].figure(criterion)?.value))));
    judged.reduce(|best, other| if other.1 < best.1 { other } else { best }).map(|(m, _)| m)
}

/// By how much one method is better than another, above 0 where it is.
fn advantage(of: &Validation, criterion: Criterion, method: usize, other: usize) -> Option<Figure> {
    match criterion.better() {
        Better::Higher => of.difference(criterion, method, other),
        _ => of.difference(criterion, other, method),
    }
}

/// A criterion's value as text.
fn show(criterion: Criterion, value: f64) -> String {
    minus(match criterion {
        Criterion::Bias | Criterion::SpendBias => format!("{:+.1} %", 100.0 * value),
        Criterion::TopTenthSpend => format!("{:.1} %", 100.0 * value),
        Criterion::SpendMae => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    })
}

/// A number with a real minus sign.
fn minus(text: String) -> String {
    text.replace('-', "−")
}

/// A distance between two values as text.
fn margin(criterion: Criterion, value: f64) -> String {
    minus(match criterion {
        _ if criterion.is_share() => format!("{:.1} points", 100.0 * value),
        Criterion::SpendMae => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    })
}

fn range(criterion: Criterion, figure: Figure) -> String {
    match (figure.lower, figure.upper) {
        (Some(lower), Some(upper)) => {
            let (scale, unit) = if criterion.is_share() { (100.0, " points") } else { (1.0, "") };
            let digits = match criterion {
                _ if criterion.is_share() => 1,
                Criterion::SpendMae => 2,
                _ => 4,
            };
            minus(format!("95 % interval {:.digits$} to {:.digits$}{unit}", scale * lower, scale * upper))
        }
        _ => "no interval".to_string(),
    }
}
