//! The scheme `clusters`: one tier for each cluster that a table's customers are in, in the order of the clusters'
//! numbers. It has no document, since the table says which clusters there are.

use std::collections::{BTreeMap, BTreeSet};

use super::by_value::{quoted, written};
use super::columns::{Columns, Loaded};
use super::rules::{Kind, Node};
use super::scheme_file::{MOST_TIERS, SchemeFile};
use crate::error::{Error, Result};

/// The key by which it is asked for.
pub const KEY: &str = "clusters";

/// The column of the clusters, by name or by number.
pub const CLUSTER: &str = "cluster";

/// The column of the numbers of named clusters, 1 for the best.
pub const NUMBER: &str = "cluster_number";

/// The tier of customers without a cluster.
const UNKNOWN: &str = "(no cluster)";

/// A scheme with a tier for each cluster that somebody is in, and one for those who are in none, if there are some.
///
/// `columns` are those of the customers in `file`. Clusters with names are ordered by the column `cluster_number`, those without a
/// number (noise) after all others; without that column by the bytes of their names. Clusters that are numbers, as those of
/// `run`, are ordered by them. Negative numbers are what other programs give to noise: they come after all others, too.
///
/// # Errors
/// No column `cluster`, or one that is neither text nor whole numbers; names with several numbers, or numbers with several
/// names; more than [`MOST_TIERS`] clusters.
pub fn scheme_of_clusters(columns: &Columns, file: &str) -> Result<SchemeFile> {
    let wrong = |problem: String, remedy: &str| Err(document(file, problem, remedy));
    let Some((kind, values)) = columns.get(CLUSTER)? else {
        let remedy = "make it with `tiercast cluster`, or take the customers of a run";
        let problem = format!("it has no column \"{CLUSTER}\", of which --scheme {KEY} makes tiers");
        return wrong(problem, remedy);
    };
    let (clusters, has_null) = match kind {
        Kind::Text => named(columns, values, file)?,
        Kind::Number(_) => numbered(columns.rows(), values, file)?,
        _ => {
            let problem =
                format!("column \"{CLUSTER}\" is {}, and not names or numbers of clusters", kind.words());
            return wrong(problem, "name the column with --by, or make clusters with `tiercast cluster`");
        }
    };
    let tiers = clusters.len() + usize::from(has_null);
    if tiers > MOST_TIERS {
        let problem = format!("there are {tiers} clusters, and a scheme has up to {MOST_TIERS} tiers");
        return wrong(problem, "look for fewer clusters");
    }
    let mut text = format!("scheme = \"{KEY}\"\ntitle = \"Clusters\"\ntitle_zh = \"聚类\"\n");
    for (name, when) in clusters {
        text += &format!("[[tier]]\nname = {}\nwhen = {}\n", quoted(&name), quoted(&when));
    }
    if has_null {
        text += &format!("[[tier]]\nname = \"{UNKNOWN}\"\ndefault = true\n");
    }
    SchemeFile::parse("the scheme of column cluster", &text)
}

/// Names and rules of the clusters, the best first, and whether somebody is in none.
type Tiers = (Vec<(String, String)>, bool);

fn document(file: &str, problem: String, remedy: &str) -> Error {
    Error::Document { file: file.to_string(), problem, remedy: remedy.to_string() }
}

/// Sorts the best first: negative numbers behind the others.
fn place(number: f64) -> (bool, f64) {
    (number < 0.0, number)
}

