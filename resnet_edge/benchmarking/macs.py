"""Runs in a worker. What an artifact has to do in one inference, and how large it is."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.benchmarking.task import CountBytes, CountWork, StoredBytes
from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.core.roofline import Work
from resnet_edge.workers.progress import OnProgress


def work(request: CountWork, on_progress: OnProgress) -> Work:
    """Count it. Raises ArtifactError, MissingDependency."""
    from resnet_edge.graph.macs import work_of

    return work_of(Path(request.path))


def stored(request: CountBytes, on_progress: OnProgress) -> StoredBytes:
    """Count them. Raises ArtifactError, MissingDependency."""
    import onnx

    from resnet_edge.graph.external_data import external_files, stored_bytes

    path = Path(request.path)
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's and onnx's, in whatever way
        raise ArtifactError(f"{path} is damaged ({first_line(error)}): convert it again") from error
    beside = sorted(path.parent / name for name in external_files(model))
    return StoredBytes(
        size_bytes=stored_bytes(path, model), beside=tuple(str(file) for file in beside if file.is_file())
    )
