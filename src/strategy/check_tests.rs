//! Every check with its message.

use super::plan::testing::{set, text, words};
use super::{HowMany, Rule};

const UNIFORM: &str = "rule = \"uniform\"\naction = \"letter\"";
/// The curve of letters.
const CURVE: &str = "curve = \"saturating\"\nscale = 2";

/// The errors of the file with `from` replaced by `to` (once).
fn change(from: &str, to: &str) -> String {
    let good = text("budget = 100\ntitle = \"t\"", UNIFORM);
    assert!(good.contains(from), "{from}");
    words(set(&good.replacen(from, to, 1)))
}

fn fails(found: &str, parts: &[&str]) {
    for part in parts {
        assert!(found.contains(part), "{part} is not in: {found}");
    }
}

#[test]
fn the_head_of_the_file() {
    assert_eq!(change("title = \"t\"", "title = \"u\""), "no error");
    fails(
        &change("title", "titel"),
        &["s.toml", "unknown field `titel`", "did you mean title?", "docs/strategy-file.md"],
    );
    // Below the first section a key of the head is one of that section.
    for key in ["budget = 5", "horizon = \"1yr\"", "tiers = \"value\""] {
        let name = key.split(' ').next().unwrap();
        fails(
            &change("[[action]]", &format!("[[action]]\n{key}")),
            &[&format!("unknown field `{name}`"), &format!("{name} belongs to the head of the file")],
        );
    }
    fails(&change("max_per_customer", "max_per_custmer"), &["did you mean max_per_customer?"]);
    fails(&change("budget = 100", "budget = -1"), &["budget = -1 is not a number from 0 on", "at least 0"]);
    fails(&change("margin = 0.3", "margin = 30"), &["margin = 30 is not a share of revenue"]);
    fails(&change("\"value\"", "\"valeu\""), &["tiers = \"valeu\" is not a tier scheme", "\"value\""]);
    fails(&change("title", "periods = 121\ntitle"), &["periods = 121", "from 1 to 120"]);
    fails(&change("title", "periods = 0\ntitle"), &["periods = 0", "from 1 to 120"]);
    fails(&change("title", "discount = \"10\"\ntitle"), &["discount", "10%/yr"]);
    fails(
        &change("[[action]]", "[resources]\nminutes = -5\n[[action]]"),
        &["[resources] minutes = -5 is not"],
    );
    fails(&change("[[action]]", "[resources]\nminuts = 5\n[[action]]"), &["unknown field `minuts`"]);
    let new = |rest: &str| {
        change("[[action]]", &format!("[new_customers]\n{rest}\nsource = \"elicited\"\n[[action]]"))
    };
    assert_eq!(new("per_period = 12\nlower = 8\nupper = 20"), "no error");
    fails(
        &new("per_period = 12\nlower = 8\nupper = 10"),
        &["[new_customers]: lower = 8, per_period = 12, upper = 10 are not in this order"],
    );
    fails(
        &new("per_period = 12\nlower = -8\nupper = 20"),
        &["[new_customers] lower = -8 is not a number from 0 on"],
    );
    fails(&new("per_period = 12"), &["missing field `lower`"]);
    let claim =
        |rest: &str| change("[[strategy]]", &format!("[[claim]]\nname = \"c\"\n{rest}\n[[strategy]]"));
    assert_eq!(claim("tier = \"high\"\nlift = 0.3\nsales = 0.2"), "no error");
    fails(
        &claim("tier = \"hihg\"\nlift = 0.3\nsales = 0.2"),
        &["[[claim]] \"c\": tier = \"hihg\"", "did you mean \"high\""],
    );
    fails(&claim("tier = \"high\"\nlift = -3\nsales = 0.2"), &["[[claim]] \"c\": lift = -3 is not a change"]);
}

#[test]
fn periods_follow_the_horizon() {
    for (horizon, periods) in [("12mo", 12), ("39w", 39), ("90d", 12), ("1.5yr", 2), ("60d", 60)] {
        let text = text("budget = 1", UNIFORM).replace("\"12mo\"", &format!("\"{horizon}\""));
        assert_eq!(set(&text).unwrap().periods, periods, "{horizon}");
    }
}

