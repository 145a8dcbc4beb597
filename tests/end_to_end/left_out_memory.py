"""No verdict on the memory of some NUMA nodes is taken for one on all: what the environment leaves out is trouble."""

import json
import subprocess
import unittest

import support
from support import CHECKS, RACKPROOF_CHECK

NODES = "/sys/devices/system/node"
# In a mount namespace of its own: what the kernel tells of its nodes is covered by what a test wrote.
COVERED = ["unshare", "--mount", "sh", "-c", f'mount --bind "$1" {NODES} && shift && exec "$@"', "covered"]


class LeftOutMemory(support.TestCase):
    def measure(self, nodes, **parameters):
        words = [f"{name}={value}" for name, value in parameters.items()]
        done = subprocess.run(
            [*COVERED, nodes, RACKPROOF_CHECK, CHECKS / "memory.bandwidth.so", "kernel=read", "at_most=100 ms", *words],
            env=self.environment(), capture_output=True, text=True, timeout=support.PATIENCE,
        )  # fmt: skip
        if done.returncode != 0:
            raise unittest.SkipTest(f"not checked: {NODES} cannot be covered here: {done.stderr.strip()}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def nodes(self, second):
        nodes = self.folder / "nodes"
        for name, text in {"has_memory": "0-1", "node0/cpulist": "0-4095", "node1/cpulist": second}.items():
            (nodes / name).parent.mkdir(parents=True, exist_ok=True)
            (nodes / name).write_text(text + "\n")
        return nodes

    def test_a_node_without_a_cpu_of_ours_is_trouble(self):
        nodes = self.nodes("5000-5003")
        last = self.measure(nodes)[-1]
        self.assertEqual("trouble", last["report"])
        self.assertRegex(last["why"], r"^this process may use CPU [-,0-9]+ alone, and so NUMA node 1 is left out \(")
        partial = self.measure(nodes, partial="true")
        self.assertEqual("done", partial[-1]["report"])
        self.assertTrue(any("NUMA node 1 is left out" in one["text"] for one in partial if one["report"] == "note"))
        self.assertEqual("done", self.measure(nodes, cores="one")[-1]["report"])

    def test_a_node_of_memory_alone_is_none_of_ours(self):
        self.assertEqual("done", self.measure(self.nodes(""))[-1]["report"])


if __name__ == "__main__":
    support.main()
