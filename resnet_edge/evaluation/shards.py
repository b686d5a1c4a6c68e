"""Runs in a worker. An artifact on some of the images, so that many workers share the work, and what is done
stays done when a run is ended."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from resnet_edge.backends import Session
from resnet_edge.core.errors import DataError, first_line
from resnet_edge.core.files.atomic import take_name
from resnet_edge.data.encoded import picked
from resnet_edge.data.image_file import open_images
from resnet_edge.evaluation.predict import opened, outputs_of
from resnet_edge.evaluation.predict_task import JoinShards, Predict, PredictResult, PredictShard
from resnet_edge.workers.progress import OnProgress


class _Last:
    """The session that was opened last, which the next shard most often needs again."""

    def __init__(self) -> None:
        self._of: tuple[str, str, str, int] | None = None
        self._context: AbstractContextManager[Session] | None = None
        self._session: Session | None = None

    def session(self, request: Predict) -> Session:
        wanted = request.path, request.backend, request.device, request.threads
        if self._of != wanted or self._session is None:
            self.close()
            context = opened(request)
            self._session, self._context, self._of = context.__enter__(), context, wanted
        return self._session

    def close(self) -> None:
        context, self._context, self._session, self._of = self._context, None, None, None
        if context is not None:
            context.__exit__(None, None, None)


_last = _Last()


def run(request: PredictShard, on_progress: OnProgress) -> PredictResult:
    """Raises as evaluation.predict does."""
    out, result_file = Path(request.out), Path(request.result)
    if out.is_file() and (known := _earlier_result(result_file)) is not None:
        return replace(known, out=str(out))
    images = picked(open_images(Path(request.whole.images)), slice(request.start, request.stop))
    unfinished = str(out.with_suffix(f".{os.getpid()}.npy"))
    try:
        session = _last.session(request.whole)
        step = f"{Path(request.whole.path).name} on {request.whole.backend}"
        result = outputs_of(session, images, request.whole, unfinished, step, on_progress)
    except BaseException:
        _last.close()  # a session that failed is not to be trusted with more
        raise
    take_name(Path(unfinished), out)
    result = replace(result, out=str(out))
    half = result_file.with_suffix(f".{os.getpid()}.part")
    half.write_bytes(msgspec.json.encode(result))
    take_name(half, result_file)
    return result


def _earlier_result(path: Path) -> PredictResult | None:
    """What an earlier run told of a shard; None where it did not come to that."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=PredictResult)
    except (OSError, msgspec.DecodeError):
        return None


def join(request: JoinShards, on_progress: OnProgress) -> PredictResult:
    """All outputs in one file. Raises DataError where the shards are not of one artifact, or what is there is
    no shard, as of a machine that was switched off; they are gone then, and are run again."""
    try:
        results, parts = _checked(request)
    except (DataError, msgspec.DecodeError, OSError, ValueError) as error:
        for file in map(Path, (*request.shards, *request.results)):
            with suppress(OSError):
                file.unlink(missing_ok=True)
        why = first_line(error)
        raise DataError(f"the shards of {request.out} cannot be joined ({why}): run again") from error
    first = results[0]
    outputs = open_memmap(request.out, mode="w+", dtype=np.float32, shape=(request.n, first.classes))
    np.concatenate(parts, out=outputs)
    outputs.flush()
    return replace(first, out=request.out, n=request.n, seconds=sum(result.seconds for result in results))


def _checked(request: JoinShards) -> tuple[list[PredictResult], list[NDArray[np.float32]]]:
    """Raises DataError, msgspec.DecodeError, OSError, ValueError."""
    results = [
        msgspec.json.decode(Path(result).read_bytes(), type=PredictResult) for result in request.results
    ]
    first = results[0]
    if any(replace(r, out="", n=0, seconds=0.0) != replace(first, out="", n=0, seconds=0.0) for r in results):
        raise DataError("they were not made by one runtime")
    parts = [np.load(shard, mmap_mode="r", allow_pickle=False) for shard in request.shards]
    for part in parts:
        if part.dtype != np.float32 or part.shape[1:] != (first.classes,):
            raise DataError(f"one has {part.dtype} {part.shape}, and not {first.classes} classes")
    if (n := sum(map(len, parts))) != request.n:
        raise DataError(f"they are outputs of {n:,} images, and not of {request.n:,}")
    return results, parts
