//! Which columns say who, when and how much: found by name and type, or as named by the user.
//!
//! Names are compared without case, `_`, `-` and spaces. Each role has a list of classes of names, best first; a
//! column is a candidate if its name is in a class and its type can play the role. The best class wins, and two
//! candidates in it are an error: the wrong column gives wrong numbers without a trace, so that we ask. So is a best class
//! whose columns all have an impossible type: what a worse class holds is likely something else. A time or an amount
//! whose name says nothing is taken by its type if it is the only one of a telling type (a date or timestamp; a float or
//! decimal), but no amount beside a count of pieces: it may be a price. A customer is never guessed from the type: any
//! integer could be one.

use std::path::Path;

use arrow_schema::Schema;
use serde::{Serialize, Serializer};

use crate::error::{Error, Result, nearest_first, quoted};
use crate::history::HistoryOptions;
use crate::history::names::{UNIT_PRICE, counts_pieces, is_price, normalise};
use crate::history::roles::Role;

/// How a column was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The user named it.
    Named,
    /// By its name.
    ByName,
    /// By its type, the only one of its sort.
    ByType,
}

impl How {
    /// "found by its name", for a sentence.
    pub fn words(self) -> &'static str {
        match self {
            How::Named => "named by the user",
            How::ByName => "found by its name",
            How::ByType => "found by its type",
        }
    }
}

/// A column with a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnRef {
    /// Its name in the file.
    pub name: String,
    /// Its Arrow type as text.
    #[serde(rename = "type")]
    pub type_text: String,
    /// How it was found.
    pub how: How,
    /// Its position among the top-level columns of the file.
    #[serde(skip)]
    pub index: usize,
}

impl ColumnRef {
    /// Whether it has that name, but for case and signs between words, which files of one history may write differently.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        normalise(&self.name) == normalise(name)
    }
}

/// The columns that were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detected {
    /// Who: one column, or several that say it together. One is serialized as itself, several as a list.
    #[serde(serialize_with = "one_or_many")]
    pub customer: Vec<ColumnRef>,
    /// When.
    pub time: ColumnRef,
    /// How much, or the price of a piece where there is a quantity.
    pub amount: ColumnRef,
    /// Which order a row belongs to, if there is such a column.
    pub order: Option<ColumnRef>,
    /// How many pieces the amount is the price of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<ColumnRef>,
    /// In which currency the amount is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<ColumnRef>,
    /// What the row cost the seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<ColumnRef>,
    /// What the seller earned with the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<ColumnRef>,
    /// Whose last known value each customer keeps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<ColumnRef>,
}

fn one_or_many<S: Serializer>(columns: &[ColumnRef], out: S) -> Result<S::Ok, S::Error> {
    match columns {
        [column] => column.serialize(out),
        _ => columns.serialize(out),
    }
}

impl Detected {
    /// Every column with what it is taken for, in the order of the options.
    pub fn roles(&self) -> Vec<(&'static str, &ColumnRef)> {
        self.cast().into_iter().map(|(role, column)| (role.name(), column)).collect()
    }

    pub(crate) fn cast(&self) -> Vec<(Role, &ColumnRef)> {
        let mut out: Vec<(Role, &ColumnRef)> = self.customer.iter().map(|c| (Role::Customer, c)).collect();
        out.extend([(Role::Time, &self.time), (Role::Amount, &self.amount)]);
        let further = [
            (Role::Order, &self.order),
            (Role::Quantity, &self.quantity),
            (Role::Currency, &self.currency),
            (Role::Cost, &self.cost),
            (Role::Margin, &self.margin),
        ];
        out.extend(further.into_iter().filter_map(|(role, column)| Some((role, column.as_ref()?))));
        out.extend(self.keep.iter().map(|column| (Role::Keep, column)));
        out
    }

    /// The column of costs, or else of margins.
    pub fn cost_or_margin(&self) -> Option<&ColumnRef> {
        self.cost.as_ref().or(self.margin.as_ref())
    }
}

