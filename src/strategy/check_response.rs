//! Responses, checked: each curve has what it needs and nothing else, and its worst case is possible.

use super::action::Action;
use super::belief::Belief;
use super::check::Check;
use super::curve::Curve;
use super::file::{CurveName, ResponseEntry};
use super::response::{Half, Lever, Response};
use crate::error::Result;

/// A response of an action in a tier, given by their indices.
pub(super) fn response(
    check: &Check,
    entry: ResponseEntry,
    (action, done): (usize, &Action),
    tier: usize,
) -> Result<Response> {
    let place = format!("[[response]] of \"{}\" on tier \"{}\"", entry.action, entry.tier);
    check.interval(&place, "effect", [entry.lower, entry.effect, entry.upper])?;
    let halves = entry
        .halves
        .map(|halves| halves.map(|half| Half { effect: half.effect, lower: half.lower, upper: half.upper }));
    for half in halves.iter().flatten() {
        check.interval(&format!("{place}: halves"), "effect", [half.lower, half.effect, half.upper])?;
    }
    let curve = curve(check, &place, &entry)?;
    if let Curve::Logit { .. } = curve {
        if done.price_cut == 0.0 {
            return check.fail(
                format!("{place}: curve = \"logit\" answers to a price cut, and the action has none"),
                "give the action a price_cut, or choose another curve",
            );
        }
        if entry.on == Lever::Reactivation {
            return check.fail(
                format!("{place}: curve = \"logit\" is a ratio of probabilities, and reactivation needs a probability"),
                "choose another curve for reactivation",
            );
        }
    }
    if curve == Curve::Constant && done.cost_on_contact.is_none() {
        return check.fail(
            format!(
                "{place}: curve = \"constant\" gives the whole effect for any money, and action \"{}\" has no cost_on_contact",
                entry.action
            ),
            "give the action a cost_on_contact, what one contact costs (0 is allowed), in place of max_per_customer; or choose a \
             curve that bends with money, such as \"saturating\"",
        );
    }
    let has_no_dose = done.cost_on_contact == Some(0.0) && done.price_cut == 0.0;
    if has_no_dose && curve != Curve::Constant {
        return check.fail(
            format!(
                "{place}: curve = \"{}\" answers to a dose, and contacts of the action cost nothing",
                curve.name()
            ),
            "choose curve = \"constant\", or give the action a cost_on_contact or a price_cut",
        );
    }
    let numbers = halves.iter().flatten().flat_map(|half| [half.lower, half.upper]);
    let (lowest, highest) = numbers
        .chain([entry.lower, entry.upper])
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if entry.on == Lever::Reactivation && (lowest < 0.0 || highest > 1.0) {
        let wrong = if lowest < 0.0 { lowest } else { highest };
        return check.fail(
            format!("{place}: {wrong} is not a probability of coming back"),
            "give the effect of a reactivation, and the ends of its interval, values from 0 to 1",
        );
    }
    if let Some((lift, dose)) = worst(&curve, lowest, done).filter(|(lift, _)| *lift < -1.0) {
        return check.fail(
            format!(
                "{place}: lower = {lowest} lowers {} by {} % {dose}, which is below −100 %",
                entry.on.name(),
                (-1000.0 * lift).round() / 10.0
            ),
            "nothing can fall by more than all of it: raise lower, or give a smaller dose",
        );
    }
    Ok(Response {
        action,
        tier,
        on: entry.on,
        curve,
        effect: Belief {
            value: entry.effect,
            lower: entry.lower,
            upper: entry.upper,
            source: entry.source,
            note: entry.note,
        },
        over: entry.over,
        halves,
        key: format!("{}\u{1f}{}\u{1f}{}", entry.action, entry.tier, entry.on.name()),
    })
}

/// The lift of the lower end at the largest dose that the action allows, with that dose in words; `None` where neither the
/// action nor the curve has a bound.
fn worst(curve: &Curve, lower: f64, action: &Action) -> Option<(f64, String)> {
    // A logit's lift is a ratio of probabilities less 1, and never below −1.
    if lower >= 0.0 || matches!(curve, Curve::Logit { .. }) {
        return None;
    }
    let dose = if action.price_cut > 0.0 {
        Some(action.price_cut)
    } else {
        action.cost_on_contact.or(action.max_per_customer)
    };
    let at = |dose: f64| format!("at a dose of {dose}");
    match (curve, dose) {
        (Curve::Table { points }, dose) => {
            let most = dose.unwrap_or(f64::INFINITY);
            let corners = points.iter().map(|point| point.0).filter(|dose| *dose < most);
            let last = points.last().map_or(0.0, |point| point.0);
            corners
                .chain([most.min(last)])
                .map(|dose| (curve.lift(lower, dose), at(dose)))
                .min_by(|a, b| a.0.total_cmp(&b.0))
        }
        (_, Some(dose)) => Some((curve.lift(lower, dose), at(dose))),
        (Curve::Log { .. } | Curve::Power { .. } | Curve::Logit { .. }, None) => None,
        (Curve::Constant | Curve::Saturating { .. } | Curve::Hill { .. } | Curve::Adbudg { .. }, None) => {
            Some((lower, "at its ceiling".to_string()))
        }
    }
}

/// What one curve is asked for.
struct Asked<'a> {
    check: &'a Check<'a>,
    place: &'a str,
    curve: CurveName,
}

