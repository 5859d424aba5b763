//! Which columns say who, when and how much: found by name and type, or as named by the user.
//!
//! Names are compared without case, `_`, `-` and spaces. Each role has a list of classes of names, best first; a
//! column is a candidate if its name is in a class and its type can play the role. The best class wins, and two
//! candidates in it are an error: the wrong column gives wrong numbers without a trace, so that we ask. A time or an
//! amount whose name says nothing is taken by its type if it is the only one of a telling type (a date or timestamp; a
//! float or decimal). A customer is never guessed from the type: any integer could be one.

use std::path::Path;

use arrow_schema::{DataType, Schema};
use serde::Serialize;

use crate::error::{Error, Result, nearest_first};
use crate::history::HistoryOptions;
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

/// Classes of names, best first. Olist's `customer_unique_id` stands beside `customer_id` on purpose: there the
/// latter is new with every order, so that having both has to be decided by the user.
const CUSTOMER: &[&[&str]] = &[
    &["customerid", "customeruniqueid"],
    &["custid", "customerno", "customernumber", "customerkey", "customercode", "custno", "custkey"],
    &["customer", "cust"],
    &[
        "userid",
        "clientid",
        "accountid",
        "memberid",
        "buyerid",
        "shopperid",
        "householdid",
        "householdkey",
        "hhid",
        "consumerid",
        "purchaserid",
        "subscriberid",
        "donorid",
        "guestid",
        "personid",
        "contactid",
        "loyaltyid",
    ],
    &["user", "client", "account", "member", "buyer", "shopper", "household", "consumer", "donor"],
    &["cardid", "cardno", "cardnumber", "loyaltycard", "email", "customeremail", "emailaddress"],
];

const TIME: &[&[&str]] = &[
    &[
        "orderdate",
        "orderts",
        "ordertime",
        "ordertimestamp",
        "orderdatetime",
        "orderedat",
        "orderpurchasetimestamp",
    ],
    &["purchasedate", "purchasets", "purchasetime", "purchasetimestamp", "purchasedat", "datepurchased"],
    &[
        "invoicedate",
        "invoicetime",
        "transactiondate",
        "transactiontime",
        "transactiondatetime",
        "transactionts",
        "transactiontimestamp",
        "txndate",
        "saledate",
        "salesdate",
        "receiptdate",
        "donationdate",
    ],
    &["date", "datetime", "timestamp", "ts", "time"],
    &["eventtime", "eventts", "eventdate", "eventtimestamp", "occurredat"],
    &["day", "dt", "dateid", "when"],
    &["createdat", "createddate", "createdtime", "creationdate", "created", "datecreated"],
    &["paymentdate", "paidat"],
];

const AMOUNT: &[&[&str]] = &[
    &[
        "amount",
        "orderamount",
        "ordervalue",
        "ordertotal",
        "purchaseamount",
        "transactionamount",
        "salesamount",
        "saleamount",
    ],
    &[
        "netamount",
        "totalamount",
        "total",
        "totalprice",
        "linetotal",
        "lineamount",
        "grandtotal",
        "totalvalue",
        "invoicetotal",
    ],
    &[
        "revenue",
        "netrevenue",
        "sales",
        "netsales",
        "salesvalue",
        "spend",
        "spent",
        "turnover",
        "dollars",
        "moneyspent",
    ],
    &[
        "amt",
        "value",
        "monetaryvalue",
        "monetary",
        "sale",
        "paymentvalue",
        "paymentamount",
        "payment",
        "donation",
    ],
    UNIT_PRICE,
];

/// Money of an order, or of one piece of many: taken only where nothing counts pieces.
const UNIT_PRICE: &[&str] = &["price", "unitprice", "itemprice", "priceperunit"];

/// Columns that count pieces.
const QUANTITY: &[&str] = &[
    "quantity",
    "qty",
    "units",
    "pieces",
    "items",
    "itemcount",
    "numitems",
    "count",
    "orderquantity",
    "unitssold",
];

