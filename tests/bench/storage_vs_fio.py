#!/usr/bin/env python3
"""Compares storage.throughput with plain fio running the same load, in interleaved rounds.

A disk may drift by a factor within a minute, so only runs side by side can be compared. Every round runs plain fio
twice and the check once, in random order, each on a new file that it has just written and read back. Printed are the
geometric means of the rounds' ratios with bootstrap 95 % intervals: fio over fio (the control: what the method itself
scatters), fio's own figure within the check over plain fio's (the mean of the round's two), and the check's median of
samples over the same.

    storage_vs_fio.py --program build/rackproof-check --check build/checks/storage.throughput.so
"""

import argparse
import json
import math
import os
import random
import signal
import statistics
import subprocess
import sys

# The check's word for the load, fio's options for it, the check's metrics (fio's own figure, median of samples).
LOADS = {
    "read": (["--rw=read", "--bs=1M", "--iodepth=32"], "read_mean", "read"),
    "random_read": (["--rw=randread", "--bs=4k", "--iodepth=32"], "read_iops_mean", "read_iops"),
    "write": (["--rw=write", "--bs=1M", "--iodepth=32"], "write_mean", "write"),
    "random_write": (["--rw=randwrite", "--bs=4k", "--iodepth=32"], "write_iops_mean", "write_iops"),
    "latency": (["--rw=randread", "--bs=4k", "--iodepth=1"], "read_p50", None),
}


def fio(options):
    output = subprocess.run(["fio", "--output-format=json", "--eta=never", *options], check=True, capture_output=True,
                            text=True, timeout=120).stdout
    return json.loads(output[output.index("{\n"):])["jobs"][0]


def plain(load, settings):
    """Writes a new file, runs the load as anyone would by hand, and removes it as the check does."""
    file = os.path.join(settings.path, f"storage-vs-fio-{os.getpid()}")
    common = [f"--filename={file}", f"--size={settings.size}M", "--direct=1", f"--ioengine={settings.engine}"]
    try:
        fio(["--name=layout", *common, "--rw=write", "--bs=1M", "--iodepth=8", "--refill_buffers", "--end_fsync=1"])
        fio(["--name=back", *common, "--rw=read", "--bs=1M", "--iodepth=8"])
        job = fio(["--name=load", *common, *LOADS[load][0], "--time_based", f"--runtime={settings.seconds}",
                   "--randrepeat=0", "--norandommap", "--refill_buffers", "--lat_percentiles=1",
                   "--clat_percentiles=0", "--percentile_list=50:99:99.9"])
    finally:
        if os.path.exists(file):
            os.remove(file)
    done = job["write"] if "write" in load else job["read"]
    if load == "latency":
        return done["lat_ns"]["percentile"]["50.000000"] / 1e3
    return done["bw_bytes"] / 1e9 if load in ("read", "write") else done["iops"]


def checked(load, settings):
    lines = subprocess.run(
        [settings.program, settings.check, f"only={load}", f"path={settings.path}", f"size={settings.size}MiB",
         f"duration={settings.seconds} s", f"engine={settings.engine}"],
        check=True, capture_output=True, text=True, timeout=300).stdout.splitlines()
    reports = [json.loads(line) for line in lines]
    if reports[-1]["report"] != "done":
        raise SystemExit(f"the check ended with {reports[-1]}")
    found = {report["metric"]: report["value"] for report in reports if report["report"] == "measurement"}
    _, mean, median = LOADS[load]
    return found[mean], found[median] if median else None


def interval(ratios, chance):
    """Geometric mean, and the bootstrap 95 % interval of it."""
    logs = [math.log(ratio) for ratio in ratios]
    means = sorted(statistics.fmean(chance.choices(logs, k=len(logs))) for _ in range(10_000))
    return tuple(math.exp(value) for value in (statistics.fmean(logs), means[249], means[9749]))


def compare(load, settings, chance):
    rounds = []
    for _ in range(settings.rounds):
        row = {}
        for side in chance.sample(["a", "b", "check"], 3):
            row[side] = checked(load, settings) if side == "check" else plain(load, settings)
        rounds.append(row)
    unit = {"latency": "us", "read": "GB/s", "write": "GB/s"}.get(load, "IOPS")
    reference = [math.sqrt(row["a"] * row["b"]) for row in rounds]
    print(f"{load:13} {min(reference):10.5g} … {max(reference):.5g} {unit} (plain fio over {len(rounds)} rounds)")
    lines = [("fio / fio", [row["b"] / row["a"] for row in rounds]),
             ("check, fio's figure / fio", [row["check"][0] / base for row, base in zip(rounds, reference)])]
    if LOADS[load][2]:
        lines.append(("check, median / fio", [row["check"][1] / base for row, base in zip(rounds, reference)]))
    for name, ratios in lines:
        middle, low, high = interval(ratios, chance)
        print(f"    {name:27} {middle:.3f}   95 % [{low:.3f}, {high:.3f}]", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="rackproof-check")
    parser.add_argument("--check", required=True, help="storage.throughput.so")
    parser.add_argument("--path", default="/var/tmp")
    parser.add_argument("--size", type=int, default=256, help="MiB")
    parser.add_argument("--seconds", type=int, default=1, help="of each load")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--engine", default="io_uring")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("loads", nargs="*", default=[], help=f"of {', '.join(LOADS)}; all when none is given")
    settings = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the file is removed
    chance = random.Random(settings.seed)
    for load in settings.loads or LOADS:
        compare(load, settings, chance)


if __name__ == "__main__":
    main()
