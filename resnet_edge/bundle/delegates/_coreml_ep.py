"""What both model formats of the Core ML execution provider ask of an operator."""

from __future__ import annotations

from resnet_edge.bundle.delegates._onnx import NodePlace, flat_conditions


def conditions(place: NodePlace) -> str | None:
    """The notes of the lists, for operators of convolutional networks."""
    op = place.node.op_type
    if op in ("Conv", "FusedConv") and not place.constant(2):
        return "its bias is not a constant of the file"
    if op == "Gemm" and not place.constant(1):
        return "its matrix is not a constant of the file"
    if op == "ConvTranspose" and not (place.constant(1) and place.constant(2)):
        return "its weights are not constants of the file"
    if op == "Resize":
        return "the list does not say which of its modes are supported: not known"
    if op == "Split" and not place.constant(1):
        return "its sizes are not constants of the file"
    if op == "Slice" and not all(place.constant(index) for index in (1, 2, 3, 4)):
        return "its ends are not constants of the file"
    return flat_conditions(place)
