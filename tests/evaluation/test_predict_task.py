"""The parts of a run on images."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.evaluation.predict_task import JoinShards, Predict, PredictShard


def whole(folder: Path) -> Predict:
    return Predict(
        path="a.tflite",
        format="tflite",
        backend="litert",
        device="cpu",
        threads=1,
        images="images.npy",
        out=str(folder / "all.npy"),
    )


def test_a_part_is_done_when_outputs_and_result_are_there(tmp_path: Path) -> None:
    shard = PredictShard.of(whole(tmp_path), 0, 5, str(tmp_path / "a.0-5.npy"))
    assert shard.result == str(tmp_path / "a.0-5.json")
    assert not shard.is_done
    (tmp_path / "a.0-5.npy").touch()
    assert not shard.is_done
    (tmp_path / "a.0-5.json").touch()
    assert shard.is_done


def test_all_parts_are_joined_in_order(tmp_path: Path) -> None:
    shards = [PredictShard.of(whole(tmp_path), n, n + 1, str(tmp_path / f"{n}.npy")) for n in range(3)]
    joined = JoinShards.of(shards, "out.npy")
    assert joined.n == 3
    assert [*joined.files_read()] == [
        *(str(tmp_path / f"{n}.npy") for n in range(3)),
        *(str(tmp_path / f"{n}.json") for n in range(3)),
    ]
