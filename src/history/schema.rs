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

use arrow_schema::{DataType, Schema};
use serde::Serialize;

use crate::error::{Error, Result, nearest_first};
use crate::history::HistoryOptions;
use crate::history::names::{
    AMOUNT, CUSTOMER, ORDER, TIME, UNIT_PRICE, counts_pieces, is_other_date, is_other_number, is_price,
    normalise,
};
use crate::history::types::{IdKind, TimeKind, amount_scale};

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

/// The columns that were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detected {
    /// Who.
    pub customer: ColumnRef,
    /// When.
    pub time: ColumnRef,
    /// How much.
    pub amount: ColumnRef,
    /// Which order a row belongs to, if there is such a column.
    pub order: Option<ColumnRef>,
}

/// What a column can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Customer,
    Time,
    Amount,
    Order,
}

impl Role {
    /// The name in messages, which is also the option's.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Customer => "customer",
            Role::Time => "time",
            Role::Amount => "amount",
            Role::Order => "order",
        }
    }

    fn classes(self) -> &'static [&'static [&'static str]] {
        match self {
            Role::Customer => CUSTOMER,
            Role::Time => TIME,
            Role::Amount => AMOUNT,
            Role::Order => ORDER,
        }
    }

    fn fits(self, data_type: &DataType) -> bool {
        match self {
            Role::Customer | Role::Order => IdKind::of(data_type).is_some(),
            Role::Time => TimeKind::of(data_type).is_some(),
            Role::Amount => amount_scale(data_type).is_some(),
        }
    }

    /// Whether the type alone says that the column has this role, if no other column has such a type.
    fn tells(self, data_type: &DataType) -> bool {
        match self {
            Role::Customer | Role::Order => false,
            Role::Time => self.fits(data_type),
            Role::Amount => self.fits(data_type) && !data_type.is_integer(),
        }
    }

    /// Whether a name says that a column of a telling type has another meaning.
    fn is_something_else(self, name: &str) -> bool {
        match self {
            Role::Customer | Role::Order => false,
            Role::Time => is_other_date(name),
            Role::Amount => is_other_number(name),
        }
    }

    /// The types that can play the role, for a column of type `found` that cannot.
    fn expected(self, found: &DataType) -> &'static str {
        match self {
            // What pandas makes of integers as soon as one is missing.
            Role::Customer | Role::Order if found.is_floating() => {
                "integers or text (a pandas float column of ids becomes one with .astype(\"Int64\"))"
            }
            Role::Customer | Role::Order => "an integer of any width, or text (also as a dictionary)",
            Role::Time => "a date, or a timestamp of any unit with or without a time zone",
            Role::Amount => "a floating-point number, an integer or a decimal",
        }
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
    let finder = Finder {
        path,
        schema,
        normalised: schema.fields().iter().take(own).map(|field| normalise(field.name())).collect(),
    };
    let customer = finder.required(Role::Customer, options.customer.as_deref())?;
    let time = finder.required(Role::Time, options.time.as_deref())?;
    let amount = finder.required(Role::Amount, options.amount.as_deref())?;
    let order = finder.find(Role::Order, options.order.as_deref())?;
    let taken = [customer.index, time.index, amount.index];
    // An order that nobody asked for gives way.
    let order = order.filter(|column| column.how == How::Named || !taken.contains(&column.index));
    let mut cast = vec![(Role::Customer, &customer), (Role::Time, &time), (Role::Amount, &amount)];
    cast.extend(order.as_ref().map(|column| (Role::Order, column)));
    for (i, (role, column)) in cast.iter().enumerate() {
        if let Some((other, _)) = cast[..i].iter().find(|(_, other)| other.index == column.index) {
            return Err(two_roles(path, *other, *role, &column.name));
        }
    }
    Ok(Detected { customer, time, amount, order })
}

/// The column of ids of a table that is no history, found or named as a history's customer column.
///
/// Errors: as for [`detect`].
pub(crate) fn customer_column(path: &Path, schema: &Schema, named: Option<&str>) -> Result<ColumnRef> {
    let normalised = schema.fields().iter().map(|field| normalise(field.name())).collect();
    Finder { path, schema, normalised }.required(Role::Customer, named)
}

fn two_roles(path: &Path, first: Role, second: Role, column: &str) -> Error {
    Error::value(
        format!("the {} column of {}", second.name(), path.display()),
        column,
        format!("it is the {} column already", first.name()),
        format!("name different columns with --{} and --{}", first.name(), second.name()),
    )
}

struct Finder<'a> {
    path: &'a Path,
    schema: &'a Schema,
    /// The names of its own columns.
    normalised: Vec<String>,
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
        for class in role.classes() {
            let of_class: Vec<usize> = (0..self.normalised.len())
                .filter(|&i| class.contains(&self.normalised[i].as_str()))
                .collect();
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
        let telling: Vec<usize> = (0..self.normalised.len())
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
        let candidates: Vec<usize> =
            telling.into_iter().filter(|&i| !role.is_something_else(name(i))).collect();
        match candidates[..] {
            [] => Ok(None),
            [index] => Ok(Some(self.column(index, How::ByType))),
            _ => Err(self.ambiguous(role, &candidates)),
        }
    }

    /// A column that counts pieces.
    fn pieces(&self) -> Option<usize> {
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
                "choose it with --amount {price} if it is the money of the whole row, or add a column {pieces} × {price}"
            ),
        ))
    }
}
