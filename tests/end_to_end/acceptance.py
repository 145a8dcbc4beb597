"""Climbs recipes/acceptance.yaml on simulated nodes: healthy ones pass with their platform's limits, each fault fails the
layer that it should, names its part and no other; without a GPU every GPU step says why it could not run."""

import concurrent.futures
import json
import os
import re
import xml.etree.ElementTree

import support
from support import SOURCE

RECIPE = SOURCE / "recipes" / "acceptance.yaml"
LIMITS = SOURCE / "recipes" / "limits"
GPUS = ["17", "18", "3f", "40", "9d", "9e", "c7", "c8"]  # buses of the simulated HGX H100, as the profile counts its GPUs

# What is broken: the steps that find it, and the buses that each names.
FAULTS = [
    ("gpu:2 missing", "health", []),  # nobody can name what is not there; the board's eight are counted
    ("gpu:5 lost", "gpus health", ["9e"]),
    ("gpu:3 link width 8", "links", ["40"]),
    ("gpu:3 link speed 8 GT/s", "links", ["40"]),
    ("gpu:3 link errors", "copies", ["40"]),
    ("switch:1 uplink 88 %", "copies", ["3d"]),
    ("gpu:3 flips copies", "copies", ["40"]),
    ("gpu:1 flips memory stuck", "hbm", ["18"]),
    ("gpu:1 flips memory coupled", "hbm", ["18"]),
    ("gpu:1 flips memory rare", "hbm", ["18"]),
    ("gpu:1 memory full", "health", ["18"]),
    ("gpu:4 process", "health", ["9d"]),
    ("gpu:0 ecc uncorrected", "hbm", ["17"]),
    ("gpu:0 remap pending", "health", ["17"]),
    ("gpu:0 remap rising", "hbm", ["17"]),
    ("gpu:7 flips gemm random", "burn", ["c8"]),
    ("gpu:7 flips gemm always", "burn", ["c8"]),
    ("gpu:6 slow 5 %", "hbm", ["c7"]),
    ("gpu:6 slow 30 %", "hbm", ["c7"]),
    ("gpu:6 throttles thermal after 8 s", "burn", ["c7"]),
    ("gpu:5 nvlink 3 down", "health", ["9e"]),
    ("gpu:5 nvlink 3 errors", "peers", ["9e"]),
    ("gpu:4 flips peer copies", "peers", ["9d"]),
    ("gpu:4 flips collective", "allreduce", ["9d"]),
    ("gpu:4 nccl hung", "allreduce", ["9d"]),
    ("gpu:2 xid 79", "health", ["3f"]),
    ("fabric down", "health", ["17", "18", "3f", "40", "9d", "9e", "c7", "c8"]),
]


