"""Tests of core.artifact."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

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
    artifact = Artifact("out/net.int8.tflite", "tflite", "int8", 10, "ab", (image,), (), "tensorflow 2.21")
    assert msgspec.json.decode(msgspec.json.encode(artifact), type=Artifact) == artifact
    assert artifact.file == "net.int8.tflite"
