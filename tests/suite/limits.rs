//! Limits of memory and disk, and ends in the middle: one clear error, exit code 1 (130 when interrupted), and nothing
//! is left behind.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Scratch, amounts, days, ids};

/// Enough rows not to fit the smallest limit with one thread.
const ROWS: i64 = 1_200_000;

/// A limit that the rows do not fit.
const TIGHT: [&str; 4] = ["--memory-limit", "124MiB", "--threads", "1"];

/// A folder with a history of [`ROWS`] rows.
fn history() -> Scratch {
    let scratch = Scratch::new();
    let day: Vec<String> = (1..=28).map(|day| format!("2024-01-{day:02}")).collect();
    let customers: Vec<i64> = (0..ROWS).map(|i| i * 7919 % 200_003).collect();
    let dates: Vec<&str> = (0..ROWS as usize).map(|i| day[i % 28].as_str()).collect();
    let money: Vec<f64> = (0..ROWS).map(|i| (i % 997) as f64).collect();
    let columns = [("customer_id", ids(&customers)), ("date", days(&dates)), ("amount", amounts(&money))];
    scratch.write_batch("h.parquet", &columns);
    fs::create_dir(scratch.path("spill")).unwrap();
    fs::create_dir(scratch.path("out")).unwrap();
    scratch
}

/// `summarize` of the history under the tight limit.
fn summarize(scratch: &Scratch, spill: &Path, output: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("tiercast"));
    command.current_dir(scratch.root()).args(["summarize", "h.parquet", "-o", output]).args(TIGHT);
    command.arg("--spill-folder").arg(spill);
    command
}

/// The same in a shell where no file may grow beyond `blocks` blocks of 512 or 1024 bytes, and writing more is an error.
fn limited(scratch: &Scratch, blocks: u32, spill: &Path, output: &str) -> Command {
    let inner = summarize(scratch, spill, output);
    let mut shell = Command::new("sh");
    shell.current_dir(scratch.root()).args([
        "-c",
        &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""),
        "sh",
    ]);
    shell.arg(inner.get_program()).args(inner.get_args());
    shell
}

#[track_caller]
fn fails(output: &Output, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(output.stdout.is_empty());
    assert!(stderr.starts_with("error: ") && stderr.contains("\nhint: "), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in:\n{stderr}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Nothing but what the test made.
#[track_caller]
fn nothing_left(scratch: &Scratch) {
    assert_eq!(scratch.names(), ["h.parquet", "out", "spill"]);
    assert!(names(&scratch.path("spill")).is_empty());
    assert!(names(&scratch.path("out")).is_empty());
}

#[test]
fn folders_and_disks_that_cannot_take_it() {
    let scratch = history();
    // A folder that does not exist, and one that is a file.
    let output = summarize(&scratch, Path::new("nowhere"), "out/t.parquet").output().unwrap();
    fails(&output, &["cannot write the spill file in nowhere", "No such file"]);
    let output = summarize(&scratch, Path::new("h.parquet"), "out/t.parquet").output().unwrap();
    fails(&output, &["cannot write the spill file in h.parquet"]);
    // A disk that takes no more: files that may not grow stand for it, with the same code behind both.
    let output = limited(&scratch, 2_000, &scratch.path("spill"), "out/t.parquet").output().unwrap();
    fails(&output, &["cannot write the spill file in", "/spill", "ulimit -f", "--spill-folder"]);
    // The same for the results.
    for words in [
        &["summarize", "h.parquet", "-o", "out/t.parquet"][..],
        &["run", "--out", "out/t", "--replications", "5"],
    ] {
        let mut shell = Command::new("sh");
        shell.current_dir(scratch.root()).args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh"]);
        let output = shell.arg(assert_cmd::cargo::cargo_bin!("tiercast")).args(words).output().unwrap();
        fails(&output, &["cannot write", "/out/", "with -o"]);
    }
    nothing_left(&scratch);
}

#[test]
fn a_folder_that_may_not_be_written() {
    let scratch = history();
    fs::set_permissions(scratch.path("spill"), fs::Permissions::from_mode(0o555)).unwrap();
    let output = summarize(&scratch, Path::new("spill"), "out/t.parquet").output().unwrap();
    // Permissions do not bind root.
    if fs::File::create(scratch.path("spill/x")).is_ok() {
        assert!(output.status.success());
        return;
    }
    fails(&output, &["cannot write the spill file in spill", "Permission denied"]);
    nothing_left(&scratch);
}

/// A small disk, where this process may mount one.
struct Disk<'a>(&'a Path);

impl Disk<'_> {
    fn mount<'a>(place: &'a Path, size: &str) -> Option<Disk<'a>> {
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Disk(place))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_named() {
    let scratch = history();
    let (spill, out) = (scratch.path("spill"), scratch.path("out"));
    if let Some(_disk) = Disk::mount(&spill, "1m") {
        let output = summarize(&scratch, &spill, "out/t.parquet").output().unwrap();
        fails(&output, &["cannot write the spill file in", "/spill", "the disk is full", "--spill-folder"]);
        assert!(names(&spill).is_empty() && names(&out).is_empty());
    }
    if let Some(_disk) = Disk::mount(&out, "64k") {
        let output = summarize(&scratch, &spill, "out/t.parquet").output().unwrap();
        fails(&output, &["cannot write", "/out/", "the disk is full", "with -o"]);
        assert!(names(&spill).is_empty() && names(&out).is_empty());
    }
    nothing_left(&scratch);
}

