"""The bytes of an .ort file, the same wherever it is made.

ONNX Runtime writes what its kernels take (KernelTypeStrResolver in ort.fbs)
in the order of a hash whose seed is an address: another build of Python, other limits or another machine give
another order, and so other bytes. It is written last, and so lies before the model in the file (a FlatBuffer
grows towards its beginning), which keeps its bytes here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs import (
    ArgTypeAndIndex,
    InferenceSession,
    KernelTypeStrArgsEntry,
    KernelTypeStrResolver,
    OpIdKernelTypeStrArgsEntry,
)

IDENTIFIER = b"ORTM"
ALIGNMENT = 8
"""Of the largest number in the schema."""


def in_order(content: bytes) -> bytes:
    """The file with what kernels take in the order of operators' names."""
    session = InferenceSession.InferenceSession.GetRootAs(content, 0)
    model = _position(session.Model())
    begin = min(model, model - struct.unpack_from("<i", content, model)[0])  # the index may lie before it
    kept = content[begin:]
    builder = flatbuffers.Builder(2 * len(content))
    builder.Bytes[len(builder.Bytes) - len(kept) :] = kept
    builder.head = len(builder.Bytes) - len(kept)
    builder.minalign = ALIGNMENT
    version = builder.CreateString(session.OrtVersion())
    resolver = _resolver(builder, session.KernelTypeStrResolver())
    InferenceSession.Start(builder)
    InferenceSession.AddOrtVersion(builder, version)
    InferenceSession.AddModel(builder, len(content) - model)
    InferenceSession.AddKernelTypeStrResolver(builder, resolver)
    builder.Finish(InferenceSession.End(builder), IDENTIFIER)
    return bytes(builder.Output())


def _position(table: Any) -> int:
    return int(table._tab.Pos)


def _resolver(builder: Any, resolver: Any) -> int:
    operators = _all(resolver.OpKernelTypeStrArgsLength(), resolver.OpKernelTypeStrArgs)
    written = [_operator(builder, each) for each in sorted(operators, key=lambda each: each.OpId())]
    listed = _vector(builder, written)
    KernelTypeStrResolver.Start(builder)
    KernelTypeStrResolver.AddOpKernelTypeStrArgs(builder, listed)
    return int(KernelTypeStrResolver.End(builder))


def _operator(builder: Any, operator: Any) -> int:
    types = _all(operator.KernelTypeStrArgsLength(), operator.KernelTypeStrArgs)
    written = [_type(builder, each) for each in sorted(types, key=lambda each: each.KernelTypeStr())]
    listed, name = _vector(builder, written), builder.CreateString(operator.OpId())
    OpIdKernelTypeStrArgsEntry.Start(builder)
    OpIdKernelTypeStrArgsEntry.AddOpId(builder, name)
    OpIdKernelTypeStrArgsEntry.AddKernelTypeStrArgs(builder, listed)
    return int(OpIdKernelTypeStrArgsEntry.End(builder))


def _type(builder: Any, entry: Any) -> int:
    written = [_argument(builder, each) for each in _all(entry.ArgsLength(), entry.Args)]
    listed, name = _vector(builder, written), builder.CreateString(entry.KernelTypeStr())
    KernelTypeStrArgsEntry.Start(builder)
    KernelTypeStrArgsEntry.AddKernelTypeStr(builder, name)
    KernelTypeStrArgsEntry.AddArgs(builder, listed)
    return int(KernelTypeStrArgsEntry.End(builder))


def _argument(builder: Any, argument: Any) -> int:
    ArgTypeAndIndex.Start(builder)
    ArgTypeAndIndex.AddArgType(builder, argument.ArgType())
    ArgTypeAndIndex.AddIndex(builder, argument.Index())
    return int(ArgTypeAndIndex.End(builder))


def _all(count: int, at: Callable[[int], Any]) -> list[Any]:
    return [at(number) for number in range(count)]


def _vector(builder: Any, tables: Sequence[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())
