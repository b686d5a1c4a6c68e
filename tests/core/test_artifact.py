"""Tests of core.artifact."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from resnet_edge.core.artifact import Artifact, Quantization, TensorSpec, sha256_of


def test_a_file_has_the_digest_that_sha256sum_prints(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # more than one block
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_the_digest_of_a_folder_knows_names_and_contents(tmp_path: Path) -> None:
    def folder(name: str, files: dict[str, bytes]) -> str:
        for inner, content in files.items():
            (tmp_path / name / inner).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / inner).write_bytes(content)
        return sha256_of(tmp_path / name)

    one = folder("one", {"a": b"x", "sub/b": b"y"})
    assert one == folder("same", {"sub/b": b"y", "a": b"x"})
    others = [{"a": b"x", "sub/c": b"y"}, {"a": b"x", "sub/b": b"z"}, {"a": b"x", "b": b"y"}, {"a": b"x"}]
    digests = {folder(f"other{number}", files) for number, files in enumerate(others)}
    assert len(digests | {one}) == 5


def test_an_artifact_survives_json_and_prints_its_file_name_alone() -> None:
    image = TensorSpec("image", (None, 28, 28, 1), "uint8", Quantization((0.5,), (-128,)))
    artifact = Artifact(
        path="out/net.int8.tflite",
        format="tflite",
        scheme="int8",
        size_bytes=10,
        sha256="ab",
        inputs=(image,),
        outputs=(),
        converter="tensorflow 2.21",
    )
    assert msgspec.json.decode(msgspec.json.encode(artifact), type=Artifact) == artifact
    assert artifact.file == "net.int8.tflite"


@pytest.mark.parametrize(
    ("shape", "layout", "size"),
    [
        ((1, 28, 28, 1), "NHWC", (28, 28, 1)),
        ((None, 3, 224, 320), "NCHW", (224, 320, 3)),
        ((1, 224, 320, 3), "NHWC", (224, 320, 3)),
        ((1, 2, 2, 3), None, (2, 2, 3)),
        ((1, 4, 4, 4), None, (4, 4, 4)),
        ((1, None, None, 3), None, (None, None, 3)),
    ],
)
def test_sizes_tell_the_order_of_axes_where_they_do(
    shape: tuple[int | None, ...], layout: str | None, size: tuple[int | None, ...]
) -> None:
    spec = TensorSpec("image", shape, "float32")
    assert (spec.layout, spec.image_size) == (layout, size)


def test_what_is_no_image_has_no_layout() -> None:
    assert TensorSpec("x", (1, 10), "float32").layout is None
