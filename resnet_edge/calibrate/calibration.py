"""Runs in a worker. Ranges for the activations, and repairs of the float graph, by measurement.

One pass over the calibration images finds what every calibrator and repair needs. `auto`
then makes the int8 graph with one change after the other, and keeps a change where the SQNR
of the int8 outputs against the float ones (logits, centred per image, as in compare.py) rises
by more than MARGIN_DB on some of the calibration images. Plain min-max is the first to be
tried, so nothing chosen measures worse.

int16 activations always get min-max, unless a calibrator is named: their step is 256 times
finer, and clipping has nothing to win. They share the repairs with int8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends import litert
from resnet_edge.calibrate.calibration_task import Calibrate, Calibration, SharedScale, Trial
from resnet_edge.core.affordable import images_within
from resnet_edge.core.answers import answers, changed
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.scheme import DenseScales
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.data.encoded import ImageRows
from resnet_edge.data.image_file import mapped
from resnet_edge.data.rows import evenly
from resnet_edge.evaluation.rules import counted_right
from resnet_edge.evaluation.sums import measure as sums
from resnet_edge.graph.model import Graph, read_graph
from resnet_edge.graph.quantization.calibrate import Measured, Ranges, measure
from resnet_edge.graph.quantization.calibrators import chosen_ranges
from resnet_edge.graph.quantization.histogram import Distribution
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.graph.quantization.repairs import EXACT, Repaired, possible, repaired
from resnet_edge.graph.quantization.rounding import can_round
from resnet_edge.graph.quantization.weighted import Layer, layers, write_constants
from resnet_edge.schemes import name_of, scheme_of
from resnet_edge.workers.progress import OnProgress, Progress, tracked

MARGIN_DB = 0.1
"""A smaller gain on the images that a change was fitted to need not be one on others."""
MOST_JUDGED, LEAST_JUDGED = 256, 16
"""Images on which a trial is judged: as many as WORK multiply-accumulates allow, within these."""
WORK = 40_000_000_000
AUTO = ("minmax", "percentile", "mse")
"""What auto tries. Not entropy, which weighs how often values are clipped and not how far: on
the bundled ResNet-20, and on a ResNet-50 with random weights, it is 20 dB and more below
min-max, and a trial takes time."""


def calibrate(request: Calibrate, on_progress: OnProgress) -> Calibration:
    """Measure, choose, and write the repaired float graph and the ranges into `request.folder`.

    Raises DataError where there is no image or an activation is not finite.
    """
    graph = read_graph(Path(request.portable))
    fixed = _read(request.fixed)
    repairs = _repairs(request, graph, fixed)
    images = mapped(Path(request.images))
    rows = (np.asarray(images[row : row + 1], np.float32) for row in range(len(images)))
    measured = measure(
        Path(request.portable),
        tracked(rows, "calibrate", len(images), on_progress),
        takes_pixels=request.takes_pixels,
        threads=request.threads,
        histograms=request.calibrator != "minmax",
        second_moments=_wanted(repairs),
        count=len(images),
    )
    search = _Search(request, graph, measured, measured.fixed | fixed, images, on_progress)
    best, chosen = search.auto(repairs) if request.repair == "auto" else search.with_all(repairs)
    shared = search.shared_scale(best) if request.compare_dense_scales else None
    on_progress(Progress(step="choose ranges", done=1, total=1))
    folder = Path(request.folder)
    (folder / "ranges.json").write_bytes(msgspec.json.encode(search.ranges(best, chosen)))
    (folder / "limits.json").write_bytes(msgspec.json.encode(measured.limits()))
    np.save(folder / "outputs.npy", measured.outputs)
    return Calibration(
        portable=str(search.float_graph(chosen)),
        exact=str(search.exact_graph(best)),
        ranges=str(folder / "ranges.json"),
        tensors=len(measured.activations),
        n=len(images),
        judged=len(search.judged),
        chosen=best,
        tried=tuple(search.trials),
        skipped=chosen.skipped if best.repairs else (),
        limits=str(folder / "limits.json"),
        outputs=str(folder / "outputs.npy"),
        shared_scale=shared,
    )


def read_ranges(path: Path, activations: str) -> Ranges:
    """The ranges that `calibrate` wrote for activations of a dtype, int8 or int16."""
    by_activations = msgspec.json.decode(path.read_bytes(), type=dict[str, Ranges])
    return by_activations[activations]


def _read(path: str | None) -> Ranges:
    return {} if path is None else msgspec.json.decode(Path(path).read_bytes(), type=Ranges)


def _repairs(request: Calibrate, graph: Graph, fixed: Ranges) -> tuple[str, ...]:
    """The repairs that come into question. Trained ranges stay, but the weights below them may still
    be rounded together: on the bundled ResNet-20, trained for int8, that gains 1.5 dB."""
    if request.repair == "none":
        return ()
    repairs = possible(graph, at_any_cost=request.repair == "all")
    # Where ranges are fixed nothing can be equalized.
    return tuple(name for name in repairs if name not in EXACT) if fixed else repairs


def _wanted(repairs: tuple[str, ...]) -> Callable[[Layer], bool] | None:
    if not {"round", "bias"}.intersection(repairs):
        return None
    return can_round if "round" in repairs else _never


def _never(layer: Layer) -> bool:
    return False


class _Search:
    """Trials of one graph; `fixed` ranges are taken as they stand in every one."""

    def __init__(
        self,
        request: Calibrate,
        graph: Graph,
        measured: Measured,
        fixed: Ranges,
        images: ImageRows,
        on_progress: OnProgress,
    ) -> None:
        self.request, self.graph, self.measured, self.fixed = request, graph, measured, fixed
        self.images, self.on_progress = images, on_progress
        self.judged = evenly(len(images), _affordable(graph))
        self.trials: list[Trial] = []
        self.answers: dict[Trial, NDArray[np.int64]] = {}
        self.written: Repaired | None = None
        self.seen: tuple[Measured, bool, dict[str, Distribution]] | None = None  # of the last trial
        named = request.calibrator
        self.calibrators: tuple[str, ...] = AUTO if named == "auto" else (named,)
        if set(fixed) >= set(measured.activations):
            self.calibrators = self.calibrators[:1]  # they have nothing to say

    def auto(self, repairs: tuple[str, ...]) -> tuple[Trial, Repaired]:
        """Repairs one after the other on the first calibrator, then the other calibrators."""
        best, chosen = self.tried(self.calibrators[0], self.repaired(()), ())
        for name in repairs:
            more = (*best.repairs, name)
            trial, candidate = self.tried(best.calibrator, self.repaired(more), more)
            if _better(trial, best):
                best, chosen = trial, candidate
        return self.calibrated(best, chosen)

    def with_all(self, repairs: tuple[str, ...]) -> tuple[Trial, Repaired]:
        """All the repairs, whatever they do, and the best calibrator."""
        return self.calibrated(*self.tried(self.calibrators[0], self.repaired(repairs), repairs))

    def calibrated(self, best: Trial, chosen: Repaired) -> tuple[Trial, Repaired]:
        for calibrator in self.calibrators[1:]:
            trial, _ = self.tried(calibrator, chosen, best.repairs)
            if _better(trial, best):
                best = trial
        return best, chosen

    def repaired(self, repairs: tuple[str, ...]) -> Repaired:
        return self._repaired(repairs, self.request.dense_scales)

    def _repaired(self, repairs: tuple[str, ...], dense_scales: DenseScales) -> Repaired:
        return repaired(self.graph, self.measured, repairs, frozenset(self.fixed), dense_scales)

    def tried(self, calibrator: str, chosen: Repaired, repairs: tuple[str, ...]) -> tuple[Trial, Repaired]:
        """Make the int8 graph and judge it; no addition is aligned (artifacts.py) for that."""
        step = " + ".join((calibrator, *repairs))
        self.on_progress(Progress(step="choose ranges", note=step))
        ranges = self.int8_ranges(calibrator, chosen.measured)
        outputs = self._int8_outputs(self.float_graph(chosen), ranges, self.request.dense_scales)
        trial = Trial(calibrator, repairs, self._sqnr_db(outputs))
        self.trials.append(trial)
        if outputs is not None:
            self.answers[trial] = answers(self.request.head, outputs)
        outcome = "LiteRT refuses it" if trial.sqnr_db is None else f"{trial.sqnr_db:.1f} dB"
        self.on_progress(Progress(step="choose ranges", note=f"{step}: {outcome}"))
        return trial, chosen

    def shared_scale(self, best: Trial) -> SharedScale | None:
        """What the best trial loses by one scale for all outputs of a dense layer; None where no layer has
        that, and where LiteRT refuses one of the two graphs."""
        weighted = layers(self.graph, self.request.dense_scales)
        if best.sqnr_db is None or not any(layer.one_step and len(layer.rows) > 1 for layer in weighted):
            return None
        self.on_progress(Progress(step="choose ranges", note="a scale for each output of dense layers"))
        fitted = self._repaired(best.repairs, "per-channel")
        portable = Path(self.request.folder) / "per-channel.tflite"
        write_constants(Path(self.request.portable), fitted.constants, portable)
        ranges = self.int8_ranges(best.calibrator, fitted.measured)
        outputs = self._int8_outputs(portable, ranges, "per-channel")
        per_channel_db = self._sqnr_db(outputs)
        if outputs is None or per_channel_db is None:
            return None
        model = answers(self.request.head, self.measured.outputs[self.judged])
        each, shared = answers(self.request.head, outputs), self.answers[best]
        labelled = counted_right(~changed(each, model), ~changed(shared, model))
        return SharedScale(
            n=len(model),
            per_tensor_db=best.sqnr_db,
            per_channel_db=per_channel_db,
            lost=labelled.lost,
            gained=labelled.gained,
        )

    def float_graph(self, chosen: Repaired) -> Path:
        """The file of a repaired graph; a ResNet-50 takes a third of a second to write."""
        if not chosen.constants:
            return Path(self.request.portable)
        path = Path(self.request.folder) / "float.tflite"
        if self.written is not chosen:
            write_constants(Path(self.request.portable), chosen.constants, path)
            self.written = chosen
        return path

    def exact_graph(self, best: Trial) -> Path:
        """The file of the graph with those of its repairs only which no float output shows."""
        constants = self.repaired(tuple(name for name in best.repairs if name in EXACT)).constants
        if not constants:
            return Path(self.request.portable)
        path = Path(self.request.folder) / "exact.tflite"
        write_constants(Path(self.request.portable), constants, path)
        return path

    def ranges(self, best: Trial, chosen: Repaired) -> dict[str, Ranges]:
        """By the dtype of the activations."""
        int8 = self.int8_ranges(best.calibrator, chosen.measured)
        named = self.request.calibrator != "auto"
        return {"int8": int8, "int16": int8 if named else self.int8_ranges("minmax", chosen.measured)}

    def int8_ranges(self, calibrator: str, measured: Measured) -> Ranges:
        counted = calibrator != "minmax"
        if self.seen is None or self.seen[0] is not measured or self.seen[1] != counted:
            distributions = {name: one.distribution(counted) for name, one in measured.activations.items()}
            self.seen = (measured, counted, distributions)
        return chosen_ranges(self.seen[2], calibrator, self.fixed)

    def _int8_outputs(
        self, portable: Path, ranges: Ranges, dense_scales: DenseScales
    ) -> NDArray[np.float32] | None:
        """What the int8 graph gives (N, outputs) on the judged images; None where LiteRT refuses it."""
        path = Path(self.request.folder) / "trial.tflite"
        form = replace(scheme_of(name_of("int8", "int8")), dense_scales=dense_scales)
        quantize(portable, form, ranges, path)
        outputs = np.empty((len(self.judged), self.measured.outputs.shape[1]), np.float32)
        try:
            with litert.open_session(path, "cpu", self.request.threads) as session:
                for row, index in enumerate(self.judged):
                    image = np.asarray(self.images[index : index + 1], np.float32)
                    outputs[row] = session.run(image)[0]
        except ArtifactError:  # XNNPACK: a step of input times weight is over 256 steps of the output
            return None
        return outputs

    def _sqnr_db(self, outputs: NDArray[np.float32] | None) -> float | None:
        if outputs is None:
            return None
        totals = sums(self.measured.outputs[self.judged], outputs, self.request.head)
        return sqnr_db(totals.signal, totals.noise)


def _better(trial: Trial, best: Trial) -> bool:
    if trial.sqnr_db is None or best.sqnr_db is None:
        return trial.sqnr_db is not None
    return trial.sqnr_db > best.sqnr_db + MARGIN_DB


def _affordable(graph: Graph) -> int:
    """On how many images a trial is judged."""
    work = 0
    for layer in layers(graph):
        positions = graph.tensors[graph.nodes[layer.index].outputs[0]].shape[1:-1]
        work += layer.kernel.size * int(np.prod([size or 1 for size in positions]))
    return images_within(WORK, work, LEAST_JUDGED, MOST_JUDGED)
