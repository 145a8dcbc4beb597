"""Exports runs as GraphML: valid by the official schema and our own rules, and the same to each of its readers."""

import shutil
import subprocess

import exported
import support
from exported import graph_files
from support import READ_GRAPHML, SOURCE

SCHEMA = SOURCE.parent / "shared" / "schemas" / "graphml" / "graphml.xsd"


class GraphML(exported.TestCase):
    def read(self, file):
        run, vertices, edges, objections = graph_files.strictly(file.read_bytes())
        self.assertEqual([], objections)
        self.assertGreater(len(vertices), 1)
        for values in vertices:
            self.assertLessEqual({"label", "kind", "path", "color", "size", "x", "y"}, values.keys())
            self.assertRegex(values["color"], r"^#[0-9a-f]{6}$")
        for _, values in edges:
            self.assertLessEqual({"relation", "label", "weight"}, values.keys())
        paths = [values["path"] for values in vertices]
        self.assertEqual(len(paths), len(set(paths)), "paths are unique")
        return run, vertices, edges

    def runs(self):
        mixed = self.mixed_run()
        yield mixed
        yield self.hostile_run()
        events = support.events(mixed)
        for count in (1, 5, len(events) // 2, len(events) - 1):
            cut = self.folder / f"cut-{count}"
            cut.mkdir()
            support.write_events(cut, events[:count])
            yield cut

    def test_our_own_rules_hold_for_every_run(self):
        for run in self.runs():
            for form in ("graphml", "yed"):
                with self.subTest(run.name, form=form):
                    self.read(self.export(run, form))

    def test_every_kind_of_vertex_and_edge_is_there(self):
        _, vertices, edges = self.read(self.export(self.mixed_run(), "graphml"))
        self.assertEqual(
            {"run", "node", "device", "step", "trial", "measurement", "fault"}, {values["kind"] for values in vertices}
        )
        self.assertLessEqual(
            {"part_of", "needs", "trial_of", "ran_on", "measured", "about", "blocked_by", "blames"},
            {values["relation"] for _, values in edges},
        )
        blames = [(vertices[a]["label"], vertices[b]["label"]) for (a, b), v in edges if v["relation"] == "blames"]
        self.assertEqual([("fault", "invented part")], blames)
        blocked = [(vertices[a]["label"], vertices[b]["label"]) for (a, b), v in edges if v["relation"] == "blocked_by"]
        self.assertEqual([("blocked", "fault")], blocked)

    def test_it_is_valid_against_the_official_schema(self):
        if not SCHEMA.exists() or shutil.which("xmllint") is None:
            self.skipTest("not checked: no schema here" if not SCHEMA.exists() else "not checked: no xmllint here")
        for run in self.runs():
            with self.subTest(run.name):
                done = subprocess.run(
                    ["xmllint", "--nonet", "--noout", "--schema", SCHEMA, self.export(run, "graphml")],
                    capture_output=True, text=True, timeout=60,
                )  # fmt: skip
                self.assertEqual(0, done.returncode, done.stderr[:2000])

    def test_networkx_reads_the_same(self):
        try:
            import networkx  # noqa: F401
        except ImportError:
            self.skipTest("not checked: no networkx here")
        for run in self.runs():
            with self.subTest(run.name):
                file = self.export(run, "graphml")
                expected, read = self.read(file), graph_files.by_networkx(file)
                self.assert_same(expected, read)

    def test_igraph_reads_the_same(self):
        try:
            import igraph  # noqa: F401
        except ImportError:
            self.skipTest("not checked: no igraph here")
        for run in self.runs():
            with self.subTest(run.name):
                file = self.export(run, "graphml")
                expected, read = graph_files.as_igraph_reads(self.read(file)), graph_files.by_igraph(file)
                self.assert_same(expected, read)

    def test_boost_reads_the_same(self):
        for run in self.runs():
            with self.subTest(run.name):
                file = self.export(run, "graphml")
                (run_values, vertices, edges), read = self.read(file), graph_files.by_boost(READ_GRAPHML, file)
                self.assert_texts(run_values, read[0])
                for ours, theirs in zip(vertices, read[1], strict=True):
                    self.assert_texts(ours, theirs)
                for (ends, ours), (their_ends, theirs) in zip(edges, read[2], strict=True):
                    self.assertEqual(ends, their_ends)
                    self.assert_texts(ours, theirs)

    def assert_texts(self, ours, theirs):
        self.assertEqual(ours.keys(), theirs.keys())
        for name, value in ours.items():
            if isinstance(value, str):
                # Boost's parser folds the blanks of a text, and takes those at its ends away.
                self.assertEqual(value.split(), theirs[name].split(), name)
            else:
                self.assertEqual(value, type(value)(theirs[name]), name)

    def assert_same(self, expected, read):
        if graph_files.same(expected, read):
            return
        for part, ours, theirs in zip(("run", "vertices", "edges"), expected, read, strict=True):
            if not isinstance(ours, list):
                self.assertTrue(graph_files.same(ours, theirs), f"{part}: {ours}\n{theirs}")
                continue
            self.assertEqual(len(ours), len(theirs), part)
            for number, pair in enumerate(zip(ours, theirs, strict=True)):
                self.assertTrue(graph_files.same(*pair), f"{part} {number}: {pair[0]}\n{pair[1]}")

    def test_absent_facts_are_left_out(self):
        _, vertices, _ = self.read(self.export(self.mixed_run(), "graphml"))
        by_path = {values["path"].split("/", 1)[-1]: values for values in vertices}
        self.assertNotIn("duration_us", by_path["trial/blocked"])
        nan = next(values for path, values in by_path.items() if path.startswith("measurement/nan/"))
        self.assertNotIn("value", nan)
        unsteady = next(values for path, values in by_path.items() if path.startswith("measurement/unsteady/"))
        self.assertEqual([float, int, str], [type(unsteady[name]) for name in ("value", "samples", "steady")])
        self.assertEqual((12.0, 12, 6.0, 18.0, 3.0, "no"), tuple(
            unsteady[name] for name in ("value", "samples", "low", "high", "worst", "steady")
        ))  # fmt: skip


if __name__ == "__main__":
    support.main()
