"""Convert a Keras ResNet to TFLite and ONNX, and prove what comes out.

    import resnet_edge

    report = resnet_edge.convert(model, data=(images, labels), out="dist")
    report.passed, report.best().path

Every command is a function of its name, see `api`, and `on_progress` of each gets a Progress. Nothing
of it is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnet_edge import errors, reports
    from resnet_edge.api.bench import bench
    from resnet_edge.api.convert import convert
    from resnet_edge.api.doctor import doctor
    from resnet_edge.api.host_prepare import host_prepare
    from resnet_edge.api.host_remove import host_remove
    from resnet_edge.api.host_show import host_show
    from resnet_edge.api.inspect import inspect
    from resnet_edge.api.load_report import load_report
    from resnet_edge.api.package import package
    from resnet_edge.api.prune import prune
    from resnet_edge.api.qat import qat
    from resnet_edge.api.search import search
    from resnet_edge.api.train import train
    from resnet_edge.api.verify import verify
    from resnet_edge.api.verify_golden import verify_golden
    from resnet_edge.workers.progress import Progress

__version__ = "0.1.0"

__all__ = [
    "Progress",
    "bench",
    "convert",
    "doctor",
    "errors",
    "host_prepare",
    "host_remove",
    "host_show",
    "inspect",
    "load_report",
    "package",
    "prune",
    "qat",
    "reports",
    "search",
    "train",
    "verify",
    "verify_golden",
]


if not TYPE_CHECKING:  # a type checker would take any name for one that is there

    def __getattr__(name: str) -> Any:
        if name in ("errors", "reports"):
            return importlib.import_module(f"resnet_edge.{name}")
        if name == "Progress":
            return importlib.import_module("resnet_edge.workers.progress").Progress
        if name in __all__:
            return getattr(importlib.import_module(f"resnet_edge.api.{name}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
