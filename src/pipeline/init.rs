//! A strategy file to start from, written from a table's own tiers.
//!
//! It runs as it is and says that nothing is known: every effect is 0 with a wide interval, so that no strategy gains until
//! somebody puts in what a test has measured or people believe.

use std::fmt::Write;

use super::scored_table::spend_so_far;
use super::tiers::stated_times;
use crate::calendar::{Day, Unit};
use crate::customers::WholeFile;
use crate::error::{Error, Result};
use crate::report::FileKind;
use crate::report::format::{count, percent};
use crate::tier::{Look, SchemeFile, Tiering, builtin};

/// What a contact costs in the file, for want of anything better: one unit of money.
const CONTACT: f64 = 1.0;

/// The share of the customers that the budget pays a contact for. With more than all of them every rule would contact everybody,
/// and strategies that are the same plan say nothing.
const REACHED: f64 = 1.0 / 3.0;

/// The ends of the interval of an effect about which nothing is known.
const WIDE: f64 = 0.10;

/// The text of a strategy file for the customers of `file`, in tiers by `scheme`.
///
/// # Errors
/// Those of the file and of grading it.
pub fn init_strategies(
    file: &WholeFile,
    scheme: &SchemeFile,
    unit: Option<Unit>,
    date: Option<Day>,
) -> Result<String> {
    check_statistics(file)?;
    let (unit, calibration_end) = stated_times(file, unit, date)?;
    let ids = file.ids()?;
    let keep = file.customers()?;
    let look = Look { file, keep: keep.as_deref(), unit, calibration_end };
    if look.rows() == 0 {
        return Err(Error::Document {
            file: file.path().display().to_string(),
            problem: "it has no customers".into(),
            remedy: "give a table with customers".into(),
        });
    }
    let columns = look.columns();
    let spend = spend_so_far(&look)?;
    let who: Vec<usize> = match &keep {
        Some(keep) => (0..keep.len()).filter(|&row| keep[row]).collect(),
        None => (0..ids.len()).collect(),
    };
    let tiering = scheme.ready(&columns)?.grade_rows(&spend, |i| ids.text(who[i]))?.tiering;
    Ok(text(&file.path().display().to_string(), scheme, calibration_end, &tiering))
}

/// What futures start from. Without it prospects could not be told from customers, and nothing could be simulated.
pub const STATISTICS: [&str; 3] = ["frequency", "recency", "T"];

