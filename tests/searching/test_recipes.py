"""Tests of search.recipes: what a point's command lines say."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.search import Configuration
from resnet_edge.models import ModelRequest
from resnet_edge.searching.point_inputs import PointInputs, inputs_of
from resnet_edge.searching.recipes import commands
from resnet_edge.searching.request import SearchLimits, SearchRequest, Training
from resnet_edge.searching.space import Space

REQUEST = SearchRequest(
    model=ModelRequest("net.keras"),
    data="fashion-mnist",
    calibration="few.npz",
    training=Training(data="fashion-mnist"),
    objectives=("accuracy",),
    backend="litert",
    limits=SearchLimits(),
    space=Space(),
    trials=1,
    budget_seconds=None,
    study="study",
)
SMALL = PointInputs(
    model="out/inputs/20x20/net.keras",
    data="out/inputs/20x20/test.npz",
    calibration="out/inputs/20x20/few.npz",
    training="out/inputs/20x20/train.npz",
)


def test_at_the_models_own_size_they_have_the_words_of_the_user() -> None:
    (line,) = commands(Configuration(scheme="int8"), REQUEST, inputs_of(REQUEST), "tflite")
    assert line == (
        "resnet-edge convert net.keras --data fashion-mnist --formats tflite --schemes int8 "
        "--calibration few.npz --repair auto --no-plan --backends litert --out dist"
    )


def test_at_another_size_they_begin_with_the_rebuilt_network_and_the_resized_images() -> None:
    pruned = Configuration(input_size=(20, 20), pruning="channel", amount=0.3, epochs=1, scheme="int8")
    prune, convert = commands(pruned, REQUEST, SMALL, "tflite", "out/networks/01/net.keras")
    assert prune.startswith(f"resnet-edge prune {SMALL.model} --method channel --data {SMALL.training} ")
    assert f"convert pruned.keras --data {SMALL.data} " in convert
    assert f"--calibration {SMALL.calibration}" in convert


def test_a_network_that_no_command_makes_is_taken_from_its_file() -> None:
    tuned = Configuration(input_size=(20, 20), epochs=1, qat_epochs=1, scheme="int8")
    (line,) = commands(tuned, REQUEST, SMALL, "tflite", "out/networks/01/net.keras")
    assert line.startswith(f"resnet-edge convert out/networks/01/net.keras --data {SMALL.data} ")
    plain = Configuration(input_size=(20, 20), scheme="int8")
    (line,) = commands(plain, REQUEST, SMALL, "tflite", SMALL.model)
    assert line.startswith(f"resnet-edge convert {SMALL.model} ")


def test_a_scheme_that_needs_no_calibration_is_given_none() -> None:
    (line,) = commands(Configuration(scheme="dynamic"), REQUEST, inputs_of(REQUEST), "tflite")
    assert "calib" not in line
    assert "repair" not in line


def test_each_step_opens_the_model_as_the_user_said() -> None:
    model = ModelRequest("net.keras", input_shape=(28, 28, 1), preprocess="tf", output="a", head="binary")
    request = replace(REQUEST, model=model)
    both = Configuration(pruning="channel", amount=0.3, epochs=2, qat_epochs=1, scheme="int8")
    prune, qat, convert = commands(both, request, inputs_of(request), "onnx")
    assert "--preprocess tf --head binary --input-shape 28,28,1 --output a" in prune
    for later in (qat, convert):
        assert "--preprocess tf --head binary" in later
        assert "--output a" not in later
    assert "--epochs 2 --warmup-epochs 0.5 --batch-size 128 --seed 0 --learning-rate 0.02" in prune
    assert "--epochs 1 --warmup-epochs 0.25" in qat
    assert "--learning-rate" not in qat


def test_zeros_have_no_options_of_channels() -> None:
    sparse = Configuration(scheme="fp32", pruning="magnitude", amount=0.5, epochs=1)
    prune, _ = commands(sparse, REQUEST, inputs_of(REQUEST), "tflite")
    assert "--importance" not in prune
    assert "--multiple" not in prune


def test_what_was_made_of_the_model_is_not_opened_as_the_model() -> None:
    model = ModelRequest("app:ResNet50", input_shape=(28, 28, 1), output="a", trust=True)
    request = replace(REQUEST, model=model, accept_reference=True)
    rebuilt = Configuration(input_size=(20, 20), scheme="fp16")
    (line,) = commands(rebuilt, request, SMALL, "tflite", SMALL.model, "caffe")
    assert f"convert {SMALL.model} --preprocess caffe --data" in line
    pruned = Configuration(pruning="channel", amount=0.3, epochs=1, scheme="fp16")
    prune, convert = commands(pruned, request, inputs_of(request), "tflite", None, "caffe")
    assert "prune app:ResNet50 --input-shape 28,28,1 --output a --method" in prune
    assert "convert pruned.keras --preprocess caffe --data" in convert
    for later in (line, convert):
        assert not {"--input-shape", "--output", "--trust"} & {*later.split()}
        assert "--accept-reference" in later
    (plain,) = commands(Configuration(scheme="fp16"), request, inputs_of(request), "tflite", None, "caffe")
    assert "--trust" in plain
    assert "--preprocess" not in plain
