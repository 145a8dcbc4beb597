"""Exports runs for yEd, as JSON and as a drawing; hostile texts come out of every export as they went in."""

import inspect
import json
import shutil
import subprocess
import xml.etree.ElementTree

import exported
import support
from exported import HOSTILE, as_xml_carries, graph_files


class OtherFormats(exported.TestCase):
    def test_the_yed_export_is_the_strict_one_with_drawings(self):
        for run in (self.mixed_run(), self.hostile_run()):
            with self.subTest(run.name):
                strict = graph_files.strictly(self.export(run, "graphml").read_bytes())
                file = self.export(run, "yed")
                drawn = graph_files.strictly(file.read_bytes())
                self.assertEqual(strict, drawn)
                root = xml.etree.ElementTree.parse(file).getroot()
                labels = [label.text or "" for label in root.iter(graph_files.YED + "NodeLabel")]
                shown = [label[1:] if label.startswith(" <") else label for label in labels]
                self.assertEqual([values["label"] for values in strict[1]], shown)
                self.assertFalse([label for label in labels if label.startswith("<")], "read by yEd as HTML")
                self.assertEqual(len(strict[1]), len(list(root.iter(graph_files.YED + "ShapeNode"))))
                self.assertEqual(len(strict[2]), len(list(root.iter(graph_files.YED + "PolyLineEdge"))))
                for fill in root.iter(graph_files.YED + "Fill"):
                    self.assertRegex(fill.get("color"), r"^#[0-9a-f]{6}$")

    def test_the_json_export_says_what_the_graphml_says(self):
        for run in (self.mixed_run(), self.hostile_run()):
            with self.subTest(run.name):
                _, vertices, edges, _ = graph_files.strictly(self.export(run, "graphml").read_bytes())
                graph = json.loads(self.export(run, "json").read_text())
                self.assertEqual([v["path"] for v in vertices], [as_xml_carries(n["id"]) for n in graph["nodes"]])
                self.assertEqual([v["label"] for v in vertices], [as_xml_carries(n["label"]) for n in graph["nodes"]])
                self.assertEqual([v["kind"] for v in vertices], [n["kind"] for n in graph["nodes"]])
                index = {node["id"]: number for number, node in enumerate(graph["nodes"])}
                self.assertEqual(len(vertices), len(index))
                links = [((index[l["source"]], index[l["target"]]), l["relation"], l["weight"]) for l in graph["links"]]
                self.assertEqual([(ends, v["relation"], v["weight"]) for ends, v in edges], links)
                for values, node in zip(vertices, graph["nodes"], strict=True):
                    for name, value in node.get("properties", {}).items():
                        written = values.get(name) if f"fact_{name}" not in values else values[f"fact_{name}"]
                        self.assertEqual(as_xml_carries(value) if isinstance(value, str) else value, written, name)

    def test_networkx_reads_the_json_export(self):
        try:
            import networkx
        except ImportError:
            self.skipTest("not checked: no networkx here")
        run = self.mixed_run()
        data = json.loads(self.export(run, "json").read_text())
        # From 3.4 on it must be told that they are called links.
        named = "edges" in inspect.signature(networkx.node_link_graph).parameters
        graph = networkx.node_link_graph(data, edges="links") if named else networkx.node_link_graph(data)
        self.assertTrue(graph.is_directed() and graph.is_multigraph())
        self.assertEqual((len(data["nodes"]), len(data["links"])), (len(graph), graph.number_of_edges()))
        node = support.events(run)[0]["node"]
        self.assertEqual("fail", graph.nodes[f"{node}/trial/fault"]["properties"]["outcome"])

    def test_graphviz_draws_the_dot_export(self):
        if shutil.which("dot") is None:
            self.skipTest("not checked: no Graphviz here")
        for run in (self.mixed_run(), self.hostile_run()):
            with self.subTest(run.name):
                done = subprocess.run(
                    ["dot", "-Tsvg", self.export(run, "dot")], capture_output=True, timeout=support.PATIENCE
                )
                self.assertEqual((0, b""), (done.returncode, done.stderr))
                svg = xml.etree.ElementTree.fromstring(done.stdout)
                texts = "\n".join(text.text or "" for text in svg.iter("{http://www.w3.org/2000/svg}text"))
                self.assertIn("fail", texts)
                if run.name == "hostile":
                    self.assertIn("<html><b>bold</b></html>", texts)
                    self.assertIn("back\\slash \\n \\l \\N", texts)

    def test_unfinished_runs_are_drawn_too(self):
        events = support.events(self.mixed_run())
        for count in range(1, len(events), 7):
            cut = self.folder / f"cut-{count}"
            cut.mkdir()
            support.write_events(cut, events[:count])
            text = self.export(cut, "dot").read_text()
            self.assertTrue(text.startswith("digraph") and text.endswith("}\n"))
            run = json.loads(self.export(cut, "json").read_text())["graph"]["properties"]
            self.assertEqual("the journal ends before the run does", run["interrupted"])


