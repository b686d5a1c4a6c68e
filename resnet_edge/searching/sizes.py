"""Runs in the parent. What the trials of one input size start from: the network rebuilt for it, and the same
images in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from resnet_edge.compression.input_size_task import RebuildModel
from resnet_edge.compression.step_latency import WriteNoise
from resnet_edge.core.errors import DataError, ModelError, UsageError
from resnet_edge.core.files.file_names import safe_name
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.data.images_task import Images, PreparedImages, PrepareImages
from resnet_edge.data.needed_images import CALIBRATION_LIMIT, HELD_OUT
from resnet_edge.data.resized_data_task import ResizeData, ResizedData
from resnet_edge.models import ModelRequest
from resnet_edge.searching.request import SearchRequest
from resnet_edge.searching.store import SearchStore
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.grants import training_data_grant
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress

SEED = 0
"""Of the order of the images: the same for every search, so that nobody chooses among orders."""

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True, kw_only=True)
class AtSize:
    """`model` opens the network that takes this size. `images` are the same pictures in the same order at
    each; `calibration` those that set ranges, and `noise` (.npy) is timed with. `data` and `calibration_data`
    (None: held out of `data`) are the DATA that these come from. `folder` is for the first of the images."""

    model: ModelRequest
    images: Images
    calibration: Images
    noise: str
    data: str
    calibration_data: str | None
    folder: str


def spelled(size: Size) -> str:
    """As a part of names of files."""
    return "{}x{}".format(*size)


def fitting(request: SearchRequest, facts: ModelFacts) -> SearchRequest:
    """With the model's own input size told as such, and no epochs where there are no training images."""
    own, space = facts.input_shape[:2], request.space
    sizes = tuple(dict.fromkeys(None if size == own else size for size in space.input_size))
    epochs = space.epochs if request.training is not None else (0,)
    return replace(request, space=replace(space, input_size=sizes, epochs=epochs))


@dataclass(frozen=True, kw_only=True)
class InputSizes:
    """Prepares what each size needs; `source` opens models. What is made of files is made once for a study,
    in `store`."""

    request: SearchRequest
    facts: ModelFacts
    workspace: Workspace
    workers: WorkerPool
    store: SearchStore
    source: Worker
    on_progress: OnProgress

    def prepared(self) -> dict[Size, AtSize]:
        """By size, the own first. Raises DataError, and UsageError where the network cannot be rebuilt
        for one, which names the layer in the way."""
        others = [size for size in self.request.space.input_size if size is not None]
        models = {size: self._rebuilt(size) for size in others}
        height, width, _ = self.facts.input_shape
        own = self._at((height, width), self.request.model, self.request.data, self.request.calibration)
        sizes = {(height, width): own}
        for size, model in models.items():
            data = self.resized(size, self.request.data, "test", own.images.sha256)
            calibration = self.request.calibration
            if calibration is not None:
                calibration = self.resized(size, calibration, "test", own.calibration.sha256)
            sizes[size] = self._at(size, model, data, calibration)
            _check_same(own.images, sizes[size].images, size)
        return sizes

    def resized(self, size: Size, data: str, split: Literal["train", "test"], content: str) -> str:
        """DATA whose images have this size: the same word where they are photos, else an .npz. `content`
        tells it from other DATA of that name."""
        shape = (*size, self.facts.input_shape[2])
        key: dict[str, Any] = {"data": data, "split": split, "shape": shape, "content": content}
        name = f"{safe_name(Path(data).stem)}_{split}_{spelled(size)}.npz"

        def make(folder: Path) -> ResizedData:
            grant = Grant(writes=(str(self.store.folder.absolute()),)) | training_data_grant(data)
            worker = self.workers.worker("resized images", self.on_progress, grant)
            reply = worker.run(ResizeData(data=data, split=split, shape=shape, out=str(folder / name)))
            worker.close()
            return reply

        return self.store.once("data", key, ResizedData, make)[1].file or data

    def _rebuilt(self, size: Size) -> ModelRequest:
        """The model for another size. Raises UsageError."""
        request, facts = self.request, self.facts

        def make(folder: Path) -> WrittenFile:
            out = str(folder / f"{facts.name}.keras")  # a file's name is in what is made of it
            shape = (*size, facts.input_shape[2])
            return self.source.run(
                RebuildModel(model=request.model, shape=shape, out=out, command=request.command)
            )

        if min(size) < 1:
            raise UsageError(f"the input size {spelled(size)} has no pixel: every side must be at least 1")
        key = {"model": facts.sha256, "output": request.model.output, "input_size": size}
        try:
            file = self.store.once("rebuilt", key, WrittenFile, make)[1].path
        except ModelError as error:
            raise UsageError(f"the input size {spelled(size)} cannot be searched: {error}") from error
        return saved(request.model, facts, file)

    def _at(self, size: Size, model: ModelRequest, data: str, calibration: str | None) -> AtSize:
        facts = replace(self.facts, input_shape=(*size, self.facts.input_shape[2]))
        folder = self.workspace.scratch_folder(f"images_{spelled(size)}")
        reader = self.workers.worker("images", self.on_progress)
        images = _images(reader, facts, folder, data, calibration)
        noise = WriteNoise(  # numbers decide nothing of how long a network takes
            shape=facts.input_shape,
            pixels=facts.preprocessing.takes_pixels,
            out=str(folder / "noise.npy"),
        )
        noise_file = reader.run(noise).path
        reader.close()
        assert images.held_out is not None
        return AtSize(
            model=model,
            images=images.evaluation,
            calibration=images.held_out,
            noise=noise_file,
            data=data,
            calibration_data=calibration,
            folder=str(folder),
        )


