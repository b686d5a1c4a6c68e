"""The search on a small network, and what it writes; the runtimes agree whatever it chose."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from resnet_edge.calibrate.calibration import MARGIN_DB, calibrate, read_ranges
from resnet_edge.calibrate.calibration_task import (
    Calibrate,
    Calibration,
    CalibratorName,
    RepairName,
)
from resnet_edge.conversion import artifacts
from resnet_edge.conversion.artifact_task import QuantizeGraph
from resnet_edge.conversion.notes import shared_scale
from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.formats import onnx as onnx_format
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.calibrate import measure_ranges
from resnet_edge.graph.quantization.calibrators import UNIT
from resnet_edge.graph.quantization.weighted import Constants, layers, write_constants
from resnet_edge.workers.progress import silent
from tests.formats import nets
from tests.graph.road import Road, litert, onnxruntime, road, scheme

HEAD = Head.of_classes(5, "logits")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Road:
    model = nets.residual_v1()
    return road(model, nets.images(model, n=40), tmp_path_factory.mktemp("calibration"))


@pytest.fixture
def request_(net: Road, tmp_path: Path) -> Calibrate:
    np.save(tmp_path / "images.npy", net.images)
    return Calibrate(
        portable=str(net.float_graph),
        images=str(tmp_path / "images.npy"),
        takes_pixels=False,
        head=HEAD,
        threads=1,
        folder=str(tmp_path),
    )


def int8(calibration: Calibration, folder: Path) -> Path:
    out = folder / "int8.tflite"
    artifacts.portable(
        QuantizeGraph(
            float_portable=calibration.portable,
            scheme="int8",
            ranges=calibration.ranges,
            output="logits",
            io="float32",
            out=str(out),
        ),
        silent,
    )
    return out


def test_auto_begins_with_plain_minmax_and_ends_no_worse(request_: Calibrate) -> None:
    calibration = calibrate(request_, silent)
    first = calibration.tried[0]
    assert first.sqnr_db is not None
    assert calibration.chosen.sqnr_db is not None
    assert (first.calibrator, first.repairs) == ("minmax", ())
    assert calibration.chosen in calibration.tried
    assert calibration.chosen == first or calibration.chosen.sqnr_db > first.sqnr_db + MARGIN_DB
    assert {trial.calibrator for trial in calibration.tried} == {"minmax", "percentile", "mse"}
    assert {name for trial in calibration.tried for name in trial.repairs} == {"round", "equalize", "bias"}
    assert (calibration.n, calibration.judged) == (40, 40)
    assert calibration.chosen.sqnr_db > first.sqnr_db + 0.5, "on this network there is something to gain"


def test_same_request_gives_the_same_files(request_: Calibrate, tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        calibration = calibrate(request_, silent)
        contents.append((Path(calibration.portable).read_bytes(), Path(calibration.ranges).read_bytes()))
    assert contents[0] == contents[1]


def test_minmax_without_repair_is_what_was_measured(request_: Calibrate, net: Road) -> None:
    calibration = calibrate(replace(request_, calibrator="minmax", repair="none"), silent)
    truth = measure_ranges(
        net.float_graph, (image[None] for image in net.images), takes_pixels=False, threads=1
    )
    truth = {name: (min(low, 0.0), max(high, 0.0)) for name, (low, high) in truth.items()}
    assert read_ranges(Path(calibration.ranges), "int8") == truth
    assert len(calibration.tried) == 1
    assert calibration.skipped == ()
    before, after = (layers(read_graph(Path(p))) for p in (net.float_graph, calibration.portable))
    for ours, theirs in zip(after, before, strict=True):
        np.testing.assert_array_equal(ours.kernel, theirs.kernel)


@pytest.mark.parametrize("repair", ["none", "all"])
@pytest.mark.parametrize("calibrator", get_args(CalibratorName))
def test_named_choices_are_what_is_done_and_runtimes_agree(
    calibrator: CalibratorName, repair: str, request_: Calibrate, net: Road, tmp_path: Path
) -> None:
    # `repair` is a text to mypy, and one of RepairName by the parameters above.
    request = replace(request_, calibrator=calibrator, repair=repair)  # type: ignore[arg-type]
    calibration = calibrate(request, silent)
    assert calibrator in ("auto", calibration.chosen.calibrator)
    assert calibration.chosen.repairs == (() if repair == "none" else ("round", "equalize", "bias"))
    tflite = int8(calibration, tmp_path)
    onnx_format.write(tflite, scheme("int8"), "net", tmp_path / "int8.onnx")
    ours = litert(tflite, net.images)
    np.testing.assert_array_equal(onnxruntime(tmp_path / "int8.onnx", net.images), ours)
    assert len(np.unique(ours)) > 20


def test_int16_gets_minmax_unless_a_calibrator_is_named(request_: Calibrate) -> None:
    for calibrator, alike in (("auto", False), ("mse", True)):
        calibration = calibrate(replace(request_, calibrator=calibrator, repair="none"), silent)  # type: ignore[arg-type]  # a str, one of those
        int16 = read_ranges(Path(calibration.ranges), "int16")
        if alike:
            assert int16 == read_ranges(Path(calibration.ranges), "int8")
        else:
            plain = calibrate(replace(request_, calibrator="minmax", repair="none"), silent)
            assert int16 == read_ranges(Path(plain.ranges), "int16")


def with_dead_feature(source: Path, out: Path) -> None:
    """The first output has one weight, a large one, and that on a feature that is always zero: it changes no
    answer, and the scale that all outputs share grows with it."""
    all_layers = layers(read_graph(source))
    constants: Constants = {}
    for layer in all_layers[-4:-1]:  # the convolutions of the last block
        kernel, bias = layer.kernel.copy(), np.array(layer.bias)
        kernel[0] = bias[0] = 0
        constants |= {(layer.index, 1): kernel, (layer.index, 2): bias}
    dense = all_layers[-1].kernel.copy()
    dense[0] = 0
    dense[0, 0] = 100
    write_constants(source, constants | {(all_layers[-1].index, 1): dense}, out)


@pytest.mark.parametrize("repair", ["none", "auto"])
def test_what_a_shared_scale_costs_is_found_out_and_told_where_it_is_most_of_the_noise(
    repair: RepairName, request_: Calibrate, net: Road, tmp_path: Path
) -> None:
    compared = replace(request_, calibrator="minmax", repair=repair, compare_dense_scales=True)
    plain = calibrate(compared, silent).shared_scale
    assert plain is not None
    assert plain.n == 40
    assert shared_scale(plain) == []
    with_dead_feature(net.float_graph, tmp_path / "dead.tflite")
    compared = replace(compared, portable=str(tmp_path / "dead.tflite"))
    calibration = calibrate(compared, silent)
    lossy = calibration.shared_scale
    assert lossy is not None
    assert lossy.per_tensor_db == calibration.chosen.sqnr_db
    assert lossy.per_channel_db > lossy.per_tensor_db + 10
    [note] = shared_scale(lossy)
    assert "more noise than all other rounding" in note
    assert "--dense-scales per-channel" in note
    fixed = calibrate(replace(compared, dense_scales="per-channel"), silent)
    assert fixed.chosen.sqnr_db is not None
    if fixed.chosen.repairs == calibration.chosen.repairs:
        assert fixed.chosen.sqnr_db == lossy.per_channel_db, "what was said is what the option gives"
    assert fixed.shared_scale is None, "nothing is shared"


def test_nothing_is_compared_unless_asked_for(request_: Calibrate) -> None:
    assert calibrate(replace(request_, calibrator="minmax", repair="none"), silent).shared_scale is None


def test_fixed_ranges_are_taken_as_they_are_and_weights_may_be_rounded_together(
    request_: Calibrate, net: Road, tmp_path: Path
) -> None:
    names = [t.name for t in read_graph(net.float_graph).tensors if t.data is None]
    (tmp_path / "fixed.json").write_text(json.dumps({names[2]: [-0.5, 1.5]}))
    some = calibrate(replace(request_, fixed=str(tmp_path / "fixed.json")), silent)
    assert read_ranges(Path(some.ranges), "int8")[names[2]] == (-0.5, 1.5)
    assert read_ranges(Path(some.ranges), "int16")[names[2]] == (-0.5, 1.5)
    assert {name for trial in some.tried for name in trial.repairs} == {"round", "bias"}
    (tmp_path / "fixed.json").write_text(json.dumps(dict.fromkeys(names, [-0.5, 1.5])))
    every = calibrate(replace(request_, fixed=str(tmp_path / "fixed.json")), silent)
    assert {trial.calibrator for trial in every.tried} == {"minmax"}, "no calibrator has anything to say"
    assert set(read_ranges(Path(every.ranges), "int8").values()) == {(-0.5, 1.5)}
    plain = calibrate(replace(request_, fixed=str(tmp_path / "fixed.json"), repair="none"), silent)
    assert len(plain.tried) == 1


def test_activation_that_is_always_zero_does_not_break_the_layer_behind_it(
    net: Road, request_: Calibrate, tmp_path: Path
) -> None:
    """Its scale would be 4e-12, and the int32 bias of the next layer would overflow."""
    graph = read_graph(net.float_graph)
    second = layers(graph)[1]
    assert second.bias is not None
    dead = {(second.index, 2): np.full_like(second.bias, -1000.0)}
    write_constants(net.float_graph, dead, tmp_path / "dead.tflite")
    calibration = calibrate(replace(request_, portable=str(tmp_path / "dead.tflite")), silent)
    assert read_ranges(Path(calibration.ranges), "int8")[second.output] == UNIT
    truth = litert(tmp_path / "dead.tflite", net.images)
    outputs = litert(int8(calibration, tmp_path), net.images)
    np.testing.assert_allclose(outputs, truth, atol=0.1 * np.abs(truth).max())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_activation_that_is_not_finite_is_refused(value: float, request_: Calibrate) -> None:
    images = np.load(request_.images)
    images[7, 0, 0, 0] = value
    np.save(request_.images, images)
    with pytest.raises(DataError, match="NaN or Inf at 'image'"):
        calibrate(request_, silent)


def test_no_image_is_refused(request_: Calibrate) -> None:
    np.save(request_.images, np.load(request_.images)[:0])
    with pytest.raises(DataError, match="no calibration image"):
        calibrate(request_, silent)
