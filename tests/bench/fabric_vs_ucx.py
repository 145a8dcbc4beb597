#!/usr/bin/env python3
"""Compares fabric.bandwidth and fabric.latency with ucx_perftest doing the same, in interleaved rounds.

Every round runs ucx_perftest, the check without verification and (bandwidth) with its usual share in random order, and
ucx_perftest again, between two processes of this machine, each bound to a processor. Printed are the geometric means of
the rounds' ratios with bootstrap 95 % intervals: perftest over perftest (the control: what the method itself scatters),
the check over perftest (the mean of the round's two), and the check with verification over the check without. Rates are
bytes over time; latencies are medians of half round trips.

Over TCP on one machine either program runs at one of several speeds, by where the kernel puts its work; a machine that is
shared with others has such of its own. So the last line is of calm rounds alone: those whose two runs of perftest, before
and after the check, agree within 5 %.

    fabric_vs_ucx.py --program build/bin/rackproof-check --checks build/bin/checks
"""

import argparse
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cards_server  # noqa: E402

MIB = 1 << 20
CALM = math.log(1.05)
# transports, test of ucx_perftest, its iterations, parameters of the check
LOADS = {
    "tag-memory": ("shm,cma", "tag_bw", 10000, ("op=tag",)),
    "tag-tcp": ("tcp", "tag_bw", 4000, ("op=tag",)),
    "put-tcp": ("tcp", "ucp_put_bw", 1500, ("op=put",)),
    "latency-memory": ("shm,cma", "tag_lat", 1000000, ()),
}


def bound(processor, command):
    return ["taskset", "-c", str(processor), *map(str, command)] if processor is not None else list(map(str, command))


def perftest(load, settings):
    transports, test, iterations, _ = LOADS[load]
    environment = {**os.environ, "UCX_TLS": transports, "UCX_NET_DEVICES": "lo" if transports == "tcp" else "all"}
    port = settings.chance.randrange(20000, 30000)
    size = 8 if test == "tag_lat" else MIB
    server = subprocess.Popen(bound(settings.cpus[0], ["ucx_perftest", "-p", port]), env=environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        time.sleep(0.3)
        command = ["ucx_perftest", "127.0.0.1", "-p", port, "-t", test, "-s", size, "-n", iterations, "-f"]
        done = subprocess.run(bound(settings.cpus[1], command), env=environment, capture_output=True, text=True, timeout=120)
        last = [line.split() for line in done.stdout.splitlines() if line.split() and line.split()[0].isdigit()][-1]
    finally:
        server.terminate()
        server.wait()
    return float(last[1]) if test == "tag_lat" else float(last[5]) * MIB / 1e9


def check(load, settings, share):
    transports, test, _, parameters = LOADS[load]
    name = "fabric.latency" if test == "tag_lat" else "fabric.bandwidth"
    more = ("load=false",) if test == "tag_lat" else ("directions=one", f"verify={share} %", *parameters)
    device = ("device=lo",) if transports == "tcp" else ()
    with tempfile.TemporaryDirectory() as folder:
        ranks = []
        for rank, cards in enumerate(cards_server.serve(folder, 2)):
            environment = {**os.environ, "RACKPROOF_RANK": str(rank), "RACKPROOF_ROUNDS": "0=a,1=b",
                           "RACKPROOF_CARDS": str(cards)}  # fmt: skip
            command = [settings.program, settings.checks / f"{name}.so", f"transports={transports}", *device, *more]
            ranks.append(subprocess.Popen(bound(settings.cpus[1 - rank], command), env=environment, text=True,
                                          stdout=subprocess.PIPE))  # fmt: skip
        out, _ = ranks[0].communicate(timeout=120)
        ranks[1].communicate(timeout=120)
    metric = "latency" if test == "tag_lat" else "bandwidth"
    said = [json.loads(line) for line in out.splitlines()]
    [found] = [report for report in said if report.get("metric") == metric]
    if metric == "latency":
        return found["value"]
    return found["counted"]["amount"] / found["counted"]["nanoseconds"]


def interval(ratios, chance):
    """Geometric mean and its bootstrap 95 % interval."""
    logs = [math.log(ratio) for ratio in ratios]
    means = sorted(statistics.fmean(chance.choices(logs, k=len(logs))) for _ in range(5000))
    return tuple(math.exp(value) for value in (statistics.fmean(logs), means[124], means[4874]))


def compare(load, settings):
    has_share = not load.startswith("latency")
    runs = {"first": lambda: perftest(load, settings), "second": lambda: perftest(load, settings),
            "check": lambda: check(load, settings, 0)}  # fmt: skip
    if has_share:
        runs["verified"] = lambda: check(load, settings, settings.share)
    rounds = []
    for _ in range(settings.rounds):
        between = [name for name in runs if name not in ("first", "second")]
        settings.chance.shuffle(between)
        rounds.append({name: runs[name]() for name in ("first", *between, "second")})
    unit = "GB/s" if has_share else "us"
    middle = statistics.median(row["first"] for row in rounds)
    print(f"{load}: {len(rounds)} rounds, ucx_perftest's median {middle:.3f} {unit}")
    lines = [("ucx_perftest / ucx_perftest", [row["second"] / row["first"] for row in rounds]),
             ("check / ucx_perftest", [row["check"] / math.sqrt(row["first"] * row["second"]) for row in rounds])]  # fmt: skip
    if has_share:
        lines.append((f"{settings.share} % verified / none", [row["verified"] / row["check"] for row in rounds]))
    for name, ratios in lines:
        show(name, interval(ratios, settings.chance))
    calm = [row for row in rounds if abs(math.log(row["second"] / row["first"])) < CALM]
    if calm:
        ratios = [row["check"] / math.sqrt(row["first"] * row["second"]) for row in calm]
        show(f"check, {len(calm)} calm rounds", interval(ratios, settings.chance))


def show(name, ratio):
    mean, low, high = ratio
    print(f"    {name:28} {mean:.3f}   95 % [{low:.3f}, {high:.3f}]", flush=True)


def processors(text):
    return [int(one) for one in text.split(",")] if text else [None, None]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path, help="rackproof-check")
    parser.add_argument("--checks", required=True, type=pathlib.Path, help="folder of the checks")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--share", type=int, default=5, help="percent that is verified")
    parser.add_argument("--cpus", type=processors, default=[0, 1], help="one for each process; empty: not bound")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("loads", nargs="*", help=f"of {', '.join(LOADS)}; all when none is given")
    settings = parser.parse_args()
    settings.chance = random.Random(settings.seed)
    for load in settings.loads or LOADS:
        compare(load, settings)


if __name__ == "__main__":
    main()
