"""Runs the recipe of misbehaving checks: each ends as it must, in time, in words, and nothing of it stays."""

import pathlib
import shutil
import time

import support
from support import SOURCE

RECIPE = SOURCE / "recipes" / "selftest.yaml"
MIB = 1024  # in the KiB of /proc/PID/status
MOST_MEMORY = 50 * MIB
# On top of timeout and grace: a slow machine must not fail this test, and a hanging check must.
SLACK_S = 20

# What may come of a step with this check, each with a part of the sentence that says why.
EXPECTED = {
    "pass": [("pass", "held"), ("info", "nothing was expected")],
    "slow": [("pass", "held"), ("fail", "ticks is ")],
    "counter": [("pass", "held"), ("info", "nothing was expected")],
    "stdout-noise": [("pass", "held")],
    "below-limit": [("fail", "rate is 9 GB/s, expected >= 10 GB/s"), ("warn", "rate is 9 GB/s, expected")],
    "fault": [("fail", "selftest:part (invented part): 1 of 4096 bytes")],
    "late-fault": [("fail", "the invented part stopped answering [device-lost]")],
    "skip": [("skip", "no invented part"), ("error", "the step is not optional: this machine has no invented part")],
    "trouble": [("error", "the invented part cannot be opened: No such device")],
    "nan": [("error", "rate is not a number")],
    "unknown-metric": [("error", "measured 'question', which the check does not declare")],
    "unsteady": [("error", "rate never became steady, so 12 GB/s")],
    "wrong-unit": [("error", "rate came in 'ms', which does not convert to the 'GB/s'")],
    "after-word": [("error", "went on reporting after its last word")],
    "babble": [("error", "line 1 of what it said is no report (it is not JSON): all is well, trust me")],
    "flood": [("error", "said more than 32768 reports")],
    "huge-line": [("error", "a line longer than 64 KiB")],
    "silent": [("error", "ended without a last word")],
    "torn": [("error", "ended in the middle of a line")],
    "crash": [("error", "died of SIGSEGV"), ("error", "died of SIGABRT")],
    "exit-nonzero": [("error", "exited with status 3")],
    "fork": [("warn", "left 1 process behind, which had to be killed")],
    "hang": [("error", "ended by SIGTERM")],
    "stubborn": [("error", "ended by SIGKILL")],
    "oom": [("error", "out of memory (the step's limit is ")],
    "old-abi": [("error", "was built for check ABI 0, this is ABI 1: rebuild it")],
    "missing-symbol": [("error", "undefined symbol: rackproof_selftest_symbol_that_nobody_defines")],
}


class Watched(support.TestCase):
    def run_and_watch_memory(self, *arguments):
        """Runs to the end; gives the result and the most memory in KiB that the runner itself was seen to hold."""
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            process = self.start(*arguments, stdout=out, stderr=err)
            most = 0
            deadline = time.monotonic() + 10 * support.PATIENCE
            while process.poll() is None and time.monotonic() < deadline:
                most = max(most, self.resident_peak(process.pid))
                time.sleep(0.002)
            self.end_of(process, timeout=1)
        return process.returncode, (self.folder / "out").read_text(), (self.folder / "err").read_text(), most

    def assert_small(self, most_memory):
        self.assertGreater(most_memory, 0)
        if not support.is_sanitized():
            self.assertLess(most_memory, MOST_MEMORY)

    @staticmethod
    def resident_peak(pid):
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


