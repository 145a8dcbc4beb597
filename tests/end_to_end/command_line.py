"""Uses the command line as people and scripts do: help, lists, plans, quiet, colours, a terminal, exit codes."""

import fcntl
import json
import os
import pty
import re
import struct
import termios

import support
from support import RIGHT, SOURCE

COMMANDS = ("run", "plan", "list", "explain", "show", "export", "judge", "schema")
ESCAPE = "\x1b"
PASS = f"id: good, check: selftest.pass, {RIGHT}"
# A recipe for each outcome that a run can have, with its exit code, plain and in the style of Nagios.
EXITS = (
    ("pass", PASS, 0, 0),
    ("info", "check: selftest.pass", 0, 0),
    ("warn", "check: selftest.pass, prefer: [ answer == 41 ]", 0, 1),
    ("fail", f"check: selftest.fault, {RIGHT}", 1, 2),
    ("error", f"check: selftest.silent, {RIGHT}", 3, 3),
    ("skip", f"check: selftest.skip, {RIGHT}, optional: true", 77, 3),
)


def on_screen(text):
    """What a terminal shows in the end of what was written to it: carriage return, and erase to the end of the line."""
    lines = []
    for written in text.replace("\r\n", "\n").split("\n"):
        line, column = "", 0
        for part in re.split(r"(\r|\x1b\[K|\x1b\[[0-9;]*m)", written):
            if part == "\r":
                column = 0
            elif part == ESCAPE + "[K":
                line = line[:column]
            elif not part.startswith(ESCAPE):
                line = line[:column] + part + line[column + len(part) :]
                column += len(part)
        lines.append(line)
    return lines