#[test]
fn actions() {
    let with = |rest: &str| change("max_per_customer = 5", rest);
    fails(&with("fixed_cost = -5"), &["[[action]] \"letter\": fixed_cost = -5 is not a number from 0 on"]);
    fails(&with("price_cut = 1"), &["[[action]] \"letter\": price_cut = 1 is not a share of the price"]);
    fails(&with("points = -0.1"), &["points = -0.1 is not a share of the price"]);
    fails(
        &with("points = 0.5\nprice_cut = 0.5"),
        &["price_cut and points together give 1 of the price away"],
    );
    fails(
        &with("cost_on_contact = 1\nmax_per_customer = 5"),
        &["max_per_customer has no meaning beside cost_on_contact"],
    );
    assert_eq!(change("cost_on_contact = 2", "cost_on_contact = 0"), "no error");
    fails(&with("max_customers = 0"), &["max_customers = 0 would contact nobody"]);
    fails(&with("kind = \"gfit\""), &["gfit", "gift"]);
    fails(&with("breakage = 1.5"), &["[[action]] \"letter\": breakage = 1.5 is not a share", "from 0 to 1"]);
    let belief =
        |rest: &str| with(&format!("cannibalisation = {{ value = 0.2, {rest}, source = \"elicited\" }}"));
    assert_eq!(belief("lower = 0.1, upper = 0.3"), "no error");
    fails(
        &belief("lower = 0.3, upper = 0.4"),
        &["cannibalisation: lower = 0.3, value = 0.2, upper = 0.4 are not"],
    );
    fails(&belief("lower = -0.3, upper = 0.4"), &["cannibalisation = -0.3 is not a share"]);
    fails(&belief("lowr = 0.3, upper = 0.4"), &["unknown field `lowr`"]);
    fails(&with("breakage = \"half\""), &["a number, or { value, lower, upper, source, note }"]);
    fails(&change("name = \"call\"", "name = \"letter\""), &["[[action]] name = \"letter\" occurs twice"]);
    fails(&change("name = \"call\"", "name = \"\""), &["[[action]] has an empty name"]);
}

#[test]
fn responses() {
    let with = |rest: &str| change(CURVE, rest);
    let place = "[[response]] of \"letter\" on tier \"high\"";
    fails(
        &change("lower = 0.0", "lower = 0.5"),
        &[place, "lower = 0.5, effect = 0.1, upper = 0.2 are not in this order"],
    );
    fails(
        &change("tier = \"high\"", "tier = \"top\""),
        &["[[response]] tier = \"top\" is not a tier of this scheme"],
    );
    fails(
        &change("action = \"letter\"", "action = \"leter\""),
        &["[[response]] action = \"leter\" is not an [[action]]", "did you mean \"letter\"?"],
    );
    fails(&change("tier = \"mid\"", "tier = \"high\""), &[place, "is stated twice for purchase_rate"]);
    fails(&change("source = \"assumption\"", "source = \"hope\""), &["hope", "assumption"]);
    fails(&change("\"purchase_rate\"", "\"purchase\""), &["purchase", "reactivation"]);
    for (given, want) in [
        ("scale = 2", "scale = 2 has no meaning for curve \"constant\""),
        ("curve = \"saturating\"", "curve \"saturating\" needs scale, which is missing"),
        ("curve = \"saturating\"\nscale = 0", "scale = 0 is not a positive amount of money"),
        ("curve = \"log\"\nscale = 1\nexponent = 0.5", "exponent = 0.5 has no meaning for curve \"log\""),
        ("curve = \"power\"\nscale = 1", "curve \"power\" needs exponent, which is missing"),
        ("curve = \"power\"\nscale = 1\nexponent = 1.5", "exponent = 1.5 is not an exponent of this curve"),
        ("curve = \"hill\"\nscale = 1\nexponent = -1", "exponent = -1 is not an exponent of this curve"),
        ("curve = \"adbudg\"\nexponent = 2", "curve \"adbudg\" needs d, which is missing"),
        ("curve = \"adbudg\"\nscale = 3\nexponent = 2", "scale = 3 has no meaning for curve \"adbudg\""),
        ("curve = \"logit\"\nbase = 1", "base = 1 is not a probability"),
        (
            "curve = \"logit\"\nbase = 0.2",
            "curve = \"logit\" answers to a price cut, and the action has none",
        ),
        ("curve = \"table\"", "curve \"table\" needs points, which are missing"),
        ("curve = \"table\"\npoints = [[1, 1]]", "points do not begin at [0, 0]"),
        ("curve = \"table\"\npoints = [[0, 0], [2, 1], [2, 2]]", "the dose 2 after 2 does not rise"),
        ("curve = \"table\"\npoints = [[0, 0], [2, -1]]", "-1 at dose 2 is not a share of the effect"),
        ("curve = \"sigmoid\"", "sigmoid"),
        (
            "halves = [{ effect = 0.1, lower = 0.2, upper = 0.3 }, { effect = 0.1, lower = 0.0, upper = 0.3 }]",
            "halves: lower = 0.2, effect = 0.1, upper = 0.3 are not in this order",
        ),
        ("over = \"12\"", "a span of time cannot be \"12\""),
    ] {
        fails(&with(given), &[want]);
    }
    for good in [
        "curve = \"exponential\"\nscale = 2",
        "curve = \"hill\"\nscale = 1\nexponent = 3",
        "curve = \"adbudg\"\nd = 8\nexponent = 3",
        "curve = \"table\"\npoints = [[0, 0], [1, 0.5], [3, 1]]",
        "curve = \"log\"\nscale = 2\nover = \"12w\"",
        "curve = \"log\"\nscale = 2\nhalves = [{ effect = 0.1, lower = 0.0, upper = 0.3 }, { effect = 0.1, lower = 0.0, upper = 0.3 }]",
    ] {
        assert_eq!(with(good), "no error", "{good}");
    }
    let cut = change("max_per_customer = 5", "cost_on_contact = 0.1\nprice_cut = 0.1");
    assert_eq!(cut, "no error");
    fails(
        &change("max_per_customer = 5", "cost_on_contact = 0"),
        &[place, "curve = \"saturating\" answers to a dose, and contacts of the action cost nothing"],
    );
}

