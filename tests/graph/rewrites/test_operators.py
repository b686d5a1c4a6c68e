"""Operators put into a graph, and taken out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from resnet_edge.graph.model import load_model, op_name, read_graph, save_model
from resnet_edge.graph.rewrites.operators import Inserter, remove_unread
from tests.graph.lowered import X, lowered, operations
from tests.graph.road import litert


def test_names_of_what_is_put_in_are_new(tmp_path: Path) -> None:
    model = load_model(lowered(tf.exp, tmp_path / "a.tflite"))
    (exponential,) = model.subgraphs[0].operators
    put = Inserter(model=model, before=exponential, layer="here")
    x = int(exponential.inputs[0])
    halves = [put.put("MUL", put.put("NEG", put.put("NEG", x)), put.number(0.5)) for _ in range(2)]
    exponential.inputs = [put.put("ADD", *halves)]
    save_model(model, tmp_path / "b.tflite")
    names = [tensor.name for tensor in read_graph(tmp_path / "b.tflite").tensors]
    assert len(set(names)) == len(names)
    assert {"here/neg", "here/neg_0", "here/constant", "here/add"} <= set(names)
    np.testing.assert_array_equal(litert(tmp_path / "b.tflite", X), litert(tmp_path / "a.tflite", X))
    assert {code.version for code in model.operatorCodes} == {1}


def test_what_nothing_reads_is_taken_out_with_its_tensors(tmp_path: Path) -> None:
    path = lowered(lambda x: tf.sqrt(tf.abs(tf.exp(x) * 3 + 1)), tmp_path / "a.tflite")
    model = load_model(path)
    *_, root = model.subgraphs[0].operators
    assert op_name(root, model.operatorCodes) == "SQRT"
    put = Inserter(model=model, before=root, layer="here")
    root.inputs = [put.put("ABS", int(model.subgraphs[0].inputs[0]))]
    remove_unread(model)
    save_model(model, tmp_path / "b.tflite")
    graph = read_graph(tmp_path / "b.tflite")
    assert operations(tmp_path / "b.tflite") == ["ABS", "SQRT"]
    assert len(graph.tensors) == 3
    np.testing.assert_allclose(litert(tmp_path / "b.tflite", X), np.sqrt(np.abs(X)), rtol=1e-6)
