"""gpu.memory on simulated nodes: figures near the profile's, and each fault blamed on its own GPU alone."""

import unittest

import simulated_gpus
import support
from simulated_gpus import GPUS, REHEARSALS, figures, notes

HBM = 3000  # GB/s, of the profile
LIMITS = (
    "expect: [ pattern_errors == 0, tested_share >= 90 %, "
    + ", ".join(f"{metric} >= 2850 GB/s" for metric in ("copy", "triad", "read", "write"))
    + " ]"
)
STEP = f"check: gpu.memory, {LIMITS}"


class Memory(simulated_gpus.TestCase):
    def assert_healthy(self, reports, gpus):
        self.assertEqual("done", reports[-1]["report"])
        self.assertEqual([], [report for report in reports if report["report"] == "fault"])
        for metric in ("copy", "triad", "read", "write", "pattern_rate"):
            rates = figures(reports, metric)
            self.assertEqual(gpus, sorted(rates))
            for rate in rates.values():
                self.assertAlmostEqual(HBM, rate, delta=0.05 * HBM)
        self.assertEqual({0}, set(figures(reports, "pattern_errors").values()))
        for report in reports:
            if report.get("metric") in ("copy", "triad", "read", "write"):
                self.assertGreaterEqual(report["samples"]["n"], 12)
                self.assertTrue(report["samples"]["steady"])

    def test_a_healthy_node(self):
        self.assertEqual(("pass", {}), self.judged(STEP))

    @unittest.skipUnless(simulated_gpus.has_both_editions("gpu.memory"), "no rehearsal edition was built")
    def test_the_rehearsal_edition_measures_the_same(self):
        self.assert_healthy(self.reports("gpu.memory", gpus="0000:9*", library=REHEARSALS / "gpu.memory.so"), GPUS[4:6])

    def test_bad_memory_is_named_with_place_and_bits(self):
        outcome, named = self.judged(
            "check: gpu.memory, with: { tests: patterns, gpus: '0000:[1-9]*' }, expect: [ pattern_errors == 0 ]",
            "gpu:1 flips memory stuck", "gpu:3 flips memory coupled", "gpu:5 flips memory rare",
        )  # fmt: skip
        self.assertEqual("fail", outcome)
        self.assertEqual([GPUS[1], GPUS[3], GPUS[5]], sorted(named))
        for gpu, bits in ((1, "0x200000"), (3, "0x20"), (5, "0x200000000")):
            self.assertEqual(1, len(named[GPUS[gpu]]))
            self.assertIn(f"bits {bits} (", named[GPUS[gpu]][0])
            self.assertIn("at offset 0x4cccac", named[GPUS[gpu]][0])

    def test_slow_throttled_and_full_gpus_miss_their_limits(self):
        outcome, named = self.judged(
            f"{STEP}, with: {{ gpus: '0000:[1-4]*' }}",
            "gpu:0 slow 10 %", "gpu:1 memory full", "gpu:2 throttles thermal after 1 s",
        )  # fmt: skip
        self.assertEqual("fail", outcome)
        self.assertEqual(GPUS[:3], sorted(named))
        self.assertIn("triad is 18", " ".join(named[GPUS[2]]))
        self.assertIn("tested_share is 1.562 %", " ".join(named[GPUS[1]]))

    def test_what_somebody_else_holds_is_said(self):
        reports = self.reports("gpu.memory", "gpu:4 memory full", tests="patterns", gpus="0000:9*")
        self.assertTrue(any(note.startswith(f"{GPUS[4]}: 98 % of its memory") for note in notes(reports)))
        self.assertLess(figures(reports, "tested_share")[GPUS[4]], 5)
        self.assertGreater(figures(reports, "tested_share")[GPUS[5]], 90)

    def test_a_gpu_that_dies_does_not_take_the_others_along(self):
        reports = self.reports("gpu.memory", "gpu:6 lost after 2 s", gpus="0000:c*")
        faults = [report for report in reports if report["report"] == "fault"]
        self.assertEqual([(GPUS[6], "gpu-lost")], [(fault["device"], fault["code"]) for fault in faults])
        self.assertEqual({GPUS[7]}, set(figures(reports, "read")))
        self.assertEqual({GPUS[7]: 0}, figures(reports, "pattern_errors"))
        self.assertEqual("done", reports[-1]["report"])

    def test_one_after_the_other(self):
        reports = self.reports("gpu.memory", gpus="0000:c*", together="false", tests="bandwidth")
        self.assertEqual([GPUS[6], GPUS[7]], sorted(figures(reports, "copy")))


if __name__ == "__main__":
    support.main()
