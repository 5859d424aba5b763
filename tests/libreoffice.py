#!/usr/bin/env python3
"""Does a spreadsheet read what tiercast hands on? By hand, beside `cargo test`.

    python3 tests/libreoffice.py target/debug/tiercast [--soffice soffice] [--keep FOLDER]

Needs Python 3.9 with pyarrow, and LibreOffice (Debian: `apt-get install --no-install-recommends libreoffice-calc`).

Tiers of datasets/cdnow, of datasets/shop, and of a table with ids and texts that spreadsheets like to spoil are written
as Parquet and as XLSX, in English and in Chinese. LibreOffice opens each workbook and saves every sheet as CSV, with
quotes around texts and numbers in full; then as ODS and as XLSX again, and these as CSV. Compared are every cell of
the sheets of customers with the Parquet file (texts must be texts and equal; numbers equal to 15 digits, all that
LibreOffice writes), the sheet that sums up with the JSON of the run, and the ways through ODS and XLSX with the first
CSV. The exit code is 1 where a cell differs.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent

# Texts that look like something else, and what XML or CSV could lose. Tabs and line breaks stay inside a cell.
NASTY = [
    "=1+1", "-5", "+49 221 1", "1e5", "2024-06-30", "30.6.2024", "TRUE", "007", " leading", "trailing ", "a\nb",
    "tab\there", '"quoted"', "'apostrophe", "a,b;c", "<&>", "_x0041_", "é", "高价值客户", "🎉", "x" * 32_767, None, "#N/A",
    "@name", "1/2", "12:30", "NaN", "50 %", "€ 5",
]

# Asked of LibreOffice: comma, quote, UTF-8, from line 1, quotes around texts only, numbers in full and no formulas, all sheets.
CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false,false,false,-1"


def run(words, folder):
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {done.stderr}{done.stdout}")
    return done.stdout


def fields(text):
    """Rows of CSV; a field is (is text, what it says)."""
    rows, row, at, end = [], [], 0, len(text)
    while at < end:
        if text[at] == '"':
            parts, at = [], at + 1
            while True:
                close = text.index('"', at)
                parts.append(text[at:close])
                at = close + 1
                if at < end and text[at] == '"':
                    parts.append('"')
                    at += 1
                else:
                    break
            row.append((True, "".join(parts)))
        else:
            stop = at
            while stop < end and text[stop] not in ",\n":
                stop += 1
            row.append((False, text[at:stop]))
            at = stop
        if at < end and text[at] == ",":
            at += 1
            if at == end or text[at] == "\n":
                row.append((False, ""))
        if at >= end or text[at] == "\n":
            rows.append(row)
            row, at = [], at + 1
    return rows


class Office:
    """LibreOffice, with a profile of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def save(self, file, as_what, to):
        to.mkdir(parents=True, exist_ok=True)
        profile = f"-env:UserInstallation=file://{self.folder}/profile"
        words = [self.program, profile, "--headless", "--convert-to", as_what, "--outdir", to, file]
        run(words, self.folder)

    def sheets(self, file, to):
        """Every sheet as rows of fields, by its name."""
        self.save(file, CSV, to)
        stem = file.stem + "-"
        saved = sorted(to.glob("*.csv"))
        return {path.stem[len(stem):]: fields(path.read_text("utf-8")) for path in saved}


class Tally:
    def __init__(self):
        self.cells = self.differ = 0

    def one(self, where, same, wanted, found):
        self.cells += 1
        if not same:
            self.differ += 1
            if self.differ <= 20:
                print(f"  differs: {where}: {str(wanted)[:60]!r} came as {str(found)[:60]!r}")


def as_number(field):
    return None if field[0] or field[1] == "" else float(field[1])


def near(a, b):
    """Equal in 15 digits, or in the 20 decimals that LibreOffice writes of small numbers."""
    return a is not None and b is not None and (a == b or math.isclose(a, b, rel_tol=5e-15, abs_tol=5.1e-21))


