//! Who got what, by a contact table.

use super::columns::{document, texts, truths};
use super::read::ContactColumns;
use crate::customers::WholeFile;
use crate::customers::table::NO_TEXT;
use crate::error::{Error, Result, nearest_first};

/// More actions than this are a column that names none.
const MOST: usize = 100;

/// What the control group is called where only a column of truths says who is in it.
const CONTROL: &str = "none";

/// Texts that are taken for the control group where none is named.
const USUAL: [&str; 2] = ["none", "control"];

/// The arms of a contact table.
pub(super) struct Arms {
    /// The control first, the others by name.
    pub(super) names: Vec<String>,
    /// Index into `names` of every row; none where it is not said.
    pub(super) codes: Vec<Option<u8>>,
    /// Rows whose action is a blank text.
    pub(super) blank: Vec<bool>,
}

/// What a row got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Got {
    Control,
    /// An index into the actions' texts.
    Action(u32),
    Unsaid,
}

impl Arms {
    pub(super) fn read(contacts: &WholeFile, columns: &ContactColumns) -> Result<Arms> {
        let all = contacts.columns();
        let or = |given: &Option<String>, usual: &str| {
            given.clone().or_else(|| all.iter().any(|own| own == usual).then(|| usual.to_string()))
        };
        let treated_name = or(&columns.treated, "treated");
        let action_name = or(&columns.action, "action");
        let treated = treated_name.as_ref().map(|name| truths(contacts, name)).transpose()?;
        let action = action_name.as_ref().map(|name| texts(contacts, name)).transpose()?;
        if let (Some(name), Some(control)) = (&treated_name, &columns.control) {
            let problem = format!("the column \"{name}\" says who is in the control group");
            return Err(Error::value("--control", control, problem, "leave it out"));
        }
        let n = contacts.rows();
        let (codes, texts) = match action {
            Some((codes, texts)) => (Some(codes), texts),
            None => (None, vec!["treated".to_string()]),
        };
        let is_blank = |code: u32| texts.get(code as usize).is_some_and(|text| text.trim().is_empty());
        let said = |row: usize| match codes.as_ref().map_or(0, |codes| codes[row]) {
            code if code == NO_TEXT || is_blank(code) => Got::Unsaid,
            code => Got::Action(code),
        };
        let (control, got): (String, Vec<Got>) = match (&treated, &codes) {
            (Some(treated), _) => {
                let of_row = |row: usize| match treated[row] {
                    None => Got::Unsaid,
                    Some(false) => Got::Control,
                    Some(true) => said(row),
                };
                (CONTROL.to_string(), (0..n).map(of_row).collect())
            }
            (None, Some(_)) => {
                let control = control_of(contacts, columns, action_name.as_deref().unwrap_or(""), &texts)?;
                let at = texts.iter().position(|text| *text == control).map(|at| at as u32);
                let of_row = |row: usize| match said(row) {
                    Got::Action(code) if Some(code) == at => Got::Control,
                    got => got,
                };
                (control, (0..n).map(of_row).collect())
            }
            (None, None) => {
                return Err(Error::ColumnNotFound {
                    path: contacts.path().to_path_buf(),
                    role: "treated",
                    wanted: None,
                    columns: nearest_first("treated", &all),
                });
            }
        };
        let mut used = vec![false; texts.len()];
        for &got in &got {
            if let Got::Action(code) = got {
                used[code as usize] = true;
            }
        }
        let mut actions: Vec<u32> = (0..texts.len() as u32).filter(|&code| used[code as usize]).collect();
        actions.sort_unstable_by_key(|&code| &texts[code as usize]);
        let is_control =
            |got: &Got| matches!(got, Got::Action(code) if USUAL.contains(&texts[*code as usize].as_str()));
        let odd = if treated.is_some() { got.iter().position(is_control) } else { None };
        if let Some(row) = odd {
            let what = action_name.as_deref().unwrap_or("");
            let problem = format!(
                "customer {} was treated by \"{}\", and its \"{what}\" is that of a control group",
                contacts.ids()?.text(row),
                treated_name.as_deref().unwrap_or("")
            );
            let remedy = "mend the row, or name the columns with --treated and --action";
            return Err(document(contacts, problem, remedy));
        }
        let named = || {
            let shown: Vec<&str> =
                actions.iter().take(10).map(|&code| texts[code as usize].as_str()).collect();
            shown.join(", ")
        };
        if !got.contains(&Got::Control) {
            let problem = format!("{} has nobody who got it", contacts.path().display());
            let remedy = match treated {
                Some(_) => "give a table with treated and untreated customers".to_string(),
                None => format!("say with --control what the control group got; there are: {}", named()),
            };
            return Err(Error::value("the control group", control, problem, remedy));
        }
        if actions.len() > MOST {
            let problem = format!(
                "\"{}\" holds {} actions, which are too many",
                action_name.as_deref().unwrap_or(""),
                actions.len()
            );
            return Err(document(contacts, problem, "name with --action a column that has a few values"));
        }
        let mut place = vec![0u8; texts.len()];
        for (k, &code) in actions.iter().enumerate() {
            place[code as usize] = k as u8 + 1;
        }
        let code = |got: &Got| match got {
            Got::Control => Some(0),
            Got::Action(code) => Some(place[*code as usize]),
            Got::Unsaid => None,
        };
        let blank =
            |row: usize| got[row] == Got::Unsaid && codes.as_ref().is_some_and(|codes| is_blank(codes[row]));
        Ok(Arms {
            codes: got.iter().map(code).collect(),
            blank: (0..n).map(blank).collect(),
            names: std::iter::once(control)
                .chain(actions.iter().map(|&code| texts[code as usize].clone()))
                .collect(),
        })
    }
}

/// What the control group is called among the actions.
fn control_of(
    contacts: &WholeFile,
    columns: &ContactColumns,
    action: &str,
    texts: &[String],
) -> Result<String> {
    if let Some(control) = &columns.control {
        return Ok(control.clone());
    }
    let found: Vec<&str> = USUAL.into_iter().filter(|usual| texts.iter().any(|text| text == usual)).collect();
    match found[..] {
        [] => Ok(CONTROL.to_string()),
        [one] => Ok(one.to_string()),
        _ => Err(document(
            contacts,
            format!("\"{action}\" holds \"none\" and \"control\": which is the control group is not said"),
            "say it with --control",
        )),
    }
}