/// Finds the columns of one file, whose first `own` columns are its own.
///
/// The others come from the names of its folders: they are taken only where the user names them, since a folder
/// `date=2026-01-31` repeats what a column says better.
///
/// Errors: [`Error::ColumnNotFound`], [`Error::ColumnAmbiguous`], [`Error::ColumnType`]; [`Error::Value`] for a unit
/// price that could be taken for the money of an order, and for a column with two roles.
pub fn detect(path: &Path, schema: &Schema, own: usize, options: &HistoryOptions) -> Result<Detected> {
    let mut finder = Finder {
        path,
        schema,
        normalised: schema.fields().iter().take(own).map(|field| normalise(field.name())).collect(),
        priced: options.quantity.is_some(),
        taken: Vec::new(),
    };
    let mut further = |role, name: &Option<String>| -> Result<Option<ColumnRef>> {
        let found = name.as_deref().map(|name| finder.named(role, name)).transpose()?;
        finder.taken.extend(found.iter().map(|column| column.index));
        Ok(found)
    };
    let quantity = further(Role::Quantity, &options.quantity)?;
    let currency = further(Role::Currency, &options.currency)?;
    let cost = further(Role::Cost, &options.cost)?;
    let margin = further(Role::Margin, &options.margin)?;
    let all = |role, names: &[String]| -> Result<Vec<ColumnRef>> {
        names.iter().map(|name| finder.named(role, name)).collect()
    };
    let keep = all(Role::Keep, &options.keep)?;
    let customer = if options.customer.is_empty() {
        vec![finder.required(Role::Customer, None)?]
    } else {
        all(Role::Customer, &options.customer)?
    };
    let time = finder.required(Role::Time, options.time.as_deref())?;
    let amount = finder.required(Role::Amount, options.amount.as_deref())?;
    let order = finder.find(Role::Order, options.order.as_deref())?;
    let found = Detected { customer, time, amount, order: None, quantity, currency, cost, margin, keep };
    // An order that nobody asked for gives way.
    let gives_way = |order: &ColumnRef| {
        let is_taken =
            |(role, column): &(Role, &ColumnRef)| *role != Role::Keep && column.index == order.index;
        order.how != How::Named && found.cast().iter().any(is_taken)
    };
    let order = order.filter(|order| !gives_way(order));
    let found = Detected { order, ..found };
    let cast = found.cast();
    for (i, (role, column)) in cast.iter().enumerate() {
        // What is kept may well have another role; only twice the same column would be twice the same name.
        let clashes = |other: Role| (*role == Role::Keep) == (other == Role::Keep);
        let other = cast[..i].iter().find(|(other, c)| c.index == column.index && clashes(*other));
        if let Some((other, _)) = other {
            return Err(two_roles(path, *other, *role, &column.name));
        }
    }
    Ok(found)
}

/// The column of ids of a table that is no history, found or named as a history's customer column.
///
/// Errors: as for [`detect`].
pub(crate) fn customer_column(path: &Path, schema: &Schema, named: Option<&str>) -> Result<ColumnRef> {
    let normalised = schema.fields().iter().map(|field| normalise(field.name())).collect();
    Finder { path, schema, normalised, priced: false, taken: Vec::new() }.required(Role::Customer, named)
}

fn two_roles(path: &Path, first: Role, second: Role, column: &str) -> Error {
    let remedy = if first == second {
        format!("name each column once with --{}", first.option())
    } else {
        format!("name different columns with --{} and --{}", first.option(), second.option())
    };
    Error::value(
        format!("the {} column of {}", second.name(), path.display()),
        column,
        format!("it is the {} column already", first.name()),
        remedy,
    )
}

struct Finder<'a> {
    path: &'a Path,
    schema: &'a Schema,
    /// The names of its own columns.
    normalised: Vec<String>,
    /// A quantity was named, so that the amount is a price.
    priced: bool,
    /// Columns that were named for a role in which none is found by itself.
    taken: Vec<usize>,
}

