"""evaluation/shards.py: parts of a proof, and the whole that they make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.evaluation.predict import predict
from resnet_edge.evaluation.predict_task import JoinShards, Predict, PredictResult, PredictShard
from resnet_edge.evaluation.shards import join, run
from resnet_edge.workers.progress import silent
from tests.backends import tiny


@pytest.fixture
def whole(tmp_path: Path) -> Predict:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    tiny.write_tflite(folder)
    np.save(tmp_path / "images.npy", tiny.pixels(70))
    path, images, out = folder / "fixed.tflite", tmp_path / "images.npy", tmp_path / "whole.npy"
    return Predict(
        path=str(path),
        format="tflite",
        backend="litert",
        device="cpu",
        threads=1,
        images=str(images),
        out=str(out),
    )


def shards_of(whole: Predict, folder: Path) -> list[PredictShard]:
    ends = [(0, 32), (32, 64), (64, 70)]
    return [PredictShard.of(whole, a, b, str(folder / f"part.{a}.npy")) for a, b in ends]


def test_joined_they_are_what_one_run_gives(whole: Predict, tmp_path: Path) -> None:
    shards = shards_of(whole, tmp_path)
    for shard in reversed(shards):  # workers end in any order
        assert run(shard, silent).n == shard.stop - shard.start
    joined = join(JoinShards.of(shards, str(tmp_path / "joined.npy")), silent)
    wanted = predict(whole, silent)
    assert (joined.n, joined.device, joined.classes) == (wanted.n, wanted.device, wanted.classes)
    np.testing.assert_array_equal(np.load(joined.out), np.load(wanted.out))
    assert {path.name for path in tmp_path.glob("part.*.npy")} == {Path(shard.out).name for shard in shards}


def test_one_that_is_there_is_not_run_again(whole: Predict, tmp_path: Path) -> None:
    shard = shards_of(whole, tmp_path)[0]
    first = run(shard, silent)
    gone = replace(shard, whole=replace(whole, path=str(tmp_path / "gone.tflite")))
    assert run(gone, silent) == first
    Path(shard.out).unlink()  # half of what there was
    with pytest.raises(ArtifactError):
        run(gone, silent)


def test_shards_of_two_runtimes_are_no_whole(whole: Predict, tmp_path: Path) -> None:
    shards = shards_of(whole, tmp_path)
    for shard in shards:
        run(shard, silent)
    result_file = Path(shards[1].out).with_suffix(".json")
    other = replace(msgspec.json.decode(result_file.read_bytes(), type=PredictResult), device="gpu")
    result_file.write_bytes(msgspec.json.encode(other))
    with pytest.raises(DataError, match="not made by one runtime"):
        join(JoinShards.of(shards, str(tmp_path / "joined.npy")), silent)


@pytest.mark.parametrize("damage", ["short", "few", "wide", "no JSON", "gone"])
def test_what_is_no_shard_is_run_again(whole: Predict, tmp_path: Path, damage: str) -> None:
    shards = shards_of(whole, tmp_path)
    for shard in shards:
        run(shard, silent)
    out, result = Path(shards[1].out), Path(shards[1].result)
    outputs = np.load(out)
    if damage == "short":
        out.write_bytes(out.read_bytes()[:100])
    elif damage == "few":
        np.save(out, outputs[:3])
    elif damage == "wide":
        np.save(out, np.repeat(outputs, 2, axis=1))
    elif damage == "no JSON":
        result.write_bytes(b"{")
    else:
        out.unlink()
    whole_of = JoinShards.of(shards, str(tmp_path / "joined.npy"))
    with pytest.raises(DataError, match=r"cannot be joined \(.*\): run again"):
        join(whole_of, silent)
    for shard in shards:
        assert not shard.is_done
        run(shard, silent)
    assert join(whole_of, silent).n == 70


def test_what_was_half_told_is_run_again(whole: Predict, tmp_path: Path) -> None:
    shard = shards_of(whole, tmp_path)[0]
    first = run(shard, silent)
    result_file = Path(shard.out).with_suffix(".json")
    result_file.write_bytes(result_file.read_bytes()[:20])
    assert run(shard, silent).n == first.n
    assert msgspec.json.decode(result_file.read_bytes(), type=PredictResult).n == first.n
