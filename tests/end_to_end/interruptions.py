"""Cuts runs off by signals and SIGKILL: each stays readable, leaves no process behind, and can be finished."""

import os
import random
import shutil
import signal
import subprocess
import time

import support
from support import RIGHT

SAID = '{"report":"measurement","metric":"answer","value":42,"unit":"count"}\n{"report":"done"}\n'

# Short steps, and among them the ones that are hard to end.
STEPS = (
    f"id: first, check: selftest.pass, {RIGHT}, needs: []",
    f"id: slow, check: selftest.slow, with: {{ seconds: 50 ms }}, {RIGHT}, needs: []",
    f"id: watched, check: selftest.slow, with: {{ seconds: 20 ms }}, watch: [ selftest.counter ], {RIGHT}, needs: []",
    f"id: fork, check: selftest.fork, {RIGHT}, needs: []",
    f"id: hang, check: selftest.hang, {RIGHT}, timeout: 100 ms, grace: 100 ms, needs: []",
    f"id: stubborn, check: selftest.stubborn, {RIGHT}, timeout: 100 ms, grace: 100 ms, needs: []",
    f"id: flood, check: selftest.flood, with: {{ count: 100 }}, {RIGHT}, needs: []",
    "id: low, check: selftest.below-limit, expect: [ rate >= 10 GB/s ], needs: []",
    f"id: blocked, check: selftest.pass, {RIGHT}, needs: [ low ]",
    f"id: last, check: selftest.slow, with: {{ seconds: 20 ms }}, {RIGHT}, needs: [ first ]",
)
OUTCOMES = {
    "first": "pass", "slow": "pass", "watched": "pass", "fork": "warn", "hang": "error", "stubborn": "error",
    "flood": "pass", "low": "fail", "blocked": "blocked", "last": "pass",
}  # fmt: skip


class Interrupted(support.TestCase):
    def lines(self, run):
        try:
            return support.events(run)
        except FileNotFoundError:
            return []

    def wait_for(self, run, condition):
        deadline = time.monotonic() + support.PATIENCE
        while time.monotonic() < deadline:
            events = self.lines(run)
            if condition(events):
                return events
            time.sleep(0.002)
        self.fail("what was waited for never came into the journal")

    def wait_for_processes(self, library, count):
        deadline = time.monotonic() + support.PATIENCE
        while time.monotonic() < deadline:
            if sum(library in command for command in support.marked(self.mark).values()) == count:
                return
            time.sleep(0.002)
        self.fail(f"there were never {count} processes of {library}")

    def started(self, run, step):
        return self.wait_for(
            run, lambda events: any(e["event"] == "trial_started" and e["trial"].startswith(step + "@") for e in events)
        )

    def gate(self):
        """A file that a check of ours waits at: as a FIFO, until it is opened by open_gate."""
        gate = self.folder / "gate"
        os.mkfifo(gate)
        return gate

    def open_gate(self):
        (self.folder / "gate").unlink()
        self.write("gate", SAID)

    def start_at_gate(self, *more_steps, before=(), **options):
        """Starts a run and waits until its step `gate` runs, which does not end by itself."""
        with_company = f"{{ file: {self.gate()}, company: {str(options.pop('company', False)).lower()} }}"
        gate = f"id: gate, check: test.recite, with: {with_company}, {RIGHT}, timeout: 1 h, needs: []"
        recipe = self.recipe(*before, gate, *more_steps)
        run = self.folder / "run"
        arguments = ["--output", run, "--checks", self.checks_with_recite(), *options.pop("arguments", ())]
        process = self.start("run", recipe, *arguments, **options)
        self.addCleanup(process.kill)
        self.started(run, "gate")
        return process, run


