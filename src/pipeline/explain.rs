//! One customer of a file: its figures, its tier by each scheme, and why.

mod orders;

use serde::Serialize;

pub use self::orders::{AsideRows, OrderHistory, OrderRow};

use self::orders::{TableTotals, orders_of};
use super::tiers::{TierRequest, schemes_over};
use crate::calendar::{Day, Unit};
use crate::customers::WholeFile;
use crate::customers::table::Plain;
use crate::error::{Error, Result};
use crate::history::{HistoryOptions, Source};
use crate::progress::Progress;

/// A figure of the customer, as its file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The column.
    pub column: String,
    /// Its value as text; none where it is missing.
    pub value: Option<String>,
}

/// The customer's tier by one scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedTier {
    /// The key of the scheme.
    pub scheme: String,
    /// Its title.
    pub title: String,
    /// The tier that holds; none where the scheme is not about the customer.
    pub tier: Option<String>,
    /// The tier by the rules, where another one holds.
    pub automatic: Option<String>,
    /// Who set the tier by hand, and why.
    pub by_hand: Option<String>,
    /// Why the rules put it where they do, with its values.
    pub reason: Option<String>,
    /// The rule of the automatic tier in words.
    pub rule: Option<String>,
}

/// All that a file and schemes say of one customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The id.
    pub customer: String,
    /// Its row in the file, from 0.
    pub row: u64,
    /// The date of the grading.
    pub date: Day,
    /// Its figures, in the order of the file.
    pub figures: Vec<Figure>,
    /// Its tiers, in the order of the schemes.
    pub tiers: Vec<ExplainedTier>,
    /// Its orders, where the history was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<OrderHistory>,
}

/// The history behind a table of customers.
#[derive(Debug, Clone)]
pub struct HistoryRequest<'a> {
    /// Its files.
    pub sources: &'a [Source],
    /// How it is read. Days of the window that are not said are those of the table.
    pub options: &'a HistoryOptions,
}

/// Explains the customer with that id; with its orders, if the history is given.
///
/// # Errors
/// [`Error::Value`] where there is no such customer; else as for [`super::tier_file`].
pub fn explain(
    file: &WholeFile,
    customer: &str,
    request: &TierRequest<'_>,
    history: Option<&HistoryRequest<'_>>,
    progress: &dyn Progress,
) -> Result<Explained> {
    let ids = file.ids()?;
    let row = (0..ids.len()).find(|&row| ids.text(row) == customer).ok_or_else(|| {
        let problem = format!("{} has no such customer in \"{}\"", file.path().display(), file.id_name());
        let remedy = format!("give an id as it stands there, such as {}", ids.text(0));
        Error::value("the customer", customer, problem, remedy)
    })?;
    // Of the one row: a column of ten million need not be made plain.
    let keep: Vec<bool> = (0..ids.len()).map(|at| at == row).collect();
    let mut figures = Vec::new();
    let mut totals = TableTotals::default();
    for name in file.columns() {
        progress.check()?;
        if let Some(values) = file.column(&name, Some(&keep))? {
            let number = || match values.plain(&name) {
                Ok(Plain::Numbers(values)) => values.first().copied().filter(|value| value.is_finite()),
                _ => None,
            };
            match name.as_str() {
                "orders" => totals.orders = number(),
                "total_spend" => totals.total_spend = number(),
                _ => {}
            }
            // Lists and the like are no figures; rules cannot look at them either.
            let value = values.plain(&name).map_or(Some("(of a type that is not shown)".to_string()), text);
            figures.push(Figure { value, column: name });
        }
    }
    let (date, tiers) = schemes_over(file, request, &ids, progress, |over, scheme| {
        let names = over.graded.tiering.names();
        let name = |code: u8| names.get(usize::from(code)).cloned();
        let (automatic, holds) = (over.automatic[row], over.effective()[row]);
        let reason = over.reason(row);
        ExplainedTier {
            scheme: scheme.key.clone(),
            title: over.graded.tiering.title.clone(),
            tier: name(holds),
            automatic: name(automatic).filter(|_| automatic != holds),
            by_hand: over.by_hand(row, request.overrides),
            reason,
            rule: over.graded.tiering.tiers.get(usize::from(automatic)).map(|tier| tier.rule.clone()),
        }
    })?;
    let history = match history {
        Some(HistoryRequest { sources, options }) => {
            let mut options = (*options).clone();
            if let Some(about) = file.about() {
                options.as_of = options.as_of.or(Some(about.as_of));
                options.calibration_end = options.calibration_end.or(Some(about.calibration_end));
            }
            let unit = file.about().map_or(Unit::Day, |about| about.unit);
            Some(orders_of(customer, sources, &options, unit, totals, progress)?)
        }
        None => None,
    };
    Ok(Explained { customer: customer.to_string(), row: row as u64, date, figures, tiers, history })
}

/// The only value of a column.
fn text(plain: Plain) -> Option<String> {
    match plain {
        Plain::Numbers(values) => values.first().filter(|value| !value.is_nan()).map(f64::to_string),
        Plain::Days(values) => {
            values.first().filter(|value| !value.is_nan()).map(|&day| Day(day as i32).to_string())
        }
        Plain::Whole(values) => values.first()?.map(|value| value.to_string()),
        Plain::Truths(values) => values.first()?.map(|value| value.to_string()),
        Plain::Texts { codes, names } => codes.first().and_then(|&code| names.get(code as usize)).cloned(),
    }
}
