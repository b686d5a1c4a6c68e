"""The choices of a search, in TOML and on the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_edge.core.errors import DataError, UnknownName, UsageError
from resnet_edge.searching.space import CHOICES, Space
from resnet_edge.searching.space_file import chosen, read_space, space_text, unused, values_in, values_of


def of(space: Space) -> dict[str, tuple[object, ...]]:
    return {name: space.values(name) for name in CHOICES}


def written(folder: Path, text: str) -> Path:
    path = folder / "space.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_fixes_and_chooses(tmp_path: Path) -> None:
    text = """
        [search]
        objectives = ["accuracy", "size"]
        max_drop = 2
        max_latency = "3ms"
        max_size = "1MB"
        max_download = 900_000
        [space]
        scheme = "int8"
        amount = [0.25, 0.5]
        input_size = ["native", 24, "20x28"]
        epochs = 3
        calibrator = ["MSE", "auto"]
    """
    file = read_space(written(tmp_path, text))
    assert file.objectives == ("accuracy", "size")
    assert file.limits == {
        "max_drop_pp": 2.0,
        "max_latency_ms": pytest.approx(3.0),
        "max_size": 1_000_000,
        "max_download": 900_000,
    }
    assert file.space == {
        "scheme": ("int8",),
        "amount": (0.25, 0.5),
        "input_size": (None, (24, 24), (20, 28)),
        "epochs": (3,),
        "calibrator": ("mse", "auto"),
    }


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    file = read_space(written(tmp_path, ""))
    assert (file.space, file.objectives, file.limits) == ({}, None, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[space]\nscheme = []", "scheme has an empty list: give it a value, or leave it out"),
        ("[space]\nscheme = 8", "scheme: 8 is no text: write it in quotes"),
        ("[space]\namount = 1", "amount: 1 is no share that can go: give one from 0 to below 1"),
        ("[space]\namount = -0.1", "amount: -0.1 is no share"),
        ("[space]\namount = nan", "is no share"),
        ('[space]\namount = "0.5"', 'amount: "0.5" is no number'),
        ("[space]\namount = true", "amount: true is no number"),
        ("[space]\nepochs = 1.5", "epochs: 1.5 is no count: give a whole number, 0 or more"),
        ("[space]\nepochs = -1", "epochs: -1 is no count"),
        ("[space]\nmultiple = 0", "multiple: 0 is too few: give a whole number, 1 or more"),
        ('[space]\ninput_size = "0x20"', "is no input size: give HxW in pixels"),
        ('[space]\ninput_size = "20x"', "is no input size"),
        ("[space]\ninput_size = 20.0", "is no input size"),
        ("[space]\ninput_size = true", "is no input size"),
        ("[space]\ninput_size = 99999", "is no input size"),
        ("space = 3", "space is no table: write its values under a line [space]"),
        ("[search]\nmax_drop = 101", "max_drop: 101 is no drop: give percentage points, from 0 to 100"),
        ("[search]\nmax_latency = 3", 'max_latency: 3 has no unit: write a time in quotes, as "3ms"'),
        ('[search]\nmax_latency = "3"', "is no time: give a time, as in 3ms"),
        ('[search]\nmax_size = "big"', "max_size: 'big' is no size"),
        ("[search]\nmax_size = 0", "max_size: '0' is no size"),
        ("[search]\nmax_size = 1.5", "max_size: 1.5 is no size: give whole bytes"),
        ("[search]\nobjectives = []", "objectives has an empty list"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_space(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[space]\nshceme = 'int8'", "did you mean scheme"),
        ("[space]\nscheme = 'int9'", "did you mean int8"),
        ("[space]\npruning = 'chanel'", "did you mean channel"),
        ("[space]\nrepair = 'some'", "choose from: auto, all, none"),
        ("[space]\nimportance = 'tailor'", "did you mean taylor"),
        ("[search]\nmax_dorp = 3", "did you mean max_drop"),
        ("[search]\nobjectives = ['latencies']", "did you mean latency"),
        ("[spaces]\nscheme = 'int8'", "did you mean space"),
    ],
)
def test_an_unknown_name_is_answered_with_the_one_that_was_meant(
    tmp_path: Path, text: str, near: str
) -> None:
    with pytest.raises(UnknownName) as caught:
        read_space(written(tmp_path, text))
    assert near in str(caught.value)


def test_what_is_no_toml_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no TOML file"):
        read_space(written(tmp_path, "[space\n"))
    with pytest.raises(DataError, match="cannot be read"):
        read_space(tmp_path / "none.toml")
    with pytest.raises(DataError, match="cannot be read"):
        read_space(tmp_path)
    (tmp_path / "space.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="is no TOML file"):
        read_space(tmp_path / "space.toml")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("scheme=int8,fp16", {"scheme": ("int8", "fp16")}),
        (" scheme = INT8 ", {"scheme": ("int8",)}),
        ("amount=0.2,0.20,.5", {"amount": (0.2, 0.5)}),
        ("epochs=0,3", {"epochs": (0, 3)}),
        ("input_size=native,24,20x28", {"input_size": (None, (24, 24), (20, 28))}),
    ],
)
def test_a_choice_on_the_command_line(text: str, values: dict[str, tuple[object, ...]]) -> None:
    assert values_in(text) == values
    assert chosen([text]) == values


def test_choices_from_python() -> None:
    assert chosen({"scheme": "fp32, int8"}) == {"scheme": ("fp32", "int8")}
    assert chosen({"scheme": ["int8"], "input_size": [(20, 28), None], "amount": 0.5}) == {
        "scheme": ("int8",),
        "input_size": ((20, 28), None),
        "amount": (0.5,),
    }


@pytest.mark.parametrize(
    "given_", ["scheme", "scheme=", "=int8", ["scheme=int8", "scheme=fp16"], "epochs=many", {"amount": "0.5"}]
)
def test_a_choice_that_says_nothing_is_refused(given_: object) -> None:
    with pytest.raises((UsageError, UnknownName)):
        chosen(given_)  # type: ignore[arg-type]  # what users give


def test_what_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    space = Space(input_size=(None, (20, 28)), epochs=(1, 3), remove_blocks=(0, 2), qat_epochs=(0, 1))
    limits = {"max_drop_pp": 0.7, "max_latency_ms": 0.1 + 0.2, "max_size": 123_456.0}
    file = read_space(written(tmp_path, space_text(of(space), ("accuracy", "size"), limits)))
    assert file.space == of(space)
    assert file.objectives == ("accuracy", "size")
    assert file.limits == pytest.approx(limits)


COUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True).map(tuple)
SPACES = st.builds(
    Space,
    input_size=st.lists(
        st.none() | st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=1, max_size=3, unique=True
    ).map(tuple),
    pruning=st.lists(
        st.sampled_from(["none", "channel", "magnitude"]), min_size=1, max_size=3, unique=True
    ).map(tuple),
    amount=st.lists(st.floats(0, 0.99), min_size=1, max_size=3, unique=True).map(tuple),
    remove_blocks=COUNTS,
    epochs=COUNTS,
    qat_epochs=COUNTS,
    scheme=st.lists(
        st.sampled_from(["fp32", "fp16", "dynamic", "int8"]), min_size=1, max_size=4, unique=True
    ).map(tuple),
)


@settings(max_examples=30, deadline=None)
@given(SPACES)
def test_every_choice_that_is_used_is_written_and_read_again(space: Space) -> None:
    import tomllib

    text = space_text(of(space), ("accuracy",), {})
    expected = {name: values for name, values in of(space).items() if name not in unused(space)}
    assert values_of(tomllib.loads(text)["space"]) == expected


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, []),
        ({"pruning": ("none",)}, ["amount", "importance", "multiple", "remove_blocks", "epochs"]),
        ({"pruning": ("magnitude",)}, ["importance", "multiple", "remove_blocks"]),
        (
            {"pruning": ("none",), "input_size": ((20, 20),)},
            ["amount", "importance", "multiple", "remove_blocks"],
        ),
        ({"scheme": ("fp16",)}, ["qat_epochs", "float_layers", "calibrator", "repair"]),
        ({"qat_epochs": (2,)}, ["float_layers", "calibrator"]),
        ({"qat_epochs": (0, 2)}, []),
    ],
)
def test_what_nothing_can_use_is_known(changed: dict[str, tuple[object, ...]], names: list[str]) -> None:
    space = replace(Space(), **changed)  # type: ignore[arg-type]  # of its own fields
    assert unused(space) == [name for name in CHOICES if name in names]
