//! Rows written in any dialect come back as they were.

use proptest::prelude::*;

use super::tests::Folder;
use super::*;

/// A row: a label, cents, a day of 2000 to 2027, minutes into the day.
type Row = (String, i64, i32, i64);

#[derive(Debug, Clone)]
struct Style {
    delimiter: u8,
    comma: bool,
    group: Option<char>,
    header: bool,
    crlf: bool,
    quote_all: bool,
    mark: bool,
    trailing: bool,
    order: usize,
}

fn style() -> impl Strategy<Value = Style> {
    let delimiter = prop::sample::select(vec![b',', b';', b'\t', b'|']);
    let group = prop::sample::select(vec![None, Some(' '), Some('\''), Some('x')]);
    (delimiter, any::<(bool, bool, bool, bool, bool, bool)>(), group, 0..5usize).prop_map(
        |(delimiter, (comma, header, crlf, quote_all, mark, trailing), group, order)| Style {
            delimiter,
            comma,
            // `x` stands for the other decimal mark.
            group: group.map(|g| {
                if g != 'x' {
                    g
                } else if comma {
                    '.'
                } else {
                    ','
                }
            }),
            header,
            crlf,
            quote_all,
            mark,
            trailing,
            order,
        },
    )
}

fn amount(cents: i64, style: &Style) -> String {
    let whole = (cents.abs() / 100).to_string();
    let mut text = String::from(if cents < 0 { "-" } else { "" });
    for (i, c) in whole.chars().enumerate() {
        if let Some(group) = style.group
            && i > 0
            && (whole.len() - i).is_multiple_of(3)
        {
            text.push(group);
        }
        text.push(c);
    }
    format!("{text}{}{:02}", if style.comma { ',' } else { '.' }, cents.abs() % 100)
}

const FORMATS: [&str; 5] = ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%Y/%m/%d"];

fn day(day: i32, style: &Style) -> String {
    let date = crate::calendar::Day(day).to_string();
    let (y, m, d) = (&date[..4], &date[5..7], &date[8..]);
    match style.order {
        0 => date,
        1 => format!("{d}/{m}/{y}"),
        2 => format!("{m}/{d}/{y}"),
        3 => format!("{d}.{m}.{}", &y[2..]),
        _ => format!("{y}/{m}/{d}"),
    }
}

fn text(rows: &[Row], style: &Style) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(style.delimiter)
        .quote_style(if style.quote_all { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
        .terminator(if style.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
        .from_writer(if style.mark { vec![0xef, 0xbb, 0xbf] } else { Vec::new() });
    let trailing = if style.trailing { vec![String::new()] } else { Vec::new() };
    if style.header {
        let names = ["label", "amount", "day", "moment"].map(String::from);
        writer.write_record(names.iter().chain(&trailing)).unwrap();
    }
    for (label, cents, date, minute) in rows {
        let moment = format!("{} {:02}:{:02}", day(*date, style), minute / 60, minute % 60);
        let cells = [label.clone(), amount(*cents, style), day(*date, style), moment];
        writer.write_record(cells.iter().chain(&trailing)).unwrap();
    }
    writer.into_inner().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn rows_come_back(
        rows in prop::collection::vec(
            ("[a-z]{1,3}([ ,;|\"\n\t.]{0,3}[a-zé0-9]{1,4})?", -99_999_999i64..99_999_999, 10_957i32..21_000, 0i64..1440),
            1..40,
        ),
        style in style(),
    ) {
        let folder = Folder::new();
        let input = folder.write("in.csv", text(&rows, &style));
        let options = CsvOptions {
            delimiter: Some(style.delimiter),
            header: Some(style.header),
            date_format: Some(FORMATS[style.order].to_string()),
            ..CsvOptions::default()
        };
        let found = folder.convert(&[input], &options).unwrap();
        prop_assert_eq!(found.written, rows.len() as u64);
        let wanted: Vec<Vec<String>> = rows.iter().map(|(label, cents, date, minute)| {
            let sign = if *cents < 0 { "-" } else { "" };
            let day = crate::calendar::Day(*date).to_string();
            let label = if NULLS.contains(&label.as_str()) { "∅".to_string() } else { label.clone() };
            vec![
                label,
                format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100),
                day.clone(),
                format!("{day}T{:02}:{:02}:00", minute / 60, minute % 60),
            ]
        }).collect();
        prop_assert_eq!(folder.rows(), wanted);
    }
}
