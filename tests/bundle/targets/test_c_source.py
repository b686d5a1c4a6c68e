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
#include "model_net.h"
int main(void) {
  size_t i;
  if (model_net_size != MODEL_NET_SIZE || (size_t)model_net % 16 != 0) return 1;
  for (i = 0; i < model_net_size; i++) printf("%d ", model_net[i]);
  return 0;
}
"""
CPP = """
#include <cstdio>
#include "model_net.h"
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
  const bool added = model_net_add_operators(resolver);
  return added && model_net_size == 769 && model_net[255] == 255 ? MODEL_NET_OPERATORS : 100;
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
    program = built(folder, "gcc", f"-std={standard}", "model_net.c", "main.c")
    done = subprocess.run([program], capture_output=True, text=True)
    assert (done.returncode, bytes(map(int, done.stdout.split()))) == (0, CONTENT)


@pytest.mark.parametrize("standard", ["c++11", "c++17", "c++20"])
def test_it_links_with_cpp_and_names_every_operator_once(folder: Path, standard: str) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    subprocess.run(["gcc", "-std=c99", "-c", "model_net.c", "-o", "model_net.o"], cwd=folder, check=True)
    program = built(folder, "g++", f"-std={standard}", "model_net.o", "main.cpp")
    done = subprocess.run([program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (6, sorted(set(done.stdout.split())))


def test_it_compiles_as_cpp_too(folder: Path) -> None:
    built(folder, "g++", "-std=c++11", "-x", "c++", "model_net.c", "main.cpp")


@pytest.mark.parametrize("operator", ["BROADCAST_TO", "CUMSUM", "BATCH_MATMUL", "HARD_SWISH", "SPLIT_V"])
def test_operators_are_spelled_as_tflite_micro_does(operator: str) -> None:
    [method] = [m for m in METHODS.split() if m.lower() == operator.replace("_", "").lower()]
    assert f"resolver.Add{method}() == 0;" in c_files("net", CONTENT, [operator])["model_net.h"]


def test_an_operator_that_tflite_micro_lacks_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"TFLite Micro has no operator GELU: leave the profile out"):
        c_files("net", CONTENT, ["CONV_2D", "GELU"])


NAMES = (
    *("3x-net", "a.b", "int", "_Bool", "__x", "_"),
    *("main", "time", "errno", "malloc", "y0", "int8_t", "size_t"),
    *("NULL", "EOF", "linux", "__FILE__", "INFINITY"),
)
"""Of which C and its library, and compilers, have their own idea."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_a_model_may_have_any_name(tmp_path: Path, name: str, compiler: str) -> None:
    """Its header stands where that of the system is looked for first."""
    files = c_files(name, CONTENT, OPERATORS)
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    header, source = files
    symbol = header.removesuffix(".h")
    headers = ("errno", "limits", "math", "signal", "stdint", "stdio", "stdlib", "string", "time")
    main = "".join(f"#include <{each}.h>\n" for each in headers) + f'#include "{header}"\n'
    main += f"int main(void) {{ return time(NULL) && {symbol}_size == 769 ? {symbol}[3] : 0; }}\n"
    (tmp_path / "main.c").write_text(main)
    language = ("-x", "c++") if compiler == "g++" else ()
    program = built(tmp_path, compiler, "-I.", *language, source, "main.c")
    assert subprocess.run([program]).returncode == 3
