use super::fixture::{Made, made};
use super::{Page, render};
use crate::clv::validate::{Choice, Figure, Judged, LeftOut};
use crate::clv::{FitReport, ModelName, Verdict};
use crate::history::{IdCount, IdMapInfo, JoinReport, SourceCounts, Unmatched};

fn with_page<T>(made: &Made, look: impl FnOnce(Page) -> T) -> T {
    let fits: Vec<&FitReport> = made.fits.iter().collect();
    look(made.page(&fits))
}

const SECTIONS: [&str; 10] = [
    "Data",
    "Customers",
    "Lifetime value",
    "Segments",
    "Tiers",
    "Strategies",
    "Assumptions",
    "How to read the intervals",
    "Warnings",
    "Configuration and provenance",
];

/// A page of a run with all its sections.
fn check(html: &str) {
    check_page(html, &SECTIONS);
}

/// Every section, every tag closed, nothing from outside, every row as wide as its head.
pub(super) fn check_page(html: &str, sections: &[&str]) {
    for section in sections {
        assert!(html.contains(&format!("<h2>{section}</h2>")), "{section}");
    }
    for outside in ["http://", "https://", "<script", "@import", "url(", "src="] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(!html.contains("NaN") && !html.contains(">inf"));
    balanced(html);
    for table in html.split("<table").skip(1) {
        let (table, _) = table.split_once("</table>").expect("the end of a table");
        let (head, body) = table.split_once("<tbody>").expect("a body");
        let cells = |row: &str| {
            row.matches("<td").count() + row.matches("<th").count() - row.matches("<thead").count()
        };
        for row in body.split("<tr").skip(1) {
            assert_eq!(cells(row), cells(head), "{row} under {head}");
        }
    }
}

