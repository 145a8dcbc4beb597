"""gpu.p2p on simulated nodes: figures near the profile's, and each fault blamed on its own GPU alone."""

import unittest

import simulated_gpus
import support
from simulated_gpus import GPUS, REHEARSALS, figures, notes

NVLINK = 18 * 21  # GB/s, of the profile
LIMITS = "expect: [ wrong_copies == 0, peer_share >= 97 %, pair_share >= 95 %, peers == 7, count(bandwidth) == 56 ]"
PAIRS = f"check: gpu.p2p, with: {{ tests: pairs }}, {LIMITS}"


class P2p(simulated_gpus.TestCase):
    def test_a_healthy_node(self):
        self.assertEqual(("pass", {}), self.judged(f"check: gpu.p2p, {LIMITS}"))

    @unittest.skipUnless(simulated_gpus.has_both_editions("gpu.p2p"), "no rehearsal edition was built")
    def test_the_rehearsal_edition_measures_the_same(self):
        reports = self.reports("gpu.p2p", library=REHEARSALS / "gpu.p2p.so")
        self.assertEqual("done", reports[-1]["report"])
        for metric in ("bandwidth", "both", "shift"):
            rates = figures(reports, metric)
            self.assertEqual(56, len(rates))
            for rate in rates.values():
                self.assertAlmostEqual(0.95 * NVLINK, rate, delta=0.05 * NVLINK)
        self.assertEqual({18}, set(figures(reports, "nvlinks").values()))
        for latency in figures(reports, "latency").values():
            self.assertAlmostEqual(780, latency, delta=20)
        links = [report for report in reports if report["report"] == "link"]
        self.assertEqual((28, {"nvlink"}), (len(links), {link["kind"] for link in links}))
        self.assertEqual({18}, {link["facts"]["nvlinks"] for link in links})

    def test_a_gpu_without_one_of_its_links_is_slower_to_all(self):
        outcome, named = self.judged(PAIRS, "gpu:3 nvlink 5 down")
        self.assertEqual("fail", outcome)
        self.assertEqual([GPUS[3]], list(named))
        self.assertIn("peer_share is 94.", named[GPUS[3]][0])

    def test_wrong_copies_are_blamed_on_the_gpu_that_they_have_in_common(self):
        outcome, named = self.judged(PAIRS.replace("pairs", "together"), "gpu:6 flips peer copies")
        self.assertEqual("fail", outcome)
        self.assertEqual([GPUS[6]], list(named))
        self.assertRegex(named[GPUS[6]][0], r"over 14 paths arrived wrong: copy \d+ from .* offset 0x")

    def test_a_gpu_that_dies_does_not_take_the_others_along(self):
        reports = self.reports("gpu.p2p", "gpu:3 lost after 5 ms")
        faults = [report for report in reports if report["report"] == "fault"]
        self.assertEqual([(GPUS[3], "gpu-lost")], [(fault["device"], fault["code"]) for fault in faults])
        self.assertEqual(set(GPUS) - {GPUS[3]}, set(figures(reports, "peer_share")))
        self.assertEqual(42, len(figures(reports, "shift")))
        self.assertEqual("done", reports[-1]["report"])

    def test_without_nvlink_copies_go_over_pcie(self):
        reports = self.reports("gpu.p2p", "gpu:1 link width 8", profile="pcie-l40s-4", tests="pairs")
        shares = figures(reports, "peer_share")
        self.assertEqual(4, len(shares))
        self.assertAlmostEqual(50, shares.pop("pci:0000:65:00.0"), delta=3)
        for share in shares.values():
            self.assertAlmostEqual(100, share, delta=3)
        self.assertEqual({"pcie"}, {report["kind"] for report in reports if report["report"] == "link"})

    def test_a_gpu_whose_memory_is_full_spoils_no_other_ones_figures(self):
        outcome, named = self.judged(PAIRS, "gpu:2 memory full")
        self.assertEqual("fail", outcome)
        self.assertEqual([""], list(named))
        self.assertIn("bandwidth was measured on 42 devices", named[""][0])
        reports = self.reports("gpu.p2p", "gpu:2 memory full", tests="pairs", gpus="0000:[1-3]*")
        self.assertEqual(GPUS[:2], sorted(figures(reports, "peer")))
        self.assertTrue(any(note.startswith(f"{GPUS[2]} is not measured") for note in notes(reports)))

    def test_one_gpu_has_no_peer(self):
        self.assertEqual("skip", self.reports("gpu.p2p", gpus="0000:17*")[-1]["report"])


if __name__ == "__main__":
    support.main()
