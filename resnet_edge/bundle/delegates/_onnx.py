"""The nodes of an .onnx file as execution providers for phones look at them, and the lists of operators that
ONNX Runtime publishes for these.

The lists are read from the installed onnxruntime (tools/mobile_helpers), which its own
check_onnx_model_mobile_usability reads too. That tool looks at the operators and at sizes that are not
fixed; the conditions that the lists tell in words are checked here as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import onnx
import onnxruntime

from resnet_edge.bundle.delegates._verdict import DelegateVerdict, ListOrigin, outlook_of
from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.core.results.outlook import Outlook
from resnet_edge.graph.macs import onnx_constants, onnx_layers

FORMATS = frozenset({"onnx"})
_ROW = re.compile(r"^\|([\w.]+[:.]\w+)\|(.*)\|$")
LARGEST_RANK = 5
"""Of Core ML (check_coreml_partitions)."""


@dataclass(frozen=True, kw_only=True)
class NodePlace:
    """A node with what is known of its tensors; `shapes` has None for a size that is not fixed, and `dtypes`
    what numpy calls them. `constants` are the names of all constants of the
    file, and `makers` the operators that values come from."""

    node: onnx.NodeProto
    shapes: Mapping[str, tuple[int | None, ...]]
    dtypes: Mapping[str, str]
    constants: frozenset[str]
    makers: Mapping[str, str]

    @property
    def op(self) -> str:
        """With its domain, as the lists spell it."""
        return f"{self.node.domain or 'ai.onnx'}:{self.node.op_type}"

    def shape(self, index: int) -> tuple[int | None, ...] | None:
        """Of an input; None where it is not known."""
        return self.shapes.get(self.node.input[index]) if len(self.node.input) > index else None

    def constant(self, index: int) -> bool:
        """Whether an input is a constant of the file, or is not given."""
        return len(self.node.input) <= index or self.node.input[index] in ("", *self.constants)

    def dequantized(self, index: int) -> bool:
        """Whether an input is a constant behind a DequantizeLinear, or is not given."""
        return len(self.node.input) <= index or self.makers.get(self.node.input[index]) == "DequantizeLinear"


Condition = Callable[[NodePlace], str | None]


def listed(list_file: str) -> frozenset[str]:
    """The operators of one of ONNX Runtime's lists, as `domain:operator`."""
    folder = Path(onnxruntime.__file__).parent / "tools/mobile_helpers"
    try:
        lines = (folder / list_file).read_text("utf-8").splitlines()
    except OSError as error:
        raise ArtifactError(
            f"this onnxruntime has no {list_file} ({error.strerror}): install 1.32"
        ) from error
    rows = (_ROW.match(line.strip()) for line in lines)
    # One row spells the domain with a dot in place of a colon.
    return frozenset(re.sub(r"^ai\.onnx\.", "ai.onnx:", row[1]) for row in rows if row)


def source_of(list_file: str) -> str:
    """The list, with the version that it came with."""
    return f"{list_file} of onnxruntime {metadata.version('onnxruntime')}"


def provider_outlook(
    path: Path,
    origin: ListOrigin,
    list_file: str,
    condition: Condition,
    largest_rank: int | None,
    remark: str,
) -> Outlook:
    """By a list of operators and what must hold besides. Raises ArtifactError."""
    operators = listed(list_file)
    places, macs = read(path)
    verdicts = []
    for place in places:
        reason = "the provider has no such operator" if place.op not in operators else None
        reason = reason or _unfixed(place, largest_rank) or condition(place)
        verdicts.append(DelegateVerdict(place.node.op_type, macs.get(place.node.output[0], 0), reason))
    return outlook_of(origin, verdicts, remark=remark)


def read(path: Path) -> tuple[list[NodePlace], dict[str, int]]:
    """The nodes in order, and multiply-accumulates by the output that they go into. Raises ArtifactError."""
    try:
        model = onnx.load(str(path), load_external_data=False)
        inferred = onnx.shape_inference.infer_shapes(model).graph
        macs = {node.output[0]: count for node, count, _ in onnx_layers(model)}
    except Exception as error:  # protobuf's and onnx's exceptions share no base
        raise ArtifactError(
            f"{path} cannot be read as ONNX ({first_line(error)}): copy or convert it again"
        ) from error
    if not inferred.node:
        raise ArtifactError(f"{path} has no operators: copy or convert it again")
    values = [*inferred.input, *inferred.output, *inferred.value_info]
    shapes = {value.name: _shape(value) for value in values if value.type.tensor_type.HasField("shape")}
    dtypes = {value.name: _dtype(value.type.tensor_type.elem_type) for value in values}
    constants = dict(onnx_constants(inferred))
    shapes |= {name: tuple(tensor.dims) for name, tensor in constants.items()}
    dtypes |= {name: _dtype(tensor.data_type) for name, tensor in constants.items()}
    makers = {name: node.op_type for node in inferred.node for name in node.output}
    return [
        NodePlace(node=node, shapes=shapes, dtypes=dtypes, constants=frozenset(constants), makers=makers)
        for node in inferred.node
    ], macs


def odd_dtype(place: NodePlace, known: frozenset[str]) -> str | None:
    """Why the dtype of the first input is refused."""
    dtype = place.dtypes.get(place.node.input[0], "unknown") if place.node.input else "unknown"
    return None if dtype in known else f"it takes {' or '.join(sorted(known))} alone, and this is {dtype}"


def flat_conditions(place: NodePlace) -> str | None:
    """What the lists ask of operators of convolutional networks in the same words."""
    op = place.node.op_type
    image = place.shape(0)
    if op in ("Conv", "QLinearConv") and image is not None and len(image) > 4:
        return "its convolution has more than 2 dimensions"
    if "Pool" in op and image is not None and len(image) != 4:
        return "its pooling is not over 2 dimensions"
    return None


def _unfixed(place: NodePlace, largest_rank: int | None) -> str | None:
    for name in filter(None, place.node.input):
        shape = place.shapes.get(name)
        if shape is None or None in shape:
            return "it has an input whose size is not fixed"
        if largest_rank is not None and len(shape) > largest_rank:
            return f"it has an input of more than {largest_rank} dimensions"
    return None


def _shape(value: onnx.ValueInfoProto) -> tuple[int | None, ...]:
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in dims)


def _dtype(kind: int) -> str:
    try:
        return str(onnx.helper.tensor_dtype_to_np_dtype(kind).name)
    except KeyError:
        return "unknown"
