"""Tests of training.checkpoint: whole or refused, and never another's."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from resnet_edge.core.errors import DataError, UsageError
from resnet_edge.training.checkpoint import Checkpoint, empty, open_checkpoint
from resnet_edge.training.unfinished import RECIPE, checkpoint_folder


def model(start: float, units: int = 3) -> keras.Model:
    """Two weights and what the optimizer keeps of them, each of one value."""
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
    network.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    network.optimizer.build(network.trainable_variables)
    for variable in (*network.variables, *network.optimizer.variables):
        variable.assign(keras.ops.full(variable.shape, start, variable.dtype))
    return network


def values(network: keras.Model) -> set[float]:
    every = (*network.variables, *network.optimizer.variables)
    return {float(value) for variable in every for value in np.ravel(np.asarray(variable))}


def test_the_last_whole_epoch_comes_back(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, 5)
    fresh = model(0)
    assert checkpoint.restore(fresh) == 0
    checkpoint.save(model(1), 1)
    checkpoint.save(model(7), 2)
    assert [file.name for file in tmp_path.iterdir()] == ["epoch-2.npz"]
    assert checkpoint.restore(fresh) == 2
    assert values(fresh) == {7.0}


def test_an_epoch_that_was_written_in_part_is_none(tmp_path: Path) -> None:
    Checkpoint(tmp_path, 5).save(model(1), 1)
    (tmp_path / "part.npz").write_bytes(b"PK")
    assert Checkpoint(tmp_path, 5).restore(model(0)) == 1


@pytest.mark.parametrize(
    "name", ["epoch-0.npz", "epoch-6.npz", "epoch-x.npz", "epoch-01.npz", "epoch--1.npz"]
)
def test_a_number_that_no_epoch_has_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(DataError, match=f"{name} is of no run of 5 epochs: remove the folder"):
        Checkpoint(tmp_path, 5).restore(model(0))


def test_the_state_of_another_network_changes_nothing(tmp_path: Path) -> None:
    Checkpoint(tmp_path, 5).save(model(1, 4), 1)
    ours = model(0)
    with pytest.raises(DataError, match="holds another network's state, or a damaged one: remove the folder"):
        Checkpoint(tmp_path, 5).restore(ours)
    assert values(ours) == {0.0}


def test_more_arrays_than_the_network_has_are_another_networks(tmp_path: Path) -> None:
    ours = model(0)
    every = [np.asarray(variable) for variable in (*ours.variables, *ours.optimizer.variables)]
    np.savez(tmp_path / "epoch-1.npz", *every, np.float32(0))
    with pytest.raises(DataError, match="another network's state"):
        Checkpoint(tmp_path, 5).restore(model(0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_state_that_is_not_finite_is_damaged(tmp_path: Path, value: float) -> None:
    Checkpoint(tmp_path, 5).save(model(value), 1)
    with pytest.raises(DataError, match="or a damaged one"):
        Checkpoint(tmp_path, 5).restore(model(0))


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_damaged_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "epoch-1.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"epoch-1\.npz is damaged \(.*\): remove the folder") as raised:
        Checkpoint(tmp_path, 5).restore(model(0))
    assert "\n" not in str(raised.value)


def test_one_stamp_goes_on_and_another_is_refused_where_work_would_be_lost(tmp_path: Path) -> None:
    out = tmp_path / "net.keras"
    folder = open_checkpoint(out, {"seed": 0}, resume=False)
    assert folder == checkpoint_folder(out)
    Checkpoint(folder, 5).save(model(1), 1)
    assert open_checkpoint(out, {"seed": 0}, resume=True) == folder
    assert (folder / "epoch-1.npz").is_file()
    for how in ({"resume": False}, {"resume": True}, {"resume": True, "overwrite": True}):
        with pytest.raises(UsageError, match="another recipe or other data: .* give it up with --overwrite"):
            open_checkpoint(out, {"seed": 1}, **how)
    open_checkpoint(out, {"seed": 1}, resume=False, overwrite=True)
    assert [file.name for file in folder.iterdir()] == [RECIPE]


def test_without_work_another_stamp_takes_its_place(tmp_path: Path) -> None:
    out = tmp_path / "net.keras"
    folder = open_checkpoint(out, {"seed": 0}, resume=False)
    before = (folder / RECIPE).read_bytes()
    open_checkpoint(out, {"seed": 1}, resume=False)
    assert (folder / RECIPE).read_bytes() != before


def test_a_link_is_removed_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").touch()
    folder = tmp_path / "folder"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "photos")
    empty(folder)
    assert [*folder.iterdir()] == []
    assert (tmp_path / "photos/a.png").is_file()
