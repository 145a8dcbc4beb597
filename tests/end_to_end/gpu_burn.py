"""gpu.burn on simulated nodes: figures near the profile's, and each fault blamed on its own GPU alone."""

import unittest

import simulated_gpus
import support
from simulated_gpus import GPUS, REHEARSALS, figures, notes

RATES = {"fp64": 58, "fp32": 50, "tf32": 395, "bf16": 730, "fp8": 1350}  # TFLOP/s, of the profile
RIGHT = "product_errors == 0, reference_errors == 0, not_finite == 0"
OF_BF16 = "gemm_bf16 >= 700 TFLOP/s, node_share_bf16 >= 97 %, sustained_bf16 >= 97 %"
# Small matrices, since the products are really computed.
STEP = f"check: gpu.burn, with: {{ precisions: bf16, duration: 1500 ms, size: 1024 }}, expect: [ {RIGHT}, {OF_BF16} ]"
SMALL = {"precisions": "bf16", "size": "1024"}


class Burn(simulated_gpus.TestCase):
    def faults(self, reports):
        return [(report["device"], report["code"]) for report in reports if report["report"] == "fault"]

    def assert_healthy(self, reports, rates, gpus):
        self.assertEqual("done", reports[-1]["report"])
        self.assertEqual([], self.faults(reports))
        for precision, rate in rates.items():
            found = figures(reports, f"gemm_{precision}")
            self.assertEqual(gpus, sorted(found))
            for one in found.values():
                self.assertAlmostEqual(rate, one, delta=0.03 * rate)
        for metric in ("product_errors", "reference_errors", "not_finite"):
            self.assertEqual({0}, set(figures(reports, metric).values()))
        for report in reports:
            if report.get("metric", "").startswith("gemm_"):
                self.assertTrue(report["samples"]["steady"])
                self.assertGreaterEqual(report["samples"]["n"], 12)

    def test_a_healthy_node_in_all_precisions(self):
        reports = self.reports("gpu.burn", duration="1 s", gpus="0000:[1-4]*")
        self.assert_healthy(reports, RATES, GPUS[:4])
        for gpu in GPUS[:4]:
            power = figures(reports, "power_bf16")[gpu]
            self.assertAlmostEqual(668, power, delta=10)
            self.assertAlmostEqual(power / 720, figures(reports, "energy_per_tflop_bf16")[gpu], delta=0.2)
            self.assertEqual(1980, figures(reports, "sm_clock_bf16")[gpu])
            self.assertAlmostEqual(730e12 / 1980e6, figures(reports, "flop_per_cycle_bf16")[gpu], delta=12000)

    def test_a_healthy_node_passes(self):
        self.assertEqual(("pass", {}), self.judged(STEP))

    @unittest.skipUnless(simulated_gpus.has_both_editions("gpu.burn"), "no rehearsal edition was built")
    def test_the_rehearsal_edition_measures_the_same(self):
        reports = self.reports("gpu.burn", duration="1 s", gpus="0000:9*", precisions="fp64,fp8", library=REHEARSALS / "gpu.burn.so")
        self.assert_healthy(reports, {name: RATES[name] for name in ("fp64", "fp8")}, GPUS[4:6])

    def test_wrong_products_are_blamed_on_their_gpus(self):
        outcome, named = self.judged(STEP, "gpu:3 flips gemm random", "gpu:6 flips gemm always")
        self.assertEqual("fail", outcome)
        self.assertEqual([GPUS[3], GPUS[6]], sorted(named))
        self.assertIn("differ from all the others of the same operands", named[GPUS[3]][0])
        self.assertRegex(
            named[GPUS[6]][0],
            r"differ from those that the others of its kind .* 1 entries, the first at row \d+, column \d+: .* wrong bits 0x10",
        )

    def test_where_no_majority_is_the_host_knows_which_are_wrong(self):
        reports = self.reports(
            "gpu.burn", "gpu:0 flips gemm always", "gpu:3 flips gemm always", gpus="0000:[1-4]*", duration="200 ms",
            rounds="1", **SMALL,
        )  # fmt: skip
        self.assertEqual([(GPUS[0], "data-mismatch"), (GPUS[3], "data-mismatch")], self.faults(reports))
        wrong = figures(reports, "product_errors")
        self.assertEqual((0, 0), (wrong[GPUS[1]], wrong[GPUS[2]]))
        self.assertEqual(figures(reports, "products")[GPUS[0]], wrong[GPUS[0]])

    def test_slow_gpus_miss_their_share(self):
        outcome, named = self.judged(STEP, "gpu:0 slow 5 %", "gpu:2 slow 10 %", "gpu:7 slow 30 %")
        self.assertEqual("fail", outcome)
        self.assertEqual([GPUS[0], GPUS[2], GPUS[7]], sorted(named))
        self.assertIn("node_share_bf16 is 95.", " ".join(named[GPUS[0]]))
        self.assertIn("node_share_bf16 is 70.", " ".join(named[GPUS[7]]))

    def test_late_throttling_shows_and_heat_stops_a_gpu(self):
        outcome, named = self.judged(STEP.replace(" ]", ", throttle_power == 0 s ]"), "gpu:1 throttles power after 800 ms")
        self.assertEqual("fail", outcome)
        self.assertEqual([GPUS[1]], list(named))
        self.assertIn("sustained_bf16 is 60", " ".join(named[GPUS[1]]))
        self.assertIn("throttle_power is ", " ".join(named[GPUS[1]]))
        outcome, named = self.judged(STEP, "gpu:4 throttles thermal after 800 ms")
        self.assertEqual(("fail", [GPUS[4]]), (outcome, list(named)))
        self.assertIn("reached 88 degC in bf16, and its load was stopped (limit 87 degC)", " ".join(named[GPUS[4]]))

    def test_a_gpu_that_dies_or_has_no_room_does_not_take_the_others_along(self):
        reports = self.reports(
            "gpu.burn", "gpu:4 lost after 800 ms", "gpu:5 memory full", duration="1500 ms", **SMALL
        )
        self.assertEqual([(GPUS[4], "gpu-lost"), (GPUS[5], "memory-full")], sorted(self.faults(reports)))
        self.assertEqual(set(GPUS) - {GPUS[4], GPUS[5]}, set(figures(reports, "gemm_bf16")))
        for share in figures(reports, "node_share_bf16").values():
            self.assertAlmostEqual(100, share, delta=1)
        self.assertEqual("done", reports[-1]["report"])

    def test_without_nvml_its_figures_are_absent(self):
        reports = self.reports("gpu.burn", "nvml silent", duration="1 s", gpus="0000:1*", **SMALL)
        self.assert_healthy(reports, {"bf16": RATES["bf16"]}, GPUS[:2])
        self.assertTrue(any(note.startswith("no clocks, power, temperatures or throttling: ") for note in notes(reports)))
        for metric in ("power_bf16", "sm_clock_bf16", "temperature", "throttle_thermal"):
            self.assertEqual({}, figures(reports, metric))

    def test_pulses_halve_the_power_and_not_the_rate(self):
        # All of a pulse is queued while its gate is closed, and a stream takes a thousand launches.
        for load, period in (("pulse_in_phase", "200 ms"), ("pulse_out_of_phase", "200 ms"), ("pulse_in_phase", "9 s")):
            with self.subTest(load, period=period):
                reports = self.reports(
                    "gpu.burn", duration="18 s" if period == "9 s" else "4 s", period=period, load=load, gpus="0000:1*", **SMALL
                )
                self.assert_healthy(reports, {"bf16": RATES["bf16"]}, GPUS[:2])
                for power in figures(reports, "power_bf16").values():
                    self.assertAlmostEqual((668 + 70) / 2, power, delta=30)

    def test_what_a_gpu_cannot_do_is_said(self):
        reports = self.reports(
            "gpu.burn", profile="hgx-a100-8", precisions="bf16,fp8", size="1024", duration="200 ms", rounds="1",
            gpus="0000:[0-1]*",
        )
        self.assertTrue(any(note.startswith("fp8 is not measured: cuBLAS ") for note in notes(reports)), notes(reports))
        self.assertEqual({}, figures(reports, "gemm_fp8"))
        self.assertEqual("trouble", self.reports("gpu.burn", precisions="bf17")[-1]["report"])


if __name__ == "__main__":
    support.main()
