"""pcie.bandwidth on simulated nodes: a healthy one shows its profile's rates, each fault shows on its GPU and on no other."""

import collections
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import support
from support import BUILD, RACKPROOF_CHECK

NODE = "hgx-h100-8"
SIMULATOR = BUILD / "bin" / "simulator" / "rackproof-simulator"
STAND_INS = BUILD / "bin" / "simulator" / "lib"
REHEARSAL = BUILD / "bin" / "simulator" / "checks" / "pcie.bandwidth.so"
GPUS = [f"pci:0000:{bus}:00.0" for bus in ("17", "18", "3f", "40", "9d", "9e", "c7", "c8")]
SWITCHES = [f"pci:0000:{bus}:00.0" for bus in ("15", "3d", "9b", "c5")]


class Said:
    """What a check reported: its figures by metric and device, its faults, notes and last word."""

    def __init__(self, text):
        self.reports = [json.loads(line) for line in text.splitlines()]
        self.figures = collections.defaultdict(dict)
        self.samples = {}
        for report in self.all("measurement"):
            self.figures[report["metric"]][report.get("device", "")] = report["value"]
            self.samples[report["metric"], report.get("device", "")] = report.get("samples")
        self.last = self.reports[-1]

    def all(self, kind):
        return [report for report in self.reports if report["report"] == kind]

    def accused(self):
        return {report["device"] for report in self.all("fault")}

    def below(self, metric, bound):
        return [device for device, value in self.figures[metric].items() if value < bound]

    def above(self, metric, bound):
        return [device for device, value in self.figures[metric].items() if value > bound]


