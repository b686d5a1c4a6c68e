from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from resnet_edge.compatibility.tflite import minimums, stated_minimum, understated
from resnet_edge.core import registry
from resnet_edge.graph.io_adapter import Border, surround
from resnet_edge.graph.model import load_model, save_model
from resnet_edge.graph.versions.operation import builtin_name
from resnet_edge.graph.versions.stamp import set_versions
from tests.graph.road import Road, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
MINIMUM = {"fp32": "1.6", "fp16": "1.15", "dynamic": "2.4", "int8": "1.14", "int16x8": "2.4"}


def versions(model: Any) -> dict[str, int]:
    return {builtin_name(code): code.version for code in model.operatorCodes}


def written(road: Road, name: str, folder: Path) -> Path:
    out = folder / f"{name}.tflite"
    registry.load("formats", "tflite").write(road.portable(name), scheme(name), "net", out)
    return out


@pytest.mark.parametrize("name", list(MINIMUM))
def test_files_say_what_they_need_and_no_more(name: str, tmp_path: Path, residual: Road) -> None:
    path = written(residual, name, tmp_path)
    model = load_model(path)
    oldest = minimums(model)
    assert oldest[0].version == MINIMUM[name]
    assert stated_minimum(model) == f"{MINIMUM[name]}.0"
    assert understated(model, oldest) == []
    Interpreter(str(path)).allocate_tensors()


def test_what_an_app_gets_is_told_anew(tmp_path: Path, residual: Road) -> None:
    path = written(residual, "int8", tmp_path)
    surround(path, tmp_path / "app.tflite", Border(input="float32", output="uint8", softmax=True))
    model = load_model(tmp_path / "app.tflite")
    assert versions(model) == {**versions(load_model(path)), "SOFTMAX": 1}
    assert stated_minimum(model) == f"{minimums(model)[0].version}.0"
    Interpreter(str(tmp_path / "app.tflite")).allocate_tensors()


def test_codes_without_rules_stay(tmp_path: Path, residual: Road) -> None:
    model = load_model(written(residual, "int8", tmp_path))
    own, unused = schema.OperatorCodeT(), schema.OperatorCodeT()
    own.customCode, own.builtinCode, own.version = b"Own", schema.BuiltinOperator.CUSTOM, 7
    unused.builtinCode, unused.deprecatedBuiltinCode = schema.BuiltinOperator.GELU, 127
    unused.version = 2
    model.operatorCodes += [own, unused]
    model.metadata = []
    set_versions(model)
    assert (own.version, unused.version) == (7, 1)
    save_model(model, tmp_path / "a.tflite")
    assert stated_minimum(load_model(tmp_path / "a.tflite")) == "2.8.0"  # runtimes look at unused ones too
