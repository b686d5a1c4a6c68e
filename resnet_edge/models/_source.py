"""Which kind of source a MODEL is, told from its spelling and its first bytes alone."""

from __future__ import annotations

import re
from pathlib import Path

from resnet_edge import zoo
from resnet_edge.core.choices import did_you_mean
from resnet_edge.core.errors import ModelError, UnknownName, UsageError
from resnet_edge.core.files.pipes import check_no_pipe

FORMS = "a .keras or .h5 file, a SavedModel folder with --trust, a zoo name, app:ResNet50, or module:factory"

_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*(\(.*\))?")

_SUFFIX_KIND = {".keras": "keras_file", ".h5": "h5", ".hdf5": "h5"}

_MAGIC = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\x93NUMPY", "a numpy array"),
    (4, b"TFL3", "a TFLite file"),
)


def kind_of(source: str) -> str:
    """The module below `resnet_edge.models` that opens `source`.

    Raises UsageError, UnknownName, ModelError.
    """
    path = Path(source)
    if source.startswith("app:"):
        return "applications"
    if source in zoo.architectures():
        if (path / "saved_model.pb").is_file():
            raise UsageError(
                f"{source} is a network of the zoo and a folder here: write ./{source} for the folder"
            )
        return "zoo"
    if path.suffix.lower() in _SUFFIX_KIND:
        return _SUFFIX_KIND[path.suffix.lower()]
    if path.is_dir():
        return "savedmodel"
    if path.is_file():
        raise _no_model_file(path)
    if _FACTORY.fullmatch(source):
        return "factory"
    if path.suffix or "/" in source:
        raise ModelError(f"{source} does not exist: check the path; MODEL is {FORMS}")
    known = zoo.architectures()
    raise UnknownName(
        f"no model is called {source!r}{did_you_mean(source, known)}; the zoo has: {', '.join(known)}; "
        f"MODEL is {FORMS}"
    )


def content(path: Path) -> str:
    """What the first bytes say that a file is: "zip", "hdf5", or words for people.

    Raises ModelError where the file is missing, empty, a folder or not readable.
    """
    try:
        check_no_pipe(path)
        with path.open("rb") as stream:
            head = stream.read(16)
    except FileNotFoundError:
        raise ModelError(f"{path} does not exist: check the path") from None
    except IsADirectoryError:
        raise ModelError(
            f"{path} is a folder, not a model file: give the file, or a SavedModel folder"
        ) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be opened ({error.strerror}): name another") from error
    if not head:
        raise ModelError(f"{path} is empty: copy or save it again")
    for offset, magic, words in _MAGIC:
        if head[offset:].startswith(magic):
            return words
    return "no kind of file that is known"


def _no_model_file(path: Path) -> ModelError:
    kind = content(path)
    if kind in ("zip", "hdf5"):
        suffix = ".keras" if kind == "zip" else ".h5"
        return ModelError(
            f"{path} may be a Keras model, but its name does not say so: rename it to end in {suffix}"
        )
    if kind == "a TFLite file" or path.suffix in (".onnx", ".tflite"):
        return ModelError(f"{path} is a converted file already: give the Keras model that it came from")
    return ModelError(f"{path} is {kind}: MODEL is {FORMS}")
