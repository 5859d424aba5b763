"""Compares the main job's result with its known numbers: known_numbers.py RESULT_FOLDER STDOUT MODEL.

Rounded to what holds across machines (1e-9 relative for sums, fewer digits for optima); the fits of BG/NBD and of
Gamma-Gamma are those of the CDNOW log as published and recomputed with 40-digit arithmetic, that of Pareto/NBD was
checked with SciPy's 2F1: the same log-likelihood, and no slope.
"""
import json
import sys

import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

folder, stdout, model = sys.argv[1], open(sys.argv[2], encoding="utf-8").read(), sys.argv[3]
run = json.load(open(f"{folder}/run.json", encoding="utf-8"))
customers = pq.read_table(f"{folder}/customers.parquet")
strategies = csv.read_csv(f"{folder}/strategies.csv").to_pylist()
aside = pq.read_table(f"{folder}/set_aside.parquet")
wrong = []


def same(what, got, want, relative=0.0):
    if abs(got - want) > relative * abs(want):
        wrong.append(f"{what}: {got}, want {want}")


def said(text):
    if text not in stdout:
        wrong.append(f"stdout does not say {text!r}")


ledger = run["ledger"]
same("rows read", ledger["read"], 69_659)
same("used + set aside", ledger["used"] + ledger["used_holdout"] + ledger["set_aside"], ledger["read"])
same("set_aside.parquet", aside.num_rows, ledger["set_aside"])
same("zero amounts", ledger["zero_amounts"], 80)
same("duplicates", ledger["duplicates"], 255)
same("customers", customers.num_rows, 23_570)
same("repeaters", pc.sum(pc.greater(customers["frequency"], 0)).as_py(), 11_516)
same("spend", pc.sum(customers["total_spend"]).as_py(), 2_500_315.63, 1e-9)

PURCHASES = {
    "bg-nbd": (-173425.916293, {"r": 0.26712777, "alpha": 5.98649178, "a": 0.48351698, "b": 2.11160839}),
    "pareto-nbd": (-173327.996204, {"r": 0.61098831, "alpha": 13.6141937, "s": 0.31257745, "beta": 6.1485556}),
}
# Means of exact expectations over 400 draws of the parameters.
PROFIT = {"bg-nbd": 248952.82, "pareto-nbd": 257899.90}
if run["model"]["used"] != model:
    wrong.append(f"{run['model']['used']} is used, want {model}")
KNOWN = [
    PURCHASES[model],
    (-49496.524204, {"p": 5.08604394, "q": 3.99512073, "gamma": 21.25223802}),
]
for fit, (log_likelihood, parameters) in zip(run["fits"], KNOWN, strict=True):
    if fit["verdict"]["kind"] != "verified_optimum":
        wrong.append(f"{fit['model']}: {fit['verdict']}")
    same(fit["model"], fit["log_likelihood"], log_likelihood, 1e-3 / abs(log_likelihood))
    for parameter in fit["parameters"]:
        same(f"{fit['model']} {parameter['name']}", parameter["estimate"], parameters[parameter["name"]], 1e-3)

tiers = {(scheme["key"], tier["name"]): tier["customers"] for scheme in run["tiers"] for tier in scheme["tiers"]}
same("high", tiers["value", "high"], 4_715)
same("mid", tiers["value", "mid"], 7_070)
same("low", tiers["value", "low"], 11_785)

profit = {
    row["strategy"]: row for row in strategies if row["tier"] == "all" and row["metric"] == "profit"
}
for name in ["do_nothing", "even", "proportional_to_clv", "top_heavy"]:
    said(name)
    row = profit[name]
    if not row["lower"] < row["value"] < row["upper"]:
        wrong.append(f"{name}: {row}")
for column in ["difference", "difference_lower", "difference_upper"]:
    same(f"do_nothing {column}", profit["do_nothing"][column], 0.0)
# The gap between two machines' libm may flip a rare draw: a hundredth of a percent is far below any interval.
same("profit of doing nothing", profit["do_nothing"]["value"], PROFIT[model], 1e-4)
for row in strategies:
    if row["metric"] == "cost" and row["tier"] == "all" and row["value"] > 6_000:
        wrong.append(f"above the budget: {row}")
said("69,659")

if wrong:
    sys.exit("the main job does not give its known numbers:\n" + "\n".join(wrong))
print(f"{model}: {customers.num_rows} customers, {len(strategies)} lines of strategies: the known numbers hold")
