//! `cluster`: known groups found from the shell, what must not change them, and clusters as tiers.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, UInt32Array};
use serde_json::Value;
use tiercast::customers::WholeFile;
use tiercast::customers::table::Plain;

use crate::support::{Ran, Scratch, dataset, write_parquet};

/// A number from 0 to 1 that looks like chance.
fn noise(i: usize, salt: usize) -> f64 {
    ((i * 7919 + salt * 104_729 + i * i * 31) % 10_007) as f64 / 10_007.0
}

/// The group of customer `i`: many small, some middling, few big ones.
fn group(i: usize) -> usize {
    [2, 1, 2, 0, 2, 1][i % 6]
}

/// Three groups of customers in `order`, and columns of other kinds; customer 5 has no days since the last order, and
/// those from `customers` on are prospects.
fn columns(order: &[usize], customers: usize) -> Vec<(&'static str, ArrayRef)> {
    let centre = |i: usize| [(25.0, 5.0, 3000.0), (5.0, 60.0, 200.0), (0.0, 600.0, 15.0)][group(i)];
    let near = |x: f64, i: usize, salt: usize| x * (0.9 + 0.2 * noise(i, salt));
    let known = |i: usize, value: f64| (i < customers).then_some(value);
    let floats = |of: &dyn Fn(usize) -> Option<f64>| -> ArrayRef {
        Arc::new(order.iter().map(|&i| of(i)).collect::<Float64Array>())
    };
    let frequency = order.iter().map(|&i| known(i, near(centre(i).0, i, 1)).map(|x| x as u32));
    vec![
        ("customer_id", Arc::new(Int64Array::from_iter_values(order.iter().map(|&i| 100 + i as i64)))),
        ("frequency", Arc::new(frequency.collect::<UInt32Array>())),
        ("days_since_last", floats(&|i| known(i, near(centre(i).1, i, 2)).filter(|_| i != 5))),
        ("total_spend", floats(&|i| known(i, near(centre(i).2, i, 3)))),
        ("margin", floats(&|i| known(i, near(centre(i).2, i, 4) / 3.0))),
        ("same", floats(&|_| Some(7.5))),
        ("region", Arc::new(StringArray::from_iter_values(order.iter().map(|&i| ["n", "s"][i % 2])))),
    ]
}

/// A table of so many customers; the rest are prospects.
fn write(scratch: &Scratch, name: &str, order: &[usize], customers: usize) {
    let columns = columns(order, customers);
    let nullable = columns.into_iter().map(|(name, values)| (name, values, true));
    let batch = arrow_array::RecordBatch::try_from_iter_with_nullable(nullable).unwrap();
    write_parquet(&scratch.path(name), &batch);
}

/// 240 customers and 6 prospects.
fn table() -> Scratch {
    let scratch = Scratch::new();
    write(&scratch, "c.parquet", &(0..246).collect::<Vec<_>>(), 240);
    scratch
}

fn ok(scratch: &Scratch, words: &[&str]) -> Ran {
    let ran = scratch.run(words);
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    ran
}

fn json(scratch: &Scratch, words: &[&str]) -> Value {
    serde_json::from_str(&ok(scratch, &[words, &["--json", "-q"]].concat()).stdout).unwrap()
}

/// The proposed names of the clusters, the best first.
fn names_of(clustering: &Value) -> Vec<String> {
    let clusters = clustering["clusters"].as_array().unwrap();
    clusters.iter().map(|cluster| cluster["proposed_name"].as_str().unwrap().to_string()).collect()
}

fn csv(scratch: &Scratch, name: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(scratch.path(name)).unwrap();
    reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect()
}

