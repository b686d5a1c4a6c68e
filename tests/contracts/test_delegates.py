"""What delegates/__init__.py asks of every file in that folder."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, MissingDependency
from resnet_edge.core.results.outlook import Outlook
from tests.bundle.delegates import files

KINDS = {"documented", "measured", "estimated"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """small.tflite, all integers, and small.onnx, in float32; broken.* and empty.*."""
    import tensorflow as tf

    files_folder = tmp_path_factory.mktemp("files")
    files.write_tflite(files_folder / "small.tflite", tf.nn.relu, int8=True)
    files.write_onnx(files_folder / "small.onnx", "Relu")
    for suffix in ("tflite", "onnx"):
        whole = (files_folder / f"small.{suffix}").read_bytes()
        (files_folder / f"broken.{suffix}").write_bytes(whole[: len(whole) // 2])
        (files_folder / f"empty.{suffix}").write_bytes(b"")
    return files_folder


@pytest.fixture(params=registry.names("bundle.delegates"))
def named(request: pytest.FixtureRequest) -> tuple[str, Any]:
    try:
        return request.param, registry.load("bundle.delegates", request.param)
    except MissingDependency as error:
        pytest.skip(str(error))


def outlook(module: Any, path: Path, format: str) -> Outlook:
    try:
        stated = module.outlook(path, format)
    except MissingDependency as error:
        pytest.skip(str(error))
    assert isinstance(stated, Outlook)
    return stated


def test_says_what_it_is_and_where_its_rules_come_from(named: tuple[str, Any]) -> None:
    _, module = named
    assert module.TITLE
    assert set(registry.names("formats")) >= module.FORMATS
    assert module.SOURCE
    assert module.__doc__


def test_every_operation_is_taken_or_left_with_a_reason(named: tuple[str, Any], folder: Path) -> None:
    name, module = named
    for format in module.FORMATS:
        stated = outlook(module, folder / f"small.{format}", format)
        assert (stated.delegate, stated.title.startswith(module.TITLE)) == (name, True)
        assert stated.ops_total == 3
        assert stated.ops_taken + sum(each.count for each in stated.left) == stated.ops_total
        assert all(each.count > 0 and each.reason for each in stated.left)
        assert stated.mac_share is None or 0 <= stated.mac_share <= 1


def test_statement_has_its_source_and_its_date(named: tuple[str, Any], folder: Path) -> None:
    _, module = named
    for format in module.FORMATS:
        stated = outlook(module, folder / f"small.{format}", format)
        assert stated.kind in KINDS
        if stated.kind == "documented":
            assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", stated.date)
            assert stated.source == module.SOURCE
        else:  # a tool was asked, and its version tells when that was
            assert re.search(r"\d+\.\d+", stated.source)


def test_sentence_tells_counts_and_how_they_are_known(named: tuple[str, Any], folder: Path) -> None:
    _, module = named
    for format in module.FORMATS:
        stated = outlook(module, folder / f"small.{format}", format)
        assert f"{stated.ops_taken} of {stated.ops_total} operations" in stated.sentence
        assert "\n" not in stated.sentence
        how = {"documented": "documentation", "measured": "measured", "estimated": "estimate"}[stated.kind]
        assert how in stated.sentence
        assert all(warning in stated.sentence for warning in stated.warnings)


def test_same_file_gives_the_same_outlook(named: tuple[str, Any], folder: Path) -> None:
    _, module = named
    for format in module.FORMATS:
        one, other = (outlook(module, folder / f"small.{format}", format) for _ in range(2))
        assert dataclasses.asdict(one) == dataclasses.asdict(other)


@pytest.mark.parametrize("what", ["broken", "empty", "absent"])
def test_file_that_is_none_is_one_line(named: tuple[str, Any], folder: Path, what: str) -> None:
    _, module = named
    for format in module.FORMATS:
        with pytest.raises(ArtifactError) as caught:
            outlook(module, folder / f"{what}.{format}", format)
        assert f"{what}.{format}" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_format_that_it_is_not_asked_about_is_refused(named: tuple[str, Any], folder: Path) -> None:
    _, module = named
    for format in set(registry.names("formats")) - module.FORMATS:
        with pytest.raises(ArtifactError, match="this delegate takes"):
            module.outlook(folder / f"small.{format}", format)
