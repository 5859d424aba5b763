//! Which columns of a file of customers hold the statistics, and the money.

use std::path::Path;

use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, nearest_first};

/// The columns of statistics.
pub(super) const FREQUENCY: &str = "frequency";
pub(super) const RECENCY: &str = "recency";
pub(super) const T: &str = "T";
/// The mean value of a repeat purchase.
pub(super) const MONETARY_VALUE: &str = "monetary_value";
/// Sums over all order days, the first included, that `summarize --margin`, `--cost` and every table have.
const TOTAL_MARGIN: &str = "total_margin";
const TOTAL_COST: &str = "total_cost";
const TOTAL_SPEND: &str = "total_spend";

/// Which column a model of spend reads, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// The column.
    pub column: String,
    /// What the values are.
    pub of: MoneyKind,
    /// Which order days they are means over.
    pub over: OrderDays,
}

/// What money is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyKind {
    /// What customers paid.
    Revenue,
    /// What was earned with it.
    Margin,
    /// What a column of somebody's own says.
    Other,
}

/// Over which order days a mean is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderDays {
    /// The repeat purchases alone, as the literature has it: `frequency` of them.
    Repeat,
    /// All, the first one included: `frequency` + 1.
    All,
}

impl Money {
    /// The money of `monetary_value`, which is read unless another column is named.
    pub fn revenue() -> Money {
        Money { column: MONETARY_VALUE.to_string(), of: MoneyKind::Revenue, over: OrderDays::Repeat }
    }

    /// The money of a column by its name: `total_margin` and `total_cost` are sums over all order days, of which means
    /// are made; every other column is a mean over the repeat purchases, as `monetary_value` is.
    pub fn of_column(column: &str) -> Money {
        let is = |name: &str| column.eq_ignore_ascii_case(name);
        let (of, over) = match column {
            _ if is(MONETARY_VALUE) => (MoneyKind::Revenue, OrderDays::Repeat),
            _ if is(TOTAL_MARGIN) || is(TOTAL_COST) => (MoneyKind::Margin, OrderDays::All),
            _ => (MoneyKind::Other, OrderDays::Repeat),
        };
        Money { column: column.to_string(), of, over }
    }

    /// Why it cannot be, for a file that somebody edited: what a column holds follows from its name.
    ///
    /// # Errors
    /// The problem in words.
    pub fn check(&self) -> Result<(), String> {
        let column = &self.column;
        if column.eq_ignore_ascii_case(TOTAL_SPEND) {
            return Err(format!(
                "the money \"{column}\" is a sum of revenue, and no model of spend is fitted to it"
            ));
        }
        let Money { of, over, .. } = Money::of_column(column);
        if (self.of, self.over) == (of, over) {
            return Ok(());
        }
        Err(format!(
            "money of the column \"{column}\" is said to be \"{}\" over \"{}\", and is \"{}\" over \"{}\"",
            self.of.key(),
            self.over.key(),
            of.key(),
            over.key()
        ))
    }

    /// What lifetime value is in, in words: "revenue", "margin (total_margin)".
    pub fn words(&self) -> String {
        match self.of {
            MoneyKind::Revenue => "revenue".to_string(),
            MoneyKind::Margin if self.column.eq_ignore_ascii_case(TOTAL_COST) => {
                format!("margin ({TOTAL_SPEND} less {TOTAL_COST})")
            }
            MoneyKind::Margin => format!("margin ({})", self.column),
            MoneyKind::Other => format!("the column \"{}\"", self.column),
        }
    }
}

impl MoneyKind {
    /// The name in files.
    fn key(self) -> &'static str {
        match self {
            MoneyKind::Revenue => "revenue",
            MoneyKind::Margin => "margin",
            MoneyKind::Other => "other",
        }
    }
}

impl OrderDays {
    /// The name in files.
    fn key(self) -> &'static str {
        match self {
            OrderDays::Repeat => "repeat",
            OrderDays::All => "all",
        }
    }

    /// How many there are of a customer with `frequency` repeat purchases.
    pub fn count(self, frequency: u32) -> u32 {
        match self {
            OrderDays::Repeat => frequency,
            OrderDays::All => frequency.saturating_add(1),
        }
    }
}

