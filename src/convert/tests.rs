//! What is found in small files, and what is refused.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_cast::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn output(&self) -> PathBuf {
        self.0.path().join("out.parquet")
    }

    fn side(&self) -> String {
        std::fs::read_to_string(self.0.path().join("out.csv")).unwrap()
    }

    pub(super) fn convert(&self, inputs: &[PathBuf], options: &CsvOptions) -> Result<Conversion> {
        let found = convert(inputs, options, &self.output(), &self.0.path().join("out.csv"), &());
        if let Ok(found) = &found {
            assert_eq!(found.read, found.written + found.set_aside, "the ledger adds up");
            assert_eq!(found.read, found.files.iter().map(|f| f.records).sum::<u64>());
        }
        found
    }

    /// The written rows as text, null as `∅`.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        rows(&self.output())
    }
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let text = |batch: &RecordBatch, column: usize, row: usize| match batch.column(column).is_null(row) {
        true => "∅".to_string(),
        false => array_value_to_string(batch.column(column), row).unwrap(),
    };
    let row = |batch: &RecordBatch, row| (0..batch.num_columns()).map(|c| text(batch, c, row)).collect();
    reader
        .flat_map(|batch| {
            let batch = batch.unwrap();
            (0..batch.num_rows()).map(|r| row(&batch, r)).collect::<Vec<_>>()
        })
        .collect()
}

fn converted(text: impl AsRef<[u8]>, options: &CsvOptions) -> Result<(Conversion, Folder)> {
    let folder = Folder::new();
    let input = folder.write("in.csv", text);
    Ok((folder.convert(&[input], options)?, folder))
}

/// The type of the only column `x`, whose values are given.
fn type_of(values: &[&str], options: &CsvOptions) -> Result<String> {
    let text: String = values.iter().map(|v| format!("w;{v}\n")).collect();
    let (found, _) = converted(
        format!("k;x\n{text}"),
        &CsvOptions { delimiter: Some(b';'), header: Some(true), ..options.clone() },
    )?;
    let column = &found.columns[1];
    let mut words = vec![column.type_text.clone()];
    words.extend(column.date_format.clone());
    words.extend(column.decimal_mark.map(|m| m.word().to_string()));
    Ok(words.join(" "))
}

#[test]
fn types_rest_on_all_values() {
    for (values, wanted) in [
        (&["1", "-20", "", "NA"][..], "Int64"),
        (&["00123", "45"], "Utf8"),
        (&["+4912", "45"], "Utf8"),
        (&["12345678901234567890", "45"], "Utf8"),
        (&["536365", "C536379"], "Utf8"),
        (&["10", "abc"], "Utf8"),
        (&["1.5", "20"], "Decimal128(18, 1) point"),
        (&["1,5", "20"], "Decimal128(18, 1) comma"),
        (&["10.00", "20.00"], "Decimal128(18, 2) point"),
        (&["0.123", "20"], "Decimal128(18, 3) point"),
        (&["1.23456", "20"], "Float64 point"),
        (&["1.50000", "20"], "Decimal128(18, 4) point"),
        (&["1e5", "20"], "Float64 point"),
        (&["123456789012345678.5", "20"], "Float64 point"),
        (&["1,234", "5,678.90"], "Decimal128(18, 2) point"),
        (&["1.234", "5.678,90"], "Decimal128(18, 2) comma"),
        (&["1,234,567", "12"], "Int64"),
        (&["2024-01-31"], "Date32 %Y-%m-%d"),
        (&["31/12/2024", "01/02/2024"], "Date32 %d/%m/%Y"),
        (&["12/31/2024", "01/02/2024"], "Date32 %m/%d/%Y"),
        (&["31.12.24"], "Date32 %d.%m.%y"),
        (&["2024-01-31 10:00:00", "2024-01-31"], "Timestamp(µs) %Y-%m-%d"),
        (&["2024-01-31T10:00:00+02:00"], "Timestamp(µs, \"UTC\") %Y-%m-%d"),
        (&["12/1/2010 8:26 AM", "12/13/2010 8:26 PM"], "Timestamp(µs) %m/%d/%Y"),
        (&["alice", "bob"], "Utf8"),
        (&["", "NULL"], "Utf8"),
    ] {
        assert_eq!(type_of(values, &CsvOptions::default()).unwrap(), wanted, "{values:?}");
    }
}

