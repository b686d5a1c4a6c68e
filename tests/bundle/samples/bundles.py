"""A bundle of tiny files with real scores, with all that samples render into it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.backends import litert, onnxruntime
from resnet_edge.core import registry
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.image_contract import contract
from resnet_edge.core.results.bundle import (
    BundledFile,
    BundleFacts,
    Golden,
    GoldenImage,
    GoldenScores,
    RuntimeTolerance,
)
from resnet_edge.core.tensors import dequantize, quantize
from resnet_edge.report.bundle.golden import golden_json
from tests.backends import tiny

BACKENDS: dict[str, Any] = {"tflite": litert, "onnx": onnxruntime}
FILES = ("litert/fixed.tflite", "litert/uint8.tflite", "onnx/fixed.onnx")
LABELS = ("Zebra", "Äpfel", "東京", "a $b", 'e"')


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(folder: Path, artifacts: Path, names: tuple[str, ...] = FILES) -> BundleFacts:
    """Files of tiny.write_all and four golden images."""
    pixels = tiny.pixels(4)
    images = []
    (folder / "golden/images").mkdir(parents=True)
    for number, image in enumerate(pixels):
        path = folder / f"golden/images/{number:02d}.png"
        Image.fromarray(image[..., 0]).save(path)
        images.append(GoldenImage(path.relative_to(folder).as_posix(), sha256(path.read_bytes()), None))
    pairs = [_bundled(folder, artifacts, name, pixels) for name in names]
    facts = BundleFacts(
        name="tiny",
        title="tiny",
        labels=LABELS,
        image=contract("pillow", 8, 8, 1),
        files=tuple(file for file, _ in pairs),
        golden=Golden(tuple(images), tuple(scores for _, scores in pairs)),
    )
    (folder / "golden/golden.json").write_bytes(golden_json(facts))
    (folder / "preprocessing.json").write_text(json.dumps({"schema": 1, **asdict(facts.image)}))
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in facts.labels), "utf-8")
    for path_in_bundle, text in rendered(facts).items():
        (folder / path_in_bundle).parent.mkdir(parents=True, exist_ok=True)
        (folder / path_in_bundle).write_text(text, "utf-8")
    seal(folder)
    return facts


def seal(folder: Path) -> None:
    """bundle.json of the files as they are now."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "bundle.json")
    sums = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()) for path in files}
    (folder / "bundle.json").write_text(json.dumps({"schema": 1, "sha256": sums}))


def rendered(facts: BundleFacts) -> dict[str, str]:
    """What all samples make of these facts; no two of them the same file."""
    texts: dict[str, str] = {}
    for name in registry.names("bundle.samples"):
        new = registry.load("bundle.samples", name).render(facts)
        assert not texts.keys() & new.keys()
        texts |= new
    return texts


def rendered_paths(bundle: Path) -> list[str]:
    """Code in a bundle that is written already."""
    paths = [*bundle.glob("samples/**/*"), *bundle.glob("selftest/**/*")]
    return sorted(path.relative_to(bundle).as_posix() for path in paths if path.is_file())


def _bundled(
    folder: Path, artifacts: Path, name: str, pixels: NDArray[np.uint8]
) -> tuple[BundledFile, GoldenScores]:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    path = Path(shutil.copy(artifacts / Path(name).name, folder / name))
    format = path.suffix.lstrip(".")
    with BACKENDS[format].open_session(path, "cpu", 1) as session:
        stored = tensor(pixels, session.input)
        scores = np.concatenate([dequantize(session.run(one[None]), session.output) for one in stored])
        digest, profile = sha256(path.read_bytes()), name.partition("/")[0].replace("-", "_")
        file = BundledFile(
            path=name,
            profile=profile,
            format=format,
            scheme="fp32",
            size_bytes=1,
            sha256=digest,
            input=session.input,
            output=session.output,
            scores="logits",
            source="a",
            source_sha256="b",
        )
    tensors = tuple(sha256(tensor.tobytes()) for tensor in stored)
    out = folder / f"golden/scores/{Path(name).name}.bin"
    out.parent.mkdir(exist_ok=True)
    out.write_bytes(scores.astype("<f4").tobytes())
    path_in_bundle, digest = out.relative_to(folder).as_posix(), sha256(out.read_bytes())
    tolerances = (RuntimeTolerance("default", 1e-4, "float rounding"),)
    return file, GoldenScores(
        file=name, inputs_sha256=tensors, scores=path_in_bundle, scores_sha256=digest, tolerances=tolerances
    )


def scores_of(bundle: Path, number: int) -> NDArray[np.float32]:
    """What a model file must give: (images, classes)."""
    golden = json.loads((bundle / "golden/golden.json").read_text("utf-8"))
    rows = np.fromfile(bundle / golden["files"][number]["scores"], "<f4")
    return rows.reshape(len(golden["images"]), -1)


def with_scores(bundle: Path, number: int, scores: NDArray[Any]) -> None:
    """Other scores for a model file, as if they were the bundle's."""
    content = scores.astype("<f4").tobytes()
    (bundle / f"golden/scores/other{number}.bin").write_bytes(content)
    entry = {"scores": f"golden/scores/other{number}.bin", "scores_sha256": sha256(content)}
    changed(bundle, lambda golden: golden["files"][number].update(entry))


def tensor(pixels: NDArray[np.uint8], end: TensorSpec) -> NDArray[Any]:
    """Pixels as a file stores them."""
    return quantize(pixels, end) if end.quantization is not None else pixels.astype(end.dtype)


def changed(bundle: Path, change: Any) -> None:
    """golden.json with a change, as if it were the bundle's."""
    changed_json(bundle, "golden/golden.json", change)


def changed_json(bundle: Path, name: str, change: Any) -> None:
    """A document of the bundle with a change, as if it were the bundle's."""
    document = json.loads((bundle / name).read_text("utf-8"))
    change(document)
    (bundle / name).write_text(json.dumps(document), "utf-8")
    index = json.loads((bundle / "bundle.json").read_text("utf-8"))
    index["sha256"][name] = sha256((bundle / name).read_bytes())
    (bundle / "bundle.json").write_text(json.dumps(index))
