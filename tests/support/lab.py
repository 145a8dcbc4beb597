"""The labs of tests/lab for Python: a Slurm or an MPI cluster of nodes in namespaces, up for the time of a test."""

import os
import pathlib
import subprocess
import unittest

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "lab"
PATIENCE = 120  # s; only ends a test that would otherwise never end
CANNOT = 77


class Lab:
    """A cluster; `name` is slurm_cluster or mpi_cluster. Skips the test where it cannot stand."""

    def __init__(self, name, nodes=4, environment=None):
        self.script = str(FOLDER / name)
        environment = os.environ if environment is None else environment
        self.nodes = [f"rp{number:02}" for number in range(1, nodes + 1)]
        up = subprocess.run([self.script, "up", str(nodes)], env=environment, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=PATIENCE, check=False)
        if up.returncode == CANNOT:
            raise unittest.SkipTest(up.stderr.strip())
        # A machine may have all that it takes and still not let it stand: a container without rights, say.
        if up.returncode != 0:
            raise unittest.SkipTest(f"{name} did not come up: exit {up.returncode}\n{up.stderr}")
        self.folder = pathlib.Path(up.stdout.strip())
        self.environment = dict(environment) | {"RACKPROOF_LAB": str(self.folder)}

    def do(self, *words, check=True):
        """slow, heal, kill, freeze, thaw."""
        return subprocess.run([self.script, *words], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE, check=check)

    def command(self, node, *words):
        """What runs `words` on a node or on rpctl, for subprocess; it needs `environment`."""
        return [self.script, "in", node, *map(str, words)]

    def run(self, *words, node="rpctl", environment=None):
        return subprocess.run(self.command(node, *words), env=self.environment | (environment or {}), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)

    def down(self):
        self.do("down", check=False)
