"""Runs in the parent. The file of a configuration: its network exported, calibrated, written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnet_edge.calibrate.calibration_task import Calibration
from resnet_edge.calibrate.learned_task import PlaceLearnedRanges
from resnet_edge.conversion.download_size import gzip_bytes
from resnet_edge.conversion.mixed_precision_task import Choices, ChooseFloatLayers
from resnet_edge.conversion.one_artifact import FloatGraph, calibrated, written
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.search import Configuration
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.source_task import ExportModel, ReadLearnedRanges, ReadModelFacts
from resnet_edge.searching.context import Context
from resnet_edge.searching.networks import Network
from resnet_edge.searching.space import NATIVE


@dataclass(frozen=True, kw_only=True)
class SearchArtifact:
    """A file, the size of its gzip, and the network that it is made of."""

    artifact: Artifact
    download_bytes: int
    graph: FloatGraph


class Artifacts:
    """Files of networks of a search."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def of(self, network: Network, configuration: Configuration) -> SearchArtifact:
        """The file of `network` in the configuration's scheme. Raises what making it raises."""
        job = self._context.jobs[configuration.scheme]
        names = ("calibrator", "repair", "float_layers") if job.needs_calibration else ()
        key = {
            **network.key,
            "format": job.format,
            "scheme": job.scheme,
            "images": self._calibration(configuration).sha256 if job.needs_calibration else "",
            **{f"file {name}": getattr(configuration, name) for name in names},
        }
        _, known = self._context.store.once(
            "files", key, SearchArtifact, lambda folder: self._make(network, configuration, folder)
        )
        return known

    def float32(self, network: Network) -> SearchArtifact:
        """The same network as a file that rounds nothing."""
        return self.of(network, NATIVE)

    def _make(self, network: Network, configuration: Configuration, folder: Path) -> SearchArtifact:
        job, maker = self._context.jobs[configuration.scheme], self._context.maker
        graph = self._graph(network)
        ranges = self._ranges(network, graph, configuration) if job.needs_calibration else None
        kept = self._float_layers(network, graph, configuration, ranges)
        artifact = written(graph, job, ranges, folder, maker, float_layers=kept)
        return SearchArtifact(artifact=artifact, download_bytes=gzip_bytes(Path(artifact.path)), graph=graph)

    def _graph(self, network: Network) -> FloatGraph:
        return self._context.store.once(
            "graphs", network.key, FloatGraph, lambda folder: self._exported(network, folder)
        )[1]

    def _exported(self, network: Network, folder: Path) -> FloatGraph:
        source, out = self._context.source, str(folder / "float.tflite")
        facts = source.run(ReadModelFacts(model=network.model))
        source.run(ExportModel(model=network.model, out=out, dynamic_batch=False))
        return FloatGraph(facts=facts, portable=out)

    def _float_layers(
        self,
        network: Network,
        graph: FloatGraph,
        configuration: Configuration,
        ranges: Calibration | None,
    ) -> tuple[str, ...]:
        """By their outputs; the order in which they are worth it is found out once."""
        context, scheme = self._context, configuration.scheme
        if ranges is None or not configuration.float_layers:
            return ()

        def make(folder: Path) -> Choices:
            task = ChooseFloatLayers.of(
                ranges, self._calibration(configuration).images, scheme, graph.facts.head, str(folder)
            )
            return context.maker.run(task)

        key = {**self._ranges_key(network, configuration), "scheme": scheme}
        choices = context.store.once("float layers", key, Choices, make)[1]
        return choices.after(configuration.float_layers).float_layers

    def _ranges_key(self, network: Network, configuration: Configuration) -> dict[str, Any]:
        return {
            **network.key,
            "images": self._calibration(configuration).sha256,
            "calibrator": configuration.calibrator,
            "repair": configuration.repair,
        }

    def _ranges(self, network: Network, graph: FloatGraph, configuration: Configuration) -> Calibration:
        calibration = self._calibration(configuration)
        key = self._ranges_key(network, configuration)

        def make(folder: Path) -> Calibration:
            return calibrated(
                graph,
                calibration.images,
                folder,
                self._context.maker,
                calibrator=configuration.calibrator,  # type: ignore[arg-type]  # held where the space was read
                repair=configuration.repair,  # type: ignore[arg-type]  # the same
                fixed=self._learned(network, graph, calibration, folder),
            )

        return self._context.store.once("ranges", key, Calibration, make)[1]

    def _calibration(self, configuration: Configuration) -> Images:
        return self._context.at(configuration.input_size).calibration

    def _learned(self, network: Network, graph: FloatGraph, calibration: Images, folder: Path) -> str | None:
        """The ranges that quantization-aware training has learned, by tensor."""
        if not graph.facts.learned_ranges:
            return None
        learned, placed = str(folder / "learned.npz"), str(folder / "learned.json")
        task = ReadLearnedRanges(model=network.model, images=calibration.images, out=learned)
        self._context.source.run(task)
        place = PlaceLearnedRanges(portable=graph.portable, learned=learned, out=placed)
        return self._context.maker.run(place).ranges
