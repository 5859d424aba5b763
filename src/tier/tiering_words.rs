//! Who belongs to each tier of a scheme, in words with the real thresholds.

use super::graded::{ReadyRule, ReadyScheme};
use super::rules::{Comparison, Num, Program, Tri, Typed, measured};

/// Whom no rule takes.
pub(super) const EVERYBODY_ELSE: &str = "everybody else";

/// The words of every tier, in the order in which they are listed.
pub(super) fn of(scheme: &ReadyScheme) -> Vec<String> {
    let mut by_tier: Vec<Vec<String>> = vec![Vec::new(); scheme.file.tiers.len()];
    if let Some(words) = chain(scheme) {
        for (tier, words) in words.into_iter().enumerate() {
            by_tier[tier].push(with(&scheme.file.tiers[tier].about, words));
        }
    } else {
        for rule in &scheme.rules {
            by_tier[rule.tier].push(of_rule(scheme, rule));
        }
        if let Some((tier, _)) = scheme.default {
            let about = &scheme.file.tiers[tier].about;
            by_tier[tier].push(if about.is_empty() { EVERYBODY_ELSE.into() } else { about.clone() });
        }
    }
    scheme.file.order.iter().map(|&tier| by_tier[tier].join("; or ")).collect()
}

/// The words of a rule.
pub(super) fn of_rule(scheme: &ReadyScheme, rule: &ReadyRule) -> String {
    with(&rule.about, scheme.program.rule_words(&rule.tri))
}

fn with(about: &str, words: String) -> String {
    if about.is_empty() { words } else { format!("{about}: {words}") }
}

/// The tiers of a scheme that cuts one number: each asks for at least so much of it, and the last takes the rest. Then
/// a tier's words say where the one above begins.
fn chain(scheme: &ReadyScheme) -> Option<Vec<String>> {
    let default = scheme.default.as_ref()?.0;
    if default + 1 != scheme.file.tiers.len() || scheme.rules.len() != default {
        return None;
    }
    let program = &scheme.program;
    let (mut what, mut limits) = (None, Vec::new());
    for (i, rule) in scheme.rules.iter().enumerate() {
        let Tri::Compare(Comparison::AtLeast, of, end) = &rule.tri else { return None };
        if rule.tier != i || program.is_one(of) || matches!(program.expanded(of), Num::Score(..)) {
            return None;
        }
        if *what.get_or_insert(of) != of {
            return None;
        }
        limits.push(program.one(end).filter(|value| !value.is_nan()));
    }
    let what = what?;
    Some(cut_words(program, what, &limits))
}

/// One tier more than there are limits.
fn cut_words(program: &Program, of: &Num, limits: &[Option<f64>]) -> Vec<String> {
    let (what, kind) = (program.num_words(of), program.kind(of));
    let value = |value: f64| measured(value, kind);
    let bound = |at: Option<usize>| at.and_then(|at| limits.get(at)).copied().flatten();
    let unknown = if program.has_null(of) { ", or none that is known" } else { "" };
    (0..=limits.len())
        .map(|tier| match (bound(tier.checked_sub(1)), bound(Some(tier))) {
            (Some(above), Some(limit)) if limit >= above => {
                "nobody: the tier above already has everyone who would be here".into()
            }
            (Some(above), Some(limit)) => {
                format!("{what} of at least {} and below {}", value(limit), value(above))
            }
            (None, Some(limit)) => format!("{what} of at least {}", value(limit)),
            (Some(above), None) => format!("{what} below {}{unknown}", value(above)),
            (None, None) if tier == limits.len() => format!("any {what}{unknown}"),
            (None, None) => "nobody: there is nothing to share".into(),
        })
        .collect()
}

impl Program<'_> {
    /// The values that a rule looks at, of customer `row`: "total spend 1,234.50".
    pub(super) fn values_of(&self, tri: &Tri, row: usize) -> Vec<String> {
        let mut out = Vec::new();
        self.looked_at(tri, row, &mut out);
        out
    }

    fn looked_at(&self, tri: &Tri, row: usize, out: &mut Vec<String>) {
        let mut add = |words: String| {
            if !out.contains(&words) {
                out.push(words);
            }
        };
        let number = |num: &Num| {
            format!("{} {}", self.num_words(num), measured(self.value_at(num, row), self.kind(num)))
        };
        match tri {
            Tri::Compare(_, a, b) => {
                [a, b].into_iter().filter(|num| !self.is_one(num)).map(number).for_each(add)
            }
            Tri::InNumbers(num, _) | Tri::NullNumber(num) => add(number(num)),
            Tri::Text { column, .. } => {
                let used = &self.columns[*column];
                add(format!(
                    "{} {}",
                    used.name.replace('_', " "),
                    used.values.text(row).unwrap_or("unknown")
                ));
            }
            Tri::All(items) | Tri::Any(items) => items.iter().for_each(|item| self.looked_at(item, row, out)),
            Tri::Not(of) => self.looked_at(of, row, out),
            Tri::Let(i) => {
                if let Typed::Truth(tri) = &self.lets[*i].value {
                    self.looked_at(tri, row, out);
                }
            }
            _ => {}
        }
    }
}
