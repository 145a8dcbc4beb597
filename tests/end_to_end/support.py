"""What the end-to-end tests share: the built programs, runs that are watched from outside, and what they leave."""

import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve()
SOURCE = pathlib.Path(os.environ.get("RACKPROOF_SOURCE", HERE.parents[2]))
BUILD = pathlib.Path(os.environ.get("RACKPROOF_BUILD", SOURCE / "build"))
RACKPROOF = os.environ.get("RACKPROOF", str(BUILD / "bin" / "rackproof"))
RACKPROOF_CHECK = os.environ.get("RACKPROOF_CHECK", str(BUILD / "bin" / "rackproof-check"))
CHECKS = pathlib.Path(os.environ.get("RACKPROOF_CHECKS", BUILD / "bin" / "checks"))
RECITE = pathlib.Path(os.environ.get("RACKPROOF_RECITE", BUILD / "tests" / "checks" / "test.recite.so"))
READ_GRAPHML = os.environ.get("RACKPROOF_READ_GRAPHML", str(BUILD / "bin" / "rackproof_read_graphml"))



def simulated_edition(check):
    """The library of a check that a simulated run loads: the shipped one, unless that could not be built here."""
    rehearsal = BUILD / "bin" / "simulator" / "checks" / f"{check}.so"
    return rehearsal if rehearsal.exists() else CHECKS / f"{check}.so"


# Every process of a test carries this variable with a value of its own, by which it is found wherever it went.
MARK = "RACKPROOF_TEST_MARK"
# Only ends a test that would otherwise never end: no verdict of a test depends on it.
PATIENCE = 120

# The right answer of selftest.pass and its kin.
RIGHT = "expect: [ answer == 42 ]"


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str

    def __str__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


def is_zombie(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def marked(mark):
    """Processes that carry the mark, as {pid: command line}."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            environment = pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            command = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if wanted in environment and not is_zombie(entry):
            found[int(entry)] = command.strip()
    return found


def events(run):
    """The events of a run's journal, up to its last whole line."""
    path = pathlib.Path(run)
    lines = (path if path.is_file() else path / "journal.jsonl").read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def verdicts(run):
    """The last verdict of each step: {step: (outcome, reason)}."""
    return {
        event["trial"].rpartition("@")[0]: (event["outcome"], event["reason"])
        for event in events(run)
        if event["event"] == "trial_judged"
    }


def outcomes(run):
    return {step: outcome for step, (outcome, _) in verdicts(run).items()}


def write_events(run, changed):
    """Writes a journal by hand; characters outside ASCII and control characters as \\u escapes."""
    path = pathlib.Path(run) / "journal.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in changed))


class TestCase(unittest.TestCase):
    """A test with a folder of its own, that fails when any process it started, however indirectly, stays behind."""

    maxDiff = None

    def setUp(self):
        self.mark = uuid.uuid4().hex
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rackproof-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.end_what_is_left)

    def tearDown(self):
        self.assert_nothing_is_left()

    # Less than selftest.fork's child sleeps: one that ends by itself was not cleared up.
    def assert_nothing_is_left(self, within=10):
        deadline = time.monotonic() + within
        while (left := marked(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual({}, left, "processes that outlived what started them")

    def end_what_is_left(self):
        for pid in marked(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def environment(self, **more):
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("RACKPROOF", "CLICOLOR"))}
        plain.pop("NO_COLOR", None)
        return {**plain, "LC_ALL": "C.UTF-8", MARK: self.mark, **more}

    def start(self, *arguments, environment=None, cwd=None, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        return subprocess.Popen(
            [RACKPROOF, *map(str, arguments)],
            env=self.environment(**(environment or {})),
            cwd=cwd or self.folder,
            **options,
        )

    def rackproof(self, *arguments, timeout=PATIENCE, **options):
        """Runs the program to its end. A defect of its own (exit 70, a signal) fails the test whatever it was."""
        return self.end_of(self.start(*arguments, **options), timeout)

    def end_of(self, process, timeout=PATIENCE):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"{process.args} did not end within {timeout} s:\n{out}\n{err}")
        out, err = ((text or b"").decode(errors="replace") for text in (out, err))
        result = Result(process.returncode, out, err)
        self.assertNotEqual(70, result.code, f"{process.args}\n{result}")
        self.assertGreaterEqual(result.code, 0, f"{process.args} died of a signal\n{result}")
        return result

    def assert_exit(self, expected, result):
        self.assertEqual(expected, result.code, result)
        return result

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def recipe(self, *steps, name="test", file="recipe.yaml", defaults="timeout: 60 s"):
        """A recipe of one layer; each step as it stands between the braces of a YAML flow mapping."""
        lines = [f"recipe: {name}", f"defaults: {{ {defaults} }}", "layers:", "  - layer: only", "    steps:"]
        return self.write(file, "\n".join([*lines, *(f"      - {{ {step} }}" for step in steps)]) + "\n")

    def checks_with_recite(self):
        """A folder of all check libraries and of test.recite, the check that says what stands in a file."""
        folder = self.folder / "checks"
        if not folder.exists():
            folder.mkdir()
            for library in [*CHECKS.glob("*.so"), RECITE]:
                (folder / library.name).symlink_to(library)
        return folder

    def run_recipe(self, recipe, *options, code=0, folder="run"):
        """Runs a recipe into a folder below the test's own, and gives that folder."""
        run = self.folder / folder
        self.assert_exit(code, self.rackproof("run", recipe, "--output", run, *options))
        return run

    def resume(self, run, code, *arguments):
        return self.assert_exit(
            code, self.rackproof("run", "--resume", run, "--checks", self.checks_with_recite(), *arguments)
        )

    def assert_closed(self, run, why):
        all_events = events(run)
        open_trials = set()
        for event in all_events:
            if event["event"] == "trial_started":
                open_trials.add(event["trial"])
            elif event["event"] == "trial_judged":
                open_trials.discard(event["trial"])
        self.assertEqual(set(), open_trials)
        self.assertEqual("run_ended", all_events[-1]["event"])
        self.assertIn(why, all_events[-1]["interrupted"])

    def assert_nothing_was_tried_twice(self, run):
        ended = set()
        for event in events(run):
            if event["event"] == "trial_started":
                self.assertNotIn(event["trial"], ended, "started again although it had ended")
            elif event["event"] == "trial_ended":
                ended.add(event["trial"])
        judged = [event["trial"] for event in events(run) if event["event"] == "trial_judged"]
        self.assertEqual(len(judged), len(set(judged)), "judged twice")

    def assert_one_line(self, text):
        self.assertTrue(text.endswith("\n"), repr(text))
        self.assertEqual(1, text.count("\n"), text)


def is_root():
    return os.geteuid() == 0


def is_sanitized():
    """Whether what was built carries sanitizers, which take memory of their own."""
    cache = BUILD / "CMakeCache.txt"
    return cache.exists() and "RACKPROOF_SANITIZE:BOOL=ON" in cache.read_text()


def main():
    unittest.main(verbosity=2)
