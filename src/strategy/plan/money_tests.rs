//! What cannot be paid or served, fixed costs, and strategies that reach nobody.

use super::testing::{CUSTOMERS, Customer, Town, text, words};
use super::tests::{ALL, plan, town, without};

#[test]
fn what_cannot_be_paid_or_served_is_refused_with_the_smallest_change() {
    let refused = |head: &str, strategy: &str| words(town().plan(&text(head, strategy)));
    let top = |rest: &str| format!("rule = \"top_n\"\n{rest}");
    for (head, strategy, want) in [
        (
            "budget = 7",
            top("action = \"call\"\nn = 5"),
            "its 5 contacts come to 10, above its budget 7\nraise the budget to 10, or contact at most 3",
        ),
        (
            "budget = 12",
            top("action = \"offer\"\nn = 5"),
            "its 5 contacts and its fixed cost come to 15, above its budget 12\nraise the budget to 15, or contact at most 2",
        ),
        (
            "[resources]\nminutes = 35",
            top("action = \"call\"\nn = 5"),
            "its 5 contacts take 50 minutes of staff, and [resources] minutes = 35\nraise minutes to 50, or contact at most 3",
        ),
        (
            "[resources]\nstock = 2",
            top("action = \"call\"\nshare = 0.5"),
            "its 5 contacts take 5 units of stock, and [resources] stock = 2\nraise stock to 5, or contact at most 2",
        ),
        (
            "budget = 40",
            top("action = \"gift\"\nshare = 1.0"),
            "it contacts 10 customers, and action \"gift\" max_customers = 4\nraise max_customers to 10, or contact at most 4",
        ),
        (
            "budget = 10",
            "rule = \"rules\"\ngive = [{ action = \"call\", where = \"number < 4\" }, { action = \"gift\", where = \"number < 8\" }]".into(),
            "its 7 contacts come to 18, above its budget 10\nraise the budget to 18, or contact fewer",
        ),
    ] {
        let found = refused(head, &strategy);
        assert!(found.contains(want), "{found}");
    }
    // Where the fixed cost alone is too much, fewer contacts do not help.
    let folder = tempfile::tempdir().unwrap();
    let mut here = town();
    here.base = folder.path().to_path_buf();
    for (csv, head, want) in [
        (
            "customer_id,action\n1,offer\n",
            "budget = 9",
            "its fixed cost, 10, is above its budget 9, and its 1 contact comes to 1\nraise the budget to 11, or lower the fixed cost to 8",
        ),
        (
            "customer_id,action\n99,offer\n",
            "budget = 9",
            "its fixed cost, 10, is above its budget 9\nraise the budget to 10, or lower the fixed cost to 9",
        ),
        (
            "customer_id,action\n1,offer\n2,offer\n3,offer\n",
            "budget = 2",
            "its fixed cost, 10, is above its budget 2, and its 3 contacts come to 3\nraise the budget to 13, or lower the fixed cost to 0 and contact at most 2",
        ),
    ] {
        std::fs::write(folder.path().join("vip.csv"), csv).unwrap();
        let found = words(here.plan(&text(head, "rule = \"list\"\nlist = \"vip.csv\"")));
        assert!(found.contains(want), "{found}");
    }
    // The change is enough.
    plan(&town(), "budget = 15", &top("action = \"offer\"\nn = 5"));
    plan(&town(), "budget = 12", &top("action = \"offer\"\nn = 2"));
}

