//! The two streams: stdout for results, stderr for the rest. The only place that writes to them directly.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use tiercast::{Error, Result};

/// Writes a result to stdout.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") })
        .and_then(|()| out.flush())
        .map_err(|e| Error::io("write to", Path::new("stdout"), e))
}

/// Writes a value to stdout as JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::internal("writing JSON", e))?;
    print(&text)
}

/// Whether stdout is a terminal: tables are then drawn for eyes.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether the reader of stdout has gone.
pub fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

/// A note on stderr.
pub fn note(text: &str) {
    say(text);
}

/// A warning on stderr.
pub fn warning(text: &str) {
    say(&format!("{} {}", paint("warning:", "33"), harmless(text)));
}

/// An error on stderr: what, a blank line, what to do.
pub fn error(error: &Error) {
    say(&format!("{} {}", paint("error:", "31"), harmless(&error.to_string())));
    if let Some(hint) = error.hint() {
        say(&format!("\n{} {}", paint("hint:", "36"), harmless(&hint)));
    }
}

/// An error on stderr as one JSON object, for programs.
pub fn error_json(message: &str, hint: Option<String>, code: u8) {
    say(&serde_json::json!({"schema": 1, "error": message, "hint": hint, "exit_code": code}).to_string());
}

/// Writes a line to stderr. Nobody may be listening there, which is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Text from files, with what could steer a terminal made visible; line ends stay.
pub fn harmless(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape = c.is_control() && c != '\n';
            let (plain, escaped) = if escape { (None, Some(c.escape_default())) } else { (Some(c), None) };
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

fn paint(word: &str, colour: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) || !io::stderr().is_terminal();
    if plain { word.to_string() } else { format!("\u{1b}[1;{colour}m{word}\u{1b}[0m") }
}
