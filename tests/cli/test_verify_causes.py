"""`resnet-edge verify`: causes, integers, calibration images and the page, as a user asks for them."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.cli.conftest import Given
from tests.cli.conversion import Place
from tests.cli.test_verify import document, verified


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "verify")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_causes_and_a_page(place: Place, given: Given, converted: Path) -> None:
    before = keras.models.load_model(given.model, compile=False)
    layer = next(layer for layer in before.layers if isinstance(layer, keras.layers.Conv2D))
    kernel, *rest = layer.get_weights()
    layer.set_weights([kernel + np.random.default_rng(0).normal(0, kernel.std(), kernel.shape), *rest])
    before.save(place.here / "before.keras")
    words = ("--attribute", "300", "--unpruned", "before.keras", "--html", "page.html", "--json")
    ended = verified(place, given, converted / "tiny.int8.tflite", converted / "tiny.int8.onnx", *words)
    assert ended.code == 0, ended.err
    for attribution in document(ended)["attribution"]:
        by_cause = {share["cause"]: share for share in attribution["shares"]}
        assert [*by_cause] == ["pruning", "preprocessing", "conversion", "quantization", "kernels"]
        assert attribution["n"] == 300
        assert by_cause["pruning"]["changed"] > 0.05
        assert by_cause["preprocessing"]["changed"] == by_cause["conversion"]["changed"] == 0
        assert attribution["whole"]["drop_pp"] == pytest.approx(
            sum(share["drop_pp"] for share in by_cause.values())
        )
        assert attribution["kernels"]["within"] is True
        assert attribution["kernels"]["tolerance"]["unit"] == "steps"
    page = (place.here / "page.html").read_text("utf-8")
    assert "Where the gap comes from" in page
    assert "Pruning" in page


@pytest.mark.slow
def test_what_int8_ran_as_and_that_it_cannot_overflow(place: Place, given: Given, converted: Path) -> None:
    files = [converted / f"tiny.{name}" for name in ("int8.tflite", "int8.onnx", "fp32.onnx")]
    ended = verified(place, given, *files, "--attribute", "0", "--json")
    assert ended.code == 0, ended.err
    verification = document(ended)
    assert verification["attribution"] == []
    assert {(ran["artifact"], ran["backend"]) for ran in verification["execution"]} == {
        ("tiny.int8.tflite", "litert"),
        ("tiny.int8.onnx", "onnxruntime"),
    }
    for ran in verification["execution"]:
        assert ran["int8_macs"] == ran["stated_int8_macs"] == ran["macs"] > 0
    (risk,) = verification["int8_risk"]
    assert risk["artifact"] == "tiny.int8.onnx"
    assert (risk["n"], risk["ways"]) == (0, []), "nothing is emulated"
    assert [layer["at_risk"] for layer in risk["layers"]] == [0] * 4
    assert risk["advice"] == ["no sum of int8 products can overflow, whatever the processor"]


def unfused(source: Path, out: Path) -> None:
    """A maximum that no number is below, behind the second convolution: the same numbers in float."""
    model = onnx.load(source)
    node = [node for node in model.graph.node if node.op_type == "Conv"][1]
    least = numpy_helper.from_array(np.array(-1e9, np.float32), "least")
    given, node.output[0] = node.output[0], f"{node.output[0]}.before"
    model.graph.initializer.append(least)
    at = [*model.graph.node].index(node) + 1
    model.graph.node.insert(at, helper.make_node("Max", [node.output[0], "least"], [given], name="max"))
    onnx.save(model, out)


@pytest.mark.slow
def test_int8_that_runs_in_float_is_told(place: Place, given: Given, converted: Path) -> None:
    unfused(converted / "tiny.int8.onnx", place.here / "unfused.onnx")
    ended = verified(place, given, "unfused.onnx", "--json")
    assert ended.code == 0, ended.err
    (row,) = document(ended)["parity"]
    assert row["drop_pp"] < 1
    assert any("of what the file multiplies in integers in float" in reason for reason in row["reasons"])
    (ran,) = document(ended)["execution"]
    assert ran["int8_macs"] < ran["stated_int8_macs"]
    assert ran["in_float"]


@pytest.mark.slow
def test_calibration_images_are_looked_at(place: Place, given: Given, converted: Path) -> None:
    words = ("--calibration", given.data, "--attribute", "0", "--images", "600")
    ended = verified(place, given, converted / "tiny.int8.tflite", *words, "--json")
    assert ended.code == 5
    (row,) = document(ended)["parity"]
    assert "give --data and --calibration different images" in row["reasons"][0]
    lint = document(ended)["calibration_lint"]
    assert "leakage" in {finding["kind"] for finding in lint["findings"]}
    assert "ranges" in lint["checked"]
    ended = verified(place, given, converted / "tiny.int8.tflite", *words)
    assert "error in the calibration:" in ended.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--html", "page.txt"), "ends in .html"),
        (("--calibration", "nowhere"), "does not exist"),
        (("--unpruned", "nowhere.keras"), "nowhere.keras"),
        (("--unpruned", "resnet20", "--attribute", "0"), "--unpruned is for causes"),
        (("--golden", "g.npz", "--html", "page.html"), "--html cannot be used with --golden"),
        (("--golden", "g.npz", "--calibration", "c.npz"), "--calibration cannot be used with --golden"),
        (("--golden", "g.npz", "--max-drop", "2"), "--max-drop cannot be used with --golden"),
        (("--golden", "g.npz", "--no-explain"), "--explain/--no-explain cannot be used with --golden"),
        (("--golden-images", "3"), "name a file with --save-golden"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: tuple[str, ...], said: str, place: Place, given: Given, converted: Path
) -> None:
    if "--golden" in words:
        ended = place.run(str(converted / "tiny.int8.tflite"), *words)
    else:
        ended = verified(place, given, converted / "tiny.int8.tflite", *words)
    assert ended.code in (2, 3)
    assert said in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_a_model_of_other_classes_is_no_model_before_pruning(
    place: Place, given: Given, converted: Path
) -> None:
    ended = verified(place, given, converted / "tiny.int8.tflite", "--unpruned", "resnet20", "--images", "40")
    assert ended.code == 3
    assert "with --unpruned" in ended.err
