#!/usr/bin/env python3
"""Fits and posteriors: tiercast beside lifetimes and PyMC-Marketing, on the same tables of customers.

One command makes the environments, the histories and the binaries where they are missing, runs both sides in turn, holds
their optima against each other and prints times and ratios. See README.md beside it for what is measured and how.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import compare
from compare import HERE, ROOT, machine, run, say, shown, spread, table

# Model, its name here and in the peer, customers.
FITS = [
    ("BG/NBD", "bg-nbd", "bg", 1_000_000),
    ("MBG/NBD", "mbg-nbd", "mbg", 1_000_000),
    ("Pareto/NBD", "pareto-nbd", "pareto", 100_000),
]
POSTERIORS = [("BG/NBD", "bg-nbd", "bg"), ("Pareto/NBD", "pareto-nbd", "pareto")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side")
    parser.add_argument("--draws", type=int, default=4000, help="draws of parameters that tiercast is asked for")
    parser.add_argument("--only", choices=["fits", "posteriors"], help="one half of it")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of tiercast")
    parser.add_argument("--seed", type=int, default=1, help="of the generated histories")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "peers", help="folder for all that is made")
    parser.add_argument("--python-generate", type=Path, help="interpreter with numpy and pyarrow, instead of an own one")
    parser.add_argument("--python-lifetimes", type=Path, help="interpreter with lifetimes, instead of an own one")
    parser.add_argument("--python-pymc", type=Path, help="interpreter with pymc-marketing, instead of an own one")
    parser.add_argument("--json", type=Path, help="where the figures go [default: in the work folder]")
    args = parser.parse_args()
    if args.rounds < 1 or args.threads < 1 or args.draws < 1:
        parser.error("--rounds, --threads and --draws must be at least 1")
    return args


def interpreter(args, given, requirements, name):
    own = argparse.Namespace(python=given, work=args.work)
    return compare.environment(own, requirements, name)


def binaries():
    say("building tiercast")
    build = ["cargo", "build", "--release", "--locked", "--bin", "tiercast", "--example", "fit_times"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    ending = ".exe" if os.name == "nt" else ""
    return target / f"tiercast{ending}", target / "examples" / f"fit_times{ending}"


def generated(args, tiercast, customers):
    """A generated history's table of customers."""
    path = args.work / f"customers-{customers}-seed-{args.seed}.parquet"
    if not path.exists():
        python = interpreter(args, args.python_generate, "requirements.txt", "venv")
        wanted = argparse.Namespace(file=None, work=args.work, customers=customers, ids="integer", order="time",
                                    seed=args.seed)
        history = compare.history(wanted, python)
        subprocess.run([tiercast, "summarize", history, "-o", path, "-q"], check=True, stdout=sys.stderr)
    return path


def sample(args, tiercast):
    """The CDNOW sample up to 1997-09-30, 2,357 customers."""
    path = args.work / "cdnow-sample-calibration.parquet"
    if not path.exists():
        history = ROOT / "datasets" / "cdnow" / "cdnow_sample.parquet"
        subprocess.run([tiercast, "summarize", history, "--customer", "sample_id", "--as-of", "1997-09-30",
                        "-o", path, "-q"], check=True, stdout=sys.stderr)
    return path


def answer(words):
    figures, text = run(words)
    return json.loads(text.splitlines()[-1]), figures


def fits(args, tiercast, fit_times):
    python = interpreter(args, args.python_lifetimes, "requirements-lifetimes.txt", "venv-lifetimes")
    out = []
    for name, model, of_peer, customers in FITS:
        path = generated(args, tiercast, customers)
        ours = [fit_times, "--model", model, "--rounds", "1", "--threads", str(args.threads), path]
        mine, theirs, ratios, whole = [], [], [], []
        for number in range(args.rounds):
            peer, of_process = answer([python, HERE / "fit_lifetimes.py", of_peer, path])
            own, _ = answer(ours)
            mine.append(own["fit_seconds"][0])
            theirs.append(peer["fit_seconds"])
            ratios.append(theirs[-1] / mine[-1])
            # The verb reads the table and fits the model of spend as well; lifetimes' process only reads and fits.
            verb, _ = run([tiercast, "fit", path, "--model", model, "-q", "--threads", str(args.threads)])
            whole.append(of_process["seconds"] / verb["seconds"])
            say(f"{name}, round {number + 1} of {args.rounds}: {mine[-1]:.3f} s against {theirs[-1]:.2f} s")
        parameters = ",".join(repr(value) for value in peer["parameters"].values())
        at, _ = answer([fit_times, "--model", model, "--at", parameters, path])
        best = own["fit"]["log_likelihood"]
        out.append({
            "model": name, "customers": customers, "tiercast_seconds": spread(mine), "lifetimes_seconds": spread(theirs),
            "times": spread(ratios), "times_whole_process": spread(whole), "verdict": own["fit"]["verdict"]["kind"],
            "log_likelihood": best, "log_likelihood_of_lifetimes": at["log_likelihood"],
            "relative_difference": (best - at["log_likelihood"]) / abs(best),
        })
    return out