#[test]
fn fixed_costs_and_those_who_opted_out() {
    let all: Vec<i64> = (1..=10).collect();
    let of = |out: &[i64], strategy: &str| without(out).plan(&text("budget = 13", strategy)).unwrap();
    let offer = |out: &[i64], strategy: &str| {
        let plan = of(out, strategy).0;
        assert_eq!(plan.fixed.iter().map(|(_, cost)| cost).sum::<f64>(), plan.fixed_cost);
        plan.fixed_cost
    };
    let uniform = format!("{ALL}\"offer\"");
    assert_eq!((offer(&[], &uniform), offer(&all, &uniform)), (10.0, 0.0));
    let shares = "rule = \"shares\"\nshares = { high = 1 }\naction = \"offer\"";
    assert_eq!((offer(&[1], shares), offer(&[1, 2], shares)), (10.0, 0.0));
    let by_clv = "rule = \"proportional_to_clv\"\naction = \"offer\"";
    assert_eq!((offer(&[1], by_clv), offer(&all, by_clv)), (10.0, 0.0));
    let give = "rule = \"rules\"\ngive = [{ action = \"offer\", where = \"number < 3\" }, { action = \"call\", where = \"number = 4\" }]";
    assert_eq!((offer(&[2], "rule = \"top_n\"\naction = \"offer\""), offer(&all, give)), (10.0, 0.0));
    assert_eq!((offer(&[1, 2], give), offer(&[2, 4], give)), (0.0, 10.0));
    // The actions that are carried out: calls (1) and offers (3).
    assert_eq!(of(&[1], give).0.fixed, [(1, 0.0), (3, 10.0)]);
    assert_eq!(of(&[1, 2], give).0.fixed, [(1, 0.0)]);
    // A rule that takes nobody at all is a slip of the file, and its cost is shown, whoever else opted out.
    let slip = "rule = \"rules\"\ngive = [{ action = \"offer\", where = \"number = 99\" }]";
    assert_eq!((offer(&[], slip), offer(&[7], slip)), (10.0, 10.0));
    // So is a tier without anybody in it.
    let no_mid: Vec<Customer> = CUSTOMERS
        .iter()
        .filter(|one| one.1 != 1)
        .map(|&(id, tier, clv, _)| (id, tier, clv, id == 9))
        .collect();
    let mid = text("budget = 12", "rule = \"shares\"\nshares = { mid = 1 }\naction = \"offer\"");
    assert_eq!(Town::new(&no_mid).plan(&mid).unwrap().0.fixed_cost, 10.0);
}

#[test]
fn who_reaches_nobody_is_told() {
    let warnings =
        |out: &[i64], head: &str, strategy: &str| without(out).plan(&text(head, strategy)).unwrap().1;
    let give = "rule = \"rules\"\ngive = [{ action = \"call\", where = \"number > 90\" }, \
                { action = \"gift\", where = \"number in [1, 2]\" }, { action = \"call\", where = \"number = 5\" }]";
    let never = "[[strategy]] \"s\": give 1 (call, where number > 90) matches nobody";
    assert_eq!(warnings(&[], "", give), [never]);
    assert_eq!(
        warnings(&[1, 2, 5], "", give),
        [
            never,
            "[[strategy]] \"s\": give 2 (gift, where number in [1, 2]) matches 2 customers, who all opted out",
            "[[strategy]] \"s\": give 3 (call, where number = 5) matches one customer, who opted out",
            "[[strategy]] \"s\": it contacts nobody and is the same as doing nothing: its rule takes nobody who may be contacted",
        ]
    );
    let all: Vec<i64> = (1..=10).collect();
    for (out, head, strategy, why) in [
        (&[][..], "budget = 0", format!("{ALL}\"call\""), "its budget pays for nobody"),
        (&[], "budget = 0", format!("{ALL}\"letter\""), "its budget pays for nobody"),
        (
            &[],
            "[resources]\nminutes = 9",
            format!("{ALL}\"call\""),
            "the staff’s minutes are not enough for one",
        ),
        (
            &[],
            "[resources]\nstock = 0",
            "rule = \"top_n\"\naction = \"call\"".into(),
            "the stock is not enough for one",
        ),
        (&all, "budget = 9", format!("{ALL}\"call\""), "nobody may be contacted"),
        (
            &[1, 2],
            "budget = 9",
            "rule = \"shares\"\nshares = { high = 1 }\naction = \"letter\"".into(),
            "no tier’s share reaches anybody",
        ),
    ] {
        let want = format!("[[strategy]] \"s\": it contacts nobody and is the same as doing nothing: {why}");
        assert_eq!(warnings(out, head, &strategy), [want]);
    }
}
