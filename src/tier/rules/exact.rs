//! Whole numbers and floating point in their exact order: no rounding on the way.

use std::cmp::Ordering;

/// A number that is compared to the last digit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Exact {
    Whole(i128),
    Number(f64),
}

impl Exact {
    /// The exact order of two numbers, neither of which is NaN.
    pub(crate) fn compare(self, other: Exact) -> Ordering {
        match (self, other) {
            (Exact::Whole(a), Exact::Whole(b)) => a.cmp(&b),
            (Exact::Number(a), Exact::Number(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Exact::Whole(a), Exact::Number(b)) => whole_and_number(a, b),
            (Exact::Number(a), Exact::Whole(b)) => whole_and_number(b, a).reverse(),
        }
    }
}

fn whole_and_number(a: i128, b: f64) -> Ordering {
    // 2^127, from which on no i128 is as large.
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if b >= BEYOND {
        return Ordering::Less;
    }
    if b < -BEYOND {
        return Ordering::Greater;
    }
    let floor = b.floor();
    a.cmp(&(floor as i128)).then(if b > floor { Ordering::Less } else { Ordering::Equal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_floating_point_compare_exactly() {
        let order = |a: i128, b: f64| Exact::Whole(a).compare(Exact::Number(b));
        assert_eq!(order(9_007_199_254_740_993, 9_007_199_254_740_992.0), Ordering::Greater);
        assert_eq!(order(3, 3.5), Ordering::Less);
        assert_eq!(order(-3, -3.5), Ordering::Greater);
        assert_eq!(order(4, 4.0), Ordering::Equal);
        assert_eq!(order(i128::MAX, f64::INFINITY), Ordering::Less);
        assert_eq!(order(i128::MIN, f64::NEG_INFINITY), Ordering::Greater);
        assert_eq!(order(i128::MAX, 170_141_183_460_469_231_731_687_303_715_884_105_728.0), Ordering::Less);
        assert_eq!(Exact::Number(3.5).compare(Exact::Whole(4)), Ordering::Less);
    }
}