fn check_statistics(file: &WholeFile) -> Result<()> {
    let columns = file.columns();
    let missing: Vec<&str> =
        STATISTICS.into_iter().filter(|name| !columns.iter().any(|own| own == name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is = FileKind::of(file.path()).map_or(String::new(), |kind| format!("it is {}: ", kind.words()));
    Err(Error::Document {
        file: file.path().display().to_string(),
        problem: format!("{is}it has no {}, which futures of customers start from", missing.join(", ")),
        remedy: "give the table of `tiercast summarize` (or of `predict`) to init and to simulate: both put its customers into tiers \
                 by themselves"
            .into(),
    })
}

fn text(file: &str, scheme: &SchemeFile, begins: Day, tiering: &Tiering) -> String {
    let customers: u64 = tiering.tiers.iter().map(|tier| tier.customers).sum();
    let mut out = format!(
        "# Strategies for the {} customers of {}, as of {begins}, in tiers by {}.\n\
         # It runs as it stands: `tiercast simulate CUSTOMERS --strategies THIS_FILE{}`. Every effect below is 0 with a wide interval,\n\
         # so that no strategy gains, and where contacts are dear some lose, until you put in what a test has measured (`tiercast learn`\n\
         # writes such sections) or what people who should know believe. docs/strategy-file.md describes every key.\n#\n\
         # tier            customers   share   of spend   who\n",
        count(customers),
        one_line(file),
        scheme.key,
        if builtin::is_file(&scheme.file) {
            format!(" --scheme {}", one_line(&scheme.file))
        } else {
            String::new()
        }
    );
    for tier in &tiering.tiers {
        let _ = writeln!(
            out,
            "# {:<14} {:>10} {:>7} {:>10}   {}",
            one_line(&tier.name),
            count(tier.customers),
            percent(tier.share_of_customers),
            percent(tier.share_of_spend),
            one_line(&tier.rule)
        );
    }
    let budget = budget(customers);
    let _ = write!(
        out,
        "\ntitle = \"Whom to treat, and how?\"\n\
         currency = \"\"            # a label: nothing is converted\n\
         horizon = \"12mo\"         # how far ahead\n\
         margin = 0.30            # profit per unit of revenue, before the cost of actions: put in your own\n\
         # Of each strategy: contacts for about a third of these customers. Where it reaches all, strategies are the same.\n\
         budget = {budget:?}\n\
         tiers = {}\n",
        quoted(&scheme.key)
    );
    let _ = write!(
        out,
        "\n# What can be done. A contact costs cost_on_contact; what every order of a treated customer costs is cost_on_response,\n\
         # price_cut (share of the price) or points; breakage is what is not claimed, cannibalisation what would have been bought anyway.\n\
         [[action]]\nname = \"contact\"\nkind = \"own\"\ndescription = \"\"\ncost_on_contact = {CONTACT:?}\n"
    );
    let _ = write!(
        out,
        "\n# What it changes, tier by tier: a lift of the purchase rate here; also dropout, reactivation and spend. lower and upper are\n\
         # the ends of the effect's 95 % interval, source is experiment, elicited or assumption, and is shown with every result.\n"
    );
    for tier in &tiering.tiers {
        let _ = write!(
            out,
            "[[response]]\naction = \"contact\"\ntier = {}\non = \"purchase_rate\"\neffect = 0.0\nlower = {:?}\nupper = {WIDE:?}\nsource = \
             \"assumption\"\nnote = \"nothing is known yet\"\n\n",
            quoted(&tier.name),
            -WIDE
        );
    }
    out += "# Who gets it. Doing nothing is always compared.\n\
            [[strategy]]\nname = \"anybody\"\ndescription = \"As many as the budget pays, by lot\"\naction = \"contact\"\nrule = \"uniform\"\n\n\
            [[strategy]]\nname = \"by_clv\"\ndescription = \"Tiers in proportion to their lifetime value\"\naction = \"contact\"\nrule = \
            \"proportional_to_clv\"\n\n\
            [[strategy]]\nname = \"best\"\ndescription = \"Those with the highest lifetime value\"\naction = \"contact\"\nrule = \"top_n\"\nby = \
            \"clv\"\n";
    // One strategy for each tier: where only some respond, that is what shows it.
    for tier in &tiering.tiers {
        let _ = write!(
            out,
            "\n[[strategy]]\nname = {}\naction = \"contact\"\nrule = \"shares\"\nshares = {{ {} = 1.0 }}\n",
            quoted(&format!("only_{}", tier.name)),
            quoted(&tier.name)
        );
    }
    out
}

/// Contacts for a third of the customers, in two digits, and at least one.
fn budget(customers: u64) -> f64 {
    let contacts = (REACHED * customers as f64).round().max(1.0);
    let unit = 10f64.powf(contacts.log10().floor() - 1.0).max(1.0);
    (contacts / unit).round() * unit * CONTACT
}

/// A TOML string on one line, which may be a key as well: JSON escapes are TOML's, but for one character.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Without line breaks, since it stands in a comment.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::StrategySet;
    use crate::strategy::file::StrategyFile;
    use crate::tier::Tier;

    fn tier(name: &str, customers: u64, spend: f64) -> Tier {
        Tier {
            name: name.into(),
            rule: "total_spend is high\nor so".into(),
            customers,
            share_of_customers: 0.5,
            spend,
            share_of_spend: 0.5,
        }
    }

    #[test]
    fn what_is_written_can_be_read_whatever_tiers_are_called() {
        let scheme = builtin::scheme_file("value").unwrap();
        let names = ["hi\"gh\n", "低 #", "it's"];
        let tiering = Tiering {
            key: "value".into(),
            title: String::new(),
            column_name: String::new(),
            tiers: names.iter().map(|name| tier(name, 10, 1234.5)).collect(),
            thresholds: Vec::new(),
            codes: Vec::new(),
        };
        let text = text("a\nb.parquet", &scheme, Day(20_000), &tiering);
        let known = [("value".to_string(), names.map(String::from).to_vec())];
        let set = StrategySet::new("init", StrategyFile::parse("init", &text).unwrap(), &known).unwrap();
        assert_eq!((set.strategies.len(), set.responses.len()), (7, 3));
        assert_eq!(set.strategies[1].budget, Some(10.0));
        assert!(set.responses.iter().all(|r| r.effect.value == 0.0));
    }

    #[test]
    fn budgets_have_two_digits_and_reach_a_third() {
        let found = [0, 1, 10, 30, 1_000, 23_570].map(budget);
        assert_eq!(found, [1.0, 1.0, 3.0, 10.0, 330.0, 7_900.0]);
    }
}
