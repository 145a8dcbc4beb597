"""nccl.allreduce over several simulated nodes: a group's figures, and whose fault it is when one of them is slow or missed."""

import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import simulated_gpus
import support
from nccl_allreduce import Reports
from simulated_gpus import GPUS
from support import RACKPROOF_CHECK, SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "support"))
import cards_server  # noqa: E402

SMALL = {"sizes": "8 B, 1 MiB"}
# So that who is missed is not waited for as long as on real nodes.
HASTY = {**SMALL, "timeout": "3 s", "init_timeout": "4 s"}


class NcclNodes(simulated_gpus.LaidOutNodes):
    def start_rank(self, number, rounds, cards, faults, parameters):
        node = self.node(*faults, copy=number)
        scratch = self.folder / f"scratch{number}"
        scratch.mkdir(exist_ok=True)
        environment = self.environment_on(
            node,
            TMPDIR=str(scratch),
            RACKPROOF_RANK=str(number),
            RACKPROOF_ROUNDS=rounds,
            RACKPROOF_CARDS=str(cards),
        )
        arguments = [f"{name}={value}" for name, value in parameters.items()]
        return subprocess.Popen(
            [RACKPROOF_CHECK, support.simulated_edition("nccl.allreduce"), *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def measure(self, *rounds, faults=None, absent=(), ended=None, after=0, **parameters):
        """The reports of each rank; `rounds`: of each rank, `faults`: by rank, `ended`: by rank, with which signal, so
        many seconds after it has put its card."""
        ended = ended or {}
        table = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        cards = cards_server.serve(table, len(rounds))
        started = {
            rank: self.start_rank(rank, own, cards[rank], (faults or {}).get(rank, ()), parameters)
            for rank, own in enumerate(rounds)
            if rank not in absent
        }
        for rank, how in ended.items():
            self.await_card(cards[rank], rank)
            time.sleep(after)
            started[rank].send_signal(how)
        reports = {}
        for rank, process in started.items():
            if rank in ended:
                continue
            out, err = process.communicate(timeout=support.PATIENCE)
            self.assertEqual(0, process.returncode, err)
            reports[rank] = Reports(out.splitlines())
        for rank in ended:
            started[rank].kill()
            started[rank].communicate()
        self.assert_cleared(ended)
        return reports

    def await_card(self, cards, rank):
        with socket.socket(socket.AF_UNIX) as table:
            table.connect(str(cards))
            table.sendall(f"get {rank} 60000\n".encode())
            self.assertTrue(table.makefile().readline().startswith("card "))
    def assert_cleared(self, ended):
        for rank in range(4):
            scratch = self.folder / f"scratch{rank}"
            if scratch.exists() and rank not in ended:
                self.assertEqual([], list(scratch.iterdir()))
        if not ended:
            self.assertEqual([], [str(one) for node in self.nodes.values() for one in node.glob("nccl.*")])

    def of_group(self, reports, group):
        return {one["metric"]: one["value"] for one in reports.of("measurement") if one.get("device") == group}

    def notes(self, reports):
        return [one["text"] for one in reports.of("note")]

    def test_two_nodes_reach_what_their_adapters_do(self):
        reports = self.measure("0=rp01,1=rp02", "0=rp01,1=rp02", sizes="8 B, 32 MiB")
        (group,) = [one for one in reports[0].of("device") if one["kind"] == "group"]
        self.assertEqual("group:0:rp01", group["id"])
        self.assertEqual({"members": "rp01,rp02", "round": 0}, group["facts"])
        figures = self.of_group(reports[0], group["id"])
        self.assertEqual((1, 0, 16), (figures["reached"], figures["verify_errors"], figures["ranks"]))
        # Eight adapters of 48.5 GB/s each.
        self.assertAlmostEqual(385, figures["busbw"], delta=8)
        self.assertAlmostEqual(figures["busbw"] / 8, figures["busbw_per_nic"], delta=0.01)
        self.assertEqual((8, 384), (figures["nics"], figures["budget"]))
        self.assertAlmostEqual(23, figures["latency"], delta=1)
        self.assertLess(figures["skew"], 2)
        # Each of them says what it has to of its own GPUs, and the first alone of the group.
        self.assertEqual([], [one for one in reports[1].of("measurement") if one.get("device", "").startswith("group")])
        for rank in (0, 1):
            self.assertEqual([], reports[rank].faults())
            self.assertEqual({0}, set(reports[rank].values("element_errors").values()))
            self.assertEqual(set(GPUS), set(reports[rank].values("lateness")))
            self.assertEqual("done", reports[rank].last()["report"])

    def test_every_collective_is_right_across_nodes(self):
        for collective in ("allgather", "reducescatter", "alltoall", "broadcast", "sendrecv"):
            with self.subTest(collective):
                sizes = "8 B, 1000 kB, 1 MiB"
                reports = self.measure("0=a,1=b", "0=a,1=b", collective=collective, sizes=sizes)
                figures = self.of_group(reports[0], "group:0:a")
                self.assertEqual((1, 0), (figures["reached"], figures["verify_errors"]))
                self.assertEqual([], reports[0].faults() + reports[1].faults())

    def test_the_staircase_from_one_node_to_all_of_them(self):
        whole = "0=a,1=b,2=c,3=d"
        reports = self.measure(
            f"0=a|0=a,1=b|{whole}", f"1=b|0=a,1=b|{whole}", f"2=c|2=c,3=d|{whole}", f"3=d|2=c,3=d|{whole}", **SMALL
        )
        for rank, group, ranks in (
            (0, "group:0:a", 8), (1, "group:0:b", 8), (3, "group:0:d", 8),
            (0, "group:1:a", 16), (2, "group:1:c", 16), (0, "group:2:a", 32),
        ):  # fmt: skip
            with self.subTest(group):
                figures = self.of_group(reports[rank], group)
                self.assertEqual((1, 0, ranks), (figures["reached"], figures["verify_errors"], figures["ranks"]))
        # Within a node no adapter is used.
        self.assertNotIn("busbw_per_nic", self.of_group(reports[0], "group:0:a"))

    def test_a_slow_adapter_makes_its_group_slow(self):
        slow = self.measure("0=a,1=b", "0=a,1=b", faults={1: ["nic:3 slow 50 %"]}, sizes="16 MiB")
        figures = self.of_group(slow[0], "group:0:a")
        # Data are spread evenly, so all wait for the slowest.
        self.assertAlmostEqual(24.2, figures["busbw_per_nic"], delta=1)

    def test_a_rank_that_is_slow_is_told_on_its_own_node(self):
        reports = self.measure("0=a,1=b", "0=a,1=b", faults={1: ["gpu:3 nccl slow"]}, sizes="4 MiB")
        late = reports[1].values("lateness")
        self.assertGreater(late.pop(GPUS[3]), 10 * max([*late.values(), *reports[0].values("lateness").values()]))
        self.assertIn("rank 11, a GPU of b, is the last to enter", " ".join(self.notes(reports[0])))

    def test_a_flipped_bit_is_its_own_gpus_and_the_groups(self):
        reports = self.measure("0=a,1=b", "0=a,1=b", faults={1: ["gpu:3 flips collective"]}, **SMALL)
        self.assertEqual([], reports[0].faults())
        self.assertEqual([(GPUS[3], "data-mismatch")], reports[1].faults())
        self.assertIn("rank 11 of 16", reports[1].of("fault")[0]["text"])
        errors = self.of_group(reports[0], "group:0:a")["verify_errors"]
        self.assertGreater(errors, 0)
        self.assertEqual(errors, sum(reports[1].values("element_errors").values()))

    def test_a_rank_that_hangs_costs_its_group_and_is_named(self):
        rounds = "0=a,1=b|0=a"
        reports = self.measure(rounds, "0=a,1=b|1=b", faults={1: ["gpu:3 nccl hung"]}, **HASTY)
        self.assertEqual([], reports[0].faults())
        self.assertIn((GPUS[3], "collective-hung"), reports[1].faults())
        figures = self.of_group(reports[0], "group:0:a")
        self.assertEqual(0, figures["reached"])
        self.assertNotIn("busbw", figures)
        self.assertIn("round 0: the collective does not end: it waits for b", self.notes(reports[0]))
        self.assertEqual(1, self.of_group(reports[0], "group:1:a")["reached"])
        self.assertEqual("done", reports[0].last()["report"])

    def test_a_gpu_that_is_lost_is_its_own_nodes(self):
        faults = {1: ["gpu:3 lost after 0.002 s"]}
        reports = self.measure("0=a,1=b|0=a", "0=a,1=b|-", faults=faults, **{**HASTY, "sizes": "8 B, 4 MiB"})
        self.assertEqual([], reports[0].faults())
        self.assertEqual([(GPUS[3], "gpu-lost")], reports[1].faults())
        self.assertEqual(0, self.of_group(reports[0], "group:0:a")["reached"])
        self.assertEqual(1, self.of_group(reports[0], "group:1:a")["reached"])

    def test_who_never_puts_his_card_is_named_and_costs_his_own_group(self):
        reports = self.measure(
            "0=a,1=b,2=c|0=a,1=b", "0=a,1=b,2=c|0=a,1=b", "0=a,1=b,2=c|-", absent=(2,), **HASTY
        )
        self.assertEqual(0, self.of_group(reports[0], "group:0:a")["reached"])
        self.assertIn("round 0: c never put its card", self.notes(reports[0]))
        self.assertIn("round 0: c never put its card", self.notes(reports[1]))
        self.assertEqual(1, self.of_group(reports[0], "group:1:a")["reached"])

    def test_who_stops_or_dies_after_his_card_is_named_too(self):
        for how in (signal.SIGSTOP, signal.SIGKILL):
            with self.subTest(how):
                reports = self.measure(
                    "0=a,1=b,2=c|0=a,1=b", "0=a,1=b,2=c|0=a,1=b", "0=a,1=b,2=c|-", ended={2: how}, **HASTY
                )
                self.assertEqual([], reports[0].faults() + reports[1].faults())
                self.assertEqual(0, self.of_group(reports[0], "group:0:a")["reached"])
                # It may have come as far as NCCL or its first collective.
                self.assertRegex(
                    " ".join(self.notes(reports[0])), "round 0: .*(: c never came|it waits for c|waited for one of b, c)"
                )
                self.assertEqual(1, self.of_group(reports[0], "group:1:a")["reached"])

    def test_who_dies_on_the_way_is_named(self):
        reports = self.measure(
            "0=a,1=b,2=c|0=a,1=b", "0=a,1=b,2=c|0=a,1=b", "0=a,1=b,2=c|-", ended={2: signal.SIGKILL},
            after=1, **{**HASTY, "timeout": "10 s", "sizes": "8 B, 32 MiB"},
        )  # fmt: skip
        self.assertEqual([], reports[0].faults() + reports[1].faults())
        self.assertEqual(0, self.of_group(reports[0], "group:0:a")["reached"])
        self.assertRegex(" ".join(self.notes(reports[0])), "round 0: .*it waits for c")
        self.assertEqual(1, self.of_group(reports[0], "group:1:a")["reached"])

    def test_nccl_that_never_comes_together_is_not_waited_for_long(self):
        reports = self.measure("0=a,1=b|0=a", "0=a,1=b|-", faults={1: ["node hung"]}, **HASTY)
        self.assertEqual(0, self.of_group(reports[0], "group:0:a")["reached"])
        self.assertRegex(" ".join(self.notes(reports[0])), "the start of NCCL did not end .*; it waited for b")
        self.assertEqual(1, self.of_group(reports[0], "group:1:a")["reached"])

    def test_a_node_that_cannot_take_part_says_so_at_once(self):
        faults = {1: [f"gpu:{gpu} missing" for gpu in range(8)]}
        reports = self.measure("0=a,1=b|0=a", "0=a,1=b|-", faults=faults, **SMALL)
        self.assertEqual("skip", reports[1].last()["report"])
        self.assertIn("b cannot take part: ", " ".join(self.notes(reports[0])))
        self.assertEqual(0, self.of_group(reports[0], "group:0:a")["reached"])
        self.assertEqual(1, self.of_group(reports[0], "group:1:a")["reached"])


if __name__ == "__main__":
    support.main()
