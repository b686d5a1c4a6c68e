"""`.h5`: a whole model as Keras 3 or the older Keras 2 writes it.

Keras 3 reads its own; a Keras 2 file is rebuilt (`_keras2`). tf_keras is no reader: it imports any
module that the file names and follows links out of the file (keras-team/tf-keras#921). It is a
witness where a file was rebuilt and names nothing but what Keras has (`_tf_keras_witness`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ModelError
from resnet_edge.core.files.file_names import safe_name
from resnet_edge.core.sidecar import read_sidecar
from resnet_edge.models import ModelRequest, OpenedModel, _source
from resnet_edge.models._config import check_config, parsed
from resnet_edge.models._declared_sizes import check_sizes
from resnet_edge.models._look import ScanHdf5File, Sketch, look_at
from resnet_edge.workers.progress import OnProgress

if TYPE_CHECKING:
    from resnet_edge.models.witness import Witness


def check(request: ModelRequest) -> None:
    """Look at the first bytes. Raises ModelError."""
    path = Path(request.source)
    kind = _source.content(path)
    if kind == "zip":
        raise ModelError(
            f"{path} is a zip, whatever its name says: if it is a Keras model, rename it to end in .keras"
        )
    if kind != "hdf5":
        raise ModelError(
            f"{path} is {kind}, not an HDF5 file: save the model again with model.save({path.name!r})"
        )


def look(request: ModelRequest) -> None:
    """Scan the file in a worker. Raises ModelError."""
    look_at(ScanHdf5File(model=request))


def scan(task: ScanHdf5File, on_progress: OnProgress) -> Sketch:
    """Runs in a worker: all that `open_model` refuses before it builds. Raises ModelError."""
    path = Path(task.model.source)
    config, version, held = _scanned(path)
    check_config(config, path.name, keras2=not _is_keras3(version))
    check_sizes(config, path.name, held)
    return Sketch()


def open_model(request: ModelRequest, on_progress: OnProgress) -> OpenedModel:
    """Scan the file, check the config, load. Raises ModelError, UsageError."""
    from resnet_edge.models import _load, _opened

    path = Path(request.source)
    config, version, held = _scanned(path)
    model = _load.with_keras(path, config, held) if _is_keras3(version) else _rebuilt(config, path, held)
    known = read_sidecar(path)
    origin = _opened.Origin(
        name=safe_name(path.stem),
        sha256=sha256_of(path),
        class_names=known.class_names,
        threshold=known.threshold,
        head=known.head,
    )
    return _opened.opened(model, request, origin)


def witness(request: ModelRequest) -> Witness:
    """The file as the Keras that wrote it reads it. Raises NoWitness, ModelError."""
    path = Path(request.source)
    if _is_keras3(_scanned(path)[1]):
        from resnet_edge.models._keras_witness import keras_witness

        return keras_witness(path, request.output)
    from resnet_edge.models._tf_keras_witness import tf_keras_witness

    return tf_keras_witness(path, request.output)


def _is_keras3(version: str) -> bool:
    return version.startswith("3.")


def _rebuilt(config: Any, path: Path, held: int) -> Any:
    import h5py

    from resnet_edge.models import _keras2
    from resnet_edge.models._budget import within_budget
    from resnet_edge.models._keras2_weights import load_weights

    check_config(config, path.name, keras2=True)
    with within_budget(path.name, held) as budget:
        model = _keras2.rebuild(config, path.name)
    budget.check_file(held)
    try:
        with h5py.File(path, "r") as opened:
            load_weights(model, opened["model_weights"], path.name)
    except (OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
        raise ModelError(f"{path}: its weights are damaged: copy or save it again") from error
    return model


def _scanned(path: Path) -> tuple[Any, str, int]:
    """The model's config, the version of Keras that wrote it, and the bytes of all arrays that it declares,
    from a file that is safe to read."""
    import h5py

    from resnet_edge.models._hdf5 import check_hdf5, ended_after

    try:
        with ended_after(), h5py.File(path, "r") as opened:
            held = check_hdf5(opened, path.name, "model_weights")
            config = opened.attrs.get("model_config")
            version = opened.attrs.get("keras_version", "")
            weights_only = config is None and ("layer_names" in opened.attrs or "layers" in opened)
    except (OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
        raise ModelError(f"{path} is truncated or damaged: copy or save it again") from error
    if weights_only:
        raise ModelError(
            f"{path} holds weights without the model: save the whole with model.save(...), or give "
            "package.module:factory that builds the model and loads them"
        )
    if config is None:
        raise ModelError(
            f"{path} is an HDF5 file without a Keras model: save it with model.save({path.name!r})"
        )
    try:
        text = version.decode() if isinstance(version, bytes) else str(version)
        return parsed(config, path.name), text, held
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: its model_config is damaged: copy or save it again") from error
