//! Every rule by hand on ten customers.

use super::testing::{CUSTOMERS, Customer, Town, text, words};
use super::{Given, Limit, Plan, lots};
use crate::error::Result;

pub(super) fn town() -> Town {
    Town::new(&CUSTOMERS)
}

/// The town where some have opted out.
pub(super) fn without(out: &[i64]) -> Town {
    let customers: Vec<Customer> =
        CUSTOMERS.iter().map(|&(id, tier, clv, _)| (id, tier, clv, out.contains(&id))).collect();
    Town::new(&customers)
}

pub(super) fn plan(town: &Town, head: &str, strategy: &str) -> Plan {
    let (plan, warnings) = town.plan(&text(head, strategy)).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    plan
}

fn near(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
}

fn contacted(plan: &Plan) -> Vec<u64> {
    (0..3).map(|tier| plan.contacted(tier)).collect()
}

/// Ids of those who get something.
pub(super) fn ids(town: &Town, plan: &Plan) -> Vec<i64> {
    (1..).zip(town.money(plan)).filter(|(_, money)| *money > 0.0).map(|(id, _)| id).collect()
}

pub(super) const ALL: &str = "rule = \"uniform\"\naction = ";

#[test]
fn money_for_everybody() {
    let town = town();
    let even = plan(&town, "budget = 20", &format!("{ALL}\"letter\""));
    assert_eq!((even.given.clone(), even.treatments.len()), (Given::ByTier(vec![1, 1, 1]), 1));
    assert_eq!(town.money(&even), [2.0; 10]);
    assert_eq!((even.cost, even.unspent, even.limited_by), (20.0, 0.0, Limit::Budget));
    let capped = plan(&town, "budget = 80", &format!("{ALL}\"letter\""));
    assert_eq!((capped.cost, capped.unspent, capped.limited_by), (50.0, 30.0, Limit::Action));
    assert_eq!((0..3).map(|tier| capped.contact_cost(tier)).collect::<Vec<_>>(), [10.0, 15.0, 25.0]);
    // Without a budget the cap is what everybody gets.
    let free = plan(&town, "", &format!("{ALL}\"letter\""));
    assert_eq!((free.cost, free.unspent, free.limited_by), (50.0, 0.0, Limit::Action));
    // Who opted out takes no share.
    let town = without(&[1, 3, 4, 5]);
    let fewer = plan(&town, "budget = 12", &format!("{ALL}\"letter\""));
    assert_eq!((town.money(&fewer)[1], contacted(&fewer)), (2.0, vec![1, 0, 5]));
}

#[test]
fn money_in_proportion_and_by_shares() {
    let town = town();
    let by_clv = plan(&town, "budget = 25.5", "rule = \"proportional_to_clv\"\naction = \"letter\"");
    // 18 for two is above the cap of 5 each; the other 15.5 over 75 of lifetime value.
    assert!(near(&town.money(&by_clv)[1..3], &[5.0, 15.5 * 60.0 / 75.0 / 3.0]));
    assert!(near(&town.money(&by_clv)[9..], &[15.5 * 15.0 / 75.0 / 5.0]));
    assert_eq!((by_clv.treatments.len(), by_clv.limited_by), (3, Limit::Budget));
    let shares = "rule = \"shares\"\nshares = { high = 0.8, low = 0.2 }\naction = \"letter\"";
    let by_shares = plan(&town, "budget = 20", shares);
    assert_eq!(town.money(&by_shares)[..6], [5.0, 5.0, 0.0, 0.0, 0.0, 0.8]);
    assert_eq!((by_shares.unspent, by_shares.limited_by), (6.0, Limit::Share));
    let one = "rule = \"shares\"\nshares = { high = 1 }\naction = \"letter\"";
    assert_eq!(plan(&town, "budget = 20", one).limited_by, Limit::Action);
    // A tier that nobody is left of keeps its share.
    let kept = plan(&without(&[1, 2]), "budget = 20", shares);
    assert_eq!((kept.unspent, kept.limited_by, contacted(&kept)), (16.0, Limit::Share, vec![0, 0, 5]));
}

