"""Breaks ports of a laid-out node's fabric: each limit names that port and no other; without a fabric that is said."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

import support
from support import BUILD, SOURCE

SIMULATOR = BUILD / "bin" / "simulator" / "rackproof-simulator"
PORTS = [f"ib:mlx5_{number}/1" for number in range(8)]
STRICT = """
  - state == 4
  - physical_state == 5
  - rate == 100 % of rate_alike
  - rate_share <= 100 %
  - errors == 0
  - symbol_errors == 0
  - count(state) == 8
"""


def layer(name):
    """A layer of recipes/node.yaml, as it stands there."""
    text = (SOURCE / "recipes" / "node.yaml").read_text()
    return re.search(rf"(?ms)^  - layer: {name}$.*?(?=^  - layer: |\Z)", text).group()


class FabricPorts(support.TestCase):
    # Thousands of small files, so one node serves all tests: each puts back what it changed.
    @classmethod
    def setUpClass(cls):
        cls.laid_out = pathlib.Path(tempfile.mkdtemp(prefix="rackproof-fabric-"))
        cls.addClassCleanup(shutil.rmtree, cls.laid_out, ignore_errors=True)
        command = [SIMULATOR, "lay-out", "hgx-h100-8", cls.laid_out / "node"]
        subprocess.run(command, check=True, capture_output=True)

    def setUp(self):
        super().setUp()
        self.node = self.laid_out / "node" / "sysroot"
        self.changed = set()

    def set(self, path, text):
        file = (self.node / path).resolve()
        if file not in self.changed:
            self.changed.add(file)
            self.addCleanup(self.replace, file, file.read_text())
        self.replace(file, text + "\n")

    def replace(self, file, text):
        """In one step, as no reader of /sys sees half a text."""
        new = file.with_name(file.name + ".new")
        new.write_text(text)
        os.replace(new, file)

    def set_port(self, number, **files):
        for name, text in files.items():
            self.set(f"sys/class/infiniband/mlx5_{number}/ports/1/{name.replace('__', '/')}", text)

    @contextlib.contextmanager
    def meanwhile(self, step):
        """Does something again and again while the block runs."""
        done = threading.Event()

        def work():
            number = 0
            while not done.wait(0.03):
                number += 1
                step(number)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def run_node(self, recipe, code, **options):
        return self.run_recipe(recipe, "--sysroot", self.node, code=code, **options)

    def strict(self, code, window="0.3 s"):
        steps = "".join(f"        {line}\n" for line in STRICT.strip("\n").splitlines())
        recipe = self.write(
            "strict.yaml",
            "recipe: strict\nlayers:\n  - layer: fabric\n    steps:\n      - check: infiniband.ports\n"
            f"        with: {{ window: {window} }}\n        expect:\n{steps}",
        )
        run = self.run_node(recipe, code)
        return support.verdicts(run)["infiniband-ports"], self.rackproof("show", run).out

    def assert_blamed(self, number, sentence, window="0.3 s"):
        (outcome, reason), shown = self.strict(1, window)
        self.assertEqual("fail", outcome)
        self.assertIn(PORTS[number], reason)
        self.assertRegex(shown, sentence)
        for port in PORTS:
            if port != PORTS[number]:
                self.assertNotIn(port, shown)

    def test_a_healthy_fabric_passes(self):
        (outcome, reason), _ = self.strict(0)
        self.assertEqual(("pass", "7 limits held"), (outcome, reason))

    def test_a_port_that_is_down(self):
        self.set_port(3, state="1: DOWN", phys_state="2: Polling", rate="10 Gb/sec (4X SDR)")
        self.assert_blamed(3, r"state is 1, expected == 4")

    def test_a_port_that_its_subnet_manager_does_not_know(self):
        self.set_port(6, state="2: INIT", lid="0x0")
        self.assert_blamed(6, r"state is 2, expected == 4")

    def test_a_port_that_is_slower_than_its_like(self):
        self.set_port(5, rate="200 Gb/sec (4X HDR)")
        self.assert_blamed(5, r"rate is 200 Gb/s, expected == 100 % of rate_alike = 400 Gb/s")

    def test_a_slot_that_is_too_narrow(self):
        self.set("sys/class/infiniband/mlx5_4/device/current_link_speed", "16.0 GT/s PCIe")
        self.set("sys/class/infiniband/mlx5_4/device/current_link_width", "8")
        self.assert_blamed(4, r"rate_share is 317\.4 %, expected <= 100 %")

    def test_a_link_that_flaps(self):
        def flap(number):
            self.set_port(1, state="4: ACTIVE" if number % 4 < 2 else "1: DOWN", counters__link_downed=str(number // 4))

        with self.meanwhile(flap):
            self.assert_blamed(1, r"errors is \d+, expected == 0", window="1 s")

    def test_symbol_errors_that_rise(self):
        with self.meanwhile(lambda number: self.set_port(7, counters__symbol_error=str(10 * number))):
            self.assert_blamed(7, r"symbol_errors is \d+, expected == 0", window="1 s")

    def test_old_errors_are_no_failure(self):
        self.set_port(2, counters__symbol_error="500", counters__link_downed="3")
        self.strict(0)

    def node_recipe(self):
        return self.write("node.yaml", "recipe: node\nlayers:\n" + layer("pcie") + layer("fabric"))

    def test_the_node_recipe_passes_on_a_healthy_fabric(self):
        run = self.run_node(self.node_recipe(), 0)
        self.assertEqual({"links": "pass", "ports": "pass", "interfaces": "skip"}, support.outcomes(run))

    def test_the_node_recipe_names_an_erring_port(self):
        with self.meanwhile(lambda number: self.set_port(7, counters__port_rcv_errors=str(number))):
            run = self.run_node(self.node_recipe(), 1)
        outcome, reason = support.verdicts(run)["ports"]
        self.assertEqual("fail", outcome)
        self.assertIn(PORTS[7], reason)

    def test_without_a_fabric_the_node_recipe_says_so_and_passes(self):
        self.node = self.folder / "bare"
        self.node.mkdir()
        run = self.run_node(self.node_recipe(), 77)
        verdicts = support.verdicts(run)
        self.assertEqual(("skip", "this machine has no InfiniBand or RoCE adapter"), verdicts["ports"])
        self.assertEqual(("skip", "this machine has no Ethernet interface that is hardware"), verdicts["interfaces"])
        below = "  - layer: host\n    steps:\n      - { check: selftest.pass, expect: [ answer == 42 ] }\n"
        recipe = self.write("more.yaml", "recipe: more\nlayers:\n" + below + layer("pcie") + layer("fabric"))
        self.run_node(recipe, 0, folder="passed")


if __name__ == "__main__":
    support.main()
