#!/usr/bin/env python3
"""Holds the sources and the CMake files to the layers of the design: who may include, link, call and name what.

usage: check_layers.py [FOLDER]    prints "file:line: rule" for each breach and exits 1 when there is any
"""

import pathlib
import re
import sys

SOURCES = {".cpp", ".h", ".hpp", ".c", ".cc", ".cu", ".cuh"}
OURS = ("checks", "graphs", "runner", "tests")
VENDOR = re.compile(
    r"(cuda|cublas|cufft|cupti|nvml|nccl|nvshmem|hip/|rocm_smi|ze_api|hwloc|infiniband/|rdma/|numa|pci/|mpi\.h|pmix"
    r"|uc[pstm]/)"
)
PROCESSES = re.compile(
    r"(?<![\w.>])(?:::)?(fork|vfork|clone3?|posix_spawnp?|exec[lv]p?e?|fexecve|waitpid|waitid|wait[34]|kill|killpg"
    r"|pidfd_send_signal)\s*\("
)
SHELL = re.compile(r"(?<![\w.>])(?:std)?(?:::)?(system|popen)\s*\(")
# What opens and closes a scope, and which of them are named ones. A type that is only declared, or defined as a part of
# another one (Outer::Inner), is no name of its own.
SCOPES = re.compile(
    r"\bnamespace\b(?P<namespace>[\s\w:]*?)\s*{"
    r"|\b(?P<type>struct|class|union|enum(?:\s+class|\s+struct)?)\s+(?:alignas\([^)]*\)\s*)?(?P<name>\w+)(?:\s+final)?"
    r"\s*(?::(?!:)[^;{}()]*)?{"
    r"|{|(?P<closes>})"
)
LOADS = re.compile(r"(?<![\w.>])(?:::)?(dlm?open)\s*\(")

# A driver's library is opened at run time where there is no header to build against, so that the check exists everywhere.
LOADERS = ("runner/check_host.cpp", "checks/gpu/nvml.cpp")
COMMAND_LINE = "runner/main.cpp"
# The guard in check_host.cpp ends the process groups that a dead runner left.
STARTERS = {"runner/child.cpp": None, "checks/api/tool.cpp": None, "runner/check_host.cpp": {"kill"}}
# What these misbehave with is what they are for.
MISBEHAVING = "checks/selftest/"

# Targets of ours that each target may link; patterns, first match counts.
LINKS = (
    ("rackproof_api", ()),
    ("rackproof_graphs", ("rackproof_api",)),
    ("rackproof_runner", ("rackproof_graphs",)),
    ("rackproof", ("rackproof_runner",)),
    ("rackproof-check", ("rackproof_api",)),
    ("rackproof-cards", ("rackproof_api",)),
    ("parts_*", ("rackproof_api",)),
    ("check_*", ("rackproof_api", "parts_*")),
    ("${*", ("rackproof_api", "parts_*", "${CHECK_PARTS}")),  # inside the functions that add checks and their parts
)
FLAGS_ONLY = {"rackproof_warnings"}

# The folders whose parts others build on: what CUDA and NVML are asked stands in checks/gpu once.
SHARED_FOLDERS = {"gpu": ("fabric", "nccl", "pcie")}
KEYWORDS = {"PUBLIC", "PRIVATE", "INTERFACE"}