impl Finder<'_> {
    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn column(&self, index: usize, how: How) -> ColumnRef {
        let field = self.schema.field(index);
        ColumnRef { name: field.name().clone(), type_text: field.data_type().to_string(), how, index }
    }

    fn wrong_type(&self, role: Role, index: usize) -> Error {
        let column = self.column(index, How::Named);
        Error::ColumnType {
            path: self.path.to_path_buf(),
            role: role.name(),
            column: column.name,
            found: column.type_text,
            expected: role.expected(self.schema.field(index).data_type()),
        }
    }

    fn required(&self, role: Role, named: Option<&str>) -> Result<ColumnRef> {
        self.find(role, named)?.ok_or_else(|| Error::ColumnNotFound {
            path: self.path.to_path_buf(),
            role: role.name(),
            wanted: None,
            columns: self.names(),
        })
    }

    fn find(&self, role: Role, named: Option<&str>) -> Result<Option<ColumnRef>> {
        if let Some(name) = named {
            return self.named(role, name).map(Some);
        }
        let fits = |&i: &usize| role.fits(self.schema.field(i).data_type());
        // Beside a named quantity the money of a whole row is the last thing to multiply.
        let prices = (role == Role::Amount && self.priced).then_some(&UNIT_PRICE);
        for class in prices.into_iter().chain(role.classes()) {
            let of_class: Vec<usize> =
                self.free().filter(|&i| class.contains(&self.normalised[i].as_str())).collect();
            let fitting: Vec<usize> = of_class.iter().copied().filter(fits).collect();
            match (&fitting[..], &of_class[..]) {
                ([], []) => {}
                // Orders are counted by days then, which is what happens without such a column.
                ([], _) if role == Role::Order => return Ok(None),
                // The right name and an impossible type: to take a worse name would hide that.
                ([], [index, ..]) => return Err(self.wrong_type(role, *index)),
                ([index], _) => {
                    if UNIT_PRICE.contains(&self.normalised[*index].as_str()) {
                        self.refuse_unit_price(*index)?;
                    }
                    return Ok(Some(self.column(*index, How::ByName)));
                }
                _ => return Err(self.ambiguous(role, &fitting)),
            }
        }
        self.by_type(role)
    }

    /// Columns that may be found by name or type.
    fn free(&self) -> impl Iterator<Item = usize> {
        (0..self.normalised.len()).filter(|i| !self.taken.contains(i))
    }

    fn named(&self, role: Role, name: &str) -> Result<ColumnRef> {
        let of_name: Vec<usize> =
            (0..self.schema.fields().len()).filter(|&i| self.schema.field(i).name() == name).collect();
        let index = match of_name[..] {
            [index] => index,
            [] => {
                return Err(Error::ColumnNotFound {
                    path: self.path.to_path_buf(),
                    role: role.name(),
                    wanted: Some(name.to_string()),
                    columns: nearest_first(name, &self.names()),
                });
            }
            _ => return Err(self.ambiguous(role, &of_name)),
        };
        if role.fits(self.schema.field(index).data_type()) {
            Ok(self.column(index, How::Named))
        } else {
            Err(self.wrong_type(role, index))
        }
    }

    fn by_type(&self, role: Role) -> Result<Option<ColumnRef>> {
        let name = |i: usize| self.schema.field(i).name().as_str();
        let telling: Vec<usize> = self
            .free()
            .filter(|&i| {
                let data_type = self.schema.field(i).data_type();
                role.tells(data_type) && !counts_pieces(name(i), data_type)
            })
            .collect();
        if role == Role::Amount && self.pieces().is_some() {
            // Nothing is taken by type beside a count of pieces; a lone price deserves to be told why.
            return match telling[..] {
                [index] => self.refuse_unit_price(index).map(|()| None),
                _ => Ok(None),
            };
        }
        let is_price = |i: usize| role == Role::Amount && self.priced && is_price(name(i));
        let candidates: Vec<usize> =
            telling.into_iter().filter(|&i| is_price(i) || !role.is_something_else(name(i))).collect();
        match candidates[..] {
            [] => Ok(None),
            [index] => Ok(Some(self.column(index, How::ByType))),
            _ => Err(self.ambiguous(role, &candidates)),
        }
    }

    /// A column that counts pieces, unless it is known which one does.
    fn pieces(&self) -> Option<usize> {
        if self.priced {
            return None;
        }
        (0..self.normalised.len()).find(|&i| {
            let field = self.schema.field(i);
            counts_pieces(field.name(), field.data_type())
        })
    }

    fn ambiguous(&self, role: Role, candidates: &[usize]) -> Error {
        Error::ColumnAmbiguous {
            path: self.path.to_path_buf(),
            role: role.name(),
            candidates: candidates.iter().map(|&i| self.schema.field(i).name().clone()).collect(),
        }
    }

    fn refuse_unit_price(&self, index: usize) -> Result<()> {
        if !is_price(self.schema.field(index).name()) {
            return Ok(());
        }
        let Some(pieces) = self.pieces() else { return Ok(()) };
        let (price, pieces) = (self.schema.field(index).name(), self.schema.field(pieces).name());
        Err(Error::value(
            format!("the amount column of {}", self.path.display()),
            price,
            format!("beside \"{pieces}\" it may be the price of one piece"),
            format!(
                "choose it with --amount {} if it is the money of the whole row, or multiply it with --quantity {}",
                quoted(price),
                quoted(pieces)
            ),
        ))
    }
}
