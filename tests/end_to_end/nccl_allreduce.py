"""nccl.allreduce on simulated nodes: the figures of a healthy one, and each fault names its GPU and no other."""

import json
import pathlib
import subprocess

import simulated_gpus
import support
from simulated_gpus import GPUS, NODE, REHEARSALS
from support import CHECKS, RACKPROOF_CHECK

SHIPPED = CHECKS / "nccl.allreduce.so"
REHEARSAL = REHEARSALS / "nccl.allreduce.so"
SMALL = {"sizes": "8 B, 1 MiB", "timeout": "2 s"}


class Reports:
    def __init__(self, lines):
        self.all = [json.loads(line) for line in lines]

    def of(self, kind):
        return [one for one in self.all if one["report"] == kind]

    def faults(self):
        return [(one.get("device", ""), one["code"]) for one in self.of("fault")]

    def values(self, metric):
        return {one.get("device", ""): one["value"] for one in self.of("measurement") if one["metric"] == metric}

    def value(self, metric):
        (value,) = self.values(metric).values()
        return value

    def last(self):
        return self.all[-1]


class NcclAllreduce(simulated_gpus.LaidOutNodes):
    def setUp(self):
        super().setUp()
        # What the check leaves behind would stand here.
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir()

    def measure(self, *faults, library=None, profile=NODE, **parameters):
        environment = self.environment_on(self.node(*faults, profile=profile), TMPDIR=str(self.scratch))
        arguments = [f"{name}={value}" for name, value in parameters.items()]
        done = subprocess.run(
            [RACKPROOF_CHECK, library or support.simulated_edition("nccl.allreduce"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=support.PATIENCE,
        )
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual([], list(self.scratch.iterdir()))
        return Reports(done.stdout.splitlines())

    def assert_healthy(self, reports, ranks=8):
        self.assertEqual([], reports.faults())
        self.assertEqual("done", reports.last()["report"])
        self.assertEqual(ranks, reports.value("ranks"))
        errors = reports.values("element_errors")
        self.assertEqual({0}, set(errors.values()))
        self.assertEqual(ranks, len(errors))

    def test_a_healthy_node_reaches_what_its_profile_says_in_both_editions(self):
        for library in filter(pathlib.Path.exists, (SHIPPED, REHEARSAL)):
            if library == SHIPPED and not self.is_built_with_nccl():
                continue
            with self.subTest(library):
                reports = self.measure(library=library)
                self.assert_healthy(reports)
                self.assertEqual(set(GPUS), set(reports.values("element_errors")))
                self.assertGreater(reports.value("busbw"), 465)
                self.assertLess(reports.value("busbw"), 485)
                self.assertGreater(reports.value("busbw_inplace"), 460)
                self.assertAlmostEqual(15, reports.value("latency"), delta=0.5)
                self.assertAlmostEqual(476, reports.value("budget"), delta=0.01)
                self.assertEqual(8, reports.value("channels"))
                self.assertEqual({18}, set(reports.values("nvlinks").values()))
                self.assertEqual(32, reports.value("largest_size"))
                self.assertLess(reports.value("skew"), 2)
                notes = " ".join(one["text"] for one in reports.of("note"))
                self.assertIn("no room for 128 MiB, 1 GiB, 8 GiB; 32 MiB is the largest size", notes)
                self.assertIn("NCCL 2.27.7", notes)
                for one in reports.of("measurement"):
                    self.assertTrue(one.get("samples", {}).get("steady", True), one)
                links = [(one["from"], one["facts"]["links"]) for one in reports.of("link")]
                self.assertEqual(18, sum(links_ for gpu, links_ in links if gpu == GPUS[3]))

    def is_built_with_nccl(self):
        return self.measure(library=SHIPPED, sizes="8 B").last()["report"] != "skip"

    def test_every_collective_is_right_on_every_node(self):
        for profile, ranks in ((NODE, 8), ("pcie-l40s-4", 4)):
            for collective in ("allgather", "reducescatter", "alltoall", "broadcast", "sendrecv"):
                with self.subTest(f"{collective} on {profile}"):
                    sizes = "8 B, 1000 kB, 1 MiB"
                    self.assert_healthy(self.measure(profile=profile, collective=collective, sizes=sizes), ranks)

    def test_a_flipped_bit_is_located_in_whichever_collective(self):
        for collective in ("allreduce", "reducescatter", "alltoall"):
            with self.subTest(collective):
                reports = self.measure("gpu:3 flips collective", collective=collective, **SMALL)
                self.assertEqual([(GPUS[3], "data-mismatch")], reports.faults())
                errors = reports.values("element_errors")
                self.assertGreater(errors.pop(GPUS[3]), 0)
                self.assertEqual({0}, set(errors.values()))
                self.assertRegex(
                    reports.of("fault")[0]["text"],
                    r"rank 3 of 8 holds wrong data after .* iteration \d+: element \d+ \(byte \d+\) is .* in place of",
                )

    def test_a_rank_that_hangs_is_named_and_the_figures_before_it_stand(self):
        reports = self.measure("gpu:3 nccl hung", **SMALL)
        self.assertEqual([(GPUS[3], "collective-hung")], reports.faults())
        text = reports.of("fault")[0]["text"]
        self.assertIn("all-reduce of 1 MiB does not end: the others wait for rank 3 of 8", text)
        self.assertIn("it has entered iteration 10 and not left it; the furthest has entered iteration 11", text)
        self.assertEqual("done", reports.last()["report"])
        self.assertAlmostEqual(15, reports.value("latency"), delta=0.5)
        self.assertEqual({}, reports.values("busbw"))

    def test_a_rank_that_is_slow_is_the_one_that_comes_late(self):
        healthy = self.measure(sizes="4 MiB")
        for fault, share in (("gpu:3 nccl slow", 50), ("gpu:3 nccl slow 10 %", 10)):
            with self.subTest(fault):
                reports = self.measure(fault, sizes="4 MiB")
                self.assert_healthy(reports)
                late = reports.values("lateness")
                self.assertGreater(late.pop(GPUS[3]), 10 * max(late.values()))
                expected = healthy.value("busbw") / (1 + share / 100)
                self.assertAlmostEqual(expected, reports.value("busbw"), delta=0.05 * expected)

    def test_a_missing_nvlink_costs_bandwidth_and_is_seen_where_it_is(self):
        healthy = self.measure(sizes="8 MiB")
        reports = self.measure("gpu:3 nvlink 2 down", sizes="8 MiB")
        self.assert_healthy(reports)
        links = reports.values("nvlinks")
        self.assertEqual(17, links.pop(GPUS[3]))
        self.assertEqual({18}, set(links.values()))
        self.assertLess(reports.value("busbw"), 0.97 * healthy.value("busbw"))
        self.assertLess(reports.value("budget"), 0.8 * healthy.value("budget"))

    def test_a_gpu_that_is_lost_is_named_whenever_it_goes(self):
        for after in ("0.0005 s", "0.002 s", "0.0045 s"):
            with self.subTest(after):
                reports = self.measure(f"gpu:3 lost after {after}", sizes="8 B, 4 MiB", timeout="5 s")
                self.assertEqual([(GPUS[3], "gpu-lost")], reports.faults())
                self.assertEqual("done", reports.last()["report"])

    def test_two_faults_at_once(self):
        reports = self.measure("gpu:2 flips collective", "gpu:5 nccl hung", **SMALL)
        self.assertEqual({(GPUS[2], "data-mismatch"), (GPUS[5], "collective-hung")}, set(reports.faults()))

    def test_fewer_gpus_take_part_when_one_is_missing(self):
        reports = self.measure("gpu:3 missing", **SMALL)
        self.assert_healthy(reports, ranks=7)
        self.assertNotIn(GPUS[3], reports.values("element_errors"))

    def test_what_cannot_be_done_is_said(self):
        full = self.measure("gpu:3 memory full", **SMALL).last()
        self.assertEqual("trouble", full["report"])
        self.assertIn(f"{GPUS[3]} has only", full["why"])
        one = self.measure(gpus="0000:17:00.0").last()
        self.assertEqual(("skip", "a collective needs two GPUs, and there is one"), (one["report"], one["why"]))
        sizes = self.measure(sizes="8 B, much").last()
        self.assertEqual("trouble", sizes["report"])
        self.assertIn("much", sizes["why"])


if __name__ == "__main__":
    support.main()
