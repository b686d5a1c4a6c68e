from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.head import Head
from resnet_edge.core.results.error_growth import LayerError
from resnet_edge.core.scheme import Io
from resnet_edge.core.statistics import SQNR_CAP_DB, centred, sqnr_db
from resnet_edge.graph.interface import set_interface
from resnet_edge.graph.quantization.error_growth import measure_error_growth
from resnet_edge.graph.quantization.grids import MOVES
from resnet_edge.graph.quantization.quantize import quantize
from tests.formats import nets
from tests.graph.mixed import HOSTILE, float_graph, hostile, mixed_graph, named, ranges_of
from tests.graph.road import Road, litert, road, scheme

HEAD = Head.of_classes(5, "logits")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def growth(net: Road, artifact: Path, n: int = 4) -> tuple[LayerError, ...]:
    return measure_error_growth(net.float_graph, artifact, HEAD, [image[None] for image in net.images[:n]])


def layers_of(net: Road) -> int:
    graph = float_graph(net)
    return sum(node.op not in MOVES for node in graph.nodes)


def worst(layers: tuple[LayerError, ...]) -> LayerError:
    return max(layers, key=lambda layer: layer.fall_db or 0.0)


@pytest.mark.parametrize("name", ["int8", "int16x8", "dynamic"])
def test_every_layer_has_its_error_and_the_last_is_that_of_the_proof(name: str, residual: Road) -> None:
    artifact = residual.portable(name)
    errors = growth(residual, artifact)
    assert len(errors) == layers_of(residual)
    assert all(layer.sqnr_db is not None and layer.sqnr_db > 10 for layer in errors)
    assert errors[0].read_db is None
    assert all(layer.read_db is not None for layer in errors[1:])
    images = residual.images[:4]
    true, ours = centred(litert(residual.float_graph, images)), centred(litert(artifact, images))
    proved = sqnr_db(float(np.square(true).sum()), float(np.square(true - ours).sum()))
    assert errors[-1].sqnr_db == pytest.approx(proved, abs=0.3)  # XNNPACK fuses less where all is kept
    inner = [layer.steps for layer in errors[:-1]]
    if name == "dynamic":
        assert not any(inner)
    else:
        assert all(steps is not None and steps > 0.1 for steps in inner)


@pytest.mark.parametrize("name", ["bottleneck", "probabilities", "article", "mobile"])
def test_what_a_layer_reads_is_found_behind_what_only_moves_it(name: str, tmp_path: Path) -> None:
    """Padding, pooling and reshaping have no error of their own, and are no layers here."""
    model = getattr(nets, name)()
    net = road(model, nets.images(model), tmp_path)
    errors = growth(net, net.portable("int8"))
    assert len(errors) == layers_of(net)
    on_the_image = [layer for layer in errors if layer.read_db is None]
    assert on_the_image == [errors[0]]


@pytest.mark.parametrize("io", ["int8", "uint8"])
def test_an_integer_border_changes_no_layer(io: Io, residual: Road) -> None:
    plain, narrow = (
        growth(residual, residual.portable("int8")),
        growth(residual, residual.portable("int8", io)),
    )
    assert [layer.layer for layer in narrow] == [layer.layer for layer in plain]
    for ours, theirs in zip(narrow, plain, strict=True):
        assert ours.sqnr_db == pytest.approx(theirs.sqnr_db, abs=0.5)
    assert narrow[-1].steps is not None


def test_the_float_graph_has_no_errors(residual: Road) -> None:
    errors = growth(residual, residual.portable("fp32"))
    assert {layer.sqnr_db for layer in errors} == {SQNR_CAP_DB}
    assert {layer.steps for layer in errors} == {None}


def test_a_layer_on_a_grid_that_is_far_too_coarse_is_the_largest_fall(residual: Road, tmp_path: Path) -> None:
    """Its range is set a hundred times too wide; those behind it read what it gives."""
    ranges = ranges_of(residual)
    spoilt = named(float_graph(residual), "CONV_2D")[1]
    low, high = ranges[spoilt]
    out = tmp_path / "spoilt.tflite"
    quantize(residual.float_graph, scheme("int8"), ranges | {spoilt: (100 * low, 100 * high)}, out)
    set_interface(out, residual.output, "float32")
    good, bad = growth(residual, residual.portable("int8")), growth(residual, out)
    largest = worst(bad)
    assert largest.layer == spoilt.split(";")[0]
    assert largest.fall_db is not None
    assert largest.fall_db > 20
    assert worst(good).layer != largest.layer


def test_channels_of_very_different_size_show_where_they_are_read(tmp_path: Path) -> None:
    """The large channel hides the noise of the small ones until the next layer makes them equal."""
    model = hostile()
    net = road(model, nets.images(model), tmp_path)
    errors = growth(net, net.portable("int8"), n=8)
    assert "reader" in worst(errors).layer
    in_float = [name for name in named(float_graph(net)) if HOSTILE in name or "reader" in name]
    fixed = growth(net, mixed_graph(net, in_float, tmp_path), n=8)
    assert len(fixed) == len(errors)
    fall = worst(fixed).fall_db
    assert fall is not None
    assert fall < (worst(errors).fall_db or 0.0) - 10


def test_no_image_and_no_layer_in_common_are_errors(residual: Road, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no image"):
        growth(residual, residual.portable("int8"), n=0)
    (tmp_path / "broken.tflite").write_bytes(b"????TFL3")
    with pytest.raises(ArtifactError):
        growth(residual, tmp_path / "broken.tflite")
