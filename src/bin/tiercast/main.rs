//! The command line of tiercast: results on stdout, everything else on stderr.
//!
//! Exit codes: 0 success, 1 the input's fault, 2 usage or unexpected, 130 interrupted.

mod args;
mod bars;
mod plans;
mod process;
mod render;
mod settings;
mod tables;
mod terminal;
mod verbs;

use std::process::ExitCode;
use std::sync::Mutex;

use clap::{CommandFactory, FromArgMatches};
use tiercast::Error;

use crate::args::{Cli, Verb};

fn main() -> ExitCode {
    // A panic that the library turns into an error of its own must not be printed beside it.
    static LAST: Mutex<String> = Mutex::new(String::new());
    std::panic::set_hook(Box::new(|info| {
        if let Ok(mut last) = LAST.lock() {
            *last = info.to_string();
        }
    }));
    std::panic::catch_unwind(run).unwrap_or_else(|_| {
        let what = LAST.lock().map(|last| last.clone()).unwrap_or_default();
        terminal::error(&Error::internal("an unexpected step", what));
        ExitCode::from(2)
    })
}

fn run() -> ExitCode {
    let matches = Cli::command().try_get_matches().unwrap_or_else(|e| usage(e));
    // Without a verb the main job is run; parsed again as `run`, so that its environment variables count.
    let matches = match matches.subcommand_name() {
        Some(_) => matches,
        None => {
            let mut words: Vec<_> = std::env::args_os().collect();
            words.insert(1.min(words.len()), "run".into());
            Cli::command().try_get_matches_from(words).unwrap_or_else(|e| usage(e))
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(e) => e.exit(),
    };
    let of_verb = matches.subcommand().map(|(_, m)| m);
    let global = cli.global;
    let result = match cli.verb.unwrap_or_else(|| Verb::Run(Default::default())) {
        Verb::Run(args) => verbs::run::main(&global, args, of_verb),
        Verb::Inspect(args) => verbs::inspect::main(&global, args, of_verb),
        Verb::Convert(args) => verbs::convert::main(&global, args, of_verb),
        Verb::Summarize(args) => verbs::summarize::main(&global, args, of_verb),
        Verb::Fit(args) => verbs::fit::main(&global, *args, of_verb),
        Verb::Predict(args) => verbs::predict::main(&global, *args, of_verb),
        Verb::Cluster(args) => verbs::cluster::main(&global, *args, of_verb),
        Verb::Tier(args) => verbs::tier::main(&global, *args, of_verb),
        Verb::Assess(args) => verbs::assess::main(&global, *args, of_verb),
        Verb::Learn(args) => verbs::learn::main(&global, *args, of_verb),
        Verb::Explain(args) => verbs::explain::main(&global, *args, of_verb),
        Verb::Policies(args) => verbs::policies::main(&global, *args, of_verb),
        Verb::Migrate(args) => verbs::migrate::main(&global, *args, of_verb),
        Verb::Init(args) => verbs::init::main(&global, *args, of_verb),
        Verb::Simulate(args) => verbs::simulate::main(&global, *args, of_verb),
        Verb::Compare(args) => verbs::compare::main(&global, &args),
        Verb::Validate(args) => verbs::validate::main(&global, *args, of_verb),
        Verb::Bench(args) => verbs::bench::main(&global, args),
        Verb::Synth(args) => verbs::synth::main(&global, *args, of_verb),
        Verb::Config(args) => verbs::config::main(&global, args, of_verb),
        Verb::Strategies => verbs::config::strategies(&global),
        Verb::Completions { shell } => verbs::config::completions(&global, shell),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&global, &error),
    }
}

/// Ends with clap's own message (help, version, usage), or with JSON where that was asked for.
fn usage(error: clap::Error) -> ! {
    if error.use_stderr() && std::env::args_os().any(|word| word == "--json") {
        let text = error.to_string();
        let mut lines = text.lines().map(|line| line.trim_start_matches("error: "));
        terminal::error_json(lines.next().unwrap_or_default(), Some("see --help".to_string()), 2);
        std::process::exit(2);
    }
    error.exit()
}

/// Reports an error and gives its exit code.
fn fail(global: &args::Global, error: &Error) -> ExitCode {
    let code = match error {
        Error::Interrupted => 130,
        // Whoever read our output has seen enough.
        _ if terminal::is_broken_pipe(error) => return ExitCode::SUCCESS,
        _ if error.is_input_fault() => 1,
        _ => 2,
    };
    if global.json {
        terminal::error_json(&error.to_string(), error.hint(), code);
    } else {
        terminal::error(error);
    }
    ExitCode::from(code)
}
