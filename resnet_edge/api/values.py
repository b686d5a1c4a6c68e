"""Models, arrays and texts in memory as the files that commands read, for as long as a call lasts.

A worker is a process of its own that reads files, so that nothing in memory can reach it otherwise.
"""

from __future__ import annotations

import json
import shutil
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, cast

from resnet_edge.api.source_paths import check_data
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import (
    DataError,
    ModelError,
    OutputError,
    ResnetEdgeError,
    UsageError,
    first_line,
)
from resnet_edge.core.files.atomic import take_name
from resnet_edge.core.files.file_names import safe_name
from resnet_edge.core.files.scratch import scratch_folder
from resnet_edge.core.preprocessing import PRESETS, Preprocessing
from resnet_edge.workers.progress import OnProgress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.floating[Any]]
    Data: TypeAlias = str | Path | Pixels | tuple[Pixels, NDArray[Any] | Sequence[Any]] | list[Any]
    """DATA of the contract, or images (N, H, W, C), uint8 or float, and perhaps labels: (N,), integers, or
    (N, labels) of 0 and 1."""

    class InFolder(Protocol):
        """A report of convert, which knows where its files are."""

        @property
        def folder(self) -> Path: ...

    Files: TypeAlias = str | Path | InFolder
    Artifacts: TypeAlias = Files | Iterable[Files]
    """Files and folders, one or many; a report of `convert` stands for its folder."""
else:  # numpy is not loaded for the sake of a type; what is no DATA is refused when it is written
    Data: TypeAlias = Any
    Files: TypeAlias = Any
    Artifacts: TypeAlias = Any
Model: TypeAlias = str | Path | Any
"""MODEL of the contract, or a keras.Model."""

T = TypeVar("T")


def text(value: str | Path | None) -> str | None:
    return None if value is None else str(value)


def or_else(value: T | None, default: T) -> T:
    """The default of an option that counts as given only where it is."""
    return default if value is None else value


@contextmanager
def value_files() -> Iterator[ValueFiles]:
    """Within, what is in memory is in files, and errors call it by its name. Raises OutputError where there
    is no room for them."""
    with ExitStack() as stack:
        with _written():
            folder = stack.enter_context(scratch_folder())
        files = ValueFiles(folder)
        try:
            yield files
        except ResnetEdgeError as error:
            if (text := files.named(str(error))) == str(error):
                raise
            raise type(error)(text) from error


@contextmanager
def _written() -> Iterator[None]:
    """Within, a disk that is full or may not be written to is an OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"no file for what is in memory can be written ({error.strerror or error}): name another folder "
            "with TMPDIR"
        ) from error


class ValueFiles:
    """Values of a call, written into `folder` once they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._names: dict[str, str] = {}

    def model(self, model: Model) -> str:
        """The word for a MODEL; a keras.Model is saved. Raises ModelError where it cannot be."""
        if isinstance(model, str | Path):
            return str(model)
        if not callable(getattr(model, "save", None)):
            raise ModelError(
                f"a {type(model).__name__} is no model: give a keras.Model, a file, a name of the zoo, or "
                "package.module:factory"
            )
        if _is_of_users_class(model):
            from resnet_edge.models.in_memory import as_file_holds  # with Keras, which has made the model

            model = as_file_holds(model)
        # tf_keras writes a .keras of its own that only tf_keras reads; its .h5 is the one of Keras 2.
        suffix = ".h5" if type(model).__module__.startswith("tf_keras") or _is_keras_2(model) else ".keras"
        file = f"{safe_name(str(getattr(model, 'name', '')))}{suffix}"
        with _written():
            path = self._new(file, self.name_of(model) or "the model")
        try:
            with warnings.catch_warnings():  # of Keras to who saves a model to keep it
                warnings.simplefilter("ignore")
                model.save(str(path))
            if suffix == ".keras" and zipfile.is_zipfile(path):
                _without_date(path)
        except Exception as error:  # whatever a layer of the user's raises while it is saved
            raise ModelError(
                f"the model cannot be saved ({type(error).__name__}: {first_line(error)}): give its layers a "
                "get_config, or name what makes it as package.module:factory"
            ) from error
        return str(path)

    @staticmethod
    def name_of(model: Model) -> str | None:
        """What a report calls a model that is no file; None for one that a word names."""
        if model is None or isinstance(model, str | Path):
            return None
        return f"{getattr(model, 'name', 'a model')} (a {type(model).__name__} in memory)"

    def named(self, value: T) -> T:
        """What a run gives, with values in memory called by their names, and not by the files that they are
        in: in texts, and in tuples, dicts and dataclasses of them."""
        renamed: Any = value
        if isinstance(value, str):
            for path, name in self._names.items():
                renamed = renamed.replace(path, name)
        elif isinstance(value, tuple | list):
            renamed = type(value)(self.named(each) for each in value)
        elif isinstance(value, dict):
            renamed = {key: self.named(each) for key, each in value.items()}
        elif is_dataclass(value) and not isinstance(value, type):
            held = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
            renamed = replace(value, **{name: self.named(each) for name, each in held.items()})
        return cast(T, renamed)

    def titles(self, **words: str | None) -> tuple[tuple[str, str], ...]:
        """Of those of `words` that are in memory: what they are called for longer than the call lasts, the
        same for the same content."""
        return tuple(
            (name, f"{self._names[word]}, SHA-256 {sha256_of(Path(word))}")
            for name, word in words.items()
            if word in self._names
        )

    def progress(self, on_progress: OnProgress) -> OnProgress:
        """The same, which hears of values in memory by their names."""
        return lambda each: on_progress(self.named(each))

    def data(self, data: Data | None, option: str = "data") -> str | None:
        """The word for DATA; arrays are written as .npz. Raises DataError where they are none, and where
        nothing has that name."""
        if data is None:
            return None
        if isinstance(data, str | Path):
            check_data(f"--{option}", str(data))
            return str(data)
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
        with _written():
            path = self._new(f"{option}.npz", f"{option} (in memory)")
            np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the first for allow_pickle
        return str(path)

    def preprocessing(self, known: Preprocessing) -> str:
        """The word for it: a preset's name, or a JSON file."""
        if PRESETS.get(known.name) == known:
            return known.name
        with _written():
            path = self._new(f"{safe_name(known.name)}.json", f"the preprocessing {known.name}")
            content = {"scale": known.scale, "offset": known.offset, "channels": known.channels}
            path.write_text(json.dumps(content), "utf-8")
        return str(path)

    def _new(self, file: str, name: str) -> Path:
        """A path for the value called `name`. Each in a folder of its own: two models may have one name."""
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        self._names[str(folder / file)] = name
        return folder / file


