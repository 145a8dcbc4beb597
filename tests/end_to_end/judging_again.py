"""Judges runs again by other limits: verdicts follow the limits, evidence stays, and nothing is run for it."""

import json
import os
import pathlib
import shutil
import subprocess

import support
from support import RACKPROOF, RIGHT

RATE = "id: rate, check: selftest.below-limit"  # measures 9 GB/s


class Judging(support.TestCase):
    def limits(self, name, *sentences, check="selftest.below-limit", match=""):
        lines = [f"limits: {name}", *([f"match: {match}"] if match else []), "checks:", f"  {check}:"]
        lines += [f'    - {{ {sentence}, source: "the {name} book, page 7" }}' for sentence in sentences]
        return self.write(f"{name}.yaml", "\n".join(lines) + "\n")

    def loose(self):
        return self.limits("loose", 'expect: "rate >= 8 GB/s"')

    def tight(self):
        return self.limits("tight", 'expect: "rate >= 10 GB/s"')

    def judge(self, run, *limits, code, folder=None):
        arguments = [argument for file in limits for argument in ("--limits", file)]
        if folder is not None:
            arguments += ["--output", folder]
        return self.assert_exit(code, self.rackproof("judge", run, *arguments))


class OtherLimits(Judging):
    def test_a_tighter_limit_turns_a_pass_into_a_fail(self):
        run = self.run_recipe(self.recipe(RATE), "--limits", self.loose())
        before = (run / "journal.jsonl").read_bytes()
        self.assertEqual({"rate": "pass"}, support.outcomes(run))
        said = self.judge(run, self.tight(), code=1).out
        self.assertIn("rate is 9 GB/s, expected >= 10 GB/s", said)
        self.assertIn("the tight book, page 7", said)
        self.assertEqual(before, (run / "journal.jsonl").read_bytes(), "the run itself is left as it was")
        self.assert_exit(0, self.rackproof("show", run))

    def test_a_looser_limit_turns_a_fail_into_a_pass(self):
        run = self.run_recipe(self.recipe(RATE), "--limits", self.tight(), code=1)
        self.judge(run, self.loose(), code=0)

    def test_a_preferred_limit_warns(self):
        run = self.run_recipe(self.recipe(RATE + ", expect: [ rate >= 1 GB/s ]"))
        said = self.judge(run, self.limits("wish", 'prefer: "rate >= 10 GB/s"'), code=0).out
        self.assertRegex(said, r"(?m)^warn +rate  rate is 9 GB/s, expected >= 10 GB/s")

    def test_what_the_recipe_expects_stays_expected(self):
        run = self.run_recipe(self.recipe(RATE + ", expect: [ rate >= 10 GB/s ]"), code=1)
        self.judge(run, self.loose(), code=1)

    def test_limits_are_replaced_and_not_added_to(self):
        run = self.run_recipe(self.recipe(RATE), "--limits", self.tight(), code=1)
        said = self.judge(run, code=0).out
        self.assertRegex(said, r"(?m)^  info +rate ", "without any limits nothing is expected, and nothing passes")
        kept = self.folder / "kept"
        self.judge(run, self.loose(), code=0, folder=kept)
        self.judge(kept, self.tight(), code=1)
        self.judge(run, self.loose(), self.tight(), code=1)

    def test_the_same_limits_leave_every_verdict_as_it_was(self):
        steps = (
            RATE,
            f"id: fault, check: selftest.fault, {RIGHT}, needs: []",
            f"id: blocked, check: selftest.pass, {RIGHT}, needs: [ fault ]",
            f"id: crash, check: selftest.crash, {RIGHT}, needs: []",
            "id: skip, check: selftest.skip, optional: true, needs: []",
            f"id: watched, check: selftest.pass, watch: [ selftest.counter ], {RIGHT}, needs: []",
        )
        run = self.run_recipe(self.recipe(*steps), "--limits", self.tight(), code=1)
        kept = self.folder / "kept"
        self.judge(run, self.tight(), code=1, folder=kept)
        self.assertEqual(support.verdicts(run), support.verdicts(kept))
        self.assertEqual(support.events(run), support.events(kept))

    def test_what_was_never_tried_does_not_pass_by_a_looser_limit(self):
        steps = (RATE, f"id: after, check: selftest.pass, {RIGHT}, needs: [ rate ]")
        run = self.run_recipe(self.recipe(*steps), "--limits", self.tight(), code=1)
        kept = self.folder / "kept"
        self.judge(run, self.loose(), code=3, folder=kept)
        self.assertEqual({"rate": "pass", "after": "blocked"}, support.outcomes(kept))

    def test_what_was_tried_keeps_its_own_verdict_when_its_need_fails_now(self):
        steps = (RATE, f"id: after, check: selftest.pass, {RIGHT}, needs: [ rate ]")
        run = self.run_recipe(self.recipe(*steps), "--limits", self.loose())
        kept = self.folder / "kept"
        self.judge(run, self.tight(), code=1, folder=kept)
        self.assertEqual({"rate": "fail", "after": "pass"}, support.outcomes(kept))

    def test_limits_for_a_device_hold_only_where_it_was_seen(self):
        step = f"id: step, check: selftest.late-fault, {RIGHT}"
        seen = "{ device: selftest, name: invented* }"
        run = self.run_recipe(
            self.recipe(RATE, step + ", needs: []"), "--limits", self.limits("own", 'expect: "rate >= 8 GB/s"'), code=1
        )
        never = self.limits("never", 'expect: "rate >= 8 GB/s"', match='{ device: gpu, name: "*H100*" }')
        matched = self.limits("matched", 'expect: "rate >= 10 GB/s"', match=seen)
        self.assertIn("rate is 9 GB/s, expected >= 10 GB/s", self.judge(run, matched, code=1).out)

        alone = self.run_recipe(self.recipe(RATE), folder="alone")
        said = self.judge(alone, never, code=3).out
        self.assertRegex(said, r"(?m)^error +rate  the limit on rate is for a gpu named '\*H100\*', and none was seen")
        self.assertIn("the never book, page 7", said)


