"""A few hostile files through the real commands: what readers say in a warm worker is what a user sees."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_edge.core.sidecar import sidecar_path
from tests.cli.conversion import Place
from tests.graph import calling, endless
from tests.hostile.corpus import CASES

Words = Callable[[Path, Path], tuple[str, ...]]
"""Of the folder of seeds and the hostile file the words of a command."""


def _inspect(seeds: Path, file: Path) -> tuple[str, ...]:
    return "inspect", str(file)


def _package(seeds: Path, file: Path) -> tuple[str, ...]:
    return "package", str(file), "--data", str(seeds / "data.npz"), "--out", "out"


def _convert(seeds: Path, file: Path) -> tuple[str, ...]:
    return "convert", str(file), "--data", str(seeds / "data.npz"), "--out", "out", "--quiet"


def _on_data(seeds: Path, file: Path) -> tuple[str, ...]:
    return "convert", str(seeds / "model.keras"), "--data", str(file), "--out", "out", "--quiet"


def _prepared(seeds: Path, file: Path) -> tuple[str, ...]:
    return *_convert(seeds, seeds / "model.keras"), "--preprocess", str(file)


def _with_lineage(seeds: Path, file: Path) -> tuple[str, ...]:
    model = file.with_name("told.keras")
    shutil.copyfile(seeds / "model.keras", model)
    file.rename(sidecar_path(model))
    return _convert(seeds, model)


def _compare(seeds: Path, file: Path) -> tuple[str, ...]:
    return "bench", "--compare", str(file), str(file)


REFUSED: list[tuple[str, Words]] = [
    ("operators_without_outputs", _inspect),
    ("constant_of_unknown_type", _inspect),
    ("latency_is_text", _package),
    ("machine_is_a_list", _package),
    ("history_is_a_number", _package),
    ("nested_report", _package),
    ("nested_config", _convert),
    ("nested_sidecar", _with_lineage),
    ("nested_preprocessing", _prepared),
    ("nested_bench", _compare),
    ("member_that_is_no_array", _on_data),
    ("postscript_called_png", _on_data),
]


@pytest.mark.parametrize(("name", "words"), REFUSED, ids=[name for name, _ in REFUSED])
def test_a_command_refuses_it_in_one_line(seeds: Path, tmp_path: Path, name: str, words: Words) -> None:
    (tmp_path / "given").mkdir()
    command, *rest = words(seeds, CASES[name].make(seeds, tmp_path / "given"))
    place = Place(tmp_path, command)
    ended = place.run(*rest)
    assert (ended.code, ended.out) == (3, "")
    assert len(ended.err.splitlines()) == 1
    assert ended.errors
    assert str(tmp_path / "given") in ended.err or "given.keras" in ended.err
    assert "broke:" not in ended.err
    assert "a bug of" not in ended.err
    assert "Traceback" not in ended.err
    assert place.is_clean()
    assert not any(place.here.iterdir())


@pytest.mark.parametrize("name", ["name_not_utf8", "no_operators"])
def test_a_command_shows_it_without_moving_the_cursor(seeds: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "given").mkdir()
    path = CASES[name].make(seeds, tmp_path / "given")
    place = Place(tmp_path, "inspect")
    ended = place.run(str(path))
    assert (ended.code, ended.err) == (0, "")
    assert all(letter.isprintable() or letter == "\n" for letter in ended.out)


@pytest.mark.parametrize("backend", ["onnxruntime", "litert"])
def test_parts_that_call_each_other_without_end_are_counted_before(tmp_path: Path, backend: str) -> None:
    """Nothing goes through them: ONNX Runtime would write them out, LiteRT overflow its stack."""
    path = tmp_path / ("calling.onnx" if backend == "onnxruntime" else "calling.tflite")
    if backend == "onnxruntime":
        calling.write_onnx(path, 30)
    else:
        calling.write_tflite(path, 3, itself=True)
    place = Place(tmp_path, "bench")
    ended = place.run(str(path), "--backends", backend, "--quiet")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (3, "", 1), ended
    assert f"{path} has " in ended.err
    assert "damaged or hostile" in ended.err


@pytest.mark.parametrize("backend", ["onnxruntime", "litert"])
def test_a_loop_without_end_is_ended(tmp_path: Path, backend: str) -> None:
    write, suffix = (
        (endless.write_onnx, ".onnx") if backend == "onnxruntime" else (endless.write_tflite, ".tflite")
    )
    path, place = write(tmp_path / f"endless{suffix}"), Place(tmp_path, "bench")
    ended = place.run(
        *(str(path), "--backends", backend, "--quiet"), environment={"RESNET_EDGE_LOOP_SECONDS": "1"}
    )
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (3, "", 1), ended
    assert f"endless{suffix} has a loop, and took " in ended.err
    assert not place.processes()
