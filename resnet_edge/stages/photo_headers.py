"""Runs in a worker. The sizes that photos declare, each by its header alone."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.progress import Report
from resnet_edge.data.folder import files_of
from resnet_edge.data.photo import check_header
from resnet_edge.stages.photo_headers_request import Headers, HeadersRequest


def look(request: HeadersRequest, report: Report) -> Headers:
    """Raises DataError, with the first that is too large or no photo."""
    photos = 0
    for folder in request.data:
        for file in files_of(Path(folder)):
            check_header(file)
            photos += 1
    return Headers(photos=photos)