/// The places of the columns that are needed.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Of frequency, recency and T.
    pub(super) times: [usize; 3],
    pub(super) money: Option<MoneyPlaces>,
}

/// Where money stands.
#[derive(Debug, Clone)]
pub(super) struct MoneyPlaces {
    pub(super) money: Money,
    pub(super) column: usize,
    /// The column of spend that costs are taken from.
    pub(super) spend: Option<usize>,
}

impl Places {
    /// Finds the columns of a file; `money` is the column that was asked for, if one was.
    pub(super) fn find(path: &Path, schema: &Schema, money: Option<&str>) -> Result<Places> {
        let columns = Columns { path, schema };
        let times =
            [columns.needed(FREQUENCY, FREQUENCY)?, columns.needed(RECENCY, RECENCY)?, columns.needed(T, T)?];
        let money = match money {
            None => columns.find(MONETARY_VALUE, MONETARY_VALUE)?.map(|column| MoneyPlaces {
                money: Money::revenue(),
                column,
                spend: None,
            }),
            Some(name) => {
                if name.eq_ignore_ascii_case(TOTAL_SPEND) {
                    let problem = "it is a sum, and the model of spend takes the mean of a repeat purchase";
                    let remedy = format!("give {MONETARY_VALUE}, which is that mean, or leave --money out");
                    return Err(Error::value("--money", name, problem, remedy));
                }
                let column = columns.needed(name, "money")?;
                let is_cost = name.eq_ignore_ascii_case(TOTAL_COST);
                let spend = if is_cost { Some(columns.needed(TOTAL_SPEND, TOTAL_SPEND)?) } else { None };
                Some(MoneyPlaces { money: Money::of_column(name), column, spend })
            }
        };
        Ok(Places { times, money })
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> + '_ {
        let money = self.money.iter().flat_map(|money| std::iter::once(money.column).chain(money.spend));
        self.times.iter().copied().chain(money)
    }
}

struct Columns<'a> {
    path: &'a Path,
    schema: &'a Schema,
}

impl Columns<'_> {
    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The place of a column of numbers: the exact name, or else the only one that differs in case alone.
    fn find(&self, name: &str, role: &'static str) -> Result<Option<usize>> {
        let names = self.names();
        let like = |exact: bool| -> Vec<usize> {
            let same = |other: &str| if exact { other == name } else { other.eq_ignore_ascii_case(name) };
            (0..names.len()).filter(|&place| same(&names[place])).collect()
        };
        let (exact, any) = (like(true), like(false));
        let place = match (&exact[..], &any[..]) {
            ([one], _) | ([], [one]) => *one,
            ([], []) => return Ok(None),
            _ => {
                let candidates: Vec<&str> = any.iter().map(|&place| names[place].as_str()).collect();
                return Err(super::several(self.path, name, &candidates));
            }
        };
        let field = self.schema.field(place);
        if !field.data_type().is_numeric() {
            return Err(Error::ColumnType {
                path: self.path.to_path_buf(),
                role,
                column: field.name().clone(),
                found: field.data_type().to_string(),
                expected: "integers, decimals or floating-point numbers",
            });
        }
        Ok(Some(place))
    }

    fn needed(&self, name: &str, role: &'static str) -> Result<usize> {
        self.find(name, role)?.ok_or_else(|| Error::ColumnNotFound {
            path: self.path.to_path_buf(),
            role,
            wanted: Some(name.to_string()),
            columns: nearest_first(name, &self.names()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_means_over_all_order_days() {
        let margin = Money::of_column("total_margin");
        assert_eq!((margin.of, margin.over.count(3)), (MoneyKind::Margin, 4));
        assert_eq!(Money::of_column("Total_Cost").words(), "margin (total_spend less total_cost)");
        let own = Money::of_column("contribution");
        assert_eq!((own.of, own.over.count(3)), (MoneyKind::Other, 3));
        assert_eq!(Money::of_column("monetary_value"), Money::revenue());
    }
}
