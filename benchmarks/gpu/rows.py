"""What is run: a command on a network, on the GPU devices of a backend; whether it can be, and how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from resnet_edge.core.device import is_software, untimed

Commands = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Devices of a backend that are tried in the same commands, and the suffix of the files that it opens."""

    backend: str
    devices: Commands
    suffix: str

    @property
    def targets(self) -> Commands:
        """As --backends has them."""
        return tuple(f"{self.backend}:{device}" for device in self.devices)


GROUPS = (
    Group(backend="keras_jax", devices=("gpu", "gpu-tf32"), suffix="keras"),
    Group(backend="onnxruntime", devices=("cuda", "cuda-tf32"), suffix="onnx"),
    Group(backend="litert", devices=("gpu",), suffix="tflite"),
    # By itself: it builds an engine for each file, which may take all the time that a command has.
    Group(backend="onnxruntime", devices=("tensorrt",), suffix="onnx"),
    Group(backend="onnxruntime_web", devices=("gpu",), suffix="onnx"),
)
NETWORKS = {"resnet20": 1, "resnet50": 2}
"""The bundled ResNet-20, and a ResNet-50 of 224 pixels; how many times as long a command is given."""
SHARES = {"strided": 1, "verify": 3, "bench": 3, "convert": 6, "train": 5}
"""Of the time that is left, by command."""
BATCHES = (1, 32)


@dataclass(frozen=True, kw_only=True)
class Row:
    """`targets`: what --backends is given. `batch`: images at a time, of `bench`."""

    command: str
    network: str
    targets: Commands
    suffixes: Commands = ()
    batch: int | None = None

    @property
    def name(self) -> str:
        """For people, and of the row's log."""
        batch = "" if self.batch is None else f" batch {self.batch}"
        return f"{self.command} {self.network}{batch} {','.join(self.targets)}"

    @property
    def share(self) -> int:
        """How much of the time that is left, against other rows."""
        return SHARES[self.command] * NETWORKS[self.network]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What `doctor` says of a device: its own name for it where it opens, and else why it does not."""

    device: str = ""
    why: str = ""


def all_rows(networks: Sequence[str]) -> Iterator[Row]:
    """What the issue wants most comes first: numbers before times, small before large."""
    litert = next(group for group in GROUPS if group.backend == "litert")
    yield Row(command="strided", network="resnet20", targets=litert.targets, suffixes=("tflite",))
    first, *others = networks
    yield from (_verify(first, group) for group in GROUPS)
    files = [group for group in GROUPS if group.suffix != "keras"]
    targets = tuple(target for group in files for target in group.targets)
    yield Row(command="convert", network=first, targets=targets, suffixes=("onnx", "tflite"))
    yield Row(command="train", network=first, targets=("keras_jax:gpu",))
    yield from (_bench(first, group, BATCHES[0]) for group in GROUPS)
    for network in others:
        yield from (_verify(network, group) for group in GROUPS)
        yield from (_bench(network, group, BATCHES[0]) for group in GROUPS)
    for network in networks:
        yield from (_bench(network, group, BATCHES[1]) for group in GROUPS)


def _verify(network: str, group: Group) -> Row:
    return Row(command="verify", network=network, targets=group.targets, suffixes=(group.suffix,))


def _bench(network: str, group: Group, batch: int) -> Row:
    return Row(command="bench", network=network, targets=group.targets, suffixes=(group.suffix,), batch=batch)


def read_doctor(document: Mapping[str, object]) -> dict[str, Target]:
    """By `backend:device` of GROUPS, what the document of `doctor --json` says of it."""
    backends = {row["backend"]: row["devices"] for row in document.get("backends", ())}  # type: ignore[attr-defined]  # a JSON document
    states: dict[str, Target] = {}
    for group in GROUPS:
        rows = {row["device"]: row for row in backends.get(group.backend, ())}
        for device, target in zip(group.devices, group.targets, strict=True):
            opened = [
                name for name in (device, f"{device}-software") if rows.get(name, {}).get("status") == "opens"
            ]
            row = rows.get(device) or rows.get("-") or {}
            why = row.get("detail") or f"doctor does not know {target}"
            states[target] = Target(device=opened[0]) if opened else Target(why=str(why))
    return states


def with_what_is_here(
    row: Row, states: Mapping[str, Target], *, stand_in: bool
) -> tuple[Row, tuple[str, ...]]:
    """The row with the targets that can be tried here, and why each other one cannot. With `stand_in` the
    CPU takes the place of a GPU that is not there."""
    here: list[str] = []
    reasons: list[str] = []
    for target in row.targets:
        state, backend = states[target], target.partition(":")[0]
        why = state.why
        if row.command in ("bench", "train") and is_software(state.device):
            why = untimed(backend, state.device)
        if not why:
            here.append(target)
        elif stand_in and row.command != "strided" and _has_cpu(states, backend, target):
            here.append(f"{backend}:cpu")
        else:
            reasons.append(f"{target}: {why}")
    return replace(row, targets=tuple(dict.fromkeys(here))), tuple(dict.fromkeys(reasons))


def _has_cpu(states: Mapping[str, Target], backend: str, target: str) -> bool:
    """Whether the CPU may stand for it: the backend is installed, and TensorRT is not the CPU's twin."""
    return "not installed" not in states[target].why and not target.endswith(":tensorrt")


def limit(left: float, share: int, shares_after: int) -> float:
    """Seconds that a row may take of those that are left: twice its share, since others end early."""
    return min(left, 2 * left * share / (share + shares_after))


def where(devices: Sequence[str]) -> str:
    """What a row ran on, of the devices that it reports: `gpu`, `software`, `cpu`, or "" of none."""
    if not devices:
        return ""
    if all(device == "cpu" for device in devices):
        return "cpu"
    return "software" if any(is_software(device) for device in devices) else "gpu"
