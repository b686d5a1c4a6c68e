"""JSON of others: one line, whatever is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core.errors import DataError, ModelError
from resnet_edge.core.files import documents
from resnet_edge.core.files.documents import converted_to, object_in, read_json


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", "malformed"),
        (b'{"a": "\xff"}', "utf-8"),
        (b'{"a": NaN}', "malformed"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "nested too deeply"),
        (b'{"a": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", "nested too deeply"),
    ],
)
def test_what_is_no_document_is_told_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=says) as caught:
        read_json(path, dict[str, Any], "list of fruit", "eat it", ModelError)
    assert str(caught.value).startswith(f"{path} is no list of fruit (")
    assert str(caught.value).endswith("): eat it")
    assert "\n" not in str(caught.value)
    assert object_in(path) == {}


def test_brackets_in_texts_are_no_depth(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(r'{"a": "' + "[" * 500 + r'\"{{", "b": ' + "[" * 99 + "]" * 99 + "}")
    assert read_json(path, dict[str, Any], "list of fruit", "eat it")["a"] == "[" * 500 + '"{{'


def test_what_is_not_there_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read \(No such file or directory\): eat it"):
        read_json(tmp_path / "a.json", dict[str, Any], "list of fruit", "eat it")
    assert object_in(tmp_path / "a.json") == {}


def test_a_large_one_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(documents.LARGEST + 1)
    with pytest.raises(DataError, match=r"has more bytes than any list of fruit \(16,777,216\)"):
        read_json(path, dict[str, Any], "list of fruit", "eat it")


def test_a_part_of_one_has_its_type(tmp_path: Path) -> None:
    assert converted_to(tuple[int, ...], [1, 2], tmp_path, "list", "eat it") == (1, 2)
    with pytest.raises(DataError, match=r"is no list \(Expected `int`, got `str` - at `\$\[0\]`\): eat it"):
        converted_to(tuple[int, ...], ["1"], tmp_path, "list", "eat it")


@pytest.mark.parametrize(
    "deep", ["[" * 99 + "]" * 99, '{"a":' * 99 + "1" + "}" * 99, '["[[[", [{}, [{}]], "\\"]["]']
)
def test_what_is_as_deep_as_allowed_is_read(tmp_path: Path, deep: str) -> None:
    (tmp_path / "a.json").write_text(f"[{deep}]")
    assert read_json(tmp_path / "a.json", Any, "list", "fix it")


@pytest.mark.parametrize(
    "brackets", ["[" * 101 + "]" * 101, "[{" * 51 + "1" + "}]" * 51, "[" * 200_000 + "]" * 200_000]
)
def test_what_is_deeper_is_refused(tmp_path: Path, brackets: str) -> None:
    (tmp_path / "a.json").write_text(brackets.replace("{", '{"a":'))
    with pytest.raises(DataError, match="nested too deeply"):
        read_json(tmp_path / "a.json", Any, "list", "fix it")


@pytest.mark.parametrize("brackets", ["[", "]", "[}", "[[]", "[1, {]}"])
def test_brackets_that_do_not_match_are_told_as_such(tmp_path: Path, brackets: str) -> None:
    (tmp_path / "a.json").write_text(brackets)
    with pytest.raises(
        DataError, match=r"is no list \(JSON is malformed|is no list \(Input data was truncated"
    ):
        read_json(tmp_path / "a.json", Any, "list", "fix it")


def test_a_whole_number_beyond_64_bits_is_refused(tmp_path: Path) -> None:
    """Python reads it, and whoever makes a float of it breaks."""
    path = tmp_path / "a.json"
    path.write_text(f'{{"a": {10**400}}}')
    with pytest.raises(DataError, match=r"a\.json is no report \(a whole number .* 20 digits"):
        read_json(path, dict, "report", "write it again")
    path.write_text(f'{{"a": 0.{"1" * 40}, "b": "{10**40}", "c": 1{"0" * 30}.5, "d": {2**63}}}')
    assert read_json(path, dict, "report", "write it again")["d"] == 2**63
