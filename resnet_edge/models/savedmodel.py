"""A SavedModel folder: a TensorFlow program, opened only where the user says that it is trusted."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ModelError, UsageError, first_line
from resnet_edge.core.files.file_names import safe_name
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.models import ModelRequest, OpenedModel
from resnet_edge.models._savedmodel_float32 import has_short_variables, short_types, write_float32
from resnet_edge.workers.grant import FREE, Grant
from resnet_edge.workers.progress import OnProgress

if TYPE_CHECKING:
    from resnet_edge.models.witness import Witness

SIGNATURE = "serving_default"

_REFUSED = re.compile(
    r"PyFunc|File(?!name)|Reader|Dataset|Iterator|Summary|Print|LMDB|Sql|Debug|Abort|ImmutableConst|"
    r"^(Save|SaveSlices|Restore|RestoreSlice)$"
)
"""Operations that touch files of the host, run Python or end the process. TensorFlow's SECURITY.md:
models are programs; this catches accidents and the obvious, and --trust stands behind the rest."""

_CHECKPOINT_OPS = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"})
"""Every SavedModel has them in the functions that save and restore its variables, and nowhere else."""


def check(request: ModelRequest) -> None:
    """Look at the folder. Raises ModelError, or UsageError without --trust."""
    folder = Path(request.source)
    if not (folder / "saved_model.pb").is_file():
        hint = (
            "is a .keras that was unpacked: zip it again"
            if (folder / "config.json").is_file()
            else "has no model"
        )
        raise ModelError(f"the folder {folder} {hint}; a SavedModel holds saved_model.pb and variables/")
    if (folder / "saved_model.pb").stat().st_size == 0:
        raise ModelError(f"{folder}/saved_model.pb is empty: copy or save it again")
    if not request.trust:
        raise UsageError(
            f"{folder} is a SavedModel, a program that can read and write files: "
            "add --trust if you know who made it"
        )


def grant(request: ModelRequest) -> Grant:
    """All that the user may do: `--trust` says that its program may run."""
    return FREE


def open_model(request: ModelRequest, on_progress: OnProgress) -> OpenedModel:
    """Scan its operations, load it, use its serving signature. Raises ModelError, UsageError."""
    from resnet_edge.models import _opened, _shape
    from resnet_edge.models._head import DeclaredHead, head_of
    from resnet_edge.models._outputs import chosen
    from resnet_edge.models.non_finite import check_weights

    folder = Path(request.source)
    saved = _checked_operations(folder)
    loaded, short = _load_float32(saved, folder)
    signature = _signature(loaded, folder)
    argument, declared = _image_argument(signature, folder)
    output = chosen(tuple(sorted(signature.structured_outputs)), request.output, request.source)
    first = _channels_first(declared)
    own = (*declared[1:], declared[0]) if first else declared
    shape = _shape.completed_shape(own, request)
    variables = list(signature.variables)
    network = _network(signature, argument, output, first)
    outputs = _opened.probe(network, shape, request.source)
    check_weights([(variable.name, variable) for variable in variables], request.source)
    _opened.check_outputs(outputs, request.source, shape=shape, model=loaded, network=network)
    head_facts = head_of(None, network, outputs, shape, DeclaredHead(kind=request.head), request.source)
    facts = ModelFacts(
        name=safe_name(folder.resolve().name),
        source=request.source,
        sha256=sha256_of(folder),
        parameters=sum(
            int(variable.shape.num_elements()) for variable in variables if variable.dtype.is_floating
        ),
        macs=None,
        input_shape=shape,
        head=head_facts.head,
        class_names=(),
        preprocessing=_opened.chosen_preprocessing(request, None, shape),
        read_as=(
            *_shape.shape_note(own, request),
            *(f"it computes in {kind} and is read as float32: the variables are float32" for kind in short),
            *(
                ("its channels come first (N, C, H, W): images are turned for it inside of the graph",)
                * first
            ),
            *head_facts.read_as,
        ),
        declared=request.head,
        assumed=head_facts.assumed,
    )
    return OpenedModel(facts=facts, network=network, trackable=loaded)


def witness(request: ModelRequest) -> Witness:
    """The saved function itself, loaded afresh and called as it says."""
    import tensorflow as tf

    from resnet_edge.models import witness as held
    from resnet_edge.models._outputs import chosen

    folder = Path(request.source)
    short = short_types(_checked_operations(folder))
    loaded = _load(folder)
    signature = _signature(loaded, folder)
    argument, declared = _image_argument(signature, folder)
    output = chosen(tuple(sorted(signature.structured_outputs)), request.output, request.source)
    first = _channels_first(declared)
    dtype = signature.structured_input_signature[1][argument].dtype

    def network(images: Any) -> Any:
        images = tf.transpose(images, (0, 3, 1, 2)) if first else images
        # through `loaded`: a signature alone does not keep its variables
        return _signature(loaded, folder)(**{argument: tf.cast(images, dtype)})[output]

    def differing(opened: OpenedModel) -> str:
        ours = {variable.name: variable for variable in _signature(opened.trackable, folder).variables}
        return next(
            (v.name for v in signature.variables if not bool(tf.reduce_all(tf.equal(v, ours[v.name])))), ""
        )

    variables = list(signature.variables)
    layers = sum(1 for variable in variables if len(variable.shape) >= 2)
    half = max(
        (held.UNIT[kind] for kind in short), default=0.0
    )  # each layer rounds to it once more than ours
    return held.Witness(
        loader=f"TensorFlow {tf.__version__}",
        network=network,
        rounding=held.sum_rounding(variables) + held.LAMBDA * half * math.sqrt(layers),
        differing=differing,
    )


def _load_float32(saved: Any, folder: Path) -> tuple[Any, tuple[str, ...]]:
    """The model, and the types shorter than float32 that it would compute in."""
    short = short_types(saved)
    if not short or has_short_variables(saved):
        return _load(folder), ()
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "float32"
        write_float32(saved, folder, copy)
        return _load(copy), short


def _checked_operations(folder: Path) -> Any:
    """The message that the folder holds. Raises ModelError."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved = SavedModel()
    try:
        saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    except Exception as error:  # google.protobuf's DecodeError, whose module differs between its versions
        raise ModelError(f"{folder}/saved_model.pb is truncated or damaged: copy or save it again") from error
    if not saved.meta_graphs:
        raise ModelError(f"{folder}/saved_model.pb holds no model: copy or save it again")
    for operation, where in _operations(saved):
        if _REFUSED.search(operation) or (operation in _CHECKPOINT_OPS and not _saves_or_restores(where)):
            raise ModelError(
                f"{folder} has the operation {operation}, which reads or writes files or runs Python: "
                "a classifier does not need it; export the model again without it"
            )
    return saved