fn named(columns: &Columns, values: &Loaded, file: &str) -> Result<Tiers> {
    let (rows, names) = (columns.rows(), values.names());
    let code = |row: usize| match values {
        Loaded::Labels { codes, .. } => usize::from(codes[row]),
        Loaded::Texts { codes, .. } => codes[row] as usize,
        _ => usize::MAX,
    };
    let numbers = match columns.get(NUMBER)? {
        Some((Kind::Number(_), numbers)) => Some(numbers.numbers(0..rows)),
        Some((kind, _)) => {
            let problem = format!("column \"{NUMBER}\" is {}", kind.words());
            return Err(document(file, problem, "write the clusters' numbers as numbers"));
        }
        None => None,
    };
    let several = |name: &str, a: Option<f64>, b: Option<f64>| {
        let said = |number: Option<f64>| number.map_or("none".into(), |number| number.to_string());
        let (a, b) = (said(a), said(b));
        let problem = format!("column \"{NUMBER}\": cluster \"{name}\" has several numbers: {a} and {b}");
        document(file, problem, "give each cluster one number, or drop the column")
    };
    // Of each name that somebody has its number, if it has one.
    let mut seen: Vec<Option<Option<f64>>> = vec![None; names.len()];
    let mut has_null = false;
    for row in 0..rows {
        let code = code(row);
        let number = numbers.as_ref().map(|numbers| numbers[row]).filter(|number| !number.is_nan());
        match seen.get_mut(code) {
            None => has_null = true,
            Some(Some(known)) if *known != number => return Err(several(&names[code], *known, number)),
            Some(slot) => *slot = Some(number),
        }
    }
    // A dictionary may hold a name twice.
    let mut found: BTreeMap<&str, Option<f64>> = BTreeMap::new();
    for (name, number) in names.iter().zip(seen).filter_map(|(name, seen)| Some((name, seen?))) {
        let known = *found.entry(name).or_insert(number);
        if known != number {
            return Err(several(name, known, number));
        }
    }
    let mut ordered: Vec<(Option<f64>, &str)> =
        found.into_iter().map(|(name, number)| (number, name)).collect();
    ordered.sort_by(|(a, x), (b, y)| match (a, b) {
        (Some(a), Some(b)) => {
            let ((a_noise, a), (b_noise, b)) = (place(*a), place(*b));
            a_noise.cmp(&b_noise).then(a.total_cmp(&b)).then(x.cmp(y))
        }
        (a, b) => b.is_some().cmp(&a.is_some()).then(x.cmp(y)),
    });
    if let Some(pair) = ordered.windows(2).find(|pair| pair[0].0.is_some() && pair[0].0 == pair[1].0) {
        let number = pair[0].0.unwrap_or(f64::NAN);
        let (a, b) = (pair[0].1, pair[1].1);
        let problem = format!("column \"{NUMBER}\": clusters \"{a}\" and \"{b}\" both have number {number}");
        return Err(document(file, problem, "give each cluster a number of its own"));
    }
    let tier = |(_, name): (Option<f64>, &str)| {
        let when = format!("{} = {}", written(Node::Name(CLUSTER.into())), written(Node::Text(name.into())));
        (if name.trim().is_empty() { format!("(\"{name}\")") } else { name.to_string() }, when)
    };
    Ok((ordered.into_iter().map(tier).collect(), has_null))
}

