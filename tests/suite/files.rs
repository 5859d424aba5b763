//! Files as they come: patterns, folders that name columns, many small ones, and bad ones among them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, Scratch, dataset};

const FILES: usize = 200;

/// Days of a month, so that every file has repeat purchases.
fn rows(i: usize) -> Vec<(i64, String, f64)> {
    (0..6)
        .map(|j| ((i * 3 + j / 2) as i64, format!("2024-01-{:02}", 1 + (i + 3 * j) % 28), 10.0 + j as f64))
        .collect()
}

fn write(scratch: &Scratch, name: &str, i: usize) {
    fs::create_dir_all(scratch.path(name).parent().unwrap()).unwrap();
    let rows = rows(i);
    let rows: Vec<(i64, &str, f64)> =
        rows.iter().map(|(id, day, amount)| (*id, day.as_str(), *amount)).collect();
    scratch.write_history(name, &rows);
}

fn name(i: usize) -> String {
    format!("orders/{i:03}.parquet")
}

fn many() -> Scratch {
    let scratch = Scratch::new();
    (0..FILES).for_each(|i| write(&scratch, &name(i), i));
    scratch
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// `run` and `summarize` fail with one error that has all of `parts`, and leave nothing behind.
#[track_caller]
fn fails(scratch: &Scratch, history: &str, parts: &[&str]) {
    let before = scratch.names();
    for words in [&["run", history][..], &["summarize", history, "-o", "out.parquet"]] {
        let ran = scratch.run(words);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(
            ran.stderr.lines().filter(|line| line.starts_with("error: ")).count(),
            1,
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        for part in parts {
            assert!(ran.stderr.contains(part), "{part:?} is not in:\n{}", ran.stderr);
        }
        assert_eq!(scratch.names(), before, "nothing is left behind");
    }
}

fn tear(path: &Path) {
    let mut data = fs::read(path).unwrap();
    data[4..60].fill(0xff);
    fs::write(path, data).unwrap();
}

#[test]
fn patterns_and_many_small_files() {
    let scratch = many();
    let whole = json(&scratch.run(&["summarize", "orders", "-o", "a.parquet", "--json"]));
    assert_eq!(whole["ledger"]["read"], (FILES * 6) as u64);
    let same = json(&scratch.run(&["summarize", "orders/*.parquet", "-o", "b.parquet", "--json"]));
    assert_eq!(same["fingerprint"], whole["fingerprint"]);
    let some = json(&scratch.run(&["summarize", "orders/0[0-4]?.parquet", "-o", "c.parquet", "--json"]));
    assert_eq!(some["ledger"]["read"], 300);
    fails(&scratch, "orders/*.csv", &["orders/*.csv", "matches no Parquet file", "hint: quote the pattern"]);
    fails(&scratch, "orders/[", &["orders/[", "it is no pattern"]);
    let twice = scratch.run(&["summarize", "orders", "orders/00*.parquet", "-o", "d.parquet"]);
    assert!(twice.stderr.contains("the file is given twice"), "{}", twice.stderr);
}

#[test]
fn folders_name_columns() {
    let scratch = Scratch::new();
    write(&scratch, "h/year=2024/shop=A/1.parquet", 1);
    write(&scratch, "h/year=2025/shop=B/2.parquet", 2);
    let table = |history: &str| {
        json(&scratch.run(&["summarize", history, "--customer", "shop", "-o", "c.parquet", "--json"]))["customers"].clone()
    };
    assert_eq!([table("h"), table("h/year=*"), table("h/**/*.parquet"), table("h/year=2025")], [2, 2, 2, 1]);
    let found = json(&scratch.run(&["inspect", "h", "--json"]));
    assert_eq!(found["history"]["files"][0]["schema"][3], serde_json::json!(["shop", "Utf8"]));
    assert_eq!(found["history"]["files"][0]["schema"][4], serde_json::json!(["year", "Int64"]));
}

#[test]
fn a_bad_file_among_many_is_named() {
    let scratch = many();
    let bad = scratch.path(&name(100));
    let good = fs::read(&bad).unwrap();
    tear(&bad);
    fails(&scratch, "orders", &["orders/100.parquet is not a readable Parquet file: row group 0: "]);
    fs::write(&bad, &good[..good.len() / 2]).unwrap();
    fails(&scratch, "orders", &["orders/100.parquet", "cut short", "--skip-bad-files"]);
    fs::remove_file(&bad).unwrap();
    fs::create_dir(&bad).unwrap();
    let ran = scratch.run(&["summarize", "orders", "-o", "out.parquet"]);
    assert_eq!(ran.code, 0, "a folder of that name is a folder: {}", ran.stderr);
    fs::remove_file(scratch.path("out.parquet")).unwrap();
    fs::remove_dir(&bad).unwrap();
    #[cfg(unix)]
    {
        // A circle of links cannot be opened, not even by root.
        std::os::unix::fs::symlink(&bad, &bad).unwrap();
        fails(&scratch, "orders", &["cannot read", "orders/100.parquet"]);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = many();
    let shut = scratch.path(&name(100));
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&shut).is_ok() {
        // Root may read everything; permissions bind only other users.
        fs::set_permissions(scratch.root(), fs::Permissions::from_mode(0o755)).unwrap();
        let nobody = std::process::Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(assert_cmd::cargo::cargo_bin("tiercast"))
            .args(["inspect", "orders"])
            .current_dir(scratch.root())
            .output();
        // Without setpriv, or where the others may not start the binary, there is nothing to see.
        if let Ok(ran) = nobody
            && ran.status.code() == Some(1)
        {
            let stderr = String::from_utf8(ran.stderr).unwrap();
            let said = stderr.contains("cannot read orders/100.parquet: Permission denied");
            assert!(said || stderr.starts_with("setpriv: "), "{stderr}");
        }
        return;
    }
    fails(&scratch, "orders", &["cannot read orders/100.parquet: Permission denied"]);
    let ran = scratch.run(&["summarize", "orders", "-o", "out.parquet", "--skip-bad-files", "--json"]);
    assert_eq!(json(&ran)["ledger"]["skipped_files"][0]["name"], "orders/100.parquet");
}

#[test]
fn bad_files_are_skipped_when_asked_and_listed() {
    let scratch = many();
    let expected = {
        let rest = Scratch::new();
        (0..FILES).filter(|i| ![50, 100, 150].contains(i)).for_each(|i| write(&rest, &name(i), i));
        json(&rest.run(&["summarize", "orders", "-o", "c.parquet", "--json"]))["fingerprint"].clone()
    };
    tear(&scratch.path(&name(50)));
    let cut = fs::read(scratch.path(&name(100))).unwrap();
    fs::write(scratch.path(&name(100)), &cut[..40]).unwrap();
    tear(&scratch.path(&name(150)));

    let ran = scratch.run(&["run", "orders", "--skip-bad-files"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for i in [50, 100, 150] {
        assert!(ran.stdout.contains(&format!("not read, bad file: {}", name(i))), "{}", ran.stdout);
        let warning = format!("warning: a bad file is left out: {} is not a readable Parquet file", name(i));
        assert!(ran.stderr.contains(&warning), "{}", ran.stderr);
    }
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(scratch.path("tiercast-run/run.json")).unwrap()).unwrap();
    let text = manifest.to_string();
    assert!(text.contains("\"skipped_files\":[{\"name\":\"orders/100.parquet\""), "{text}");
    let ran = scratch.run_with(
        &["summarize", "orders", "-o", "c.parquet", "--json"],
        &[("TIERCAST_SKIP_BAD_FILES", "true")],
    );
    let found = json(&ran);
    assert_eq!(found["fingerprint"], expected);
    assert_eq!(found["ledger"]["read"], ((FILES - 3) * 6) as u64);
    let rows: Vec<&Value> =
        found["ledger"]["skipped_files"].as_array().unwrap().iter().map(|file| &file["rows"]).collect();
    assert_eq!(rows, [&Value::Null, &Value::from(6), &Value::from(6)]);

    // Without one good file there is nothing to go on with.
    (0..FILES).for_each(|i| fs::write(scratch.path(&name(i)), "x").unwrap());
    let ran = scratch.run(&["run", "orders", "--skip-bad-files", "--out", "other"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("orders/000.parquet is not a readable Parquet file"), "{}", ran.stderr);
    assert!(!scratch.path("other").exists());
}

#[test]
fn damage_anywhere_is_an_error_or_changes_values_but_never_more() {
    let scratch = Scratch::new();
    let good = fs::read(dataset("cdnow/cdnow_sample.parquet")).unwrap();
    for (i, at) in (4..good.len() - 4).step_by(good.len() / 25).enumerate() {
        let mut data = good.clone();
        let end = (at + 48).min(good.len() - 4);
        data[at..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(scratch.path("h.parquet"), &data).unwrap();
        let ran = scratch.run(&["summarize", "h.parquet", "-o", "out.parquet"]);
        assert!(!ran.stderr.contains("panicked"), "{at}: {}", ran.stderr);
        match ran.code {
            0 => fs::remove_file(scratch.path("out.parquet")).unwrap(),
            1 => {
                assert!(ran.stderr.contains("h.parquet"), "{at}: {}", ran.stderr);
                assert_eq!(scratch.names(), ["h.parquet"], "{i}");
            }
            code => panic!("exit code {code} at {at}: {}", ran.stderr),
        }
    }
}
