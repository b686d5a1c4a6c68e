"""Runs in a worker. From a Keras model to an OpenedModel: the checks that all kinds share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError, UsageError, first_line
from resnet_edge.core.head import Head, HeadKind
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS, Preprocessing, preprocessing
from resnet_edge.core.printable import misleading_character, printable
from resnet_edge.models import ModelRequest, OpenedModel, Original, _graph
from resnet_edge.models._as_float32 import as_float32
from resnet_edge.models._budget import check_activations
from resnet_edge.models._head import DeclaredHead, Thresholds, head_of
from resnet_edge.models._macs import MacCounter
from resnet_edge.models._outputs import picked, with_one_output
from resnet_edge.models._safe_names import with_safe_names
from resnet_edge.models._shape import shape_and_note
from resnet_edge.models.functional.as_functional import Rebuilt, as_functional
from resnet_edge.models.functional.channels_last import is_first, takes_channels_first
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.models.learned_ranges import Ranges
from resnet_edge.models.non_finite import check_weights, origin_of
from resnet_edge.models.witness import distance

PROBE = 2
"""Images in the seeded batch: two, so that a reduction over the batch would show."""

TOLERANCE = 1e-4
"""The largest difference on noise between a model and what was rebuilt of it, as a part of the largest
answer. A layer wired wrongly gives more than 1e-2; what rounding may do to these weights `witness` measures,
on images."""

HALF_TOLERANCE = 32
"""The same in units of a shorter type: each of so many tensors in a row that are rounded to it."""

CHOICES = (
    "--preprocess unit (0..1), symmetric (-1..1), imagenet (mean and std, as torchvision), caffe (BGR minus "
    "means, as Keras ResNet50), model (it takes 0..255 as it is), or none (you prepare the input yourself)"
)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a kind of source knows beside the model. `sha256` None: take it from the weights. `not_loaded`
    says which layers did not get the weights that were loaded."""

    name: str
    sha256: str | None = None
    class_names: tuple[str, ...] = ()
    threshold: Thresholds = None
    head: HeadKind | None = None
    preprocessing: Preprocessing | None = None
    not_loaded: str = ""


def opened(
    model: keras.Model, request: ModelRequest, origin: Origin, ranges: Ranges | None = None
) -> OpenedModel:
    """Check that `model` takes images and gives scores or an embedding, and find out its facts.

    Raises ModelError (not a classifier, broken weights) or UsageError (an option is missing
    or contradicts the model).
    """
    model = with_one_output(model, request.output, request.source)
    policies, own_names = as_float32(model), with_safe_names(model)
    shape, shape_notes = shape_and_note(model, request)
    network = network_of(model, request.output, request.source)
    check_activations(model, network, shape, request.source)
    if not model.built:
        probe(network, shape, request.source)  # a subclassed model makes its weights on the first call
    own = model
    sha256 = origin.sha256 or _weights_sha256(own)
    functional = _checked(
        as_functional(own, shape, request.source, partial(_one_of, own, request)),
        shape,
        request.source,
        request.output,
    )
    model = functional.model
    network = network_of(model, request.output, request.source)
    counter = MacCounter(model)
    with counter:
        outputs = probe(network, shape, request.source)
    check_weights([(weight.path, weight) for weight in model.weights], request.source)
    graph = model if _graph.is_functional(model) else None
    check_outputs(outputs, request.source, shape=shape, model=model, network=network)
    known = origin.preprocessing
    if known is None and graph is not None and _graph.scales_its_input(graph):
        known = PRESETS["model"]
    declared = DeclaredHead(kind=request.head or origin.head, threshold=origin.threshold)
    head_facts = head_of(graph, network, outputs, shape, declared, request.source)
    head = head_facts.head
    facts = ModelFacts(
        name=origin.name,
        source=request.source,
        sha256=sha256,
        parameters=model.count_params(),
        macs=counter.macs_per_image(PROBE),
        input_shape=shape,
        head=head,
        class_names=_class_names(origin.class_names, head, request.source),
        preprocessing=chosen_preprocessing(request, known, shape),
        learned_ranges=len(ranges or ()),
        read_as=(
            *(
                f"its dtype policy {policy} is read as float32: the variables are float32"
                for policy in policies
            ),
            *shape_notes,
            *functional.notes,
            *(() if request.output is None else (f"of its outputs {request.output} is taken (--output)",)),
            *head_facts.read_as,
        ),
        not_loaded=origin.not_loaded,
        declared=declared.kind,
        assumed=head_facts.assumed,
        own_names=own_names,
    )
    return OpenedModel(
        facts=facts,
        network=network,
        trackable=model,
        ranges=ranges,
        activation_bytes=counter.activation_bytes(PROBE),
        original=_original(functional, request.output, request.source),
    )


def _one_of(model: keras.Model, request: ModelRequest, outputs: Any) -> Any:
    return picked(model, outputs, request.output, request.source)


def rebuilt(model: keras.Model, shape: tuple[int, int, int], source: str) -> keras.Model:
    """`model` as a functional one of Keras' own layers. Raises ModelError where it cannot be."""
    result = _checked(as_functional(model, shape, source), shape, source)
    flat_graph(result.model, shape)  # says why not
    return result.model


