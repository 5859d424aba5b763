//! The generator against its definition.

use super::*;
use crate::parallel::with_threads;

#[test]
fn threads_change_nothing() {
    let one = with_threads(1, || Shop::new(3, 500)).unwrap();
    assert_eq!(with_threads(3, || Shop::new(3, 500)).unwrap(), one);
}

#[test]
fn a_customer_is_the_same_in_a_larger_shop() {
    let (small, large) = (Shop::new(3, 50), Shop::new(3, 500));
    for (a, b) in small.members.iter().zip(&large.members) {
        assert_eq!((&a.profile, &a.listing), (&b.profile, &b.listing));
        let own = |m: &Member| m.purchases.iter().filter(|p| !p.caused).cloned().collect::<Vec<_>>();
        assert_eq!(own(a), own(b));
    }
}

#[test]
fn a_contact_only_adds_orders() {
    let shop = Shop::new(3, 4_000);
    let mut caused = 0;
    for member in &shop.members {
        let without = orders::purchases(3, &member.profile);
        let own: Vec<Purchase> = member.purchases.iter().filter(|p| !p.caused).cloned().collect();
        assert_eq!(own, without);
        let treated = member.contact.as_ref().is_some_and(|c| c.treated);
        let left = member.profile.behaviour.as_ref().map_or(0.0, Behaviour::left);
        for purchase in member.purchases.iter().filter(|p| p.caused) {
            caused += 1;
            assert!(treated && purchase.at < left);
            assert!((CONTACT_WEEK..CONTACT_WEEK + OUTCOME_WEEKS).contains(&purchase.at));
        }
        assert!(member.purchases.windows(2).all(|pair| pair[0].at <= pair[1].at));
        assert!(member.purchases.iter().skip(1).all(|p| p.at < left.min(WEEKS)));
        assert_eq!(member.profile.behaviour.is_none(), member.purchases.is_empty());
        assert!(member.profile.signup >= START);
        assert!(member.purchases.first().is_none_or(|first| day_of(first.at) >= member.profile.signup));
        let in_trial = !member.listing.opted_out && without.first().is_some_and(|p| p.at < CONTACT_WEEK);
        assert_eq!(member.contact.is_some(), in_trial);
    }
    assert!(caused > 50, "{caused}");
}

#[test]
fn the_window_is_as_documented() {
    assert_eq!(START.to_string(), "2023-01-02");
    assert_eq!(day_of(WEEKS).to_string(), "2025-06-30");
    assert_eq!(day_of(CONTACT_WEEK).to_string(), "2025-01-13");
    assert_eq!(day_of(CONTACT_WEEK + OUTCOME_WEEKS).to_string(), "2025-04-07");
}

#[test]
fn shares_add_up() {
    let sums = [
        NATURES.iter().map(|n| n.share).sum::<f64>(),
        REGIONS.iter().map(|l| l.share).sum(),
        SOURCES.iter().map(|l| l.share).sum(),
        CHANNELS.iter().map(|l| l.share).sum(),
    ];
    let of_natures = NATURES.iter().flat_map(|n| {
        let industries = n.industries.iter().map(|i| i.1).sum::<f64>();
        [n.complexity.iter().sum::<f64>(), if n.industries.is_empty() { 1.0 } else { industries }]
    });
    for sum in sums.into_iter().chain(of_natures) {
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
}

/// Means of what is drawn, by nature, against the distributions' own.
#[test]
fn rates_have_their_means() {
    let shop = Shop::new(4, 40_000);
    for nature in &NATURES {
        let of_nature: Vec<(&Profile, &Behaviour)> = shop
            .members
            .iter()
            .filter(|m| m.profile.nature == nature)
            .filter_map(|m| Some((&m.profile, m.profile.behaviour.as_ref()?)))
            .collect();
        let close = |mean: f64, deviation: f64, value: &dyn Fn(&Profile, &Behaviour) -> f64| {
            let n = of_nature.len() as f64;
            let got = of_nature.iter().map(|(p, b)| value(p, b)).sum::<f64>() / n;
            assert!((got - mean).abs() < 5.0 * deviation / n.sqrt(), "{}: {got} {mean}", nature.name);
        };
        let Nature { r, alpha, s, beta, q, order_value, .. } = *nature;
        close(r / alpha, r.sqrt() / alpha, &|p, b| b.lambda / p.rate_factor());
        close(s / beta, s.sqrt() / beta, &|p, b| b.mu / p.dropout_factor());
        // Of an inverse gamma with shape q.
        let deviation = order_value / (q - 2.0).sqrt();
        close(order_value, deviation, &|p, b| b.mean_amount() / p.spend_factor());
        close(1.0, 1.0, &|_, b| b.lifetime * b.mu);
    }
}

#[test]
fn tiny_shops_are_written_too() {
    let folder = tempfile::tempdir().unwrap();
    for customers in [0, 1, 3, 40] {
        let written = Shop::new(5, customers).write(folder.path()).unwrap();
        assert_eq!(written[3].1, customers as usize);
    }
    // Nothing else is left in the folder.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
}