fn balanced(html: &str) {
    const VOID: [&str; 4] = ["meta", "br", "link", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    // The style sheet holds no tag but may hold a `>`.
    let (before, rest) = html.split_once("<style>").expect("a style sheet");
    let (_, after) = rest.split_once("</style>").expect("the end of the style sheet");
    for text in [before, after] {
        for tag in text.split('<').skip(1) {
            let (inside, _) = tag.split_once('>').expect("a closed tag");
            let name = inside.split([' ', '/', '\n']).find(|s| !s.is_empty()).unwrap_or("");
            if inside.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "closes …{}", &inside);
            } else if !inside.ends_with('/') && !VOID.contains(&name) {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_page_is_whole_and_needs_nothing_else() {
    // With a path in this variable the page is written there, to be looked at: at the size of the bundled history.
    let sample = std::env::var_os("TIERCAST_REPORT_SAMPLE");
    let made = made(if sample.is_some() { 23_570 } else { 2_000 }, "even");
    let html = with_page(&made, |page| render(&page));
    check(&html);
    assert!(html.contains("rows read = ") && html.contains("set aside: refund"));
    // Lorenz, heat map, retention, lifetime values, three schemes, all customers, the key, three tiers; of each of three
    // strategies two fans and a tornado.
    assert_eq!(html.matches("<svg class=\"chart\"").count(), 12 + 9);
    assert_eq!(html.matches("role=\"img\"").count(), html.matches("<title>").count() - 1);
    assert!(html.contains("−173,425.916") && html.contains("0.267128"));
    if let Some(path) = sample {
        std::fs::write(path, html).unwrap();
    }
}

#[test]
fn names_are_escaped() {
    let name = "<script>alert('x')</script> & \"co\"";
    let mut made = made(50, name);
    made.config.push(("<img src=x>".into(), "</style>".into()));
    made.ledger.files = vec!["</title><b>".into()];
    let html = with_page(&made, |page| render(&page));
    check(&html.replace("&lt;img src=x&gt;", ""));
    assert!(html.contains("&lt;script&gt;") && html.contains("&lt;/title&gt;"));
}

#[test]
fn few_customers_or_none_still_render() {
    for n in [0, 1, 2] {
        let made = made(n, "even");
        check(&with_page(&made, |page| render(&page)));
    }
}

#[test]
fn what_is_absent_is_said() {
    let mut made = made(20, "even");
    made.fits.truncate(1);
    made.fits[0].parameters.clear();
    made.fits[0].log_likelihood = None;
    made.fits[0].verdict =
        Verdict::Failed { reason: "nobody bought again".into(), advice: "give it a longer history" };
    let html = with_page(&made, |page| {
        let nothing =
            Page { lifetime: None, comparison: None, no_comparison: "Nobody bought again.", ..page.clone() };
        let none = Page { set: None, segmentation: None, tierings: &[], fits: &[], ..nothing.clone() };
        check(&render(&none));
        render(&nothing)
    });
    check(&html);
    assert!(html.contains("No strategies were compared. Nobody bought again."));
    assert!(html.contains("failed: nobody bought again; give it a longer history"));
    assert!(html.contains("No lifetime values"));
}

#[test]
fn numbers_that_are_none_print_as_a_dash() {
    let mut made = made(30, "even");
    made.clv = vec![f64::NAN; 30];
    made.p_alive = vec![f64::INFINITY; 30];
    made.table.total_spend[0] = f64::NAN;
    for row in &mut made.found.comparison.rows {
        row.difference.value = f64::NAN;
        row.estimate.mean_lower = f64::NEG_INFINITY;
    }
    made.fits[0].parameters[0].standard_error = None;
    made.fits[0].gradient_norm = f64::NAN;
    let html = with_page(&made, |page| render(&page));
    check(&html);
    assert!(html.contains("There is no strategy to compare") && html.contains("not determined"));
}

/// `n` sources, the first with a name to be escaped; source i has 1,000 + i ids in the map.
fn join(n: u64, unmatched: Unmatched) -> JoinReport {
    let name = |i: u64| if i == 0 { "<b>".to_string() } else { format!("shop-{i:03}") };
    let counts = |i: u64| SourceCounts {
        matched: IdCount { ids: 1_000 + i, rows: 4_000 + i },
        unmatched: IdCount { ids: 7, rows: 9 },
        ambiguous: IdCount { ids: 2, rows: 3 },
    };
    JoinReport {
        map: IdMapInfo {
            file: "<map>.parquet".into(),
            columns: ["source", "source_id", "customer_id"].map(String::from),
            lines: 5_000,
            null_lines: 1,
            duplicate_lines: 0,
            sources: (0..n).map(name).collect(),
        },
        unmatched,
        sources: (0..n).map(|i| (name(i), counts(i))).collect(),
    }
}

#[test]
fn ids_are_counted_by_source() {
    let mut made = made(20, "even");
    let page = |made: &Made| {
        let html = with_page(made, |page| render(&page));
        check(&html);
        html
    };
    assert!(!page(&made).contains("Ids by source"));

    made.ledger.join = Some(join(1, Unmatched::Aside));
    let html = page(&made);
    assert!(html.contains("Ids by source") && html.contains("Their rows, set aside"), "{html}");
    let line = "<td>&lt;b&gt;</td><td class=\"n\">1,000</td><td class=\"n\">4,000</td><td class=\"n\">7</td>\
                <td class=\"n\">9</td><td class=\"n\">2</td><td class=\"n\">3</td>";
    assert!(html.contains(line), "{html}");
    // The sum of one source would say the same again.
    assert!(!html.contains("<td>all</td>"));
    let map = "&lt;map&gt;.parquet has 5,000\u{a0}lines of 1\u{a0}source; 1\u{a0}line without a source";
    assert!(html.contains(map), "{html}");

    // Of many sources the first are listed, the others and all of them added up.
    made.ledger.join = Some(join(53, Unmatched::Keep));
    let html = page(&made);
    assert!(html.contains("Their rows, kept") && html.contains("shop-049") && !html.contains("shop-050"));
    assert!(
        html.contains("<td>3\u{a0}further sources</td><td class=\"n\">3,153</td><td class=\"n\">12,153</td>")
    );
    assert!(html.contains("<td>all</td><td class=\"n\">54,378</td><td class=\"n\">213,378</td>"));
}

#[test]
fn the_choice_of_the_model_and_what_tiers_do_without_strategies_are_shown() {
    let made = made(300, "even");
    let figure = |value: f64| Figure {
        value,
        standard_error: Some(0.01),
        lower: Some(value - 0.02),
        upper: Some(value + 0.02),
    };
    let choice = Choice {
        window: made.table.window,
        customers: 300,
        judged: 300,
        with_orders: 100,
        replications: 400,
        models: vec![
            Judged { model: ModelName::ParetoNbd, rmse: figure(1.5), difference: None },
            Judged { model: ModelName::Nbd, rmse: figure(1.75), difference: Some(figure(0.25)) },
        ],
        left_out: vec![LeftOut { model: "BG/NBD", verdict: "no <maximum>".into() }],
        preferred: Some(ModelName::ParetoNbd),
        why: String::new(),
    };
    let show = |page: Page| {
        render(&Page { model_reason: "Because it <is> best.", model_choice: Some(&choice), ..page })
    };
    let html = with_page(&made, show);
    check(&html);
    for part in ["Because it &lt;is&gt; best.", "1.7500", "0.2300 to\u{a0}0.2700", "no &lt;maximum&gt;"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.contains("Without any strategy, over 12\u{a0}months"));
    let without = with_page(&made, |page| render(&Page { comparison: None, ..page }));
    check(&without);
    assert!(!without.contains("Without any strategy") && !without.contains("The model of purchases"));
}
