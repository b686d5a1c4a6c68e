from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.conversion.mixed_precision_choices import choose
from resnet_edge.conversion.mixed_precision_task import ChooseFloatLayers
from resnet_edge.core.head import Head
from resnet_edge.core.scheme import Io
from resnet_edge.workers.progress import Progress, silent
from tests.formats import nets
from tests.graph.mixed import HOSTILE, float_graph, hostile, named, ranges_of
from tests.graph.road import Road, road

HEAD = Head.of_classes(5, "logits")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def request_for(net: Road, folder: Path, io: Io = "float32") -> ChooseFloatLayers:
    np.save(folder / "images.npy", net.images)
    (folder / "ranges.json").write_text(json.dumps({"int8": ranges_of(net)}))
    graph = str(net.float_graph)
    return ChooseFloatLayers(
        exact=graph,
        repaired=graph,
        ranges=str(folder / "ranges.json"),
        scheme="int8",
        head=HEAD,
        io=io,
        images=str(folder / "images.npy"),
        threads=1,
        folder=str(folder),
    )


def test_choices_begin_with_plain_int8_and_then_the_hostile_layer(tmp_path: Path) -> None:
    model = hostile()
    progress: list[Progress] = []
    choices = choose(request_for(road(model, nets.images(model), tmp_path), tmp_path), progress.append)
    assert choices.choices[0].float_layers == ()
    # Its reader, whose smallest weights meet the largest numbers, may be taken first.
    assert any(HOSTILE in layer for choice in choices.choices[1:3] for layer in choice.float_layers)
    assert choices.n == 24
    assert progress[-1].done == progress[-1].total > 10


@pytest.mark.parametrize("io", ["uint8", "int8"])
def test_layers_at_an_integer_border_stay_int8(io: Io, tmp_path: Path) -> None:
    model = nets.residual_v1()
    residual = road(model, nets.images(model), tmp_path)
    graph = float_graph(residual)
    border = {named(graph)[0], named(graph)[-1]}
    free = choose(request_for(residual, tmp_path), silent).choices
    assert border & set(free[-1].float_layers), "else there is nothing to see here"
    kept = choose(request_for(residual, tmp_path, io), silent).choices
    assert len(kept) > 1
    assert all(not border & set(choice.float_layers) for choice in kept)
