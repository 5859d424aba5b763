//! Columns that look right and are not: each of these once gave wrong numbers without a word.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};

use crate::error::{Error, Result};
use crate::history::schema::Detected;
use crate::history::testing::{parquet, source};
use crate::history::{History, HistoryOptions, How};

fn id() -> ArrayRef {
    Arc::new(Int64Array::from(vec![1, 2]))
}

fn date() -> ArrayRef {
    Arc::new(Date32Array::from(vec![10, 11]))
}

fn cash() -> ArrayRef {
    Arc::new(Float64Array::from(vec![1.5, 2.0]))
}

fn text() -> ArrayRef {
    Arc::new(StringArray::from(vec!["a", "b"]))
}

fn detect_with(columns: Vec<(&str, ArrayRef)>, options: &HistoryOptions) -> Result<Detected> {
    let history = History::open(&[source("t", parquet(columns, 9))], options)?;
    Ok(history.inspection().columns.clone())
}

fn detect(columns: Vec<(&str, ArrayRef)>) -> Result<Detected> {
    detect_with(columns, &HistoryOptions::default())
}

fn named(customer: Option<&str>, amount: Option<&str>) -> HistoryOptions {
    let own = |name: Option<&str>| name.map(str::to_string);
    HistoryOptions {
        customer: customer.map(String::from).into_iter().collect(),
        amount: own(amount),
        ..HistoryOptions::default()
    }
}

#[test]
fn no_amount_by_type_beside_a_count_of_pieces() {
    for pieces in ["order_qty", "Units", "ItemCount", "menge"] {
        let of =
            |amount| detect(vec![("customer_id", id()), ("date", date()), (pieces, id()), (amount, cash())]);
        let error = of("geld").unwrap_err();
        assert!(matches!(error, Error::ColumnNotFound { role: "amount", .. }), "{pieces}: {error}");
        for price in ["unit_price", "price", "retail_price"] {
            let error = of(price).unwrap_err();
            assert!(error.to_string().contains("it may be the price of one piece"), "{pieces}: {error}");
        }
        assert_eq!(of("total_price").unwrap().amount.how, How::ByName);
    }
}

#[test]
fn no_amount_or_date_by_type_whose_name_says_another_thing() {
    for name in ["retail_price", "unit_cost", "discount", "TaxRate", "lat", "weight", "score", "Age"] {
        let error = detect(vec![("customer_id", id()), ("date", date()), (name, cash())]).unwrap_err();
        assert!(matches!(error, Error::ColumnNotFound { role: "amount", .. }), "{name}: {error}");
    }
    for name in [
        "birthdate",
        "SignupDate",
        "registered",
        "expiry",
        "due_on",
        "shipDate",
        "last_update",
        "delivered_on",
    ] {
        let error = detect(vec![("customer_id", id()), (name, date()), ("amount", cash())]).unwrap_err();
        assert!(matches!(error, Error::ColumnNotFound { role: "time", .. }), "{name}: {error}");
    }
}

#[test]
fn the_best_name_with_an_impossible_type_is_an_error() {
    for (columns, role, column) in [
        (
            vec![("customer_id", id()), ("date", date()), ("amount", text()), ("price", cash())],
            "amount",
            "amount",
        ),
        (
            vec![("customer_id", id()), ("order_date", text()), ("created_at", date()), ("amount", cash())],
            "time",
            "order_date",
        ),
        (
            vec![("customer_id", cash()), ("user_id", id()), ("date", date()), ("amount", cash())],
            "customer",
            "customer_id",
        ),
    ] {
        let error = detect(columns).unwrap_err();
        let found =
            matches!(&error, Error::ColumnType { role: r, column: c, .. } if *r == role && c == column);
        assert!(found, "{error}");
        let pandas = error.hint().unwrap().contains(".astype(\"Int64\")");
        assert_eq!(pandas, role == "customer");
    }
    // A float order id is no order: orders are days then.
    let columns = vec![
        ("customer_id", id()),
        ("date", date()),
        ("amount", cash()),
        ("order_id", cash()),
        ("transaction_id", id()),
    ];
    assert_eq!(detect(columns).unwrap().order, None);
}

#[test]
fn one_column_has_one_role_and_one_name_one_column() {
    let columns = || vec![("customer_id", id()), ("date", date()), ("amount", cash()), ("order_id", id())];
    let error = detect_with(columns(), &named(None, Some("customer_id"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the amount column of t cannot be \"customer_id\": it is the customer column already"
    );
    let order = HistoryOptions { order: Some("order_id".into()), ..named(Some("order_id"), None) };
    assert!(matches!(detect_with(columns(), &order), Err(Error::Value { .. })));
    // An order id that serves as customer is no order as well.
    assert_eq!(detect_with(columns(), &named(Some("order_id"), None)).unwrap().order, None);

    let twice = vec![("customer_id", id()), ("date", date()), ("geld", cash()), ("geld", cash())];
    let error = detect_with(twice, &named(None, Some("geld"))).unwrap_err();
    assert!(matches!(&error, Error::ColumnAmbiguous { candidates, .. } if candidates.len() == 2), "{error}");
}

#[test]
fn a_named_quantity_takes_the_price_and_no_total() {
    let columns = |price| {
        let total = ("total", cash());
        vec![
            ("customer_id", id()),
            ("date", date()),
            ("qty", id()),
            total,
            (price, cash()),
            ("profit", cash()),
        ]
    };
    let options = HistoryOptions { quantity: Some("qty".into()), ..HistoryOptions::default() };
    let found = detect_with(columns("unit_price"), &options).unwrap();
    assert_eq!((found.amount.name.as_str(), found.quantity.unwrap().how), ("unit_price", How::Named));
    // Without a price of that name, a column of the amount's names is what there is to multiply.
    assert_eq!(detect_with(columns("x"), &options).unwrap().amount.name, "total");
    let retail = |name| vec![("customer_id", id()), ("date", date()), ("qty", id()), (name, cash())];
    assert_eq!(detect_with(retail("retail_price"), &options).unwrap().amount.how, How::ByType);
    // What is named for another role is not found for this one.
    let cost = HistoryOptions { cost: Some("geld".into()), ..options };
    assert!(matches!(detect_with(retail("geld"), &cost), Err(Error::ColumnNotFound { role: "amount", .. })));
}

#[test]
fn a_kept_column_may_have_another_role() {
    let options =
        HistoryOptions { keep: vec!["order_id".into(), "date".into()], ..HistoryOptions::default() };
    let columns = vec![("customer_id", id()), ("date", date()), ("amount", cash()), ("order_id", id())];
    let found = detect_with(columns, &options).unwrap();
    let roles: Vec<(&str, &str)> = found.roles().iter().map(|(role, c)| (*role, c.name.as_str())).collect();
    assert_eq!(
        roles,
        [
            ("customer", "customer_id"),
            ("time", "date"),
            ("amount", "amount"),
            ("order", "order_id"),
            ("kept value", "order_id"),
            ("kept value", "date")
        ]
    );
}