impl Asked<'_> {
    /// A number that must be there and be as `wanted` says.
    fn number(
        &self,
        key: &str,
        given: Option<f64>,
        is_right: impl Fn(f64) -> bool,
        problem: &str,
        wanted: &str,
    ) -> Result<f64> {
        let (place, name) = (self.place, self.curve.name());
        match given {
            Some(value) if value.is_finite() && is_right(value) => Ok(value),
            Some(value) => self.check.fail(
                format!("{place}: {key} = {value} is not {problem}"),
                format!("curve \"{name}\": {wanted}"),
            ),
            None => self
                .check
                .fail(format!("{place}: curve \"{name}\" needs {key}, which is missing"), wanted.to_string()),
        }
    }

    fn scale(&self, given: Option<f64>) -> Result<f64> {
        let wanted =
            "give scale the dose (money per customer, or depth of the price cut) at which the curve bends";
        self.number("scale", given, |scale| scale > 0.0, "a positive amount of money", wanted)
    }

    fn exponent(&self, given: Option<f64>) -> Result<f64> {
        let is_power = self.curve == CurveName::Power;
        let wanted = match is_power {
            true => "give exponent a value above 0 and up to 1",
            false => "give exponent a value above 0; above 1 the curve is S-shaped",
        };
        let is_right = |exponent: f64| exponent > 0.0 && (!is_power || exponent <= 1.0);
        self.number("exponent", given, is_right, "an exponent of this curve", wanted)
    }
}

fn curve(check: &Check, place: &str, entry: &ResponseEntry) -> Result<Curve> {
    let name = entry.curve;
    let asked = Asked { check, place, curve: name };
    let takes: &[&str] = match name {
        CurveName::Constant => &[],
        CurveName::Saturating | CurveName::Exponential | CurveName::Log => &["scale"],
        CurveName::Power | CurveName::Hill => &["scale", "exponent"],
        CurveName::Adbudg => &["d", "exponent"],
        CurveName::Logit => &["base"],
        CurveName::Table => &["points"],
    };
    let given = [
        ("scale", entry.scale.map(|x| x.to_string())),
        ("exponent", entry.exponent.map(|x| x.to_string())),
        ("d", entry.d.map(|x| x.to_string())),
        ("base", entry.base.map(|x| x.to_string())),
        ("points", entry.points.as_ref().map(|_| "[…]".to_string())),
    ];
    for (key, value) in given {
        if let Some(value) = value.filter(|_| !takes.contains(&key)) {
            return check.fail(
                format!("{place}: {key} = {value} has no meaning for curve \"{}\"", name.name()),
                match takes {
                    [] => format!("leave {key} out, or choose a curve that bends"),
                    takes => {
                        format!("leave {key} out; curve \"{}\" takes {}", name.name(), takes.join(" and "))
                    }
                },
            );
        }
    }
    Ok(match name {
        CurveName::Constant => Curve::Constant,
        CurveName::Saturating | CurveName::Exponential => {
            Curve::Saturating { scale: asked.scale(entry.scale)? }
        }
        CurveName::Log => Curve::Log { scale: asked.scale(entry.scale)? },
        CurveName::Power => {
            Curve::Power { scale: asked.scale(entry.scale)?, exponent: asked.exponent(entry.exponent)? }
        }
        CurveName::Hill => {
            Curve::Hill { scale: asked.scale(entry.scale)?, exponent: asked.exponent(entry.exponent)? }
        }
        CurveName::Adbudg => {
            let wanted = "give d the value of dose^exponent at which half of the ceiling is reached";
            let d = asked.number("d", entry.d, |d| d > 0.0, "a number above 0", wanted)?;
            Curve::Adbudg { d, exponent: asked.exponent(entry.exponent)? }
        }
        CurveName::Logit => {
            let wanted = "give base the probability of the choice without a cut, between 0 and 1";
            let is_right = |base: f64| base > 0.0 && base < 1.0;
            Curve::Logit { base: asked.number("base", entry.base, is_right, "a probability", wanted)? }
        }
        CurveName::Table => Curve::Table { points: table(check, place, entry.points.as_deref())? },
    })
}

fn table(check: &Check, place: &str, points: Option<&[(f64, f64)]>) -> Result<Vec<(f64, f64)>> {
    let remedy =
        "write points = [[0, 0], [1, 0.5], [3, 1]]: pairs of a dose and the share of the effect that it buys";
    let Some(points) = points else {
        return check.fail(format!("{place}: curve \"table\" needs points, which are missing"), remedy);
    };
    if points.len() < 2 || points[0] != (0.0, 0.0) {
        return check.fail(format!("{place}: points do not begin at [0, 0] and go on from there"), remedy);
    }
    for pair in points.windows(2) {
        let ((before, _), (dose, share)) = (pair[0], pair[1]);
        if !(dose.is_finite() && dose > before) {
            return check.fail(
                format!("{place}: points: the dose {dose} after {before} does not rise"),
                "order points by their dose, each dose once",
            );
        }
        if !(share.is_finite() && share >= 0.0) {
            return check.fail(
                format!("{place}: points: {share} at dose {dose} is not a share of the effect from 0 on"),
                "shares are of the effect; the effect itself has the sign",
            );
        }
    }
    Ok(points.to_vec())
}
