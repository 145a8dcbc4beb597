"""Cuts journals off, at any byte and by a full disk: what is left is readable, and the run can be finished."""

import shutil
import subprocess

import support
from support import RIGHT

PASS = f"id: first, check: selftest.pass, {RIGHT}, needs: []"
LOW = "id: low, check: selftest.below-limit, expect: [ rate >= 10 GB/s ], needs: []"
BLOCKED = f"id: blocked, check: selftest.pass, {RIGHT}, needs: [ low ]"


class Torn(support.TestCase):
    def small_run(self):
        run = self.run_recipe(self.recipe(PASS, LOW, BLOCKED), code=1, folder="whole")
        return run, (run / "journal.jsonl").read_bytes()

    def cut(self, whole, size):
        run = self.folder / "cut"
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir()
        (run / "journal.jsonl").write_bytes(whole[:size])
        return run

    @staticmethod
    def interesting(whole):
        ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
        near = {end + offset for end in ends for offset in (-1, 0, 1)}
        return sorted(size for size in near | set(range(0, len(whole), 61)) | {len(whole)} if size <= len(whole))

    def test_a_journal_cut_at_any_byte_is_shown_or_said_to_hold_nothing(self):
        _, whole = self.small_run()
        first_line = whole.index(b"\n")
        for size in self.interesting(whole):
            with self.subTest(size):
                shown = self.rackproof("show", self.cut(whole, size))
                if size <= first_line:
                    self.assertEqual((2, ""), (shown.code, shown.out), shown)
                    self.assert_one_line(shown.err)
                    self.assertIn("holds no event", shown.err)
                else:
                    self.assertIn(shown.code, (0, 1, 3, 77), shown)
                    self.assertIn("test", shown.out)
                    torn = whole[size - 1 : size] != b"\n"
                    self.assertEqual(torn, "its last line is cut off" in shown.err, shown)

    def test_a_journal_cut_at_any_byte_is_exported_and_judged_again(self):
        _, whole = self.small_run()
        first_line = whole.index(b"\n")
        for size in self.interesting(whole):
            if size <= first_line:
                continue
            with self.subTest(size):
                run = self.cut(whole, size)
                self.assert_exit(0, self.rackproof("export", run, "--format", "graphml"))
                kept = self.folder / f"kept-{size}"
                judged = self.rackproof("judge", run, "--output", kept)
                self.assertIn(judged.code, (0, 1, 3, 77), judged)
                self.assertEqual(judged.code, self.rackproof("show", kept).code)
                self.assertEqual(support.outcomes(run), support.outcomes(kept))

    def test_a_journal_cut_at_any_line_can_be_finished(self):
        _, whole = self.small_run()
        planned = whole.index(b"\n", whole.rindex(b'"trial_planned"'))
        ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
        for size in sorted({end + offset for end in ends for offset in (-1, 0, 9)}):
            if size > len(whole):
                continue
            with self.subTest(size):
                run = self.cut(whole, size)
                if size <= planned:
                    result = self.rackproof("run", "--resume", run)
                    self.assertEqual(2, result.code, result)
                    self.assert_one_line(result.err)
                    self.assertEqual(whole[:size], (run / "journal.jsonl").read_bytes())
                    continue
                self.resume(run, 1)
                self.assertEqual({"first": "pass", "low": "fail", "blocked": "blocked"}, support.outcomes(run))
                self.assert_nothing_was_tried_twice(run)


class FullDisk(support.TestCase):
    def small_disk(self, size):
        if not support.is_root():
            self.skipTest("not checked: only root can mount a small file system to fill up")
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest(f"not checked: no small file system can be mounted here: {mounted.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
        return disk

    def make_room(self, disk):
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)

    def test_a_disk_that_fills_up_ends_the_run_in_words_and_the_run_can_be_finished(self):
        disk = self.small_disk("2m")
        steps = [f"id: s{i}, check: selftest.flood, with: {{ count: 6000 }}, {RIGHT}, needs: []" for i in range(4)]
        run = disk / "run"
        result = self.assert_exit(3, self.rackproof("run", self.recipe(*steps), "--output", run))
        self.assert_one_line(result.err)
        self.assertIn("the journal cannot be written", result.err)
        self.assertIn("No space left on device", result.err)
        self.assert_nothing_is_left()
        self.assert_closed(run, "No space left on device")
        done = {step for step, outcome in support.outcomes(run).items() if outcome == "pass"}
        self.assertTrue(0 < len(done) < len(steps), done)
        self.assertIn("No space left on device", self.assert_exit(3, self.rackproof("show", run)).out)

        again = self.assert_exit(3, self.rackproof("run", "--resume", run, "--quiet"))
        self.assertIn("No space left on device", again.err)
        self.make_room(disk)
        self.resume(run, 0)
        self.assertEqual({f"s{i}": "pass" for i in range(4)}, support.outcomes(run))
        started = [e["trial"].split("@")[0] for e in support.events(run) if e["event"] == "trial_started"]
        for step in done:
            self.assertEqual(1, started.count(step), "what had ended is not measured again")

    def test_a_disk_that_is_full_from_the_start_is_said_in_one_line(self):
        disk = self.small_disk("1m")
        with open(disk / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                pass
        result = self.rackproof("run", self.recipe(PASS), "--output", disk / "run")
        self.assertIn(result.code, (2, 3), result)
        self.assert_one_line(result.err)
        self.assertIn("No space left on device", result.err)


if __name__ == "__main__":
    support.main()