def _original(result: Rebuilt, output: str | None, source: str) -> Original | None:
    model = result.original
    if model is None:
        return None
    return Original(model=model, network=network_of(model, output, source), unit=result.unit)


def _checked(result: Rebuilt, shape: tuple[int, int, int], source: str, output: str | None = None) -> Rebuilt:
    """`result`, or the model that it was made of where that gives other answers on noise. Raises ModelError
    where that cannot be used, for its channels come first."""
    if result.original is None:
        return result
    both = (network_of(each, output, source) for each in (result.model, result.original))
    ours, theirs = (probe(network, shape, source) for network in both)
    difference = distance(ours, theirs)
    if difference <= max(TOLERANCE, HALF_TOLERANCE * result.unit):
        return result
    if any(map(is_first, result.original._flatten_layers())):
        raise ModelError(
            f"{source} gives other answers with channels last (by {difference:.1e}): build it with "
            "data_format='channels_last', copy the weights, and report this"
        )
    return Rebuilt(model=result.original)


def network_of(
    model: keras.Model, output: str | None = None, source: str = "the model"
) -> Callable[[Any], Any]:
    """`model` in inference mode, on images (B, H, W, C) whatever order it takes; its one output, or the one
    called `output`, float32, whatever it is wrapped in. Raises ModelError, UsageError where it is called, as
    `_outputs.chosen`."""

    wanted = None if len(getattr(model, "outputs", None) or ()) == 1 else output
    structure = getattr(model, "input", None)  # of a functional model: a tensor, or a list or dict of one
    channels_first = takes_channels_first(model)

    def network(images: Any) -> Any:
        if channels_first:
            images = keras.ops.transpose(images, (0, 3, 1, 2))
        inputs = images if structure is None else keras.tree.pack_sequence_as(structure, [images])
        output = picked(model, model(inputs, training=False), wanted, source)
        return keras.ops.cast(output, "float32")

    return network


def probe(network: Callable[[Any], Any], shape: tuple[int, int, int], source: str) -> NDArray[np.float32]:
    """The network on seeded noise in 0..1. Raises ModelError where it does not run."""
    images = _noise(shape)
    try:
        return np.asarray(keras.ops.convert_to_numpy(network(keras.ops.convert_to_tensor(images))))
    except (MemoryError, ModelError, UsageError):
        raise
    except Exception as error:  # the model's own code, or a framework that refuses the shape
        sizes = ",".join(map(str, shape))
        raise ModelError(
            f"{source} does not run on an image of {sizes} ({first_line(error)}): save it again, or give "
            "another --input-shape"
        ) from error


def _noise(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(PROBE, *shape), seeded."""
    return np.random.default_rng(0).random((PROBE, *shape), np.float32)


def check_outputs(
    outputs: NDArray[np.float32],
    source: str,
    *,
    shape: tuple[int, int, int],
    model: Any,
    network: Callable[[Any], Any],
) -> None:
    """Raises ModelError unless (B, outputs), and finite: then it names the layer of `model`, which `network`
    runs and whose weights are finite, that gives the first numbers that are not."""
    if outputs.ndim != 2 or outputs.shape[0] != PROBE:
        raise ModelError(
            f"{source} gives {outputs.shape[1:]} per image, not one score per class: it is no classifier; "
            "end it with GlobalAveragePooling2D() for an embedding, or with that and a Dense layer"
        )
    if not np.isfinite(outputs).all():
        images = _noise(shape)
        where = origin_of(model, images, lambda: network(keras.ops.convert_to_tensor(images)))
        raise ModelError(
            f"{source} gives NaN or infinity on a random image (pixels 0 to 1), and its weights hold none: "
            f"{f'first {where}: correct that layer' if where else 'correct its operations'}, or give a "
            "checkpoint from before it did"
        )


def chosen_preprocessing(
    request: ModelRequest, known: Preprocessing | None, shape: tuple[int, int, int]
) -> Preprocessing:
    """What the user says, else what is known. Raises UsageError where nothing is."""
    chosen = preprocessing(request.preprocess) if request.preprocess is not None else known
    if chosen is None:
        raise UsageError(f"{request.source} does not say what pixels it was trained on: add {CHOICES}")
    lengths = [len(chosen.scale), len(chosen.offset), 3 if chosen.channels == "BGR" else 1]
    if unfit := [length for length in lengths if length not in (1, shape[2])]:
        raise UsageError(
            f"--preprocess {chosen.name} is for {unfit[0]} channels, and {request.source} takes {shape[2]}: "
            "choose one with a single value for all channels, or write a file"
        )
    return chosen


def _class_names(names: tuple[str, ...], head: Head, source: str) -> tuple[str, ...]:
    classes = head.classes
    if names and head.kind == "embedding":
        raise ModelError(
            f"the .json beside {source} names {len(names)} classes, and the model gives an embedding: take "
            "them out, or say what the outputs are with --head classes"
        )
    if names and len(names) != classes:
        raise ModelError(
            f"the .json beside {source} names {len(names)} classes, and the model has {classes}: fix it"
        )
    for name in names:
        if fault := misleading_character(name):
            raise ModelError(
                f"the .json beside {source} names a class {printable(name)}: {fault}; take that character out"
            )
    return names


def _weights_sha256(model: keras.Model) -> str:
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(f"{weight.path}{tuple(weight.shape)}{weight.dtype}".encode())
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return digest.hexdigest()