#[test]
fn contacts_for_as_many_as_the_money_buys() {
    let town = town();
    let call = |budget: &str| plan(&town, budget, &format!("{ALL}\"call\""));
    let (three, five) = (ids(&town, &call("budget = 7.9")), ids(&town, &call("budget = 11")));
    assert_eq!((three.len(), five.len()), (3, 5));
    assert!(three.iter().all(|id| five.contains(id)), "{three:?} {five:?}");
    // They are the first by lot.
    let mut by_lot: Vec<i64> = (1..=10).collect();
    by_lot.sort_by_key(|&id| lots::lot(&town.people(), id as usize - 1));
    let mut first = by_lot[..5].to_vec();
    first.sort_unstable();
    assert_eq!(first, five);
    let some = call("budget = 11");
    assert_eq!((some.cost, some.unspent, some.minutes, some.stock), (10.0, 1.0, 50.0, 5.0));
    assert_eq!(some.limited_by, Limit::Budget);
    let (none, warnings) = town.plan(&text("budget = 1.99", &format!("{ALL}\"call\""))).unwrap();
    assert_eq!(
        warnings,
        [
            "[[strategy]] \"s\": it contacts nobody and is the same as doing nothing: its budget pays for nobody"
        ]
    );
    assert_eq!((none.cost, none.limited_by, contacted(&none)), (0.0, Limit::Budget, vec![0; 3]));
    for budget in ["budget = 20", "budget = 99", ""] {
        let all = call(budget);
        assert_eq!((all.given.clone(), all.cost), (Given::ByTier(vec![1; 3]), 20.0));
        assert_eq!(all.limited_by, Limit::Customers);
    }
}

#[test]
fn contacts_by_tier() {
    let town = town();
    let by_clv = |budget: &str| plan(&town, budget, "rule = \"proportional_to_clv\"\naction = \"call\"");
    // 7.06 for the two high pay both, 4.8 of the other 6 go to mid, 1.2 to low.
    let plan_10 = by_clv("budget = 10");
    assert_eq!((contacted(&plan_10), plan_10.cost, plan_10.limited_by), (vec![2, 2, 0], 8.0, Limit::Share));
    assert_eq!(contacted(&by_clv("budget = 20.4")), [2, 3, 5]);
    assert_eq!(by_clv("").limited_by, Limit::Customers);
    let shares = "rule = \"shares\"\nshares = { high = 0.25, low = 0.75 }\naction = \"call\"";
    let by_shares = plan(&town, "budget = 12", shares);
    assert_eq!((contacted(&by_shares), by_shares.unspent), (vec![1, 0, 4], 2.0));
    assert_eq!(by_shares.limited_by, Limit::Share);
    // 5 for the high tier pays both of them, and what is left of its share goes to nobody.
    let taken = plan(&town, "budget = 20", shares);
    assert_eq!((contacted(&taken), taken.unspent, taken.limited_by), (vec![2, 0, 5], 6.0, Limit::Share));
    assert_eq!(plan(&town, "budget = 8", shares).limited_by, Limit::Budget);
}

#[test]
fn staff_stock_and_actions_have_limits() {
    let town = town();
    let call = format!("{ALL}\"call\"");
    for (head, n, limit) in [
        ("budget = 100\n[resources]\nminutes = 45", 4, Limit::Minutes),
        ("budget = 100\n[resources]\nminutes = 45\nstock = 3", 3, Limit::Stock),
        ("budget = 4\n[resources]\nminutes = 45", 2, Limit::Budget),
        ("budget = 100\n[resources]\nminutes = 4500", 10, Limit::Customers),
    ] {
        let limited = plan(&town, head, &call);
        assert_eq!(
            (limited.contacts.iter().flatten().sum::<u64>(), limited.limited_by),
            (n, limit),
            "{head}"
        );
    }
    let gifts = plan(&town, "budget = 100", &format!("{ALL}\"gift\""));
    assert_eq!((gifts.cost, gifts.limited_by), (12.0, Limit::Action));
    // Where the rule says how much each gets, the fewer get more.
    let letter = text("budget = 8", &format!("{ALL}\"letter\""))
        .replace("max_per_customer = 5", "max_per_customer = 5\nmax_customers = 4");
    let (few, _) = town.plan(&letter).unwrap();
    assert_eq!((few.treatments[0].money, few.cost, few.limited_by), (2.0, 8.0, Limit::Action));
    assert_eq!(ids(&town, &few), ids(&town, &gifts));
}