class PcieBandwidth(support.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = pathlib.Path(tempfile.mkdtemp(prefix="rackproof-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.nodes, ignore_errors=True)

    def lay_out(self, fault, profile):
        """A node with that fault. One whose files show nothing of it is a healthy one with another list of faults, since
        laying out some thousand files takes longer than measuring."""
        shows = any(word in fault for word in ("link width", "link speed", "missing"))
        node = self.nodes / f"{profile}-{fault if shows else 'healthy'}".replace(" ", "-").replace("/", "-")
        if not node.exists():
            options = ["--fault", fault] if shows else []
            subprocess.run([SIMULATOR, "lay-out", profile, node, *options], check=True, stdout=subprocess.DEVNULL)
        (node / "faults.txt").write_text(f"{fault}\n")
        (node / "state").unlink(missing_ok=True)
        return node

    def measure(self, fault="", library=None, profile=NODE, last="done", **parameters):
        node = self.lay_out(fault, profile)
        environment = self.environment(
            RACKPROOF_SYSROOT=str(node / "sysroot"), RACKPROOF_SIMULATION=str(node), LD_LIBRARY_PATH=str(STAND_INS)
        )
        arguments = [f"{name}={value}" for name, value in parameters.items()]
        ended = subprocess.run(
            [RACKPROOF_CHECK, library or support.simulated_edition("pcie.bandwidth"), *arguments], env=environment, capture_output=True, text=True
        )
        self.assertEqual(0, ended.returncode, ended.stderr)
        said = Said(ended.stdout)
        self.assertEqual(last, said.last["report"], said.last)
        return said

    def assert_near(self, wanted, figures, within=0.05, names=GPUS):
        self.assertEqual(sorted(names), sorted(figures))
        for device, value in figures.items():
            self.assertLess(abs(value - wanted) / wanted, within, (device, value))

    def assert_healthy(self, said):
        self.assertEqual([], said.all("fault"))
        figures = said.figures
        for metric in ("h2d", "d2h", "h2d_far", "d2h_far"):
            self.assert_near(55, figures[metric])
        self.assert_near(98, figures["both"])
        self.assert_near(1200, figures["latency"])
        self.assert_near(1450, figures["latency_far"])
        for way in ("h2d", "d2h"):
            for together in ("switch", "all"):
                self.assert_near(28.5, figures[f"{way}_{together}"])
                self.assert_near(52, figures[f"{way}_{together}_share"], within=0.08)
            self.assert_near(57, figures[f"uplink_{way}"], names=SWITCHES)
            self.assert_near(4 * 57, figures[f"{way}_total"], names=[""])
        for metric in ("h2d_errors", "d2h_errors", "pages_misplaced", "replays", "link_errors_corrected"):
            self.assertEqual(dict.fromkeys(GPUS, 0), figures[metric], metric)
        self.assertEqual(dict.fromkeys(GPUS, 16), figures["width_under_load"])
        self.assertEqual(dict.fromkeys(GPUS, 32), figures["speed_under_load"])
        for (metric, device), samples in said.samples.items():
            if samples is None:
                continue
            self.assertGreaterEqual(samples["n"], 12, (metric, device))
            self.assertTrue(samples.get("steady", True), (metric, device))
        links = {(link["from"], link["to"]): link["facts"] for link in said.all("link")}
        self.assertAlmostEqual(figures["h2d"][GPUS[0]], links["pci:0000:16:00.0", GPUS[0]]["h2d_gbs"])
        self.assertIn(("pci:0000:14:01.0", SWITCHES[0]), links)

    def test_a_healthy_node_shows_the_rates_of_its_profile(self):
        self.assert_healthy(self.measure())

    @unittest.skipUnless(REHEARSAL.exists(), "the rehearsal editions are not built")
    def test_the_rehearsal_edition_finds_the_same(self):
        self.assert_healthy(self.measure(library=REHEARSAL))

    def test_a_link_that_is_trained_down(self):
        for fault, metric, value in (("width 8", "width_under_load", 8), ("speed 16 GT/s", "speed_under_load", 16)):
            with self.subTest(fault):
                said = self.measure(f"gpu:3 link {fault}", phases="switch")
                for way in ("h2d", "d2h"):
                    self.assertEqual([GPUS[3]], said.below(way, 45))
                    self.assertEqual([], said.below(f"uplink_{way}", 52))
                self.assertEqual([GPUS[3]], said.below(metric, 2 * value))

    def test_a_narrow_uplink_shows_on_the_gpus_under_it(self):
        said = self.measure("switch:1 uplink 50 %", phases="switch")
        for way in ("h2d", "d2h"):
            self.assertEqual(GPUS[2:4], said.below(f"{way}_switch", 20))
            self.assertEqual([SWITCHES[1]], said.below(f"uplink_{way}", 40))
        self.assertEqual(dict.fromkeys(GPUS, 16), said.figures["width_under_load"])

    def test_an_uplink_that_still_carries_one_gpu_shows_only_when_all_copy(self):
        said = self.measure("switch:1 uplink 97 %", phases="switch", at_most="1 s")
        self.assertEqual([], said.below("h2d", 52))
        self.assertEqual(SWITCHES[1], min(said.figures["uplink_h2d"], key=said.figures["uplink_h2d"].get))

    def test_flipped_copies_are_found_named_and_counted(self):
        said = self.measure("gpu:5 flips copies", phases="node")
        self.assertEqual({GPUS[5]}, said.accused())
        self.assertEqual([GPUS[5]], said.above("h2d_errors", 0))
        self.assertEqual([GPUS[5]], said.above("d2h_errors", 0))
        for fault in said.all("fault"):
            self.assertEqual("data-mismatch", fault["code"])
            self.assertRegex(
                fault["text"],
                r"^GPU 5, (host to device|device to host), copy \d+: 1 of \d+ words wrong, the first at byte \d+: "
                r"0x[0-9a-f]{16} instead of 0x[0-9a-f]{16}; wrong bits 0x[0-9a-f]{16}$",
            )

    def test_link_errors_are_counted(self):
        said = self.measure("gpu:6 link errors", phases="node")
        self.assertEqual([GPUS[6]], said.above("link_errors_corrected", 0))
        self.assertEqual([GPUS[6]], said.above("replays", 0))
        self.assertEqual(set(), said.accused())

    def test_a_lost_gpu_stops_no_other(self):
        said = self.measure("gpu:2 lost after 0.004 s", phases="node")
        self.assertEqual({GPUS[2]}, said.accused())
        self.assertEqual(["gpu-lost"], [fault["code"] for fault in said.all("fault")])
        others = [gpu for gpu in GPUS if gpu != GPUS[2]]
        self.assert_near(55, {d: v for d, v in said.figures["h2d"].items() if d != GPUS[2]}, names=others)
        self.assertEqual(sorted(others), sorted(said.figures["d2h_all"]))

    def test_a_missing_gpu_is_not_measured(self):
        said = self.measure("gpu:7 missing", phases="alone", far="false")
        self.assert_near(55, said.figures["h2d"], names=GPUS[:7])

    def test_an_old_driver_is_said(self):
        said = self.measure("driver old", last="trouble")
        self.assertIn("too old", said.last["why"])
        self.assertEqual([], said.all("measurement"))

    def test_a_fabric_manager_that_does_not_run_is_named(self):
        said = self.measure("fabric down", last="trouble")
        self.assertEqual(
            "8 NVIDIA GPUs on PCI, but CUDA does not start: system not yet initialized; behind NVSwitches it waits for "
            "nvidia-fabricmanager",
            said.last["why"],
        )

    def test_a_node_without_switches(self):
        said = self.measure(profile="pcie-l40s-4")
        self.assertEqual([], said.all("fault"))
        self.assertEqual(4, len(said.figures["h2d_all_share"]))
        self.assertEqual({}, said.figures["h2d_switch"])
        self.assertTrue(any("no two GPUs share an uplink" in note["text"] for note in said.all("note")))


if __name__ == "__main__":
    unittest.main()
