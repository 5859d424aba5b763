//! What holds for the plans of all strategies and all customers.

use proptest::prelude::*;

use super::Given;
use super::testing::{CUSTOMERS, Customer, Town, text, words};
use super::tests::{ALL, ids};

/// Some strategy.
fn any_strategy() -> impl Strategy<Value = String> {
    let action = prop_oneof![Just("letter"), Just("call"), Just("gift"), Just("offer")];
    (action, 0usize..6, 1u64..12, 0.05..1.0f64).prop_map(|(action, rule, n, share)| {
        let own = format!("action = \"{action}\"");
        match rule {
            0 => format!("rule = \"uniform\"\n{own}"),
            1 => format!("rule = \"proportional_to_clv\"\n{own}"),
            2 => format!("rule = \"shares\"\nshares = {{ high = {share}, low = {} }}\n{own}", 1.0 - share),
            3 => format!("rule = \"top_n\"\n{own}\nby = \"pair\""),
            4 => format!("rule = \"top_n\"\n{own}\nn = {}", n.min(4)),
            _ => format!("rule = \"rules\"\ngive = [{{ {own}, where = \"tier != mid\", share = {share}, limit = {n} }}]"),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Never above the budget or a limit, never who opted out, counts that add up, and the same for everybody in another order.
    #[test]
    fn plans_are_what_they_say(
        town in prop::collection::vec((0u8..3, -5.0..50.0f64, prop::bool::weighted(0.2)), 1..40)
            .prop_flat_map(|all| {
                let all: Vec<Customer> =
                    (1..).zip(all).map(|(id, (tier, clv, out))| (id, tier, clv, out)).collect();
                (Just(all.clone()), Just(all).prop_shuffle())
            }),
        strategy in any_strategy(),
        budget in 10.0..120.0f64,
        minutes in 0.0..400.0f64,
    ) {
        let text = text(&format!("budget = {budget}\n[resources]\nminutes = {minutes}"), &strategy);
        let (here, there) = (Town::new(&town.0), Town::new(&town.1));
        let (plan, other) = match (here.plan(&text), there.plan(&text)) {
            (Ok(plan), Ok(other)) => (plan.0, other.0),
            (a, b) => {
                prop_assert_eq!(words(a), words(b));
                return Ok(());
            }
        };
        prop_assert!(plan.cost <= budget && plan.minutes <= minutes * (1.0 + 1e-9));
        prop_assert_eq!(plan.unspent, budget - plan.cost);
        let money = here.money(&plan);
        let mut contacts = vec![vec![0; plan.treatments.len()]; 3];
        for (row, &(_, tier, _, out)) in town.0.iter().enumerate() {
            if let Given::ByCustomer(codes) = &plan.given {
                prop_assert!(codes[row] == 0 || !out);
            }
            if let Some(own) = plan.of(row, usize::from(tier)).filter(|_| !out) {
                let at = plan.treatments.iter().position(|known| known == own).unwrap();
                contacts[usize::from(tier)][at] += 1;
            }
        }
        prop_assert_eq!(&contacts, &plan.contacts);
        let spent = plan.fixed_cost + money.iter().sum::<f64>();
        prop_assert!((spent - plan.cost).abs() < 1e-9 * budget, "{} {}", spent, plan.cost);
        prop_assert_eq!((plan.cost, plan.limited_by), (other.cost, other.limited_by));
        let mut by_id: Vec<(i64, f64)> = town.0.iter().map(|one| one.0).zip(money).collect();
        let mut by_id_there: Vec<(i64, f64)> =
            town.1.iter().map(|one| one.0).zip(there.money(&other)).collect();
        by_id.sort_by_key(|one| one.0);
        by_id_there.sort_by_key(|one| one.0);
        prop_assert_eq!(by_id, by_id_there);
    }

    /// Nobody who is contacted has less than somebody who could have been and is not.
    #[test]
    fn the_first_are_the_greatest(out in prop::collection::vec(1i64..=10, 0..6), n in 1u64..12) {
        let customers = CUSTOMERS.map(|(id, tier, clv, _)| (id, tier, clv, out.contains(&id)));
        let town = Town::new(&customers);
        let (plan, _) =
            town.plan(&text("", &format!("rule = \"top_n\"\naction = \"call\"\nby = \"pair\"\nn = {n}"))).unwrap();
        let chosen = ids(&town, &plan);
        let may_be = |id: &i64| *id != 5 && !out.contains(id);
        prop_assert_eq!(chosen.len(), (n as usize).min((1..=10).filter(may_be).count()));
        for other in (1..=10).filter(|id| may_be(id) && !chosen.contains(id)) {
            prop_assert!(chosen.iter().all(|id| id / 2 >= other / 2), "{:?} {}", chosen, other);
        }
    }

    /// Whoever is contacted with less money is contacted with more.
    #[test]
    fn lots_are_nested(budget in 0.0..30.0f64, more in 0.0..30.0f64) {
        let town = Town::new(&CUSTOMERS);
        let of = |budget: f64| {
            let text = text(&format!("budget = {budget}"), &format!("{ALL}\"call\""));
            ids(&town, &town.plan(&text).unwrap().0)
        };
        let (few, many) = (of(budget), of(budget + more));
        prop_assert!(few.iter().all(|id| many.contains(id)));
    }
}
