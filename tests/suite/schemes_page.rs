//! The page docs/schemes.md against what its commands print: every table of tiers and every threshold.

use std::path::Path;

use serde_json::Value;

use crate::support::{Scratch, dataset};

fn done(scratch: &Scratch, words: &[&str]) -> String {
    let ran = scratch.run(words);
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    ran.stdout
}

/// A threshold as the page has it: up to four decimals.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// What the page has of each scheme: the printed table without its last column, the rule in words, and the thresholds.
fn blocks(scratch: &Scratch, words: &[&str]) -> Vec<String> {
    let words = [&["tier"], words, &["-q"]].concat();
    let printed = done(scratch, &words);
    let found: Value = serde_json::from_str(&done(scratch, &[&words[..], &["--json"]].concat())).unwrap();
    let schemes = found["tiers"]["schemes"].as_array().unwrap();
    let tables: Vec<&str> = printed.trim().split("\n\n").collect();
    assert_eq!(tables.len(), schemes.len());
    let block = |(table, scheme): (&str, &Value)| {
        let mut lines = table.lines();
        let title = lines.next().unwrap();
        assert!(title.starts_with(&format!("Tiers by {}: ", scheme["key"].as_str().unwrap())), "{title}");
        let rows: Vec<&str> = lines.collect();
        let width = rows[0].find("rule").unwrap();
        let mut text = format!("```text\n{title}\n");
        for row in rows {
            // All of it is ASCII up to there.
            text += row[..width].trim_end();
            text.push('\n');
        }
        text += "```\n";
        let thresholds = scheme["thresholds"].as_array().unwrap().iter();
        let thresholds: Vec<String> = thresholds
            .map(|pair| format!("`{}` {}", pair[0].as_str().unwrap(), number(pair[1].as_f64().unwrap())))
            .collect();
        if !thresholds.is_empty() {
            text += &format!("Thresholds: {}.\n", thresholds.join(", "));
        }
        text
    };
    tables.into_iter().zip(schemes).map(block).collect()
}

/// That the page has each block once, and as many tables as there are between two of its headings.
fn holds(blocks: &[String], from: &str, to: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemes.md");
    let page = std::fs::read_to_string(path).unwrap();
    for block in blocks {
        assert_eq!(page.matches(block.as_str()).count(), 1, "docs/schemes.md does not have:\n{block}");
    }
    let begin = page.find(from).unwrap();
    let part = &page[begin..page[begin..].find(to).map_or(page.len(), |end| begin + end)];
    assert_eq!(part.matches("\nTiers by ").count(), blocks.len());
}

#[test]
fn the_page_has_what_cdnow_gives() {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow.parquet");
    let history = history.to_str().unwrap();
    done(&scratch, &["summarize", history, "--periods", "quarter:4", "-q", "-o", "cdnow.parquet"]);
    done(&scratch, &["fit", "cdnow.parquet", "-q", "-o", "model.json"]);
    done(&scratch, &["predict", "model.json", "cdnow.parquet", "-q", "-o", "scored.parquet"]);
    let schemes = "value,abc,vip,clv,potential,frequency,loyalty,relation,life_cycle,stages,rfm,segments";
    holds(&blocks(&scratch, &["scored.parquet", "--scheme", schemes]), "\n## CDNOW", "\n## The shop");
}

#[test]
fn the_page_has_what_the_shop_gives() {
    let scratch = Scratch::new();
    let (orders, list) = (dataset("shop/orders.parquet"), dataset("shop/customers.parquet"));
    let words = ["summarize", orders.to_str().unwrap(), "--customers-list", list.to_str().unwrap()];
    let more = ["--refunds", "net", "--drop-duplicates", "--cost", "cost", "--keep", "channel"];
    let rest = ["--periods", "quarter:8", "-q", "-o", "shop.parquet"];
    done(&scratch, &[&words[..], &more, &rest].concat());
    // As the page's awk does.
    let printed = done(&scratch, &["tier", "--print", "--scheme", "accounts"]);
    let own = printed
        .replace("cost_to_serve", "served")
        .replace("\n[let]\n", "\n[let]\nserved = \"cost_to_serve * (T_days + 1) / 365.25\"\n");
    scratch.write("accounts.toml", &own);
    let mut words = vec!["shop.parquet", "--scheme", "accounts.toml,profit,satisfaction,relation,life_cycle"];
    for column in ["nature", "industry", "region", "channel", "source"] {
        words.extend(["--by", column]);
    }
    holds(&blocks(&scratch, &words), "\n## The shop", "\n# ");
}
