"""What `resnet-edge verify` takes to prove a ResNet-50 on 1,000, 10,000 and 50,000 photos: memory, and time.

    python -m benchmarks.streaming FOLDER [--images 1000,10000,50000] [--reference keras|onnx]

FOLDER gets synthetic JPEGs of 500x375 in tars of 1,000 as WebDataset has them, and a ResNet-50 of random
weights (what it answers does not matter here) with int8 files of it. `verify` runs the TFLite file on all
photos, against the Keras model or the ONNX file. Memory is the largest sum over the parent and all its
workers, of what each holds alone and its part of what they share (PSS), taken every half second; photos that
the system keeps in its cache are not in it. `decode` is the pass that decodes every photo once before
anything is run, on all cores; later each runtime decodes its own again, in `ms each` of one core. Rows are
kept as soon as they are there."""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.results import keep, markdown_table
from resnet_edge.core.image_contract import contract
from resnet_edge.data.photo import upright
from resnet_edge.data.resize import apply

WIDTH, HEIGHT, SHARD = 500, 375, 1000
BASES = 32
EVERY = 0.5
STEPS = {
    "images": "decode",
    "reference": "reference",
    "resnet50.int8.onnx on onnxruntime": "reference",
    "resnet50.int8.tflite on litert": "runtime",
}
"""What `verify` calls its steps, and what they are here."""
DONE = re.compile(r"^(.+): [\d,]+ done in ([\d.]+) s$", re.MULTILINE)


