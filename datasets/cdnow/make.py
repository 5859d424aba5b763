#!/usr/bin/env python3
"""Make cdnow.parquet and cdnow_sample.parquet from the text files inside the
PyPI package lifetimes 0.11.3.

    pip install "lifetimes==0.11.3" --no-deps pyarrow==26.0.1
    python make.py            write both files next to this script
    python make.py --check    rebuild in a temporary folder and compare

The package is located through its installed metadata and never imported.
"""

import argparse
import datetime
import hashlib
import re
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PACKAGE = "lifetimes"
PACKAGE_VERSION = "0.11.3"
# The committed files were written with this version. Another version may write
# other bytes for the same rows.
PYARROW_VERSION = "26.0.1"

HERE = Path(__file__).resolve().parent

CUSTOMER = pa.field("customer_id", pa.int64(), nullable=False)
SAMPLE = pa.field("sample_id", pa.int64(), nullable=False)
REST = [
    pa.field("date", pa.date32(), nullable=False),
    pa.field("quantity", pa.int32(), nullable=False),
    pa.field("amount", pa.float64(), nullable=False),
]

# One entry per output: source text, its SHA-256, header fields (None: no
# header), row count, columns.
OUTPUTS = {
    "cdnow.parquet": {
        "source": "lifetimes/datasets/CDNOW_master.txt",
        "sha256": "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
        "header": ["customer_id", "date", "number_of_cds", "dollar_value"],
        "rows": 69659,
        "schema": pa.schema([CUSTOMER, *REST]),
    },
    "cdnow_sample.parquet": {
        "source": "lifetimes/datasets/CDNOW_sample.txt",
        "sha256": "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
        "header": None,
        "rows": 6919,
        "schema": pa.schema([CUSTOMER, SAMPLE, *REST]),
    },
}

INTEGER = re.compile(r"[0-9]+")
DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
DOLLARS = re.compile(r"[0-9]+\.[0-9]{2}")


def fail(message):
    sys.exit(f"make.py: {message}")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def find_package():
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        fail(f'{PACKAGE} is not installed: pip install "{PACKAGE}=={PACKAGE_VERSION}" --no-deps')
    if package.version != PACKAGE_VERSION:
        fail(f"{PACKAGE} {package.version} is installed, {PACKAGE_VERSION} is needed")
    return package


def read_source(package, spec):
    path = Path(package.locate_file(spec["source"]))
    try:
        data = path.read_bytes()
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}")
    if sha256(data) != spec["sha256"]:
        fail(f"{path}: SHA-256 {sha256(data)}, expected {spec['sha256']}")
    return data.decode("ascii")


def parse(text, kind, where):
    if pa.types.is_date(kind):
        match = DATE.fullmatch(text)
        if match:
            return datetime.date(*map(int, match.groups()))
    elif pa.types.is_floating(kind):
        if DOLLARS.fullmatch(text):
            return float(text)
    elif INTEGER.fullmatch(text):
        return int(text)
    fail(f"{where}: cannot read {text!r} as {kind}")


def read_table(package, spec):
    lines = read_source(package, spec).splitlines()
    first = 0
    if spec["header"] is not None:
        if lines[0].split() != spec["header"]:
            fail(f"{spec['source']}: unexpected header {lines[0]!r}")
        first = 1
    schema = spec["schema"]
    columns = [[] for _ in schema]
    for number, line in enumerate(lines[first:], first + 1):
        where = f"{spec['source']}:{number}"
        fields = line.split()
        if len(fields) != len(columns):
            fail(f"{where}: {len(fields)} fields, expected {len(columns)}")
        for column, field, text in zip(columns, schema, fields):
            column.append(parse(text, field.type, where))
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema)]
    table = pa.Table.from_arrays(arrays, schema=schema)
    if table.num_rows != spec["rows"]:
        fail(f"{spec['source']}: {table.num_rows} rows, expected {spec['rows']}")
    return table


def write(table, path):
    pq.write_table(
        table,
        path,
        version="2.6",
        data_page_version="1.0",
        use_dictionary=True,
        compression="zstd",
        compression_level=19,
        row_group_size=table.num_rows,
        store_schema=False,
    )


def build(folder):
    package = find_package()
    for name, spec in OUTPUTS.items():
        write(read_table(package, spec), folder / name)


def check():
    same_version = pa.__version__ == PYARROW_VERSION
    if not same_version:
        print(f"pyarrow {pa.__version__}, files written with {PYARROW_VERSION}: comparing content, not bytes")
    good = True
    with tempfile.TemporaryDirectory() as temp:
        build(Path(temp))
        for name in OUTPUTS:
            if not (HERE / name).is_file():
                print(f"{name}: missing")
                good = False
                continue
            here, made = (HERE / name).read_bytes(), (Path(temp) / name).read_bytes()
            if here == made:
                print(f"{name}: same bytes, SHA-256 {sha256(here)}")
                continue
            try:
                content = "same" if same_rows(here, made) else "different"
            except pa.ArrowException as error:
                content = f"unreadable ({error})"
            print(f"{name}: {content} content; SHA-256 {sha256(here)}, rebuilt {sha256(made)}")
            good = good and content == "same" and not same_version
    return good


def same_rows(a, b):
    a, b = (pq.ParquetFile(pa.BufferReader(data)).read() for data in (a, b))
    return a.schema.equals(b.schema, check_metadata=True) and a.equals(b)


def main():
    parser = argparse.ArgumentParser(
        description="Make cdnow.parquet and cdnow_sample.parquet from lifetimes 0.11.3."
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing here: rebuild in a temporary folder and compare; exit 1 when something differs",
    )
    if parser.parse_args().check:
        sys.exit(0 if check() else 1)
    if pa.__version__ != PYARROW_VERSION:
        print(f"pyarrow {pa.__version__} instead of {PYARROW_VERSION}: the bytes may differ", file=sys.stderr)
    build(HERE)
    for name in OUTPUTS:
        data = (HERE / name).read_bytes()
        print(f"{name}: {len(data)} bytes, SHA-256 {sha256(data)}")


if __name__ == "__main__":
    main()