/// What is short is divided as the rule divides money, whether a contact has a price or not: lots over everybody would give it
/// to the greatest tier.
#[test]
fn shortage_is_divided_as_money_is() {
    let town = town();
    for (action, head) in [("gift", "budget = 100"), ("letter", "budget = 12")] {
        let plan_of = |rule: &str| {
            let text = text(head, &format!("{rule}\naction = \"{action}\""))
                .replace("max_per_customer = 5", "max_per_customer = 5\nmax_customers = 4");
            town.plan(&text).unwrap().0
        };
        // 4 × 180/255 are more than the two high ones; of the other 2 mid gets 1.6 and low 0.4.
        let by_clv = plan_of("rule = \"proportional_to_clv\"");
        assert_eq!((contacted(&by_clv), by_clv.limited_by), (vec![2, 2, 0], Limit::Action), "{action}");
        let shares = plan_of("rule = \"shares\"\nshares = { high = 0.25, mid = 0.5, low = 0.25 }");
        assert_eq!((contacted(&shares), shares.limited_by), (vec![1, 2, 1], Limit::Action), "{action}");
        if action == "letter" {
            assert_eq!(town.money(&shares).into_iter().fold(0.0, f64::max), 3.0);
            assert_eq!(shares.cost, 12.0);
        }
    }
    // Within a tier they are the first by lot.
    let call = |minutes: u64| {
        let head = format!("budget = 100\n[resources]\nminutes = {minutes}");
        ids(&town, &plan(&town, &head, "rule = \"shares\"\nshares = { low = 1 }\naction = \"call\""))
    };
    assert!((1..5).all(|n| call(10 * n).iter().all(|id| call(10 * n + 10).contains(id))));
    assert_eq!(call(10).len(), 1);
}

#[test]
fn the_first_by_a_column() {
    let town = town();
    let top = |rest: &str| format!("rule = \"top_n\"\n{rest}");
    let best = plan(&town, "budget = 20", &top("action = \"call\"\nn = 3"));
    assert_eq!((ids(&town, &best), best.limited_by), (vec![1, 2, 3], Limit::Asked));
    // A tier of whom all are taken and tiers of whom none are need no list of customers.
    let high = plan(&town, "budget = 20", &top("action = \"call\"\nn = 2"));
    assert_eq!(high.given, Given::ByTier(vec![1, 0, 0]));
    // 30 % of the eight who may be contacted, rounded up.
    let out = without(&[1, 10]);
    let share = plan(&out, "budget = 20", &top("action = \"call\"\nshare = 0.3"));
    assert_eq!(ids(&out, &share), [2, 3, 4]);
    let number = plan(&out, "budget = 20", &top("action = \"call\"\nby = \"number\"\nn = 1"));
    assert_eq!(ids(&out, &number), [9]);
    // As many as the budget pays; without an own amount the action's.
    assert_eq!(ids(&town, &plan(&town, "budget = 9", &top("action = \"call\""))), [1, 2, 3, 4]);
    let letters = plan(&town, "budget = 11", &top("action = \"letter\"\nper_customer = 4"));
    assert_eq!((ids(&town, &letters), letters.cost, letters.limited_by), (vec![1, 2], 8.0, Limit::Budget));
    let four = plan(&town, "budget = 100", &top("action = \"gift\""));
    assert_eq!((ids(&town, &four), four.limited_by), (vec![1, 2, 3, 4], Limit::Action));
    assert_eq!(plan(&town, "", &top("action = \"call\"")).limited_by, Limit::Customers);
    // The budget divided among n.
    let divided = text("budget = 9", &top("action = \"letter\"\nn = 3")).replace("max_per_customer = 5", "");
    let (divided, _) = town.plan(&divided).unwrap();
    assert_eq!((town.money(&divided)[2], divided.cost), (3.0, 9.0));
    // Lots decide among equals (2 and 3, …), who has no value is never chosen.
    let tied = plan(&town, "budget = 20", &top("action = \"call\"\nby = \"pair\"\nn = 2"));
    let lot = |id: i64| lots::lot(&town.people(), id as usize - 1);
    let want = if lot(8) < lot(9) { [8, 10] } else { [9, 10] };
    assert_eq!(ids(&town, &tied), want);
    let all = text("budget = 20", &top("action = \"call\"\nby = \"pair\"\nn = 10"));
    let (all, warnings) = town.plan(&all).unwrap();
    assert_eq!(ids(&town, &all), [1, 2, 3, 4, 6, 7, 8, 9, 10]);
    assert_eq!(
        warnings,
        ["[[strategy]] \"s\": n = 10, and 9 may be contacted and have a value of \"pair\": all of them are"]
    );
}

