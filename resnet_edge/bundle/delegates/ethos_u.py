"""Arm's Ethos-U NPUs, beside microcontrollers: what their compiler Vela makes of a file, and its estimate.

Vela compiles a float network without an error and leaves all of it to the CPU; here that is one. Its figures
are of a model of the NPU and the memory around it, not of a device.
"""

from __future__ import annotations

import csv
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.bundle.delegates._tflite import DelegatedOperation, check_format, operations
from resnet_edge.bundle.delegates._vela_environment import ENVIRONMENT
from resnet_edge.bundle.delegates._verdict import DelegateVerdict, ListOrigin, outlook_of
from resnet_edge.core.errors import ArtifactError, MissingDependency, UsageError
from resnet_edge.core.results.outlook import Fact, Outlook

TITLE = "Arm Ethos-U"
FORMATS = frozenset({"tflite"})
SOURCE = "Arm's compiler Vela (ethos-u-vela), which is run"
ACCELERATOR = "ethos-u55-128"
SECONDS = 600.0

_MEMORY = {
    "ethos-u55": ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
    "ethos-u65": ("Ethos_U65_High_End", "Dedicated_Sram"),
    "ethos-u85": ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram"),
}
"""System configuration and memory mode of Arm/vela.ini: a family's usual one."""
_SMALL = {"ethos-u55-32": ("Ethos_U55_Deep_Embedded", "Shared_Sram")}
SIZES = {"ethos-u55": (32, 64, 128, 256), "ethos-u65": (256, 512), "ethos-u85": (128, 256, 512, 1024, 2048)}
ACCELERATORS = tuple(f"{family}-{size}" for family, sizes in SIZES.items() for size in sizes)
_COUNT = re.compile(r"^(CPU|NPU) operators = (\d+)", re.MULTILINE)
_LEFT = re.compile(
    r"^Warning \(supported operators\) operator: (\w+), ofm: '(.*)'\nReason: (.*?)(?: \(.*\))?$", re.MULTILINE
)


@dataclass(frozen=True)
class _Compiled:
    """What Vela told: its operators on either side, why it left some, by output, and its table of figures."""

    cpu: int
    npu: int
    reasons: dict[str, str]
    summary: Mapping[str, str]


def outlook(path: Path, format: str, accelerator: str = ACCELERATOR) -> Outlook:
    """See delegates.Delegate; `accelerator` is one of ACCELERATORS. Raises ArtifactError where nothing would
    run on the NPU, UsageError for another accelerator, MissingDependency where Vela does not start.

    `facts`: `cycles`, `inference_ms` at `clock_mhz`, `sram_kib`, `flash_kib`, `dram_kib`, Vela's own count of
    operators (`npu_operators`, `cpu_operators`: it splits and joins the file's), and what it was told.
    """
    check_format(path, format, FORMATS)
    if accelerator not in ACCELERATORS:
        raise UsageError(f"no Ethos-U is called {accelerator!r}; choose from: {', '.join(ACCELERATORS)}")
    version, program = ENVIRONMENT.require("ethos_u", "vela"), ENVIRONMENT.program("vela")
    ops = operations(path, fold_float16=False)
    system, memory = _SMALL.get(accelerator) or _MEMORY[accelerator.rpartition("-")[0]]
    compiled = _compiled(path, program, accelerator, system, memory)
    if compiled.npu == 0:
        why = next(iter(compiled.reasons.values()), "it gives no reason")
        raise ArtifactError(
            f"{path}: nothing of it runs on {accelerator}, all stays on the CPU ({why}): take an int8 file"
        )
    verdicts = [DelegateVerdict(each.op, each.macs, _reason(each, compiled.reasons)) for each in ops]
    warnings = []
    if compiled.cpu and all(verdict.reason is None for verdict in verdicts):
        warnings = [f"Vela leaves {compiled.cpu} of its operators to the CPU and does not say which."]
    facts = {**_facts(compiled), "accelerator": accelerator, "system_config": system, "memory_mode": memory}
    source = f"Vela {version}, Arm/vela.ini, {accelerator}, {system}, {memory}"
    origin = ListOrigin(delegate="ethos_u", title=f"{TITLE} ({accelerator})", kind="estimated", source=source)
    remark = (
        f"Vela {version} estimates {facts['cycles']:,.0f} cycles, {facts['inference_ms']:.3g} ms at "
        f"{facts['clock_mhz']:g} MHz, with {facts['sram_kib']:.1f} KiB of SRAM; no device was there."
    )
    return outlook_of(origin, verdicts, warnings, {**facts, "vela_version": version}, remark)


def _compiled(path: Path, program: Path, accelerator: str, system: str, memory: str) -> _Compiled:
    with tempfile.TemporaryDirectory(prefix="resnet-edge-vela-") as folder:
        command = [
            str(program.absolute()),
            str(path.absolute()),
            f"--accelerator-config={accelerator}",
            "--config=Arm/vela.ini",
            f"--system-config={system}",
            f"--memory-mode={memory}",
            f"--output-dir={folder}",
        ]
        said = _output_of(command, path, folder)
        tables = sorted(Path(folder).glob("*_summary_*.csv"))
        if not tables:
            raise ArtifactError(
                f"{path}: Vela wrote no figures: install it again: {ENVIRONMENT.install_command()}"
            )
        with tables[0].open(newline="", encoding="utf-8") as stream:
            summary = next(csv.DictReader(stream))
    counts = {side: int(count) for side, count in _COUNT.findall(said)}
    if counts.keys() != {"CPU", "NPU"}:
        raise ArtifactError(
            f"{path}: Vela does not say what runs where: install it again: {ENVIRONMENT.install_command()}"
        )
    reasons = {output: why.strip() for _, output, why in _LEFT.findall(said)}
    return _Compiled(counts["CPU"], counts["NPU"], reasons, summary)


def _output_of(command: Sequence[str], path: Path, folder: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL, cwd=folder, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(
            f"{path}: Vela gave no answer in {SECONDS:.0f} s: use a smaller network"
        ) from error
    except OSError as error:
        raise MissingDependency(
            f"Vela cannot be started ({error}): {ENVIRONMENT.install_command()}"
        ) from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        raise ArtifactError(
            f"{path} cannot be compiled by Vela ({last[:200].rstrip('.')}): take an int8 file"
        )
    return done.stdout.decode(errors="replace")


def _reason(operation: DelegatedOperation, reasons: Mapping[str, str]) -> str | None:
    return next((reasons[tensor.name] for tensor in operation.outputs if tensor.name in reasons), None)


def _facts(compiled: _Compiled) -> dict[str, Fact]:
    table = compiled.summary
    flash = float(table["on_chip_flash_memory_used"]) + float(table["off_chip_flash_memory_used"])
    return {
        "cycles": float(table["cycles_total"]),
        "inference_ms": 1e3 * float(table["inference_time"]),
        "clock_mhz": float(table["core_clock"]) / 1e6,
        "sram_kib": float(table["sram_memory_used"]),
        "flash_kib": flash,
        "dram_kib": float(table["dram_memory_used"]),
        "npu_operators": float(compiled.npu),
        "cpu_operators": float(compiled.cpu),
    }
