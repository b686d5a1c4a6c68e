"""Files by `resnet-edge convert` at its options."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .store import Step, Store

SCHEMES = "fp32,fp16,dynamic,int8"
OPTIONS: dict[str, tuple[str, str, str]] = {
    "ours-auto-auto": ("auto", "auto", f"{SCHEMES},int16x8"),
    "ours-all-minmax": ("all", "minmax", SCHEMES),
    "ours-none-minmax": ("none", "minmax", SCHEMES),
    "ours-all-auto": ("all", "auto", "fp32,int8"),
    "ours-none-auto": ("none", "auto", "fp32,int8"),
    "ours-auto-minmax": ("auto", "minmax", "fp32,int8"),
}
"""For each step --repair, --calibrator and the schemes; float files differ where weights are equalized."""
MAX_DROP = "2"


def preprocess(way: str) -> list[str]:
    """The options that say what the Keras model wants."""
    return [] if way == "model" else ["--preprocess", way]


def export(store: Store, name: str) -> str:
    """All files of one step, both formats; what could not be done, or nothing."""
    step, (repair, calibrator, schemes) = Step(store, name), OPTIONS[name]
    if (step.folder / "files.json").exists():
        return ""
    facts, out = store.facts(), step.folder / "run"
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "resnet_edge", "convert", str(store.folder / facts["model"])]
    command += ["--data", str(store.data("proof")), "--calibration", str(store.data("calibration"))]
    command += ["--repair", repair, "--calibrator", calibrator, "--schemes", schemes, "--no-plan"]
    command += ["--out", str(out), "--max-drop", MAX_DROP, "--latency-seconds", "0", "--quiet"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [*command, *preprocess(facts["prepare"])],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    kept = _keep(step, (out, out.with_name("run.partial")), name)
    why = f"convert ended with {done.returncode}: {done.stderr.strip()[-300:]}" if done.returncode else ""
    if why or not kept:
        step.failed("convert", why or "convert wrote no file")
    return why


def _keep(step: Step, folders: tuple[Path, ...], how: str) -> int:
    """Every file under a name that no other has; what failed its own proof may be good all the same."""
    count = 0
    for file in (file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir())):
        if file.suffix in (".tflite", ".onnx"):
            scheme = file.suffixes[-2][1:]
            name = f"{step.store.network}.{how}.{scheme}{file.suffix}"
            file.rename(step.folder / name)
            step.record(name, how, scheme, "pixels")
            count += 1
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return count
