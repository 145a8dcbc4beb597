"""Replugs, slows and breaks cables of a simulated InfiniBand fabric: each is named by both ends, and no other."""

import sys
import threading

import support
from support import SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "support"))
import ibsim_fabric
from ibsim_fabric import QDR, SDR, WIDTH_12X, WIDTH_4X, FatTree, SimulatedFabric

TREE = FatTree()
KINDS = ["missing", "moved", "crossed", "unexpected", "narrower", "slower"]
COUNTERS = ["errors", "symbol_errors", "link_downed", "receive_errors", "transmit_discards"]
RECIPE = """
recipe: fabric
layers:
  - layer: fabric
    steps:
      - id: fabric
        check: infiniband.fabric
        with: {{ cabling: {cabling}, window: {window} }}
        expect: [ {limits} ]
"""


class InfinibandFabric(support.TestCase):
    def setUp(self):
        why = ibsim_fabric.what_is_missing()
        if why:
            self.skipTest(why)
        super().setUp()
        self.runs = 0
        self.cabling = self.write("plan.cabling", "# what should be\n" + TREE.cabling())

    def fabric(self, rates=None):
        return SimulatedFabric(self.folder / "fabric", TREE, self.environment(), rates)

    def measure(self, fabric, code, window="0 s", limits=None):
        """Runs the check as a user would, and gives what it reported."""
        self.runs += 1
        limits = limits or [f"links_{kind} == 0" for kind in KINDS] + ["unanswered == 0"]
        text = RECIPE.format(cabling=self.cabling, window=window, limits=", ".join(limits))
        recipe = self.write(f"fabric{self.runs}.yaml", text)
        # Programs under ibsim leave a folder where they run.
        result = self.rackproof("run", recipe, "--output", self.folder / f"run{self.runs}", environment=fabric.around,
                                cwd=fabric.folder)
        self.assert_exit(code, result)
        self.shown = result.out
        events = support.events(self.folder / f"run{self.runs}")
        return [event["says"] for event in events if event["event"] == "reported"]

    def findings(self, reports):
        """{kind: cables} of what differs from the cabling, after holding that each count is that of its cables."""
        found = {kind: set() for kind in KINDS}
        counts = {}
        for report in reports:
            kind = str(report.get("metric", "")).removeprefix("links_")
            if kind not in KINDS:
                continue
            if report["device"] == "ib-fabric":
                counts[kind] = report["value"]
            else:
                found[kind].add(report["device"])
        self.assertEqual({kind: len(found[kind]) for kind in KINDS}, counts)
        return {kind: cables for kind, cables in found.items() if cables}

    def notes(self, reports):
        return [report["text"] for report in reports if report.get("report") == "note"]

    def assert_found(self, reports, expected, *ends):
        self.assertEqual(expected, self.findings(reports))
        for cables in expected.values():
            for cable in cables:
                self.assertIn(cable, self.shown)
        told = [note for note in self.notes(reports) if note.split(":")[0] in KINDS]
        self.assertEqual(sum(map(len, expected.values())), len(told), told)
        for end in ends:
            self.assertTrue(any(end in note for note in told), f"{end} is not in {told}")

    def test_a_fabric_as_planned(self):
        with self.fabric() as fabric:
            reports = self.measure(fabric, 0)
            self.assertIn("SIMULATED", self.shown)
            self.assert_found(reports, {})
            devices = {report["id"]: report for report in reports if report.get("report") == "device"}
            kinds = [device["kind"] for device in devices.values()]
            links = list(TREE.links())
            self.assertEqual(
                {"switch": 6, "hca": 16, "cable": len(links), "port": 2 * len(links), "fabric": 1},
                {kind: kinds.count(kind) for kind in set(kinds)},
            )
            told = {(report["from"], report["to"]) for report in reports if report.get("report") == "link"}
            kind_of = lambda name: "hca" if name.startswith("node") else "switch"
            self.assertEqual({(f"{kind_of(a)}:{a}/{p}", f"{kind_of(b)}:{b}/{q}") for a, p, b, q in links}, told)
            # What was recorded of a good fabric is a cabling too.
            golden = fabric.program("ibnetdiscover")
            self.cabling = self.write("golden.topology", golden.stdout)
            self.assert_found(self.measure(fabric, 0), {})
            fabric.say('Unlink "node07"[1]')
            self.assert_found(self.measure(fabric, 1), {"missing": {"cable:node07/1=leaf02/3"}}, "node07", "leaf02 port 3")

    def test_replugged_cables(self):
        with self.fabric() as fabric:
            fabric.say('Unlink "leaf01"[5]')
            missing = {"missing": {"cable:leaf01/5=spine01/1"}}
            self.assert_found(self.measure(fabric, 1), missing, "leaf01 port 5", "spine01 port 1", "(Down, Polling)")
            fabric.say('Link "leaf01"[5] "spine01"[5]')
            moved = {"moved": {"cable:leaf01/5=spine01/1"}}
            self.assert_found(self.measure(fabric, 1), moved, "leaf01 port 5 leads to spine01 port 5")
            fabric.say('Unlink "leaf01"[5]', 'Link "leaf01"[5] "spine01"[1]')
            self.assert_found(self.measure(fabric, 0), {})

            fabric.say('Unlink "node04"[1]', 'Unlink "node08"[1]')
            fabric.say('Link "leaf01"[4] "node08"[1]', 'Link "leaf02"[4] "node04"[1]')
            crossed = {"crossed": {"cable:node04/1=leaf01/4", "cable:node08/1=leaf02/4"}}
            self.assert_found(self.measure(fabric, 1), crossed, "node04 port 1 leads to leaf02 port 4")
            fabric.say('Unlink "node04"[1]', 'Unlink "node08"[1]')
            fabric.say('Link "leaf01"[4] "node04"[1]', 'Link "leaf02"[4] "node08"[1]')

            fabric.say('Link "leaf01"[7] "leaf02"[7]')
            unexpected = {"unexpected": {"cable:leaf01/7=leaf02/7"}}
            self.assert_found(self.measure(fabric, 1), unexpected, "leaf01 port 7 to leaf02 port 7")
            fabric.say('Unlink "leaf01"[7]')

            fabric.say('Unlink "node16"')
            gone = {"missing": {"cable:node16/1=leaf04/4"}}
            self.assert_found(self.measure(fabric, 1), gone, "node16 is not seen in the fabric", "leaf04 port 4")

    def test_narrow_and_slow_links(self):
        rates = {("node03", 1): (WIDTH_4X, QDR), ("spine02", 4): (WIDTH_12X, SDR)}
        with self.fabric(rates) as fabric:
            found = {"narrower": {"cable:node03/1=leaf01/3"}, "slower": {"cable:leaf04/6=spine02/4"}}
            ends = ["node03 port 1 to leaf01 port 3", "leaf04 port 6 to spine02 port 4"]
            self.assert_found(self.measure(fabric, 1), found, *ends)
            # Without any cabling: a link that does less than its two ends could.
            limits = ["width == 100 % of width_capable", "links_below_capable == 1"]
            self.measure(fabric, 1, limits=limits)
            self.assertIn("cable:node03/1=leaf01/3", self.shown)
            self.assertEqual(1, self.shown.count("expected == 100 % of width_capable"))

    def test_errors(self):
        with self.fabric() as fabric:
            fabric.say('PerformanceSet "leaf03"[2] PortCounters.SymbolErrorCounter=5')
            limits = [f"{counter} == 0" for counter in COUNTERS] + ["counters_unread == 0"]
            # What was there before the window is told as a total, and does not count.
            reports = self.measure(fabric, 0, window="0.2 s", limits=limits)
            totals = [report for report in reports if report.get("metric") == "symbol_errors_total"]
            self.assertEqual([("cable:node10/1=leaf03/2", 5)], [(total["device"], total["value"]) for total in totals])

            done = threading.Event()

            def err():
                for number in range(1, 200):
                    if done.wait(0.1):
                        return
                    fabric.say(
                        f'PerformanceSet "leaf03"[2] PortCounters.SymbolErrorCounter={5 + number}',
                        f'PerformanceSet "spine01"[2] PortCounters.PortRcvErrors={number}',
                    )

            thread = threading.Thread(target=err)
            thread.start()
            try:
                reports = self.measure(fabric, 1, window="2 s", limits=limits)
            finally:
                done.set()
                thread.join()
            rising = {
                (report["metric"], report["device"])
                for report in reports
                if report.get("metric") in COUNTERS and report["value"] != 0
            }
            receiver = "cable:leaf02/5=spine01/2"
            expected = {("symbol_errors", "cable:node10/1=leaf03/2"), ("receive_errors", receiver), ("errors", receiver)}
            self.assertEqual(expected, rising)
            told = [note for note in self.notes(reports) if note.startswith("counted at ")]
            self.assertEqual(2, len(told), told)
            for start in ["spine01 port 2 (to leaf02 port 5): receive_errors ", "leaf03 port 2 (to node10 port 1): symbol_errors "]:
                self.assertTrue(any(note.startswith(f"counted at {start}") for note in told), told)

    def test_a_node_that_does_not_answer(self):
        with self.fabric() as fabric:
            fabric.say('Error "node07" 100')
            reports = self.measure(fabric, 1)
            ends = ["node07 is not seen in the fabric", "leaf02 port 3 has a link, to something that does not answer"]
            self.assert_found(reports, {"missing": {"cable:node07/1=leaf02/3"}}, *ends)
            self.assertEqual([1], [report["value"] for report in reports if report.get("metric") == "unanswered"])

    def test_what_cannot_be_read_is_said(self):
        with self.fabric() as fabric:
            self.cabling = self.write("bad.cabling", "node01 1 leaf01\n")
            reports = self.measure(fabric, 3)
            self.assertIn("bad.cabling:1: a line is: node port  node port", self.shown)
            self.cabling = self.write("plan.cabling", TREE.cabling())
            fabric.say('Unlink "node01"[1]')
            self.measure(fabric, 3)
            self.assertIn("no InfiniBand port here has a link: ibsim0 port 1 is Down, Polling", self.shown)


