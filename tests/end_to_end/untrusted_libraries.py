"""Offers libraries that somebody else could have changed: none of them is loaded, and each is said why."""

import shutil

import support
from support import CHECKS

ANSWER = '{"report":"measurement","metric":"answer","value":42,"unit":"count"}\n{"report":"done"}\n'


class Libraries(support.TestCase):
    def private_checks(self):
        folder = self.folder / "checks"
        folder.mkdir(mode=0o755)
        library = folder / "test.recite.so"
        shutil.copyfile(support.RECITE, library)
        library.chmod(0o755)
        return folder, library

    def run_with(self, checks, code, folder):
        recipe = self.recipe(f"id: step, check: test.recite, with: {{ file: {self.write('said', ANSWER)} }}")
        run = self.run_recipe(recipe, "--checks", checks, code=code, folder=folder)
        said = [event["says"]["report"] for event in support.events(run) if event["event"] == "reported"]
        return support.verdicts(run)["step"], said

    def assert_not_loaded(self, checks, path, why):
        (outcome, reason), said = self.run_with(checks, 3, "run-refused")
        self.assertEqual(("error", ["trouble"]), (outcome, said))
        self.assertEqual(f"will not load: {path} {why}", reason)
        self.assertIn(reason, self.rackproof("list", "--checks", checks).out)
        explained = self.assert_exit(2, self.rackproof("explain", "test.recite", "--checks", checks))
        self.assertIn(reason, explained.err)

    def test_a_library_of_our_own_is_loaded(self):
        checks, _ = self.private_checks()
        (outcome, _), said = self.run_with(checks, 0, "run")
        self.assertEqual(("info", ["measurement", "done"]), (outcome, said))

    def test_a_library_that_anybody_can_write_to_is_not_loaded(self):
        checks, library = self.private_checks()
        library.chmod(0o757)
        self.assert_not_loaded(checks, library, "can be written by anybody")

    def test_a_library_in_a_folder_that_anybody_can_write_to_is_not_loaded(self):
        checks, _ = self.private_checks()
        checks.chmod(0o757)
        self.assert_not_loaded(checks, checks, "can be written by anybody")

    def test_a_library_below_a_folder_that_anybody_can_write_to_is_not_loaded(self):
        checks, _ = self.private_checks()
        self.folder.chmod(0o757)
        self.assert_not_loaded(checks, self.folder, "can be written by anybody")

    def test_a_link_to_a_library_that_anybody_can_write_to_is_not_loaded(self):
        checks, library = self.private_checks()
        linked = self.folder / "linked"
        linked.mkdir()
        (linked / library.name).symlink_to(library)
        library.chmod(0o757)
        self.assert_not_loaded(linked, library, "can be written by anybody")

    def test_a_library_of_another_user_is_not_loaded(self):
        if not support.is_root():
            self.skipTest("not checked: only root can give a file to another user")
        checks, library = self.private_checks()
        shutil.chown(library, "nobody")
        self.assert_not_loaded(checks, library, "belongs to another user, who could change what is loaded")

    def test_a_library_that_another_group_can_write_to_is_not_loaded(self):
        if not support.is_root():
            self.skipTest("not checked: only root can give a file to another group")
        checks, library = self.private_checks()
        shutil.chown(library, group="nogroup")
        library.chmod(0o775)
        self.assert_not_loaded(checks, library, "can be written by its group")

    def test_what_is_no_library_is_said_to_be_none(self):
        checks, library = self.private_checks()
        library.write_text("not a library")
        (outcome, reason), _ = self.run_with(checks, 3, "run-text")
        self.assertEqual("error", outcome)
        self.assertIn("does not load: ", reason)
        shutil.copyfile(CHECKS / "selftest.pass.so", library)
        (outcome, reason), _ = self.run_with(checks, 3, "run-other")
        self.assertEqual("error", outcome)
        self.assertIn("declares another name: 'selftest.pass'", self.rackproof("list", "--checks", checks).out)


if __name__ == "__main__":
    support.main()
