"""A fat tree that ibsim simulates, with opensm as its subnet manager: brought up, broken on its console, torn down."""

import os
import pathlib
import shutil
import subprocess
import time
import uuid

LIBRARY = "/usr/lib/x86_64-linux-gnu/umad2sim/libumad2sim.so"
PROGRAMS = ["ibsim", "opensm", "ibnetdiscover", "iblinkinfo", "ibqueryerrors", "ibstat"]
PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
PATIENCE = 30  # s; only ends a test that would otherwise never end

# Codes of ibsim: a width of 8 is 12X, the most that its ports can do; 2 is 4X. A speed of 4 is QDR, 1 is SDR.
WIDTH_12X, WIDTH_4X, QDR, SDR = 8, 2, 4, 1


def what_is_missing():
    """Why no fabric can be simulated here; nothing where it can."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        return "not installed: " + ", ".join(missing)
    return None if pathlib.Path(LIBRARY).exists() else f"not installed: {LIBRARY}"


class FatTree:
    """Leaves with as many hosts each and one link to each spine: leaf01 port 1 is node01, its last ports are spines."""

    def __init__(self, leaves=4, spines=2, hosts=4):
        self.leaves, self.spines, self.hosts = leaves, spines, hosts

    def host(self, leaf, port):
        return f"node{(leaf - 1) * self.hosts + port:02}"

    def links(self):
        """(node, port, node, port) of every link, the end nearer to a host first."""
        for leaf in range(1, self.leaves + 1):
            for port in range(1, self.hosts + 1):
                yield self.host(leaf, port), 1, f"leaf{leaf:02}", port
        for leaf in range(1, self.leaves + 1):
            for spine in range(1, self.spines + 1):
                yield f"leaf{leaf:02}", self.hosts + spine, f"spine{spine:02}", leaf

    def spares(self):
        """Links of one more port of each switch: ibsim gives a port its width with its first link, so spares begin with one."""
        switches = [(f"leaf{leaf:02}", self.hosts + self.spines + 1) for leaf in range(1, self.leaves + 1)]
        switches += [(f"spine{spine:02}", self.leaves + 1) for spine in range(1, self.spines + 1)]
        for (a, p), (b, q) in zip(switches[::2], switches[1::2]):
            yield a, p, b, q

    def cabling(self, rate="12xQDR"):
        return "".join(f"{a} {p}  {b} {q}  {rate}\n" for a, p, b, q in self.links())

    def net(self, rates=None):
        """A net file of ibsim; `rates` are {(node, port): (width, speed)} of links that are not 12X QDR, by either end."""
        ends = {}
        for a, p, b, q in [*self.links(), *self.spares()]:
            rate = (rates or {}).get((a, p)) or (rates or {}).get((b, q)) or (WIDTH_12X, QDR)
            ends.setdefault(a, {})[p] = (b, q, rate)
            ends.setdefault(b, {})[q] = (a, p, rate)
        text = []
        # The first port is the one that programs are attached to.
        for name in sorted(ends, key=lambda name: (not name.startswith("node"), name)):
            kind = "Hca" if name.startswith("node") else "Switch"
            text.append(f'{kind} {max(ends[name])} "{name}"')
            for port, (peer, peer_port, (width, speed)) in sorted(ends[name].items()):
                text.append(f'[{port}] "{peer}"[{peer_port}] w={width} s={speed}')
            text.append("")
        return "\n".join(text)


class SimulatedFabric:
    """ibsim and opensm, in a folder and on sockets of their own; a context manager that always ends both."""

    def __init__(self, folder, tree, environment, rates=None):
        self.folder = pathlib.Path(folder)
        self.tree = tree
        self.rates = rates
        # ibsim's sockets are abstract, and named after this.
        self.environment = {
            **environment,
            "PATH": PATH,
            "IBSIM_SOCKNAME": f"rackproof-{uuid.uuid4().hex[:12]}",
            "SIM_HOST": "node01",
            "OSM_CACHE_DIR": str(self.folder),
            "OSM_TMP_DIR": str(self.folder),
        }
        # For programs that are to see this fabric.
        self.inside = {**self.environment, "LD_PRELOAD": LIBRARY}
        # For programs that start others which are to see it, and that may be built with a sanitizer, which bears no
        # library before its own.
        self.around = {**self.environment, "PATH": f"{self.folder / 'bin'}:{PATH}"}
        self.processes = []

    def __enter__(self):
        try:
            self.bring_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def bring_up(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "net").write_text(self.tree.net(self.rates))
        (self.folder / "bin").mkdir()
        for name in PROGRAMS:
            wrapper = self.folder / "bin" / name
            wrapper.write_text(f'#!/bin/sh\nLD_PRELOAD={LIBRARY} exec {shutil.which(name, path=PATH)} "$@"\n')
            wrapper.chmod(0o755)
        self.ibsim = self.start("ibsim", ["ibsim", "-s", "net"], self.environment, subprocess.PIPE)
        self.wait_for("the simulator", lambda: "simulator ready" in self.log("ibsim").lower())
        self.say(*(f'Unlink "{a}"[{p}]' for a, p, _, _ in self.tree.spares()))
        self.start("opensm", ["opensm", "-f", "opensm.log"], self.inside, subprocess.DEVNULL)
        self.wait_for("the subnet", self.is_up)

    def is_up(self):
        ports = self.program("iblinkinfo", "-l").stdout
        return "Active/" in ports and "Init" not in ports and "Armed" not in ports

    def start(self, name, command, environment, stdin):
        with open(self.folder / f"{name}.out", "wb") as out:
            process = subprocess.Popen(
                command, stdin=stdin, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder, env=environment
            )
        self.processes.append(process)
        return process

    def log(self, name):
        path = self.folder / (name if "." in name else f"{name}.out")
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for(self, what, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what} is not there within {PATIENCE} s: {self.log('ibsim')[-1000:]}{self.log('opensm')}")
            time.sleep(0.05)

    def say(self, *lines):
        """Says lines on ibsim's console, and waits until it has done them."""
        done = uuid.uuid4().hex
        # It complains of what it does not know, which shows that it has read so far.
        self.ibsim.stdin.write(("\n".join([*lines, done]) + "\n").encode())
        self.ibsim.stdin.flush()
        self.wait_for("the console's answer", lambda: done in self.log("ibsim"))

    def program(self, *command):
        return subprocess.run(command, cwd=self.folder, env=self.inside, capture_output=True, text=True, timeout=PATIENCE)

    def __exit__(self, *_):
        # opensm ignores SIGTERM once its simulator is gone.
        for process in reversed(self.processes):
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
