"""Ranks on one machine measure the paths between them: every direction once, and who dies or stops costs its pair alone."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import support
from support import CHECKS, RACKPROOF_CHECK, SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "support"))
import cards_server  # noqa: E402

# Short samples of a machine that does other things too: what is measured matters here, not how much.
QUICK = ("time=1 s", "patience=3 s")
FORTH, BACK = "path:rp01>rp02", "path:rp02>rp01"


class Reports:
    """What one rank said, and how long after the start it had ended."""

    def __init__(self, rank, out, seconds):
        self.rank, self.seconds = rank, seconds
        self.all = [json.loads(line) for line in out.splitlines()]

    def of(self, kind):
        return [report for report in self.all if report["report"] == kind]

    def measured(self, device=None):
        """Values by metric; a metric that is measured twice on a device is an error."""
        found = {}
        for report in self.of("measurement"):
            if device is None or report["device"] == device:
                assert report["metric"] not in found, report
                found[report["metric"]] = report["value"]
        return found

    def device(self, name):
        [facts] = [report["facts"] for report in self.of("device") if report["id"] == name]
        return facts

    @property
    def notes(self):
        return " ".join(report["text"] for report in self.of("note"))

    @property
    def last(self):
        return self.all[-1]


class Ranks:
    """Processes of one check, with the cards' server between them."""

    def __init__(self, test, check, rounds, *parameters, ranks=None, library=None, **variables):
        folder = test.enterContext(tempfile.TemporaryDirectory(prefix="rackproof-pair-"))
        self.paths = cards_server.serve(folder, len(rounds))
        self.began = time.monotonic()
        self.processes = {}
        for rank, text in enumerate(rounds):
            if ranks is not None and rank not in ranks:
                continue
            environment = {**os.environ, "RACKPROOF_RANK": str(rank), "RACKPROOF_ROUNDS": text,
                           "RACKPROOF_CARDS": str(self.paths[rank]), **variables}  # fmt: skip
            command = [RACKPROOF_CHECK, library or CHECKS / f"{check}.so", *parameters]
            self.processes[rank] = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            test.addCleanup(self.end, self.processes[rank])

    @staticmethod
    def end(process):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        process.stdout.close()

    def signal(self, rank, number):
        self.processes[rank].send_signal(number)

    def reports(self, *ranks):
        found = []
        for rank in ranks or self.processes:
            out, _ = self.processes[rank].communicate(timeout=support.PATIENCE)
            found.append(Reports(rank, out, time.monotonic() - self.began))
        return found


