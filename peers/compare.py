#!/usr/bin/env python3
"""Alternates training steps of subquad with the same steps in PyTorch, and prints medians, spreads and ratios.

Every pair runs subquad, then PyTorch, each in a process of its own, on the same threads. A ratio above 1 means that subquad is
faster; it is made pair by pair, because what else the machine does changes from minute to minute.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
CONFIG = HERE.parent / "configs" / "09-whole-steps" / "width-256.toml"


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subquad", default="target/release/subquad", help="the program to compare")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--mixers", default="attention,s4d,m2")
    for name, default in [("length", 1024), ("batch", 8), ("d-model", 256), ("layers", 4), ("d-hidden", 1024)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="PyTorch with torch.compile")
    return parser.parse_args()


def ours(args, mixer):
    """Median milliseconds a step, peak MiB and parameters, from the summary of a run."""
    keys = {
        "model.d_model": args.d_model,
        "model.n_layers": args.layers,
        "model.d_hidden": args.d_hidden,
        "train.batch": args.batch,
        "train.steps": args.steps + 2,
        "sweep.mixer": f'["{mixer}"]',
        "sweep.seq_len": f"[{args.length}]",
    }
    with tempfile.TemporaryDirectory() as folder:
        command = [args.subquad, "run", str(CONFIG), "--quiet", "--results", folder, "--threads", str(args.threads)]
        for key, value in keys.items():
            command += ["--set", f"{key}={value}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (summary,) = pathlib.Path(folder).rglob("summary.csv")
        (row,) = csv.DictReader(summary.open())
    return {
        "step_ms": float(row["step_ms"]),
        "memory_mib": int(row["peak_bytes"]) / 2**20,
        "parameters": int(row["parameters"]),
    }


def theirs(args, mixer):
    command = [sys.executable, str(HERE / "train_step.py"), "--mixer", mixer]
    for name in ["length", "batch", "d_model", "layers", "d_hidden", "steps", "threads"]:
        command += [f"--{name.replace('_', '-')}", str(getattr(args, name))]
    if args.compile:
        command.append("--compile")
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def median_and_range(values, digits=0):
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main():
    args = parsed()
    print("| mixer | subquad, ms a step | PyTorch, ms a step | ratio | memory, MiB | PyTorch's | parameters |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for mixer in args.mixers.split(","):
        pairs = []
        for pair in range(args.pairs):
            pairs.append((ours(args, mixer), theirs(args, mixer)))
            print(f"{mixer}: pair {pair + 1} of {args.pairs}", file=sys.stderr)
        mine, peers = zip(*pairs)
        column = lambda rows, key: [row[key] for row in rows]
        ratios = [b / a for a, b in zip(column(mine, "step_ms"), column(peers, "step_ms"))]
        cells = [
            mixer,
            median_and_range(column(mine, "step_ms")),
            median_and_range(column(peers, "step_ms")),
            median_and_range(ratios, 2),
            f"{statistics.median(column(mine, 'memory_mib')):.0f}",
            f"{statistics.median(column(peers, 'memory_mib')):.0f}",
            f"{mine[0]['parameters']:,} and {peers[0]['parameters']:,}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
