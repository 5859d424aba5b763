#!/usr/bin/env python3
"""Simulated futures: tiercast beside numpy, on the same table of customers.

`tiercast simulate` with its stages timed (-v), four strategies × 12 periods × --replications, against the seconds that numpy takes
for one replication of one strategy × all of them (simulate_numpy.py; it has no periods, no coupling and adds nothing up).
Runs both in turn and prints seconds, memory and ratios.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

import compare
from compare import HERE, ROOT, machine, say

STRATEGIES = 4


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("customers", type=Path, help="table of `tiercast summarize` (1,000,000 rows for the figures shown)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side, in turn")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of tiercast")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "peers", help="folder for all that is made")
    parser.add_argument("--python", type=Path, help="interpreter with numpy and pyarrow, instead of an own environment")
    parser.add_argument("--binary", type=Path, help="the built tiercast, instead of building it")
    parser.add_argument("--json", type=Path, help="where the figures go [default: in the work folder]")
    return parser.parse_args()


def binary(args):
    if args.binary:
        return args.binary
    say("building tiercast")
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    return target / ("tiercast.exe" if os.name == "nt" else "tiercast")


def ours(args, tiercast, more):
    """Seconds of the stage that simulates, and the process as a whole."""
    words = [tiercast, "simulate", args.customers, "--strategies", HERE / "simulate.toml", "--threads", str(args.threads),
             "--replications", str(args.replications), "-v", *more]
    with tempfile.TemporaryFile("w+") as err, tempfile.TemporaryFile("w+") as out:
        pid = subprocess.Popen([str(word) for word in words], stdout=out, stderr=err)
        _, status, used = os.wait4(pid.pid, 0)
        err.seek(0)
        text = err.read()
    if status != 0:
        raise SystemExit(text)
    seconds = float(re.search(r"simulating: ([0-9.]+) s", text).group(1))
    return {"simulating": seconds, "cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}


def main():
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    python = args.python or compare.environment(args)
    tiercast = binary(args)
    cases = {
        "parameters and responses held": ["--hold", "parameters,responses"],
        "one draw for 8 replications": ["--futures-per-draw", "8"],
        "a draw for each": [],
    }
    rounds = {case: [] for case in cases}
    peer = []
    for number in range(args.rounds):
        say(f"round {number + 1} of {args.rounds}: numpy")
        shown = subprocess.run([python, HERE / "simulate_numpy.py", args.customers, "5"], check=True, capture_output=True)
        peer.append(float(shown.stdout))
        for case, more in cases.items():
            say(f"round {number + 1} of {args.rounds}: {case}")
            rounds[case].append(ours(args, tiercast, more))
    per_run = statistics.median(peer) * args.replications * STRATEGIES
    print(f"numpy: {statistics.median(peer):.3f} s a replication and strategy, {per_run:.0f} s for all")
    figures = {"machine": machine(), "numpy": peer, "replications": args.replications, "tiercast": rounds}
    for case, of in rounds.items():
        ratios = [p * args.replications * STRATEGIES / one["simulating"] for p, one in zip(peer, of)]
        seconds = statistics.median(one["simulating"] for one in of)
        memory = max(one["peak_mb"] for one in of)
        print(f"{case}: {seconds:.1f} s, {statistics.median(ratios):.1f} times ({min(ratios):.1f} to {max(ratios):.1f}), "
              f"peak {memory:.0f} MB with the table")
    place = args.json or args.work / "simulate.json"
    place.write_text(json.dumps(figures, indent=1))
    say(f"figures in {place}")


if __name__ == "__main__":
    main()
