"""Installs what was built, moves it, and runs it from there: nothing of the build or of the sources is needed."""

import os
import shutil
import subprocess

import support
from support import BUILD, RIGHT


class Installed(support.TestCase):
    def install(self):
        prefix = self.folder / "prefix"
        done = subprocess.run(
            ["cmake", "--install", BUILD, "--prefix", prefix], capture_output=True, text=True, timeout=support.PATIENCE
        )
        self.assertEqual(0, done.returncode, done.stderr)
        # Where it was installed must not matter.
        moved = self.folder / "moved"
        prefix.rename(moved)
        return moved

    def run_installed(self, prefix, *arguments):
        return subprocess.run(
            [prefix / "bin" / "rackproof", *map(str, arguments)],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=support.PATIENCE,
        )  # fmt: skip

    def test_an_installed_tree_runs_wherever_it_lies(self):
        if shutil.which("cmake") is None or not os.access(BUILD / "cmake_install.cmake", os.W_OK):
            self.skipTest("not checked: there is no build of one's own to install from")
        prefix = self.install()
        listed = self.run_installed(prefix, "list")
        self.assertEqual((0, ""), (listed.returncode, listed.stderr))
        self.assertEqual(
            [line.split()[0] for line in self.rackproof("list").out.splitlines()],
            [line.split()[0] for line in listed.stdout.splitlines()],
        )
        self.assertNotIn("test.recite", listed.stdout)
        inventory = "id: inventory, check: host.inventory, expect: [ cores >= 1 ]"
        recipe = self.recipe(inventory, f"id: good, check: selftest.pass, {RIGHT}, needs: []")
        done = self.run_installed(prefix, "run", recipe, "--output", self.folder / "run")
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        self.assertEqual({"inventory": "pass", "good": "pass"}, support.outcomes(self.folder / "run"))
        self.check_installed_recipes(prefix)

    def check_installed_recipes(self, prefix):
        installed = prefix / "share" / "rackproof" / "recipes"
        self.assertTrue((installed / "recipe.schema.json").exists())
        names = [file.stem for file in installed.glob("*.yaml")]
        self.assertLessEqual({"node", "selftest"}, set(names))
        for name in names:
            planned = self.run_installed(prefix, "plan", name)
            self.assertEqual((0, ""), (planned.returncode, planned.stderr))
            self.assertTrue(planned.stdout.startswith(name))
        ran = self.run_installed(prefix, "run", "selftest", "--quiet", "--output", self.folder / "by-name")
        self.assertEqual((1, ""), (ran.returncode, ran.stderr))

    def test_an_incomplete_installation_says_what_is_missing(self):
        alone = self.folder / "bin" / "rackproof"
        alone.parent.mkdir()
        shutil.copy(support.RACKPROOF, alone)
        done = subprocess.run([alone, "list"], capture_output=True, text=True, env=self.environment(), timeout=60)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("the installation is incomplete", done.stderr)
        self.assertIn(str(alone.parent), done.stderr)


if __name__ == "__main__":
    support.main()
