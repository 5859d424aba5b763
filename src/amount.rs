//! Money: how amounts of any column type are added, what a refund is, and what a currency is (a label).

use serde::{Deserialize, Serialize};

/// What happens to rows with a negative amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Refunds {
    /// They are set aside from the orders, and counted.
    #[default]
    Aside,
    /// They are subtracted from the customer's latest order day on or before the refund. A refund before the
    /// customer's first order has nothing to be subtracted from and is set aside.
    Net,
}

/// How the amounts of a history are held while they are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AmountKind {
    /// Floating point: added in a canonical order (day, then amount) within a customer.
    Float,
    /// Integers and decimals: added exactly as integers of 10^-scale and converted once.
    Scaled {
        /// Digits after the decimal point.
        scale: u8,
    },
}

impl AmountKind {
    /// The value of `units` of 10^-scale; `units` is a sum that was added exactly.
    pub fn scaled_to_f64(units: i128, scale: u8) -> f64 {
        // One correctly rounded division; 10^22 is the largest power of ten that an f64 holds exactly.
        if scale <= 22 {
            units as f64 / 10f64.powi(i32::from(scale))
        } else {
            units as f64 * 10f64.powi(-i32::from(scale))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_convert_once() {
        assert_eq!(AmountKind::scaled_to_f64(1177, 2), 11.77);
        assert_eq!(AmountKind::scaled_to_f64(-5, 0), -5.0);
    }
}