/// Where the dose does not depend on money, the smallest budget would always win.
#[test]
fn what_does_not_depend_on_money_has_a_price() {
    for constant in ["", "curve = \"constant\""] {
        fails(
            &change(CURVE, constant),
            &[
                "[[response]] of \"letter\" on tier \"high\": curve = \"constant\" gives the whole effect for any money",
                "action \"letter\" has no cost_on_contact",
                "give the action a cost_on_contact, what one contact costs (0 is allowed), in place of max_per_customer",
                "such as \"saturating\"",
            ],
        );
    }
    fails(
        &change("max_per_customer = 5", "price_cut = 0.1"),
        &[
            "[[action]] \"letter\": price_cut = 0.1 does all that the action does",
            "there is no cost_on_contact",
            "give the action a cost_on_contact",
        ],
    );
    let constant = text("budget = 100", UNIFORM).replace(CURVE, "");
    for cost in ["0", "2.5"] {
        let priced = constant.replace("max_per_customer = 5", &format!("cost_on_contact = {cost}"));
        assert_eq!(words(set(&priced)), "no error", "{cost}");
        let cut = priced.replace("cost_on_contact", "price_cut = 0.1\ncost_on_contact");
        assert_eq!(words(set(&cut)), "no error", "{cost}");
    }
}

#[test]
fn effects_that_cannot_be() {
    let response = |rest: &str| {
        change(
            &format!(
                "on = \"purchase_rate\"\neffect = 0.1\nlower = 0.0\nupper = 0.2\nsource = \"assumption\"\n{CURVE}"
            ),
            &format!("effect = 0.1\nupper = 0.2\nsource = \"assumption\"\n{rest}"),
        )
    };
    let rate = "on = \"purchase_rate\"\n";
    // The most that can be given is 5: −0.3 × 5 is −150 %.
    fails(
        &response(&format!("{rate}lower = -0.3\ncurve = \"power\"\nscale = 1\nexponent = 1")),
        &["lower = -0.3 lowers purchase_rate by 150 % at a dose of 5, which is below −100 %", "raise lower"],
    );
    assert_eq!(
        response(&format!("{rate}lower = -0.2\ncurve = \"power\"\nscale = 1\nexponent = 1")),
        "no error"
    );
    let straight = "curve = \"power\"\nscale = 5\nexponent = 1";
    fails(
        &response(&format!("on = \"dropout\"\nlower = -1.1\n{straight}")),
        &["lower = -1.1 lowers dropout by 110 %"],
    );
    assert_eq!(response(&format!("on = \"dropout\"\nlower = -1\n{straight}")), "no error");
    // A table that is steeper below the largest dose than at it.
    fails(
        &response("on = \"spend\"\nlower = -1\ncurve = \"table\"\npoints = [[0, 0], [2, 1.2], [5, 0.5]]"),
        &["lowers spend by 120 % at a dose of 2"],
    );
    fails(
        &response(&format!("on = \"reactivation\"\nlower = -0.1\n{straight}")),
        &["-0.1 is not a probability of coming back"],
    );
    let unbounded = text("budget = 100", UNIFORM)
        .replace("max_per_customer = 5", "")
        .replacen(CURVE, "curve = \"hill\"\nscale = 1\nexponent = 2", 1)
        .replacen("lower = 0.0", "lower = -1.5", 1);
    fails(&words(set(&unbounded)), &["lowers purchase_rate by 150 % at its ceiling"]);
    let logit = |on: &str| {
        let text = text("budget = 100", UNIFORM)
            .replace("max_per_customer = 5", "price_cut = 0.2\ncost_on_contact = 5")
            .replacen(CURVE, "curve = \"logit\"\nbase = 0.2", 1)
            .replacen("on = \"purchase_rate\"", &format!("on = \"{on}\""), 1)
            .replacen("lower = 0.0", "lower = -4", 1);
        words(set(&text))
    };
    assert_eq!(logit("purchase_rate"), "no error");
    fails(&logit("reactivation"), &["curve = \"logit\" is a ratio of probabilities"]);
}

