#!/usr/bin/env python3
"""How often a healthy node is accused: climbs recipes/acceptance.yaml on simulated nodes that differ in their noise alone.

Steps that measure this very machine (memory.bandwidth, storage.throughput) are left out, the pattern test too, and the load
is short, since it is the spread of the figures that is looked at. Printed: how many runs were not all pass, and why.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile

SHORT = ["hbm.tests=bandwidth", "burn.duration=500 ms", "burn.size=512", "burn.rounds=1", "links.watch=0 s"]


def short_recipe(source, folder):
    text = (source / "recipes" / "acceptance.yaml").read_text()
    for step in ("ram", "scratch"):
        text = re.sub(rf"      - id: {step}\n(?:        .*\n)+", "", text)
    text = re.sub(r"  - layer: storage\n    steps:\n", "", text)
    text = re.sub(r" +- (pattern_errors|tested_of_free|tested_share) .*\n", "", text)
    recipe = folder / "acceptance.yaml"
    recipe.write_text(text)
    return recipe


def climb(args, recipe, folder, seed):
    """The reasons of what did not pass; empty when all is well."""
    profile = folder / f"{args.profile}-{seed}.yaml"
    original = (args.build / "bin" / "simulator" / "profiles" / f"{args.profile}.yaml").read_text()
    profile.write_text(re.sub(r"^seed: .*$", f"seed: {seed}", original, flags=re.MULTILINE))
    run = folder / f"run-{seed}"
    argv = [args.build / "bin" / "rackproof", "run", recipe, "--simulate", profile, "--output", run, "--quiet"]
    if args.limits:
        argv += ["--limits", args.source / "recipes" / "limits" / f"{args.limits}.yaml"]
    for one in SHORT:
        argv += ["--set", one]
    try:
        done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        return ["no end within 600 s"]
    reasons = []
    if not (run / "journal.jsonl").exists():
        return [done.stderr.strip()]
    for line in (run / "journal.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "trial_judged" and event["outcome"] not in ("pass", "info"):
            reasons.append(f"{event['trial']}: {event['outcome']}: {event['reason']}")
    (run / "journal.jsonl").unlink()
    return reasons or ([] if done.returncode == 0 else [f"exit {done.returncode}: {done.stderr.strip()}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--source", type=pathlib.Path, default=here)
    parser.add_argument("--build", type=pathlib.Path, default=here / "build")
    parser.add_argument("--profile", default="hgx-h100-8")
    parser.add_argument("--limits", default="hgx-h100", help="name in recipes/limits; empty: none")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2)
    args = parser.parse_args()

    accused = collections.Counter()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="rackproof-healthy-") as name:
        folder = pathlib.Path(name)
        recipe = short_recipe(args.source, folder)
        with concurrent.futures.ThreadPoolExecutor(args.at_once) as pool:
            seeds = range(args.first_seed, args.first_seed + args.runs)
            for number, reasons in enumerate(pool.map(lambda seed: climb(args, recipe, folder, seed), seeds), 1):
                failed += bool(reasons)
                accused.update(re.sub(r"[0-9.]+", "#", reason)[:160] for reason in reasons)
                for reason in reasons:
                    print(f"seed {args.first_seed + number - 1}: {reason}", file=sys.stderr, flush=True)
    print(f"{args.runs} healthy {args.profile}, limits {args.limits or 'none'}: {failed} were not all pass")
    for reason, times in accused.most_common():
        print(f"{times:6} {reason}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
