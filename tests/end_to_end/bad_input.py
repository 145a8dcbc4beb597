"""Gives the program wrong recipes, limits files and command lines: each is refused in one exact sentence."""

import os
import subprocess

import support
from support import RIGHT, SOURCE

GOLDEN = SOURCE / "tests" / "golden" / "bad"


def step(*lines):
    """A recipe of one step, whose fields begin in line 5, column 9."""
    return "recipe: x\nlayers:\n  - layer: only\n    steps:\n      - " + "\n        ".join(lines) + "\n"


# What stands in the recipe, where it is refused, and a part of why.
BAD_RECIPES = (
    ("", "1:1", "empty"),
    ("- a\n- b\n", "1:1", "recipe"),
    ("recipe: x\n", "1:1", "layers"),
    ("recipe: X Y\nlayers: []\n", "1:9", "name of lower-case letters"),
    ("recipe: x\nlayer: []\n", "2:1", "did you mean 'layers'"),
    ("recipe: x\nlayers: []\n", "1:1", "no step"),
    ("recipe: x\nrecipe: y\n", "2:1", "recipe"),
    (step("check: selftest.pas"), "5:16", "did you mean 'selftest.pass'"),
    (step("check: selftest.pass", "expect: [ anwser == 42 ]"), "6:19", "'answer'"),
    (step("check: selftest.pass", "expect: [ answer == 42 ms ]"), "6:19", "'ms' is a time"),
    (step("check: selftest.pass", "expect: [ answer ]"), "6:25", "ends without a relation"),
    (step("check: selftest.pass", "timeout: 5"), "6:18", "5"),
    (step("check: selftest.pass", "timeout: -1 s"), "6:18", "-1 s"),
    (step("check: selftest.pass", "optional: yes"), "6:19", "true"),
    (step("check: selftest.pass", "needs: [ ghost ]"), "6:18", "ghost"),
    (step("check: selftest.pass", "needs: [ selftest-pass ]"), "6:18", "itself"),
    (step("check: selftest.slow", "with: { seconds: 3 GB }"), "6:26", "3 GB"),
    (step("check: selftest.slow", "with: { second: 3 s }"), "6:17", "'seconds'"),
    (step("check: selftest.pass") + "      - check: selftest.pass\n", "6:9", "second step"),
    (step("check: selftest.pass") + "\tid: x\n", "6:1", "tab"),
    (step("{ check: selftest.pass"), "5:9", "is a closing '}' missing?"),
    ("recipe: x\ninclude: [ nowhere.yaml ]\n", "2:12", "nowhere.yaml"),
    ("recipe: x\n---\nrecipe: y\n", "2:1", "second document"),
    ("recipe: \x01\n", "1:9", "control character"),
    ("a: &a [x]\nb: *c\n", "2:4", "c"),
    ("[" * 5000, "1:1", "is a closing ']' missing?"),
)


class BadInput(support.TestCase):
    def assert_refused(self, result, begins="rackproof: ", part=""):
        self.assertEqual((2, ""), (result.code, result.out), result)
        self.assert_one_line(result.err)
        self.assertTrue(result.err.startswith(begins), result.err)
        self.assertIn(part, result.err)
        for word in ("terminate", "what()", "defect", "Traceback", "basic_string", "std::"):
            self.assertNotIn(word, result.err)


