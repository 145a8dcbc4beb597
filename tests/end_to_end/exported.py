"""Runs that show everything an export must carry, and what comes of them; shared by the tests of the exports."""

import json
import re
import sys

import support
from support import RIGHT, SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "support"))
import graph_files  # noqa: E402, F401

# Everything that a recipe can come to, on devices, with samples, watched, and one thing that is to blame.
STEPS = (
    "id: inventory, check: host.inventory, expect: [ cores >= 1 ]",
    f"id: pass, check: selftest.pass, {RIGHT}, needs: []",
    f"id: fault, check: selftest.fault, {RIGHT}, watch: [ selftest.counter ], needs: [ pass ]",
    f"id: blocked, check: selftest.pass, {RIGHT}, needs: [ fault ]",
    "id: unsteady, check: selftest.unsteady, expect: [ rate >= 10 GB/s ], needs: []",
    "id: low, check: selftest.below-limit, prefer: [ rate >= 10 GB/s ], needs: []",
    "id: nan, check: selftest.nan, needs: []",
    "id: skip, check: selftest.skip, optional: true, needs: []",
)

HOSTILE = (
    "plain",
    "<html><b>bold</b></html>",
    "]]> and <![CDATA[ and &amp; & &#0;",
    "double \" and single ' and back\\slash \\n \\l \\N \\",
    "line\nfeed, carriage\rreturn, tab\tstop",
    "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "\ufffe\uffff\ufdd0 and \U0010ffff",
    "\u202egnirts\u202c \u00e9\u6f22\u0301 \U0001f600",
    "  blanks in front and behind  ",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "-" * 5000,
    "${HOME} $(reboot) `reboot` %s %n {} {0}",
)


def as_xml_carries(text):
    """What XML 1.0 cannot hold at all comes as U+FFFD."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", text)


class TestCase(support.TestCase):
    def export(self, run, form):
        file = self.folder / f"{run.name}.{form}"
        result = self.assert_exit(0, self.rackproof("export", run, "--format", form, "--output", file))
        self.assertEqual(("", ""), (result.out, result.err))
        printed = self.start("export", run, "--format", form).communicate(timeout=support.PATIENCE)[0]
        self.assertEqual(file.read_bytes(), printed, "the same to a file and to stdout")
        return file

    def mixed_run(self):
        return self.run_recipe(self.recipe(*STEPS), code=1)

    def hostile_run(self):
        """A check says hostile texts wherever a check can say a text, on a node whose name is one too."""
        said = []
        for number, text in enumerate(HOSTILE):
            device = f"dev:{number}:{text}"
            facts = {"note": text, "speed_gts": 2.5}
            said += [
                {"report": "device", "id": device, "kind": text, "name": text, "parent": "", "facts": facts},
                {"report": "link", "from": device, "to": f"other:{text}", "kind": text, "facts": facts},
                {"report": "measurement", "metric": "answer", "device": device, "value": 42, "unit": "count"},
                {"report": "fault", "device": device, "code": text, "text": text},
                {"report": "note", "text": text},
            ]
        said.append({"report": "done"})
        file = self.write("said", "".join(json.dumps(line) + "\n" for line in said))
        recipe = self.recipe(f"id: hostile, check: test.recite, with: {{ file: {file} }}, {RIGHT}")
        options = ("--checks", self.checks_with_recite(), "--node", "no<de> & \"'\\ \x01 \u00e9")
        return self.run_recipe(recipe, *options, code=1, folder="hostile")
