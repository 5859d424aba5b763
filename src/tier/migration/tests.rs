use proptest::prelude::*;

use super::*;
use crate::history::TextKind;

fn names() -> Vec<String> {
    ["high", "mid", "low"].map(String::from).to_vec()
}

fn ids(values: &[i64]) -> Ids {
    Ids::Signed { values: values.to_vec(), bits: 64 }
}

#[test]
fn a_movement_by_hand() {
    let names = names();
    let (before, after) = (ids(&[1, 2, 3, 4, 5]), ids(&[6, 5, 4, 2, 1]));
    let old = Graded {
        ids: &before,
        codes: &[0, 1, 2, 2, 1],
        names: &names,
        value: Some(&[9.0, 8.0, 7.0, 6.0, 5.0]),
    };
    let new = Graded {
        ids: &after,
        codes: &[2, 1, 0, 2, 0],
        names: &names,
        value: Some(&[1.0, 2.0, 30.0, 4.0, f64::NAN]),
    };
    let found = Migration::new(old, new).unwrap();
    assert_eq!(found.customers, [[1, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 0]]);
    // Customer 1 keeps the earlier value, having no later one; 3 is gone with 7.
    assert_eq!(
        found.value,
        [[9.0, 0.0, 0.0, 0.0], [0.0, 2.0, 4.0, 0.0], [30.0, 0.0, 0.0, 7.0], [0.0, 0.0, 1.0, 0.0]]
    );
    assert_eq!((found.raised, found.lowered, found.stayed), (1, 1, 2));
    assert_eq!(found.moved(), Some(0.5));
    let movers: Vec<(usize, usize, u8, u8)> =
        found.movers.iter().map(|m| (m.before, m.after, m.from, m.to)).collect();
    assert_eq!(movers, [(3, 2, 2, 0), (1, 3, 1, 2)]);
    assert_eq!(found.shares()[2], Some(vec![0.5, 0.0, 0.0, 0.5]));
    // Of the four in both tables 3 steps are made; chance, by (1, 2, 1) before and (2, 1, 1) after, would make 14/4.
    assert!((found.kappa().unwrap() - 1.0 / 7.0).abs() < 1e-15);
}

/// Kappa of a table of customers in both gradings.
fn kappa(customers: &[&[u64]]) -> Option<f64> {
    let k = customers.len();
    let mut all = vec![vec![7; k + 1]; k + 1];
    for (row, own) in all.iter_mut().zip(customers) {
        row[..k].copy_from_slice(own);
    }
    let tiers = (0..k).map(|i| i.to_string()).collect();
    Migration {
        tiers,
        customers: all,
        value: Vec::new(),
        raised: 0,
        lowered: 0,
        stayed: 0,
        movers: Vec::new(),
    }
    .kappa()
}

/// New and gone customers are no part of it.
#[test]
fn kappa_by_hand() {
    let near =
        |found: Option<f64>, want: f64| assert!((found.unwrap() - want).abs() < 1e-14, "{found:?} {want}");
    // Two tiers are Cohen's plain kappa: (0.7 − 0.5)/(1 − 0.5).
    near(kappa(&[&[20, 5], &[10, 15]]), 0.4);
    // Nobody moved; all by chance; everybody moved to the other end.
    near(kappa(&[&[5, 0, 0], &[0, 6, 0], &[0, 0, 7]]), 1.0);
    near(kappa(&[&[1, 2, 3], &[2, 4, 6], &[3, 6, 9]]), 0.0);
    near(kappa(&[&[0, 5], &[5, 0]]), -1.0);
    // (Po − Pe)/(1 − Pe) where neighbours agree by half: of 150, 122 stayed and 18 went to a neighbour.
    let found = kappa(&[&[44, 5, 4], &[4, 41, 5], &[6, 4, 37]]);
    let po = (122.0 + 18.0 / 2.0) / 150.0;
    let pe = (53.0 * 54.0
        + 50.0 * 50.0
        + 47.0 * 46.0
        + (53.0 * 50.0 + 50.0 * 54.0 + 50.0 * 46.0 + 47.0 * 50.0) / 2.0)
        / 22_500.0;
    near(found, (po - pe) / (1.0 - pe));
    // In one tier all agree by chance alone.
    assert_eq!((kappa(&[&[9]]), kappa(&[&[0, 0], &[0, 9]]), kappa(&[&[0, 0], &[0, 0]])), (None, None, None));
}