#[test]
fn known_groups_are_found_by_every_algorithm() {
    let scratch = table();
    for words in [
        &["-k", "3"][..],
        &["-k", "2..5"],
        &["--algorithm", "linfa", "-k", "3", "--starts", "2"],
        &["--algorithm", "mixture", "-k", "3"],
        &["--algorithm", "dbscan", "--radius", "0.5", "--neighbours", "4"],
    ] {
        let found = json(&scratch, &[&["cluster", "c.parquet", "-o", "o.csv"], words].concat());
        let found = &found["clustering"];
        assert_eq!(found["rows"], 246);
        assert_eq!(found["prospects"], 6);
        assert_eq!(found["ordered_by"], "total_spend");
        assert_eq!(found["clusters"].as_array().unwrap().len(), 3, "{words:?}");
        assert_eq!(found["grouping"]["converged"], true);
        let rows = csv(&scratch, "o.csv");
        let heading = ["customer_id", "cluster", "cluster_number", "cluster_in_words"];
        assert_eq!(rows[0][..4], heading);
        assert_eq!(rows[0][4..], ["days_since_last", "frequency", "total_spend"]);
        let names = names_of(found);
        assert_eq!((names[0].as_str(), names[2].as_str()), ("Champions", "Lapsed one-time buyers"));
        for (i, row) in rows[1..].iter().enumerate() {
            let (name, number) = match (i, group(i)) {
                (240.., _) => (String::new(), String::new()),
                (_, group) => (names[group].clone(), (group + 1).to_string()),
            };
            // Customer 5 lies between the groups: its days count as the mean.
            if i != 5 {
                assert_eq!((&row[1], &row[2]), (&name, &number), "{words:?} {i} {row:?}");
            }
        }
    }
    let ran = ok(&scratch, &["cluster", "c.parquet", "-k", "2..5"]);
    for part in [
        "days_since_last:log",
        "Numbers of clusters",
        "3 clusters have the highest mean silhouette",
        "Clusters by k-means from greedy k-means++ starts",
        "very recent, very frequent, very big spenders",
    ] {
        assert!(ran.stdout.contains(part), "{part} is not in\n{}", ran.stdout);
    }
    let missing = "warning: days_since_last is no number for 1 of 240 customers, who count as the mean";
    assert!(ran.stderr.contains(missing), "{}", ran.stderr);
    assert!(ran.stderr.contains("rows without an order are in no cluster"), "{}", ran.stderr);
}

#[test]
fn neither_threads_nor_the_order_of_rows_count() {
    let scratch = table();
    let turned: Vec<usize> = (0..246).map(|i| (i * 91 + 17) % 246).collect();
    write(&scratch, "turned.parquet", &turned, 240);
    for words in [
        &["-k", "2..4", "--sample", "150"][..],
        &["-k", "5", "--feature", "margin:winsor=1%,90%", "--feature", "total_spend:log"],
        &["--algorithm", "mixture", "-k", "3", "--sample", "150"],
        &["--algorithm", "dbscan", "--radius", "0.3", "--neighbours", "4", "--sample", "150"],
    ] {
        let run = |table: &str, threads: &str, out: &str| {
            let common = ["cluster", table, "--threads", threads, "-o", out, "--force"];
            let mut found = json(&scratch, &[&common[..], words].concat());
            (std::fs::read(scratch.path(out)).unwrap(), found["clustering"].take())
        };
        let one = run("c.parquet", "1", "1.parquet");
        assert_eq!(run("c.parquet", "2", "2.parquet"), one, "{words:?}");
        assert_eq!(run("c.parquet", "3", "3.parquet"), one, "{words:?}");
        let (_, other) = run("turned.parquet", "2", "t.csv");
        assert_eq!(other, one.1, "{words:?}");
        run("c.parquet", "2", "o.csv");
        let (mut a, mut b) = (csv(&scratch, "o.csv"), csv(&scratch, "t.csv"));
        // The rows stand as they stood in the table.
        assert!(b.iter().skip(1).zip(&turned).all(|(row, i)| row[0] == (100 + i).to_string()));
        a.sort();
        b.sort();
        assert_eq!(a, b);
    }
}