def same(value, field, is_id):
    """Whether a cell of a sheet says what the Parquet file holds."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return field == (False, "") or field == (True, "")
    is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    # Whole numbers and decimals beyond 15 digits are texts in a workbook.
    is_long = not isinstance(value, float) and is_number and len(str(value).replace("-", "").replace(".", "").lstrip("0")) > 15
    if is_number and not is_id and not is_long:
        return near(as_number(field), float(value))
    if field == (False, "TRUE") or field == (False, "FALSE"):
        return isinstance(value, bool) and field[1] == str(value).upper()
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return field[0] and field[1] == text


def compare_rows(table, sheets, summary, tally):
    """All sheets of customers, one after the other, with the rows of the table."""
    names, at = table.column_names, 0
    columns = [column.to_pylist() for column in table.columns]
    for name, rows in sheets.items():
        if name == summary:
            continue
        for k, field in enumerate(rows[0]):
            tally.one(f"{name}, heading", field == (True, names[k]), names[k], field)
        for number, row in enumerate(rows[1:], 2):
            row = row + [(False, "")] * (len(names) - len(row))
            for k, field in enumerate(row):
                value = columns[k][at]
                tally.one(f"{name} row {number}, {names[k]}", same(value, field, k == 0), value, field)
            at += 1
    tally.one("rows", at == table.num_rows, table.num_rows, at)


def compare_summary(rows, said, tally):
    """The sheet that sums up with what the run said."""
    at = 1
    for scheme in said["tiers"]["schemes"]:
        for k, (tier, label) in enumerate(zip(scheme["tiers"], scheme["labels"])):
            effective = scheme.get("effective", [t["customers"] for t in scheme["tiers"]])[k]
            wanted = [scheme["heading"], label, tier["rule"], tier["customers"], tier["share_of_customers"],
                      tier["spend"], tier["share_of_spend"], effective]
            for value, field in zip(wanted, rows[at]):
                tally.one(f"summary row {at + 1}", same(value, field, False), value, field)
            at += 1
    tally.one("rows of the summary", at == len(rows), at, len(rows))


def tables(tiercast, folder):
    """Tables of customers to grade: name, file, and what is asked of each."""
    cdnow = ROOT / "datasets/cdnow/cdnow.parquet"
    run([tiercast, "summarize", cdnow, "-q", "-o", "cdnow_c.parquet"], folder)
    shop = ROOT / "datasets/shop"
    run([tiercast, "summarize", shop / "orders.parquet", "--customers-list", shop / "customers.parquet", "-q", "-o",
         "shop_c.parquet"], folder)
    some = pq.read_table(folder / "cdnow_c.parquet").slice(0, 3000)
    n = some.num_rows
    hard = pa.table({
        "customer_id": pa.array([f"{k:09}" for k in range(n)]),
        "total_spend": some["total_spend"],
        "orders": some["orders"],
        "days_since_last": some["days_since_last"],
        "note": pa.array([NASTY[k % len(NASTY)] for k in range(n)]),
        "account": pa.array([9_007_199_254_740_993 + k for k in range(n)], pa.int64()),
        "small": pa.array([k - 1500 for k in range(n)], pa.int16()),
        "ratio": pa.array([None if k % 7 == 0 else math.exp(k / 7 - 200) * (-1) ** k for k in range(n)]),
        "money": some["total_spend"].cast(pa.decimal128(18, 4), safe=False),
        "long": pa.array([Decimal(f"{k}12345678901234567.25") for k in range(n)], pa.decimal128(30, 4)),
        "born": pa.array([k * 11 for k in range(n)], pa.date32()),
        "is_member": pa.array([None if k % 5 == 0 else k % 2 == 0 for k in range(n)]),
    })
    pq.write_table(hard, folder / "hard_c.parquet")
    (folder / "hand.csv").write_text('customer_id,tier,who,why\n000000007,high,"Li ""Na"" <x>","=1+1, so\nit is"\n', "utf-8")
    return [
        ("cdnow", ["--scheme", "value,rfm,abc", "--reasons", "--with", "first_order,monetary_value,frequency,T"]),
        ("shop", ["--scheme", "life_cycle,value", "--by", "region", "--with",
                  "nature,industry,region,signup_date,satisfaction,credit_limit,cost_to_serve"]),
        ("hard", ["--scheme", "value", "--date", "1998-06-30", "--reasons", "--overrides", "hand.csv", "--with",
                  "note,account,small,ratio,money,long,born,is_member"]),
    ]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("tiercast", type=Path)
    args.add_argument("--soffice", default="soffice")
    args.add_argument("--keep", type=Path, help="folder for all files, which must not exist yet")
    args = args.parse_args()
    tiercast = args.tiercast.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (args.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=args.keep is None)
        office = Office(args.soffice, folder)
        all_cells = all_differ = 0
        for name, words in tables(tiercast, folder):
            for lang, summary in [("en", "Summary"), ("zh", "汇总")]:
                stem = f"{name}_{lang}"
                common = [tiercast, "tier", f"{name}_c.parquet", "--lang", lang, "-q", *words]
                run([*common, "-o", f"{stem}.parquet"], folder)
                said = json.loads(run([*common, "-o", f"{stem}.xlsx", "--json"], folder))
                tally, sheets = Tally(), office.sheets(folder / f"{stem}.xlsx", folder / stem)
                compare_rows(pq.read_table(folder / f"{stem}.parquet"), sheets, summary, tally)
                compare_summary(sheets[summary], said, tally)
                print(f"{stem}: {len(sheets)} sheets, {tally.cells:,} cells compared, {tally.differ:,} differ", flush=True)
                for kind in ["ods", "xlsx"]:
                    office.save(folder / f"{stem}.xlsx", kind, folder / f"{stem}_{kind}")
                    again = office.sheets(folder / f"{stem}_{kind}" / f"{stem}.{kind}", folder / f"{stem}_{kind}")
                    cells = Tally()
                    cells.one("sheets", list(again) == list(sheets), list(sheets), list(again))
                    for sheet, rows in sheets.items():
                        other = again.get(sheet, [])
                        cells.one(f"rows of {sheet}", len(rows) == len(other), len(rows), len(other))
                        for at, (row, back) in enumerate(zip(rows, other), 1):
                            for a, b in zip(row, back):
                                equal = a == b or (a[0] == b[0] and near(as_number(a), as_number(b)))
                                # LibreOffice itself loses the tabs within a text when it reads its own ODS.
                                equal = equal or (kind == "ods" and a[0] and b == (True, a[1].replace("\t", "")))
                                cells.one(f"{kind} {sheet} row {at}", equal, a, b)
                    print(f"  saved as {kind} and read again: {cells.cells:,} cells, {cells.differ:,} differ", flush=True)
                    tally.cells += cells.cells
                    tally.differ += cells.differ
                all_cells += tally.cells
                all_differ += tally.differ
        print(f"In all {all_cells:,} cells compared, {all_differ:,} differ")
        sys.exit(1 if all_differ else 0)


if __name__ == "__main__":
    main()
