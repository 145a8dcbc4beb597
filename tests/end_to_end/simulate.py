"""Climbs recipes on simulated nodes: what is broken there is named, that it is simulated is said, nothing stays behind."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import support
from support import BUILD, SOURCE

NODE = "hgx-h100-8"
SIMULATOR = BUILD / "bin" / "simulator" / "rackproof-simulator"
LIMITS = "expect: [ width == 100 % of width_capable, speed == 100 % of speed_capable ]"
LINKS = f"id: links, check: pcie.link, with: {{ watch: 0 s }}, {LIMITS}"
SLOW = f"id: links, check: pcie.link, with: {{ watch: 60 s }}, {LIMITS}"
INVENTORY = "id: inventory, check: host.inventory, watch: [host.counters], expect: [ gpus == 8, count(uncorrected) == 1 ]"


class Simulate(support.TestCase):
    def setUp(self):
        super().setUp()
        # Where simulated nodes are laid out, so that what is left of them is seen.
        self.nodes = self.folder / "nodes"
        self.nodes.mkdir()

    def environment(self, **more):
        return super().environment(**{"TMPDIR": str(self.nodes), **more})

    def simulate(self, recipe, *faults, code=0, folder="run", profile=NODE):
        options = [word for fault in faults for word in ("--fault", fault)]
        run = self.run_recipe(recipe, "--simulate", profile, *options, code=code, folder=folder)
        self.assert_cleared()
        return run

    def assert_cleared(self):
        self.assertEqual([], list(self.nodes.iterdir()), "a simulated node was left behind")

    def assert_cleared_soon(self, within=10):
        deadline = time.monotonic() + within
        while any(self.nodes.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assert_cleared()

    def await_trial(self, run):
        journal = run / "journal.jsonl"
        deadline = time.monotonic() + support.PATIENCE
        while time.monotonic() < deadline:
            if journal.exists() and '"trial_started"' in journal.read_text():
                return
            time.sleep(0.02)
        self.fail("no trial was started")

    def test_the_lower_layers_pass_on_every_healthy_node(self):
        recipe = self.recipe(
            "id: inventory, check: host.inventory, expect: [ packages >= 1, cores >= 1, gpus >= 1 ]",
            LINKS,
            defaults="watch: [host.counters]",
        )
        names = [line.split()[0] for line in self.listed().splitlines()]
        self.assertLessEqual({"hgx-h100-8", "hgx-a100-8", "hgx-b200-8", "pcie-l40s-4"}, set(names))
        for name in names:
            with self.subTest(name):
                run = self.simulate(recipe, profile=name, folder=name)
                self.assertEqual({"inventory": "pass", "links": "pass"}, support.outcomes(run))
                self.assertEqual({name}, {event["node"] for event in support.events(run)})

    def listed(self):
        return subprocess.run([SIMULATOR, "list"], capture_output=True, text=True, check=True).stdout

    def test_a_fault_is_blamed_on_its_gpu_alone(self):
        run = self.simulate(self.recipe(LINKS), "gpu:3 link width 8", code=1)
        reason = support.verdicts(run)["links"][1]
        self.assertIn("pci:0000:40:00.0", reason)
        self.assertIn("width is 8 lanes", reason)
        self.assertEqual(1, reason.count("pci:"))

    def test_two_faults_at_once_are_both_named(self):
        run = self.simulate(self.recipe(LINKS), "gpu:3 link width 8", "gpu:6 link speed 8 GT/s", code=1)
        shown = self.rackproof("show", run).out
        self.assertIn("pci:0000:40:00.0", shown)
        self.assertIn("pci:0000:c7:00.0", shown)
        self.assertNotIn("pci:0000:3f:00.0", shown)

    def test_a_missing_gpu_is_missed(self):
        run = self.simulate(self.recipe(INVENTORY), "gpu:3 missing", code=1)
        self.assertIn("gpus is 7", support.verdicts(run)["inventory"][1])

    def test_it_is_said_everywhere(self):
        run = self.folder / "run"
        done = self.rackproof(
            "run", self.recipe(LINKS), "-o", run, "--simulate", NODE, "--fault", "gpu:3 link width 8"
        )
        said = f"{NODE} with gpu:3 link width 8"
        self.assertEqual(1, done.code)
        self.assertIn("SIMULATED", done.out)
        self.assertIn("SIMULATED", self.rackproof("show", run).out)
        self.assertIn("SIMULATED", self.rackproof("judge", run).out)
        self.assertIn("SIMULATED", self.rackproof("show", run, "--quiet").out)
        says = [event["says"] for event in support.events(run) if event["event"] == "reported"]
        self.assertEqual({"report": "simulated", "by": said}, says[0])
        facts = support.events(run)[0]["facts"]
        self.assertEqual((NODE, "gpu:3 link width 8"), (facts["simulated_profile"], facts["simulated_faults"]))
        for form in ("graphml", "yed", "json", "dot"):
            with self.subTest(form):
                self.assertIn(said, self.assert_exit(0, self.rackproof("export", run, "-f", form)).out)

    def test_what_is_wrong_is_one_sentence(self):
        recipe = self.recipe(LINKS)
        own = self.write("own.yaml", "profile: own\nsocket: 2\n")
        for arguments, sentence in (
            (["--simulate", "hgx-x100"], "--simulate hgx-x100: there is no profile 'hgx-x100': there are hgx-a100-8, "),
            (["--simulate", own], f"{own}:1:1: the profile has no field 'summary'"),
            (["--simulate", NODE, "--fault", "gpu:9 lost"], "there is no gpu:9: hgx-h100-8 has gpu:0 to gpu:7"),
            (["--simulate", NODE, "--fault", "gpu:3 lnik width 8"], "'lnik' does not fit: after 'gpu:3' comes"),
            (["--simulate", NODE, "--fault", ""], "a fault is a sentence such as"),
            (["--fault", "gpu:3 lost"], "--fault requires --simulate"),
            (["--simulate", NODE, "--sysroot", self.folder], "excludes"),
            (["--simulate", NODE, "--resume", self.folder], "excludes"),
        ):
            with self.subTest(arguments):
                done = self.assert_exit(2, self.rackproof("run", recipe, *arguments))
                self.assertEqual("", done.out)
                self.assert_one_line(done.err)
                self.assertIn(sentence, done.err)
                self.assert_cleared()
        self.assertFalse((self.folder / "rackproof-runs").exists())

    def test_a_folder_that_cannot_be_made_is_said(self):
        done = self.rackproof("run", self.recipe(LINKS), "--simulate", NODE, environment={"TMPDIR": "/nowhere"})
        self.assert_exit(2, done)
        self.assert_one_line(done.err)

    def test_the_node_is_cleared_away_however_the_run_ends(self):
        for name, code in (("SIGINT", 130), ("SIGTERM", 143)):
            with self.subTest(name):
                run = self.folder / name
                process = self.start("run", self.recipe(SLOW), "-o", run, "--simulate", NODE)
                self.await_trial(run)
                self.assertNotEqual([], list(self.nodes.iterdir()))
                process.send_signal(getattr(signal, name))
                self.assertEqual(code, self.end_of(process).code)
                self.assert_cleared()
                self.assert_closed(run, name)

    def test_a_run_that_was_killed_is_resumed_on_the_same_node(self):
        run = self.folder / "run"
        process = self.start(
            "run", self.recipe(SLOW), "-o", run, "--simulate", NODE, "--fault", "gpu:3 link width 8",
            "--fault", "gpu:6 link speed 8 GT/s",
        )  # fmt: skip
        self.await_trial(run)
        process.kill()
        process.communicate()
        self.assert_cleared_soon()
        # So that the test need not wait for a minute.
        changed = support.events(run)
        for event in changed:
            if event["event"] == "step_planned":
                event["with"]["watch"] = "0 s"
        support.write_events(run, changed)
        refused = self.assert_exit(2, self.rackproof("run", "--resume", run, "--sysroot", "/"))
        self.assertIn("simulated node", refused.err)
        self.assert_exit(1, self.rackproof("run", "--resume", run))
        self.assert_cleared()
        shown = self.rackproof("show", run).out
        self.assertIn("pci:0000:40:00.0", shown)
        self.assertIn("pci:0000:c7:00.0", shown)

    def test_every_profile_and_every_fault_is_told(self):
        page = (SOURCE / "docs" / "simulator.md").read_text()
        told = subprocess.run([SIMULATOR, "faults"], capture_output=True, text=True, check=True).stdout
        for line in told.splitlines():
            self.assertIn(f"| `{line[:40].strip()}` |", page)
        for line in self.listed().splitlines():
            self.assertIn(f"| `{line.split()[0]}` |", page)

    def test_a_profile_of_ones_own_is_simulated(self):
        text = (SOURCE / "tests" / "simulator" / "profiles" / "pcie-l40s-4.yaml").read_text()
        own = self.write("mine/own.yaml", text.replace("profile: pcie-l40s-4", "profile: own-node"))
        run = self.simulate(self.recipe(LINKS), profile="mine/own.yaml")
        self.assertEqual({"own-node"}, {event["node"] for event in support.events(run)})
        self.assertEqual(str(own), support.events(run)[0]["facts"]["simulated_profile"])

    def test_the_real_machine_is_not_said_to_be_simulated(self):
        run = self.run_recipe(self.recipe("id: inventory, check: host.inventory, expect: [ threads >= 1 ]"))
        self.assertNotIn("simulated", (run / "journal.jsonl").read_text().lower())

    def test_without_the_simulator_it_is_said_that_it_is_not_installed(self):
        folder = self.folder / "bin"
        folder.mkdir()
        shutil.copy(support.RACKPROOF, folder)
        for name in ("rackproof-check", "checks"):
            (folder / name).symlink_to(pathlib.Path(support.RACKPROOF).parent / name)
        done = subprocess.run(
            [folder / "rackproof", "run", self.recipe(LINKS), "--simulate", NODE],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=support.PATIENCE,
        )  # fmt: skip
        self.assertEqual((2, ""), (done.returncode, done.stdout))
        self.assertIn("the simulator is not installed", done.stderr)

    def test_an_installed_simulator_is_found(self):
        if shutil.which("cmake") is None or not os.access(BUILD / "cmake_install.cmake", os.W_OK):
            self.skipTest("not checked: there is no build of one's own to install from")
        prefix = self.folder / "prefix"
        for component in ("Unspecified", "simulator"):
            done = subprocess.run(
                ["cmake", "--install", BUILD, "--prefix", prefix, "--component", component],
                capture_output=True, text=True, timeout=support.PATIENCE,
            )  # fmt: skip
            self.assertEqual(0, done.returncode, done.stderr)
            installed = prefix / "libexec" / "rackproof" / "simulator"
            self.assertEqual(component == "simulator", installed.exists())
        done = subprocess.run(
            [prefix / "bin" / "rackproof", "run", self.recipe(LINKS), "--simulate", NODE, "-o", self.folder / "run"],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=support.PATIENCE,
        )  # fmt: skip
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        self.assert_cleared()


if __name__ == "__main__":
    support.main()
