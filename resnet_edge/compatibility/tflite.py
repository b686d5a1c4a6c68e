"""The oldest TensorFlow Lite and LiteRT for a .tflite file.

A runtime refuses a file whose operators have versions that it does not know. Versions that are too low for
what the operators use are opened, and fail later or, in cases that are known (graph/versions/needed.py),
are computed wrongly: the minimum is of releases that are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from resnet_edge.compatibility.kernels import late_kernel, untold
from resnet_edge.compatibility.micro import IMAGE_AT
from resnet_edge.core.minimum import RuntimeMinimum, release_key
from resnet_edge.graph.versions.needed import TOO_LOW, needed_version
from resnet_edge.graph.versions.operation import CUSTOM, Operation, builtin_name, operations
from resnet_edge.graph.versions.releases import (
    FIRST_LITERT,
    MEASURED,
    litert_with,
    tensorflow_lite_with,
)
from resnet_edge.graph.versions.stamp import MINIMUM

FLEX = "Flex"
"""How names of operators begin that TensorFlow computes, in a library of its own for TensorFlow Lite."""
TENSORFLOW_LITE, LITERT = "TensorFlow Lite", "LiteRT"
FIRST_TENSORFLOW_LITE = "1.5"
ReleaseWith = Callable[[str, int], str | None]


@dataclass(frozen=True, kw_only=True)
class _Demand:
    """A release that a file needs, and why; None: no release is known."""

    release: str | None
    why: str


def minimums(model: Any) -> tuple[RuntimeMinimum, ...]:
    """Of a `schema.ModelT`. Raises whatever a damaged one leads to."""
    unknown, doubt = _outside(model), _doubt(model)
    listed = []
    for runtime, release_with in ((TENSORFLOW_LITE, tensorflow_lite_with), (LITERT, litert_with)):
        if unknown:
            listed.append(RuntimeMinimum(runtime=runtime, state="unknown", version="", why=unknown))
        else:
            listed.append(_of(runtime, list(_demands(model, runtime, release_with)), doubt))
    return tuple(listed)


def understated(model: Any, minimums: tuple[RuntimeMinimum, ...]) -> list[str]:
    """A sentence where the file itself says that an older release will do."""
    said = stated_minimum(model)
    true = next((each for each in minimums if each.runtime == TENSORFLOW_LITE), None)
    if not said or true is None or true.state not in ("known", "at least"):
        return []
    try:
        lower = release_key(said)[:2] < release_key(true.version)
    except ValueError:
        return [f"its metadata names {said!r} as the oldest TensorFlow Lite, which is no release"]
    if not lower:
        return []
    return [f"its metadata says that TensorFlow Lite {said} will do: it takes {true.version} ({true.why})"]


def stated_minimum(model: Any) -> str:
    """The release of TensorFlow Lite that the file's metadata names; empty where it names none."""
    for entry in model.metadata or ():
        known = entry.name in (MINIMUM, MINIMUM.decode()) and entry.buffer < len(model.buffers)
        if known and model.buffers[entry.buffer].data is not None:
            raw = bytes(model.buffers[entry.buffer].data).rstrip(b"\0")
            return raw.decode(errors="backslashreplace")
    return ""


def _outside(model: Any) -> str:
    """Why nothing can be said: an operator that is in no runtime, or newer than the table."""
    custom = sorted({_text(code.customCode) for code in model.operatorCodes if code.customCode})
    flex = [name for name in custom if name.startswith(FLEX)]
    if flex:
        return f"{flex[0]} is TensorFlow's own: the app needs the Flex library of a release that has it"
    if custom:
        return f"{custom[0]} is no operator of TensorFlow Lite: that depends on what the app brings"
    for code in model.operatorCodes:
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        if builtin_name(code) in ("", CUSTOM):
            return f"operator number {number} is newer than the releases known here{_newest()}"
        if litert_with(builtin_name(code), code.version) is None:
            return f"{builtin_name(code)} of version {code.version} is in no release known here{_newest()}"
    return ""


def _newest() -> str:
    newest = ", ".join(f"{runtime} {releases.split()[-1]}" for runtime, releases in MEASURED.items())
    return f" (up to {newest})"


def _demands(model: Any, runtime: str, release_with: ReleaseWith) -> Iterator[_Demand]:
    for operation in operations(model):
        low = next((low for low in TOO_LOW if low.holds(operation)), None)
        if low is None:
            version = needed_version(operation)
            subject = f"{operation.name} ({_types(operation)})"
            yield _Demand(release=release_with(operation.name, version), why=_came_with(subject, version))
        else:
            right = low.since if runtime == TENSORFLOW_LITE else low.litert
            yield _Demand(release=right, why=f"{operation.name} {low.why}")
        if late := late_kernel(operation):
            release = late.tensorflow_lite if runtime == TENSORFLOW_LITE else late.litert
            yield _Demand(release=release, why=late.why.format(name=operation.name))
    for code in model.operatorCodes:
        name, version = builtin_name(code), code.version
        yield _Demand(release=release_with(name, version), why=_came_with(name, version))


def _came_with(name: str, version: int) -> str:
    return f"{name} needs its version {version}" if version > 1 else f"it has {name}"


def _types(operation: Operation) -> str:
    weights = operation.input(1)
    given = [operation.type(IMAGE_AT.get(operation.name, 0))]
    if weights is not None and weights.dtype in ("int8", "int4", "int2") and weights.dtype != given[0]:
        given.append(weights.dtype)
    return " x ".join(filter(None, given))


def _of(runtime: str, demands: list[_Demand], doubt: str) -> RuntimeMinimum:
    lacking = next((demand for demand in demands if demand.release is None), None)
    if lacking:
        why = f"{lacking.why}, which no release has that is known here{_newest()}"
        return RuntimeMinimum(runtime=runtime, state="unknown", version="", why=why)
    first = FIRST_LITERT if runtime == LITERT else FIRST_TENSORFLOW_LITE
    every = _Demand(release=first, why="every release has all of its operators")
    newest = max([every, *demands], key=lambda demand: release_key(demand.release or first))
    return RuntimeMinimum(
        runtime=runtime,
        state="at least" if doubt else "known",
        version=newest.release or first,
        why=f"{newest.why}; {doubt}" if doubt else newest.why,
    )


def _doubt(model: Any) -> str:
    """What keeps a minimum from being known; empty where nothing does."""
    for operation in operations(model):
        if dtype := untold(operation):
            return f"which releases compute {operation.name} in {dtype} is not known"
    return ""


def _text(raw: Any) -> str:
    return raw.decode(errors="backslashreplace") if isinstance(raw, bytes) else str(raw)
