"""Tests of activation ranges inside a `.keras` file: they stay with their weights or are refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from resnet_edge.core.errors import ModelError
from resnet_edge.models import ModelRequest, OpenedModel, check_source, open_model
from resnet_edge.models.learned_ranges import MEMBER, WEIGHTS, embed
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
RANGES = {"trunk_stem_relu": (0.0, 3.1415927410125732), "head": (-1.5, 2.25), "/input": (0.0, 1.0)}


def opened(path: Path) -> OpenedModel:
    return open_model(ModelRequest(str(path), preprocess="unit"), silent)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "net.keras"
    nets.classifier().save(path)
    embed(path, RANGES)
    return path


def rewritten(path: Path, member: str, change: Callable[[bytes], bytes]) -> Path:
    out = path.with_name("changed.keras")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == member else content)
    return out


def test_they_come_back_to_the_last_bit(saved: Path) -> None:
    model = opened(saved)
    assert model.ranges == RANGES
    assert model.facts.learned_ranges == 3


def test_keras_reads_the_file_as_if_they_were_not_there(saved: Path) -> None:
    batch = nets.images()
    model = keras.models.load_model(saved, compile=False)
    np.testing.assert_array_equal(nets.outputs(model, batch), nets.outputs(nets.classifier(), batch))


def test_a_model_without_has_none(tmp_path: Path) -> None:
    nets.classifier().save(tmp_path / "net.keras")
    model = opened(tmp_path / "net.keras")
    assert (model.ranges, model.facts.learned_ranges) == (None, 0)


def test_a_model_that_is_saved_again_has_lost_them(saved: Path, tmp_path: Path) -> None:
    keras.models.load_model(saved, compile=False).save(tmp_path / "again.keras")
    assert opened(tmp_path / "again.keras").ranges is None


def test_they_are_embedded_once(saved: Path) -> None:
    with pytest.raises(ValueError, match="has activation ranges already"):
        embed(saved, RANGES)


def test_a_copy_by_another_zip_program_keeps_them(saved: Path) -> None:
    assert opened(rewritten(saved, "", bytes)).ranges == RANGES


def test_ranges_of_other_weights_are_refused(saved: Path, tmp_path: Path) -> None:
    other = nets.classifier()
    other.layers[-1].bias.assign([1, 2, 3, 4])
    other.save(tmp_path / "other.keras")
    weights = zipfile.ZipFile(tmp_path / "other.keras").read(WEIGHTS)
    changed = rewritten(saved, WEIGHTS, lambda _: weights)
    with pytest.raises(ModelError, match="learned with other weights than it holds: run qat again"):
        check_source(ModelRequest(str(changed)))


def edited(**changes: Any) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps({**json.loads(content), **changes}).encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content[:40], "is damaged .*: copy the file again, or run qat again"),
        (edited(schema=2), "is damaged"),
        (edited(more=1), "is damaged"),
        (edited(ranges={"head": [1.0]}), "is damaged"),
        (edited(ranges={"head": [0.0, "2"]}), "is damaged"),
        (edited(ranges={"head": [0.5, 1.0]}), "the range of head is 0.5 to 1.0"),
        (edited(ranges={"head": [0.0, 0.0]}), "the range of head is 0.0 to 0.0"),
        (lambda content: content.replace(b"2.25", b"1e999"), "is damaged|the range of head"),
    ],
)
def test_damage_is_told_before_any_work(saved: Path, change: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        check_source(ModelRequest(str(rewritten(saved, MEMBER, change))))
