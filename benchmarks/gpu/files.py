"""The files that rows are run on: made on any machine with TensorFlow, and carried to one without."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.good_files.applications import application
from benchmarks.good_files.networks import Network
from benchmarks.good_files.store import Store
from benchmarks.gpu.call import Called, call
from resnet_edge.core.files.bundled import CALIBRATION_FILE, MODEL_FILE, TEST_FILE, bundled

SIZE, PROOF, TRAINING = 224, 48, 64
FEW = 256
"""Images that `convert` proves the files on where they are made: `verify` takes more of them, on the GPU."""
THERE = Called(exit_code=0, seconds=0.0, document={"made": True})
"""Of files that need no command, or that are whole whatever `convert` thinks of their proof."""
SCHEMES = "fp32,fp16,dynamic,int8"


@dataclass(frozen=True, kw_only=True)
class NetworkFiles:
    """In `folder`: `model.keras`, `proof.npz`, `calibration.npz`, and what `convert` left in `dist`, for any
    batch size. `prepare`: what the model wants of pixels."""

    folder: Path
    prepare: str

    @property
    def model(self) -> Path:
        return self.folder / "model.keras"

    @property
    def proof(self) -> Path:
        return self.folder / "proof.npz"

    @property
    def whole(self) -> bool:
        """Whether nothing of it has to be made."""
        return (self.folder / "dist" / "report.json").is_file()

    def artifacts(self, suffix: str) -> list[str]:
        """The model, or the artifacts of a format, fp32 first: it may be all that there is time for."""
        if suffix == "keras":
            return [str(self.model)]
        order = SCHEMES.split(",")
        files = sorted(
            (self.folder / "dist").glob(f"*.{suffix}"), key=lambda file: order.index(file.name.split(".")[-2])
        )
        return [str(file) for file in files]

    def reference(self, *, tensorflow: bool) -> str:
        """The model itself where TensorFlow can run it; else the fp32 file, which `convert` has proved
        against it where the files were made."""
        return str(self.model) if tensorflow else self.artifacts("onnx")[0]


PREPARE = {"resnet20": "", "resnet50": "caffe"}
"""What they want of pixels, by convert's name; "": their sidecar says it."""


def network_files(work: Path, name: str) -> NetworkFiles:
    """Where those of a network are, or are to be."""
    return NetworkFiles(folder=work / "files" / name, prepare=PREPARE[name])


def make(files: NetworkFiles, name: str) -> None:
    """The model and its images. Needs TensorFlow."""
    files.folder.mkdir(parents=True, exist_ok=True)
    if name == "resnet20":
        shutil.copyfile(bundled(MODEL_FILE), files.model)
        sidecar = bundled(MODEL_FILE).with_suffix(".json")
        shutil.copyfile(sidecar, files.model.with_suffix(".json"))
        shutil.copyfile(bundled(TEST_FILE), files.proof)
        shutil.copyfile(bundled(CALIBRATION_FILE), files.folder / "calibration.npz")
        return
    from benchmarks.good_files.training import train

    train(resnet50(), Store(files.folder.parent, name))


def resnet50() -> Network:
    """Of keras.applications, with random weights and a last layer by which answers differ: the answers of
    `app:ResNet50:random` are one class for every image, and no proof takes those."""
    network = application("ResNet50", PREPARE["resnet50"], SIZE, 0, {})
    return replace(network, proof=PROOF, training=TRAINING)


def convert_words(files: NetworkFiles) -> list[str]:
    """`convert` of a network, for any batch size and without latency."""
    words = ["resnet_edge", "convert", str(files.model), "--data", str(few(files)), "--schemes", SCHEMES]
    words += ["--calibration", str(files.folder / "calibration.npz"), "--calibrator", "minmax", "--no-plan"]
    words += ["--dynamic-batch", "--latency-seconds", "0", "--max-drop", "5", *preprocess(files)]
    return [*words, "--out", str(files.folder / "dist"), "--overwrite", "--json"]


def few(files: NetworkFiles) -> Path:
    """The first FEW images of the proof, in a file."""
    import numpy as np

    path = files.folder / "few.npz"
    with np.load(files.proof) as held:
        np.savez(path, images=held["images"][:FEW], labels=held["labels"][:FEW])
    return path


def preprocess(files: NetworkFiles) -> list[str]:
    """The option, where the model's sidecar does not say it."""
    return ["--preprocess", files.prepare] if files.prepare else []


def prepared(work: Path, name: str, seconds: float) -> Called:
    """Make what is not there, within so many seconds; how the last command that it took ended."""
    files, logs = network_files(work, name), work / "logs"
    if files.whole:
        return THERE
    words = ["benchmarks.gpu.files", str(work), name]
    done = call(words, seconds, logs / f"make {name}.log")
    if not done.ran:
        return done
    converted = call(convert_words(files), max(1.0, seconds - done.seconds), logs / f"files {name}.log")
    if files.whole:
        return replace(THERE, seconds=round(done.seconds + converted.seconds, 1))
    return replace(converted, why=converted.why or "convert left no files")


def write_strided(work: Path, seconds: float) -> Called:
    """Those of `benchmarks.gpu.strided`."""
    folder = work / "files" / "strided"
    if folder.is_dir():
        return THERE
    half = folder.with_name("strided.half")
    done = call(["benchmarks.gpu.strided", str(half), "--write"], seconds, work / "logs" / "make strided.log")
    if done.ran:
        os.replace(half, folder)
    return done


def main() -> None:
    """`python -m benchmarks.gpu.files WORK NETWORK`, in a process of its own: it imports TensorFlow."""
    work, name = Path(sys.argv[1]), sys.argv[2]
    make(network_files(work, name), name)
    print(json.dumps({"made": name}))


if __name__ == "__main__":
    main()