def _operations(saved: Any) -> Iterator[tuple[str, str]]:
    """Every operation and the function that it is in ("" for the main graph)."""
    for meta in saved.meta_graphs:
        for node in meta.graph_def.node:
            yield node.op, ""
        for function in meta.graph_def.library.function:
            for node in function.node_def:
                yield node.op, function.signature.name


def _saves_or_restores(function: str) -> bool:
    # the main graph of a SavedModel version 2 only holds the saver and the signatures' stubs
    return not function or "traced_save" in function or "traced_restore" in function


def _load(folder: Path) -> Any:
    import tensorflow as tf

    try:
        return tf.saved_model.load(str(folder))
    except MemoryError:
        raise
    except Exception as error:  # TensorFlow raises whatever broke inside
        raise ModelError(f"{folder} cannot be read by TensorFlow: {first_line(error)}") from error


def _signature(loaded: Any, folder: Path) -> Any:
    signatures = dict(loaded.signatures)
    if SIGNATURE in signatures:
        return signatures[SIGNATURE]
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    listed = f"it has {', '.join(sorted(signatures))}" if signatures else "it has none"
    raise ModelError(
        f"{folder} needs a signature {SIGNATURE!r}, and {listed}: write it with model.export(...)"
    )


def _image_argument(signature: Any, folder: Path) -> tuple[str, tuple[int | None, ...]]:
    """The name and the declared (H, W, C) of the one input."""
    _, arguments = signature.structured_input_signature
    if len(arguments) != 1:
        raise ModelError(f"{folder} has {len(arguments)} inputs: a model of images has one")
    name, spec = next(iter(arguments.items()))
    if spec.shape.rank != 4:
        raise ModelError(
            f"{folder} takes {spec.shape}, not a batch of images (None, height, width, channels)"
        )
    if spec.shape[0] is not None:
        raise ModelError(f"{folder} takes batches of {spec.shape[0]} only: export it with an open batch size")
    return name, tuple(spec.shape[1:].as_list())


def _channels_first(declared: tuple[int | None, ...]) -> bool:
    """Whether (A, B, C) of an image are its channels, height and width: only the first of them is a number of
    channels that images have. A program does not say it."""
    from resnet_edge.models.functional.channels_last import CHANNELS

    return declared[0] in CHANNELS and declared[2] not in (None, *CHANNELS)


def _network(signature: Any, argument: str, output: str, channels_first: bool) -> Any:
    import tensorflow as tf

    _, arguments = signature.structured_input_signature
    dtype = arguments[argument].dtype

    def network(images: Any) -> Any:
        images = tf.transpose(images, (0, 3, 1, 2)) if channels_first else images
        return tf.cast(signature(**{argument: tf.cast(images, dtype)})[output], tf.float32)

    return network