class Acceptance(support.TestCase):
    def short_recipe(self):
        """The recipe without what would measure this very machine, and with a short load."""
        text = RECIPE.read_text()
        for step in ("ram", "scratch"):
            text, found = re.subn(rf"      - id: {step}\n(?:        .*\n)+", "", text)
            self.assertEqual(1, found, step)
        text = re.sub(r"  - layer: storage\n    steps:\n", "", text)
        return self.write("acceptance.yaml", text)

    def climb(self, profile, *faults, limits=None, code=0, folder="run", recipe=None):
        options = [word for fault in faults for word in ("--fault", fault)]
        if limits:
            options += ["--limits", LIMITS / f"{limits}.yaml"]
        return self.run_recipe(
            recipe or self.short_recipe(), "--simulate", profile, "--set", "burn.duration=2 s", "--set", "allreduce.timeout=2 s",
            *options, code=code, folder=folder,
        )

    def buses(self, run, step):
        """The buses of the parts that a step's findings name."""
        named = set()
        for event in support.events(run):
            if event["event"] == "trial_judged" and event["trial"].startswith(step + "@"):
                for finding in event.get("findings", []):
                    if finding["outcome"] == "fail":
                        named.update(re.findall(r"^pci:0000:(\w\w):", finding.get("device", "")))
        return sorted(named)

    def test_healthy_nodes_pass_with_the_limits_of_their_platform(self):
        for profile, limits in [("hgx-h100-8", "hgx-h100"), ("hgx-a100-8", "hgx-a100"), ("hgx-b200-8", "hgx-b200"),
                                ("pcie-l40s-4", None)]:
            with self.subTest(profile):
                run = self.climb(profile, limits=limits, folder=profile)
                self.assertEqual({"pass"}, set(support.outcomes(run).values()), support.verdicts(run))

    def test_each_fault_fails_its_layer_and_names_its_part(self):
        recipe = self.short_recipe()

        def climb(number):
            folder = f"run-{number}"
            return self.climb("hgx-h100-8", FAULTS[number][0], limits="hgx-h100", code=1, folder=folder, recipe=recipe)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = [pool.submit(climb, number) for number in range(len(FAULTS))]
        for (fault, steps, buses), ended in zip(FAULTS, runs):
            with self.subTest(fault):
                run = ended.result()
                failed = [name for name, outcome in support.outcomes(run).items() if outcome == "fail"]
                self.assertEqual(steps.split(), failed, support.verdicts(run))
                for step in steps.split():
                    self.assertEqual(buses, self.buses(run, step), support.verdicts(run)[step])

    def test_two_faults_at_once_are_both_named(self):
        run = self.climb("hgx-h100-8", "gpu:1 flips memory stuck", "gpu:6 flips memory rare", limits="hgx-h100", code=1)
        self.assertEqual(["18", "c7"], self.buses(run, "hbm"))

    def test_that_it_is_simulated_stands_in_every_export(self):
        run = self.climb("hgx-h100-8", "gpu:3 link width 8", code=1)
        for form in ("json", "graphml", "yed", "dot"):
            text = self.assert_exit(0, self.rackproof("export", run, "--format", form)).out
            self.assertIn("simulated", text.lower(), form)
            self.assertIn("hgx-h100-8", text, form)
        json.loads(self.rackproof("export", run, "--format", "json").out)
        xml.etree.ElementTree.fromstring(self.rackproof("export", run, "--format", "graphml").out)

    def test_without_a_gpu_every_gpu_step_says_why_and_none_passes(self):
        text = re.sub(r"        needs: .*\n", "", self.short_recipe().read_text())
        text = re.sub(r"(      - id: \w+\n)", r"\1        needs: []\n", text)
        recipe = self.write("no-gpu.yaml", text)
        run = self.run_recipe(recipe, "--sysroot", self.empty_machine(), code=3)
        for step, (outcome, reason) in support.verdicts(run).items():
            if step in ("inventory", "links", "ports"):
                continue
            self.assertIn(outcome, ("error", "skip"), (step, reason))
            self.assertRegex(reason, r"no NVIDIA GPU|built without", step)
            self.assertEqual(outcome, "skip" if step in ("peers", "allreduce") else "error", step)

    def test_without_a_gpu_what_is_blocked_says_why(self):
        text = re.sub(r"(      - id: (?:gpus|health)\n)", r"\1        needs: []\n", self.short_recipe().read_text())
        run = self.run_recipe(self.write("no-gpu.yaml", text), "--sysroot", self.empty_machine(), code=3)
        verdicts = support.verdicts(run)
        for step in ("copies", "hbm", "burn", "peers", "allreduce"):
            outcome, reason = verdicts[step]
            self.assertEqual("blocked", outcome, step)
            self.assertRegex(reason, r"^not tried: it needs .*; (gpus|health): .*no NVIDIA GPU", step)

    def empty_machine(self):
        machine = self.folder / "machine"
        (machine / "sys").mkdir(parents=True)
        (machine / "proc").mkdir()
        return machine


if __name__ == "__main__":
    support.main()
