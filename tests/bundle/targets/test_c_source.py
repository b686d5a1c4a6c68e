"""Models as arrays in C: compiled, linked and run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from resnet_edge.bundle.targets._c_source import METHODS, c_files
from resnet_edge.core.errors import ArtifactError

CONTENT = bytes(range(256)) * 3 + b"\0"
OPERATORS = ("CONV_2D", "MEAN", "CONV_2D", "PADV2", "FULLY_CONNECTED", "L2_NORMALIZATION", "RELU6")
WARNINGS = ("-pedantic", "-Wall", "-Wextra", "-Werror")
C = """
#include <stdio.h>
#include "net.h"
int main(void) {
  size_t i;
  if (net_size != NET_SIZE || (size_t)net % 16 != 0) return 1;
  for (i = 0; i < net_size; i++) printf("%d ", net[i]);
  return 0;
}
"""
CPP = """
#include <cstdio>
#include "net.h"
struct Resolver {  // as TFLite Micro's, of whose methods each returns kTfLiteOk, 0
  int AddConv2D() { return added("Conv2D"); }
  int AddFullyConnected() { return added("FullyConnected"); }
  int AddL2Normalization() { return added("L2Normalization"); }
  int AddMean() { return added("Mean"); }
  int AddPadV2() { return added("PadV2"); }
  int AddRelu6() { return added("Relu6"); }
  int added(const char* name) { return std::printf("%s ", name) < 0; }
};
int main() {
  Resolver resolver;
  return net_add_operators(resolver) && net_size == 769 && net[255] == 255 ? NET_OPERATORS : 100;
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in c_files("net", CONTENT, OPERATORS).items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "main.c").write_text(C)
    (tmp_path / "main.cpp").write_text(CPP)
    return tmp_path


def built(folder: Path, compiler: str, *words: str) -> Path:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    out = folder / "program"
    command = [compiler, *WARNINGS, *words, "-o", str(out)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return out


@pytest.mark.parametrize("standard", ["c90", "c99", "c11", "c17"])
def test_it_is_plain_c(folder: Path, standard: str) -> None:
    program = built(folder, "gcc", f"-std={standard}", "net.c", "main.c")
    done = subprocess.run([program], capture_output=True, text=True)
    assert (done.returncode, bytes(map(int, done.stdout.split()))) == (0, CONTENT)


@pytest.mark.parametrize("standard", ["c++11", "c++17", "c++20"])
def test_it_links_with_cpp_and_names_every_operator_once(folder: Path, standard: str) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    subprocess.run(["gcc", "-std=c99", "-c", "net.c", "-o", "net.o"], cwd=folder, check=True)
    program = built(folder, "g++", f"-std={standard}", "net.o", "main.cpp")
    done = subprocess.run([program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (6, sorted(set(done.stdout.split())))


def test_it_compiles_as_cpp_too(folder: Path) -> None:
    built(folder, "g++", "-std=c++11", "-x", "c++", "net.c", "main.cpp")


@pytest.mark.parametrize("operator", ["BROADCAST_TO", "CUMSUM", "BATCH_MATMUL", "HARD_SWISH", "SPLIT_V"])
def test_operators_are_spelled_as_tflite_micro_does(operator: str) -> None:
    [method] = [m for m in METHODS.split() if m.lower() == operator.replace("_", "").lower()]
    assert f"resolver.Add{method}() == 0;" in c_files("net", CONTENT, [operator])["net.h"]


def test_an_operator_that_tflite_micro_lacks_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"TFLite Micro has no operator GELU: leave the profile out"):
        c_files("net", CONTENT, ["CONV_2D", "GELU"])


@pytest.mark.parametrize(
    ("name", "symbol"), [("3x-net", "model_3x_net"), ("a.b", "a_b"), ("int", "model_int")]
)
def test_names_that_are_none_in_c(tmp_path: Path, name: str, symbol: str) -> None:
    for path, text in c_files(name, CONTENT, OPERATORS).items():
        (tmp_path / path).write_text(text)
    main = f'#include "{name}.h"\nint main(void) {{ return {symbol}_size == 769 ? {symbol}[3] : 0; }}\n'
    (tmp_path / "main.c").write_text(main)
    assert subprocess.run([built(tmp_path, "gcc", "-std=c99", f"{name}.c", "main.c")]).returncode == 3
