"""The oldest runtimes that files are to run on, as a user names them: `tflite>=2.5,onnxruntime>=1.12`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from resnet_edge.core.errors import UsageError
from resnet_edge.core.minimum import release_key

RUNTIMES = {
    "tflite": ("TensorFlow Lite", "tflite"),
    "litert": ("LiteRT", "tflite"),
    "tflite_micro": ("TFLite Micro", "tflite"),
    "onnxruntime": ("ONNX Runtime", "onnx"),
    "opencv": ("OpenCV", "onnx"),
}
"""By the name of an option: what `compatibility` calls it, and the format that it opens."""
BY_DAY = "tflite_micro"
"""It has no releases: a year, a month or a day stands for one."""
_DAY = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_RELEASE = re.compile(r"\d{1,4}(\.\d{1,4}){0,2}")
_FLOOR = re.compile(r"(\w+)\s*>=\s*(\S+)")


@dataclass(frozen=True, kw_only=True)
class RuntimeFloor:
    """Files are to run on the runtime `name` from `version` on."""

    name: str
    version: str

    @property
    def runtime(self) -> str:
        """What core.minimum.RuntimeMinimum calls it."""
        return RUNTIMES[self.name][0]

    @property
    def format(self) -> str:
        """The format that it opens."""
        return RUNTIMES[self.name][1]

    def holds(self, minimum: str) -> bool:
        """Whether a file that needs `minimum` runs on it."""
        return release_of(self.name, minimum) <= release_of(self.name, self.version)

    def __str__(self) -> str:
        return f"{self.name}>={self.version}"


def release_of(name: str, version: str) -> tuple[int, ...]:
    """To compare versions of a runtime by; the first day of a year or a month stands for it. Raises
    ValueError where it is none."""
    parts = release_key(version.replace("-", ".") if name == BY_DAY else version)
    return (*parts, *(1,) * (3 - len(parts))) if name == BY_DAY else parts


def floors(text: str) -> tuple[RuntimeFloor, ...]:
    """What the text of an option names. Raises UsageError."""
    by_name: dict[str, RuntimeFloor] = {}
    for word in text.split(","):
        match = _FLOOR.fullmatch(word.strip())
        if match is None:
            raise UsageError(f"{word.strip()!r} names no oldest runtime: write it as tflite>=2.5")
        name, version = match.groups()
        if name not in RUNTIMES:
            raise UsageError(f"no runtime is called {name!r}; choose from: {', '.join(RUNTIMES)}")
        if not (_DAY if name == BY_DAY else _RELEASE).fullmatch(version):
            example = "2024 or 2024-07-02" if name == BY_DAY else "2.5 or 2.5.1"
            raise UsageError(f"{version!r} is no version of {name}: write it as {example}")
        if name in by_name:
            raise UsageError(f"{name} is named twice: name the oldest")
        by_name[name] = RuntimeFloor(name=name, version=version)
    return tuple(by_name.values())
