//! Rules in words, for those who read a result without the file, and the files that rules name.

use std::path::{Path, PathBuf};

use super::check::{Give, HowMany, Rule, StrategySet};

/// A share as a percentage of at most two decimals.
fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 100.0)
}

/// A count with its thousands apart.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "a, b and c".
fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

impl Rule {
    /// Who is chosen, in plain words; `set` is the one that the rule is of.
    pub fn words(&self, set: &StrategySet) -> String {
        match self {
            Rule::Nothing => "nobody".to_string(),
            Rule::Uniform { action } => match set.actions[*action].cost_on_contact {
                Some(_) => self.as_many(set, *action, ", by lot"),
                None => format!("{}, the same money for each", self.as_many_as_served(set, *action)),
            },
            Rule::ProportionalToClv { action } => match set.actions[*action].cost_on_contact {
                Some(_) => "each tier in proportion to its lifetime value, by lot within a tier".to_string(),
                None => "each tier in proportion to its lifetime value, the same money for each of a tier"
                    .to_string(),
            },
            Rule::Shares { action, shares } => {
                let tiers = set.tiers.iter().zip(shares).filter(|(_, share)| **share > 0.0);
                let shares: Vec<String> =
                    tiers.map(|(tier, share)| format!("{tier} {}", percent(*share))).collect();
                let how = match set.actions[*action].cost_on_contact {
                    Some(_) => "by lot within a tier",
                    None => "the same money for each of a tier",
                };
                format!("{} of the budget, {how}", shares.join(", "))
            }
            Rule::TopN { action, by, how_many, per_customer } => {
                let who = match how_many {
                    HowMany::Count(1) => format!("the one with the highest {by}"),
                    HowMany::Count(n) => format!("the {} with the highest {by}", count(*n)),
                    HowMany::Share(share) => {
                        format!(
                            "the {} with the highest {by}, of those who may be contacted",
                            percent(*share)
                        )
                    }
                    HowMany::Budget => self.as_many(set, *action, &format!(", the highest {by} first")),
                };
                let done = &set.actions[*action];
                let each = match (done.cost_on_contact, per_customer.or(done.max_per_customer)) {
                    (Some(_), _) => String::new(),
                    (None, Some(each)) => format!(", {} each", set.money(each)),
                    (None, None) => ", the budget in equal parts".to_string(),
                };
                format!("{who}{each}")
            }
            Rule::Rules(give) => {
                let entries: Vec<String> =
                    give.iter().enumerate().map(|(i, entry)| entry.words(set, i == 0)).collect();
                entries.join("; ")
            }
            Rule::List { path, .. } => format!("whoever is named in {}", path.display()),
        }
    }

    /// As many as what there is allows.
    fn as_many(&self, set: &StrategySet, action: usize, how: &str) -> String {
        let done = &set.actions[action];
        let costs = done.cost_on_contact.is_none_or(|cost| cost > 0.0);
        let has_budget = set.strategies.iter().any(|own| own.rule == *self && own.budget.is_some());
        let mut parts: Vec<String> = Vec::new();
        if costs && has_budget {
            parts.push("the budget pays".to_string());
        }
        parts.extend(served(set, action));
        match parts.as_slice() {
            [] if how == ", by lot" => "every customer".to_string(),
            [] => format!("every customer{how}"),
            parts => format!("as many customers as {}{how}", joined(parts)),
        }
    }

    /// The same where the money is divided among all.
    fn as_many_as_served(&self, set: &StrategySet, action: usize) -> String {
        match served(set, action) {
            Some(served) => format!("as many customers as {served}, by lot"),
            None => "every customer".to_string(),
        }
    }
}

/// What limits contacts of an action beside money, as what allows them.
fn served(set: &StrategySet, action: usize) -> Option<String> {
    let (done, resources) = (&set.actions[action], &set.resources);
    let limits: Vec<String> = [
        ("the action", done.max_customers.is_some()),
        ("the staff’s minutes", resources.minutes.is_some() && done.minutes_on_contact > 0.0),
        ("the stock", resources.stock.is_some() && done.stock_on_contact > 0.0),
    ]
    .into_iter()
    .filter(|(_, is_there)| *is_there)
    .map(|(limit, _)| limit.to_string())
    .collect();
    let allow =
        if matches!(limits.as_slice(), [one] if !one.ends_with("minutes")) { "allows" } else { "allow" };
    (!limits.is_empty()).then(|| format!("{} {allow}", joined(&limits)))
}