class Hostile(exported.TestCase):
    def test_hostile_texts_come_out_as_they_went_in(self):
        run = self.hostile_run()
        said = [event["says"] for event in support.events(run) if event["event"] == "reported"]
        self.assertEqual(list(HOSTILE), [says["text"] for says in said if says["report"] == "note"])
        graph = json.loads(self.export(run, "json").read_text())
        notes = [node["properties"]["note"] for node in graph["nodes"] if "note" in node.get("properties", {})]
        self.assertEqual(list(HOSTILE), notes)
        _, vertices, _, _ = graph_files.strictly(self.export(run, "graphml").read_bytes())
        notes = [values["note"] for values in vertices if "note" in values]
        self.assertEqual(list(map(as_xml_carries, HOSTILE)), notes)
        self.assertIn("\ufffd", "".join(notes))

    def test_hostile_texts_cannot_steer_a_terminal(self):
        run = self.hostile_run()
        for arguments in (["show", run], ["show", run, "--quiet"], ["judge", run]):
            out = self.start(*arguments).communicate(timeout=support.PATIENCE)[0].decode()
            self.assertNotRegex(out, "[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]")
            self.assertIn("<html><b>bold</b></html>", out)

    def test_a_journal_that_was_tampered_with_is_exported_well_formed_or_refused(self):
        whole = support.events(self.mixed_run())
        said = (event for event in whole if event["event"] == "reported" and event["trial"].startswith("fault@"))
        fault = next(event for event in said if event["says"]["report"] == "device")
        for number, text in enumerate(HOSTILE):
            with self.subTest(text[:40]):
                run = self.folder / f"tampered-{number}"
                run.mkdir()
                fault["says"]["name"] = text
                support.write_events(run, whole)
                for form in ("graphml", "yed"):
                    _, vertices, _, objections = graph_files.strictly(self.export(run, form).read_bytes())
                    self.assertEqual([], objections)
                    self.assertIn(as_xml_carries(text), [values["label"] for values in vertices])
                json.loads(self.export(run, "json").read_text())

    def test_bytes_that_are_no_text_are_refused_with_their_line(self):
        whole = (self.mixed_run() / "journal.jsonl").read_bytes()
        for bad in (b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\\ud800", b"\x01"):
            with self.subTest(bad):
                run = self.folder / "bad.jsonl"
                run.write_bytes(whole.replace(b"invented part", b"invented " + bad + b" part", 1))
                line = whole[: whole.index(b"invented part")].count(b"\n") + 1
                result = self.rackproof("export", run, "--format", "graphml")
                self.assertEqual((2, ""), (result.code, result.out))
                self.assert_one_line(result.err)
                self.assertTrue(result.err.startswith(f"rackproof: {run}:{line}: "), result.err)


if __name__ == "__main__":
    support.main()