def _images(
    reader: Worker, facts: ModelFacts, folder: Path, data: str, calibration: str | None
) -> PreparedImages:
    """In a random order, and those to calibrate with. Raises DataError."""
    main = reader.run(_task(facts, data, folder / "evaluation", hold_out=HELD_OUT * (calibration is None)))
    if calibration is not None:
        given = reader.run(_task(facts, calibration, folder / "calibration", for_calibration=True))
        main = PreparedImages(main.evaluation, given.evaluation)
    if main.evaluation.n < 2:
        raise DataError(
            f"{data} has {main.evaluation.n} image: a search needs some to choose by, "
            "and others to measure what was chosen"
        )
    return main


def resize_notes(request: SearchRequest, by_size: Mapping[Size, AtSize]) -> tuple[str, ...]:
    """What to say where DATA does not have the pixels that were looked at."""
    return tuple(
        f"{request.data} holds arrays: at {spelled(size)} they were resized as photos are, and what an app "
        "resizes from larger photos may be answered better"
        for size, at in by_size.items()
        if at.data != request.data
    )


def saved(request: ModelRequest, facts: ModelFacts, file: str) -> ModelRequest:
    """How to open a network that was made of the model. Of several outputs it has the one that was named."""
    return ModelRequest(file, preprocess=request.preprocess or facts.preprocessing.name, head=request.head)


def _task(
    facts: ModelFacts, data: str, folder: Path, *, hold_out: int = 0, for_calibration: bool = False
) -> PrepareImages:
    folder.mkdir()
    return PrepareImages(
        data=data,
        shape=facts.input_shape,
        classes=facts.classes,
        kind=facts.head.kind,
        preprocessing=facts.preprocessing,
        folder=str(folder),
        limit=CALIBRATION_LIMIT if for_calibration else None,
        hold_out=hold_out,
        for_calibration=for_calibration,
        seed=None if for_calibration else SEED,
    )


def _check_same(own: Images, other: Images, size: Size) -> None:
    """Candidates are held against each other image by image. Raises DataError."""
    if own.n != other.n:
        raise DataError(
            f"{own.source} has {own.n:,} images, and {other.n:,} at {spelled(size)}: it changed while it was "
            "in use; run again"
        )
