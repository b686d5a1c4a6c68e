"""What stands in a model file, on stdout for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resnet_edge.cli._grid import print_grid, print_line, spelled, stdout_console
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata, ScoreOutput
from resnet_edge.core.minimum import RuntimeMinimum
from resnet_edge.core.results.inspection import Inspection
from resnet_edge.report import words

if TYPE_CHECKING:
    from rich.console import Console

MOST_LABELS = 4
MOST_OF_A_LABEL = 24
MOST_OF_A_NAME = 40


def print_inspection(inspection: Inspection, width: int | None = None) -> None:
    """The file, its ends, operations, constants, metadata and warnings. `width` as cli._grid.stdout_console
    takes it."""
    console = stdout_console(width)
    _print_file(console, inspection)
    _print_ends(console, inspection)
    _print_operations(console, inspection)
    _print_metadata(console, inspection)
    _print_minimums(console, inspection)
    if inspection.warnings:
        console.print()
    for warning in inspection.warnings:
        _line(console, f"warning: {warning}", "yellow")


def _line(console: Console, text: str, style: str = "") -> None:
    print_line(console, spelled(console, text), style)


def _print_file(console: Console, file: Inspection) -> None:
    _line(console, file.file, "bold")
    _line(console, f"{file.format}, {words.size(file.size_bytes)} ({file.size_bytes:,} bytes)")
    _line(console, f"sha256 {file.sha256}")
    for line in file.made_by:
        _line(console, line)
    console.print()


def _print_ends(console: Console, file: Inspection) -> None:
    ends = [("input", spec) for spec in file.inputs] + [("output", spec) for spec in file.outputs]
    body = [
        [
            spelled(console, f"{end} {words.shortened(spec.name, MOST_OF_A_NAME)}"),
            spelled(console, _shape_text(end, spec)),
            spec.dtype,
            spelled(console, _quantization_text(spec)),
        ]
        for end, spec in ends
    ]
    header = ["Tensor", "Shape", "Dtype", "Real value"]
    print_grid(console, header, body, left=header)


def _shape_text(end: str, spec: TensorSpec) -> str:
    order = f" {spec.layout}" if end == "input" and spec.layout else ""
    return shape_text(spec) + order


def shape_text(spec: TensorSpec) -> str:
    """`1×28×28×1`; a dynamic size is a question mark."""
    return "×".join("?" if size is None else str(size) for size in spec.shape) or "one number"


def _quantization_text(spec: TensorSpec) -> str:
    if spec.quantization is None:
        return "as stored"
    scale, point = spec.quantization.scale, spec.quantization.zero_point
    if len(scale) > 1:
        return f"{len(scale)} scales"
    if not point[0]:
        return f"{scale[0]:.6g} × stored"
    return f"{scale[0]:.6g} × (stored {'+' if point[0] < 0 else '−'} {abs(point[0])})"


def _print_operations(console: Console, file: Inspection) -> None:
    console.print()
    if file.ops is None:
        _line(console, "An .ort file is for ONNX Runtime alone: its operations cannot be listed.")
        return
    whole = sum(each.macs for each in file.ops)
    body = [
        [
            spelled(console, each.op),
            str(each.count),
            spelled(console, _crossed(each.precision)),
            words.quantity(each.macs) if each.macs else "",
            _share(each.macs, whole) if each.macs else "",
        ]
        for each in file.ops
    ]
    print_grid(console, ["Operation", "Count", "Precision", "MACs", "Share"], body, left=("Precision",))
    shares = [f"{_share(macs, whole)} {_crossed(name)}" for name, macs in file.macs_by_precision.items()]
    if shares:
        crossed = " (activations × weights)" if any("×" in share for share in shares) else ""
        total = f"{words.quantity(whole)} for one image, {', '.join(shares)}{crossed}"
        _line(console, f"Multiply-accumulates (MACs): {total}")
    stored = [f"{words.size(size)} {name}" for name, size in (file.parameter_bytes or {}).items()]
    _line(console, f"Constants: {', '.join(stored) or 'none'}")


def _share(part: int, whole: int) -> str:
    share = 100 * part / whole
    return "100 %" if part == whole else "<0.1 %" if share < 0.05 else f"{min(share, 99.9):.1f} %"


def _crossed(precision: str) -> str:
    return precision.replace(" x ", " × ")


def _print_minimums(console: Console, file: Inspection) -> None:
    console.print()
    _line(console, "The oldest release that opens it and is right", "bold")
    for each in file.minimums:
        _line(console, f"{each.runtime}{oldest_text(each)}: {each.why}")


def oldest_text(minimum: RuntimeMinimum) -> str:
    """` 2.16`, ` 2.16 or newer`, `: none`, `: not known`, to put behind the name of the runtime."""
    return {
        "known": f" {minimum.version}",
        "at least": f" {minimum.version} or newer",
        "never": ": none",
        "unknown": ": not known",
    }[minimum.state]


def _print_metadata(console: Console, file: Inspection) -> None:
    if file.format != "tflite":
        return
    console.print()
    if file.metadata is None:
        nothing = "none: an app has to know labels and normalization from elsewhere"
        _line(console, f"Metadata: {file.metadata_damage or nothing}")
        return
    _line(console, "Metadata", "bold")
    for name, text in metadata_rows(file.metadata):
        _line(console, f"{name:<12}{text}")


def metadata_rows(metadata: ModelMetadata) -> list[tuple[str, str]]:
    """Every field that is there, as its name and a line."""
    fields = [
        ("name", metadata.name),
        ("description", metadata.description),
        ("version", metadata.version),
        ("author", metadata.author),
        ("license", metadata.license),
        ("parser", metadata.min_parser_version and f"{metadata.min_parser_version} or newer"),
        ("input", _image_text(metadata.image)),
        ("output", _scores_text(metadata.scores)),
        *(("labels", _labels_text(file)) for file in metadata.scores.labels),
    ]
    return [(name, text) for name, text in fields if text]


def _image_text(image: ImageInput) -> str:
    parts = [image.name, image.description]
    size = f"{image.width}×{image.height} " if image.width and image.height else ""
    parts.append(f"{size}{image.colour_space}" if image.colour_space != "unknown" else size.strip())
    if image.mean or image.std:
        parts.append(f"(pixel − {_numbers(image.mean)}) / {_numbers(image.std)}")
    parts.append(_range_text(image.value_range))
    return ", ".join(filter(None, parts))


def _scores_text(scores: ScoreOutput) -> str:
    return ", ".join(filter(None, [scores.name, scores.description, _range_text(scores.value_range)]))


def _numbers(values: tuple[float, ...]) -> str:
    listed = ", ".join(f"{value:g}" for value in values)
    return listed if len(values) == 1 else f"[{listed}]"


def _range_text(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"from {ends[0]:g} to {ends[1]:g}"


def _labels_text(file: LabelFile) -> str:
    first = ", ".join(words.shortened(label, MOST_OF_A_LABEL) for label in file.labels[:MOST_LABELS])
    more = ", …" if len(file.labels) > MOST_LABELS else ""
    language = f" ({file.locale})" if file.locale else ""
    return f"{file.name}{language}: {len(file.labels):,}: {first}{more}"
