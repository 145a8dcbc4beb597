"""The simulator's own headers give every constant the value that NVIDIA's headers give it, where those are installed."""

import os
import pathlib
import re
import subprocess
import unittest

import support
from support import SOURCE

OURS = SOURCE / "tests" / "simulator" / "include"
THEIRS = [pathlib.Path(place) for place in (os.environ.get("CUDA_HOME", "/usr/local/cuda") + "/include", "/usr/include")]
CXX = os.environ.get("RACKPROOF_CXX", "g++")
# The version of a library is its own.
VERSION = re.compile(r"_(MAJOR|MINOR|PATCH|SUFFIX|VERSION|VERSION_CODE)$")
# Types that cross the border by value or lie in memory.
SIZES = {"cuda_runtime.h": ["dim3", "uint3", "uint4", "ulonglong2", "double2", "float4", "cudaStream_t", "cudaEvent_t"]}


def constants(header):
    """Enumerators with a value, and macros that are a number."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", (OURS / header).read_text(), flags=re.S)
    enumerators = [
        name
        for body in re.findall(r"\benum\b[^{;()]*\{([^}]*)\}", text)
        for name in re.findall(r"\b(\w+)\s*=", body)
    ]
    macros = re.findall(r"^#define\s+(\w+)\s+\(?-?(?:0x)?[0-9a-fA-F]+\)?\s*$", text, flags=re.M)
    return sorted(name for name in {*enumerators, *macros} if not VERSION.search(name))


class AbiConstants(support.TestCase):
    def printed(self, header, folders):
        lines = [f'  std::printf("{name} %lld\\n", static_cast<long long>({name}));' for name in constants(header)]
        lines += [f'  std::printf("sizeof {name} %zu\\n", sizeof({name}));' for name in SIZES.get(header, [])]
        source = self.write(
            "constants.cpp", f"#include <{header}>\n#include <cstdio>\nint main() {{\n" + "\n".join(lines) + "\n}\n"
        )
        program = self.folder / "constants"
        options = [option for folder in folders for option in ("-isystem", folder)]
        subprocess.run([CXX, "-std=c++17", "-O0", "-w", *options, source, "-o", program], check=True)
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()

    def compare(self, header):
        theirs = [folder for folder in THEIRS if (folder / header).exists()]
        if not theirs:
            self.skipTest(f"NVIDIA's {header} is not installed")
        # The folder of the toolkit comes along: its other headers include cuda_runtime.h.
        ours = self.printed(header, [OURS])
        self.assertGreater(len(ours), 3)
        folders = [theirs[0], *(folder for folder in THEIRS[:1] if folder != theirs[0] and folder.exists())]
        self.assertEqual(self.printed(header, [folder for folder in folders if str(folder) != "/usr/include"]), ours)

    def test_cuda_runtime(self):
        self.compare("cuda_runtime.h")

    @unittest.skipUnless((OURS / "cublasLt.h").exists(), "nothing here uses it")
    def test_cublaslt(self):
        self.compare("cublasLt.h")

    @unittest.skipUnless((OURS / "nccl.h").exists(), "nothing here uses it")
    def test_nccl(self):
        self.compare("nccl.h")


if __name__ == "__main__":
    unittest.main()