def _without_date(path: Path) -> None:
    """Keras dates what it saves; the same model then is another file every time, and no unfinished run of it
    would be known again."""
    plain = path.with_suffix(".plain")
    with zipfile.ZipFile(path) as saved, zipfile.ZipFile(plain, "w") as undated:
        for name in saved.namelist():
            with undated.open(zipfile.ZipInfo(name), "w", force_zip64=True) as to, saved.open(name) as member:
                if name == "metadata.json":
                    known = json.load(member)
                    to.write(json.dumps({**known, "date_saved": ""}).encode())
                else:
                    shutil.copyfileobj(member, to)
    take_name(plain, path)


def _is_pair(data: Any) -> bool:
    """Whether it is images and labels, and not images alone, of which there may be two."""
    import numpy as np

    two = isinstance(data, tuple | list) and len(data) == 2
    return two and (isinstance(data, tuple) or np.ndim(data[1]) in (1, 2))


def _check_arrays(option: str, images: NDArray[Any], labels: NDArray[Any] | None = None) -> None:
    """What the reader of an .npz file would refuse, before there is one whose name means nothing to the user.
    Raises DataError."""
    if images.dtype.name != "uint8" and images.dtype.kind != "f":
        raise DataError(f"{option}: images are {images.dtype}; they must be uint8 or float32: cast them")
    if labels is None:
        return
    count = len(images)
    several = labels.ndim == 2 and labels.shape[1] > 1
    if (
        labels.dtype.kind not in ("iub" if several else "iu")
        or labels.ndim not in (1, 2)
        or len(labels) != count
    ):
        raise DataError(
            f"{option}: labels are {labels.dtype} {labels.shape}; they must be integers: {count}, one per "
            f"image (of one-hot rows labels.argmax(1)), or ({count}, labels) of 0 and 1, of several per image"
        )


def _is_keras_2(model: Any) -> bool:
    """Of TensorFlow before 2.16."""
    return type(model).__module__.startswith(("keras.engine", "keras.src.engine"))


def _is_of_users_class(model: Any) -> bool:
    """Whether it is a model of Keras 3 in which a class of the user's computes, which no file holds."""
    layers = getattr(model, "_flatten_layers", None)
    if layers is None or not any(kind.__module__.startswith("keras.src.") for kind in type(model).__mro__):
        return False
    return not all(type(each).__module__.startswith("keras.") for each in layers())


def paths_of(value: Artifacts) -> tuple[Path, ...]:
    """See Artifacts. Raises UsageError where something else is among them."""
    paths = []
    for one in value if isinstance(value, list | tuple | set | frozenset | Iterator) else (value,):
        path = getattr(one, "folder", one)
        if not isinstance(path, str | Path):
            raise UsageError(f"a {type(one).__name__} is no file: give a path, or a report of convert")
        paths.append(Path(path))
    return tuple(paths)
