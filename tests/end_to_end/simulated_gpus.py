"""What the tests of checks on simulated GPUs share: one step on a simulated node, and whom its verdict names."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import support
from support import BUILD, CHECKS, RACKPROOF_CHECK

SIMULATOR = BUILD / "bin" / "simulator" / "rackproof-simulator"
REHEARSALS = BUILD / "bin" / "simulator" / "checks"
NODE = "hgx-h100-8"
# By their numbers in faults.
GPUS = [f"pci:0000:{bus}:00.0" for bus in ("17", "18", "3f", "40", "9d", "9e", "c7", "c8")]


class LaidOutNodes(support.TestCase):
    """Tests that run checks on simulated nodes which are laid out once for all of them, by profile and faults."""

    @classmethod
    def setUpClass(cls):
        # Thousands of small files: in memory, where there is such a place.
        memory = "/dev/shm"
        cls.place = pathlib.Path(
            tempfile.mkdtemp(prefix="rackproof-test-", dir=memory if os.access(memory, os.W_OK) else None)
        )
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.nodes = {}

    def node(self, *faults, profile=NODE, copy=0):
        """The folder of such a node; another one for each `copy`."""
        key = (profile, copy, *faults)
        if key not in self.nodes:
            self.nodes[key] = self.place / f"node{len(self.nodes)}"
            options = [word for fault in faults for word in ("--fault", fault)]
            command = [SIMULATOR, "lay-out", profile, self.nodes[key], *options]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return self.nodes[key]

    def environment_on(self, node, **more):
        return self.environment(
            RACKPROOF_SIMULATION=str(node),
            RACKPROOF_SYSROOT=str(node / "sysroot"),
            LD_LIBRARY_PATH=str(BUILD / "bin" / "simulator" / "lib"),
            **more,
        )


class TestCase(support.TestCase):
    def judged(self, step, *faults, profile=NODE):
        """Runs one step: the outcome, and the findings as {device: [text …]}."""
        run = self.folder / f"run{len(list(self.folder.glob('run*')))}"
        options = [word for fault in faults for word in ("--fault", fault)]
        self.rackproof("run", self.recipe(step), "--output", run, "--simulate", profile, *options)
        verdict = next(event for event in support.events(run) if event["event"] == "trial_judged")
        named = {}
        for finding in verdict.get("findings", []):
            named.setdefault(finding.get("device", ""), []).append(finding["text"])
        return verdict["outcome"], named

    def reports(self, check, *faults, profile=NODE, library=None, **parameters):
        """What the check itself says on such a node, one report after the other."""
        # A node is two thousand small files, for which a disk takes its time.
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else self.folder) as folder:
            node = pathlib.Path(folder) / "node"
            options = [word for fault in faults for word in ("--fault", fault)]
            subprocess.run([SIMULATOR, "lay-out", profile, node, *options], check=True, stdout=subprocess.DEVNULL)
            done = subprocess.run(
                [
                    RACKPROOF_CHECK, library or support.simulated_edition(check),
                    *(f"{name}={value}" for name, value in parameters.items()),
                ],
                env=self.environment(
                    RACKPROOF_SYSROOT=str(node / "sysroot"), RACKPROOF_SIMULATION=str(node),
                    LD_LIBRARY_PATH=str(BUILD / "bin" / "simulator" / "lib"),
                ),
                capture_output=True, text=True, timeout=support.PATIENCE,
            )  # fmt: skip
        self.assertEqual(0, done.returncode, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]


def has_both_editions(check):
    """Whether the check stands as nvcc built it and as a rehearsal edition; without a toolkit there is only the latter."""
    return (REHEARSALS / f"{check}.so").exists() and os.path.exists(CHECKS / f"{check}.so")


def figures(reports, metric):
    """{device: value} of a metric."""
    return {report["device"]: report["value"] for report in reports if report.get("metric") == metric}


def notes(reports):
    return [report["text"] for report in reports if report["report"] == "note"]
