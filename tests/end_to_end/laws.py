"""Holds the laws of the design on the built programs: direction of the layers, no "passed", no evidence no pass."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import support
from support import CHECKS, RACKPROOF, RACKPROOF_CHECK, RIGHT, SOURCE

CHECK_LAYERS = SOURCE / "scripts" / "check_layers.py"
VENDORS = re.compile(r"cuda|nvidia|nccl|libuc[pstm]|hwloc|ibverbs|libmpi|pmix|libnuma|libze_|rocm", re.I)
# Of a sanitized build also the sanitizers' own.
RUNTIME = re.compile(r"lib(c|m|dl|pthread|stdc\+\+|gcc_s|asan|ubsan)\.so\.\d+|ld-linux.*\.so\.\d+")

# One file of each kind of breach, and what must be said of it.
BREACHES = (
    ("checks/pcie/link.cpp", '#include "checks/host/counters.h"', "checks/host/counters.h, against the direction"),
    ("checks/pcie/a.cpp", '#include "graphs/limit.h"', "graphs/limit.h, against the direction"),
    ("checks/pcie/b.cpp", "#include <runner/child.h>", "runner/child.h, against the direction"),
    ("checks/api/check.cpp", '#include "checks/pcie/link.h"', "checks/pcie/link.h, against the direction"),
    ("checks/api/gpu.h", "#include <cuda_runtime.h>", "vendor header cuda_runtime.h"),
    ("checks/unavailable.cpp", "#include <hwloc.h>", "vendor header hwloc.h"),
    ("graphs/judge.cpp", '#include "runner/plan.h"', "runner/plan.h, against the direction"),
    ("graphs/fold.cpp", '#include "checks/pcie/link.h"', "checks/pcie/link.h, against the direction"),
    ("graphs/topology.cpp", "#include <hwloc/helper.h>", "vendor header hwloc/helper.h"),
    ("runner/plan.cpp", '#include "checks/pcie/link.h"', "checks/pcie/link.h, against the direction"),
    ("runner/ranks.cpp", "#include <infiniband/verbs.h>", "vendor header infiniband/verbs.h"),
    ("runner/nccl.cpp", "#include <nccl.h>", "vendor header nccl.h"),
    ("runner/nvml.cpp", "#include <nvml.h>", "vendor header nvml.h"),
    ("runner/ucx.cpp", "#include <ucp/api/ucp.h>", "vendor header ucp/api/ucp.h"),
    ("runner/recipe.cpp", "#include <CLI/CLI.hpp>", "CLI/CLI.hpp; the command line"),
    ("runner/near.cpp", '#include "plan.h"', "not written from the root"),
    ("runner/up.cpp", '#include "../checks/pcie/link.h"', "not written from the root"),
    ("runner/macro.cpp", "#include HEADER", "by way of the macro HEADER"),
    ("runner/load.cpp", "void* f() { return ::dlopen(name, 1); }", "calls dlopen"),
    ("checks/gpu/health.cpp", "void* f() { return ::dlopen(name, 1); }", "calls dlopen"),
    ("checks/memory/a.cpp", '#include "checks/gpu/nvml.h"', "checks/gpu/nvml.h, against the direction"),
    ("checks/gpu/a.cpp", '#include "checks/pcie/link_ends.h"', "checks/pcie/link_ends.h, against the direction"),
    ("runner/fork.cpp", "int f() { return fork(); }", "calls fork"),
    ("runner/spawn.cpp", "int f() { return posix_spawn(&p, a, b, c, d, e); }", "calls posix_spawn"),
    ("runner/wait.cpp", "int f() { return ::waitpid(p, nullptr, 0); }", "calls waitpid"),
    ("runner/wait4.cpp", "int f() { return ::wait4(p, &s, 0, &u); }", "calls wait4"),
    ("graphs/kill.cpp", "int f() { return kill(1, 9); }", "calls kill"),
    ("checks/host/kill.cpp", "int f() { return ::kill(1, 9); }", "calls kill"),
    ("checks/host/shell.cpp", 'int f() { return std::system("true"); }', "calls system, which starts a shell"),
    ("runner/check_host.cpp", "int f() { return ::fork(); }", "calls fork"),
)
LINK_BREACHES = (
    ("target_link_libraries(rackproof_api PUBLIC rackproof_graphs)", "rackproof_api links rackproof_graphs"),
    ("target_link_libraries(rackproof_graphs PUBLIC rackproof_api rackproof_runner)", "links rackproof_runner"),
    ("target_link_libraries(rackproof_runner PRIVATE parts_pcie)", "rackproof_runner links parts_pcie"),
    ("target_link_libraries(rackproof-check PRIVATE rackproof_graphs)", "rackproof-check links rackproof_graphs"),
    ("target_link_libraries(rackproof-check PRIVATE fmt::fmt)", "in every measured process"),
    ("target_link_libraries(rackproof_graphs PUBLIC CLI11::CLI11)", "only rackproof reads a command line"),
    ("target_link_libraries(parts_pcie PUBLIC rackproof_runner)", "parts_pcie links rackproof_runner"),
    ("target_link_libraries(check_pcie_link PRIVATE rackproof_graphs)", "check_pcie_link links rackproof_graphs"),
    ("rackproof_add_check(pcie.link SOURCES pcie/link.cpp PARTS parts_host)", "parts_host, which is not of its own"),
    ("rackproof_add_check(memory.a SOURCES memory/a.cpp PARTS parts_gpu)", "parts_gpu, which is not of its own"),
    ("rackproof_add_check(gpu.a SOURCES gpu/a.cpp PARTS parts_pcie)", "parts_pcie, which is not of its own"),
    ("rackproof_add_check(pcie.link SOURCES pcie/link.cpp NEEDS rackproof_graphs)", "rackproof_graphs, which is ours"),
    ("rackproof_add_check(pcie.link\n  SOURCES pcie/link.cpp host/counters.cpp)", "more than one folder: host, pcie"),
)
ALLOWED = (
    ("checks/pcie/link.cpp", '#include "checks/api/check.h"\n#include "checks/pcie/link.h"\n#include <hwloc.h>\n'),
    ("checks/api/tool.cpp", "int f() { return ::kill(1, 9); }"),
    ("checks/gpu/nvml.cpp", '#include "checks/gpu/nvml.h"\nvoid* f() { return ::dlopen(name, 1); }'),
    ("checks/nccl/allreduce.cpp", '#include "checks/gpu/nvml.h"\n#include <nccl.h>\n'),
    ("checks/pcie/bandwidth.cpp", '#include "checks/gpu/cuda_error.h"\n'),
    ("checks/selftest/fork.cpp", "int f() { return ::fork(); }"),
    ("graphs/judge.cpp", '#include "graphs/limit.h"\n#include "checks/api/units.h"\n// fork() dlopen() kill()\n'),
    ("runner/check_host.cpp", "int f() { ::kill(1, 9); return ::dlopen(n, 1) == nullptr; }"),
    ("runner/child.cpp", "int f() { ::wait4(a, b, c, d); return ::kill(1, 9); }"),
    ("runner/plan.cpp", '#include "graphs/limit.h"\nint g = launcher_.kill(1); const char* t = "fork( \\" kill(";\n'),
    ("runner/main.cpp", "#include <CLI/CLI.hpp>"),
    ("checks/pcie/lane.h", "namespace rackproof {\nstruct Lane { struct End {}; };\nstruct Lane::Near {};\n}\n"),
    ("checks/pcie/end.cpp", "namespace rackproof {\nnamespace {\nclass Lane {};\n}\nstruct Lane;\n}\n// Lane {\n"),
    ("tests/simulator/lane.h", "namespace rackproof::simulator {\nclass Lane : public End {};\nstruct End {};\n}\n"),
    ("tests/unit/a.cpp", '#include "runner/plan.h"\nint f() { return ::fork(); }'),
    (
        "checks/CMakeLists.txt",
        "# target_link_libraries(rackproof_api PUBLIC rackproof_graphs)\n"
        "rackproof_add_check(pcie.bandwidth SOURCES pcie/bandwidth.cpp PARTS parts_cuda parts_gpu parts_pcie)\n",
    ),
)


class Layers(support.TestCase):
    def check_layers(self, folder):
        done = subprocess.run([sys.executable, CHECK_LAYERS, folder], capture_output=True, text=True, timeout=60)
        self.assertEqual("", done.stderr)
        return done.returncode, done.stdout

    def test_the_sources_keep_to_the_layers(self):
        self.assertEqual((0, ""), self.check_layers(SOURCE))

    def test_each_breach_in_a_source_file_is_reported_at_its_line(self):
        for path, line, rule in BREACHES:
            with self.subTest(path):
                root = self.folder / path.replace("/", "-")
                self.write(root / path, "// first\n" + line + "\n")
                code, out = self.check_layers(root)
                self.assertEqual(1, code)
                self.assertEqual(1, out.count("\n"), out)
                self.assertTrue(out.startswith(f"{path}:2: "), out)
                self.assertIn(rule, out)

    def test_each_breach_in_a_cmake_file_is_reported_at_its_line(self):
        for number, (line, rule) in enumerate(LINK_BREACHES):
            for file in ("checks/CMakeLists.txt", "checks/pcie/checks.cmake"):
                with self.subTest(line, file=file):
                    root = self.folder / f"{number}-{pathlib.Path(file).name}"
                    self.write(root / file, "# first\n" + line + "\n")
                    code, out = self.check_layers(root)
                    self.assertEqual(1, code)
                    self.assertTrue(out.startswith(f"{file}:2: "), out)
                    self.assertIn(rule, out)

    def test_a_second_type_of_one_name_is_reported_and_so_is_the_place_of_the_first(self):
        self.write("graphs/style.h", "namespace rackproof {\n\nstruct Place final : Point {\n};\n\n}\n")
        for second in ("struct Place {", "enum class Place : char {", "class alignas(8) Place {"):
            with self.subTest(second):
                self.write("runner/plan.cpp", f"namespace rackproof {{\nint f() {{ return 1; }}\n{second} a }};\n}}\n")
                code, out = self.check_layers(self.folder)
                self.assertEqual(1, code)
                self.assertTrue(out.startswith("runner/plan.cpp:3: defines Place, as graphs/style.h:3 does"), out)

    def test_what_is_allowed_is_not_reported(self):
        for path, text in ALLOWED:
            self.write(path, text)
        self.assertEqual((0, ""), self.check_layers(self.folder))


class Binaries(support.TestCase):
    def libraries(self):
        found = sorted(CHECKS.glob("*.so"))
        self.assertGreater(len(found), 25)
        return found

    def needed(self, binary):
        text = subprocess.run(["readelf", "-dW", binary], capture_output=True, text=True, check=True).stdout
        found = re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", text)
        self.assertIn("libc.so.6", found)
        return found

    def symbols(self, binary, which):
        text = subprocess.run(["nm", "-D", which, binary], capture_output=True, text=True, check=True).stdout
        return [line.split()[-1] for line in text.splitlines()]

    def test_a_check_library_exports_one_symbol(self):
        for library in self.libraries():
            with self.subTest(library.name):
                self.assertEqual(["rackproof_check_entry"], self.symbols(library, "--defined-only"))

    def test_the_runner_is_linked_to_no_vendor_code(self):
        for library in self.needed(RACKPROOF):
            self.assertIsNone(VENDORS.search(library), library)

    def test_the_program_that_runs_checks_is_linked_to_the_language_runtime_alone(self):
        for library in self.needed(RACKPROOF_CHECK):
            self.assertIsNotNone(RUNTIME.fullmatch(library), library)

    def test_the_runner_opens_no_library_that_dlopen_could_load(self):
        imported = {name.partition("@")[0] for name in self.symbols(RACKPROOF, "--undefined-only")}
        self.assertIn("posix_spawn", imported)
        self.assertNotIn("dlopen", imported)

    def test_a_check_is_loaded_in_its_own_process_and_never_in_the_runner(self):
        recipe = self.recipe(f"check: selftest.hang, {RIGHT}, timeout: 10 min")
        runner = self.start("run", recipe, "--output", self.folder / "run")
        self.addCleanup(runner.kill)
        in_check = self.wait_for_check_maps("selftest.hang.so")
        in_runner = pathlib.Path(f"/proc/{runner.pid}/maps").read_text()
        runner.send_signal(signal.SIGTERM)
        self.end_of(runner)
        self.assertIn("selftest.hang.so", in_check)
        self.assertIn(os.path.realpath(RACKPROOF), in_runner)
        self.assertNotIn(str(CHECKS), in_runner)
        self.assertNotIn("selftest", in_runner)
        self.assertIsNone(VENDORS.search(in_runner), in_runner)
        self.assertNotIn(os.path.realpath(RACKPROOF) + "\n", in_check)

    def wait_for_check_maps(self, library):
        deadline = time.monotonic() + support.PATIENCE
        while time.monotonic() < deadline:
            for pid, command in support.marked(self.mark).items():
                if "--describe" in command:  # before the run
                    continue
                try:
                    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
                except OSError:
                    continue
                if library in maps:
                    return maps
            time.sleep(0.01)
        self.fail(f"no process ever loaded {library}")


class Words(support.TestCase):
    def test_the_vocabulary_of_checks_has_no_word_for_passed(self):
        header = (SOURCE / "checks" / "api" / "report.h").read_text()
        words = re.search(r"using Report = std::variant<([^>]*)>", header).group(1).replace(" ", "").split(",")
        self.assertEqual(
            ["Device", "Link", "Measurement", "Fault", "Note", "Simulated", "Done", "Skipped", "Troubled"], words
        )
        for name in ("report.h", "report.cpp", "check.h", "check.cpp", "abi.h"):
            code = re.sub(r"//[^\n]*|/\*.*?\*/", "", (SOURCE / "checks" / "api" / name).read_text(), flags=re.S)
            self.assertNotRegex(code, re.compile(r"pass(ed)?\b|success|\bok\b", re.I), name)

    def test_a_check_that_says_passed_is_in_error(self):
        answer = '{"report":"measurement","metric":"answer","value":42,"unit":"count"}\n'
        for word in ("passed", "pass", "ok", "PASS", "verdict", "trial_judged"):
            with self.subTest(word):
                said = self.write(f"{word}.jsonl", answer + f'{{"report":"{word}"}}\n' + '{"report":"done"}\n')
                recipe = self.recipe(f"id: step, check: test.recite, with: {{ file: {said} }}, {RIGHT}")
                run = self.run_recipe(recipe, "--checks", self.checks_with_recite(), code=3, folder=f"run-{word}")
                outcome, reason = support.verdicts(run)["step"]
                self.assertEqual("error", outcome)
                self.assertIn(f"there is no report '{word}'", reason)

    def test_the_same_check_without_that_word_passes(self):
        said = self.write(
            "said.jsonl",
            '{"report":"measurement","metric":"answer","value":42,"unit":"count"}\n{"report":"done"}\n',
        )
        recipe = self.recipe(f"id: step, check: test.recite, with: {{ file: {said} }}, {RIGHT}")
        run = self.run_recipe(recipe, "--checks", self.checks_with_recite())
        self.assertEqual({"step": "pass"}, support.outcomes(run))


class Evidence(support.TestCase):
    def test_a_step_that_expects_nothing_never_passes(self):
        run = self.run_recipe(
            self.recipe(
                "id: nothing, check: selftest.pass",
                "id: preferred, check: selftest.pass, prefer: [ answer == 42 ]",
                "id: missed, check: selftest.pass, prefer: [ answer == 41 ]",
                f"id: expected, check: selftest.pass, {RIGHT}",
            )
        )
        self.assertEqual(
            {"nothing": "info", "preferred": "info", "missed": "warn", "expected": "pass"}, support.outcomes(run)
        )

    def test_without_evidence_nothing_passes(self):
        run = self.run_recipe(
            self.recipe(
                f"id: silent, check: selftest.silent, {RIGHT}",
                f"id: other, check: selftest.unknown-metric, {RIGHT}",
                f"id: crashed, check: selftest.crash, {RIGHT}",
                f"id: hung, check: selftest.hang, {RIGHT}, timeout: 200 ms",
                "id: unit, check: selftest.wrong-unit, expect: [ rate >= 1 GB/s ]",
                "id: silent-unasked, check: selftest.silent",
                "id: crashed-unasked, check: selftest.crash",
            ),
            code=3,
        )
        self.assertEqual({"error"}, set(support.outcomes(run).values()))

    def test_simulated_evidence_is_said_everywhere(self):
        self.write("tree/proc/uptime", "4242.17 8021.00\n")
        recipe = self.recipe('id: ticks, check: selftest.counter, expect: [ "ticks <= 424217" ]')
        shown = self.assert_exit(
            0, self.rackproof("run", recipe, "--output", self.folder / "run", "--sysroot", self.folder / "tree")
        )
        self.assertEqual({"ticks": "pass"}, support.outcomes(self.folder / "run"))
        self.assert_says_simulated(self.folder / "run", shown.out)

    def test_simulated_evidence_is_said_of_a_check_that_says_nothing(self):
        self.write("tree/proc/uptime", "4242.17 8021.00\n")
        step = "id: watched, check: selftest.silent, watch: [ selftest.counter ]"
        recipe = self.recipe(step + ', expect: [ "ticks <= 0" ]')
        shown = self.assert_exit(
            3, self.rackproof("run", recipe, "--output", self.folder / "run", "--sysroot", self.folder / "tree")
        )
        self.assert_says_simulated(self.folder / "run", shown.out)

    def assert_says_simulated(self, run, printed):
        self.assertIn("SIMULATED", printed)
        self.assertIn("SIMULATED", self.rackproof("show", run).out)
        reported = [event["says"]["report"] for event in support.events(run) if event["event"] == "reported"]
        self.assertIn("simulated", reported)
        for form in ("graphml", "yed", "json", "dot"):
            text = self.assert_exit(0, self.rackproof("export", run, "--format", form)).out
            self.assertRegex(text, re.compile("simulated", re.I), form)
            self.assertIn(str(self.folder / "tree"), text, form)

    def test_evidence_of_this_machine_is_not_called_simulated(self):
        run = self.run_recipe(self.recipe("id: ticks, check: selftest.counter"))
        self.assertNotIn("SIMULATED", self.rackproof("show", run).out)
        for form in ("graphml", "yed", "json", "dot"):
            self.assertNotRegex(self.rackproof("export", run, "--format", form).out, re.compile("simulated", re.I))


if __name__ == "__main__":
    support.main()
