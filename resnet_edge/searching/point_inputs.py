"""Runs in the parent. What the points of another input size are made of, as files beside them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.errors import OutputError
from resnet_edge.core.results.search import Configuration
from resnet_edge.core.sidecar import sidecar_path
from resnet_edge.searching.networks import Networks
from resnet_edge.searching.request import SearchRequest
from resnet_edge.searching.sizes import AtSize, Size, spelled

INPUTS = "inputs"
"""The folder of them, with one folder for each size."""


@dataclass(frozen=True, kw_only=True)
class PointInputs:
    """MODEL and DATA, as a command line names them; `calibration` None: held out of `data`. `training` None:
    nothing is trained."""

    model: str
    data: str
    calibration: str | None
    training: str | None


def inputs_of(request: SearchRequest) -> PointInputs:
    """At the model's own size: what the user gave."""
    return PointInputs(
        model=request.source_name or request.model.source,
        data=request.data,
        calibration=request.calibration,
        training=None if request.training is None else request.training.data,
    )


@dataclass(frozen=True, kw_only=True)
class InputFiles:
    """Written for each size that has a point: the rebuilt network, and the resized images of what were
    arrays. `folder` is that of the search, `out` what it will be called."""

    folder: Path
    out: Path
    networks: Networks

    def of(self, configuration: Configuration, at: AtSize, request: SearchRequest, name: str) -> PointInputs:
        """Paths below `folder`. Raises OutputError."""
        given, size = inputs_of(request), configuration.input_size
        if size is None:
            return given
        trains = (configuration.pruning != "none" and configuration.epochs) or configuration.qat_epochs
        calibration = at.calibration_data
        model, sidecar = Path(at.model.source), sidecar_path(Path(at.model.source))
        training = self.networks.training_data(size) if trains else given.training
        if sidecar.is_file():
            self._copied(sidecar, size, f"{name}.json")
        return PointInputs(
            model=self._copied(model, size, f"{name}.keras"),
            data=self._resized(given.data, at.data, size),
            calibration=calibration and self._resized(given.calibration or "", calibration, size),
            training=training and self._resized(given.training or "", training, size),
        )

    def named(self, inputs: PointInputs) -> PointInputs:
        """By the paths that they will have."""
        return PointInputs(
            model=self.final(inputs.model),
            data=self.final(inputs.data),
            calibration=inputs.calibration and self.final(inputs.calibration),
            training=inputs.training and self.final(inputs.training),
        )

    def final(self, path: str) -> str:
        """Where something below `folder` will be; other words stay."""
        inside = Path(path).is_relative_to(self.folder)
        return str(self.out / Path(path).relative_to(self.folder)) if inside else path

    def listed(self, size: Size | None) -> tuple[str, ...]:
        """The files of a size, by their paths from `folder`."""
        if size is None:
            return ()
        files = (self.folder / INPUTS / spelled(size)).iterdir()
        return tuple(sorted(file.relative_to(self.folder).as_posix() for file in files))

    def keep(self, sizes: set[Size]) -> None:
        """Those of other sizes go."""
        for folder in (self.folder / INPUTS).glob("*"):
            if folder.name not in set(map(spelled, sizes)):
                shutil.rmtree(folder, ignore_errors=True)
        if not sizes:
            shutil.rmtree(self.folder / INPUTS, ignore_errors=True)

    def _resized(self, given: str, word: str, size: Size) -> str:
        """A copy of what was made of DATA; photos stay where they are."""
        return word if word == given else self._copied(Path(word), size, Path(word).name)

    def _copied(self, source: Path, size: Size, name: str) -> str:
        to = self.folder / INPUTS / spelled(size) / name
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            if not to.exists():
                shutil.copyfile(source, to)
        except OSError as error:
            raise OutputError(f"{name} cannot be written ({error.strerror}): choose another --out") from error
        return str(to)
