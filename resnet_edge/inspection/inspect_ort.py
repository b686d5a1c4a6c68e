"""Runs in a worker. What ONNX Runtime tells of an .ort file, whose graph is optimized and for it alone."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from resnet_edge.compatibility import ort
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.core.results.inspection import Inspection

MARK = b"ORTM"
"""Bytes 4 to 8 (onnxruntime/core/flatbuffers/schema/ort.fbs)."""
DTYPES = {"float": "float32", "double": "float64"}


def inside(path: Path) -> Inspection:
    """The file without what any file has (size, hash). Raises ArtifactError."""
    with path.open("rb") as file:
        if file.read(8)[4:] != MARK:
            raise ArtifactError(f"{path} is not an .ort file (no {MARK.decode()} mark): copy it again")
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base of their own
        raise ArtifactError(
            f"onnxruntime {onnxruntime.__version__} does not open {path} ({first_line(error)}): make it "
            "again with python -m onnxruntime.tools.convert_onnx_models_to_ort"
        ) from error
    inputs = tuple(map(_spec, session.get_inputs()))
    outputs = tuple(map(_spec, session.get_outputs()))
    meta = session.get_modelmeta()
    producers = (meta.producer_name,) if meta.producer_name else ()
    return Inspection(
        file="",
        format="",
        size_bytes=0,
        sha256="",
        made_by=producers,
        inputs=inputs,
        outputs=outputs,
        ops=None,
        parameter_bytes=None,
        metadata=None,
        minimums=(ort.minimum(path.read_bytes()),),
    )


def _spec(end: onnxruntime.NodeArg) -> TensorSpec:
    kind = end.type.removeprefix("tensor(").removesuffix(")")
    sizes = tuple(size if isinstance(size, int) else None for size in end.shape)
    return TensorSpec(end.name, sizes, DTYPES.get(kind, kind))