class Kept(Judging):
    def test_a_run_that_is_kept_shows_and_exports_the_new_verdicts(self):
        run = self.run_recipe(self.recipe(RATE), "--limits", self.loose())
        kept = self.folder / "kept"
        judged = self.judge(run, self.tight(), code=1, folder=kept)
        shown = self.assert_exit(1, self.rackproof("show", kept))
        self.assertEqual(judged.out, shown.out)
        graph = json.loads(self.rackproof("export", kept, "--format", "json").out)
        by_id = {node["id"]: node for node in graph["nodes"]}
        node = support.events(run)[0]["node"]
        trial = by_id[f"{node}/trial/rate"]["properties"]
        self.assertEqual("fail", trial["outcome"])
        self.assertIn("rate is 9 GB/s, expected >= 10 GB/s", trial["reason"])
        self.assertEqual("rate >= 10 GB/s", by_id["step/rate"]["properties"]["limits"])
        self.assertEqual("fail", graph["graph"]["properties"]["outcome"])
        for form in ("graphml", "yed", "dot"):
            text = self.assert_exit(0, self.rackproof("export", kept, "--format", form)).out
            self.assertIn("fail", text)
            self.assertNotIn("pass", text.replace("passed", ""))

    def test_only_verdicts_and_limits_differ_in_a_run_that_is_kept(self):
        run = self.run_recipe(self.recipe(RATE), "--limits", self.loose())
        kept = self.folder / "kept"
        self.judge(run, self.tight(), code=1, folder=kept)
        changed = {
            old["event"] for old, new in zip(support.events(run), support.events(kept), strict=True) if old != new
        }
        self.assertEqual({"step_planned", "trial_judged", "run_ended"}, changed)

    def test_a_folder_that_is_not_empty_is_refused_before_anything_is_said(self):
        run = self.run_recipe(self.recipe(RATE))
        for folder in (run, self.folder):
            result = self.judge(run, self.tight(), code=2, folder=folder)
            self.assertEqual("", result.out)
            self.assert_one_line(result.err)
            self.assertIn("is not empty", result.err)

    def test_a_run_that_was_cut_off_is_judged_as_far_as_it_came(self):
        run = self.run_recipe(self.recipe(RATE, f"id: after, check: selftest.pass, {RIGHT}, needs: []"))
        events = support.events(run)
        started = [at for at, event in enumerate(events) if event["event"] == "trial_started"]
        support.write_events(run, events[: started[-1] + 1])
        kept = self.folder / "kept"
        self.assertIn("was open when the journal ended", self.judge(run, self.tight(), code=1, folder=kept).out)
        self.assertEqual({"rate": "fail"}, support.outcomes(kept))


