"""Runs in the parent. What DATA declares, before any framework is imported and any model is opened."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core import budget
from resnet_edge.core.budget import PROMISE
from resnet_edge.core.worker import Worker, log_folder
from resnet_edge.stages.photo_headers_request import Headers, HeadersRequest


def check_data(*words: str | None) -> None:
    """Whether DATA asks for more than it can need: .npz files by their headers, here; photos in folders by
    theirs, in a worker that loads Pillow alone and may take no more than a file may cost that is refused.
    10,000 photos take a second of processor time, a thirtieth of what decoding them takes. Raises DataError;
    WorkerFailed where a photo makes Pillow crash."""
    budget.check_data(*words)
    folders = tuple(dict.fromkeys(word for word in words if word and Path(word).is_dir()))
    if not folders:
        return
    with log_folder() as logs, Worker("photos", logs / "photos.log", memory=PROMISE) as worker:
        worker.call("resnet_edge.stages.photo_headers:look", HeadersRequest(data=folders), Headers)
