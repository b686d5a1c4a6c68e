"""How far the resize of each platform moves the answers of a Fashion-MNIST model on large photos.

    python -m benchmarks.resizes demo/resnet20_fashion_mnist.int8.tflite [PHOTOS]

There are no photos of garments here, so these are made: test images of Fashion-MNIST, 28 x 28, enlarged to
224 x 224 with Lanczos, once smooth and once with the weave of a cloth (stripes of 5 to 9 pixels, noise). The
network was trained on neither, and the enlargement has no detail of its own: the figures show what a resize
can do, not what it does to photos of a camera.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from resnet_edge.cli._resize_table import print_resize
from resnet_edge.core.files.bundled import TEST_FILE, bundled
from resnet_edge.inspection.resize_check import resize_check
from resnet_edge.inspection.resize_check_task import CheckResize
from resnet_edge.workers.progress import silent

SIZE = 224
BACKENDS = {"tflite": "litert", "onnx": "onnxruntime"}


def write_garments(folder: Path, n: int, woven: bool) -> None:
    """PNG files in RGB, one sub-folder a class, by number."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    with np.load(bundled(TEST_FILE)) as held:
        images, labels = held["images"][:n, ..., 0], held["labels"][:n]
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        large = Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        pixels = np.asarray(large, np.float64)
        if woven:
            across, down = random.uniform(5, 9, 2)
            pixels = pixels * (1 + 0.25 * np.sin(2 * np.pi * (columns / across + rows / down)))
            pixels = pixels + random.normal(0, 12, pixels.shape)
        place = folder / f"{label:02d}"
        place.mkdir(parents=True, exist_ok=True)
        grey = pixels.clip(0, 255).round().astype(np.uint8)
        Image.fromarray(np.repeat(grey[..., None], 3, axis=2)).save(place / f"{number:05d}.png")


def main() -> None:
    file, n = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    for kind in ("smooth", "woven"):
        with tempfile.TemporaryDirectory() as folder:
            photos = Path(folder) / kind
            write_garments(photos, n, kind == "woven")
            suffix = file.suffix[1:]
            request = CheckResize(
                path=str(file), format=suffix, backend=BACKENDS[suffix], data=str(photos), takes_pixels=True
            )
            print_resize(resize_check(request, silent), 80)
        print()


if __name__ == "__main__":
    main()
