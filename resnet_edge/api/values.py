"""Models, arrays and texts in memory as the files that commands read, for as long as a call lasts.

A worker is a process of its own that reads files, so that nothing in memory can reach it otherwise.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from resnet_edge.core import registry
from resnet_edge.core.choices import choose
from resnet_edge.core.errors import DataError, ModelError, UsageError, first_line
from resnet_edge.core.files.file_names import safe_name
from resnet_edge.core.files.scratch import scratch_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.floating[Any]]
    Data: TypeAlias = str | Path | Pixels | tuple[Pixels, NDArray[Any] | Sequence[int]] | list[Any]
    """DATA of the contract, or images (N, H, W, C), uint8 or float, and perhaps labels (N,), integers."""
else:  # numpy is not loaded for the sake of a type; what is no DATA is refused when it is written
    Data: TypeAlias = Any
Model: TypeAlias = str | Path | Any
"""MODEL of the contract, or a keras.Model."""

T = TypeVar("T")
Words: TypeAlias = str | Iterable[str]
"""Names, one by one or in one text with commas."""


def words(value: Words) -> tuple[str, ...]:
    """`"a, b"` and `["a", "b"]` are the same; each once. Raises UsageError."""
    parts = value.split(",") if isinstance(value, str) else tuple(value)
    for part in parts:
        if not isinstance(part, str):  # of a generator, which cannot be looked at before it is read
            raise UsageError(f"{part!r} is no name: give texts")
    return tuple(dict.fromkeys(part.strip() for part in parts))


def choices(room: str, value: Words) -> tuple[str, ...]:
    """Names of files of a room, as its options spell them; of backends with or without `:device`. Raises
    UnknownName."""
    return tuple(choice(room, word) for word in words(value))


def choice(room: str, word: str) -> str:
    """A name of a room as its file has it, with what stands behind it. Raises UnknownName."""
    name, colon, device = word.partition(":") if room == "backends" else (word, "", "")
    return f"{registry.check(room, name)}{colon}{device}"


def targets(names: Words) -> tuple[str, ...]:
    """The files of bundle/targets by the names that users give. Raises UnknownName."""
    known = {registry.option_of(name): name for name in registry.names("bundle.targets")}
    return tuple(dict.fromkeys(known[choose("profile", name, known)] for name in words(names)))


def text(value: str | Path | None) -> str | None:
    return None if value is None else str(value)


def or_else(value: T | None, default: T) -> T:
    """The default of an option that counts as given only where it is."""
    return default if value is None else value


@contextmanager
def value_files() -> Iterator[ValueFiles]:
    """Within, what is in memory is in files. Raises OutputError where there is no room for them."""
    with scratch_folder() as folder:
        yield ValueFiles(folder)


class ValueFiles:
    """Values of a call, written into `folder` once they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def model(self, model: Model) -> str:
        """The word for a MODEL; a keras.Model is saved. Raises ModelError where it cannot be."""
        if isinstance(model, str | Path):
            return str(model)
        if not callable(getattr(model, "save", None)):
            raise ModelError(
                f"a {type(model).__name__} is no model: give a keras.Model, a file, a name of the zoo, or "
                "package.module:factory"
            )
        # tf_keras writes a .keras of its own that only tf_keras reads; its .h5 is the one of Keras 2.
        suffix = ".h5" if type(model).__module__.startswith("tf_keras") or _is_keras_2(model) else ".keras"
        path = self._new(f"{safe_name(str(getattr(model, 'name', '')))}{suffix}")
        try:
            with warnings.catch_warnings():  # of Keras to who saves a model to keep it
                warnings.simplefilter("ignore")
                model.save(str(path))
        except Exception as error:  # whatever a layer of the user's raises while it is saved
            raise ModelError(
                f"the model cannot be saved ({type(error).__name__}: {first_line(error)}): give its layers a "
                "get_config, or name what makes it as package.module:factory"
            ) from error
        return str(path)

    @staticmethod
    def name_of(model: Model) -> str | None:
        """What a report calls a model that is no file; None for one that a word names."""
        return None if isinstance(model, str | Path) else f"{model.name} (a {type(model).__name__} in memory)"

    def data(self, data: Data | None, option: str = "data") -> str | None:
        """The word for DATA; arrays are written as .npz. Raises DataError where they are none."""
        if data is None or isinstance(data, str | Path):
            return text(data)
        import numpy as np

        images, labels = data if _is_pair(data) else (data, None)
        try:
            arrays = {"images": np.asarray(images)}
            if labels is not None:
                arrays["labels"] = np.asarray(labels)
        except ValueError:  # lists that are no rows of one length
            arrays = {}
        if not arrays or arrays["images"].dtype == object or arrays["images"].ndim != 4:
            shape = f" of shape {arrays['images'].shape}" if arrays and arrays["images"].ndim else ""
            raise DataError(
                f"{option} is a {type(data).__name__}{shape}, which is no DATA: give images (N, H, W, C), or "
                "(images, labels), or a name, a folder or an .npz file"
            )
        _check_arrays(option, **arrays)
        path = self._new(f"{option}.npz")
        np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the first for allow_pickle
        return str(path)

    def _new(self, name: str) -> Path:
        """Each in a folder of its own: two models may have one name."""
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return folder / name


def _is_pair(data: Any) -> bool:
    """Whether it is images and labels, and not images alone, of which there may be two."""
    import numpy as np

    two = isinstance(data, tuple | list) and len(data) == 2
    return two and (isinstance(data, tuple) or np.ndim(data[1]) == 1)


def _check_arrays(option: str, images: NDArray[Any], labels: NDArray[Any] | None = None) -> None:
    """What the reader of an .npz file would refuse, before there is one whose name means nothing to the user.
    Raises DataError."""
    if images.dtype.name != "uint8" and images.dtype.kind != "f":
        raise DataError(f"{option}: images are {images.dtype}; they must be uint8 or float32: cast them")
    if labels is None:
        return
    count = len(images)
    if labels.dtype.kind not in "iu" or labels.shape not in ((count,), (count, 1)):
        raise DataError(
            f"{option}: labels are {labels.dtype} {labels.shape}; they must be {count} integers, one per "
            "image"
        )


def _is_keras_2(model: Any) -> bool:
    """Of TensorFlow before 2.16."""
    return type(model).__module__.startswith(("keras.engine", "keras.src.engine"))


def paths_of(value: Any) -> tuple[Path, ...]:
    """Files and folders, one or many; a report of `convert` stands for its folder."""
    found = []
    for one in value if isinstance(value, list | tuple) else (value,):
        path = getattr(one, "folder", one)
        if not isinstance(path, str | Path):
            raise UsageError(f"a {type(one).__name__} is no file: give a path, or a report of convert")
        found.append(Path(path))
    return tuple(found)
