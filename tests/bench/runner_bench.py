"""What the runner itself costs, beside what others take for the same: medians of interleaved runs, as a table."""
import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TRIALS = 200
PLAN = 10_000
EVENTS = 1_000_000


def recipe(steps, check="selftest.pass"):
    lines = ["recipe: bench", "layers:", "  - layer: bench", "    steps:"]
    for i in range(steps):
        lines.append(f"      - {{ id: s{i}, check: {check}, needs: [] }}")
    return "\n".join(lines) + "\n"


def seconds_of(argv):
    start = time.perf_counter()
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return time.perf_counter() - start, done


def peak_mb(argv):
    """Largest resident set of a command, from /usr/bin/time's own bookkeeping: wait4 of a child of ours."""
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_maxrss * 1024 / 1e6


def interleaved(rounds, things):
    """Median seconds by name of callables that give seconds, in a new random order each round."""
    taken = {name: [] for name in things}
    for _ in range(rounds):
        order = list(things)
        random.shuffle(order)
        for name in order:
            taken[name].append(things[name]())
    return {name: statistics.median(values) for name, values in taken.items()}


def reported(argv):
    """Seconds and MB that graph_bench prints."""
    out = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.decode()
    seconds, mb = re.match(r"([\d.]+) s ([\d.]+) MB", out).groups()
    return float(seconds), float(mb)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("rackproof", "check-program", "checks", "graph-bench"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="rackproof-bench-")
    rows = []
    try:
        def path(name):
            return os.path.join(folder, name)
        with open(path("trials.yaml"), "w") as out:
            out.write(recipe(TRIALS))
        with open(path("none.yaml"), "w") as out:
            out.write(recipe(1))
        with open(path("plan.yaml"), "w") as out:
            out.write(recipe(PLAN))
        library = os.path.join(args.checks, "selftest.pass.so")

        def run(which):
            shutil.rmtree(path("run"), ignore_errors=True)
            seconds, done = seconds_of([args.rackproof, "run", path(which), "-q", "-o", path("run")])
            assert done.returncode == 0, done.stderr
            return seconds

        def bare():
            start = time.perf_counter()
            for _ in range(TRIALS):
                pid = os.posix_spawn(args.check_program, [args.check_program, library], os.environ, file_actions=[
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
                os.waitpid(pid, 0)
            return time.perf_counter() - start

        medians = interleaved(args.rounds, {"many": lambda: run("trials.yaml"), "one": lambda: run("none.yaml"), "bare": bare})
        trial = (medians["many"] - medians["one"]) / (TRIALS - 1) * 1e3
        alone = medians["bare"] / TRIALS * 1e3
        rows.append(("a trial of a check that does nothing", f"{trial:.2f} ms", "at most 2 ms",
                     f"{trial / alone:.2f} of rackproof-check alone ({alone:.2f} ms)"))
        plan = interleaved(args.rounds, {"plan": lambda: seconds_of([args.rackproof, "plan", path("plan.yaml")])[0]})["plan"]
        rows.append((f"a plan of {PLAN} trials", f"{plan:.3f} s", "under 0.3 s", "recipe read, checked and printed"))
        with open(path("flood.yaml"), "w") as out:
            out.write(recipe(1, "selftest.flood"))
        rows.append(("the runner's memory while a check floods it",
                     f"{peak_mb([args.rackproof, 'run', path('flood.yaml'), '-q', '-o', path('flood')]):.1f} MB",
                     "under 50 MB", "a million lines"))

        subprocess.run([args.graph_bench, "make-journal", str(EVENTS), path("journal.jsonl")], check=True)
        size = os.path.getsize(path("journal.jsonl")) / 1e6
        replays = [reported([args.graph_bench, "replay", path("journal.jsonl")]) for _ in range(args.rounds)]
        rows.append((f"replay of {EVENTS} events ({size:.0f} MB) into the graph",
                     f"{statistics.median(s for s, _ in replays):.2f} s, {max(m for _, m in replays):.0f} MB",
                     "under 2 s and 1 GB", ""))
        graphs = {"ours": [], "boost": []}
        for _ in range(args.rounds):
            graphs["ours"].append(reported([args.graph_bench, "make-graph", path("ours.graphml")]))
            graphs["boost"].append(reported([args.graph_bench, "write-boost", path("boost.graphml")]))
        ours = statistics.median(s for s, _ in graphs["ours"])
        boost = statistics.median(s for s, _ in graphs["boost"])
        rows.append(("GraphML of 300,000 vertices x 6, 600,000 edges x 2",
                     f"{ours:.2f} s, {max(m for _, m in graphs['ours']):.0f} MB", "under 1 s and 200 MB",
                     f"{ours / boost:.2f} of boost::write_graphml ({boost:.2f} s, six digits)"))
    finally:
        shutil.rmtree(folder)

    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
