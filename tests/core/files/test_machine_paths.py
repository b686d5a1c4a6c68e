"""What travels tells nothing of the machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import resnet_edge
from resnet_edge.core.files.machine_paths import without_machine_paths, without_machine_paths_in_command


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", ""),
        ("an int8 file", "an int8 file"),
        ("relative/path.keras and ../up", "relative/path.keras and ../up"),
        ("/usr/lib/python3/x.so is missing", "x.so is missing"),
        ("(full log: /tmp/resnet-edge-x1/a.log)", "(full log: resnet-edge-x1/a.log)"),
        ("see https://docs.example/usr/lib/page", "see https://docs.example/usr/lib/page"),
        ("file:///usr/lib/a.txt", "a.txt"),
        ("'/no/where/vela/bin/python' -m pip", "python -m pip"),
        ("venv '/no/Jane Doe/vela' && '/no/Jane Doe/vela'/bin/python", "venv vela && python"),
        ("1/2 of it, and / or more", "1/2 of it, and / or more"),
        (f"{sys.prefix}/bin/python -m venv {sys.prefix}/share/vela", "bin/python -m venv share/vela"),
        (f"{sys.prefix} is read-only", f"{Path(sys.prefix).name} is read-only"),
        (f"{Path.home()}/models/net.keras", "models/net.keras"),
        (f"{Path(resnet_edge.__file__).parents[1]}/calibration/net.keras", "calibration/net.keras"),
    ],
)
def test_texts(text: str, left: str) -> None:
    assert without_machine_paths(text) == left


def test_documents_and_further_roots(tmp_path: Path) -> None:
    root = tmp_path / "Jane Doe" / "dist"
    cleaned = without_machine_paths({"a": [f"{root}/net.tflite", 3, None, {"b": f"in {root}: x"}]}, [root])
    assert cleaned == {"a": ["net.tflite", 3, None, {"b": "in dist: x"}]}


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("resnet-edge convert --out dist", "resnet-edge convert --out dist"),
        (
            "resnet-edge convert '/somewhere/jane doe/net.keras' --data=/a/b.npz --out ../dist",
            "resnet-edge convert net.keras --data=b.npz --out ../dist",
        ),
        (
            "resnet-edge verify --data fashion-mnist:/data/sets/f",
            "resnet-edge verify --data fashion-mnist:f",
        ),
        ("resnet-edge 'unclosed /usr/lib/x", "resnet-edge 'unclosed x"),
    ],
)
def test_commands(line: str, left: str) -> None:
    assert without_machine_paths_in_command(line) == left


def test_the_folder_that_the_program_stands_in_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    place = Path(resnet_edge.__file__).parent.parent
    assert without_machine_paths(f"a {place}/calibration/a.npz b") == "a calibration/a.npz b"
