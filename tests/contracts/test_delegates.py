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

    made = tmp_path_factory.mktemp("files")
    files.write_tflite(made / "small.tflite", tf.nn.relu, int8=True)
    files.write_onnx(made / "small.onnx", "Relu")
    for suffix in ("tflite", "onnx"):
        whole = (made / f"small.{suffix}").read_bytes()
        (made / f"broken.{suffix}").write_bytes(whole[: len(whole) // 2])
        (made / f"empty.{suffix}").write_bytes(b"")
    return made


@pytest.fixture(params=registry.names("bundle.delegates"))
def named(request: pytest.FixtureRequest) -> tuple[str, Any]:
    try:
        return request.param, registry.load("bundle.delegates", request.param)
    except MissingDependency as error:
        pytest.skip(str(error))


def outlook(module: Any, path: Path, format: str) -> Outlook:
    try:
        found = module.outlook(path, format)
    except MissingDependency as error:
        pytest.skip(str(error))
    assert isinstance(found, Outlook)
    return found


def test_says_what_it_is_and_where_its_rules_come_from(named: tuple[str, Any]) -> None:
    _, module = named
    assert module.TITLE
    assert set(registry.names("formats")) >= module.FORMATS
    assert module.SOURCE
    assert module.__doc__


def test_every_operation_is_taken_or_left_with_a_reason(named: tuple[str, Any], folder: Path) -> None:
    name, module = named
    for format in module.FORMATS:
        found = outlook(module, folder / f"small.{format}", format)
        assert (found.delegate, found.title.startswith(module.TITLE)) == (name, True)
        assert found.ops_total == 3
        assert found.ops_taken + sum(each.count for each in found.left) == found.ops_total
        assert all(each.count > 0 and each.reason for each in found.left)
        assert found.mac_share is None or 0 <= found.mac_share <= 1


def test_statement_has_its_source_and_its_date(named: tuple[str, Any], folder: Path) -> None:
    _, module = named
    for format in module.FORMATS:
        found = outlook(module, folder / f"small.{format}", format)
        assert found.kind in KINDS
        if found.kind == "documented":
            assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", found.date)
            assert found.source == module.SOURCE
        else:  # a tool was asked, and its version tells when that was
            assert re.search(r"\d+\.\d+", found.source)


def test_sentence_tells_counts_and_how_they_are_known(named: tuple[str, Any], folder: Path) -> None:
    _, module = named
    for format in module.FORMATS:
        found = outlook(module, folder / f"small.{format}", format)
        assert f"{found.ops_taken} of {found.ops_total} operations" in found.sentence
        assert "\n" not in found.sentence
        how = {"documented": "documentation", "measured": "measured", "estimated": "estimate"}[found.kind]
        assert how in found.sentence
        assert all(warning in found.sentence for warning in found.warnings)


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
