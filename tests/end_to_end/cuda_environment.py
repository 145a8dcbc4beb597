"""No verdict on some GPUs is taken for one on all: what hides GPUs from CUDA is said, and what bends its figures is kept away."""

import json
import subprocess

import simulated_gpus
import support
from simulated_gpus import GPUS, figures, notes
from support import RACKPROOF_CHECK

QUICK = {"tests": "bandwidth"}


class CudaEnvironment(simulated_gpus.LaidOutNodes):
    def reports(self, check, node, parameters, **variables):
        done = subprocess.run(
            [RACKPROOF_CHECK, support.simulated_edition(check), *(f"{name}={value}" for name, value in parameters.items())],
            env=self.environment_on(node, **variables), capture_output=True, text=True, timeout=support.PATIENCE,
        )  # fmt: skip
        self.assertEqual(0, done.returncode, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def faults(self, reports):
        return [(report["device"], report["code"]) for report in reports if report["report"] == "fault"]

    def test_gpus_that_the_environment_hides_are_no_pass(self):
        reports = self.reports("gpu.memory", self.node(), QUICK, CUDA_VISIBLE_DEVICES="0,1")
        self.assertEqual("trouble", reports[-1]["report"])
        self.assertEqual(
            "CUDA shows 2 of the 8 GPUs that are to be measured, CUDA_VISIBLE_DEVICES being '0,1': unset it, or choose by "
            "the check's parameter",
            reports[-1]["why"],
        )
        self.assertEqual({}, figures(reports, "copy"))
        reports = self.reports("gpu.memory", self.node(), QUICK, CUDA_VISIBLE_DEVICES="NoDevFiles")
        self.assertEqual(
            ("trouble", "8 NVIDIA GPUs on PCI, and CUDA shows none of them, CUDA_VISIBLE_DEVICES being 'NoDevFiles'"),
            (reports[-1]["report"], reports[-1]["why"]),
        )

    def test_a_choice_that_hides_none_that_is_meant_is_obeyed(self):
        reports = self.reports("gpu.memory", self.node(), {**QUICK, "gpus": "0000:17*"}, CUDA_VISIBLE_DEVICES="1,0")
        self.assertEqual(("done", [GPUS[0]]), (reports[-1]["report"], list(figures(reports, "copy"))))
        everything = ",".join(str(number) for number in reversed(range(len(GPUS))))
        reports = self.reports("gpu.memory", self.node(), QUICK, CUDA_VISIBLE_DEVICES=everything)
        self.assertEqual(("done", GPUS), (reports[-1]["report"], sorted(figures(reports, "copy"))))

    def test_a_gpu_that_pci_shows_and_cuda_does_not_is_a_fault_of_its_own(self):
        node = self.node(copy=1)
        (node / "faults.txt").write_text("gpu:3 missing\n")  # after its place on PCI was laid out
        reports = self.reports("gpu.memory", node, QUICK)
        self.assertEqual([(GPUS[3], "gpu-missing")], self.faults(reports))
        self.assertEqual(sorted(set(GPUS) - {GPUS[3]}), sorted(figures(reports, "copy")))
        self.assertEqual([], self.faults(self.reports("gpu.memory", node, {**QUICK, "gpus": "0000:9*"})))

    def test_what_bends_figures_is_kept_from_cuda(self):
        reports = self.reports(
            "gpu.memory", self.node(), {**QUICK, "gpus": "0000:17*"}, CUDA_LAUNCH_BLOCKING="1",
            CUDA_DEVICE_MAX_CONNECTIONS="1",
        )  # fmt: skip
        self.assertEqual("done", reports[-1]["report"])
        self.assertIn(
            "not left to CUDA, since it changes what is measured: CUDA_LAUNCH_BLOCKING=1, CUDA_DEVICE_MAX_CONNECTIONS=1",
            notes(reports),
        )

    def test_what_nccl_was_told_is_noted(self):
        node = self.node(copy=2)
        (node / "sysroot" / "etc" / "nccl.conf").write_text("# of the site\nNCCL_IB_HCA=mlx5\n\nNCCL_ALGO=Tree # slow\n")
        reports = self.reports("nccl.allreduce", node, {"sizes": "8 B", "gpus": "0000:1*"}, NCCL_P2P_DISABLE="1")
        self.assertEqual("done", reports[-1]["report"])
        self.assertIn("NCCL is told by the environment: NCCL_P2P_DISABLE=1", notes(reports))
        self.assertIn("NCCL is told by /etc/nccl.conf: NCCL_IB_HCA=mlx5, NCCL_ALGO=Tree", notes(reports))


if __name__ == "__main__":
    support.main()