def posteriors(args, tiercast, fit_times):
    python = interpreter(args, args.python_pymc, "requirements-pymc-marketing.txt", "venv-pymc-marketing")
    path, out = sample(args, tiercast), []
    for name, model, of_peer in POSTERIORS:
        mine, theirs, ratios, effective, ess = [], [], [], [], []
        for number in range(args.rounds):
            peer, _ = answer([python, HERE / "fit_pymc_marketing.py", of_peer, path])
            own, _ = answer([fit_times, "--model", model, "--rounds", "1", "--draws", str(args.draws),
                             "--threads", str(args.threads), path])
            mine.append(own["fit_and_draws_seconds"][0])
            theirs.append(peer["fit_seconds"])
            ratios.append(theirs[-1] / mine[-1])
            effective.append(own["posterior"]["effective"])
            # What the best-known parameter has, so that ours is held against the most that theirs are worth.
            ess.append(max(peer["ess_bulk"].values()))
            say(f"{name}, posterior, round {number + 1} of {args.rounds}: {mine[-1]:.3f} s against {theirs[-1]:.1f} s, "
                f"worth {effective[-1]:.0f} draws against {ess[-1]:.0f}")
        out.append({
            "model": name, "tiercast_seconds": spread(mine), "pymc_marketing_seconds": spread(theirs),
            "times": spread(ratios), "effective": spread(effective), "largest_ess_bulk_of_pymc_marketing": spread(ess),
            "least_ess_bulk_of_pymc_marketing": min(peer["ess_bulk"].values()), "k_hat": own["posterior"]["k_hat"],
            "tiercast": own["posterior"]["parameters"], "pymc_marketing": {key: peer[key] for key in ["mean", "sd"]},
        })
    return out


def report(figures):
    facts = figures["machine"]
    print(f"{facts['processor']}, {facts['cores']} cores, {facts['system']}; rounds in turn: {figures['rounds']}")
    if figures["fits"]:
        print("\nfits: seconds from columns in memory to the optimum, median (least to most)")
        lines = [["", "customers", "tiercast", "lifetimes", "times faster", "whole process", "log-likelihood",
                  "ours above theirs, relative"]]
        for one in figures["fits"]:
            lines.append([one["model"], f"{one['customers']:,}", shown(one["tiercast_seconds"]),
                          shown(one["lifetimes_seconds"]), shown(one["times"]), shown(one["times_whole_process"]),
                          f"{one['log_likelihood']:.3f}", f"{one['relative_difference']:.1e}"])
        table(lines)
    if figures["posteriors"]:
        print("\nposterior of the parameters on the CDNOW sample (2,357 customers), fit included")
        lines = [["", "tiercast", "PyMC-Marketing, nutpie", "times faster", "worth draws", "theirs (most)"]]
        for one in figures["posteriors"]:
            lines.append([one["model"], shown(one["tiercast_seconds"]), shown(one["pymc_marketing_seconds"]),
                          shown(one["times"]), f"{one['effective']['median']:.0f}",
                          f"{one['largest_ess_bulk_of_pymc_marketing']['median']:.0f}"])
        table(lines)


def main():
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    tiercast, fit_times = binaries()
    figures = {
        "schema": 1, "machine": machine(), "rounds": args.rounds, "threads": args.threads, "draws": args.draws,
        "fits": fits(args, tiercast, fit_times) if args.only != "posteriors" else [],
        "posteriors": posteriors(args, tiercast, fit_times) if args.only != "fits" else [],
    }
    report(figures)
    out = args.json or args.work / "compare-fits.json"
    out.write_text(json.dumps(figures, indent=1) + "\n")
    say(f"figures: {out}")


if __name__ == "__main__":
    main()
