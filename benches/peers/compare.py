#!/usr/bin/env python3
"""tiercast, DuckDB and Polars side by side: history -> customer table, written to Parquet.

One command makes the environment, the history and the binaries where they are missing, runs every engine in turn as a
whole process on the same file, checks that their tables agree, and prints times, peak memories and their ratios.
See README.md beside it for what is measured and how. Nothing but Python's own library is needed to start it.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = ["duckdb", "polars"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=lambda text: int(float(text)), default=1_000_000, help="such as 1e6 or 1e7")
    parser.add_argument("--ids", choices=["integer", "uuid"], default="integer", help="int64, or texts of 36 characters")
    parser.add_argument("--order", choices=["time", "customer"], default="time", help="how the rows are sorted")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", type=Path, help="a history of your own, with the columns of generate.py")
    parser.add_argument("--rounds", type=int, default=5, help="measured runs of each engine")
    parser.add_argument("--caches", choices=["warm", "cold", "both"], default="both", help="the history's page cache")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of every engine")
    parser.add_argument("--peers", default=",".join(PEERS), help="which peers, by comma; empty for none")
    parser.add_argument("--minimal-peers", action="store_true",
                        help="peers write five columns only; without it the same columns as tiercast")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "peers", help="folder for all that is made")
    parser.add_argument("--python", type=Path, help="interpreter that has the packages, instead of an own environment")
    parser.add_argument("--tiercast", type=Path, help="a built binary, instead of building one")
    parser.add_argument("--decode-floor", type=Path, help="the built example, instead of building it")
    parser.add_argument("--tiercast-options", default="", help="more options for `tiercast summarize`, by space")
    parser.add_argument("--json", type=Path, help="where the figures go [default: in the work folder]")
    args = parser.parse_args()
    args.peers = [name for name in args.peers.split(",") if name]
    unknown = [name for name in args.peers if name not in PEERS]
    if unknown:
        parser.error(f"no peer {unknown[0]}; there are {', '.join(PEERS)}")
    if args.rounds < 1 or args.threads < 1:
        parser.error("--rounds and --threads must be at least 1")
    if args.caches != "warm" and not hasattr(os, "posix_fadvise"):
        parser.error("this system cannot drop a file from its page cache: give --caches warm")
    return args


def say(text):
    print(text, file=sys.stderr, flush=True)


def environment(args, requirements="requirements.txt", name="venv"):
    """An interpreter with the pinned packages."""
    if args.python:
        return args.python
    folder = args.work / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = (HERE / requirements).read_text()
    mark = folder / "requirements.txt"
    if not mark.exists() or mark.read_text() != wanted:
        say(f"making the environment {folder}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", HERE / requirements]
        subprocess.run(install, check=True)
        mark.write_text(wanted)
    return python


def history(args, python):
    if args.file:
        return args.file.resolve()
    path = args.work / f"history-{args.customers}-{args.ids}-by-{args.order}-seed-{args.seed}.parquet"
    if not path.exists():
        say(f"generating {path}")
        subprocess.run([python, HERE / "generate.py", str(args.customers), path, "--seed", str(args.seed),
                        "--ids", args.ids, "--order", args.order], check=True, stdout=sys.stderr)
    return path


def binaries(args):
    """tiercast and the decoding floor, built unless both are given."""
    if args.tiercast and args.decode_floor:
        return args.tiercast.resolve(), args.decode_floor.resolve()
    say("building tiercast")
    build = ["cargo", "build", "--release", "--locked", "--bin", "tiercast", "--example", "decode_floor"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    ending = ".exe" if os.name == "nt" else ""
    built = (target / f"tiercast{ending}", target / "examples" / f"decode_floor{ending}")
    return args.tiercast.resolve() if args.tiercast else built[0], args.decode_floor or built[1]


def forget(path):
    """Drops the file's pages from the page cache: clean pages go at once, so they are written first."""
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def run(words, out=None):
    """A child process measured from outside. This process stays small: a child's peak begins with its parent's."""
    if out and out.exists():
        out.unlink()
    began = time.perf_counter()
    child = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"failed with {child.returncode}: {' '.join(map(str, words))}")
    kilo = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_bytes": usage.ru_maxrss * kilo, "read_bytes": usage.ru_inblock * 512}, text


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def ratios(runs, measure):
    """tiercast's figure over each other's, round by round, with the median."""
    out = {}
    for name in runs:
        if name != "tiercast":
            pairs = [a[measure] / b[measure] for a, b in zip(runs["tiercast"], runs[name])]
            out[name] = {"rounds": pairs, **spread(pairs)}
    return out


def measure(args, commands, write, path, cold):
    runs, alone = {name: [] for name in commands}, []
    for round_number in range(args.rounds):
        for name, (words, out) in commands.items():
            if cold:
                forget(path)
            figures, _ = run(words, out)
            runs[name].append(figures)
        alone.append(json.loads(run(write)[1])["seconds"])
        say(f"{'cold' if cold else 'warm'} round {round_number + 1} of {args.rounds}: "
            + ", ".join(f"{name} {of[-1]['seconds']:.2f} s" for name, of in runs.items()))
    least = [floor["seconds"] + seconds for floor, seconds in zip(runs["floor"], alone)]
    over = [own["seconds"] / seconds for own, seconds in zip(runs["tiercast"], least)]
    return {"runs": runs, "write_alone_seconds": alone, "time_ratio": ratios(runs, "seconds"),
            "memory_ratio": ratios({name: of for name, of in runs.items() if name != "floor"}, "peak_bytes"),
            "time_ratio_floor_and_write": {"rounds": over, **spread(over)}}


