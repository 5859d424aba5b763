use std::sync::Arc;

use arrow_array::{Int64Array, StringArray};
use calamine::{Data, Reader, Xlsx, open_workbook};

use super::*;
use crate::customers::Values;

fn book() -> Book<'static> {
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["007", "8", "9"]));
    let orders: ArrayRef = Arc::new(Int64Array::from(vec![Some(3), None, Some(5)]));
    let column = |name: &str, cells| HandOver { name: name.into(), cells };
    Book {
        rows: 3,
        columns: vec![
            column("customer_id", Cells::Carried(Values::Array(ids))),
            column(
                "tier",
                Cells::Labels {
                    codes: vec![0, 1, 255].into(),
                    names: vec!["高价值".into(), "low, or \"none\"".into()],
                },
            ),
            column("level", Cells::Levels { codes: vec![0, 1, 255].into(), levels: vec![2, 1] }),
            column("orders", Cells::Carried(Values::Array(orders))),
            column("spend", Cells::Numbers(vec![0.1 + 0.2, f64::NAN, f64::INFINITY])),
            column("why", Cells::Made(Box::new(|i| (i < 2).then(|| format!("reason {i}"))))),
        ],
        summary: vec![Sheet {
            name: "Summary".into(),
            heading: vec!["tier".into(), "customers".into()],
            rows: vec![vec![Cell::Text("high".into()), Cell::Number(1.0)]],
        }],
        sheet: "Customers".into(),
        order: None,
    }
}

#[test]
fn the_same_rows_in_each_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let written = |name: &str| {
        let path = path(name);
        assert_eq!(book().write(Format::of(&path).unwrap(), &path, &()).unwrap(), 1);
        std::fs::read(path).unwrap()
    };
    let csv = String::from_utf8(written("t.csv")).unwrap();
    let want = "customer_id,tier,level,orders,spend,why\n\
                007,高价值,2,3,0.30000000000000004,reason 0\n\
                8,\"low, or \"\"none\"\"\",1,,,reason 1\n\
                9,,,5,inf,\n";
    assert_eq!(csv, want);
    assert_eq!(written("t.xlsx"), written("again.xlsx"));
    let mut workbook: Xlsx<_> = open_workbook(path("t.xlsx")).unwrap();
    assert_eq!(workbook.sheet_names(), ["Summary", "Customers"]);
    let rows = workbook.worksheet_range("Customers").unwrap();
    let text = |s: &str| Data::String(s.into());
    let cells = |row: u32| {
        (0..6).map(|k| rows.get_value((row, k)).cloned().unwrap_or(Data::Empty)).collect::<Vec<_>>()
    };
    let float = Data::Float;
    assert_eq!(
        cells(1),
        [text("007"), text("高价值"), float(2.0), float(3.0), float(0.1 + 0.2), text("reason 0")]
    );
    assert_eq!(cells(2)[3..5], [Data::Empty, Data::Empty]);
    assert_eq!(cells(3), [text("9"), Data::Empty, Data::Empty, float(5.0), text("inf"), Data::Empty]);
    assert_eq!(workbook.worksheet_range("Summary").unwrap().get_value((1, 1)), Some(&float(1.0)));
    let parquet = written("t.parquet");
    assert_eq!(&parquet[..4], b"PAR1");
}

#[test]
fn endings_say_the_format() {
    assert_eq!(Format::of(Path::new("a/b.XLSX")).unwrap(), Format::Xlsx);
    let error = Format::of(Path::new("tiers.txt")).unwrap_err();
    assert_eq!(error.to_string(), "the output cannot be \"tiers.txt\": its ending says no format");
}