/// As many rows as many chunks: sums in another order would show.
#[test]
fn threads_do_not_count_on_many_rows() {
    let scratch = Scratch::new();
    write(&scratch, "c.parquet", &(0..300_000).collect::<Vec<_>>(), 299_000);
    let run = |threads: &str, out: &str| {
        let words =
            ["cluster", "c.parquet", "-k", "4", "--starts", "1", "--threads", threads, "-q", "-o", out];
        ok(&scratch, &[&words[..], &["--feature", "margin:log", "--feature", "total_spend"]].concat());
        std::fs::read(scratch.path(out)).unwrap()
    };
    assert!(run("1", "1.parquet") == run("3", "3.parquet"));
}

#[test]
fn bad_input_is_refused() {
    let scratch = table();
    let refused = |words: &[&str], parts: &[&str]| {
        let ran = scratch.run(&[&["cluster", "c.parquet"], words].concat());
        assert!(ran.code == 1 || ran.code == 2, "{words:?}: {}", ran.code);
        for part in parts {
            assert!(ran.stderr.contains(part), "{words:?}: {part} is not in\n{}", ran.stderr);
        }
    };
    refused(&["--feature", "total_spnd:log"], &["has no such column", "did you mean \"total_spend\"?"]);
    refused(&["--feature", "total_spend:lg"], &["has no such column", "log, winsor=LOW%,HIGH% and raw"]);
    refused(&["--feature", "region"], &["its type is Utf8, and distances need numbers"]);
    refused(&["--feature", "same"], &["each is the same for all 240 customers"]);
    refused(&["--feature", "margin", "--feature", "margin:log"], &["two features have it"]);
    refused(&["--feature", "cluster"], &["an earlier clustering made it"]);
    refused(&["--feature", "customer_id"], &["it is the column of ids"]);
    refused(
        &["--feature", "frequency:winsor=0%,40%", "--feature", "same"],
        &["frequency does not differ after logarithm and cuts, same is the same for every customer"],
    );
    refused(&["--feature", "margin:winsor=9"], &["is no two quantiles"]);
    refused(&["-k", "0"], &["the number of clusters cannot be \"0\""]);
    refused(&["-k", "101"], &["the number of clusters cannot be \"101\""]);
    refused(&["-k", "8..2"], &["it is no range from 2 on"]);
    refused(&["-k", "many"], &["it is neither a number nor a range"]);
    refused(&["--sample", "5"], &["it is too small to find clusters in"]);
    refused(&["--starts", "0"], &["nothing would be fitted"]);
    refused(&["--radius", "0.5"], &["it belongs to dbscan, and the algorithm is kmeans"]);
    refused(&["--algorithm", "mixture", "--neighbours", "3"], &["it belongs to dbscan"]);
    refused(&["--algorithm", "linfa", "-k", "2..4"], &["chooses no number"]);
    let dense = ["--algorithm", "dbscan", "--radius", "0.5", "--neighbours", "4"];
    refused(
        &[&dense[..], &["-k", "3"]].concat(),
        &["it belongs to algorithms that look for a number of clusters"],
    );
    refused(
        &[&dense[..], &["--starts", "3"]].concat(),
        &["it belongs to algorithms that look for a number of clusters"],
    );
    refused(&dense[..4], &["--neighbours cannot be \"\": dbscan cannot do without it"]);
    refused(&[&dense[..2], &dense[4..]].concat(), &["--radius cannot be \"\": dbscan cannot do without it"]);
    refused(&["--algorithm", "dbscan", "--radius", "0.00001", "--neighbours", "4"], &["all would be noise"]);
    refused(&["-o", "o.txt"], &["its ending says no format"]);
    refused(&["-o", "c.parquet", "--force"], &["cannot be replaced"]);
    refused(&["--id", "region"], &["stands there twice"]);
    scratch.write("o.csv", "id,cluster,cluster_number,x\n1,a,1,2\n");
    refused(&["-o", "o.csv"], &["is not a result of tiercast"]);
    // Somebody's file is not replaced, an earlier result is.
    scratch.write("o.csv", "thesis");
    refused(&["-o", "o.csv"], &["is not a result of tiercast"]);
    ok(&scratch, &["cluster", "c.parquet", "-o", "o.csv", "--force"]);
    ok(&scratch, &["cluster", "c.parquet", "-o", "o.csv"]);
    let names = scratch.names();
    assert_eq!(names, ["c.parquet", "o.csv"], "nothing is left behind");
    // Who named no feature is told so.
    let columns = columns(&[0, 1, 2], 3);
    scratch.write_batch("few.parquet", &[columns[0].clone(), columns[4].clone()]);
    let ran = scratch.run(&["cluster", "few.parquet"]);
    assert!(ran.stderr.contains("name columns of this table with --feature"), "{}", ran.stderr);
    // More clusters than customers differ: as many as there are, said.
    let ran = ok(&scratch, &["cluster", "few.parquet", "--feature", "margin"]);
    let said = "5 clusters were asked for, but there are only 3 different customers";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn what_does_not_differ_is_left_out_and_said() {
    let scratch = table();
    let ran =
        ok(&scratch, &["cluster", "c.parquet", "--feature", "margin:log", "--feature", "same", "-k", "2"]);
    let said = "warning: same is the same for every customer and was left out";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert!(ran.stdout.contains("no: it does not differ"), "{}", ran.stdout);
    assert!(ran.stdout.contains("High margin"), "{}", ran.stdout);
    let found = json(&scratch, &["cluster", "c.parquet", "--sample", "150", "-k", "3"]);
    assert_eq!(found["clustering"]["grouping"]["fitted_on"], 150);
    let ran = ok(&scratch, &["cluster", "c.parquet", "--sample", "150", "-k", "3"]);
    assert!(ran.stderr.contains("fitted on a sample of 150 of 240 customers"), "{}", ran.stderr);
}

/// Columns of money in whole cents that floating point does not hold, values that cannot be compared, and none at all.
#[test]
fn odd_columns_are_said_by_name() {
    let scratch = Scratch::new();
    let mut columns = columns(&(0..240).collect::<Vec<_>>(), 240);
    columns[3].1 = Arc::new(Int64Array::from_iter_values((0..240).map(|i| i + (1 << 60))));
    let big = |i: i64, big: f64| if i == 7 { big } else { i as f64 };
    columns.push(("big", Arc::new(Float64Array::from_iter_values((0..240).map(|i| big(i, 1e150))))));
    columns.push(("vast", Arc::new(Float64Array::from_iter_values((0..240).map(|i| big(i, 1e200))))));
    columns.push(("empty", Arc::new(Float64Array::from(vec![None; 240]))));
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let batch = arrow_array::RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    write_parquet(&scratch.path("c.parquet"), &batch);
    let cluster = ["cluster", "c.parquet", "-k", "3", "--feature", "margin:log", "--feature"];
    let ran = ok(&scratch, &[&cluster[..], &["empty"]].concat());
    assert!(ran.stderr.contains("empty is no number for any customer and was left out"), "{}", ran.stderr);
    assert!(ran.stdout.contains("no numbers") && ran.stdout.contains("mean total_spend"), "{}", ran.stdout);
    let found = json(&scratch, &[&cluster[..], &["empty"]].concat());
    assert_eq!(found["clustering"]["features"][1]["mean"], Value::Null);
    for (feature, said) in [
        ("total_spend", "some of its numbers are beyond 2^53"),
        ("vast", "the standard deviation of feature vast cannot be"),
        ("big:raw", "big of customer 107 cannot be"),
    ] {
        let ran = scratch.run(&[&cluster[..], &[feature]].concat());
        assert!(ran.code == 1 && ran.stderr.contains(said), "{feature}: {}", ran.stderr);
    }
}

/// A cluster that stands out in twenty columns has a name that a tier can have.
#[test]
fn names_of_many_features_are_tiers() {
    let scratch = Scratch::new();
    let order: Vec<usize> = (0..240).collect();
    let mut columns = columns(&order, 240);
    let names: Vec<&'static str> =
        (0..20).map(|k| &*format!("{k} \"is\" a column with quite a long name").leak()).collect();
    let value = |i: usize, k: usize| [9.0, 0.0, -1.0][group(i)] + noise(i, k);
    for (k, name) in names.iter().enumerate() {
        let values = Float64Array::from_iter_values(order.iter().map(|&i| value(i, k)));
        columns.push((*name, Arc::new(values)));
    }
    scratch.write_batch(
        "c.parquet",
        &columns[..1].iter().chain(&columns[3..4]).chain(&columns[7..]).cloned().collect::<Vec<_>>(),
    );
    let mut words = vec!["cluster", "c.parquet", "-k", "3", "-o", "o.parquet"];
    words.extend(names.iter().flat_map(|name| ["--feature", *name]));
    let found = json(&scratch, &words);
    let proposed = names_of(&found["clustering"]);
    assert!(proposed.iter().all(|name| name.chars().count() < 100), "{proposed:?}");
    assert!(proposed[0].ends_with("and 18 more"), "{proposed:?}");
    let grade = ["tier", "o.parquet", "--scheme", "clusters", "--date", "1997-12-31"];
    let graded = json(&scratch, &grade);
    let tiers = graded["tiers"]["schemes"][0]["tiers"].as_array().unwrap();
    assert_eq!(tiers.iter().map(|tier| tier["name"].as_str().unwrap()).collect::<Vec<_>>(), proposed);
    // A ledger holds names, and those of another clustering are others.
    let ran = ok(&scratch, &[&grade[..], &["--ledger", "ledger"]].concat());
    assert!(ran.stderr.contains("clusters that are made anew are other tiers"), "{}", ran.stderr);
}

#[test]
fn clusters_are_tiers() {
    let scratch = table();
    let words = ["cluster", "c.parquet", "-k", "3", "-q"];
    ok(&scratch, &[&words[..], &["-o", "o.parquet"]].concat());
    // All columns, then the two.
    let file = WholeFile::open(&scratch.path("o.parquet"), None).unwrap();
    let want = [
        "frequency",
        "days_since_last",
        "total_spend",
        "margin",
        "same",
        "region",
        "cluster",
        "cluster_number",
    ];
    assert_eq!(file.columns(), want);
    // Once more: the two are replaced, and it is the same.
    let again = ["cluster", "o.parquet", "-k", "3", "-o", "p.parquet"];
    let ran = ok(&scratch, &again);
    assert!(ran.stderr.contains("that are replaced: cluster, cluster_number"), "{}", ran.stderr);
    let bytes = |name: &str| std::fs::read(scratch.path(name)).unwrap();
    assert_eq!(bytes("o.parquet"), bytes("p.parquet"));

    let grade =
        ["tier", "o.parquet", "--scheme", "value,clusters", "--by", "cluster", "--date", "1997-12-31"];
    let found = json(&scratch, &[&grade[..], &["-o", "t.csv", "--reasons"]].concat());
    let schemes = found["tiers"]["schemes"].as_array().unwrap();
    assert_eq!(
        schemes.iter().map(|s| s["key"].as_str().unwrap()).collect::<Vec<_>>(),
        ["value", "clusters", "by_cluster"]
    );
    let tiers = |k: usize| -> Vec<(&str, u64)> {
        let tiers = schemes[k]["tiers"].as_array().unwrap();
        tiers.iter().map(|t| (t["name"].as_str().unwrap(), t["customers"].as_u64().unwrap())).collect()
    };
    let clustering = json(&scratch, &["cluster", "c.parquet", "-k", "3"]);
    let names = names_of(&clustering["clustering"]);
    assert_eq!(tiers(1).iter().map(|tier| tier.0).collect::<Vec<_>>(), names);
    assert_eq!(tiers(1).iter().map(|tier| tier.1).sum::<u64>(), 240);
    assert_eq!(schemes[1]["without_tier"], 6);
    // By its name the order is that of the alphabet.
    let mut by_name: Vec<(&str, u64)> = tiers(1);
    by_name.sort_unstable();
    assert_eq!(tiers(2)[..3], by_name);
    let rows = csv(&scratch, "t.csv");
    let at = |name: &str| rows[0].iter().position(|own| own == name).unwrap();
    let (tier, level) = (at("tier_clusters"), at("level_clusters"));
    for (i, row) in rows[1..].iter().enumerate() {
        let want = match i {
            240.. => (String::new(), String::new()),
            5 => continue,
            _ => (names[group(i)].clone(), (3 - group(i)).to_string()),
        };
        assert_eq!((&row[tier], &row[level]), (&want.0, &want.1), "{row:?}");
    }
    let ran = ok(&scratch, &["explain", "103", "o.parquet", "--scheme", "clusters", "--date", "1997-12-31"]);
    assert!(ran.stdout.contains("Champions"), "{}", ran.stdout);
    let ran = scratch.run(&["tier", "c.parquet", "--scheme", "clusters", "--date", "1997-12-31"]);
    assert!(
        ran.code == 1 && ran.stderr.contains("c.parquet: it has no column \"cluster\""),
        "{}",
        ran.stderr
    );
    let ran = scratch.run(&["tier", "--scheme", "clusters", "--print"]);
    assert!(ran.code == 1 && ran.stderr.contains("it has no document"), "{}", ran.stderr);
}

/// From a history to clusters and tiers; noise is a tier of its own, after all clusters.
#[test]
fn a_summarized_history_is_clustered_and_graded() {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow_sample.parquet");
    ok(&scratch, &["summarize", history.to_str().unwrap(), "-q", "-o", "c.parquet"]);
    ok(&scratch, &["cluster", "c.parquet", "-q", "-k", "4", "-o", "o.parquet"]);
    // It says its unit and its date, as the table that it was made from.
    let ran = ok(&scratch, &["tier", "o.parquet", "--scheme", "clusters,life_cycle", "-o", "t.xlsx"]);
    assert!(ran.stderr.contains("2,357 rows as of 1998-06-30"), "{}", ran.stderr);
    let dense = ["--algorithm", "dbscan", "--radius", "0.15", "--neighbours", "20"];
    ok(&scratch, &[&["cluster", "c.parquet", "-q", "-o", "d.parquet"], &dense[..]].concat());
    ok(&scratch, &[&["cluster", "c.parquet", "-q", "-o", "d.xlsx"], &dense[..]].concat());
    let file = WholeFile::open(&scratch.path("d.parquet"), None).unwrap();
    let plain = |name: &str| file.column(name, None).unwrap().unwrap().plain(name).unwrap();
    let (Plain::Texts { codes, names }, Plain::Numbers(numbers)) =
        (plain("cluster"), plain("cluster_number"))
    else {
        panic!()
    };
    let noise = names.iter().position(|name| name == "(noise)").unwrap() as u32;
    assert!(codes.iter().zip(&numbers).all(|(&code, number)| (code == noise) == number.is_nan()));
    let found = json(&scratch, &["tier", "d.parquet", "--scheme", "clusters"]);
    let tiers = found["tiers"]["schemes"][0]["tiers"].as_array().unwrap();
    assert_eq!(tiers.last().unwrap()["name"], "(noise)");
    let is_noise = codes.iter().filter(|&&code| code == noise).count() as u64;
    assert_eq!(tiers.last().unwrap()["customers"], is_noise);
    // The customers of a run have clusters by number.
    ok(&scratch, &["run", history.to_str().unwrap(), "-q", "--replications", "20"]);
    let found = json(&scratch, &["tier", "tiercast-run/customers.parquet", "--scheme", "clusters"]);
    let tiers = found["tiers"]["schemes"][0]["tiers"].as_array().unwrap();
    assert_eq!(
        tiers.iter().map(|t| t["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["1", "2", "3", "4", "5"]
    );
    // With lifetime value, clusters are ordered by it.
    let found = json(
        &scratch,
        &["cluster", "tiercast-run/customers.parquet", "--feature", "clv:log", "--feature", "p_alive:raw"],
    );
    let clustering = &found["clustering"];
    assert_eq!(clustering["ordered_by"], "clv");
    let clv: Vec<f64> =
        clustering["clusters"].as_array().unwrap().iter().map(|c| c["mean_clv"].as_f64().unwrap()).collect();
    assert!(clv.is_sorted_by(|a, b| a >= b), "{clv:?}");
}
