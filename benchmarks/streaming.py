"""What `resnet-edge verify` takes to prove a network on 1,000, 10,000 and 50,000 photos: memory, and time.

    python -m benchmarks.streaming FOLDER --network resnet50|light [--images 1000,10000,50000]

FOLDER gets synthetic JPEGs of 500x375 in tars of 1,000 as WebDataset has them, and a network of random
weights (what it answers does not matter here) with int8 files of it: ResNet-50, or a light one of three
strided convolutions, whose runtime takes less than decoding, so that this limits. `verify` runs the
TFLite file on all photos, against the ONNX file. Memory is the largest sum over the parent and all its
workers, of what each holds alone and its part of what they share (PSS), taken every half second; photos that
the system keeps in its cache are not in it. `decode` is the pass that decodes every photo once before
anything is run, on all cores; later each runtime decodes its own again, in `ms each` of one core. `load` is
the mean of the load average meanwhile: above the number of cores, other programs shared them. Rows are kept
as soon as they are there."""

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
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.results import keep, markdown_table
from resnet_edge.core.image_contract import contract
from resnet_edge.core.machine import usable_cores
from resnet_edge.data.photo import upright
from resnet_edge.data.resize import apply

WIDTH, HEIGHT, SHARD = 500, 375, 1000
BASES = 32
EVERY = 0.5
DONE = re.compile(r"^(.+): [\d,]+ done in ([\d.]+) s$", re.MULTILINE)


def main() -> None:
    """Make what is missing, run, and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", default="1000,10000,50000")
    parser.add_argument("--network", choices=("resnet50", "light"), required=True)
    options = parser.parse_args()
    counts = [int(count) for count in options.images.split(",")]
    options.folder.mkdir(exist_ok=True)
    write_photos(options.folder, SHARD)
    files = converted(options.folder, options.network)
    rows: list[dict[str, Any]] = []
    for count in counts:
        write_photos(options.folder, count)
        rows.append(measured(options.folder, files, options.network, count))
        print(rows[-1], file=sys.stderr)
        result = {"network": options.network, "decode_ms": decode_ms(options.folder), "rows": rows}
        keep("streaming", result, f"streaming_{options.network}")


def photo(number: int) -> bytes:
    """A JPEG of about 80 kB: a smooth picture with the noise of a camera, another one for each number."""
    random = np.random.default_rng(number)
    base = np.roll(bases()[number % BASES], random.integers(0, WIDTH, 2), axis=(0, 1))
    pixels = base + random.integers(-24, 25, 3) + random.integers(-12, 13, (HEIGHT, WIDTH, 1), np.int16)
    body = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(body, "jpeg", quality=90)
    return body.getvalue()


@cache
def bases() -> list[np.ndarray]:
    """Smooth pictures (H, W, 3) int16."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (BASES, 24, 32, 3)).astype(np.uint8)
    size = (WIDTH, HEIGHT)
    return [
        np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC), np.int16) for one in small
    ]