#[test]
fn strategies() {
    let budget = |head: &str, strategy: &str| words(set(&text(head, strategy)));
    let with = |strategy: &str| budget("budget = 100", strategy);
    let top = |rest: &str| with(&format!("rule = \"top_n\"\n{rest}"));
    let give = |rest: &str| with(&format!("rule = \"rules\"\ngive = [{rest}]"));
    let shares = |rest: &str| with(&format!("rule = \"shares\"\naction = \"letter\"\nshares = {{ {rest} }}"));
    for (found, want) in [
        (with("rule = \"unifrom\""), "unifrom"),
        (
            with("rule = \"uniform\""),
            "[[strategy]] \"s\": rule = \"uniform\" needs an action, which is missing",
        ),
        (with("rule = \"uniform\"\naction = \"leter\""), "action = \"leter\" is not an [[action]]"),
        (
            with(&format!("{UNIFORM}\nn = 3")),
            "[[strategy]] \"s\": n has no meaning for rule = \"uniform\"\nleave n out, or use rule = \"top_n\"",
        ),
        (
            with(&format!("{UNIFORM}\nbudget = -3")),
            "[[strategy]] \"s\": budget = -3 is not a number from 0 on",
        ),
        (
            with(&format!("{UNIFORM}\n[[strategy]]\nname = \"s\"\n{UNIFORM}")),
            "[[strategy]] name = \"s\" occurs twice",
        ),
        (
            with(&format!("{UNIFORM}\n[[strategy]]\nname = \"do_nothing\"\n{UNIFORM}")),
            "\"do_nothing\": this name is taken",
        ),
        (
            with(&format!("{UNIFORM}\n[[strategy]]\nname = \"all\"\n{UNIFORM}")),
            "\"all\": this name is taken\nresults call the sum over tiers \"all\"",
        ),
        (
            budget("budget = 9", "rule = \"uniform\"\naction = \"offer\""),
            "the fixed cost of its action, 10, is above its budget 9\nraise the budget to 10, or lower the fixed cost to 9",
        ),
        (
            budget(
                "budget = 9",
                "rule = \"rules\"\ngive = [{ action = \"offer\", where = \"orders > 3\" }, { action = \"call\" }]",
            ),
            "the fixed costs of its actions, 10, is above its budget 9",
        ),
        (
            budget("", "rule = \"shares\"\naction = \"letter\"\nshares = { high = 1 }"),
            "there is no budget to share",
        ),
        (shares("high = 0.5"), "the shares add up to 0.5"),
        (shares("hihg = 1"), "shares = \"hihg\" is not a tier of this scheme"),
        (shares("high = 2, mid = -1"), "shares.mid = -1 is not a number from 0 on"),
        (top("action = \"call\"\nn = 0"), "n = 0 would contact nobody"),
        (top("action = \"call\"\nn = 3\nshare = 0.1"), "both n and share say how many"),
        (top("action = \"call\"\nshare = 10"), "share = 10 is not a share"),
        (
            top("action = \"call\"\nper_customer = 3"),
            "per_customer = 3 has no meaning, as each contact of action \"call\" costs 2",
        ),
        (top("action = \"letter\"\nper_customer = 6"), "per_customer = 6 is above max_per_customer = 5"),
        (top("action = \"letter\"\nper_customer = 0"), "per_customer = 0 is not a number above 0"),
        (top("action = \"gift\"\nn = 5"), "n = 5 is above max_customers = 4 of action \"gift\""),
        (give(""), "give has 0 entries"),
        (give("{ action = \"cal\" }"), "give 1, action = \"cal\" is not an [[action]]"),
        (give("{ action = \"call\" }, { action = \"gift\" }"), "give 1 has no where, takes everybody"),
        (give("{ action = \"call\", where = \"orders >\" }"), "[[strategy]] \"s\": give 1, where: "),
        (
            give("{ action = \"call\", where = \"tier = 'hihg'\" }"),
            "\"hihg\" is no tier of this scheme\n  tier = 'hihg'\n         ^^^^^^\ndid you mean \"high\"?",
        ),
        (give("{ action = \"call\", share = 2 }"), "give 1, share = 2 is not a share"),
        (give("{ action = \"call\", limit = 0 }"), "give 1, limit = 0 would contact nobody"),
        (give("{ action = \"call\", when = \"a\" }"), "unknown field `when`"),
        (
            with("rule = \"rules\"\naction = \"call\"\ngive = [{ action = \"call\" }]"),
            "action has no meaning for rule = \"rules\"",
        ),
        (with("rule = \"list\""), "rule = \"list\" needs list, the path of a CSV"),
    ] {
        assert!(found.contains(want), "{want} is not in: {found}");
    }
    let no_cap = |strategy: &str| {
        words(set(&text("", strategy).replace("max_per_customer = 5", "description = \"a letter\"")))
    };
    fails(&no_cap(UNIFORM), &["neither a budget nor action \"letter\" says how much may be spent"]);
    fails(
        &no_cap("rule = \"top_n\"\naction = \"letter\""),
        &["says how many are contacted or what each costs"],
    );
    fails(
        &no_cap("rule = \"top_n\"\naction = \"letter\"\nn = 2"),
        &["says what each customer costs, and there is no budget"],
    );
    fails(
        &no_cap("rule = \"rules\"\ngive = [{ action = \"letter\" }]"),
        &["give 1: nothing says what a customer costs"],
    );
}