/// Starts it and waits until it is in the middle of spilling, or over.
fn spilling(scratch: &Scratch) -> Child {
    let mut command = summarize(scratch, &scratch.path("spill"), "out/t.parquet");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    let links = format!("/proc/{}/fd", child.id());
    let spill = scratch.path("spill").canonicalize().unwrap();
    let is_open = || {
        fs::read_dir(&links)
            .into_iter()
            .flatten()
            .flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|file| file.starts_with(&spill)))
    };
    while !is_open() && child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
#[cfg(target_os = "linux")]
fn interrupted_in_the_middle() {
    let scratch = history();
    let child = spilling(&scratch);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(output.stdout.is_empty() && stderr.contains("interrupted"), "{stderr}");
    nothing_left(&scratch);
}

#[test]
#[cfg(target_os = "linux")]
fn killed_in_the_middle() {
    let scratch = history();
    let child = spilling(&scratch);
    signal(&child, "-KILL");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(9));
    // What was spilled is gone with the process. The table's beginning has a name, and the next run takes it away once
    // it is old enough not to be one that is just beginning.
    assert!(names(&scratch.path("spill")).is_empty());
    let left = names(&scratch.path("out"));
    assert_eq!(left.len(), 1);
    assert!(left[0].starts_with(".tiercast-") && left[0].ends_with(".part"), "{left:?}");
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    let file = fs::File::open(scratch.path("out").join(&left[0])).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(long_ago)).unwrap();
    drop(file);
    let output = summarize(&scratch, &scratch.path("spill"), "out/t.parquet").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(&scratch.path("out")), ["t.parquet"]);
}

#[test]
fn limits_that_are_none() {
    let scratch = Scratch::new();
    scratch.write_history("h.parquet", &[(1, "2024-01-01", 10.0), (1, "2024-02-01", 12.0)]);
    for words in [&["summarize", "h.parquet", "-o", "t.parquet"][..], &["run", "h.parquet"]] {
        for dry in [&[][..], &["--dry-run"]] {
            let tight = ["--memory-limit", "1MiB", "--threads", "1"];
            let small = scratch.run(&[words, dry, &tight].concat());
            assert_eq!((small.code, small.stdout.as_str()), (1, ""), "{}", small.stderr);
            for part in ["memory-limit cannot be \"1MiB\"", "too small", "give at least 113MiB"] {
                assert!(small.stderr.contains(part), "{part:?}: {}", small.stderr);
            }
            // What was said to be enough is.
            let enough = ["--memory-limit", "113MiB", "--threads", "1", "--out", "o"];
            if words[0] == "run" {
                let ran = scratch.run(&[words, dry, &enough].concat());
                assert_eq!(ran.code, 0, "{}", ran.stderr);
                let _ = fs::remove_dir_all(scratch.path("o"));
            }
            let nonsense = scratch.run(&[words, dry, &["--memory-limit", "much"]].concat());
            assert_eq!((nonsense.code, nonsense.stdout.as_str()), (2, ""));
            assert!(nonsense.stderr.contains("it is no amount of memory"), "{}", nonsense.stderr);
        }
    }
    assert_eq!(scratch.names(), ["h.parquet"]);
}

#[test]
fn a_dry_run_says_what_it_would_take_and_writes_nothing() {
    let scratch = history();
    let words = ["summarize", "h.parquet", "-o", "out/t.parquet", "--dry-run"];
    let text = scratch.run(&words);
    assert_eq!(text.code, 0, "{}", text.stderr);
    for part in
        ["1,200,000", "to 32 partitions", "200,003", "27.5 MiB", "nothing goes to disk", "out/t.parquet"]
    {
        assert!(text.stdout.contains(part), "{part:?} is not in:\n{}", text.stdout);
    }
    let read = |words: &[&str]| -> serde_json::Value {
        let ran = scratch.run(words);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let wide = read(&[&words[..], &["--json", "--threads", "1"]].concat());
    assert_eq!(wide["plan"]["strategy"]["partitions"], 32);
    assert_eq!(wide["plan"]["row_bytes"]["most"], 24 * ROWS);
    let tight = read(&[&words[..], &TIGHT, &["--json"]].concat());
    assert_eq!(tight["plan"]["fits"], false);
    assert!(tight["plan"]["spill"]["least"].as_u64().unwrap() > 0);
    nothing_left(&scratch);
    // What was said holds.
    let done = read(&[&["summarize", "h.parquet", "-o", "t.parquet", "--json"][..], &TIGHT].concat());
    if let Some(peak) = done["peak_memory_bytes"].as_u64() {
        let most = tight["plan"]["memory"]["most"].as_u64().unwrap();
        assert!(peak <= most * 6 / 5, "{peak} of {most}");
    }
    let free = read(&["summarize", "h.parquet", "-o", "t.parquet", "--json", "--threads", "1"]);
    if let Some(peak) = free["peak_memory_bytes"].as_f64() {
        let bound = |name: &str| wide["plan"]["memory"][name].as_f64().unwrap();
        let (least, most) = (bound("least"), bound("most"));
        assert!(0.7 * least <= peak && peak <= 1.3 * most, "{peak} is not about {least} to {most}");
    }
    fs::remove_file(scratch.path("t.parquet")).unwrap();
    let run = read(&["run", "h.parquet", "--dry-run", "--json"]);
    assert_eq!(run["plan"]["history"]["rows"], ROWS);
    nothing_left(&scratch);
}