class Elsewhere(Judging):
    def test_judging_showing_and_exporting_need_no_checks_and_no_recipe(self):
        run = self.run_recipe(self.recipe(RATE), "--limits", self.loose())
        (self.folder / "recipe.yaml").unlink()
        alone = self.folder / "alone" / "rackproof"
        alone.parent.mkdir()
        shutil.copy(RACKPROOF, alone)
        tight = self.tight()
        commands = ((1, ["judge", run, "--limits", tight]), (0, ["show", run]), (0, ["export", run, "-f", "dot"]))
        for code, arguments in commands:
            command = [alone, *map(str, arguments)]
            done = subprocess.run(
                command, cwd="/", env=self.environment(), capture_output=True, text=True, timeout=support.PATIENCE
            )
            self.assertEqual((code, ""), (done.returncode, done.stderr), done.stdout)
        moved = pathlib.Path(shutil.move(run, self.folder / "elsewhere"))
        self.judge(os.path.relpath(moved, self.folder), tight, code=1)
        self.judge(moved / "journal.jsonl", tight, code=1)


class WrongLimits(Judging):
    def test_limits_that_cannot_be_judged_are_refused_with_their_place(self):
        run = self.run_recipe(self.recipe(RATE))
        cases = (
            ('expect: "rates >= 10 GB/s"', "did you mean 'rate'"),
            ('expect: "rate >= 10 ms"', "'ms' is a time"),
            ('expect: "rate >= 0 GB/s"', "can never fail"),
            ('expect: "rate"', ""),
            ('expects: "rate >= 1 GB/s"', "did you mean 'expect'"),
            ('expect: "rate >= 50 % of nowhere.rate"', "nowhere"),
        )
        for number, (sentence, part) in enumerate(cases):
            with self.subTest(sentence):
                file = self.limits(f"wrong-{number}", sentence)
                result = self.judge(run, file, code=2)
                self.assertEqual("", result.out)
                self.assert_one_line(result.err)
                self.assertRegex(result.err, rf"^rackproof: {file}:4:\d+: ")
                self.assertIn(part, result.err)

    def test_limits_that_cannot_be_read_are_refused(self):
        run = self.run_recipe(self.recipe(RATE))
        for file in (self.folder / "missing.yaml", self.folder, self.write("empty.yaml", "")):
            result = self.judge(run, file, code=2)
            self.assertEqual("", result.out)
            self.assert_one_line(result.err)
            self.assertTrue(result.err.startswith(f"rackproof: {file}"), result.err)

    def test_nothing_is_kept_when_the_limits_are_wrong(self):
        run = self.run_recipe(self.recipe(RATE))
        kept = self.folder / "kept"
        self.judge(run, self.limits("wrong", 'expect: "rates >= 10 GB/s"'), code=2, folder=kept)
        self.assertEqual([], list(kept.iterdir()) if kept.exists() else [])


if __name__ == "__main__":
    support.main()
