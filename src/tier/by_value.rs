//! A scheme with one tier for each value of a column: attributes as segments.

use super::columns::{Columns, Loaded};
use super::rules::{Expr, Kind, Node, did_you_mean};
use super::scheme_file::{MOST_TIERS, SchemeFile};
use crate::error::{Error, Result};
use crate::random::hash_text;

/// The tier of customers without a value.
const UNKNOWN: &str = "(unknown)";

/// A scheme with a tier for each text that customers have in `column` (or for yes and no), in the order of their bytes,
/// and one for those who have none, if there are some. Its key is `by_` and the column's name in small letters (with a code of it where it has others than ASCII).
///
/// # Errors
/// No such column; numbers, which have to be cut; more than [`MOST_TIERS`] values.
pub fn scheme_of_values(column: &str, columns: &Columns) -> Result<SchemeFile> {
    let wrong =
        |problem: &str, remedy: String| Err(Error::value("the column of a scheme", column, problem, remedy));
    let Some((kind, values)) = columns.get(column)? else {
        return wrong("there is no such column", did_you_mean(column, &columns.names()));
    };
    let (tiers, has_null) = match kind {
        Kind::Text => texts(column, columns.rows(), values),
        Kind::Truth => truths(column, columns.rows(), values),
        _ => {
            let remedy = "cut it with a scheme of your own, as in when = \"age >= 65\"; write codes as text";
            return wrong(
                &format!("it is {}, of which every value would be a tier", kind.words()),
                remedy.into(),
            );
        }
    };
    let many = tiers.len() + usize::from(has_null);
    if many > MOST_TIERS {
        let remedy =
            "name the values that matter in a scheme of your own: when = \"city in ['Bonn', 'Köln']\"";
        return wrong(
            &format!("it has {many} values, and a scheme has up to {MOST_TIERS} tiers"),
            remedy.into(),
        );
    }
    let mut key: String =
        column.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    // Names in other letters than these would all be one key.
    if !column.is_ascii() {
        key.push_str(&format!("_{:08x}", hash_text(column.as_bytes()) as u32));
    }
    let mut text = format!("scheme = \"by_{key}\"\ntitle = {}\n", quoted(&format!("By {column}")));
    for (name, when) in tiers {
        text += &format!("[[tier]]\nname = {}\nwhen = {}\n", quoted(&name), quoted(&when));
    }
    if has_null {
        text += &format!("[[tier]]\nname = \"{UNKNOWN}\"\ndefault = true\n");
    }
    SchemeFile::parse(&format!("the scheme of column {column}"), &text)
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

/// A part of a rule as rules are written.
pub(super) fn written(node: Node) -> String {
    Expr { node, span: 0..0 }.to_string()
}

/// Names and rules of the texts that somebody has, and whether somebody has none.
fn texts(column: &str, rows: usize, values: &Loaded) -> (Vec<(String, String)>, bool) {
    let mut is_used = vec![false; values.names().len()];
    let mut has_null = false;
    let mut use_code = |code: usize| match is_used.get_mut(code) {
        Some(used) => *used = true,
        None => has_null = true,
    };
    match values {
        Loaded::Labels { codes, .. } => codes[..rows].iter().for_each(|&code| use_code(usize::from(code))),
        Loaded::Texts { codes, .. } => codes[..rows].iter().for_each(|&code| use_code(code as usize)),
        _ => {}
    }
    let mut names: Vec<&String> =
        values.names().iter().zip(&is_used).filter(|(_, used)| **used).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    let tier = |name: &String| {
        let when = format!("{} = {}", written(Node::Name(column.into())), written(Node::Text(name.clone())));
        (if name.trim().is_empty() { format!("(\"{name}\")") } else { name.clone() }, when)
    };
    (names.into_iter().map(tier).collect(), has_null)
}

fn truths(column: &str, rows: usize, values: &Loaded) -> (Vec<(String, String)>, bool) {
    let name = written(Node::Name(column.into()));
    let is_there = |wanted: Option<bool>| (0..rows).any(|row| values.truth(row) == wanted);
    let mut tiers = Vec::new();
    if is_there(Some(true)) {
        tiers.push(("yes".to_string(), name.clone()));
    }
    if is_there(Some(false)) {
        tiers.push(("no".to_string(), format!("not {name}")));
    }
    (tiers, is_there(None))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::customers::table::NO_TEXT;
    use crate::customers::testing::spending;

    #[test]
    fn each_value_is_a_tier() {
        let table = spending(&[1.0, 2.0, 3.0, 4.0]);
        let mut columns = Columns::of_table(&table);
        let names: Vec<String> = ["nord", "it's \"süd\"", "unused"].map(String::from).to_vec();
        let codes = vec![0, 1, NO_TEXT, 0];
        columns.push("my region", Kind::Text, Loaded::Texts { codes: codes.into(), names: names.into() });
        columns.push(
            "vip",
            Kind::Truth,
            Loaded::Truths(Cow::Owned(vec![Some(true), Some(false), Some(true), None])),
        );
        let file = scheme_of_values("my region", &columns).unwrap();
        assert_eq!(file.column(), "tier_by_my_region");
        let graded = file.grade(&table, &columns).unwrap();
        assert_eq!(graded.tiering.names(), ["it's \"süd\"", "nord", "(unknown)"]);
        assert_eq!(graded.tiering.codes, [1, 0, 2, 1]);
        assert_eq!(graded.tiering.tiers[1].rule, "my region \"nord\"");
        let vip = scheme_of_values("vip", &columns).unwrap();
        assert_eq!(vip.grade(&table, &columns).unwrap().tiering.codes, [0, 1, 0, 2]);
        let error = scheme_of_values("total_spend", &columns).unwrap_err();
        assert!(error.to_string().contains("a number, of which every value would be a tier"), "{error}");
        assert!(
            scheme_of_values("vipp", &columns).unwrap_err().hint().unwrap().contains("did you mean \"vip\"?")
        );
        let names: Vec<String> = (0..101).map(|i| format!("{i:03}")).collect();
        let table = spending(&[1.0; 101]);
        let mut columns = Columns::of_table(&table);
        let codes: Vec<u32> = (0..101).collect();
        columns.push("id", Kind::Text, Loaded::Texts { codes: codes.into(), names: names.into() });
        assert!(scheme_of_values("id", &columns).unwrap_err().to_string().contains("it has 101 values"));
    }
}