def main() -> None:
    """Make what is missing, run, and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", default="1000,10000,50000")
    parser.add_argument("--reference", choices=("keras", "onnx"), default="keras")
    options = parser.parse_args()
    counts = [int(count) for count in options.images.split(",")]
    options.folder.mkdir(exist_ok=True)
    write_photos(options.folder, SHARD)
    files = converted(options.folder)
    rows: list[dict[str, Any]] = []
    for count in counts:
        write_photos(options.folder, count)
        rows.append(measured(options.folder, files, options.reference, count))
        print(rows[-1], file=sys.stderr)
        result = {"reference": options.reference, "decode_ms": decode_ms(options.folder), "rows": rows}
        keep("streaming", result, f"streaming_{options.reference}")


def photo(number: int, bases: list[np.ndarray]) -> bytes:
    """A JPEG of about 80 kB: a smooth picture with the noise of a camera, another one for each number."""
    random = np.random.default_rng(number)
    base = np.roll(bases[number % BASES], random.integers(0, WIDTH, 2), axis=(0, 1))
    pixels = base + random.integers(-24, 25, 3) + random.integers(-12, 13, (HEIGHT, WIDTH, 1), np.int16)
    body = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(body, "jpeg", quality=90)
    return body.getvalue()


def write_photos(folder: Path, count: int) -> None:
    """Those that are not there yet."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (BASES, 24, 32, 3)).astype(np.uint8)
    size = (WIDTH, HEIGHT)
    bases = [
        np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC), np.int16) for one in small
    ]
    for first in range(0, count, SHARD):
        shard, part = folder / f"photos-{first // SHARD:05d}.tar", folder / "unfinished"
        if shard.exists():
            continue
        with tarfile.open(part, "w") as archive:
            for number in range(first, first + SHARD):
                for name, content in ((".jpg", photo(number, bases)), (".cls", str(number % 1000).encode())):
                    member = tarfile.TarInfo(f"{number:06d}{name}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
        part.rename(shard)


def shards(folder: Path, count: int) -> str:
    """The DATA word of the first ones."""
    return str(folder / f"photos-{{00000..{count // SHARD - 1:05d}}}.tar")


def converted(folder: Path) -> Path:
    """Where the int8 files of a ResNet-50 are."""
    out, model = folder / "dist", folder / "resnet50.keras"
    if not out.exists():
        import keras

        keras.utils.set_random_seed(0)
        keras.applications.ResNet50(weights=None).save(model)
        few = folder / "few"
        few.mkdir(exist_ok=True)
        with tarfile.open(folder / "photos-00000.tar") as archive:
            for member in archive.getmembers()[:200:2]:
                archive.extract(member, few, filter="data")
        words = ["convert", model, "--data", few, "--calibration", few]
        words += ["--schemes", "int8", "--preprocess", "caffe", "--out", out, "--latency-seconds", "0"]
        subprocess.run([sys.executable, "-m", "resnet_edge", *map(str, words)], check=False)
    alone = (
        folder / "files"
    )  # without the report, of which `verify` would take the calibration images as well
    alone.mkdir(exist_ok=True)
    for file in out.glob("resnet50.int8.*"):
        shutil.copy(file, alone)
    return alone


def measured(folder: Path, files: Path, reference: str, count: int) -> dict[str, Any]:
    """One run of `verify`."""
    held = {"keras": folder / "resnet50.keras", "onnx": files / "resnet50.int8.onnx"}[reference]
    words = [sys.executable, "-m", "resnet_edge", "verify", str(files / "resnet50.int8.tflite")]
    words += [
        "--reference",
        str(held),
        "--data",
        shards(folder, count),
        "--backends",
        "litert",
        "--no-explain",
    ]
    words += ["--preprocess", "caffe", "--attribute", "0"] if reference == "keras" else []
    with tempfile.TemporaryDirectory() as cache:
        began = time.monotonic()
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        process = subprocess.Popen(
            words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        peak = Peak(process.pid)
        _, said = process.communicate()
        seconds, largest = time.monotonic() - began, peak.end()
    if process.returncode not in (0, 4, 5):  # random weights prove nothing
        raise SystemExit(said)
    steps = {STEPS[name]: float(value) for name, value in DONE.findall(said) if name in STEPS}
    if len(steps) < len(set(STEPS.values())):
        raise SystemExit(f"verify no longer says what its steps take:\n{said}")
    return {
        "images": count,
        "peak_bytes": largest,
        "array_bytes": count * 224 * 224 * 3,
        "seconds": round(seconds, 1),
        **{f"{step}_seconds": value for step, value in steps.items()},
    }


class Peak:
    """The largest memory of a process and all that it has started, until `end`."""

    def __init__(self, pid: int) -> None:
        self._root, self._over, self.bytes = psutil.Process(pid), threading.Event(), 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self.bytes = max(self.bytes, sum(self._each()))

    def _each(self) -> Iterator[int]:
        try:
            processes = [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return
        for process in processes:
            try:
                yield process.memory_full_info().pss
            except psutil.Error:  # it has ended meanwhile
                continue

    def end(self) -> int:
        """Bytes."""
        self._over.set()
        self._thread.join()
        return self.bytes


def decode_ms(folder: Path) -> float:
    """Of one core, for one photo: to decode it, and to resize it to 224x224."""
    steps, photos = contract("pillow", 224, 224, 3), list[bytes]()
    with tarfile.open(folder / "photos-00000.tar") as archive:
        for member in archive:
            if member.name.endswith(".jpg") and len(photos) < 200:
                stream = archive.extractfile(member)
                assert stream is not None
                photos.append(stream.read())
    began = time.process_time()
    for one in photos:
        apply(steps, upright("a photo", one))
    return 1000 * (time.process_time() - began) / len(photos)


def table(result: dict[str, Any]) -> str:
    """A row for each number of photos."""
    reference = {"keras": "the Keras model", "onnx": "the ONNX file, int8"}[result["reference"]]
    header = (
        *("photos", "peak of memory", "an array would be", "decode all once"),
        *(f"reference: {reference}", "the TFLite file, int8", "in all"),
    )
    ms = f"To decode a photo takes a core {result['decode_ms']:.1f} ms."
    return f"{markdown_table(header, map(_cells, result['rows']), words=0)}\n\n{ms}"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    times = (row[f"{step}_seconds"] for step in ("decode", "reference", "runtime"))
    return (
        f"{row['images']:,}",
        f"{row['peak_bytes'] / 1e9:.2f} GB",
        f"{row['array_bytes'] / 1e9:.2f} GB",
        *(f"{seconds:,.0f} s ({1000 * seconds / row['images']:.1f} ms each)" for seconds in times),
        f"{row['seconds']:,.0f} s",
    )


if __name__ == "__main__":
    main()
