//! What the names of columns say: the classes by which a role is found, and the words that tell what it is not.

use arrow_schema::DataType;

use crate::history::types::amount_scale;

/// Classes of names, best first. Olist's `customer_unique_id` stands beside `customer_id` on purpose: there the
/// latter is new with every order, so that having both has to be decided by the user.
pub(crate) const CUSTOMER: &[&[&str]] = &[
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

pub(crate) const TIME: &[&[&str]] = &[
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

pub(crate) const AMOUNT: &[&[&str]] = &[
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
pub(crate) const UNIT_PRICE: &[&str] = &["price", "unitprice", "itemprice", "priceperunit"];

pub(crate) const ORDER: &[&[&str]] = &[
    &["orderid", "orderno", "ordernumber", "orderkey", "ordercode"],
    &["invoiceno", "invoiceid", "invoicenumber", "invoice"],
    &["transactionid", "transactionno", "transactionnumber", "txnid", "transid", "purchaseid", "saleid"],
    &["basketid", "receiptid", "receiptno", "receiptnumber", "ticketid", "ticketno", "checkoutid", "cartid"],
    &["order", "transaction", "basket", "receipt"],
];

/// Words of a column that counts pieces.
const QUANTITY_WORDS: &[&str] = &[
    "qty", "quant", "quantity", "unit", "units", "item", "items", "piece", "pieces", "pcs", "count",
    "volume", "menge",
];

/// The same, written in one.
const QUANTITY_NAMES: &[&str] = &["itemcount", "numitems", "orderquantity", "unitssold"];

/// Beside a word for pieces, these make a name or a price of it, as in `item_id` and `unit_cost`.
const NOT_A_COUNT: &[&str] = &[
    "id", "no", "code", "key", "sku", "name", "price", "cost", "amount", "amt", "value", "revenue", "spend",
    "discount", "tax", "fee", "rate", "weight",
];

/// Words of numbers that are no order's money: prices of one piece, parts of an amount, places, measures.
const NOT_THE_MONEY: &[&str] = &[
    "price",
    "cost",
    "discount",
    "tax",
    "rate",
    "rating",
    "lat",
    "lon",
    "latitude",
    "longitude",
    "weight",
    "pct",
    "percent",
    "score",
    "margin",
    "profit",
    "age",
];

/// Words of dates on which nobody bought.
const NOT_THE_PURCHASE: &[&str] = &[
    "birth",
    "dob",
    "signup",
    "register",
    "registered",
    "registration",
    "expiry",
    "expire",
    "expires",
    "expired",
    "expiration",
    "due",
    "ship",
    "shipped",
    "shipping",
    "shipment",
    "deliver",
    "delivered",
    "delivery",
    "return",
    "returned",
    "update",
    "updated",
    "modified",
];

/// The same, written in one with other words: none of these occurs within another word.
const NOT_THE_PURCHASE_STEMS: &[&str] = &[
    "birth", "signup", "regist", "expir", "shipdate", "shipped", "deliver", "duedate", "returned", "updated",
    "modified",
];

/// A name without case, `_`, `-`, `.` and spaces.
pub(crate) fn normalise(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.')).flat_map(char::to_lowercase).collect()
}

/// The words of a name, in small letters: split at `_`, `-`, `.`, spaces, digits and where a capital begins a word.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut out = vec![String::new()];
    for (i, &c) in letters.iter().enumerate() {
        let after_small = i > 0 && letters[i - 1].is_lowercase();
        // The last capital of a run belongs to what follows, as in "QTYOrdered".
        let ends_run =
            i > 0 && letters[i - 1].is_uppercase() && letters.get(i + 1).is_some_and(|n| n.is_lowercase());
        let begins = c.is_uppercase() && (after_small || ends_run);
        if begins || !c.is_alphabetic() {
            out.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphabetic(), out.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    out.retain(|word| !word.is_empty());
    out
}

fn has_word(name: &str, list: &[&str]) -> bool {
    words(name).iter().any(|word| list.contains(&word.as_str()))
}

/// Whether a column of that name and type counts pieces.
pub(crate) fn counts_pieces(name: &str, data_type: &DataType) -> bool {
    let named = has_word(name, QUANTITY_WORDS) || QUANTITY_NAMES.contains(&normalise(name).as_str());
    named && !has_word(name, NOT_A_COUNT) && !is_price(name) && amount_scale(data_type).is_some()
}

/// Whether the name is that of a price.
pub(crate) fn is_price(name: &str) -> bool {
    UNIT_PRICE.contains(&normalise(name).as_str()) || has_word(name, &["price"])
}

/// Whether the name says that the number is no order's money, whatever its type.
pub(crate) fn is_other_number(name: &str) -> bool {
    is_price(name) || has_word(name, NOT_THE_MONEY)
}

/// Whether the name says that the date is not that of a purchase.
pub(crate) fn is_other_date(name: &str) -> bool {
    let whole = normalise(name);
    has_word(name, NOT_THE_PURCHASE) || NOT_THE_PURCHASE_STEMS.iter().any(|stem| whole.contains(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_words() {
        assert_eq!(words("QTYOrdered"), ["qty", "ordered"]);
        assert_eq!(words("order_qty-2 of.Items"), ["order", "qty", "of", "items"]);
        assert_eq!(words("CustomerID"), ["customer", "id"]);
        assert_eq!(words("__"), Vec::<String>::new());
    }

    #[test]
    fn pieces_are_known_by_a_word() {
        let number = DataType::Int64;
        for name in [
            "order_qty",
            "QtySold",
            "Quantity",
            "num_items",
            "item count",
            "unitssold",
            "Menge",
            "sales_volume",
        ] {
            assert!(counts_pieces(name, &number), "{name}");
        }
        for name in ["unit_price", "UnitPrice", "item_id", "country", "community", "discount", "account"] {
            assert!(!counts_pieces(name, &number), "{name}");
        }
        assert!(!counts_pieces("item", &DataType::Utf8));
    }

    #[test]
    fn dates_and_numbers_that_are_something_else() {
        for name in [
            "birth_date",
            "Birthdate",
            "signup_date",
            "sign_up",
            "RegisteredAt",
            "expiryDate",
            "due",
            "ship_date",
            "updated_at",
        ] {
            assert!(is_other_date(name), "{name}");
        }
        for name in ["bought", "membership", "residue", "when_paid"] {
            assert!(!is_other_date(name), "{name}");
        }
        for name in ["retail_price", "shippingCost", "lat", "tax", "customer_age", "marginPct"] {
            assert!(is_other_number(name), "{name}");
        }
        for name in ["geld", "package", "plate", "average"] {
            assert!(!is_other_number(name), "{name}");
        }
    }
}
