"""What the classes are called, and whose word counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.data.class_names import as_lines, chosen_names, class_names_in
from resnet_edge.data.images_task import Images


def facts(*names: str) -> ModelFacts:
    return ModelFacts(
        name="net",
        source="net.keras",
        sha256="",
        parameters=1,
        macs=None,
        input_shape=(4, 4, 1),
        head=Head.of_classes(3, "logits"),
        class_names=names,
        preprocessing=PRESETS["unit"],
    )


def images(*names: str) -> Images:
    return Images(
        images="images.npy", labels="labels.npy", n=9, class_names=names, source="photos", sha256=""
    )


def test_the_user_comes_before_the_model_and_the_model_before_the_data() -> None:
    a, b, c = ("a", "b", "c"), ("d", "e", "f"), ("g", "h", "i")
    assert chosen_names(a, facts(*b), images(*c)) == a
    assert chosen_names((), facts(*b), images(*c)) == b
    assert chosen_names((), facts(), images(*c)) == c
    assert chosen_names((), facts(), images()) == ()


def test_data_that_numbers_the_classes_in_another_order_is_refused() -> None:
    with pytest.raises(DataError, match="in another order"):
        chosen_names((), facts("cat", "ant", "bee"), images("ant", "bee", "cat"))


def test_names_may_repeat_and_need_not_be_ascii(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("\ufeffkraan\nkraan\nœuf 日本\n", encoding="utf-8")
    assert class_names_in(file) == ("kraan", "kraan", "œuf 日本")


def test_names_are_spelled_as_their_languages_and_emoji_are(tmp_path: Path) -> None:
    names = ("می\u200cخواهم", "क्\u200dष", "👩\u200d🍳")
    file = tmp_path / "labels.txt"
    file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    assert class_names_in(file) == names


def test_a_name_that_shows_as_another_is_refused_by_its_character(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("cat\nnot\u202egod\n", encoding="utf-8")
    with pytest.raises(DataError) as raised:
        class_names_in(file)
    assert str(raised.value) == (
        f"{file} has a class called not\\u202egod: character 4 is U+202E (RIGHT-TO-LEFT OVERRIDE); rename it "
        "without that character"
    )


@pytest.mark.parametrize("content", [b"", b"a\n\nb\n", b"\xff\xfe\x00"])
def test_a_file_that_names_no_classes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(DataError, match="labels.txt"):
        class_names_in(tmp_path / "labels.txt")


def test_a_name_takes_one_line() -> None:
    assert as_lines(("a\nb", "c")) == "a b\nc\n"


def test_a_list_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "labels.txt").open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(DataError, match="more bytes than any list of class names"):
        class_names_in(tmp_path / "labels.txt")
    with pytest.raises(DataError, match="it is a device, and no file"):
        class_names_in(Path("/dev/zero"))  # which says that it is empty