#[test]
fn what_cannot_be_compared() {
    let names = names();
    let one = ids(&[1, 1]);
    let graded = |ids, names| Graded { ids, codes: &[0, 0], names, value: None };
    let message = |before, after| Migration::new(before, after).unwrap_err().to_string();
    assert_eq!(
        message(graded(&one, &names), graded(&one, &names)),
        "an id of the earlier table cannot be \"1\": it stands there twice"
    );
    let two = ids(&[1, 2]);
    let others = vec!["A".to_string(), "B".to_string()];
    assert!(
        message(graded(&two, &names), graded(&two, &others)).contains("the earlier ones are high, mid, low")
    );
    let texts = Ids::Text { ends: vec![1, 2], bytes: b"12".to_vec(), kind: TextKind::Utf8 };
    assert!(
        message(graded(&two, &names), graded(&texts, &names))
            .contains("those of the earlier table are integers")
    );
    // Unsigned ids are the same integers.
    let unsigned = Ids::Unsigned { values: vec![2, 1], bits: 64 };
    assert_eq!(Migration::new(graded(&two, &names), graded(&unsigned, &names)).unwrap().stayed, 2);
}

proptest! {
    #[test]
    fn counts_reconcile_with_both_tables(
        before in prop::collection::btree_map(0i64..50, 0u8..3, 0..40),
        after in prop::collection::btree_map(0i64..50, 0u8..3, 0..40),
    ) {
        let names = names();
        let split = |map: &std::collections::BTreeMap<i64, u8>| {
            (ids(&map.keys().copied().collect::<Vec<_>>()), map.values().copied().collect::<Vec<u8>>())
        };
        let ((a, x), (b, y)) = (split(&before), split(&after));
        let old = Graded { ids: &a, codes: &x, names: &names, value: None };
        let new = Graded { ids: &b, codes: &y, names: &names, value: None };
        let found = Migration::new(old, new).unwrap();
        for tier in 0..3 {
            let row: u64 = found.customers[tier].iter().sum();
            let column: u64 = found.customers.iter().map(|row| row[tier]).sum();
            prop_assert_eq!(row, x.iter().filter(|&&c| usize::from(c) == tier).count() as u64);
            prop_assert_eq!(column, y.iter().filter(|&&c| usize::from(c) == tier).count() as u64);
        }
        // Nobody is in neither table.
        prop_assert_eq!(found.customers[3][3], 0);
        for shares in found.shares().into_iter().flatten() {
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        // Brute force.
        let moved = before.iter().filter(|(id, code)| after.get(id).is_some_and(|other| other != *code)).count();
        prop_assert_eq!(found.movers.len(), moved);
        prop_assert_eq!(found.raised + found.lowered, moved as u64);
    }
}

#[test]
fn drift_of_distributions() {
    let before: Vec<f64> = (0..1000).map(f64::from).collect();
    let shifted: Vec<f64> = before.iter().map(|v| v + 300.0).collect();
    let of = |after: &[f64]| drift(Feature { name: "spend", before: &before, after });
    let same = of(&before);
    assert_eq!((same.index, same.level), (Some(0.0), DriftLevel::Little));
    assert_eq!(same.medians, [Some(499.0), Some(499.0)]);
    // By hand: three tenths are empty (half a customer each of 1001.5), the last holds four tenths.
    let (p, q) = (0.1f64, [0.5 / 1001.5, 100.0 / 1001.5, 400.0 / 1001.5]);
    let want: f64 =
        [(3.0, q[0]), (6.0, q[1]), (1.0, q[2])].iter().map(|(n, q)| n * (q - p) * (q / p).ln()).sum();
    let found = of(&shifted);
    assert!((found.index.unwrap() - want).abs() < 1e-12, "{found:?} {want}");
    assert_eq!(found.level, DriftLevel::Much);
    let none = of(&[f64::NAN, f64::NAN]);
    assert_eq!((none.index, none.level, none.missing), (None, DriftLevel::Unknown, [0, 2]));
    // Most customers alike: one bin for them.
    let mut alike = vec![1.0; 900];
    alike.extend(vec![2.0; 100]);
    let found = drift(Feature { name: "orders", before: &alike, after: &[1.0, 1.0, 1.0, 2.0] });
    let want = (0.75f64 - 0.9) * (0.75f64 / 0.9).ln() + (0.25 - 0.1) * (0.25f64 / 0.1).ln();
    assert!((found.index.unwrap() - want).abs() < 1e-12);
}
