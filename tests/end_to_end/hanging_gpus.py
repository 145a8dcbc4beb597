"""A GPU that ends nothing any more is named, the others are measured, and the check itself comes to its end."""

import concurrent.futures
import json
import subprocess

import simulated_gpus
import support
from simulated_gpus import GPUS, figures
from support import RACKPROOF_CHECK

HUNG = GPUS[3]
# Checks wait up to a minute before they call a GPU hung: all of these do it at the same time.
CASES = {
    "gpu.memory": ("gpu:3 hangs after 500 ms", {}, "write", [(HUNG, "gpu-hung")]),
    "gpu.burn": ("gpu:3 hangs after 300 ms", {"precisions": "bf16", "size": "1024", "duration": "1 s"}, "gemm_bf16", [(HUNG, "gpu-hung")]),
    "gpu.p2p": ("gpu:3 hangs after 20 ms", {"gpus": "0000:[1-4]*"}, "peer", [(HUNG, "gpu-hung")]),
    "pcie.bandwidth": ("gpu:3 hangs after 1 ms", {"gpus": "0000:[34]*", "phases": "alone"}, "both", [(HUNG, "gpu-hung")]),
    "nccl.allreduce": ("gpu:3 hangs", {"sizes": "8 B", "timeout": "2 s"}, None, [(HUNG, "gpu-hung")]),
}  # fmt: skip


class HangingGpus(simulated_gpus.LaidOutNodes):
    def measure(self, check):
        fault, parameters, _, _ = CASES[check]
        done = subprocess.run(
            [RACKPROOF_CHECK, support.simulated_edition(check), *(f"{name}={value}" for name, value in parameters.items())],
            env=self.environment_on(self.node(fault)), capture_output=True, text=True, timeout=4 * support.PATIENCE,
        )  # fmt: skip
        return done, [json.loads(line) for line in done.stdout.splitlines()]

    def test_each_check_names_it_and_comes_to_its_end(self):
        for fault, _, _, _ in CASES.values():
            self.node(fault)  # laid out before several threads ask for it
        with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
            measured = dict(zip(CASES, pool.map(self.measure, CASES)))
        for check, (done, reports) in measured.items():
            with self.subTest(check):
                _, _, metric, faults = CASES[check]
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                self.assertEqual(faults, [(one["device"], one["code"]) for one in reports if one["report"] == "fault"])
                self.assertEqual("done", reports[-1]["report"], reports[-1])
                # A collective needs all of them. Nothing was verified, so there is no count of errors that could be 0.
                self.assertEqual({}, figures(reports, "element_errors"))
                if metric is not None:
                    found = figures(reports, metric)
                    self.assertNotEqual({}, found)
                    self.assertNotIn(HUNG, found)


if __name__ == "__main__":
    support.main()
