"""What the backends in JavaScript need besides Python packages: packages of npm, Chromium and Node.js.

The packages are where `RESNET_EDGE_NODE_MODULES` says, else in this environment's
share/resnet-edge/node_modules: a user's project folder is left alone.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

from resnet_edge.core.errors import MissingDependency

PACKAGES = {
    "onnxruntime-web": "1.30.0",
    "onnxruntime-node": "1.30.0",
    "@litertjs/core": "2.5.3",
    "@mediapipe/tasks-vision": "1.1.0",  # what npm calls the latest is of 2023
}
"""npm's name: the version that is tested."""

VARIABLE = "RESNET_EDGE_NODE_MODULES"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def node_modules() -> Path:
    """The folder of npm packages, whether it is there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(sys.prefix) / "share/resnet-edge/node_modules"


def require(backend: str, package: str, *files: str, browser: bool = True) -> str:
    """The version of an installed npm package. Raises MissingDependency, also where it lacks one of the
    `files` that the pages load, and where there is no browser for them."""
    folder = node_modules() / package
    lacking = [file for file in ("package.json", *files) if not (folder / file).is_file()]
    if lacking:
        what = "is not installed" if lacking[0] == "package.json" else f"has no {lacking[0]}"
        raise MissingDependency(f"{backend}: the npm package {package} {what}: {install_command()}")
    if browser:
        chromium(backend)
    try:
        return str(json.loads((folder / "package.json").read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingDependency(
            f"{backend}: the npm package {package} is damaged: {install_command()}"
        ) from error


def install_command() -> str:
    """How to install the packages to where they are looked for."""
    folder = node_modules()
    # npm calls the folder node_modules itself; any other name is a link of the user's own.
    prefix = folder.parent if folder.name == "node_modules" else folder
    wanted = " ".join(f"{name}@{version}" for name, version in PACKAGES.items())
    command = f"npm install --ignore-scripts --prefix {shlex.quote(str(prefix))} {wanted}"
    return command if folder.name == "node_modules" else f"{command} and set {VARIABLE} to its node_modules"


def chromium(backend: str) -> str:
    """The path of the browser. Raises MissingDependency."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise MissingDependency(
            f"{backend}: neither {' nor '.join(BROWSERS[:3])} is installed: apt-get install chromium"
        )
    return path


def node(backend: str) -> str:
    """The path of Node.js. Raises MissingDependency."""
    path = shutil.which("node")
    if path is None:
        raise MissingDependency(f"{backend}: node is not installed: apt-get install nodejs")
    return path


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(install_command() + "\n")
