"""ExecuTorch for engines.py, run in the environment of requirements.txt.

    python executorch.py FILE.onnx CALIBRATION.npy OUT.pte [int8]

The way that there is from a float ONNX file: onnx2torch, torch.export, XNNPACK's partitioner, and for int8
PyTorch's own quantization in two steps with XNNPACK's quantizer, one scale a channel.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def without_torchvision() -> None:
    """onnx2torch imports two operations of torchvision's that no classifier has; PyPI has none built for
    torch+cpu."""
    package, ops = ModuleType("torchvision"), ModuleType("torchvision.ops")
    ops.nms = ops.roi_align = None  # type: ignore[attr-defined]  # a module made here declares no names
    package.ops = ops  # type: ignore[attr-defined]  # the same
    sys.modules |= {"torchvision": package, "torchvision.ops": ops}


def main(source: str, calibration: str, out: str, scheme: str = "fp32") -> None:
    """Write the .pte file."""
    without_torchvision()
    import onnx
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower
    from onnx2torch import convert

    pixels = np.load(calibration).astype(np.float32)
    # Slices: numpy's `image[None]` has a stride of 0, which ExecuTorch does not take.
    images = [torch.from_numpy(pixels[number : number + 1]) for number in range(len(pixels))]
    one = (images[0],)
    model: Any = convert(onnx.load(source)).eval()
    if scheme == "int8":
        from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
            XNNPACKQuantizer,
            get_symmetric_quantization_config,
        )
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        config = get_symmetric_quantization_config(is_per_channel=True)
        prepared = prepare_pt2e(
            torch.export.export(model, one).module(), XNNPACKQuantizer().set_global(config)
        )
        for image in images:
            prepared(image)
        model = convert_pt2e(prepared)
    lowered = to_edge_transform_and_lower(torch.export.export(model, one), partitioner=[XnnpackPartitioner()])
    Path(out).write_bytes(lowered.to_executorch().buffer)


if __name__ == "__main__":
    main(*sys.argv[1:])