class Bandwidth(support.TestCase):
    ROUNDS = ("0=rp01,1=rp02", "0=rp01,1=rp02")

    def pair(self, *parameters, check="fabric.bandwidth", **variables):
        return Ranks(self, check, self.ROUNDS, *QUICK, *parameters, **variables).reports()

    def test_each_rank_reports_the_direction_in_which_it_sends(self):
        for reports, path, ends in zip(self.pair(), (FORTH, BACK), (("rp01", "rp02"), ("rp02", "rp01"))):
            self.assertEqual("done", reports.last["report"])
            self.assertEqual({path}, {report["device"] for report in reports.of("measurement")})
            facts = reports.device(path)
            self.assertEqual(ends, (facts["from"], facts["to"]))
            measured = reports.measured()
            self.assertLessEqual(measured["bandwidth_worst"], measured["bandwidth"])
            self.assertGreater(measured["bandwidth_both"], 0)
            self.assertEqual((1, 0), (measured["reached"], measured["verify_errors"]))
            self.assertGreater(measured["verified"], 0)
            [rate] = [report for report in reports.of("measurement") if report["metric"] == "bandwidth"]
            self.assertGreater(rate["samples"]["n"], 0)
            self.assertEqual(1, rate["counted"]["directions"])

    def test_every_operation_over_memory_and_over_tcp_brings_what_was_sent(self):
        for op in ("tag", "put", "get", "am"):
            for transports in ("all", "tcp"):
                with self.subTest(op=op, transports=transports):
                    both = self.pair(f"op={op}", f"transports={transports}", "verify=100 %", "directions=each",
                                     "size=256 KiB", "time=500 ms")  # fmt: skip
                    for reports in both:
                        measured = reports.measured()
                        self.assertEqual((1, 0), (measured["reached"], measured["verify_errors"]), reports.all)
                        self.assertGreater(measured["verified"], 0)
                        self.assertEqual([], reports.of("fault"))

    def test_sizes_that_are_no_whole_words_and_windows_of_one(self):
        for size, window in (("1 B", 1), ("7 B", 4), ("1000003 B", 3)):
            with self.subTest(size=size):
                for reports in self.pair(f"size={size}", f"window={window}", "verify=50 %", "time=300 ms"):
                    self.assertEqual(0, reports.measured()["verify_errors"])

    def test_what_ucx_really_uses_is_told_so_that_a_fall_back_can_fail(self):
        for reports, path in zip(self.pair("transports=tcp", "device=lo", "directions=each"), (FORTH, BACK)):
            self.assertEqual(0, reports.measured()["rdma"])
            self.assertEqual("tcp/lo", reports.device(path)["transports"])
            links = [(link["from"], link["to"], link["facts"]["transport"]) for link in reports.of("link")]
            self.assertEqual([("net:lo", path, "tcp")], links)
        # Through memory no device of the fabric is used at all, and that is no RDMA either.
        for reports in self.pair("directions=each"):
            self.assertEqual(0, reports.measured()["rdma"])
            self.assertEqual([], reports.of("link"))

    def test_rails_one_by_one_are_paths_of_their_own(self):
        for reports, path in zip(self.pair("rails=each", "device=lo", "transports=tcp", "directions=each"), (FORTH, BACK)):
            self.assertEqual("lo", reports.device(f"{path}/lo")["rail"])
            self.assertGreater(reports.measured(f"{path}/lo")["bandwidth"], 0)

    def test_verification_can_be_switched_off_and_then_nothing_is_claimed(self):
        for reports in self.pair("verify=0 %", "directions=one"):
            self.assertNotIn("verify_errors", reports.measured())
        first, second = self.pair("directions=one")
        self.assertIn("bandwidth", first.measured())
        self.assertEqual({"reached": 1, "rdma": 0}, second.measured())

    def test_ranks_with_other_parameters_do_not_measure(self):
        ranks = Ranks(self, "fabric.bandwidth", ("0=rp01,1=rp02", "-"), *QUICK, ranks=[0])
        other = Ranks(self, "fabric.bandwidth", ("-", "0=rp01,1=rp02"), *QUICK, "size=2 MiB", ranks=[])
        command = [RACKPROOF_CHECK, CHECKS / "fabric.bandwidth.so", *QUICK, "size=2 MiB"]
        environment = {**os.environ, "RACKPROOF_RANK": "1", "RACKPROOF_ROUNDS": "0=rp01,1=rp02",
                       "RACKPROOF_CARDS": str(ranks.paths[1])}  # fmt: skip
        other.processes[1] = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(Ranks.end, other.processes[1])
        for reports in (*ranks.reports(), *other.reports()):
            self.assertEqual({"reached": 0}, reports.measured())
            self.assertIn("other parameters", reports.notes)


