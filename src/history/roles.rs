//! What a column can be for, and which types can be that.

use arrow_schema::DataType;

use crate::history::composite;
use crate::history::kept;
use crate::history::names::{AMOUNT, CUSTOMER, ORDER, TIME, is_other_date, is_other_number};
use crate::history::types::{IdKind, TimeKind, amount_scale};

/// What a column can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Customer,
    Time,
    Amount,
    Order,
    Quantity,
    Currency,
    Cost,
    Margin,
    Keep,
}

impl Role {
    /// The name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Keep => "kept value",
            _ => self.option(),
        }
    }

    /// The option by which a column is named.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Role::Customer => "customer",
            Role::Time => "time",
            Role::Amount => "amount",
            Role::Order => "order",
            Role::Quantity => "quantity",
            Role::Currency => "currency",
            Role::Cost => "cost",
            Role::Margin => "margin",
            Role::Keep => "keep",
        }
    }

    /// Classes of names by which a column is found, best first. Roles without any are only played by named columns.
    pub(crate) fn classes(self) -> &'static [&'static [&'static str]] {
        match self {
            Role::Customer => CUSTOMER,
            Role::Time => TIME,
            Role::Amount => AMOUNT,
            Role::Order => ORDER,
            Role::Quantity | Role::Currency | Role::Cost | Role::Margin | Role::Keep => &[],
        }
    }

    pub(crate) fn fits(self, data_type: &DataType) -> bool {
        match self {
            Role::Customer | Role::Order => IdKind::of(data_type).is_some(),
            Role::Time => TimeKind::of(data_type).is_some(),
            Role::Amount | Role::Quantity | Role::Cost | Role::Margin => amount_scale(data_type).is_some(),
            Role::Currency => composite::is_text(data_type),
            Role::Keep => kept::can_be_kept(data_type),
        }
    }

    /// Whether the type alone says that the column has this role, if no other column has such a type.
    pub(crate) fn tells(self, data_type: &DataType) -> bool {
        match self {
            Role::Time => self.fits(data_type),
            Role::Amount => self.fits(data_type) && !data_type.is_integer(),
            _ => false,
        }
    }

    /// Whether a name says that a column of a telling type has another meaning.
    pub(crate) fn is_something_else(self, name: &str) -> bool {
        match self {
            Role::Time => is_other_date(name),
            Role::Amount => is_other_number(name),
            _ => false,
        }
    }

    /// The types that can play the role, for a column of type `found` that cannot.
    pub(crate) fn expected(self, found: &DataType) -> &'static str {
        match self {
            // What pandas makes of integers as soon as one is missing.
            Role::Customer | Role::Order if found.is_floating() => {
                "integers or text (a pandas float column of ids becomes one with .astype(\"Int64\"))"
            }
            Role::Customer | Role::Order => "an integer of any width, or text (also as a dictionary)",
            Role::Time => "a date, or a timestamp of any unit with or without a time zone",
            Role::Amount | Role::Quantity | Role::Cost | Role::Margin => {
                "a floating-point number, an integer or a decimal"
            }
            Role::Currency => "text (also as a dictionary)",
            Role::Keep => "a number, a text, a date, a time or a boolean (also as a dictionary)",
        }
    }
}
