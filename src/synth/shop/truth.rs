//! What nobody but the generator knows of a customer, at the end of the history.

use super::contact::{Contact, weeks_alive};
use super::orders::Purchase;
use super::population::Behaviour;
use super::{CONTACT_WEEK, FUTURE_WEEKS, OUTCOME_WEEKS, WEEKS};

/// The truth of a customer who ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Whether it had not left.
    pub alive: bool,
    /// The probability of that, given its own rates and when it ordered last.
    pub p_alive: f64,
    /// Orders of the next 52 weeks, expected from its own rates and `p_alive`, without any contact.
    pub expected_orders: f64,
    /// The same in euros.
    pub expected_spend: f64,
    /// Orders of the history that the contact caused.
    pub caused_orders: u32,
}

impl Truth {
    /// Of a customer with these orders, by time.
    pub(super) fn new(behaviour: &Behaviour, purchases: &[Purchase], contact: Option<&Contact>) -> Truth {
        let last = purchases.last().map_or(behaviour.joined, |p| p.at);
        let multiplier = contact.filter(|c| c.treated).map_or(1.0, |c| c.multiplier);
        let p_alive = p_alive(behaviour, last, multiplier);
        let expected_orders = p_alive * behaviour.lambda * weeks_alive(behaviour.mu, FUTURE_WEEKS);
        Truth {
            alive: behaviour.left() > WEEKS,
            p_alive,
            expected_orders,
            expected_spend: expected_orders * behaviour.mean_amount(),
            caused_orders: purchases.iter().filter(|p| p.caused).count() as u32,
        }
    }
}

/// P(alive at the end) of a customer with known rates who ordered last at week `last`.
///
/// With a constant rate λ it is 1/(1 + μ/(λ+μ)·(e^((λ+μ)·t) − 1)), t the time since then (Schmittlein, Morrison and
/// Colombo 1987, for known rates). Here the rate is λ·multiplier in the outcome window, so that the odds of having left
/// are carried from piece to piece: over a piece of length d with the rate κ they become
/// odds·e^((κ+μ)·d) + μ/(κ+μ)·(e^((κ+μ)·d) − 1).
pub(super) fn p_alive(behaviour: &Behaviour, last: f64, multiplier: f64) -> f64 {
    let Behaviour { lambda, mu, .. } = *behaviour;
    let ends = [(CONTACT_WEEK, 1.0), (CONTACT_WEEK + OUTCOME_WEEKS, multiplier), (WEEKS, 1.0)];
    let (mut odds, mut from) = (0.0, last);
    for (end, factor) in ends {
        if end <= from {
            continue;
        }
        let both = lambda * factor + mu;
        let growth = (both * (end - from)).exp_m1();
        odds += odds * growth + mu / both * growth;
        from = end;
    }
    1.0 / (1.0 + odds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaviour(lambda: f64, mu: f64) -> Behaviour {
        Behaviour { joined: 0.0, lambda, mu, lifetime: 1.0, nu: 1.0, cost_share: 0.5 }
    }

    /// The odds as an integral over the moment of leaving, by Simpson's rule.
    fn by_quadrature(behaviour: &Behaviour, last: f64, multiplier: f64) -> f64 {
        let Behaviour { lambda, mu, .. } = *behaviour;
        // ∫ of the purchase rate from `last` on.
        let orders = |to: f64| {
            let inside = |t: f64| (t - CONTACT_WEEK).clamp(0.0, OUTCOME_WEEKS);
            lambda * (to - last + (multiplier - 1.0) * (inside(to) - inside(last)))
        };
        let density = |t: f64| mu * (-mu * (t - last) - orders(t)).exp();
        let n = 100_000;
        let h = (WEEKS - last) / f64::from(n);
        let sum: f64 = (0..=n)
            .map(|i| {
                let weight = if i == 0 || i == n { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
                weight * density(last + h * f64::from(i))
            })
            .sum();
        let stays = (-mu * (WEEKS - last) - orders(WEEKS)).exp();
        stays / (stays + sum * h / 3.0)
    }

    #[test]
    fn p_alive_is_its_integral() {
        for (lambda, mu) in [(0.05, 0.01), (0.2, 0.05), (0.01, 0.3), (0.5, 1e-4)] {
            for last in [20.0, 105.9, 110.0, 118.0, 129.5] {
                for multiplier in [1.0, 1.6] {
                    let b = behaviour(lambda, mu);
                    let (got, want) = (p_alive(&b, last, multiplier), by_quadrature(&b, last, multiplier));
                    assert!((got / want - 1.0).abs() < 1e-6, "{lambda} {mu} {last}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn one_piece_is_the_published_formula() {
        let (lambda, mu, t) = (0.08_f64, 0.03_f64, 60.0);
        let want = 1.0 / (1.0 + mu / (lambda + mu) * (((lambda + mu) * t).exp() - 1.0));
        let got = p_alive(&behaviour(lambda, mu), WEEKS - t, 1.0);
        assert!((got / want - 1.0).abs() < 1e-12);
        assert_eq!(p_alive(&behaviour(lambda, mu), WEEKS, 1.0), 1.0);
    }

    #[test]
    fn weeks_until_leaving() {
        // ∫₀^52 e^(−μu) du by the midpoint rule.
        for mu in [1e-12, 1e-3, 0.05, 2.0] {
            let n = 200_000;
            let h = 52.0 / f64::from(n);
            let sum: f64 = (0..n).map(|i| (-mu * h * (f64::from(i) + 0.5)).exp()).sum();
            assert!((weeks_alive(mu, 52.0) / (sum * h) - 1.0).abs() < 1e-7, "{mu}");
        }
        assert_eq!(weeks_alive(0.0, 52.0), 52.0);
    }
}
