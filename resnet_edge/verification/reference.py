"""Runs in the parent. What artifacts are held against: a Keras model, or another artifact."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from pathlib import Path

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import ArtifactError, ModelError, UsageError
from resnet_edge.core.head import Head, HeadKind
from resnet_edge.core.input_bytes import meant_by_bytes
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.cluster import Cluster
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.evaluation.output_store import OutputStore
from resnet_edge.evaluation.predict_task import JoinShards, Predict, PredictShard
from resnet_edge.evaluation.reference_shards import ReferenceShards, stays_here
from resnet_edge.evaluation.source_task import ExportModel, ReadModelFacts, RunReference
from resnet_edge.evaluation.witnessing import witnessed
from resnet_edge.models import ModelRequest, grant_of
from resnet_edge.verification.task import IdentifyFiles
from resnet_edge.workers.grant import NOTHING
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress


@dataclass(frozen=True)
class Reference:
    """The reference and its outputs .npy (N, classes) for all images."""

    facts: ModelFacts
    outputs: str


class ReferenceModel:
    """The reference, whichever it is, and the workers that run it. Where it is an artifact, `content` is the
    hash of what it computes (graph/content.py), and `min_sqnr_db` what its own scheme is asked for (None:
    nothing): nothing can be nearer to it than it is to a model; `head` is what the user says of its
    outputs. With a `cluster`, that runs a Keras model that is a file; `note` says where one is none."""

    def __init__(
        self,
        source: ModelRequest | Path,
        workers: WorkerPool,
        scratch: Path,
        on_progress: OnProgress,
        unpruned: ModelRequest | None = None,
        head: HeadKind | None = None,
        store: OutputStore | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self._source, self._scratch, self._head, self._store = source, scratch, head, store
        opened = [model for model in (source, unpruned) if isinstance(model, ModelRequest)]
        self._worker = workers.worker("reference", on_progress, reduce(or_, map(grant_of, opened), NOTHING))
        self._artifact: Artifact | None = None
        self._copy = ""
        self.content = ""
        self.min_sqnr_db: float | None = math.inf
        self._portables: dict[bool, str] = {}
        self.witness: ReaderCheck | None = None
        self.note = "" if cluster is None else stays_here(source)
        if isinstance(source, ModelRequest):
            self._model = ReferenceShards(source, self._worker, scratch, workers, on_progress, cluster)
        self._shards: list[PredictShard] = []
        self._lock = threading.Lock()  # layers and causes ask at the same time

    def facts(self) -> ModelFacts:
        """What it is. Raises ModelError, ArtifactError."""
        if isinstance(self._source, ModelRequest):
            self._facts = self._worker.run(ReadModelFacts(model=self._source))
            return self._facts
        path = self._source
        format = path.suffix[1:].lower()
        folder = str(self._scratch / "reference")
        request = IdentifyFiles(
            paths=(str(path),),
            formats=(format,),
            backends=(FIRST_BACKEND[format],),
            folder=folder,
            contents=True,
        )
        identified = self._worker.run(request)
        (self._artifact,), (self._copy,) = identified.artifacts, identified.copies
        (self.content,), (self.min_sqnr_db,) = identified.contents, identified.min_sqnr_db
        image, scores = self._artifact.inputs[0], self._artifact.outputs[0]
        height, width, channels = image.image_size
        outputs = scores.shape[-1]
        if None in (height, width, channels, outputs):
            raise ArtifactError(f"{path} leaves sizes open: give the Keras model as the --reference")
        assert height is not None
        assert width is not None
        assert channels is not None
        assert outputs is not None
        return ModelFacts(
            name=path.stem,
            source=str(path),
            sha256=self._artifact.sha256,
            parameters=0,
            macs=None,
            input_shape=(height, width, channels),
            head=_head_of(outputs, scores.name, self._head),
            class_names=(),
            preprocessing=PRESETS["model"],
        )

    def outputs(self, images: Images) -> str:
        """Its outputs (.npy) for all images, of a Keras model once another loader has given the same. Asked
        again for more images that begin with the same ones, it runs the others only. Raises whatever keeps it
        from running."""
        out = str(self._scratch / f"reference.{images.n}.npy")
        if isinstance(self._source, ModelRequest):
            self.witness = self.witness or witnessed(self._worker, self._source, images)
            return self._model.outputs(images, self._facts, out)
        assert self._artifact is not None
        format = self._artifact.format
        how = meant_by_bytes(self._artifact.inputs[0])
        ran = Predict(
            path=self._copy,
            format=format,
            backend=FIRST_BACKEND[format],
            device="cpu",
            threads=1,
            images=images.images,
            out=out,
            preprocessing=how,
        )
        first = self._shards[-1].stop if self._shards else 0
        self._shards.append(PredictShard.of(ran, first, images.n, f"{out}.part.npy"))
        self._worker.run(self._shards[-1])
        joined = JoinShards.of(self._shards, out)
        return self._worker.run(joined).out

    def keep(self, images: Images) -> None:
        """Keep the outputs of a Keras file for these images where a run that was ended is gone on with. Of
        what is no file (a factory, random weights) nothing tells whether it is the same again."""
        source = self._source
        if self._store is None or not isinstance(source, ModelRequest) or not Path(source.source).exists():
            return
        request = replace(source, source=self._facts.sha256)
        self._model.folder = self._store.reference_folder(request, self._facts.preprocessing, images)

    def portable(self, bare: bool) -> str:
        """The float graph (.tflite) that tells of its layers; `bare`: without preprocessing."""
        if self._artifact is not None:
            if self._artifact.format != "tflite":
                raise ArtifactError(
                    f"{self._artifact.path} is ONNX, and layers are compared with a Keras model or a "
                    f"TFLite file"
                )
            return self._copy
        assert isinstance(self._source, ModelRequest)
        with self._lock:
            if bare not in self._portables:
                out = str(self._scratch / f"reference{'.bare' if bare else ''}.tflite")
                request = ExportModel(model=self._source, out=out, dynamic_batch=False, bare=bare)
                done = self._worker.run(request)
                self._portables[bare] = done.path
            return self._portables[bare]

    def rerun(self, images: str, out: str) -> str:
        """The outputs of the Keras model for other `images` (.npy), to `out` (.npy)."""
        assert isinstance(self._source, ModelRequest)
        return self._ran(self._source, images, out)

    def check_unpruned(self, source: ModelRequest, facts: ModelFacts) -> None:
        """Raises ModelError where it is no model that this one can have been before it was pruned."""
        before = self._worker.run(ReadModelFacts(model=source))
        if (before.input_shape, before.head) != (facts.input_shape, facts.head):
            raise ModelError(
                f"{source.source} takes other images than {facts.source}, or has other classes: name "
                "the model that was pruned with --unpruned"
            )

    def unpruned(self, source: ModelRequest, images: Images) -> str:
        """The outputs of the model that this one was before it was pruned."""
        return self._ran(source, images.images, str(self._scratch / "unpruned.npy"))

    def _ran(self, source: ModelRequest, images: str, out: str) -> str:
        request = RunReference(model=source, images=images, out=out)
        with self._lock:
            return self._worker.run(request).path

    def close(self) -> None:
        """End the process."""
        self._worker.close()


def _head_of(outputs: int, name: str, said: HeadKind | None) -> Head:
    """What an artifact with so many outputs is taken for: what the user says, or an embedding where its
    output is called so, as `convert` calls it. Whether scores are logits is seen when it has run. Raises
    UsageError."""
    if said is not None and (said == "binary") != (outputs == 1):
        raise UsageError(f"--head {said}: the reference gives {outputs} numbers per image: leave it out")
    if said == "embedding" or (said is None and name == "embedding" and outputs > 1):
        return Head.embedding(outputs)
    return Head.multilabel(outputs, "logits") if said == "multilabel" else Head.of_outputs(outputs, "logits")
