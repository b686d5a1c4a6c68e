"""A compiler of Kotlin 2 for the tests, and the Java classes of ONNX Runtime, in an environment of their own.

Debian 12 has Kotlin 1.3. The Jupyter kernel for Kotlin is a package of 80 MB that brings a whole compiler,
the standard library and kotlinx.serialization as jars; nothing of Jupyter is used. ONNX Runtime's library for
Android is in a package of npm for Unity (150 MB), of which 140 kB stay.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.core.errors import MissingDependency
from resnet_edge.workers.own_environment import OwnEnvironment

ENVIRONMENT = OwnEnvironment(
    name="kotlin",
    title="Kotlin",
    distribution="kotlin-jupyter-kernel",
    variable="RESNET_EDGE_KOTLIN",
    requirements="kotlin-jupyter-kernel==0.19.0.944",
)
ORT_PACKAGE, ORT_AAR = "com.github.asus4.onnxruntime@0.4.9", "package/Plugins/Android/onnxruntime.aar"
"""ONNX Runtime 1.29.0."""
COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
OPTIONS = ("-no-stdlib", "-no-reflect", "-jvm-target", "17")


def ort_classes() -> Path:
    """Where the Java classes of ONNX Runtime are, if they are there."""
    return ENVIRONMENT.folder / "onnxruntime-classes.jar"


def install_command() -> str:
    """How to make it all, as one line for a shell."""
    folder, jar = ENVIRONMENT.folder, ort_classes().name
    return (
        f"{ENVIRONMENT.install_command()} --quiet && cd '{folder}' && "
        f'tar -xzf "$(npm pack --silent {ORT_PACKAGE})" {ORT_AAR} && '
        f"bin/python -c \"import zipfile; open('{jar}', 'wb').write("
        f"zipfile.ZipFile('{ORT_AAR}').read('classes.jar'))\" && rm -rf package *.tgz"
    )


class Kotlin:
    """The compiler, and a Java that runs it and what comes out."""

    def __init__(self) -> None:
        java = shutil.which("java")
        if java is None:
            pytest.skip("java is not installed")
        try:
            ENVIRONMENT.require("the tests of Kotlin")
        except MissingDependency:
            pytest.skip(f"the compiler of Kotlin is not installed: {install_command()}")
        self.java = java
        self.jars = sorted(ENVIRONMENT.folder.glob("lib/python*/site-packages/run_kotlin_kernel/jars/*.jar"))

    def _jars(self, *stems: str) -> list[str]:
        return [str(jar) for jar in self.jars if jar.name.startswith(stems)]

    def compile(self, sources: list[Path], out: Path, *classes: Path, strict: bool = True) -> tuple[int, str]:
        """Compile Kotlin into a folder, warnings being errors where `strict`; Java among the sources is only
        looked into. Exit code, messages."""
        tool = self._jars("kotlin-jupyter-kernel", "kotlin-stdlib", "kotlin-reflect", "kotlin-script-runtime")
        classpath = os.pathsep.join([*self._libraries(), *map(str, classes)])
        files = [*map(str, sources), "-classpath", classpath, "-d", str(out)]
        options = (*OPTIONS, "-Werror") if strict else OPTIONS
        return self._run("-cp", os.pathsep.join(tool), COMPILER, *options, *files)

    def run(self, folder: Path, main: str, *words: str) -> tuple[int, str]:
        """Run a main class out of a folder. Exit code, what it said."""
        return self._run("-cp", os.pathsep.join([str(folder), *self._libraries()]), main, *words)

    def _libraries(self) -> list[str]:
        return self._jars("kotlin-stdlib", "kotlinx-serialization")

    def _run(self, *words: str) -> tuple[int, str]:
        # Class data sharing and one compiler tier: half the time of a short run.
        command = [self.java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(install_command() + "\n")