const ORDER: &[&[&str]] = &[
    &["orderid", "orderno", "ordernumber", "orderkey", "ordercode"],
    &["invoiceno", "invoiceid", "invoicenumber", "invoice"],
    &["transactionid", "transactionno", "transactionnumber", "txnid", "transid", "purchaseid", "saleid"],
    &["basketid", "receiptid", "receiptno", "receiptnumber", "ticketid", "ticketno", "checkoutid", "cartid"],
    &["order", "transaction", "basket", "receipt"],
];

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

    fn expected(self) -> &'static str {
        match self {
            Role::Customer | Role::Order => "an integer of any width, or text (also as a dictionary)",
            Role::Time => "a date, or a timestamp of any unit with or without a time zone",
            Role::Amount => "a floating-point number, an integer or a decimal",
        }
    }
}

/// A name without case, `_`, `-`, `.` and spaces.
pub(crate) fn normalise(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.')).flat_map(char::to_lowercase).collect()
}

/// Finds the columns of one file.
///
/// Errors: [`Error::ColumnNotFound`], [`Error::ColumnAmbiguous`], [`Error::ColumnType`]; [`Error::Value`] for a unit
/// price that could be taken for the money of an order.
pub fn detect(path: &Path, schema: &Schema, options: &HistoryOptions) -> Result<Detected> {
    let finder = Finder {
        path,
        schema,
        normalised: schema.fields().iter().map(|field| normalise(field.name())).collect(),
    };
    Ok(Detected {
        customer: finder.required(Role::Customer, options.customer.as_deref())?,
        time: finder.required(Role::Time, options.time.as_deref())?,
        amount: finder.required(Role::Amount, options.amount.as_deref())?,
        order: finder.find(Role::Order, options.order.as_deref())?,
    })
}

struct Finder<'a> {
    path: &'a Path,
    schema: &'a Schema,
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
            expected: role.expected(),
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
        let mut misfit = None;
        for class in role.classes() {
            let of_class: Vec<usize> = (0..self.normalised.len())
                .filter(|&i| class.contains(&self.normalised[i].as_str()))
                .collect();
            let fitting: Vec<usize> = of_class.iter().copied().filter(fits).collect();
            match fitting[..] {
                [] => misfit = misfit.or(of_class.first().copied()),
                [index] => {
                    self.refuse_unit_price(role, index)?;
                    return Ok(Some(self.column(index, How::ByName)));
                }
                _ => return Err(self.ambiguous(role, &fitting)),
            }
        }
        match misfit {
            // Orders are counted by days then, which is what happens without such a column.
            Some(_) if role == Role::Order => Ok(None),
            // A column has the right name and an impossible type: to guess another would hide that.
            Some(index) => Err(self.wrong_type(role, index)),
            None => self.by_type(role),
        }
    }

    fn named(&self, role: Role, name: &str) -> Result<ColumnRef> {
        let Some(index) = self.schema.fields().iter().position(|field| field.name() == name) else {
            return Err(Error::ColumnNotFound {
                path: self.path.to_path_buf(),
                role: role.name(),
                wanted: Some(name.to_string()),
                columns: nearest_first(name, &self.names()),
            });
        };
        if role.fits(self.schema.field(index).data_type()) {
            Ok(self.column(index, How::Named))
        } else {
            Err(self.wrong_type(role, index))
        }
    }

    fn by_type(&self, role: Role) -> Result<Option<ColumnRef>> {
        let known_otherwise = |name: &str| QUANTITY.contains(&name) || UNIT_PRICE.contains(&name);
        let candidates: Vec<usize> = (0..self.normalised.len())
            .filter(|&i| {
                role.tells(self.schema.field(i).data_type()) && !known_otherwise(&self.normalised[i])
            })
            .collect();
        match candidates[..] {
            [] => Ok(None),
            [index] => Ok(Some(self.column(index, How::ByType))),
            _ => Err(self.ambiguous(role, &candidates)),
        }
    }

    fn ambiguous(&self, role: Role, candidates: &[usize]) -> Error {
        Error::ColumnAmbiguous {
            path: self.path.to_path_buf(),
            role: role.name(),
            candidates: candidates.iter().map(|&i| self.schema.field(i).name().clone()).collect(),
        }
    }

    fn refuse_unit_price(&self, role: Role, index: usize) -> Result<()> {
        if role != Role::Amount || !UNIT_PRICE.contains(&self.normalised[index].as_str()) {
            return Ok(());
        }
        let Some(pieces) = self.normalised.iter().position(|name| QUANTITY.contains(&name.as_str())) else {
            return Ok(());
        };
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