def agreement(python, tables, same_columns):
    """What agree.py says of every peer's table; ends the run when one does not agree."""
    if len(tables) < 2:
        return []
    mine, *others = tables
    found = subprocess.run([python, HERE / "agree.py", mine, *others], stdout=subprocess.PIPE, text=True)
    facts = [json.loads(line) for line in found.stdout.splitlines()]
    if found.returncode not in (0, 1) or len(facts) < len(others):
        sys.exit("the tables could not be compared")
    for fact in facts:
        if same_columns and fact["columns"] != fact["columns_of_mine"]:
            fact["differences"].append("its columns are not the same")
    wrong = [f"{fact['table']}: {', '.join(fact['differences'])}" for fact in facts if fact["differences"]]
    if wrong:
        sys.exit("the tables do not agree\n" + "\n".join(wrong))
    return facts


def machine():
    facts = {"system": platform.platform(), "cores": os.cpu_count(), "processor": platform.processor()}
    try:
        with open("/proc/cpuinfo") as lines:
            facts["processor"] = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        with open("/proc/meminfo") as lines:
            facts["memory_bytes"] = int(next(lines).split()[1]) * 1024
    except (OSError, StopIteration):
        pass  # other systems do not say it there
    return facts


def shown(value):
    return f"{value['median']:.3f} ({value['least']:.3f} to {value['most']:.3f})"


def table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())


def report(figures):
    facts = figures["machine"]
    print(f"{facts['processor']}, {facts['cores']} cores, {facts.get('memory_bytes', 0) / 1e9:.1f} GB, {facts['system']}")
    print(f"{figures['history']}: {figures['rows']:,} rows, {figures['file_bytes'] / 1e6:,.0f} MB; "
          f"threads: {figures['threads']}, rounds in turn: {figures['rounds']}"
          + (f", tiercast with {figures['tiercast_options']}" if figures["tiercast_options"] else ""))
    print("peers write " + ("FIVE columns only (--minimal-peers), tiercast all of its columns"
                            if figures["minimal_peers"] else "the same columns as tiercast")
          + "; Parquet with Snappy; tiercast's rows are ordered by customer, the peers' are not")
    for fact in figures["agreement"]:
        print(f"{Path(fact['table']).stem}: {fact['rows']:,} rows, {len(fact['columns'])} columns agree, numbers to "
              f"{fact['largest_relative_difference']:.1e} relative")
    for cache, measured in figures["measured"].items():
        print(f"\n{cache}: seconds and peak memory, median (least to most); ratios are tiercast's / the other's, by round")
        lines = [["", "seconds", "CPU s", "peak GB", "read MB", "time ratio", "memory ratio"]]
        for name, runs in measured["runs"].items():
            middle = {key: spread([one[key] for one in runs]) for key in runs[0]}
            ratio = [measured[of].get(name) for of in ["time_ratio", "memory_ratio"]]
            lines.append([name, shown(middle["seconds"]), f"{middle['cpu_seconds']['median']:.2f}",
                          f"{middle['peak_bytes']['median'] / 1e9:.3f}", f"{middle['read_bytes']['median'] / 1e6:.0f}",
                          *(shown(one) if one else "" for one in ratio)])
        table(lines)
        for name, ratio in measured["time_ratio"].items():
            print(f"  {name}, time ratio of each round: " + "  ".join(f"{r:.3f}" for r in ratio["rounds"]))
        alone = spread(measured["write_alone_seconds"])
        print(f"floor: the three columns merely decoded; tiercast / floor {shown(measured['time_ratio']['floor'])}")
        print(f"writing the finished table alone: {shown(alone)} s; tiercast / (floor + writing) "
              f"{shown(measured['time_ratio_floor_and_write'])}")


def main():
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    python = environment(args)
    path = history(args, python)
    tiercast, floor = binaries(args)
    tables = {name: args.work / f"{name}.parquet" for name in ["tiercast", *args.peers]}
    threads = ["--threads", str(args.threads)]
    commands = {"tiercast": ([tiercast, "summarize", path, "-o", tables["tiercast"], "--json", "-q", *threads,
                              *args.tiercast_options.split()], tables["tiercast"])}
    for name in args.peers:
        words = [python, HERE / f"summary_{name}.py", path, tables[name], *threads]
        commands[name] = (words + ["--minimal"] * args.minimal_peers, tables[name])
    commands["floor"] = ([floor, *threads, path], None)

    say("once each, not counted")
    texts = {name: run(words, out)[1] for name, (words, out) in commands.items()}
    agreed = agreement(python, list(tables.values()), not args.minimal_peers)
    write = [floor, "--write", tables["tiercast"]]
    measured = {}
    for cache in ["warm", "cold"]:
        if args.caches in (cache, "both"):
            measured[cache] = measure(args, commands, write, path, cache == "cold")
    packages = "import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in " + repr(args.peers) + "}))"
    versions = json.loads(subprocess.run([python, "-c", packages], check=True, stdout=subprocess.PIPE, text=True).stdout)
    versions["tiercast"] = subprocess.run([tiercast, "--version"], stdout=subprocess.PIPE, text=True).stdout.split()[-1]
    figures = {
        "schema": 1, "machine": machine(), "versions": versions, "history": path.name,
        "rows": json.loads(texts["floor"])["rows"], "file_bytes": path.stat().st_size, "threads": args.threads,
        "rounds": args.rounds, "minimal_peers": args.minimal_peers, "tiercast_options": args.tiercast_options,
        "agreement": agreed,
        "measured": measured,
    }
    report(figures)
    out = args.json or args.work / f"compare-{path.stem}.json"
    out.write_text(json.dumps(figures, indent=1) + "\n")
    say(f"figures: {out}")


if __name__ == "__main__":
    main()