impl Give {
    /// One entry: the action, whom it takes, and how many of them.
    fn words(&self, set: &StrategySet, is_first: bool) -> String {
        let done = &set.actions[self.action];
        let whom = match &self.when {
            Some(when) => format!("where {when}"),
            None if is_first => "for everybody".to_string(),
            None => "for everybody else".to_string(),
        };
        let mut out = format!("{} {whom}", done.name);
        if done.cost_on_contact.is_none() {
            out += &format!(", {} each", set.money(self.money));
        }
        if let Some(share) = self.share {
            out += &format!(", {} of them by lot", percent(share));
        }
        if let Some(limit) = self.limit {
            let by_lot = if self.share.is_none() { " by lot" } else { "" };
            out += &format!(", at most {}{by_lot}", count(limit));
        }
        out
    }
}

impl StrategySet {
    /// The files of lists that strategies name, each once, as planning finds them from `base`, the folder of the strategy
    /// file.
    pub fn list_paths(&self, base: &Path) -> Vec<PathBuf> {
        let mut out: Vec<PathBuf> = Vec::new();
        for strategy in &self.strategies {
            if let Rule::List { path, .. } = &strategy.rule {
                let path = base.join(path);
                if !out.contains(&path) {
                    out.push(path);
                }
            }
        }
        out
    }

    /// An amount with the label of money.
    fn money(&self, amount: f64) -> String {
        match self.currency.as_str() {
            "" => format!("{amount}"),
            currency => format!("{amount} {currency}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::testing::{set, text};
    use super::*;

    fn words(head: &str, strategy: &str) -> String {
        let set = set(&text(head, strategy)).unwrap();
        set.strategies[1].rule.words(&set)
    }

    #[test]
    fn rules_in_words() {
        let budget = "budget = 100\ncurrency = \"EUR\"";
        let minutes = "budget = 100\n[resources]\nminutes = 30\nstock = 5";
        for (head, strategy, want) in [
            (budget, "rule = \"uniform\"\naction = \"call\"", "as many customers as the budget pays, by lot"),
            ("", "rule = \"uniform\"\naction = \"call\"", "every customer"),
            (budget, "rule = \"uniform\"\naction = \"letter\"", "every customer, the same money for each"),
            (
                minutes,
                "rule = \"uniform\"\naction = \"call\"",
                "as many customers as the budget pays and the staff’s minutes and the stock allow, by lot",
            ),
            (
                budget,
                "rule = \"top_n\"\naction = \"gift\"",
                "as many customers as the budget pays and the action allows, the highest clv first",
            ),
            (
                budget,
                "rule = \"proportional_to_clv\"\naction = \"call\"",
                "each tier in proportion to its lifetime value, by lot within a tier",
            ),
            (
                budget,
                "rule = \"shares\"\naction = \"letter\"\nshares = { high = 0.825, low = 0.175 }",
                "high 82.5 %, low 17.5 % of the budget, the same money for each of a tier",
            ),
            (budget, "rule = \"top_n\"\naction = \"call\"\nn = 1500", "the 1,500 with the highest clv"),
            (
                budget,
                "rule = \"top_n\"\naction = \"letter\"\nshare = 0.07\nby = \"orders\"\nper_customer = 2.5",
                "the 7 % with the highest orders, of those who may be contacted, 2.5 EUR each",
            ),
            (
                budget,
                "rule = \"rules\"\ngive = [{ action = \"call\", where = \"tier = high\", share = 0.5, limit = 1000 }, \
                 { action = \"letter\", limit = 20 }]",
                "call where tier = high, 50 % of them by lot, at most 1,000; letter for everybody else, 5 EUR each, at most 20 by \
                 lot",
            ),
            (
                budget,
                "rule = \"list\"\naction = \"call\"\nlist = \"lists/vip.csv\"",
                "whoever is named in lists/vip.csv",
            ),
        ] {
            assert_eq!(words(head, strategy), want);
        }
    }

    #[test]
    fn lists_are_found_from_the_folder_of_the_file() {
        let list = |path: &str| format!("rule = \"list\"\naction = \"call\"\nlist = \"{path}\"");
        let three = format!(
            "{}\n[[strategy]]\nname = \"t\"\n{}\n[[strategy]]\nname = \"u\"\n{}",
            list("vip.csv"),
            list("/else/where.csv"),
            list("vip.csv")
        );
        let set = set(&text("budget = 100", &three)).unwrap();
        let want = ["base/vip.csv", "/else/where.csv"].map(PathBuf::from);
        assert_eq!(set.list_paths(Path::new("base")), want);
    }
}
