"""A last softmax or sigmoid in int8."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.graph import integer_scores
from resnet_edge.graph.integer_scores import MOST
from resnet_edge.graph.io_adapter import Border, surround
from resnet_edge.graph.model import load_model, read_graph
from tests.formats import nets
from tests.graph.road import Road, litert, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
BORDER = Border(input="int8", output="int8", integer_scores=True)
FLAT = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
reference = Interpreter(sys.argv[1], experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
reference.allocate_tensors()
image = reference.get_input_details()[0]
reference.set_tensor(image["index"], np.full(image["shape"], -128, np.int8))
reference.invoke()
print(*np.unique(reference.get_tensor(reference.get_output_details()[0]["index"])))
"""
"""On the kernels that TFLite Micro has, in a process of its own: they may end it."""


def head_road(folder: Path, classes: int, activation: str | None, bias: bool = True) -> Road:
    image = keras.Input((9, 7, 1))
    x = layers.GlobalAveragePooling2D()(nets.conv(image, 6, activation="relu"))
    model = nets.randomized(keras.Model(image, layers.Dense(classes, activation, use_bias=bias)(x)))
    if not bias:  # scores that are all alike
        model.layers[-1].set_weights([np.full((6, classes), 0.5, np.float32)])
    pixels = np.random.default_rng(4).integers(0, 256, (16, 9, 7, 1)).astype(np.float32)
    output = "probabilities" if activation else "logits"
    return road(model, pixels, folder, output=output, preprocessing=PRESETS["unit"])


@pytest.mark.parametrize(("activation", "classes"), [("softmax", 5), ("sigmoid", 1)])
def test_scores_are_those_of_floats_to_a_step(tmp_path: Path, activation: str, classes: int) -> None:
    net, out = head_road(tmp_path, classes, activation), tmp_path / "out.tflite"
    changes = surround(net.portable("int8"), out, BORDER)
    assert changes[-2:] == (
        f"computes its {activation} in int8, in steps of 1/256",
        "gives int8, in place of float32",
    )
    graph = read_graph(out)
    assert not {node.op for node in graph.nodes} & {"DEQUANTIZE", "QUANTIZE"}
    used = {index for node in graph.nodes for index in (*node.inputs, *node.outputs)}
    assert "float32" not in {graph.tensors[index].dtype for index in used}
    (scores,) = graph.specs(graph.outputs)
    assert (scores.name, scores.dtype) == ("probabilities", "int8")
    assert scores.quantization == Quantization((1 / 256,), (-128,))
    (signature,) = load_model(out).signatureDefs
    assert [entry.tensorIndex for entry in signature.outputs] == [graph.outputs[0]]
    shares = (litert(out, (net.images - 128).astype(np.int8)).astype(np.float32) + 128) / 256
    wanted = litert(net.portable("int8"), net.images)
    assert len(np.unique(shares)) > 4
    np.testing.assert_allclose(shares, wanted, rtol=0, atol=1 / 256)


def test_logits_get_the_border_of_all(tmp_path: Path) -> None:
    net = head_road(tmp_path, 5, None)
    surround(net.portable("int8"), tmp_path / "a.tflite", BORDER)
    surround(net.portable("int8"), tmp_path / "b.tflite", Border(input="int8", output="int8"))
    assert (tmp_path / "a.tflite").read_bytes() == (tmp_path / "b.tflite").read_bytes()


def test_a_softmax_over_too_many_classes_is_refused_because_it_would_end_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    few, many = (
        head_road(tmp_path / n, c, "softmax", bias=False) for n, c in (("few", MOST), ("many", MOST + 1))
    )
    surround(few.portable("int8"), few.folder / "out.tflite", BORDER)
    done = subprocess.run([sys.executable, "-c", FLAT, str(few.folder / "out.tflite")], capture_output=True)
    assert (done.returncode, done.stdout.strip()) == (0, b"-127"), done.stderr
    with pytest.raises(ArtifactError, match=r"over 512 classes ends TFLite Micro .* 511 are the most"):
        surround(many.portable("int8"), many.folder / "out.tflite", BORDER)
    # What the limit is for: with one class more, the kernel ends the process.
    monkeypatch.setattr(integer_scores, "MOST", MOST + 1)
    surround(many.portable("int8"), many.folder / "out.tflite", BORDER)
    done = subprocess.run([sys.executable, "-c", FLAT, str(many.folder / "out.tflite")], capture_output=True)
    assert done.returncode == -signal.SIGABRT