class Recipes(BadInput):
    def test_each_bad_recipe_is_refused_at_its_place(self):
        for number, (text, place, part) in enumerate(BAD_RECIPES):
            for command in ("run", "plan"):
                with self.subTest(text[-60:], command=command):
                    file = self.write(f"bad-{number}.yaml", text)
                    self.assert_refused(self.rackproof(command, file), f"rackproof: {file}:{place}", part)
        self.assertEqual([], list(self.folder.glob("rackproof-runs")), "nothing was begun")

    def test_a_recipe_that_is_not_utf_8_is_refused_at_the_byte(self):
        for text, place in ((b"recipe: x\nsummary: \xff\n", "2:10"), (b"recipe: x\n\0\n", "2:1")):
            file = self.folder / "bad.yaml"
            file.write_bytes(text)
            self.assert_refused(self.rackproof("run", file), f"rackproof: {file}:{place}: ")

    def test_a_recipe_that_cannot_be_read_is_named(self):
        missing = self.folder / "missing.yaml"
        self.assert_refused(self.rackproof("run", missing), f"rackproof: {missing}: No such file or directory")
        self.assert_refused(self.rackproof("run", "missing"), "rackproof: missing: No such file or directory")
        self.assert_refused(self.rackproof("run", self.folder), f"rackproof: {self.folder}: is a directory")
        large = self.write("large.yaml", "#" * (1 << 20) + "\nrecipe: x\n")
        self.assert_refused(self.rackproof("run", large), f"rackproof: {large}: ", "1 MiB")
        self.assert_refused(self.rackproof("run", "/dev/zero"), "rackproof: /dev/zero: ", "1 MiB")

    def test_a_recipe_that_may_not_be_read_is_named(self):
        recipe = self.recipe(f"check: selftest.pass, {RIGHT}")
        recipe.chmod(0)
        if not support.is_root():
            return self.assert_refused(self.rackproof("run", recipe), f"rackproof: {recipe}: Permission denied")
        self.folder.chmod(0o755)
        try:
            result = self.rackproof("plan", recipe, user="nobody", extra_groups=[])
        except PermissionError:
            self.skipTest("not checked: nobody but root can run the program from here")
        self.assert_refused(result, f"rackproof: {recipe}: Permission denied")

    def test_the_collected_bad_files_are_refused_by_the_program_as_by_its_parts(self):
        # They speak of invented checks. Here there is none at all, which must be what is said of those that are well
        # formed; the others are refused before any check is asked for.
        no_checks = self.folder / "no-checks"
        no_checks.mkdir()
        exact = 0
        files = sorted(GOLDEN.glob("*.yaml"))
        self.assertGreaterEqual(len(files), 100)
        for file in files:
            with self.subTest(file.name):
                run = self.folder / file.stem
                result = self.rackproof(
                    "run", *self.arguments_of(file), "--checks", no_checks, "--output", run, cwd=GOLDEN
                )
                self.assert_refused(result)
                self.assertFalse(run.exists())
                if "there is no check '" in result.err:
                    self.assertRegex(result.err, r"^rackproof: [\w.-]+:\d+:\d+: there is no check '")
                else:
                    self.assertEqual("rackproof: " + file.with_suffix(".expected").read_text(), result.err)
                    exact += 1
        self.assertGreater(exact, 50)

    @staticmethod
    def arguments_of(file):
        arguments = ["limits-over.part", "--limits", file.name] if file.name.startswith("limits-") else [file.name]
        first = file.read_bytes().split(b"\n", 1)[0]
        if first.startswith(b"# --set "):
            arguments += ["--set", first.removeprefix(b"# --set ").decode()]
        return arguments


