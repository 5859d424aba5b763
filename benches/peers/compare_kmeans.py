#!/usr/bin/env python3
"""k-means: tiercast beside scikit-learn and faiss, on the same points.

One command makes the environment, the points and the binary where they are missing, runs all three in turn and prints
times, inertias and ratios. See README.md beside it for what is measured and how.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import compare
from compare import HERE, ROOT, machine, run, say, shown, spread, table

# Rows, features, clusters.
CASES = [(1_000_000, 3, 8), (1_000_000, 3, 20), (1_000_000, 8, 8), (1_000_000, 8, 20), (10_000_000, 5, 8)]
PEERS = ["scikit-learn", "faiss"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="processes of each side, in turn")
    parser.add_argument("--seeds", type=int, default=10, help="fits in each process")
    parser.add_argument("--starts", type=int, default=4, help="starts of tiercast in each fit (peers: 1)")
    parser.add_argument("--sample", default="65536", help="rows on which tiercast's starts are searched, or none")
    parser.add_argument("--cases", default="", help="such as 1000000x3x8,1000000x3x20 [default: the five of README.md]")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of every side")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "peers", help="folder for all that is made")
    parser.add_argument("--python", type=Path, help="interpreter that has the packages, instead of an own environment")
    parser.add_argument("--binary", type=Path, help="the built example kmeans_times, instead of building it")
    parser.add_argument("--json", type=Path, help="where the figures go [default: in the work folder]")
    args = parser.parse_args()
    if args.rounds < 1 or args.seeds < 1 or args.threads < 1 or args.starts < 1:
        parser.error("--rounds, --seeds, --starts and --threads must be at least 1")
    try:
        args.cases = [tuple(int(word) for word in case.split("x")) for case in args.cases.split(",") if case] or CASES
    except ValueError:
        parser.error("--cases are ROWSxFEATURESxCLUSTERS, by comma")
    if any(len(case) != 3 for case in args.cases):
        parser.error("--cases are ROWSxFEATURESxCLUSTERS, by comma")
    return args


def binary(args):
    if args.binary:
        return args.binary
    say("building tiercast")
    build = ["cargo", "build", "--release", "--locked", "--example", "kmeans_times"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "examples"
    return target / ("kmeans_times.exe" if os.name == "nt" else "kmeans_times")


def points(args, python, rows, features):
    path = args.work / f"points-{rows}-{features}.f64"
    if not path.exists():
        say(f"making {path.name}")
        part = path.with_suffix(".part")
        subprocess.run([python, HERE / "kmeans_data.py", str(rows), str(features), "1", part], check=True)
        part.rename(path)
    return path


def answer(words):
    _, text = run([str(word) for word in words])
    return json.loads(text.splitlines()[-1])["fits"]


def one(args, python, kmeans_times, rows, features, clusters):
    path = points(args, python, rows, features)
    ours = [kmeans_times, "--rows", rows, "--features", features, "--clusters", clusters, "--seeds", args.seeds,
            "--starts", args.starts, "--sample", args.sample, "--threads", args.threads, path]
    words = {"tiercast": ours}
    for name in PEERS:
        words[name] = [python, HERE / "kmeans_peer.py", name, rows, features, clusters, args.seeds, args.threads, path]
    fits = {name: [] for name in words}
    ratios = {name: [] for name in PEERS}
    of_cpu = {name: [] for name in PEERS}
    for number in range(args.rounds):
        latest = {}
        for name in words:
            found = answer(words[name])
            fits[name] += found
            latest[name] = {key: statistics.median(fit[key] or 0.0 for fit in found) for key in ["seconds", "cpu_seconds"]}
        for name in PEERS:
            ratios[name].append(latest[name]["seconds"] / latest["tiercast"]["seconds"])
            if latest["tiercast"]["cpu_seconds"]:
                of_cpu[name].append(latest[name]["cpu_seconds"] / latest["tiercast"]["cpu_seconds"])
        say(f"{rows:,} x {features}, k = {clusters}, round {number + 1} of {args.rounds}: "
            + ", ".join(f"{name} {latest[name]['seconds']:.3f} s" for name in words))
    out = {"rows": rows, "features": features, "clusters": clusters}
    for name, found in fits.items():
        inertia = [fit["inertia"] for fit in found]
        out[name] = {
            "seconds": spread([fit["seconds"] for fit in found]),
            "cpu_seconds": spread([fit["cpu_seconds"] or 0.0 for fit in found]),
            "inertia_median": statistics.median(inertia), "inertia_least": min(inertia), "inertia_most": max(inertia),
            "iterations": spread([float(fit["iterations"]) for fit in found]),
        }
    for name in PEERS:
        out[name]["times"] = spread(ratios[name])
        out[name]["times_of_cpu"] = spread(of_cpu[name]) if of_cpu[name] else None
    return out


def report(figures):
    facts = figures["machine"]
    print(f"{facts['processor']}, {facts['cores']} cores, {facts['system']}; {figures['seeds']} fits a process, "
          f"rounds in turn: {figures['rounds']}; tiercast with {figures['starts']} starts, peers with 1")
    print("\nseconds of a fit, median (least to most); inertia relative to scikit-learn's median")
    lines = [["", "", "seconds", "of processor", "iterations", "tiercast is", "by processor", "inertia, median",
              "least", "most"]]
    for case in figures["cases"]:
        base = case["scikit-learn"]["inertia_median"]
        for at, name in enumerate(["tiercast"] + PEERS):
            one = case[name]
            label = f"{case['rows']:,} x {case['features']}, k = {case['clusters']}" if at == 0 else ""
            times = f"{one['times']['median']:.1f}x faster" if at else ""
            of_cpu = f"{one['times_of_cpu']['median']:.1f}x" if at and one["times_of_cpu"] else ""
            lines.append([label, name, shown(one["seconds"]), shown(one["cpu_seconds"]),
                          f"{one['iterations']['median']:.0f}", times, of_cpu, f"{one['inertia_median'] / base:.5f}",
                          f"{one['inertia_least'] / base:.5f}", f"{one['inertia_most'] / base:.5f}"])
    table(lines)


def main():
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    python = compare.environment(args, "requirements-kmeans.txt", "venv-kmeans")
    kmeans_times = binary(args)
    figures = {
        "schema": 1, "machine": machine(), "rounds": args.rounds, "seeds": args.seeds, "starts": args.starts,
        "sample": args.sample, "threads": args.threads,
        "cases": [one(args, python, kmeans_times, *case) for case in args.cases],
    }
    report(figures)
    out = args.json or args.work / "compare-kmeans.json"
    out.write_text(json.dumps(figures, indent=1) + "\n")
    say(f"figures: {out}")


if __name__ == "__main__":
    main()