#[test]
fn a_type_that_changes_late_counts() {
    let mut values = vec!["17"; 50_000];
    values.push("A17");
    assert_eq!(type_of(&values, &CsvOptions::default()).unwrap(), "Utf8");
    values[50_000] = "17.25";
    assert_eq!(type_of(&values, &CsvOptions::default()).unwrap(), "Decimal128(18, 2) point");
}

#[test]
fn what_may_be_two_things_is_refused() {
    let refused = |values: &[&str], parts: &[&str]| {
        let error = type_of(values, &CsvOptions::default()).unwrap_err();
        let text = format!("{error}\n{}", error.hint().unwrap());
        for part in parts {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    };
    refused(
        &["01/02/2024", "03/04/2024"],
        &["line 2, column \"x\"", "\"01/02/2024\"", "--date-format '%d/%m/%Y'"],
    );
    refused(
        &["31/12/2024", "12/31/2024"],
        &["line 3, column \"x\"", "\"31/12/2024\" in line 2", "--date-format"],
    );
    refused(&["1,234", "5"], &["line 2, column \"x\"", "\"1,234\"", "--decimal-comma"]);
    refused(&["1.234", "5"], &["\"1.234\"", "--decimal-point"]);
    refused(&["2024-01-01 10:00Z", "2024-01-01 10:00"], &["1 of 2 times", "column \"x\""]);

    let with = |change: fn(&mut CsvOptions), values: &[&str]| {
        let mut options = CsvOptions::default();
        change(&mut options);
        type_of(values, &options).unwrap()
    };
    assert_eq!(with(|o| o.decimal = Some(Mark::Comma), &["1,234"]), "Decimal128(18, 3) comma");
    assert_eq!(with(|o| o.decimal = Some(Mark::Point), &["1,234"]), "Int64 point");
    assert_eq!(with(|o| o.thousands = Some(','), &["1,234", "5.5"]), "Decimal128(18, 1) point");
    assert_eq!(with(|o| o.date_format = Some("%d/%m/%Y".into()), &["01/02/2024"]), "Date32 %d/%m/%Y");
    assert_eq!(with(|o| o.date_format = Some("%Y%m%d".into()), &["20240131"]), "Date32 %Y%m%d");
    assert_eq!(with(|o| o.types = vec![("x".into(), Kind::Text)], &["1,234"]), "Utf8");
    assert_eq!(
        with(|o| o.types = vec![("x".into(), Kind::Number)], &["00123", "4.5"]),
        "Decimal128(18, 1) point"
    );
    assert_eq!(with(|o| o.types = vec![("x".into(), Kind::Integer)], &["00123", "4"]), "Int64");
}

#[test]
fn one_column_settles_the_mark_of_another() {
    let (found, folder) = converted("id;a;b\n1;1,234;2,5\n2;7,125;3,5\n", &CsvOptions::default()).unwrap();
    assert_eq!(found.columns[1].type_text, "Decimal128(18, 3)");
    assert_eq!(folder.rows()[1], ["2", "7.125", "3.5"]);
}

#[test]
fn bad_records_are_set_aside_with_line_and_reason() {
    let mut text = b"id,date,amount\r\n1,2024-01-01,1.50\r\n\r\n2,2024-01-02\r\n3,never,3.00\r\n4,2024-01-04,\"much\nmore\"\r\n".to_vec();
    text.extend(b"5,2024-01-05,\xff5.00\r\n6,2024-01-06,6.00,\r\n7,2024-01-07,7.00,x\r\n");
    for id in 8..60 {
        text.extend(format!("{id},2024-01-08,{id}.00\r\n").bytes());
    }
    let (found, folder) = converted(text, &CsvOptions::default()).unwrap();
    assert_eq!((found.read, found.written, found.set_aside), (59, 54, 5));
    assert_eq!((found.files[0].blank_lines, found.files[0].trailing_delimiters), (1, 1));
    assert_eq!(
        folder.side(),
        format!(
            "file,line,reason,column,value,record\n\
             {0},4,field_count,,2 instead of 3,\"2,2024-01-02\"\n\
             {0},5,not_a_date,date,never,\"3,never,3.00\"\n\
             {0},6,not_a_number,amount,\"much\nmore\",\"4,2024-01-04,\"\"much\nmore\"\"\"\n\
             {0},8,invalid_text,,,\"5,2024-01-05,\u{fffd}5.00\"\n\
             {0},10,field_count,,4 instead of 3,\"7,2024-01-07,7.00,x\"\n",
            found.files[0].name
        )
    );
    assert_eq!(folder.rows()[1], ["6", "2024-01-06", "6.00"]);
}

#[test]
fn delimiters_and_headings_are_found() {
    for (text, delimiter, header, names) in [
        ("a,b\n1,x\n", ',', true, "a b"),
        ("\u{feff}a;b\n1,5;2\n", ';', true, "a b"),
        ("a\tb\n1\t2\n", '\t', true, "a b"),
        ("a| b c \n1|2\n", '|', true, "a b c"),
        ("1,2024-01-01,5\n2,2024-01-02,6\n", ',', false, "column_1 column_2 column_3"),
        ("a,b,\n1,2,\n3,4,\n", ',', true, "a b"),
        ("\"a,1\";\"b\"\n\"x;y\";2\n", ';', true, "a,1 b"),
        (",b\n1,2\n", ',', true, "column_1 b"),
    ] {
        let (found, _) = converted(text, &CsvOptions::default()).unwrap_or_else(|e| panic!("{text}: {e}"));
        let file = &found.files[0];
        let found: Vec<&str> = found.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            (file.delimiter, file.header, found.join(" ")),
            (delimiter, header, names.to_string()),
            "{text}"
        );
    }
    for (text, part) in [
        ("a;b,c\n1;2,3\n4;5,6\n", "several signs could be the delimiter: comma, semicolon"),
        ("abc\n1\n2\n", "no delimiter"),
        ("a,b\nx,y\nz,w\n", "heading is not clear"),
        ("a,7\n1,7\n2,8\n", "heading is not clear"),
        ("a,b\n", "a heading and no rows"),
        ("\n\n", "blank lines only"),
        ("a,a\n1,2\n", "columns 1 and 2 are both called \"a\""),
        ("a,b\n1,\"2\n3,4\n", "line 2: a quote is opened here and never closed"),
        ("a,b\n1,x\0\n", "zero bytes"),
        ("a,b\r1,2\r", "carriage returns alone"),
        ("", "it is empty"),
        ("PAR1 and so on", "Parquet already"),
        ("PK\x03\x04 and so on", "spreadsheet"),
    ] {
        let options = CsvOptions::default();
        // Where no delimiter is found, that is said first.
        let named = CsvOptions { delimiter: Some(b','), ..CsvOptions::default() };
        let error = match converted(text, if part.contains("lines only") { &named } else { &options }) {
            Err(error) => error,
            Ok(_) => panic!("{text:?} was converted"),
        };
        assert!(error.to_string().contains(part), "{text:?}: {error}");
        assert!(error.hint().is_some() && error.is_input_fault());
    }
}

