"""Tests of what a name becomes in the name of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.core.files.file_names import is_safe, safe_name


def test_names_are_safe_for_files() -> None:
    assert safe_name("my net (final)") == "my-net-final"
    assert safe_name("..") == "model"
    assert safe_name("resnet50-v1.5") == "resnet50-v1.5"


@given(st.text())
def test_no_name_leads_out_of_a_folder(text: str) -> None:
    name = safe_name(text)
    assert (Path("/folder") / name).parent == Path("/folder")
    assert len(name.encode()) < 200
    assert is_safe(name)


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a/b", "a\\b", "..", ".", "", "a b", "größe", "a\n"])
def test_what_is_no_name_is_told(name: str) -> None:
    assert not is_safe(name)