PORT = """CA 'mlx5_0'
	CA type: MT4129
	Port 1:
		State: {state}
		Physical state: {physical}
		Link layer: {layer}
"""


class Programs(support.TestCase):
    """Programs that are not those of infiniband-diags stand in their place, and do not do what they should."""

    def program(self, name, script):
        path = self.write(f"bin/{name}", f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def ibstat(self, state="Active", physical="LinkUp", layer="InfiniBand"):
        self.program("ibstat", f"cat <<'END'\n{PORT.format(state=state, physical=physical, layer=layer)}END")

    def setUp(self):
        super().setUp()
        self.ibstat()
        for name in ("ibnetdiscover", "iblinkinfo", "ibqueryerrors"):
            self.program(name, "exit 0")

    def judged(self, outcome, parameters=""):
        step = f"id: fabric, check: infiniband.fabric, optional: true, with: {{ {parameters} }}"
        recipe = self.recipe(f"{step}, expect: [ links_below_capable == 0 ]")
        path = f"{self.folder / 'bin'}:/usr/bin:/bin"
        result = self.rackproof("run", recipe, "--output", self.folder / "run", environment={"PATH": path})
        self.assert_exit({"skip": 77, "error": 3, "pass": 0}[outcome], result)
        self.assertEqual(outcome, support.outcomes(self.folder / "run")["fabric"])
        return support.verdicts(self.folder / "run")["fabric"][1]

    def test_no_adapter(self):
        self.program("ibstat", "exit 0")
        self.assertEqual("this machine has no InfiniBand port", self.judged("skip"))

    def test_ethernet_alone(self):
        self.ibstat(layer="Ethernet")
        self.assertEqual("this machine has no InfiniBand port", self.judged("skip"))

    def test_a_port_without_a_link(self):
        self.ibstat(state="Down", physical="Disabled")
        why = "no InfiniBand port here has a link: mlx5_0 port 1 is Down, Disabled"
        self.assertEqual(why, self.judged("error"))

    def test_a_port_that_is_not_there(self):
        why = "this machine has InfiniBand ports, but not the one that was asked for"
        self.assertEqual(why, self.judged("error", "adapter: mlx5_7"))

    def test_a_program_that_fails(self):
        self.program("ibnetdiscover", "echo 'cannot open umad port: Permission denied' >&2; exit 255")
        why = "ibnetdiscover ended with exit code 255: cannot open umad port: Permission denied"
        self.assertEqual(why, self.judged("error"))

    def test_a_program_that_hangs(self):
        self.program("ibnetdiscover", "exec sleep 60")
        self.assertEqual("ibnetdiscover did not end within 1 s", self.judged("error", "patience: 1 s"))

    def test_a_program_that_says_nothing(self):
        self.assertEqual("ibnetdiscover found no node: without a word", self.judged("error"))

    def test_without_counters_the_links_are_measured(self):
        topology = 'switchguid=0x1(1)\\nSwitch 3 "S-1" # "leaf01" base port 0 lid 1 lmc 0\\n'
        self.program("ibnetdiscover", f"printf '{topology}'")
        self.program("ibqueryerrors", "echo 'no subnet manager' >&2; exit 1")
        self.judged("pass")
        notes = [event["says"]["text"] for event in support.events(self.folder / "run")
                 if event["event"] == "reported" and event["says"]["report"] == "note"]
        self.assertEqual(["no counter is measured: ibqueryerrors ended without its summary: no subnet manager"], notes)


if __name__ == "__main__":
    support.main()