class Reading(support.TestCase):
    def test_help_names_every_command_and_each_has_help_of_its_own(self):
        text = self.assert_exit(0, self.rackproof("--help")).out
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command} +\w+")
            own = self.assert_exit(0, self.rackproof(command, "--help"))
            self.assertEqual("", own.err)
            self.assertIn("Usage:", own.out)
            # What the program calls a word internally is nobody's business.
            self.assertNotRegex(own.out, r"->|\bTEXT:|\{")
        for code in ("0 up to warn", "1 fail", "75 ", "77 ", "130 and 143"):
            self.assertIn(code, text)

    def test_the_version_is_that_of_the_project(self):
        version = re.search(r"project\(rackproof VERSION ([\d.]+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)
        self.assertEqual(f"rackproof {version}\n", self.assert_exit(0, self.rackproof("--version")).out)

    def test_every_check_is_listed_and_explained(self):
        listed = self.assert_exit(0, self.rackproof("list")).out.splitlines()
        names = [line.split()[0] for line in listed]
        self.assertEqual(sorted(library.stem for library in support.CHECKS.glob("*.so")), names)
        for name in names:
            explained = self.rackproof("explain", name)
            if name in ("selftest.old-abi", "selftest.missing-symbol"):
                self.assertEqual(2, explained.code)
                continue
            self.assert_exit(0, explained)
            self.assertTrue(explained.out.startswith(name + "  (layer "))
            for heading in ("How it measures", "Metrics", "By hand"):
                self.assertRegex(explained.out, rf"\n{heading}\n  +\S")
            self.assertLessEqual(max(map(len, explained.out.split("By hand")[0].splitlines())), 100, name)

    def test_a_plan_says_what_would_be_done_and_does_nothing(self):
        recipe = self.recipe(
            PASS,
            "id: later, check: selftest.slow, with: { seconds: 1 h }, watch: [ selftest.counter ], needs: [ good ], "
            "optional: true, prefer: [ answer == 42 ], timeout: 2 h",
        )
        limits = self.write(
            "limits.yaml", "limits: l\nchecks:\n  selftest.slow:\n    - { expect: answer == 42, source: a book }\n"
        )
        plan = self.assert_exit(0, self.rackproof("plan", recipe, "--limits", limits, "--set", "later.seconds=2 h")).out
        for part in (
            "test", "only", "good", "selftest.pass", "answer == 42", f"({recipe}:6:", "later", "(optional)",
            "seconds=2 h", "selftest.counter", f"({limits}:4:17: a book)", "120 min",
        ):  # fmt: skip
            self.assertIn(part, plan)
        self.assertEqual({"recipe.yaml", "limits.yaml"}, set(os.listdir(self.folder)))

    def test_a_plan_says_where_nothing_is_expected(self):
        plan = self.rackproof("plan", self.recipe("check: selftest.pass")).out
        self.assertIn("nothing: its outcome can only be info", plan)

    def test_the_schemas_are_those_that_are_shipped(self):
        for of in ("recipe", "limits"):
            text = self.assert_exit(0, self.rackproof("schema", of)).out
            schema = json.loads(text)
            self.assertEqual("http://json-schema.org/draft-07/schema#", schema["$schema"])
            self.assertIs(False, schema["additionalProperties"])
            self.assertEqual((SOURCE / "recipes" / f"{of}.schema.json").read_text(), text)
        self.assertEqual(self.rackproof("schema").out, self.rackproof("schema", "recipe").out)


class Saying(support.TestCase):
    def test_exit_codes_in_both_styles(self):
        for outcome, step, plain, nagios in EXITS:
            with self.subTest(outcome):
                recipe = self.recipe(step)
                run = self.run_recipe(recipe, code=plain, folder=outcome)
                self.assertEqual([outcome], list(support.outcomes(run).values()))
                self.run_recipe(recipe, "--exit-style", "nagios", code=nagios, folder=outcome + "-nagios")
                for arguments in (["show", run], ["judge", run]):
                    self.assert_exit(plain, self.rackproof(*arguments))
                    self.assert_exit(nagios, self.rackproof(*arguments, "--exit-style", "nagios"))
        steps = ((outcome, step.removeprefix("id: good, ")) for outcome, step, _, _ in EXITS)
        everything = self.recipe(*(f"id: {outcome}, needs: [], {step}" for outcome, step in steps))
        self.run_recipe(everything, code=1, folder="everything")
        undecided = self.recipe(PASS, f"check: selftest.silent, {RIGHT}, needs: []")
        self.run_recipe(undecided, code=3, folder="undecided")

    def test_quiet_says_nothing_when_all_is_well(self):
        for outcome, step, plain, _ in EXITS:
            with self.subTest(outcome):
                run = self.folder / outcome
                result = self.rackproof("run", self.recipe(step), "--output", run, "--quiet")
                self.assertEqual((plain, ""), (result.code, result.err))
                if outcome in ("pass", "info", "skip"):
                    self.assertEqual("", result.out)
                else:
                    self.assert_one_line(result.out)
                    self.assertRegex(result.out, rf"^{outcome} +[\w-]+  \S")
                self.assertEqual(result.out, self.rackproof("show", run, "--quiet").out)

    def test_quiet_says_what_is_wrong_and_nothing_else(self):
        recipe = self.recipe(
            PASS,
            f"id: bad, check: selftest.fault, {RIGHT}, needs: []",
            f"id: after, check: selftest.pass, {RIGHT}, needs: [ bad ]",
        )
        result = self.assert_exit(1, self.rackproof("run", recipe, "--quiet"))
        first, second = result.out.splitlines()
        self.assertRegex(first, r"^fail +bad  selftest:part \(invented part\): 1 of 4096 bytes")
        self.assertEqual("not tried because of it: after", second.strip())

    def test_no_escape_is_written_where_nobody_looks(self):
        recipe = self.recipe(PASS, f"id: bad, check: selftest.fault, {RIGHT}, needs: []")
        for environment in ({}, {"TERM": "xterm-256color"}, {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}):
            self.assertNotIn(ESCAPE, self.rackproof("run", recipe, environment=environment).out)
        never = self.rackproof("run", recipe, "--color", "never", environment={"CLICOLOR_FORCE": "1"})
        self.assertNotIn(ESCAPE, never.out)

    def test_colours_are_written_where_they_are_asked_for(self):
        recipe = self.recipe(PASS, f"id: bad, check: selftest.fault, {RIGHT}, needs: []")
        plain = self.rackproof("run", recipe)
        for result in (
            self.rackproof("show", environment={"CLICOLOR_FORCE": "1"}),
            self.rackproof("show", "--color", "always", environment={"NO_COLOR": "1"}),
        ):
            self.assertIn(ESCAPE + "[1;31m", result.out)
            self.assertNotIn(ESCAPE + "[K", result.out, "no live line where nobody looks")
            self.assertEqual(plain.out.partition("journal: ")[0], re.sub(r"\x1b\[[0-9;]*m", "", result.out))


class Terminal(support.TestCase):
    def on_terminal(self, *arguments, columns=80, environment=None):
        """Runs on a terminal of its own; the exit code, and all that was written to it."""
        try:
            ours, theirs = pty.openpty()
        except OSError as error:
            self.skipTest(f"not checked: no terminal can be made here ({error})")
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {"TERM": "xterm", **(environment or {})}
        process = self.start(*arguments, stdout=theirs, stderr=theirs, stdin=theirs, environment=environment)
        os.close(theirs)
        written = b""
        try:
            while block := os.read(ours, 65536):
                written += block
        except OSError:  # the other end was closed
            pass
        os.close(ours)
        return process.wait(timeout=support.PATIENCE), written.decode()

    def recipe_that_takes_time(self):
        slow = "id: step, check: selftest.slow, with: { seconds: 700 ms }, " + RIGHT
        return self.recipe(slow, "check: selftest.pass, needs: []")

    def test_a_live_line_appears_and_is_gone_in_the_end(self):
        recipe = self.recipe_that_takes_time()
        code, written = self.on_terminal("run", recipe)
        self.assertEqual(0, code)
        self.assertRegex(written, r"\r\x1b\[K  \.\.\. +step +[\d.]+ s   of at most 60 s")
        screen = on_screen(written)
        self.assertFalse([line for line in screen if "..." in line], screen)
        self.assertTrue([line for line in screen if re.match(r"  pass +step +[\d.]+ s   answer 42$", line)], screen)

        # The second time it is known how long the step takes.
        _, again = self.on_terminal("run", recipe)
        self.assertRegex(again, r"  \.\.\. +step +[\d.]+ s   of about 0\.\d+ s")

    def test_the_live_line_fits_into_a_narrow_terminal(self):
        _, written = self.on_terminal("run", self.recipe_that_takes_time(), columns=32)
        live = re.findall(r"\x1b\[K(  \.\.\.[^\r\n]*)", written)
        self.assertTrue(live)
        self.assertLessEqual(max(map(len, live)), 32)

    def test_colours_follow_the_terminal_and_the_wishes_of_its_user(self):
        recipe = self.recipe(PASS)
        sgr = re.compile(r"\x1b\[[0-9;]+m")
        self.assertRegex(self.on_terminal("run", recipe)[1], sgr)
        for environment, options in (({"NO_COLOR": "1"}, []), ({}, ["--color", "never"]), ({"TERM": "dumb"}, [])):
            self.assertNotRegex(self.on_terminal("run", recipe, *options, environment=environment)[1], sgr)
        self.assertNotIn(ESCAPE, self.on_terminal("run", recipe, environment={"TERM": "dumb"})[1])
        self.assertEqual("", self.on_terminal("run", recipe, "--quiet")[1])

    def test_a_long_note_is_cut_and_cannot_steer_the_terminal(self):
        note = {"report": "note", "text": "\x1b]0;title\x07 \x1b[2J" + "é" * 500}
        said = self.write("said", json.dumps(note) + "\n")
        recipe = self.recipe(f"id: step, check: test.recite, with: {{ file: {said}, stay_ms: 2000 }}")
        _, written = self.on_terminal("run", recipe, "--checks", self.checks_with_recite())
        live = re.findall(r"\r\x1b\[K(  \.\.\.[^\r\n]*)", written)
        self.assertIn("éé…", live[-1])
        self.assertLessEqual(max(map(len, live)), 80)
        self.assertNotIn("\x1b]", written)
        self.assertNotIn("\x1b[2J", written)


class Places(support.TestCase):
    def test_runs_are_kept_below_the_current_folder_and_the_latest_is_shown(self):
        recipe = self.recipe(PASS)
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        result = self.assert_exit(0, self.rackproof("run", recipe, cwd=elsewhere))
        journal = elsewhere / re.search(r"(?m)^journal: (.+)$", result.out).group(1)
        self.assertEqual("rackproof-runs", journal.parents[1].name)
        self.assertTrue(journal.parent.name.startswith("test-"))
        self.assertEqual({"good": "pass"}, support.outcomes(journal))
        bad = self.recipe(f"id: bad, check: selftest.fault, {RIGHT}", name="other", file="other.yaml")
        self.assert_exit(1, self.rackproof("run", bad, cwd=elsewhere))
        self.assertIn("other", self.assert_exit(1, self.rackproof("show", cwd=elsewhere)).out)

    def test_a_relative_recipe_with_an_include_is_found_from_anywhere(self):
        self.recipe(PASS, file="parts/lower.yaml", name="lower")
        self.write("recipes/upper.yaml", "recipe: upper\ninclude: [ ../parts/lower.yaml ]\n")
        self.assert_exit(0, self.rackproof("run", "recipes/upper.yaml"))
        self.assert_exit(0, self.rackproof("run", "../recipes/upper.yaml", cwd=self.folder / "parts"))

    def test_the_lock_the_node_and_a_parameter_can_be_given(self):
        recipe = self.recipe(f"id: step, check: selftest.slow, {RIGHT}")
        run = self.run_recipe(recipe, "--node", "node7", "--set", "step.seconds=1 ms", "--lock", self.folder / "lock")
        events = support.events(run)
        self.assertEqual({"node7"}, {event["node"] for event in events})
        planned = next(event for event in events if event["event"] == "step_planned")
        self.assertEqual({"seconds": "1 ms"}, planned["with"])


if __name__ == "__main__":
    support.main()