class Killed(Interrupted):
    ROUNDS = 14

    def test_a_run_killed_at_any_moment_is_readable_and_can_be_finished(self):
        whole = self.run_recipe(self.recipe(*STEPS), code=1, folder="whole")
        self.assertEqual(OUTCOMES, support.outcomes(whole))
        length = len(support.events(whole))
        dice = random.Random(20240607)
        cut_in_the_middle = 0
        for number in range(self.ROUNDS):
            with self.subTest(round=number):
                run = self.folder / f"run-{number}"
                self.run_and_kill(["run", self.recipe(*STEPS), "--output", run], run, dice.randrange(length), dice)
                cut_in_the_middle += self.assert_readable(run)
                if not self.lines(run) or not self.planned_whole(run):
                    continue
                # Every second one is killed once more while it is resumed.
                if number % 2 == 0:
                    lines = len(self.lines(run)) + dice.randrange(10)
                    self.run_and_kill(["run", "--resume", run], run, lines, dice)
                self.resume(run, 1)
                self.assertEqual(OUTCOMES, support.outcomes(run))
                self.assert_nothing_was_tried_twice(run)
        self.assertGreater(cut_in_the_middle, 0, "no run was cut off while a trial was open")

    def test_a_run_killed_while_a_check_starts_leaves_no_process(self):
        recipe = self.recipe(f"id: fork, check: selftest.fork, {RIGHT}")
        dice = random.Random(11)
        for number in range(60):
            run = self.folder / f"run-{number}"
            process = self.start("run", recipe, "--output", run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(process.kill)
            self.started(run, "fork")
            time.sleep(dice.random() * 0.004)
            process.kill()
            process.wait()
            self.assert_nothing_is_left()

    def run_and_kill(self, arguments, run, after_lines, dice):
        process = self.start(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + support.PATIENCE
        while process.poll() is None and len(self.lines(run)) < after_lines and time.monotonic() < deadline:
            pass
        time.sleep(dice.random() * 0.01)
        process.kill()
        process.wait()
        self.assert_nothing_is_left()

    def planned_whole(self, run):
        planned = [event for event in self.lines(run) if event["event"] == "trial_planned"]
        return len(planned) == len(STEPS)

    def assert_readable(self, run):
        """Whether a trial was open; `show` must then say so."""
        events = self.lines(run)
        shown = self.rackproof("show", run)
        if not events:
            self.assertEqual(2, shown.code, shown)
            return False
        self.assertIn(shown.code, (0, 1, 3, 77), shown)
        if events[-1]["event"] != "run_ended":
            self.assertIn("The journal ends before the run does", shown.out)
        judged = {event["trial"] for event in events if event["event"] == "trial_judged"}
        started = [event["trial"] for event in events if event["event"] == "trial_started"]
        open_trials = [trial.rpartition("@")[0] for trial in started if trial not in judged]
        for step in open_trials:
            self.assertRegex(shown.out, rf"(?m)^open +{step}  was open when the journal ended$")
        return bool(open_trials)

    def test_signals_that_nobody_catches_leave_no_process(self):
        for number in (signal.SIGKILL, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number.name):
                shutil.rmtree(self.folder)
                self.folder.mkdir()
                # The check has a child of its own, which no parent's death would end.
                process, run = self.start_at_gate(company=True)
                self.wait_for_processes("test.recite.so", 2)
                process.send_signal(number)
                process.communicate(timeout=support.PATIENCE)
                self.assertEqual(-number, process.returncode)
                self.assert_nothing_is_left()
                self.assertIn("was open when the journal ended", self.rackproof("show", run).out)
                self.open_gate()
                self.resume(run, 0)
                self.assertEqual({"gate": "warn"}, support.outcomes(run))
                self.assertIn("left 1 process behind", support.verdicts(run)["gate"][1])


class Signalled(Interrupted):
    def test_interrupted_and_terminated_runs_close_every_bracket_and_can_be_finished(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(number.name):
                shutil.rmtree(self.folder)
                self.folder.mkdir()
                process, run = self.start_at_gate(
                    f"id: after, check: selftest.pass, {RIGHT}, needs: []",
                    before=[f"id: before, check: selftest.pass, {RIGHT}, needs: []"],
                )
                process.send_signal(number)
                result = self.assert_exit(code, self.end_of(process))
                self.assert_nothing_is_left()
                why = f"interrupted by {number.name}"
                self.assertIn(why, result.out)
                self.assert_closed(run, why)
                self.assertEqual(("error", why), support.verdicts(run)["gate"])
                self.assertEqual({"before": "pass", "gate": "error"}, support.outcomes(run))
                ended = [e for e in support.events(run) if e["event"] == "trial_ended"][-1]
                self.assertEqual(("gate", "stopped", why), (ended["trial"].split("@")[0], ended["how"], ended["why"]))
                self.assertIn(why, self.assert_exit(3, self.rackproof("show", run)).out)

                self.open_gate()
                self.resume(run, 0)
                self.assertEqual({"before": "pass", "gate": "pass", "after": "pass"}, support.outcomes(run))
                started = [e["trial"].split("@")[0] for e in support.events(run) if e["event"] == "trial_started"]
                self.assertEqual(["before", "gate", "gate", "after"], started)
                self.assertNotIn("interrupted", support.events(run)[-1])

    def test_only_the_first_of_many_signals_counts(self):
        recipe = self.recipe(f"id: stubborn, check: selftest.stubborn, {RIGHT}, timeout: 1 h, grace: 2 s")
        run = self.folder / "run"
        process = self.start("run", recipe, "--output", run)
        self.addCleanup(process.kill)
        self.wait_for(run, lambda events: events and events[-1]["event"] == "reported")
        # The check ignores what the runner asks of it, so that all of these come while the run is being closed.
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
            time.sleep(0.05)
        self.assert_exit(130, self.end_of(process))
        self.assert_closed(run, "interrupted by SIGINT")
        ended = [e for e in support.events(run) if e["event"] == "trial_ended"][-1]
        self.assertEqual(("stopped", signal.SIGKILL), (ended["how"], ended["code"]))

    def test_a_signal_at_the_very_end_takes_nothing_away(self):
        for _ in range(10):
            with self.subTest():
                shutil.rmtree(self.folder)
                self.folder.mkdir()
                process, run = self.start_at_gate()
                process.send_signal(signal.SIGINT)
                while process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                process.communicate()
                # Whether the last one came while it still counted is chance; what is written is not.
                self.assertIn(process.returncode, (130, 143, -signal.SIGTERM))
                self.assert_nothing_is_left()
                self.assert_closed(run, "interrupted by SIG")

    def test_ctrl_c_on_the_whole_process_group_leaves_no_process(self):
        process, run = self.start_at_gate(start_new_session=True, company=True)
        self.wait_for_processes("test.recite.so", 2)
        os.killpg(process.pid, signal.SIGINT)
        self.assert_exit(130, self.end_of(process))
        self.assert_nothing_is_left()
        self.assert_closed(run, "interrupted by SIGINT")

    def test_a_finished_run_that_is_resumed_stays_as_it_was(self):
        run = self.run_recipe(self.recipe(*STEPS[:2]))
        before = support.verdicts(run)
        self.resume(run, 0)
        self.assertEqual(before, support.verdicts(run))
        self.assert_nothing_was_tried_twice(run)


class Locked(Interrupted):
    def test_a_second_run_is_turned_away_until_the_first_is_gone(self):
        lock = self.folder / "lock"
        first, _ = self.start_at_gate(arguments=["--lock", lock])
        recipe = self.recipe(f"check: selftest.pass, {RIGHT}", file="second.yaml")
        second = self.folder / "second"
        result = self.assert_exit(75, self.rackproof("run", recipe, "--output", second, "--lock", lock))
        self.assertEqual("", result.out)
        self.assert_one_line(result.err)
        self.assertIn(str(lock), result.err)
        self.assertFalse(second.exists())
        first.kill()
        first.communicate(timeout=support.PATIENCE)
        self.assert_exit(0, self.rackproof("run", recipe, "--output", second, "--lock", lock))

    def test_a_run_that_still_runs_cannot_be_resumed_beside_it(self):
        process, run = self.start_at_gate(f"id: after, check: selftest.pass, {RIGHT}, needs: []")
        result = self.rackproof("run", "--resume", run, "--checks", self.checks_with_recite(), "--quiet")
        self.assertIn(result.code, (2, 75), result)
        self.assert_one_line(result.err)
        process.send_signal(signal.SIGINT)
        self.assert_exit(130, self.end_of(process))
        self.assert_closed(run, "interrupted by SIGINT")


if __name__ == "__main__":
    support.main()
