"""The customer table with Polars' streaming engine: summary_polars.py FILE.parquet OUT.parquet [--minimal] [--threads N]

Writes the columns that `tiercast summarize` writes; with --minimal the five that lifetime models need. The table is in
no order; tiercast's is ordered by customer.
"""

import argparse
import os

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("history")
parser.add_argument("out")
parser.add_argument("--minimal", action="store_true")
parser.add_argument("--threads", type=int)
args = parser.parse_args()
if args.threads:
    os.environ["POLARS_MAX_THREADS"] = str(args.threads)  # read once, when the library is loaded

import polars as pl  # noqa: E402

# Frequency counts distinct days, hence the two groupings.
day = pl.col("order_ts").dt.date().alias("d")
days = pl.scan_parquet(args.history).group_by("customer_id", day)
days = days.agg(pl.col("amount").sum().alias("s"), pl.len().alias("n"))
orders, first, last = pl.col("orders"), pl.col("first_order"), pl.col("last_order")
customers = days.group_by("customer_id").agg(
    pl.len().alias("orders"),
    pl.col("d").min().alias("first_order"),
    pl.col("d").max().alias("last_order"),
    pl.col("s").sum().alias("total_spend"),
    pl.col("s").min_by("d").alias("first_spend"),
    *([] if args.minimal else [pl.col("n").sum().alias("transactions")]),
)
frequency = (orders - 1).alias("frequency")
repeat = (pl.col("total_spend") - pl.col("first_spend")) / (orders - 1)
if args.minimal:
    monetary = pl.when(orders > 1).then(repeat).alias("monetary_value")
    table = customers.select("customer_id", frequency, first, last, monetary)
else:
    table = customers.select(
        "customer_id",
        frequency,
        ((last - first).dt.total_days() / 7).alias("recency"),
        ((last.max() - first).dt.total_days() / 7).alias("T"),
        pl.when(orders > 1).then(repeat).otherwise(0.0).alias("monetary_value"),
        first,
        last,
        orders,
        pl.col("transactions").cast(pl.UInt32),
        "total_spend",
        (last.max() - last).dt.total_days().cast(pl.UInt32).alias("days_since_last"),
    )
table.sink_parquet(args.out, compression="snappy")