class Partners(support.TestCase):
    """Rank 1 goes wrong in the first round of rank 0, for whom rank 2 waits meanwhile."""

    ROUNDS = ("0=rp01,1=rp02|0=rp01,2=rp03", "0=rp01,1=rp02|-", "-|0=rp01,2=rp03")

    def go_wrong(self, number, transports):
        # Long enough to be in the middle of it a second after the start.
        ranks = Ranks(self, "fabric.bandwidth", self.ROUNDS, "time=3 s", "patience=2 s", f"transports={transports}")
        time.sleep(1.5)
        ranks.signal(1, number)
        first, third = ranks.reports(0, 2)
        lost = first.measured(FORTH)
        self.assertEqual({"reached": 0}, lost)
        self.assertRegex(first.notes, r"path:rp01>rp02, round 1: rp02 (did not answer within 2 s \(.+\)|was lost: .+)")
        for reports, path in ((first, "path:rp01>rp03"), (third, "path:rp03>rp01")):
            self.assertEqual(1, reports.measured(path)["reached"], reports.notes)
            self.assertGreater(reports.measured(path)["bandwidth"], 0)
            self.assertEqual("done", reports.last["report"])

    def test_a_partner_that_is_killed_costs_its_pair(self):
        for transports in ("all", "tcp"):
            with self.subTest(transports):
                self.go_wrong(signal.SIGKILL, transports)

    def test_a_partner_that_stops_costs_its_pair(self):
        for transports in ("all", "tcp"):
            with self.subTest(transports):
                self.go_wrong(signal.SIGSTOP, transports)

    def test_a_partner_that_never_starts_costs_its_pair(self):
        ranks = Ranks(self, "fabric.bandwidth", self.ROUNDS, *QUICK, ranks=[0, 2])
        first, third = ranks.reports()
        self.assertEqual({"reached": 0}, first.measured(FORTH))
        self.assertIn("rp02 did not start within 3 s", first.notes)
        self.assertEqual(1, third.measured("path:rp03>rp01")["reached"], third.notes)


class Latency(support.TestCase):
    ORDER = ("latency", "latency_p99", "latency_p999")

    def test_a_distribution_idle_and_under_load(self):
        ranks = Ranks(self, "fabric.latency", Bandwidth.ROUNDS, *QUICK)
        for reports, path in zip(ranks.reports(), (FORTH, BACK)):
            measured = reports.measured(path)
            self.assertEqual(1, measured["reached"], reports.notes)
            for load in ("", "_loaded"):
                values = [measured[name.replace("latency", f"latency{load}")] for name in self.ORDER]
                self.assertEqual(sorted(values), values)
                self.assertGreaterEqual(measured[f"latency{load}_worst"], values[0])
            self.assertGreater(measured["load_bandwidth"], 0)

    def test_without_load(self):
        for reports in Ranks(self, "fabric.latency", Bandwidth.ROUNDS, *QUICK, "load=false", "size=1 KiB").reports():
            self.assertIn("latency", reports.measured())
            self.assertNotIn("latency_loaded", reports.measured())

    def test_a_partner_that_stops_under_load_costs_its_pair(self):
        ranks = Ranks(self, "fabric.latency", Bandwidth.ROUNDS, "time=10 s", "patience=2 s")
        time.sleep(1.5)
        ranks.signal(1, signal.SIGSTOP)
        [first] = ranks.reports(0)
        self.assertEqual({"reached": 0}, first.measured())
        self.assertLess(first.seconds, 30)


class Places(support.TestCase):
    """What a rank says that cannot measure as it was started."""

    def one(self, rounds, **variables):
        return Ranks(self, "fabric.bandwidth", [rounds], *QUICK, **variables).reports()[0]

    def test_a_rank_without_a_round_skips(self):
        reports = self.one("-|-")
        self.assertEqual("skip", reports.last["report"])
        self.assertIn("no round", reports.last["why"])

    def test_a_group_of_three_is_no_pair(self):
        self.assertIn("a group of 3", self.one("0=a,1=b,2=c").last["why"])

    def test_transports_that_are_not_there_are_named(self):
        ranks = Ranks(self, "fabric.bandwidth", ["0=a,1=b"], "transports=rc,ud", "device=mlx5_7:1")
        why = ranks.reports()[0].last["why"]
        self.assertIn("rc,ud", why)
        self.assertIn("mlx5_7:1", why)


if __name__ == "__main__":
    support.main()
