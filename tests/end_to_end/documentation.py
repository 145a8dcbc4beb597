"""Holds the documentation to the program: recipes and examples work, commands and links exist, no metric is untold."""

import os
import pathlib
import re
import shlex
import subprocess

import support
from support import BUILD, SOURCE

MEASURING = SOURCE / "docs" / "measuring"
COMPILER = os.environ.get("RACKPROOF_CXX", "g++")
CANNOT_BE_EXPLAINED = {"selftest.old-abi", "selftest.missing-symbol"}


def pages():
    return [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md")), *sorted((SOURCE / "recipes").rglob("*.md"))]


def blocks(page, language):
    """The code blocks of a page that are marked with a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), flags=re.M | re.S)


def prose(page):
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)


def anchor(heading):
    """As GitHub makes one of a heading."""
    plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def names_told(text):
    """The words that stand as code on a page. In a row, `read_p50`, `_p99` tells read_p99 too."""
    told = set()
    for line in text.splitlines():
        words = re.findall(r"`([\w.-]+)`", line)
        told.update(words)
        for ending in (word for word in words if word.startswith("_")):
            stems = (word[:at] for word in words for at, letter in enumerate(word) if at > 0 and letter == "_")
            told.update(stem + ending for stem in stems)
    return told


class Shipped(support.TestCase):
    def test_every_shipped_recipe_and_limits_file_can_be_planned(self):
        recipes = sorted((SOURCE / "recipes").glob("*.yaml"))
        self.assertLessEqual({"node", "selftest"}, {recipe.stem for recipe in recipes})
        for recipe in recipes:
            planned = self.assert_exit(0, self.rackproof("plan", recipe))
            self.assertEqual("", planned.err)
            self.assertTrue(planned.out.startswith(recipe.stem), "a recipe is named as its file is")
            self.assertIn("schema=recipe.schema.json", recipe.read_text().splitlines()[0])
        for limits in sorted((SOURCE / "recipes" / "limits").glob("*.yaml")):
            self.assert_exit(0, self.rackproof("plan", SOURCE / "recipes" / "node.yaml", "--limits", limits))
            self.assertIn("schema=../limits.schema.json", limits.read_text().splitlines()[0])
            self.assertRegex(limits.read_text(), rf"(?m)^limits: {limits.stem}$")

    def test_nothing_is_left_to_be_filled_in(self):
        for page in pages():
            left = re.findall(r"(?m)@@\w*|\bTODO\b|\bFIXME\b|\bTBD\b|^[A-Z]+(?:_[A-Z]+)+$", page.read_text())
            self.assertEqual([], left, page.name)


class Examples(support.TestCase):
    def test_every_recipe_and_limits_file_that_is_shown_can_be_planned(self):
        shown = 0
        for page in pages():
            for number, text in enumerate(blocks(page, "yaml")):
                with self.subTest(page.name, number=number):
                    shown += 1
                    if "example.first-touch" in text:  # built and run below
                        continue
                    file = self.write(f"{page.stem}-{number}.yaml", text)
                    if re.search(r"^limits:", text, flags=re.M):
                        arguments = ["plan", SOURCE / "recipes" / "node.yaml", "--limits", file]
                    else:
                        arguments = ["plan", file]
                    self.assert_exit(0, self.rackproof(*arguments))
        self.assertGreater(shown, 0)

    def test_every_command_that_is_shown_exists_with_its_options(self):
        helps = {}
        shown = 0
        for page in pages():
            commands = re.findall(r"(?:^[$#] .*?|`)(?:build/bin/)?rackproof (\w+)([^`|;\n]*)", page.read_text(), re.M)
            for command, rest in commands:
                with self.subTest(page.name, command=command + rest):
                    shown += 1
                    if command not in helps:
                        helps[command] = self.assert_exit(0, self.rackproof(command, "--help")).out
                    self.assertIn(f"rackproof {command} [OPTIONS]", helps[command])
                    for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", rest):
                        self.assertRegex(helps[command], rf"(?m)^ +(-\w,)?{option}\b|^ +{option},")
        self.assertGreater(shown, 20)

    def test_the_example_check_is_built_and_run_as_it_is_told(self):
        page = SOURCE / "docs" / "writing-a-check.md"
        code = next(block for block in blocks(page, "cpp") if block.startswith("// example_check.cpp\n"))
        self.write("example_check.cpp", code)
        (self.folder / "checks").mkdir()
        recipe = next(block for block in blocks(page, "yaml") if "example.first-touch" in block)
        self.write("example.yaml", recipe)
        build = next(line for block in blocks(page, "console") for line in block.splitlines() if "g++" in line)
        words = [
            {"g++": COMPILER, ".": str(SOURCE)}.get(word, word.replace("build/", f"{BUILD}/", 1))
            for word in shlex.split(build.removeprefix("$ "))
        ]
        sanitizers = ["-fsanitize=address,undefined"] if support.is_sanitized() else []
        done = subprocess.run(
            [*words, "-Wall", "-Wextra", "-Wpedantic", "-Werror", *sanitizers],
            cwd=self.folder, capture_output=True, text=True, timeout=support.PATIENCE,
        )  # fmt: skip
        self.assertEqual((0, ""), (done.returncode, done.stderr))

        explained = self.assert_exit(0, self.rackproof("explain", "example.first-touch", "--checks", "checks"))
        for part in ("first_touch", "dirty_pages", "size", "default 64 MiB"):
            self.assertIn(part, explained.out)
        run = self.run_recipe(self.folder / "example.yaml", "--checks", "checks")
        self.assertEqual({"pages": "pass"}, support.outcomes(run))
        measured = {
            event["says"]["metric"]: event["says"]["unit"]
            for event in support.events(run)
            if event["event"] == "reported" and event["says"]["report"] == "measurement"
        }
        self.assertEqual({"first_touch": "GB/s", "dirty_pages": "count"}, measured)


class Measuring(support.TestCase):
    def page_of(self, check):
        return MEASURING / ("selftest.md" if check.startswith("selftest.") else f"{check}.md")

    def checks(self):
        return [line.split()[0] for line in self.assert_exit(0, self.rackproof("list")).out.splitlines()]

    def test_every_check_has_a_page_and_every_page_a_check(self):
        expected = {self.page_of(check) for check in self.checks()}
        self.assertEqual({page.name for page in expected}, {page.name for page in MEASURING.glob("*.md")})

    def test_a_page_names_every_metric_and_parameter_of_its_check(self):
        for check in self.checks():
            with self.subTest(check):
                told = names_told(self.page_of(check).read_text())
                self.assertIn(check, told | {self.page_of(check).stem})
                if check in CANNOT_BE_EXPLAINED:
                    continue
                explained = self.assert_exit(0, self.rackproof("explain", check)).out
                declared = self.names(explained, "Metrics") | self.names(explained, "Parameters")
                self.assertTrue(declared)
                self.assertEqual(set(), declared - told, "not named on its page")

    @staticmethod
    def names(explained, heading):
        section = re.search(rf"\n{heading}\n(.*?)(?:\n\n|\Z)", explained, flags=re.S)
        return set(re.findall(r"(?m)^  (\w+) ", section.group(1))) if section else set()

    def test_a_page_says_how_what_by_hand_and_what_it_does_not_see(self):
        for page in MEASURING.glob("*.md"):
            headings = re.findall(r"(?m)^## (.+)$", page.read_text())
            for part in ("measure", "How", "hand", "not"):
                self.assertTrue(any(part in heading for heading in headings), f"{page.name}: {part}: {headings}")


class Links(support.TestCase):
    def test_every_relative_link_leads_somewhere(self):
        followed = 0
        for page in pages():
            for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
                if re.match(r"[a-z]+:", target):
                    continue
                followed += 1
                file, _, fragment = target.partition("#")
                other = (page.parent / file).resolve() if file else page
                with self.subTest(page.name, target=target):
                    self.assertTrue(other.exists(), f"{other} is missing")
                    if fragment:
                        headings = re.findall(r"(?m)^#+ (.+)$", prose(other))
                        self.assertIn(fragment, [anchor(heading) for heading in headings])
        self.assertGreater(followed, 10)

    def test_every_page_can_be_reached_from_the_first(self):
        reached, to_read = set(), [SOURCE / "README.md"]
        while to_read:
            page = to_read.pop()
            if page in reached or page.suffix != ".md" or not page.exists():
                continue
            reached.add(page)
            targets = re.findall(r"\]\(([^)\s:]+)\)", prose(page))
            to_read += [(page.parent / target.partition("#")[0]).resolve() for target in targets]
        self.assertEqual([], [page.name for page in pages() if page not in reached])

    def test_every_file_of_ours_that_is_named_exists(self):
        named = 0
        for page in pages():
            folders = "recipes|docs|tests|scripts|checks|graphs|runner"
            for path in re.findall(rf"`((?:{folders})/[\w./*{{}},-]+)`", page.read_text()):
                named += 1
                with self.subTest(page.name, path=path):
                    alternatives = re.sub(r"\{[^}]*\}", "*", path).rstrip("/")
                    self.assertTrue(list(SOURCE.glob(alternatives)) or list(SOURCE.glob(alternatives + ".*")))
        self.assertGreater(named, 5)

    def test_every_script_that_is_called_can_be_called(self):
        for page in pages():
            for script in re.findall(r"(?m)^[$#] (scripts/[\w.-]+)", page.read_text()):
                path = pathlib.Path(SOURCE / script)
                self.assertTrue(path.exists() and os.access(path, os.X_OK), f"{page.name}: {script}")


if __name__ == "__main__":
    support.main()