#[test]
fn encodings() {
    let utf16: Vec<u8> = "\u{feff}id;name\r\n1;Zoë\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (found, folder) = converted(&utf16, &CsvOptions::default()).unwrap();
    assert_eq!(found.files[0].wrapping.encoding, Encoding::Utf16Le);
    assert_eq!(folder.rows(), [["1", "Zoë"]]);
    let latin = CsvOptions { encoding: Some(Encoding::Windows1252), ..CsvOptions::default() };
    assert_eq!(converted(b"id;name\n1;Zo\xeb\n", &latin).unwrap().1.rows(), [["1", "Zoë"]]);
    let error = converted(b"id;n\xe9\n1;2\n", &CsvOptions::default()).map(|_| ()).unwrap_err();
    assert!(error.hint().unwrap().contains("windows-1252"), "{error}");
    assert!(converted(&utf16, &latin).is_err());
}

#[test]
fn several_files_and_gzip() {
    use std::io::Write;
    let folder = Folder::new();
    let one = folder.write("1.csv", "id,x\n1,10\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"id;x\n2;2,5\n").unwrap();
    let packed = packed.finish().unwrap();
    let two = folder.write("2.csv.gz", &packed);
    let found = folder.convert(&[one.clone(), two.clone()], &CsvOptions::default()).unwrap();
    assert!(found.files[1].wrapping.gzip);
    assert_eq!(folder.rows(), [["1", "10.0"], ["2", "2.5"]]);
    let other = folder.write("3.csv", "id,y\n1,10\n");
    let wrong = |inputs: &[PathBuf], part: &str| {
        let error = folder.convert(inputs, &CsvOptions::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    wrong(&[one.clone(), other], "its columns are id, y, but those of");
    wrong(&[one.clone(), one.clone()], "given twice");
    wrong(&[folder.write("4.csv.gz", &packed[..packed.len() - 6])], "gzip stream is damaged");
    wrong(&[folder.0.path().to_path_buf()], "it is a folder");
    wrong(&[folder.0.path().join("none.csv")], "no such file");
    let bad = folder.write("5.csv", "a,b\n1,2,3\n1,2,3\n");
    let options = CsvOptions { delimiter: Some(b','), header: Some(true), ..CsvOptions::default() };
    let error = folder.convert(&[bad], &options).unwrap_err().to_string();
    assert!(error.contains("none of the 2 records") && error.contains("line 2"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::new();
    let input = folder.write("in.csv", "id,x\n1,10\n");
    let full = Path::new("/dev/full");
    let (inputs, options) = ([input], CsvOptions::default());
    let error = convert(&inputs, &options, full, &folder.0.path().join("side"), &()).unwrap_err();
    assert!(error.to_string().starts_with("cannot write /dev/full: "), "{error}");
    let error = convert(&inputs, &options, &folder.output(), full, &()).unwrap_err();
    assert!(error.to_string().starts_with("cannot write /dev/full: "), "{error}");
}

#[test]
fn long_files_give_the_same_bytes_at_any_number_of_threads() {
    let mut text = String::from("id,date,amount,note\n");
    for i in 0..120_000 {
        let note = if i % 1000 == 0 { "\"two\nlines, \"\"quoted\"\"\"" } else { "plain" };
        text.push_str(&format!("{i},2024-01-{:02},{}.{:02},{note}\n", i % 28 + 1, i % 97, i % 100));
    }
    text.push_str("x,y\n");
    let folder = Folder::new();
    let input = folder.write("in.csv", &text);
    assert!(text.len() > 3 * input::BLOCK);
    let bytes = |threads| {
        let found = parallel::with_threads(threads, || {
            folder.convert(std::slice::from_ref(&input), &CsvOptions::default())
        });
        assert_eq!(found.unwrap().unwrap().written, 120_000);
        std::fs::read(folder.output()).unwrap()
    };
    let one = bytes(1);
    assert_eq!(one, bytes(3));
    let last = text.lines().count();
    assert!(folder.side().contains(&format!(",{last},field_count,,2 instead of 4,\"x,y\"")));
    let rows = folder.rows();
    assert_eq!(rows[7_000], ["7000", "2024-01-01", "16.00", "two\nlines, \"quoted\""]);
    assert_eq!(rows[119_999][0], "119999");
}
