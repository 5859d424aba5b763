//! The language of tier rules: conditions over a customer's values and over all customers.
//!
//! `total_spend >= top(total_spend, 20%) and not (p_alive < 0.5)`: [`parse()`] makes a tree of it ([`Expr`], which prints
//! back as it was written), `check` holds it against the columns at hand, `aggregate` computes what it asks of all
//! customers, `eval` runs it over chunks of them, `empty` finds what can never match, and `words` and `reason` say what
//! it means. docs/rules.md describes it for those who write rules.
//!
//! A value may be null. A comparison with null is unknown; `not` of unknown is unknown; `and` and `or` are those of Kleene
//! (unknown and false is false, unknown or true is true); a rule matches where it is true.

mod aggregate;
mod ast;
mod call;
mod check;
mod code;
mod empty;
mod eval;
mod exact;
mod parse;
mod print;
mod problem;
mod reason;
mod region;
mod several;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod tests;
mod token;
mod words;

pub use ast::{Arithmetic, Comparison, Expr, Node};
pub use code::{Kind, Measure};
pub use parse::parse;
pub use problem::Problem;

pub(super) use check::Checker;
pub(super) use code::{Num, Prepared, Program, Tri, Typed};
pub(super) use empty::{Never, first_empty, takes_everybody};
pub(super) use eval::{CHUNK, Chunk, Values, YES};
pub(crate) use problem::did_you_mean;
pub(super) use reason::{Sentence, Template};
pub(super) use token::is_plain_name;
pub(super) use words::measured;
