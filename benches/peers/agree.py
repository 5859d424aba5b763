"""Whether customer tables agree: agree.py MINE.parquet OTHER.parquet...

Ids, counts and days must be equal, numbers within 1e-9 relative; every column of an OTHER is compared. A monetary value
of 0 and none at all say the same. Prints one JSON object for each OTHER; exits with 1 when any does not agree.
"""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

RELATIVE = 1e-9


def ordered(path):
    table = pq.read_table(path)
    ids = table["customer_id"]
    if pa.types.is_string(ids.type) or pa.types.is_string_view(ids.type):
        # 32-bit offsets end at 2 GiB, which ten million texts come near to.
        table = table.set_column(table.schema.get_field_index("customer_id"), "customer_id", ids.cast(pa.large_string()))
    return table.take(pc.sort_indices(table["customer_id"]))


def numbers(column):
    """A column without nulls as an array: days and counts as integers."""
    column = column.combine_chunks()
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    return column.to_numpy(zero_copy_only=False)


def differences(mine, other):
    """What does not agree, in words, and the largest relative difference of a number."""
    if mine.num_rows != other.num_rows:
        return [f"{other.num_rows} rows, not {mine.num_rows}"], None
    if mine["customer_id"].type != other["customer_id"].type or not mine["customer_id"].equals(other["customer_id"]):
        return ["customer_id differs"], None
    wrong, largest = [], 0.0
    for name in other.column_names[1:]:
        theirs = other[name]
        if name == "monetary_value":
            theirs = pc.fill_null(theirs, 0.0)
        if theirs.null_count:
            wrong.append(f"{name} has nulls")
            continue
        a, b = numbers(mine[name]), numbers(theirs)
        if a.dtype.kind != "f" or b.dtype.kind != "f":
            n = int((a.astype(np.int64) != b.astype(np.int64)).sum())
        else:
            scale = np.maximum(np.abs(a), np.abs(b))
            relative = np.abs(a - b) / np.where(scale > 0, scale, 1.0)
            largest = max(largest, float(relative.max(initial=0.0)))
            n = int((~(relative <= RELATIVE)).sum())
        if n:
            wrong.append(f"{name} differs in {n} rows")
    return wrong, largest


mine = ordered(sys.argv[1])
failed = False
for path in sys.argv[2:]:
    other = ordered(path)
    wrong, largest = differences(mine, other)
    failed |= bool(wrong)
    print(json.dumps({"table": path, "rows": other.num_rows, "columns": other.column_names, "columns_of_mine": mine.column_names, "differences": wrong,
                      "largest_relative_difference": largest}))
sys.exit(1 if failed else 0)