fn numbered(rows: usize, values: &Loaded, file: &str) -> Result<Tiers> {
    // Negative ones are sorted behind the others.
    let mut found: BTreeSet<(bool, i64)> = BTreeSet::new();
    let mut has_null = false;
    for &number in values.numbers(0..rows).iter() {
        if number.is_nan() {
            has_null = true;
        } else if number.fract() == 0.0 && number.abs() < 1e15 {
            found.insert((number < 0.0, number as i64));
        } else {
            let remedy = "number clusters 1, 2, …, or give them names";
            let problem = format!("column \"{CLUSTER}\": {number} is no whole number");
            return Err(document(file, problem, remedy));
        }
        if found.len() > MOST_TIERS {
            let problem = format!(
                "column \"{CLUSTER}\" has more than {MOST_TIERS} values, and a scheme has up to {MOST_TIERS} tiers"
            );
            return Err(document(file, problem, "look for fewer clusters"));
        }
    }
    let tier = |(_, number): (bool, i64)| (number.to_string(), format!("{CLUSTER} = {number}"));
    Ok((found.into_iter().map(tier).collect(), has_null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::Values;
    use crate::customers::table::NO_TEXT;
    use crate::customers::testing::spending;
    use crate::tier::rules::Measure;

    fn texts(columns: &mut Columns<'_>, codes: Vec<u32>, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        columns.push(CLUSTER, Kind::Text, Loaded::Texts { codes: codes.into(), names: names.into() });
    }

    fn numbers(columns: &mut Columns<'_>, numbers: Vec<f64>) {
        columns.push(NUMBER, Kind::Number(Measure::Plain), Loaded::Numbers(numbers.into()));
    }

    #[test]
    fn clusters_are_ordered_by_their_numbers() {
        let table = spending(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let mut columns = Columns::of_table(&table);
        texts(&mut columns, vec![0, 1, NO_TEXT, 2, 0], &["it's \"one\"", "Champions", "(noise)"]);
        let by_name = scheme_of_clusters(&columns, "c.parquet").unwrap();
        assert_eq!(by_name.tiers(), ["(noise)", "Champions", "it's \"one\"", "(no cluster)"]);
        numbers(&mut columns, vec![1.0, 2.0, f64::NAN, f64::NAN, 1.0]);
        let file = scheme_of_clusters(&columns, "c.parquet").unwrap();
        assert_eq!(file.column(), "tier_clusters");
        let graded = file.grade(&table, &columns).unwrap();
        assert_eq!(graded.tiering.names(), ["it's \"one\"", "Champions", "(noise)", "(no cluster)"]);
        assert_eq!(graded.tiering.codes, [0, 1, 3, 2, 0]);
    }

    #[test]
    fn numbers_of_a_run_are_tiers() {
        let mut table = spending(&[1.0, 2.0, 3.0]);
        table.push(CLUSTER, Values::Count(vec![10, 9, 10]));
        let columns = Columns::of_table(&table);
        let graded = scheme_of_clusters(&columns, "c.parquet").unwrap();
        let graded = graded.grade(&table, &columns).unwrap();
        assert_eq!(graded.tiering.names(), ["9", "10"]);
        assert_eq!(graded.tiering.codes, [1, 0, 1]);
    }

    /// -1 is the noise of scikit-learn and HDBSCAN.
    #[test]
    fn negative_numbers_come_last() {
        let table = spending(&[1.0, 2.0, 3.0, 4.0]);
        let mut columns = Columns::of_table(&table);
        let by_number = |columns: &mut Columns<'_>, numbers: Vec<f64>| {
            columns.push(CLUSTER, Kind::Number(Measure::Plain), Loaded::Numbers(numbers.into()));
        };
        by_number(&mut columns, vec![1.0, -1.0, 0.0, -2.0]);
        let scheme = scheme_of_clusters(&columns, "c.parquet").unwrap();
        let graded = scheme.grade(&table, &columns).unwrap();
        assert_eq!(graded.tiering.names(), ["0", "1", "-2", "-1"]);
        assert_eq!(graded.tiering.codes, [1, 3, 0, 2]);
        let mut columns = Columns::of_table(&table);
        texts(&mut columns, vec![0, 1, 2, 0], &["b", "noise", "a"]);
        numbers(&mut columns, vec![2.0, -1.0, 0.0, 2.0]);
        assert_eq!(scheme_of_clusters(&columns, "c.parquet").unwrap().tiers(), ["a", "b", "noise"]);
    }

    #[test]
    fn what_is_no_cluster_is_refused() {
        let table = spending(&[1.0, 2.0, 3.0]);
        let mut columns = Columns::of_table(&table);
        let refused =
            |columns: &Columns<'_>| scheme_of_clusters(columns, "c.parquet").unwrap_err().to_string();
        assert!(refused(&columns).starts_with("c.parquet: it has no column \"cluster\""));
        texts(&mut columns, vec![0, 1, 0], &["a", "b"]);
        numbers(&mut columns, vec![1.0, 2.0, 3.0]);
        assert!(refused(&columns).contains("cluster \"a\" has several numbers: 1 and 3"));
        numbers(&mut columns, vec![1.0, 2.0, f64::NAN]);
        assert!(refused(&columns).contains("cluster \"a\" has several numbers: 1 and none"));
        numbers(&mut columns, vec![1.0, 1.0, 1.0]);
        assert!(refused(&columns).contains("clusters \"a\" and \"b\" both have number 1"));
        columns.push(CLUSTER, Kind::Number(Measure::Plain), Loaded::Numbers(vec![0.5, 1.0, 2.0].into()));
        assert!(refused(&columns).contains("0.5 is no whole number"));
        columns.push(CLUSTER, Kind::Day, Loaded::Numbers(vec![0.5, 1.0, 2.0].into()));
        assert!(refused(&columns).contains("and not names or numbers of clusters"));
    }
}
