"""What `inspect` prints."""

from __future__ import annotations

import click

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.inspection import Inspection
from resnet_edge.core.metadata import ModelMetadata
from resnet_edge.report.words import quantity, size


def print_inspection(found: Inspection) -> None:
    """The file, part by part."""
    click.echo(f"{found.file}  {size(found.size_bytes)}, {size(found.weight_bytes)} of it constants")
    click.echo(f"sha256 {found.sha256}\n")
    for word, tensors in (("takes", found.inputs), ("gives", found.outputs)):
        for tensor in tensors:
            click.echo(f"{word}  {_tensor(tensor)}")
    total = found.float_macs + found.int8_macs
    if total:
        share = 100 * found.int8_macs / total
        click.echo(f"\n{quantity(total)} multiply-accumulates, {share:.0f} % of them in int8")
    click.echo("\noperations")
    width = max(map(len, found.census), default=0)
    for name, count in sorted(found.census.items(), key=lambda item: (-item[1], item[0])):
        click.echo(f"  {name:<{width}}  {count:>5,}")
    if found.metadata is not None:
        _print_metadata(found.metadata)
    for warning in found.warnings:
        click.echo(f"\nwarning: {warning}")


def _tensor(tensor: TensorSpec) -> str:
    shape = " x ".join("any" if side is None else str(side) for side in tensor.shape)
    grid = tensor.quantization
    if grid is None:
        return f"{tensor.name}: {tensor.dtype} {shape}"
    return (
        f"{tensor.name}: {tensor.dtype} {shape}, scale {grid.scale[0]:.6g}, zero point {grid.zero_point[0]}"
    )


def _print_metadata(found: ModelMetadata) -> None:
    click.echo("\nmetadata")
    image, scores = found.image, found.scores
    lines = {
        "name": found.name,
        "description": found.description,
        "version": found.version,
        "author": found.author,
        "licence": found.license,
        "image": f"{image.width} x {image.height}, {image.colour_space}",
        "mean, std": f"{_numbers(image.mean)}, {_numbers(image.std)}" if image.mean else "",
        "parser": found.min_parser_version,
    }
    for key, text in lines.items():
        if text:
            click.echo(f"  {key:<12} {text}")
    for file in scores.labels:
        first = ", ".join(file.labels[:3]) + (", …" if len(file.labels) > 3 else "")
        locale = f" ({file.locale})" if file.locale else ""
        click.echo(f"  {'labels':<12} {file.name}{locale}: {len(file.labels):,}: {first}")


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)