def write_photos(folder: Path, count: int) -> None:
    """Those that are not there yet, by all cores."""
    with ProcessPoolExecutor(usable_cores()) as pool:
        list(pool.map(partial(write_shard, folder), range(count // SHARD)))


def write_shard(folder: Path, index: int) -> None:
    """A tar, unless it is there."""
    shard, part = folder / f"photos-{index:05d}.tar", folder / f"unfinished-{index:05d}"
    if shard.exists():
        return
    with tarfile.open(part, "w") as archive:
        for number in range(index * SHARD, (index + 1) * SHARD):
            for name, content in ((".jpg", photo(number)), (".cls", str(number % 1000).encode())):
                member = tarfile.TarInfo(f"{number:06d}{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    part.rename(shard)


def shards(folder: Path, count: int) -> str:
    """The DATA word of the first ones."""
    return str(folder / f"photos-{{00000..{count // SHARD - 1:05d}}}.tar")


def converted(folder: Path, network: str) -> Path:
    """Where the int8 files of a network are."""
    out, model = folder / f"dist-{network}", folder / f"{network}.keras"
    if not out.exists():
        build(network).save(model)
        few = folder / "few"
        few.mkdir(exist_ok=True)
        with tarfile.open(folder / "photos-00000.tar") as archive:
            for member in archive.getmembers()[:200:2]:
                archive.extract(member, few, filter="data")
        words = ["convert", model, "--data", few, "--calibration", few]
        words += ["--schemes", "int8", "--preprocess", "caffe", "--out", out, "--latency-seconds", "0"]
        subprocess.run([sys.executable, "-m", "resnet_edge", *map(str, words)], check=False)
    # Without the report, of which `verify` would take the calibration images as well.
    alone = folder / f"files-{network}"
    alone.mkdir(exist_ok=True)
    for file in out.glob(f"{network}.int8.*"):
        shutil.copy(file, alone)
    return alone


def build(network: str) -> Any:
    """Of 224x224x3 and 1,000 classes, as Keras has it."""
    import keras

    keras.utils.set_random_seed(0)
    if network == "resnet50":
        return keras.applications.ResNet50(weights=None)
    convolution = partial(keras.layers.Conv2D, strides=4, padding="same", activation="relu")
    steps = [keras.Input((224, 224, 3)), convolution(8, 4), convolution(16, 4), convolution(32, 4)]
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1000, activation="softmax")]
    return keras.Sequential([*steps, *head])


def measured(folder: Path, files: Path, network: str, count: int) -> dict[str, Any]:
    """One run of `verify`."""
    words = [sys.executable, "-m", "resnet_edge", "verify", str(files / f"{network}.int8.tflite")]
    words += ["--reference", str(files / f"{network}.int8.onnx"), "--data", shards(folder, count)]
    words += ["--backends", "litert", "--no-explain"]
    with tempfile.TemporaryDirectory() as cache:
        began = time.monotonic()
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        process = subprocess.Popen(
            words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        peak = Peak(process.pid)
        _, said = process.communicate()
        seconds = time.monotonic() - began
        peak.end()
    if process.returncode not in (0, 4, 5):  # random weights prove nothing
        raise SystemExit(said)
    return {
        "images": count,
        "peak_bytes": peak.bytes,
        "array_bytes": count * 224 * 224 * 3,
        "load": round(float(np.mean(peak.loads)), 1),
        "seconds": round(seconds, 1),
        **steps(network, said),
    }


def steps(network: str, said: str) -> dict[str, float]:
    """How long each took. Raises SystemExit where `verify` no longer says so."""
    names = {
        "images": "decode_seconds",
        f"{network}.int8.onnx on onnxruntime": "reference_seconds",
        f"{network}.int8.tflite on litert": "runtime_seconds",
    }
    taken = {names[name]: float(value) for name, value in DONE.findall(said) if name in names}
    if len(taken) < len(names):
        raise SystemExit(f"verify no longer says what its steps take:\n{said}")
    return taken


class Peak:
    """The largest memory of a process and all that it has started, and load averages of the machine, until
    `end`."""

    def __init__(self, pid: int) -> None:
        self._root, self._over, self.bytes = psutil.Process(pid), threading.Event(), 0
        self.loads: list[float] = []
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self.bytes = max(self.bytes, sum(self._each()))
            self.loads.append(os.getloadavg()[0])

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

    def end(self) -> None:
        """Of watching."""
        self._over.set()
        self._thread.join()


def decode_ms(folder: Path) -> float:
    """Of one core, for one photo: to decode it, and to resize it to 224x224."""
    resize, photos = contract("pillow", 224, 224, 3), list[bytes]()
    with tarfile.open(folder / "photos-00000.tar") as archive:
        for member in archive:
            if member.name.endswith(".jpg") and len(photos) < 200:
                stream = archive.extractfile(member)
                assert stream is not None
                photos.append(stream.read())
    began = time.process_time()
    for one in photos:
        apply(resize, upright("a photo", one))
    return 1000 * (time.process_time() - began) / len(photos)


def table(result: dict[str, Any]) -> str:
    """A row for each number of photos."""
    header = (
        *(
            "photos",
            "peak of memory",
            "an array would be",
            "decode all once",
            "reference: the ONNX file, int8",
        ),
        *("the TFLite file, int8", "in all", "load"),
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
        f"{row['load']:.1f}",
    )


if __name__ == "__main__":
    main()
