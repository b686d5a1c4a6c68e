"""The census of a file."""

from __future__ import annotations

from collections import Counter

from resnet_edge.core.results.inspection import Inspection, counted, joined, turned


def inspection(*rows: tuple[str, str, int, int]) -> Inspection:
    counts = Counter({(op, precision): count for op, precision, count, _ in rows})
    macs = Counter({(op, precision): work for op, precision, _, work in rows})
    return Inspection(
        file="net.tflite",
        format="tflite",
        size_bytes=1,
        sha256="",
        made_by=(),
        inputs=(),
        outputs=(),
        ops=counted(counts, macs),
        parameter_bytes=None,
        metadata=None,
    )


def test_the_most_work_comes_first_then_the_most_frequent() -> None:
    report = inspection(
        ("RELU", "float32", 2, 0), ("ADD", "int8", 9, 0), ("CONV_2D", "int8", 1, 50), ("ADD", "float32", 2, 0)
    )
    assert [(row.op, row.precision) for row in report.ops or ()] == [
        ("CONV_2D", "int8"),
        ("ADD", "int8"),
        ("ADD", "float32"),
        ("RELU", "float32"),
    ]


def test_work_is_summed_up_by_precision() -> None:
    report = inspection(
        ("FULLY_CONNECTED", "float32", 1, 70), ("CONV_2D", "int8", 1, 50), ("DEPTHWISE", "int8", 1, 30)
    )
    assert [*report.macs_by_precision.items()] == [("int8", 80), ("float32", 70)]
    assert inspection(("ADD", "int8", 1, 0)).macs_by_precision == {}


def test_precisions_are_told_once_where_they_are_the_same() -> None:
    assert (joined("int8", "int8"), joined("float32", "int8")) == ("int8", "float32 x int8")
    assert (turned("int8", "int8"), turned("float32", "int8")) == ("int8", "float32 to int8")