#[test]
fn the_first_by_what_is_no_column() {
    let by = |by: &str| {
        words(town().plan(&text("", &format!("rule = \"top_n\"\naction = \"call\"\nn = 1\nby = \"{by}\""))))
    };
    assert_eq!(
        by("numbr"),
        "s.toml: [[strategy]] \"s\": by = \"numbr\" is no column of the customers\n\
         did you mean \"number\"? There are: pair, number, region, clv"
    );
    assert_eq!(
        by("region"),
        "s.toml: [[strategy]] \"s\": by = \"region\" is a text, and customers are ranked by numbers or dates\n\
         choose one of them, such as pair, number, clv"
    );
}

#[test]
fn whoever_a_rule_takes() {
    let town = town();
    let give = "rule = \"rules\"\ngive = [
        { action = \"gift\", where = \"tier = high and number > 1\" },
        { action = \"letter\", where = \"region = 'south' and number < 9\", per_customer = 1.5 },
        { action = \"call\" },
    ]";
    let given = plan(&town, "budget = 100", give);
    assert_eq!(town.money(&given), [2.0, 3.0, 2.0, 1.5, 2.0, 1.5, 2.0, 1.5, 2.0, 2.0]);
    assert_eq!(given.contacts, [[1, 0, 1], [0, 1, 2], [0, 2, 3]]);
    assert_eq!((given.cost, given.minutes, given.limited_by), (19.5, 60.0, Limit::Customers));
    // Whom an entry takes and does not choose gets nothing from those after it.
    let some = |rest: &str| {
        let give = format!(
            "rule = \"rules\"\ngive = [{{ action = \"call\", where = \"tier = low\", {rest} }}, {{ action = \"gift\", where = \"number < 3\" }}]"
        );
        ids(&town, &plan(&town, "budget = 100", &give))
    };
    assert_eq!((some("limit = 1").len(), some("limit = 9").len()), (3, 7));
    // 40 % of five are two, and the same who would be chosen otherwise.
    assert_eq!((some("share = 0.4").len(), some("share = 0.5").len()), (4, 5));
    assert!(some("limit = 1").iter().all(|id| some("share = 0.4").contains(id)));
    assert_eq!(some("share = 0.4, limit = 1"), some("limit = 1"));
    // Who opted out is not among those of whom a share is taken.
    let out = without(&[6, 7, 8]);
    let half = "rule = \"rules\"\ngive = [{ action = \"call\", where = \"tier in ['low']\", share = 0.5 }]";
    assert_eq!(contacted(&plan(&out, "", half)), [0, 0, 1]);
}

#[test]
fn rules_that_cannot_be() {
    let give = |entries: &str| {
        words(town().plan(&text("budget = 100", &format!("rule = \"rules\"\ngive = [{entries}]"))))
    };
    assert_eq!(
        give("{ action = \"call\", where = \"numbr > 5\" }"),
        "s.toml: [[strategy]] \"s\": give 1, where: there is no column \"numbr\"\n  numbr > 5\n  ^^^^^\n\
         did you mean \"number\"? There are: high, mid, low, pair, number, region, tier"
    );
    let twice =
        give("{ action = \"call\", where = \"number > 5\" }, { action = \"gift\", where = \"number > 7\" }");
    assert!(twice.contains("[[strategy]] \"s\": give 2: the rule can never match"), "{twice}");
    assert!(twice.contains("entry \"give 1\" before it takes everybody with"), "{twice}");
    let never = give("{ action = \"call\", where = \"number > 5 and number < 3\" }");
    assert!(never.contains("give 1: the rule can never match"), "{never}");
    let all = give("{ action = \"call\", where = \"true\" }, { action = \"gift\" }");
    assert!(all.contains("give 2: nobody is left for it: entry \"give 1\" takes everybody"), "{all}");
    assert!(all.ends_with("leave it out, or ask for something in that entry"), "{all}");
}

#[test]
fn whoever_is_on_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = without(&[2]);
    town.base = folder.path().to_path_buf();
    let list = |csv: &str, rest: &str| -> Result<(Plan, Vec<String>)> {
        std::fs::write(folder.path().join("vip.csv"), csv).unwrap();
        town.plan(&text("budget = 100", &format!("rule = \"list\"\nlist = \"vip.csv\"\n{rest}")))
    };
    let csv =
        "customer_id,action,per_customer\n007,letter,1.5\n1,gift,\n2,call,\n99,call,\n1,call,\n,call,\n3,,\n";
    let (plan, warnings) = list(csv, "action = \"call\"").unwrap();
    assert_eq!(town.money(&plan), [3.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0]);
    let of = format!("of {}", folder.path().join("vip.csv").display());
    assert_eq!(
        warnings,
        [
            format!("[[strategy]] \"s\": 1 line {of} without a customer: not contacted (line 7)"),
            format!("[[strategy]] \"s\": 1 line {of} of no such customer: not contacted (line 5)"),
            format!(
                "[[strategy]] \"s\": 1 line {of} of a customer named before: the first line counts (line 6)"
            ),
            format!("[[strategy]] \"s\": 1 line {of} of a customer who opted out: not contacted (line 4)"),
        ]
    );
    let error = |csv: &str, rest: &str| words(list(csv, rest));
    for (csv, rest, want) in [
        (
            "customer_id\n1\n",
            "",
            "line 2, column \"action\": neither the line nor the strategy names an action",
        ),
        ("id,action\n1,cal\n", "", "\"cal\" is no [[action]] of s.toml\ndid you mean \"call\"?"),
        ("id,action,per_customer\n1,letter,x\n", "", "\"x\" is not a number above 0"),
        ("id,action,per_customer\n1,letter,6\n", "", "6 is above max_per_customer = 5 of action \"letter\""),
        (
            "id,action,per_customer\n1,call,6\n",
            "",
            "6 has no meaning, as each contact of action \"call\" costs 2",
        ),
        ("who\n1\n", "", "there is no such column"),
        (
            "id,action\n1,gift\n2,gift\n3,gift\n4,gift\n5,gift\n6,gift\n",
            "",
            "it contacts 5 customers, and action \"gift\" max_customers = 4",
        ),
    ] {
        let found = error(csv, rest);
        assert!(found.contains(want), "{found}");
    }
    // An action of which a tier's customers have no stated response.
    let text = text("", "rule = \"list\"\nlist = \"vip.csv\"\naction = \"call\"")
        .replace("action = \"call\"\ntier = \"low\"", "action = \"call\"\ntier = \"mid\"")
        .replacen(
            "action = \"call\"\ntier = \"mid\"\non = \"purchase_rate\"",
            "action = \"call\"\ntier = \"mid\"\non = \"spend\"",
            1,
        );
    std::fs::write(folder.path().join("vip.csv"), "customer_id\n8\n").unwrap();
    let found = words(town.plan(&text));
    assert!(
        found.contains(
            "no [[response]] says what action \"call\" does to tier \"low\", of which it contacts 1"
        ),
        "{found}"
    );
}
