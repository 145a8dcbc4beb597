"""Runs recipes on clusters of four nodes that stand on this one machine, under Slurm and under mpirun: a slow node is named
and no other; a node that loses its power, a rank that stops, a controller that is killed end nothing but their own part."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import support
from support import BUILD, RACKPROOF, SOURCE

sys.path.append(str(SOURCE / "tests" / "support"))
from lab import Lab  # noqa: E402

NODES = ["rp01", "rp02", "rp03", "rp04"]
# Between the nodes of a lab UCX would take shared memory, which ends at their borders.
TCP = "{ transports: tcp, directions: each, time: 1 s, patience: 10 s }"
# What four nodes on two cores measure differs by more than it would on machines of their own.
QUICK = f"""recipe: quick
layers:
  - layer: host
    steps:
      - id: inventory
        check: host.inventory
        expect: [ packages >= 1, cores >= 1 ]
      - id: slow
        check: selftest.slow
        with: {{ seconds: 3 s }}
        expect: [ answer == 42 ]
  - layer: pairs
    steps:
      - id: paths
        check: fabric.bandwidth
        on: pairs
        rounds: 3
        with: {TCP}
        timeout: 60 s
        expect:
          - reached == 1
          - verify_errors == 0
"""
COMPARED = QUICK + "          - shortfall(bandwidth) <= 60 %\n"


def only_paths():
    """The quick recipe without what each node does by itself."""
    head, _, tail = QUICK.partition("  - layer: host\n")
    return head + tail[tail.index("  - layer: pairs"):]


class Cluster(support.TestCase):
    """A lab of its own for each test."""

    script = None
    engine = []

    def setUp(self):
        super().setUp()
        places = {"RACKPROOF_SOURCE": str(SOURCE), "RACKPROOF_BUILD": str(BUILD)}
        self.lab = Lab(self.script, environment=self.environment(**places))
        self.addCleanup(self.lab.down)
        # Nodes have a /tmp of their own; the build's folder they see.
        self.shared = pathlib.Path(tempfile.mkdtemp(prefix="cluster-", dir=BUILD))
        self.addCleanup(shutil.rmtree, self.shared, ignore_errors=True)
        self.addCleanup(self.clear_kept)

    def tearDown(self):
        self.lab.down()
        super().tearDown()

    def slow_down(self, node):
        """Its link to a tenth of the others'. These are held too: what two cores do without that is no network's rate."""
        for each in NODES:
            slowed = self.lab.do("slow", each, "50mbit" if each == node else "500mbit", check=False)
            if slowed.returncode != 0:
                self.skipTest(f"links cannot be slowed here: {slowed.stderr.strip()}")

    def clear_kept(self):
        """What nodes that were killed kept of their runs, which only they could have cleared away."""
        for kept in pathlib.Path("/var/tmp").glob("rackproof-agent-*"):
            shutil.rmtree(kept, ignore_errors=True)

    def recipe(self, text):
        path = self.shared / "recipe.yaml"
        path.write_text(text)
        return path

    def begin(self, *arguments, folder="run"):
        words = [RACKPROOF, "run", *arguments, *self.engine, "--silent-for", "12", "--answer-within", "40", "-o",
                 self.folder / folder]
        return subprocess.Popen(self.lab.command("rpctl", *words), env=self.lab.environment, text=True, cwd=SOURCE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def end(self, process, code):
        out, err = process.communicate(timeout=4 * support.PATIENCE)
        self.assertEqual(code, process.returncode, out + err)
        return out

    def outcomes(self, step, folder="run"):
        return {event["node"]: event["outcome"] for event in support.events(self.folder / folder)
                if event["event"] == "trial_judged" and event["trial"].startswith(step + "@")}

    def reason(self, trial, folder="run"):
        return [event["reason"] for event in support.events(self.folder / folder)
                if event["event"] == "trial_judged" and event["trial"] == trial][-1]

    def wait_for(self, is_so, what, folder="run"):
        deadline = time.monotonic() + support.PATIENCE
        while time.monotonic() < deadline:
            journal = self.folder / folder / "journal.jsonl"
            if journal.exists() and is_so(support.events(journal)):
                return
            time.sleep(0.05)
        self.fail(f"{what} did not come")

    def started(self, step):
        return lambda events: sum(event["event"] == "trial_started" and event["trial"].startswith(step + "@")
                                  for event in events) >= len(NODES)

    def expect_compared(self, step, *others, folder="run"):
        """The others pass, or at worst had no steady figures: how calm this machine is decides nothing."""
        expected = dict(others)
        found = self.outcomes(step, folder)
        for node in NODES:
            reason = self.reason(f"{step}@{node}", folder)
            if found[node] == "error" and node not in expected and re.search("no steady|have steady figures", reason):
                continue
            self.assertEqual(expected.get(node, "pass"), found[node], f"{node}: {reason}")
        self.assertEqual("pass", found["fabric"])

    def expect_all(self, step, outcome, *others, folder="run"):
        expected = {node: outcome for node in NODES}
        expected.update(dict(others))
        found = self.outcomes(step, folder)
        self.assertEqual(expected, {node: found.get(node) for node in NODES},
                         {node: self.reason(f"{step}@{node}", folder) for node in NODES})


class OnSlurm(Cluster):
    script = "slurm_cluster"
    engine = ["--on", "slurm", "--partition", "main"]

    def test_the_rack_recipe_names_a_node_whose_link_is_a_tenth_and_no_other(self):
        self.slow_down("rp03")
        sets = ["bandwidth.at_most=1 s", "scratch.size=16 MiB", "scratch.duration=1 s", "latency.transports=tcp",
                "latency.load=false", "latency.time=1 s", "paths.transports=tcp", "paths.directions=each", "paths.time=4 s"]
        out = self.end(self.begin(SOURCE / "recipes" / "rack.yaml", *[word for each in sets for word in ("--set", each)]), 1)
        self.expect_compared("paths", ("rp03", "fail"))
        self.assertRegex(self.reason("paths@rp03"), r"rp03 sends and receives \d+ % below what the fleet carries")
        for layer in ("nodes", "host", "memory", "storage", "pairs"):
            self.assertIn(layer, out)
        self.assertFalse(list(pathlib.Path("/var/tmp").glob("rackproof-agent-rack-*")), "the nodes kept something")
        again = self.rackproof("judge", self.folder / "run", "-o", self.folder / "again")
        self.assertEqual(1, again.code, again)
        self.assertEqual(self.outcomes("paths"), self.outcomes("paths", "again"))
        self.assertEqual(self.reason("paths@rp03"), self.reason("paths@rp03", "again"))

    def test_a_node_that_loses_its_power_in_the_climb_is_named_and_the_others_are_measured(self):
        process = self.begin(self.recipe(QUICK))
        self.wait_for(self.started("slow"), "the slow step")
        self.lab.do("kill", "rp02")
        self.end(process, 3)
        self.expect_all("slow", "pass", ("rp02", "error"))
        self.expect_all("paths", "pass", ("rp02", "blocked"))
        self.assertEqual("pass", self.outcomes("paths")["fabric"])

    def kill_daemon(self, node):
        subprocess.run(["pkill", "-9", "-f", f"slurmd -D -N {node} -f {self.lab.folder}/"], check=True)

    def test_a_daemon_that_is_killed_in_mid_run_costs_what_comes_after_on_its_node(self):
        process = self.begin(self.recipe(QUICK))
        self.wait_for(self.started("slow"), "the slow step")
        self.kill_daemon("rp04")
        self.end(process, 3)
        self.expect_all("slow", "pass")
        self.expect_all("paths", "pass", ("rp04", "error"))
        self.assertIn("rp04", self.reason("paths@rp04"))

    def test_a_node_whose_daemon_is_dead_before_the_run_is_named(self):
        self.kill_daemon("rp04")
        self.end(self.begin(self.recipe(QUICK)), 3)
        self.expect_all("answer", "pass", ("rp04", "error"))
        self.expect_all("paths", "pass", ("rp04", "blocked"))

    def test_a_node_whose_disk_is_full_says_so_and_the_others_are_measured(self):
        lab = self.lab.folder
        full = self.lab.run("bash", "-ec", f"mkdir /tmp/lab; mount --bind {lab} /tmp/lab; mount -t tmpfs -o size=64k none /var/tmp;"
                            f"mkdir {lab}; mount --bind /tmp/lab {lab}", node="rp02")
        self.assertEqual(0, full.returncode, full.stderr)
        self.end(self.begin(self.recipe(QUICK)), 3)
        self.expect_all("answer", "pass")
        self.expect_all("inventory", "pass", ("rp02", "error"))
        self.assertIn("No space left on device", self.reason("inventory@rp02"))
        self.expect_all("paths", "pass", ("rp02", "blocked"))

    def test_a_rank_that_stops_in_mid_run_costs_its_own_trial(self):
        process = self.begin(self.recipe(only_paths()), "--set", "paths.time=4 s")
        self.wait_for(self.started("paths"), "the pairs")
        time.sleep(2)
        stopped = [pid for pid, command in support.marked(self.mark).items()
                   if "rackproof-check" in command and "fabric.bandwidth" in command and self.is_on(pid, "rp03")]
        self.assertEqual(1, len(stopped), stopped)
        os.kill(stopped[0], signal.SIGSTOP)
        self.end(process, 3)
        self.expect_all("paths", "pass", ("rp03", "error"))
        self.assertIn("did not end within", self.reason("paths@rp03"))

    def is_on(self, pid, node):
        own = pathlib.Path(self.lab.folder, "pids", node).read_text().strip()
        return os.readlink(f"/proc/{pid}/ns/uts") == os.readlink(f"/proc/{own}/ns/uts")

    def test_a_controller_that_was_killed_is_resumed_and_nothing_is_measured_twice(self):
        process = self.begin(self.recipe(QUICK), folder="cut")
        self.wait_for(self.started("slow"), "the slow step", folder="cut")
        controller = [pid for pid, command in support.marked(self.mark).items()
                      if " run " in command and "--on slurm" in command and command.startswith((RACKPROOF, str(BUILD)))]
        for pid in controller:
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=support.PATIENCE)
        again = self.lab.run(RACKPROOF, "run", "--resume", self.folder / "cut", *self.engine)
        self.assertEqual(0, again.returncode, again.stdout + again.stderr)
        self.expect_all("paths", "pass", folder="cut")
        inventories = [event for event in support.events(self.folder / "cut")
                       if event["event"] == "trial_judged" and event["trial"].startswith("inventory@")]
        self.assertEqual(len(NODES), len(inventories))


class OnMpi(Cluster):
    script = "mpi_cluster"

    def setUp(self):
        super().setUp()
        self.hostfile = self.shared / "hosts"
        self.hostfile.write_text("".join(f"{node} slots=1\n" for node in NODES))
        self.engine = ["--on", "mpi", "--hostfile", self.hostfile]

    def test_a_slow_node_is_named_and_no_other(self):
        self.slow_down("rp02")
        self.end(self.begin(self.recipe(COMPARED), "--set", "paths.time=4 s"), 1)
        self.expect_all("slow", "pass")
        self.expect_compared("paths", ("rp02", "fail"))

    def test_a_node_that_is_not_there_is_named_and_the_others_are_measured(self):
        self.lab.do("kill", "rp03")
        self.end(self.begin(self.recipe(QUICK)), 3)
        self.expect_all("answer", "pass", ("rp03", "error"))
        self.expect_all("paths", "pass", ("rp03", "blocked"))


class OnThisMachine(support.TestCase):
    def test_the_pair_recipe_runs_between_two_processes_with_nothing_but_mpirun(self):
        if not shutil.which("mpirun"):
            self.skipTest("there is no mpirun")
        result = self.rackproof("run", SOURCE / "recipes" / "pair.yaml", "--on", "mpi", "-o", self.folder / "pair",
                                "--set", "bandwidth.time=1 s", "--set", "latency.time=1 s")
        self.assertEqual(0, result.code, result)
        self.assertEqual({"pass"}, set(support.outcomes(self.folder / "pair").values()))

    def test_what_spans_nodes_is_refused_on_one(self):
        result = self.rackproof("run", SOURCE / "recipes" / "pair.yaml", "-o", self.folder / "one")
        self.assertEqual(2, result.code, result)
        self.assertIn("say which nodes, with --on slurm or --on mpi", result.err)


if __name__ == "__main__":
    support.main()
