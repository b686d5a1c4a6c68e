"""Names that options take, and which functions refuse at once, whatever they come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import numpy as np
import pytest
from click.testing import CliRunner

import resnet_edge
from resnet_edge.api.checked import ValueRule, hints_of
from resnet_edge.api.names import augmentations, backends, layers, profiles, runtimes, schemes, words
from resnet_edge.cli import main
from resnet_edge.core.errors import UnknownName, UsageError
from tests.api.test_signatures import COMMANDS

IMAGES = np.zeros((4, 8, 8, 3), np.uint8)


@pytest.mark.parametrize("value", ["a, b,a", ["a", "b"], ("a", " b "), iter(["a", "b"])])
def test_names_with_commas_and_names_one_by_one_are_the_same(value: Any) -> None:
    assert words(value) == ("a", "b")


@pytest.mark.parametrize("value", ["", " ", [], (), [""], ","])
def test_nothing_is_no_list_of_names(value: Any) -> None:
    with pytest.raises(UsageError, match="nothing is named: give at least one name"):
        words(value)


@pytest.mark.parametrize("value", ["a,", ["a", ""], ["a", " "]])
def test_an_empty_name_is_none(value: Any) -> None:
    with pytest.raises(UsageError, match="one of the names 'a', '' is empty"):
        words(value)


def test_a_backend_may_name_its_device_and_a_scheme_may_not() -> None:
    assert backends("litert:cpu, onnxruntime") == ("litert:cpu", "onnxruntime")
    with pytest.raises(UsageError, match="'litert:' names no device: write it as litert:cpu"):
        backends(["litert:"])
    with pytest.raises(UnknownName, match="int8:cpu"):
        schemes("int8:cpu")


def test_profiles_go_by_the_names_that_users_give() -> None:
    assert profiles("litert,android-tasks,litert") == ("litert", "android_tasks")
    with pytest.raises(UnknownName, match="no profile is called 'ios'; choose from: .*android-tasks"):
        profiles("litert,ios")


def test_to_want_none_is_said() -> None:
    assert (augmentations("none"), augmentations([]), layers(["none"]), runtimes("")) == ((), (), (), ())
    assert augmentations("flip,crop") == ("flip", "crop")
    with pytest.raises(UnknownName, match="no augmentation is called 'none'; choose from: flip, crop, erase"):
        augmentations("flip,none")


NEEDED: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "convert": (("resnet20",), {"data": IMAGES}),
    "verify": (("net.onnx",), {"reference": "resnet20", "data": IMAGES}),
    "verify_golden": (("golden.npz", "net.onnx"), {}),
    "bench": (("net.onnx",), {}),
    "prune": (("resnet20",), {"method": "channel", "data": IMAGES, "out": "net.keras"}),
    "qat": (("resnet20",), {"data": IMAGES, "out": "net.keras"}),
    "train": ((), {"arch": "resnet8", "data": IMAGES, "out": "net.keras"}),
    "package": (("dist",), {}),
    "inspect": (("net.onnx",), {"data": IMAGES}),
    "host_prepare": (("pi4",), {}),
    "search": (("resnet20",), {"data": IMAGES}),
}


def named() -> list[tuple[str, str]]:
    """Every function and option of it whose values are names that are held to be such."""
    return [
        (name, option)
        for name in NEEDED
        for option, hint in hints_of(getattr(resnet_edge, name)).items()
        if any(isinstance(each, ValueRule) for part in (hint, *get_args(hint)) for each in get_args(part))
    ]


def test_all_options_that_take_names_are_held() -> None:
    assert {option for _, option in named()} == {
        "augment", "backend", "backends", "cluster", "exclude", "formats", "labels", "profiles", "resize",
        "runtimes", "scheme", "schemes",
        # of search, also times and sizes
        "budget", "choose", "max_download", "max_latency", "max_size", "objectives",
    }  # fmt: skip
    without = {"doctor", "host show", "host remove"}
    assert set(NEEDED) >= {name.replace(" ", "_") for name in COMMANDS if name not in without}


WRONG: dict[str, list[Any]] = {
    "runtimes": ["tflite", ["tflite"]],
    "labels": [[], ["a", ""]],
    "resize": ["", "spline", Path("gone.json")],
    "backend": ["", "cudnn", "litert:"],
    "scheme": ["", "int4"],
    "exclude": ["", ["a", ""]],
    "augment": ["", ["", "flip"], "spin"],
    "cluster": ["", "dask://10.0.0.1:8786", "ray:"],
}


def wrong() -> list[tuple[str, str, Any]]:
    return [
        (name, option, value)
        for name, option in named()
        for value in WRONG.get(option, ["", [], ["", "a"], "nowhere", iter(["nowhere"])])
    ]


@pytest.mark.parametrize(("name", "option", "value"), wrong())
def test_a_wrong_name_is_refused_before_any_work(here: Path, name: str, option: str, value: Any) -> None:
    words, options = NEEDED[name]
    with pytest.raises((UsageError, UnknownName), match=rf"^--{option.replace('_', '-')}[: ]") as refused:
        getattr(resnet_edge, name)(*words, **{**options, option: value})
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["convert", "--formats", ""], "--formats: nothing is named"),
        (["convert", "--formats", "coreml"], "--formats: no format is called 'coreml'; choose from: onnx"),
        (["convert", "--schemes", "fp32,"], "--schemes: one of the names 'fp32', '' is empty"),
        (["convert", "--backends", "cudnn"], "--backends: no backend is called 'cudnn'"),
        (["convert", "--runtimes", "tflite=2"], "--runtimes: 'tflite=2' names no oldest runtime"),
        (["convert", "--data", ""], "--data '': give a name"),
        (["convert", ""], "--model '': give a name"),
        (["package", "dist", "--profiles", "ios"], "--profiles: no profile is called 'ios'"),
        (["package", "dist", "--resize", "spline"], "--resize: no resize is called 'spline'"),
        (
            ["verify", "--golden", "g.npz", "a.onnx", "--backends", "x"],
            "--backends: no backend is called 'x'",
        ),
        (["train", "--arch", "resnet8", "--data", "x", "--out", "n.keras", "--augment", "spin"], "'spin'"),
    ],
)
def test_the_command_line_says_the_same(here: Path, words: list[str], message: str) -> None:
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, message in done.stderr) == (2, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert list(here.iterdir()) == []


def test_a_command_checks_no_name_by_itself() -> None:
    """Whatever the command line takes as a text of names, the function of the command holds to be such."""
    for name, option in named():
        command = main.get_command(click.Context(main), name)
        param = next((each for each in command.params if each.name == option), None) if command else None
        assert param is None or param.callback is None, (name, option)