class CommandLines(BadInput):
    def test_a_wrong_command_line_is_refused(self):
        recipe = self.recipe(f"id: step, check: selftest.slow, {RIGHT}")
        cases = (
            ([], "subcommand"),
            (["frobnicate"], ""),
            (["run"], "run needs a recipe, or --resume"),
            (["run", recipe, "--frobnicate"], "--frobnicate"),
            (["run", recipe, "another"], "another"),
            (["run", recipe, "--limits"], "--limits"),
            (["run", recipe, "--color", "sometimes"], "--color"),
            (["run", recipe, "--exit-style", "odd"], "--exit-style"),
            (["run", recipe, "--resume", "run"], "--resume"),
            (["run", recipe, "--set", "step"], "--set step: "),
            (["run", recipe, "--set", "step.second=1 s"], "did you mean 'seconds'"),
            (["run", recipe, "--set", "stop.seconds=1 s"], "did you mean 'step'"),
            (["run", recipe, "--set", "step.seconds=1 GB"], "--set step.seconds=1 GB: "),
            (["run", recipe, "--limits", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
            (["run", recipe, "--checks", "nowhere"], "nowhere: is not a folder"),
            (["run", recipe, "--sysroot", "nowhere"], "nowhere: is not a folder"),
            (["run", recipe, "--lock", "nowhere/lock"], "nowhere/lock: No such file or directory"),
            (["run", recipe, "--lock", self.folder], f"{self.folder}: Is a directory"),
            (["plan"], "recipe"),
            (["explain"], "check"),
            (["explain", "selftest.pas"], "did you mean 'selftest.pass'"),
            (["explain", "x/../selftest.pass"], "there is no check"),
            (["explain", "selftest.old-abi"], "was built for check ABI 0"),
            (["schema", "of-nothing"], "of-nothing"),
            (["export"], "--format"),
            (["export", "--format", "svg"], "svg"),
        )
        for arguments, part in cases:
            with self.subTest(arguments):
                self.assert_refused(self.rackproof(*arguments), part=part)
        self.assertEqual([], list(self.folder.glob("rackproof-runs")), "nothing was begun")

    def test_a_run_that_is_none_is_refused(self):
        recipe = self.recipe(f"check: selftest.pass, {RIGHT}")
        empty = self.folder / "empty"
        empty.mkdir()
        ended = '{"event":"run_ended","at_us":1,"node":"n","outcome":"pass"}\n'
        cases = (
            ("nowhere", "nowhere: No such file or directory"),
            (recipe, f"{recipe}:1: not an event of a journal"),
            (empty, f"{empty}/journal.jsonl: No such file or directory"),
            (self.write("none.jsonl", ""), "holds no event"),
            (self.write("headless.jsonl", ended), "does not begin with its run"),
            (self.write("format.jsonl", '{"event":"run_started","at_us":1,"node":"n","format":9}\n'), "format 9"),
            ("/dev/null", "/dev/null: is not a file"),
        )
        for run, part in cases:
            for arguments in (["show", run], ["export", run, "-f", "dot"], ["judge", run], ["run", "--resume", run]):
                with self.subTest(arguments):
                    before = recipe.read_bytes()
                    self.assert_refused(self.rackproof(*arguments), part=part)
                    self.assertEqual(before, recipe.read_bytes(), "what is no journal is left as it is")
        for arguments in (["show"], ["export", "-f", "dot"], ["judge"]):
            self.assert_refused(self.rackproof(*arguments), part="no run is given, and there is none below")

    def test_a_run_whose_plan_was_cut_off_is_not_resumed(self):
        recipe = self.recipe(*(f"id: {name}, check: selftest.pass, {RIGHT}, needs: []" for name in "ab"))
        run = self.run_recipe(recipe)
        events = support.events(run)
        planned = [at for at, event in enumerate(events) if event["event"] == "trial_planned"]
        for count in range(1, planned[-1]):
            with self.subTest(count):
                support.write_events(run, events[:count])
                resumed = self.rackproof("run", "--resume", run)
                self.assert_refused(resumed, part="was cut off before its plan was written")
                self.assertEqual(events[:count], support.events(run))

    def test_a_folder_that_is_not_empty_is_not_written_to(self):
        recipe = self.recipe(f"check: selftest.pass, {RIGHT}")
        result = self.rackproof("run", recipe, "--output", self.folder)
        self.assert_refused(result, part=f"{self.folder}: is not empty")
        self.assertEqual(["recipe.yaml"], os.listdir(self.folder))
        self.assert_refused(self.rackproof("run", recipe, "--output", recipe), part=f"{recipe}: Not a directory")
        self.assert_refused(self.rackproof("run", recipe, "--output", recipe / "run"), part="Not a directory")

    def test_what_cannot_be_written_out_is_said(self):
        run = self.run_recipe(self.recipe(f"check: selftest.pass, {RIGHT}"))
        with open("/dev/full", "wb") as full:
            commands = (["export", run, "-f", "graphml"], ["show", run], ["list"], ["schema"], ["plan", "recipe.yaml"])
            for arguments in commands:
                with self.subTest(arguments):
                    result = self.end_of(self.start(*arguments, stdout=full))
                    self.assert_refused(result, part="stdout")
        export = ["export", run, "--format", "dot", "--output"]
        self.assert_refused(self.rackproof(*export, "nowhere/x.dot"), part="nowhere/x.dot: No such file or directory")
        self.assert_refused(self.rackproof(*export, self.folder), part=f"{self.folder}: Is a directory")

    def test_an_export_to_a_pipe_or_through_a_link_leaves_them_what_they_are(self):
        run = self.run_recipe(self.recipe(f"check: selftest.pass, {RIGHT}"))
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        export = ["export", run, "--format", "json", "--output"]
        reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
        self.addCleanup(reader.communicate)
        self.addCleanup(reader.kill)
        self.assert_exit(0, self.rackproof(*export, pipe))
        self.assertTrue(pipe.is_fifo())
        whole = reader.communicate(timeout=support.PATIENCE)[0]
        target, link = self.write("target.json", "old"), self.folder / "link.json"
        link.symlink_to(target)
        self.assert_exit(0, self.rackproof(*export, link))
        self.assertTrue(link.is_symlink())
        self.assertEqual(whole, target.read_bytes())
        self.assertEqual([], list(self.folder.glob("*.part")))


if __name__ == "__main__":
    support.main()
