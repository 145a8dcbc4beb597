#!/usr/bin/env python3
"""rackproof-cards: ranks find each other's cards through mpirun and Slurm; a late or dead one costs nobody else."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import support

sys.path.append(str(support.SOURCE / "tests" / "support"))
from lab import Lab  # noqa: E402

CARDS = support.BUILD / "bin" / "rackproof-cards"
RANK = support.SOURCE / "tests" / "support" / "cards_rank.py"
RANKS = range(4)
LONG = 60_000  # ms; only ends a test that would otherwise never end
# A card goes when its rank ends, so rackproof-cards asks ahead for those of all whom its own rank will meet.
ROUNDS = {"RACKPROOF_ROUNDS": "0=rp01,1=rp02,2=rp03,3=rp04"}
MPIRUN = ["mpirun", "--enable-recovery", "--mca", "orte_abort_on_non_zero_status", "0", "-x", "RACKPROOF_ROUNDS",
          "-n", "4"]


def setUpModule():
    if not CARDS.exists():
        raise unittest.SkipTest("rackproof-cards is not built here, since there is no PMIx")


class Engine:
    """The tests; what starts four ranks is given by a class for each engine."""

    def setUp(self):
        # Not under /tmp, of which a node of a lab has its own.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rackproof-test-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_plan(self, plan):
        """What each rank saw: {rank: its ending}; a rank that died left nothing."""
        (self.folder / "plan.json").write_text(json.dumps(plan))
        done = self.start(["python3", RANK, CARDS, self.folder])
        self.said = f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        return {rank: json.loads(path.read_text()) for rank in RANKS if (path := self.folder / f"{rank}.json").exists()}

    def answers(self, ending, verb):
        return [step["answer"] for step in ending["seen"] if step["verb"] == verb]

    def assert_got(self, cards, ending):
        got = [None if answer.startswith("none ") else answer.removeprefix("card ") for answer in self.answers(ending, "get")]
        self.assertEqual(cards, got)

    def assert_ended_well(self, endings, ranks=RANKS):
        self.assertEqual(list(ranks), sorted(endings), self.said)
        well = {"exit": 0, "mode": 0o600, "ranks": len(RANKS), "left": False}
        for ending in endings.values():
            self.assertEqual(well, {key: ending[key] for key in well}, self.said)

    def test_every_card_reaches_every_rank(self):
        largest = {rank: f"{rank:02x}" * 65536 for rank in RANKS}
        gets = [["get", rank, LONG] for rank in RANKS]
        endings = self.run_plan({rank: [["put", largest[rank]], *gets] for rank in RANKS})
        self.assert_ended_well(endings)
        for ending in endings.values():
            self.assertEqual(["ok"], self.answers(ending, "put"))
            self.assertTrue([f"card {largest[rank]}" for rank in RANKS] == self.answers(ending, "get"))

    def test_a_late_card_arrives_when_it_is_put_and_holds_up_no_other(self):
        def prompt(rank):
            return [["put", "aa"], ["get", 3, 300], ["get", 1, LONG], ["tell", f"{rank} goes on"], ["get", 3, LONG]]

        late = [*(["await", f"{rank} goes on"] for rank in (0, 1, 2)), ["put", "bb"], ["get", 0, LONG]]
        endings = self.run_plan({0: prompt(0), 1: prompt(1), 2: prompt(2), 3: late})
        self.assert_ended_well(endings)
        for rank in (0, 1, 2):
            self.assert_got([None, "aa", "bb"], endings[rank])
            self.assertGreaterEqual(endings[rank]["seen"][1]["seconds"], 0.3)
        self.assert_got(["aa"], endings[3])

    def test_a_rank_that_dies_costs_nobody_else(self):
        gets = [["get", 2, 2000], *(["get", rank, LONG] for rank in (0, 1, 3))]
        others = {rank: [["put", "aa"], ["tell", f"{rank} is here"], ["await", "dying"], *gets] for rank in (0, 1, 3)}
        dying = [*(["await", f"{rank} is here"] for rank in others), ["tell", "dying"], ["die"]]
        endings = self.run_plan({**others, 2: dying})
        self.assert_ended_well(endings, (0, 1, 3))
        for ending in endings.values():
            self.assert_got([None, "aa", "aa", "aa"], ending)

    def test_a_check_that_is_killed_is_not_noticed(self):
        plan = [["put", "aa"], ["kill", "sibling"], ["get", 0, LONG], ["get", 3, LONG]]
        endings = self.run_plan({rank: plan for rank in RANKS})
        self.assert_ended_well(endings)
        for ending in endings.values():
            self.assert_got(["aa", "aa"], ending)


class OnThisMachine(Engine, unittest.TestCase):
    def start(self, words):
        if shutil.which("mpirun") is None:
            self.skipTest("mpirun is not installed")
        return subprocess.run(
            [*MPIRUN, "--allow-run-as-root", "--oversubscribe", *map(str, words)], env=os.environ | ROUNDS,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)

    def test_what_is_said_wrongly_is_said_back(self):
        says = ["put a", "put zz", "get", "get 1", "get x 1", "get 1 x", "get 4 0", "hello", "", "put 00", "put 11"]
        endings = self.run_plan({0: [["say", line] for line in says], 1: [], 2: [], 3: []})
        self.assert_ended_well(endings)
        digits = "error a card is an even number of digits 0-9 and a-f"
        get = "error the line is: get RANK MILLISECONDS"
        lines = "error the lines are: put HEX, get RANK MILLISECONDS"
        self.assertEqual([digits, digits, get, get, get, get, "none there are 4 ranks", lines, lines, "ok",
                          "error this rank has put its card already"], self.answers(endings[0], "say"))


class InALab(Engine):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls.LAB)
        cls.addClassCleanup(cls.lab.down)


class OnAnMpiCluster(InALab, unittest.TestCase):
    LAB = "mpi_cluster"

    def start(self, words):
        return self.lab.run(*MPIRUN, "--host", ",".join(self.lab.nodes), "--map-by", "node", *words, environment=ROUNDS)


class OnASlurmCluster(InALab, unittest.TestCase):
    LAB = "slurm_cluster"

    def start(self, words):
        return self.lab.run("srun", "-N4", "-n4", "--mpi=pmix", "--kill-on-bad-exit=0", "--wait=0", *words,
                            environment=ROUNDS)


    def test_a_step_on_some_nodes_of_an_allocation(self):
        # Slurm 22.05 looks for a step's nodes in the list of the job, so srun has to be given the step's list for it.
        some = "rp01,rp02,rp04"
        (self.folder / "plan.json").write_text(json.dumps({rank: [["put", "aa"], ["get", 2, LONG]] for rank in range(3)}))
        done = self.lab.run("salloc", "-Q", "-N4", "env", f"SLURM_JOB_NODELIST={some}", "srun", "-N3", "-n3", "-w", some,
                            "--mpi=pmix", "python3", RANK, CARDS, self.folder, environment=ROUNDS)
        self.assertEqual(0, done.returncode, done)
        for rank in range(3):
            self.assert_got(["aa"], json.loads((self.folder / f"{rank}.json").read_text()))


class WithoutALauncher(unittest.TestCase):
    def test_it_says_who_would_bring_pmix(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([CARDS, f"{folder}/cards"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("no PMIx here (srun --mpi=pmix and mpirun bring it)", done.stderr)

    def test_it_needs_a_socket(self):
        done = subprocess.run([CARDS], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((2, "usage: rackproof-cards SOCKET\n"), (done.returncode, done.stderr))


if __name__ == "__main__":
    support.main()
