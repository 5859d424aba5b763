//! Ids and attributes: functions of a customer's number (and a row's time), so that nothing has to be kept.

use serde::Serialize;

use crate::random::hash_integer;

/// The form of the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ids {
    /// Numbers from 0.
    Integer,
    /// 36 characters in the form of a random UUID (version 4).
    Uuid,
    /// A letter and the number, such as `C00000042`.
    Short,
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes the id of customer `index` as text; no two customers share one. Not for [`Ids::Integer`].
pub(super) fn text_id(ids: Ids, seed: u64, index: u32, out: &mut String) {
    use std::fmt::Write;
    if ids != Ids::Uuid {
        // Writing to a string cannot fail.
        let _ = write!(out, "C{index:08}");
        return;
    }
    // A bijection of the number fills the 64 bits that keep ids apart; the version and the variant lie between.
    let unique = hash_integer(hash_integer(seed) ^ u64::from(index));
    let rest = hash_integer(unique ^ 0x5bf0_3635);
    let high = (unique >> 16) << 16 | 0x4000 | (unique >> 4 & 0xfff);
    let low = 0b10 << 62 | (unique & 0xf) << 58 | rest >> 6;
    let digits = u128::from(high) << 64 | u128::from(low);
    for digit in 0..32 {
        if matches!(digit, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(char::from(HEX[(digits >> (124 - 4 * digit)) as usize & 0xf]));
    }
}

/// Values of an attribute with their cumulative shares.
type Shares = [(&'static str, f64); 4];

const REGIONS: Shares = [("north", 0.4), ("south", 0.7), ("east", 0.9), ("west", 1.0)];
const CHANNELS: Shares = [("web", 0.5), ("app", 0.75), ("store", 0.95), ("phone", 1.0)];

fn pick(shares: &Shares, bits: u64) -> &'static str {
    let share = (bits >> 11) as f64 / (1u64 << 53) as f64;
    shares.iter().find(|(_, up_to)| share < *up_to).unwrap_or(&shares[3]).0
}

/// The region of a customer.
pub(super) fn region(seed: u64, index: u32) -> &'static str {
    pick(&REGIONS, hash_integer(hash_integer(seed ^ 0x7265_6769_6f6e) ^ u64::from(index)))
}

/// The channel of an order.
pub(super) fn channel(seed: u64, index: u32, time: i64) -> &'static str {
    let of_customer = hash_integer(hash_integer(seed ^ 0x0063_6861_6e6e_656c) ^ u64::from(index));
    pick(&CHANNELS, hash_integer(of_customer ^ time as u64))
}