def without_comments(text, keep_strings):
    """The same text with every comment (and string, unless kept) blanked out, newlines left where they were."""

    def blank(match):
        token = match.group(0)
        if token[0] == '"' and keep_strings:
            return token
        return re.sub(r"[^\n]", " ", token)

    return re.sub(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'""", blank, text, flags=re.S)


def lines_matching(pattern, text):
    for number, line in enumerate(text.split("\n"), 1):
        for match in pattern.finditer(line):
            yield number, match


def usable_folders(folder):
    """The folders below checks/ whose parts a check in `folder` may use."""
    return [folder, *(shared for shared, users in SHARED_FOLDERS.items() if folder in users)]


def may_include(path, included):
    """Whether a file of ours may include another, both as paths from the root."""
    layer, other = path.split("/")[0], included.split("/")[0]
    if layer == "tests":
        return True
    if included.startswith("checks/api/"):
        return True
    if layer == "checks":
        folder = path.split("/")[1] if path.count("/") > 1 else "api"
        return folder != "api" and any(included.startswith(f"checks/{name}/") for name in usable_folders(folder))
    if layer == "graphs":
        return other == "graphs"
    return other in ("graphs", "runner")


def include_breaches(path, text):
    directive = re.compile(r'^\s*#\s*include\s*(?:[<"]([^>"]+)[>"]|(\w+))')
    for number, match in lines_matching(directive, without_comments(text, keep_strings=True)):
        included, computed = match.groups()
        if computed:
            yield number, f"includes by way of the macro {computed}, so nobody can tell what"
        elif VENDOR.match(included):
            if not re.match(r"checks/(?!api/)[^/]+/", path) and not path.startswith("tests/"):
                yield number, f"includes the vendor header {included}, which belongs into a check"
        elif included.split("/")[0] in OURS:
            if not may_include(path, included):
                yield number, f"includes {included}, against the direction of the layers"
        elif included.startswith("CLI/"):
            if path != COMMAND_LINE:
                yield number, f"includes {included}; the command line is read in {COMMAND_LINE} alone"
        elif f'"{included}"' in match.group(0):
            yield number, f'includes "{included}", which is not written from the root of the sources'


def call_breaches(path, text):
    code = without_comments(text, keep_strings=False)
    if path.startswith(("tests/", MISBEHAVING)):
        return
    for number, match in lines_matching(LOADS, code):
        if path not in LOADERS:
            yield number, f"calls {match.group(1)}; libraries are opened in {', '.join(LOADERS)} alone"
    for number, match in lines_matching(SHELL, code):
        yield number, f"calls {match.group(1)}, which starts a shell"
    for number, match in lines_matching(PROCESSES, code):
        allowed = STARTERS.get(path, set())
        if allowed is not None and match.group(1) not in allowed:
            yield number, f"calls {match.group(1)}; processes are started, awaited and ended in " + ", ".join(
                name for name, calls in STARTERS.items() if calls is None
            )


def cmake_commands(text):
    """(line, command, arguments) of each call in a CMake file."""
    bare = re.sub(r"#[^\n]*", "", text)
    for match in re.finditer(r"^[ \t]*(\w+)[ \t]*\(([^()]*)\)", bare, flags=re.M):
        yield bare.count("\n", 0, match.start()) + 1, match.group(1), match.group(2).replace('"', " ").split()


def fits(pattern, name):
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def is_ours(name):
    return name.startswith(("rackproof", "parts_", "check_")) and name not in FLAGS_ONLY


def link_breaches(text):
    for number, command, words in cmake_commands(text):
        if command == "target_link_libraries":
            yield from target_breaches(number, words[0], [word for word in words[1:] if word not in KEYWORDS])
        elif command == "rackproof_add_check":
            yield from check_breaches(number, words)


def target_breaches(number, target, linked):
    allowed = next((allowed for pattern, allowed in LINKS if fits(pattern, target)), None)
    if allowed is None:
        return
    for name in linked:
        if is_ours(name) and not any(fits(pattern, name) for pattern in allowed):
            yield number, f"{target} links {name}, against the direction of the layers"
        elif name.startswith("CLI11") and target != "rackproof":
            yield number, f"{target} links {name}; only rackproof reads a command line"
        elif target == "rackproof-check" and not is_ours(name) and name not in FLAGS_ONLY | {"${CMAKE_DL_LIBS}"}:
            yield number, f"rackproof-check links {name}, which would be in every measured process"


def allowed_parts(folders):
    usable = {name for folder in folders for name in usable_folders(folder)}
    return {f"parts_{name}" for name in usable} | ({"parts_cuda"} if "gpu" in usable else set())


def check_breaches(number, words):
    section, folders = "", set()
    for word in words[1:]:
        if word in ("SOURCES", "PARTS", "DECLARATION", "NEEDS"):
            section = word
        elif section in ("SOURCES", "DECLARATION"):
            folders.add(word.split("/")[0])
        elif section == "NEEDS" and is_ours(word):
            yield number, f"{words[0]} needs {word}, which is ours and no vendor's"
        elif section == "PARTS" and word not in allowed_parts(folders):
            yield number, f"{words[0]} links {word}, which is not of its own folder"
    if len(folders) > 1:
        yield number, f"{words[0]} is built from more than one folder: {', '.join(sorted(folders))}"


def breaches(root):
    texts = []
    for layer in OURS:
        for file in sorted((root / layer).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.suffix in SOURCES:
                text = file.read_text(errors="replace")
                found = [*include_breaches(path, text), *call_breaches(path, text)]
                texts.append((path, text))
            elif file.suffix == ".cmake" or file.name == "CMakeLists.txt":
                found = list(link_breaches(file.read_text()))
            else:
                continue
            for number, rule in sorted(found):
                yield f"{path}:{number}: {rule}"
    yield from type_breaches(texts)


def types_defined(text):
    """(line, name) of each type that the text defines in namespace rackproof itself, where every file could meet it."""
    code = without_comments(text, keep_strings=False)
    scopes = []
    for match in SCOPES.finditer(code):
        kind, name = match["type"], match["name"]
        if kind and scopes == ["rackproof"]:
            yield code.count("\n", 0, match.start()) + 1, name
        if match["closes"]:
            del scopes[-1:]
        else:
            scopes.append(match["namespace"].strip() if match["namespace"] is not None else "{")


def type_breaches(texts):
    """Two types of one name are one type to the linker, which keeps either one's functions for both."""
    first = {}
    for path, text in texts:
        for number, name in types_defined(text):
            if name in first:
                yield f"{path}:{number}: defines {name}, as {first[name]} does; a name is one type in all of rackproof"
            else:
                first[name] = f"{path}:{number}"


def main(arguments):
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[1]
    found = list(breaches(root))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
