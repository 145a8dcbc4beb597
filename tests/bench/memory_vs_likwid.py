#!/usr/bin/env python3
"""Compares memory.bandwidth with likwid-bench: the same loops, sizes, threads and CPUs, in interleaved pairs.

A shared machine changes its speed from second to second, so only runs taken side by side can be compared: each pair
runs both programs one after the other in random order, and what counts is their ratio. Printed for each loop: the
medians, the median ratio ours/likwid with a bootstrap 95 % confidence interval, and whether that lies within 5 %.

A pair during which anybody else (other processes, the hypervisor) took more than --foreign percent of the CPUs' time is
dropped and tried again, whatever it measured: with both CPUs shared, the two programs' different ways of averaging differ.
"""
import argparse
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import time

# ours: (likwid's loop for each instruction set, arrays it streams through, bytes an element)
LOOPS = {
    "copy": ({"avx2": "copy_mem_avx", "avx512": "copy_mem_avx512"}, 2, 16),
    "triad": ({"avx2": "stream_mem_avx_fma", "avx512": "stream_mem_avx512"}, 3, 24),
    "read": ({"avx2": "load_avx", "avx512": "load_avx512"}, 1, 8),
    "write": ({"avx2": "store_mem_avx", "avx512": "store_mem_avx512"}, 1, 8),
}
RUN_SECONDS = 1.2
LIMIT_SECONDS = 120


def run(argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def ours(args, loop):
    """GB/s, and whether the samples were steady."""
    text = run([args.check_program, args.library, f"kernel={loop}", f"cores={args.cores}", f"size={args.size_mb} MB",
                f"instructions={args.instructions}", f"pages={args.pages}"])
    metric = loop + ("_one_core" if args.cores == "one" else "")
    for line in text.splitlines():
        report = json.loads(line)
        if report["report"] == "fault" or report["report"] == "trouble":
            sys.exit(f"{args.library}: {line}")
        if report["report"] == "measurement" and report["metric"] == metric:
            return report["value"], report["samples"]["steady"]
    sys.exit(f"{args.library} did not measure {metric}")


def likwid(args, loop, threads, expected):
    """GB/s of about RUN_SECONDS, whose number of passes follows from the rate that is expected."""
    names, arrays, _ = LOOPS[loop]
    work = f"N:{args.size_mb * arrays}MB:{threads}"
    passes = max(2, round(RUN_SECONDS * expected * 1e9 / passed_bytes(args, loop)))
    text = run(["likwid-bench", "-t", names[args.instructions], "-W", work, "-i", str(passes)])
    rate = re.search(r"^MByte/s:\s+([0-9.]+)", text, re.MULTILINE)
    if rate is None:
        sys.exit(f"likwid-bench {names[args.instructions]} printed no rate:\n{text}")
    return float(rate.group(1)) / 1000


def passed_bytes(args, loop):
    return args.size_mb * 1_000_000 / 8 * LOOPS[loop][2]


def physical_cores():
    """As many as the check uses: one thread for each core among the CPUs that this process may use."""
    cores = set()
    for cpu in os.sched_getaffinity(0):
        with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", encoding="ascii") as siblings:
            cores.add(siblings.read())
    return len(cores)


def busy_seconds():
    """CPU time that was not idle, of all CPUs and by anybody, time stolen by a hypervisor included."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


class ForeignTime:
    """Percent of all CPUs' time that others took since this was made."""

    def __init__(self):
        self.begin = time.monotonic(), busy_seconds(), own_seconds()

    def percent(self):
        wall, busy, own = (now - then for now, then in
                           zip((time.monotonic(), busy_seconds(), own_seconds()), self.begin))
        return 100 * (busy - own) / (wall * os.cpu_count())


def bootstrap(ratios, chance, rounds=10000):
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(rounds))
    return medians[int(0.025 * rounds)], medians[int(0.975 * rounds) - 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check-program", required=True, help="rackproof-check")
    parser.add_argument("--library", required=True, help="memory.bandwidth.so, by a path with a slash")
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--cores", choices=["all", "one"], default="all")
    parser.add_argument("--instructions", choices=["avx2", "avx512"], default="avx2")
    parser.add_argument("--pages", choices=["system", "huge"], default="system",
                        help="of ours; likwid's are the system's")
    parser.add_argument("--size-mb", type=int, default=256, help="of each array over all threads, in 10^6 bytes")
    parser.add_argument("--loops", nargs="+", choices=list(LOOPS), default=list(LOOPS))
    parser.add_argument("--foreign", type=float, default=3, help="percent of the CPUs' time that others may take")
    parser.add_argument("--at-most", type=float, default=30, help="minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", action="store_true", help="likwid against itself: what the method cannot resolve")
    args = parser.parse_args()

    threads = 1 if args.cores == "one" else physical_cores()
    chance = random.Random(args.seed)
    first = {loop: [] for loop in args.loops}
    second = {loop: [] for loop in args.loops}
    unsteady = dict.fromkeys(args.loops, 0)
    expected = {loop: ours(args, loop)[0] for loop in args.loops}
    end = time.monotonic() + args.at_most * 60
    dropped = 0
    while time.monotonic() < end:
        missing = [loop for loop in args.loops if len(first[loop]) < args.pairs]
        if not missing:
            break
        for loop in chance.sample(missing, len(missing)):
            foreign = ForeignTime()
            time.sleep(0.5)
            if foreign.percent() > args.foreign:
                continue  # no use in beginning a pair now
            sides = ["first", "second"]
            chance.shuffle(sides)
            rates = {}
            steady = True
            foreign = ForeignTime()
            for side in sides:
                if side == "first" and not args.control:
                    rates[side], steady = ours(args, loop)
                else:
                    rates[side] = likwid(args, loop, threads, expected[loop])
            kept = foreign.percent() <= args.foreign
            print(f"{loop}: {rates['first']:.1f} {rates['second']:.1f}, others took {foreign.percent():.1f} %"
                  f"{'' if kept else ', dropped'}", file=sys.stderr, flush=True)
            if not kept:
                dropped += 1
                continue
            first[loop].append(rates["first"])
            second[loop].append(rates["second"])
            unsteady[loop] += not steady

    name = "likwid" if args.control else "ours"
    print(f"{threads} thread(s), arrays of {args.size_mb} MB, {args.instructions}, pages {args.pages}; {dropped} pairs "
          f"dropped, because others took more than {args.foreign:g} % of the CPUs; GB/s are medians")
    print(f"| loop | likwid's | {name} | likwid | {name}/likwid | 95 % interval | within 5 % | pairs | unsteady |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for loop in args.loops:
        if len(first[loop]) < 6:
            print(f"| {loop} | | | | | | | {len(first[loop])} | |")  # too few for an interval
            continue
        ratios = [a / b for a, b in zip(first[loop], second[loop])]
        low, high = bootstrap(ratios, chance)
        within = "yes" if 0.95 <= low and high <= 1.05 else "no"
        print(f"| {loop} | {LOOPS[loop][0][args.instructions]} | {statistics.median(first[loop]):.1f} "
              f"| {statistics.median(second[loop]):.1f} | {statistics.median(ratios):.3f} "
              f"| {low:.3f} to {high:.3f} | {within} | {len(ratios)} | {unsteady[loop]} |")


if __name__ == "__main__":
    main()
