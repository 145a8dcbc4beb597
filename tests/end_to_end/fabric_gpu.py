"""fabric.gpu-bandwidth between ranks on simulated nodes: messages lie in memory of GPUs, and what is wrong there is found."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import support
from fabric_pair import BACK, FORTH, QUICK, Ranks
from simulated_gpus import GPUS, NODE, SIMULATOR
from support import BUILD

CHECK = "fabric.gpu-bandwidth"
UCX = BUILD / "tests" / "support" / "ucx_with_cuda.so"
ROUNDS = ("0=rp01,1=rp02", "0=rp01,1=rp02")


def setUpModule():
    if not UCX.exists():
        raise unittest.SkipTest("there is no UCX here")


class GpuBandwidth(support.TestCase):
    def pair(self, *parameters, faults=(), preload=True):
        """Both ranks on nodes of their own, with the same faults."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(
            dir="/dev/shm" if os.path.isdir("/dev/shm") else self.folder)))  # fmt: skip
        node = folder / "node"
        options = [word for fault in faults for word in ("--fault", fault)]
        subprocess.run([SIMULATOR, "lay-out", NODE, node, *options], check=True, stdout=subprocess.DEVNULL)
        variables = {"RACKPROOF_SYSROOT": str(node / "sysroot"), "RACKPROOF_SIMULATION": str(node),
                     "LD_LIBRARY_PATH": str(BUILD / "bin" / "simulator" / "lib")}  # fmt: skip
        if preload:
            variables["LD_PRELOAD"] = str(UCX)
        return Ranks(self, CHECK, ROUNDS, *QUICK, *parameters, library=support.simulated_edition(CHECK),
                     **variables).reports()  # fmt: skip

    def test_every_operation_moves_messages_between_gpus_and_they_come_as_they_were_sent(self):
        for op in ("tag", "put", "get"):
            with self.subTest(op=op):
                for reports, path in zip(self.pair(f"op={op}", "size=256 KiB", "time=500 ms"), (FORTH, BACK)):
                    measured = reports.measured(path)
                    self.assertEqual((1, 0), (measured["reached"], measured["verify_errors"]), reports.all)
                    self.assertGreater(measured["verified"], 0)
                    self.assertGreater(measured["bandwidth_both"], 0)
                    self.assertEqual(GPUS[0], reports.device(path)["gpu"])
                    self.assertIn((GPUS[0], path), [(link["from"], link["to"]) for link in reports.of("link")])
                    self.assertEqual([], reports.of("fault"))

    def test_the_gpu_is_chosen(self):
        for reports, path in zip(self.pair("gpu=0000:9d:00.0", "directions=each"), (FORTH, BACK)):
            self.assertEqual("pci:0000:9d:00.0", reports.device(path)["gpu"])

    def test_messages_that_are_wrong_are_counted(self):
        broken = self.pair("verify=100 %", "directions=each", faults=["gpu:0 flips copies"])
        self.assertTrue(any(reports.measured()["verify_errors"] > 0 for reports in broken))
        self.assertIn("data-mismatch", [fault["code"] for reports in broken for fault in reports.of("fault")])

    def test_a_gpu_that_is_lost_is_named(self):
        for reports in self.pair("verify=100 %", "directions=each", faults=["gpu:0 lost after 1 ms"]):
            self.assertEqual([(GPUS[0], "gpu-lost")],
                             [(fault["device"], fault["code"]) for fault in reports.of("fault")], reports.all)
            self.assertEqual("trouble", reports.last["report"])

    def test_a_ucx_without_cuda_measures_nothing_and_says_so(self):
        for reports in self.pair(preload=False):
            self.assertEqual("skip", reports.last["report"])
            self.assertIn("built without CUDA", reports.last["why"])
            self.assertEqual({}, reports.measured())

    def test_a_node_without_gpus_skips(self):
        ranks = Ranks(self, CHECK, ROUNDS, *QUICK, library=support.simulated_edition(CHECK),
                      LD_LIBRARY_PATH=str(BUILD / "bin" / "simulator" / "lib"), RACKPROOF_SYSROOT=str(self.folder))  # fmt: skip
        for reports in ranks.reports():
            self.assertIn(reports.last["report"], ("skip", "trouble"), reports.all)
            self.assertEqual({}, reports.measured())


if __name__ == "__main__":
    support.main()