class SelftestRecipe(Watched):
    def test_each_check_ends_as_it_must_and_nothing_stays(self):
        run = self.folder / "run"
        code, out, err, most_memory = self.run_and_watch_memory("run", RECIPE, "--output", run)
        self.assert_nothing_is_left()
        self.assertEqual((1, ""), (code, err), out)
        self.check_outcomes(run)
        self.check_times(run)
        self.check_words(run, out)
        self.assert_small(most_memory)
        self.check_replay(run)

    def check_outcomes(self, run):
        verdicts = support.verdicts(run)
        used = set()
        for event in support.events(run):
            if event["event"] != "step_planned":
                continue
            outcome, reason = verdicts[event["step"]]
            check = event["check"].removeprefix("selftest.")
            with self.subTest(event["step"]):
                self.assertTrue(event["summary"].startswith(outcome + ": "), f"{outcome}, but {event['summary']}")
                if outcome == "blocked":
                    self.assertRegex(reason, r"^not tried: it needs [\w-]+ \((fail|error|blocked)\)")
                    continue
                used.update({check, *(each.removeprefix("selftest.") for each in event.get("watch", []))})
                self.assertTrue(
                    any(outcome == expected and part in reason for expected, part in EXPECTED[check]),
                    f"{check}: {outcome}: {reason}",
                )
        self.assertEqual(set(EXPECTED), used, "every self-test check has its step")
        self.assertIn("blocked", support.outcomes(run).values())
        listed = {line.split()[0] for line in self.rackproof("list").out.splitlines()}
        self.assertEqual({f"selftest.{name}" for name in EXPECTED}, {n for n in listed if n.startswith("selftest.")})

    def check_times(self, run):
        events = support.events(run)
        bounds = {e["step"]: (e["timeout_ms"] + e["grace_ms"]) / 1e3 for e in events if e["event"] == "step_planned"}
        for event in events:
            if event["event"] == "trial_ended":
                step = event["trial"].rpartition("@")[0]
                self.assertLess(event["duration_us"] / 1e6, bounds[step] + SLACK_S, step)

    def check_words(self, run, printed):
        verdicts = support.verdicts(run)
        for step, (outcome, reason) in verdicts.items():
            if outcome in ("warn", "error", "fail"):
                self.assertIn(reason, printed, step)
        for event in support.events(run):
            said = [finding["text"] for finding in event.get("findings", [])]
            self.assertEqual(len(said), len(set(said)), "nothing is said twice")
        self.assertEqual("run_ended", support.events(run)[-1]["event"])

    def check_replay(self, run):
        copy = self.folder / "copy"
        shutil.copytree(run, copy)
        shown = [self.rackproof("show", each) for each in (run, run, copy)]
        self.assertEqual([1, 1, 1], [each.code for each in shown])
        self.assertEqual(1, len({each.out for each in shown}))
        for form in ("graphml", "yed", "json", "dot"):
            texts = {self.assert_exit(0, self.rackproof("export", each, "-f", form)).out for each in (run, run, copy)}
            self.assertEqual(1, len(texts), form)

    def test_the_run_that_is_shown_live_and_the_one_that_is_replayed_say_the_same(self):
        run = self.folder / "run"
        live = self.rackproof("run", RECIPE, "--output", run).out.splitlines()
        replayed = self.rackproof("show", run).out.splitlines()
        self.assertEqual(sorted(set(replayed)), sorted({line for line in live if not line.startswith("journal: ")}))

    def test_judging_it_again_by_nothing_else_changes_no_verdict(self):
        run = self.folder / "run"
        self.rackproof("run", RECIPE, "--output", run)
        judged = self.folder / "judged"
        self.assert_exit(1, self.rackproof("judge", run, "--output", judged))
        self.assertEqual(support.verdicts(run), support.verdicts(judged))


class Flood(Watched):
    def test_a_flood_of_every_size_leaves_the_runner_small(self):
        for count in (1, 32_000, 40_000, 1_000_000):
            with self.subTest(count):
                recipe = self.recipe(f"id: step, check: selftest.flood, with: {{ count: {count} }}, {support.RIGHT}")
                run = self.folder / f"run-{count}"
                code, out, err, most_memory = self.run_and_watch_memory("run", recipe, "--output", run)
                honest = count < 32_768
                self.assertEqual((0 if honest else 3, ""), (code, err), out)
                self.assertEqual({"step": "pass" if honest else "error"}, support.outcomes(run))
                self.assert_small(most_memory)

    def test_many_floods_in_a_row_do_not_add_up(self):
        steps = [f"id: s{i}, check: selftest.flood, with: {{ count: 30000 }}, needs: []" for i in range(12)]
        run = self.folder / "run"
        code, out, err, most_memory = self.run_and_watch_memory("run", self.recipe(*steps), "--output", run)
        self.assertEqual((0, ""), (code, err), out)
        self.assert_small(most_memory)


if __name__ == "__main__":
    support.main()