#[test]
fn every_tier_that_can_be_reached_needs_a_response() {
    let missing = |strategy: &str| {
        let text = text("budget = 100", strategy);
        let low = text.find("[[response]]\naction = \"letter\"\ntier = \"low\"").unwrap();
        let end = low + text[low..].find("[[action]]").unwrap();
        words(set(&format!("{}{}", &text[..low], &text[end..])))
    };
    let want = "no [[response]] says what action \"letter\" does to tier \"low\"";
    for reaches in [
        UNIFORM,
        "rule = \"proportional_to_clv\"\naction = \"letter\"",
        "rule = \"top_n\"\naction = \"letter\"\nn = 1",
        "rule = \"shares\"\naction = \"letter\"\nshares = { low = 1 }",
        "rule = \"rules\"\ngive = [{ action = \"letter\", where = \"orders > 3\" }]",
        "rule = \"rules\"\ngive = [{ action = \"letter\", where = \"tier != high\" }]",
    ] {
        fails(&missing(reaches), &[want, "an effect of 0 is an answer too"]);
    }
    for does_not in [
        "rule = \"shares\"\naction = \"letter\"\nshares = { high = 1 }",
        "rule = \"rules\"\ngive = [{ action = \"letter\", where = \"tier = high and orders > 3\" }]",
    ] {
        assert_eq!(missing(does_not), "no error", "{does_not}");
    }
}

#[test]
fn what_is_typed_is_what_is_planned() {
    let text = text("budget = 100", "rule = \"top_n\"\naction = \"call\"\nshare = 0.1\nbudget = 50");
    let set = set(&text).unwrap();
    assert_eq!(set.strategies[1].budget, Some(50.0));
    let want = Rule::TopN { action: 1, by: "clv".into(), how_many: HowMany::Share(0.1), per_customer: None };
    assert_eq!(set.strategies[1].rule, want);
    // It can be written down.
    assert!(serde_json::to_string(&set).unwrap().contains("\"top_n\""));
}
