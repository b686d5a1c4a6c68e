"""Quantized TFLite files on LiteRT's GPU accelerator: what is wrong, how, and whose fault it is.

The finding (ai-edge-litert 2.3.0, software Vulkan of Chromium 156). LiteRT's accelerator computes a 1x1
convolution with a stride as if it had none, where its weights are int8 (schemes int8 and dynamic): output
(y, x) is made of input (y, x) in place of (2y, 2x). Nothing else that was tried is wrong: the other int8
convolutions, and the whole network with those spelled as 2x2 with zeros, agree with the CPU within one step.
Float weights, fp16 among them, are right; int16 activations are refused.

It is the accelerator, and not the program that imitates the GPU:

- what it gives is, to 1e-5 of a step, what numpy gives for the convolution without its stride, over different
  strides, channels and paddings. Bad arithmetic would give noise;
- the same network with those convolutions spelled otherwise is right on the same imitation;
- the shader that it hands to Vulkan knows no stride. `--shaders FOLDER` writes all shaders that it hands over
  (it wants a C compiler), and spirv-cross shows what they do. Of int8 1x1 convolutions, those with strides of
  1, 2 and 3 have the same shader, to the byte. It reads

      texelFetch(source, ivec2(X, Y * slices + s))                     X, Y: of the output

  and has nothing among its uniforms but sizes and ranges. The float twin has another, which reads at

      x = X * uniform[3].x + uniform[1].w                              the stride, and the padding

  and the int8 3x3 convolution, which is right, does so too.

So it takes, for integer weights, a kernel of 1x1 convolutions that knows no stride without having looked at
the stride. It does so before anything runs; what it takes for a real GPU, whose maker it looks at, was not
measured. No issue at google-ai-edge/LiteRT told of it in November 2026; #8979 (integer matrices) is another.
The shortcuts of ResNets are such convolutions, two of them in ResNet-20: top-1 agreement with the
CPU falls from 1.00 to 0.76.

    python gpu_quantized.py [--images N] [--shaders FOLDER]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.backends import _vulkan, litert
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.tensors import dequantize, quantize
from resnet_edge.graph.model import Graph, load_model, read_graph, save_model

HERE = Path(__file__).parent
CALIBRATION = HERE.parent / "calibration"
SIDE = 8
CONVOLUTIONS = (
    # kernel, stride, channels in and out, padding, scheme
    (1, 1, 16, 32, "SAME", "int8"),
    (1, 2, 16, 32, "SAME", "int8"),
    (1, 2, 16, 32, "VALID", "int8"),
    (1, 3, 16, 32, "SAME", "int8"),
    (1, 2, 3, 8, "SAME", "int8"),
    (1, 2, 64, 128, "SAME", "int8"),
    (2, 2, 16, 32, "SAME", "int8"),
    (3, 1, 16, 32, "SAME", "int8"),
    (3, 2, 16, 32, "SAME", "int8"),
    (1, 2, 16, 32, "SAME", "fp32"),
    (1, 2, 16, 32, "SAME", "fp16"),
    (1, 1, 64, 64, "SAME", "dynamic"),
    (1, 2, 64, 64, "SAME", "dynamic"),
    (3, 2, 16, 32, "SAME", "dynamic"),
)
SCHEMES = ("fp32", "fp16", "dynamic", "int8", "int16x8")
Convolution = tuple[int, int, int, int, str, str]


def main() -> None:
    """Print both tables; with `--shaders`, write what Vulkan is given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--shaders", type=Path)
    options = parser.parse_args()
    print("Vulkan:", ", ".join(adapter.name for adapter in _vulkan.prepare()))
    with tempfile.TemporaryDirectory() as scratch:
        if options.shaders is not None:
            _watch_shaders(Path(scratch))
        print("\none convolution                      GPU against the CPU, of the largest value    against"
              " numpy without the stride")  # fmt: skip
        for one in CONVOLUTIONS:
            print(_row(one, Path(scratch), options.shaders))
        if options.shaders is None:
            network(Path(scratch), options.images)


def _row(one: Convolution, scratch: Path, shaders: Path | None) -> str:
    kernel, stride, _, _, padding, scheme = one
    path = scratch / f"{'-'.join(map(str, one))}.tflite"
    write_convolution(path, one)
    image = np.random.default_rng(0).normal(0, 1, (1, SIDE, SIDE, one[2])).astype(np.float32)
    if shaders is not None:
        folder = shaders / path.stem
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["SHADERS"] = str(folder)
    (gpu,), (cpu,) = (_outputs(path, device, image) for device in ("gpu", "cpu"))
    text = f"{kernel}x{kernel} stride {stride}, {one[2]:3} to {one[3]:3}, {padding:5} {scheme:7}"
    text += f" {np.abs(gpu - cpu).max() / np.abs(cpu).max():24.1e}"
    if kernel == 1 and stride > 1 and scheme == "int8":
        expected, step = without_stride(read_graph(path), image, stride)
        text += f" {np.abs(gpu - expected.ravel()).max() / step:40.1e} steps"
    if shaders is not None:  # the largest of them is the convolution, the others copy
        largest = max(folder.glob("*.spv"), key=lambda file: file.stat().st_size)
        text += f"   {largest.stat().st_size} bytes, sha256 {sha256_of(largest)[:8]}"
    return text


def write_convolution(path: Path, one: Convolution) -> None:
    """A .tflite file of a convolution and a reshape."""
    import tensorflow as tf

    kernel, stride, inputs, outputs, padding, scheme = one
    random = np.random.default_rng(1)
    weights = random.normal(0, 0.3, (kernel, kernel, inputs, outputs)).astype(np.float32)
    bias = random.normal(0, 0.3, outputs).astype(np.float32)

    def serve(image: Any) -> dict[str, Any]:
        return {"logits": tf.reshape(tf.nn.conv2d(image, weights, stride, padding) + bias, [1, -1])}

    def images() -> Iterator[list[NDArray[np.float32]]]:
        return ([random.normal(0, 1, (1, SIDE, SIDE, inputs)).astype(np.float32)] for _ in range(20))

    module = tf.Module()
    signature = [tf.TensorSpec([1, SIDE, SIDE, inputs], tf.float32, name="image")]
    module.serve = tf.function(serve, input_signature=signature)
    function = module.serve.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if scheme != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if scheme == "int8":
        converter.representative_dataset = images
    if scheme == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path.write_bytes(converter.convert())


def without_stride(graph: Graph, image: NDArray[np.float32], stride: int) -> tuple[NDArray[Any], float]:
    """What an int8 1x1 convolution gives, if output (y, x) is made of input (y, x), and its output step."""
    node = next(node for node in graph.nodes if node.op == "CONV_2D")
    source, weights, bias = graph.specs(node.inputs)
    (target,) = graph.specs(node.outputs)
    stored, biases = (graph.tensors[index].data for index in node.inputs[1:])
    assert weights.quantization is not None
    assert bias.quantization is not None
    assert target.quantization is not None
    assert stored is not None
    assert biases is not None
    side = -(-SIDE // stride)
    seen = dequantize(quantize(image, source), source)[0, :side, :side].astype(np.float64)
    matrix = stored[:, 0, 0].astype(np.float64) * np.array(weights.quantization.scale)[:, None]
    sums = seen @ matrix.T + biases * np.array(bias.quantization.scale)
    return dequantize(quantize(sums.astype(np.float32), target), target), target.quantization.scale[0]


def network(scratch: Path, count: int) -> None:
    """The bundled ResNet-20 in every scheme, as it is and with its strided 1x1 convolutions as 2x2."""
    images = np.load(CALIBRATION / "fashion_mnist_test.npz")["images"][:count].astype(np.float32)
    print(f"\nResNet-20, {count} images   top-1 as on the CPU    largest difference, of the largest logit")
    for scheme, path in _converted(scratch, count):
        spelled = scratch / f"spelled.{scheme}.tflite"
        if _print_network(scheme, path, images) and (changed := spell_as_2x2(path, spelled)):
            _print_network(f"{scheme}, {changed} as 2x2", spelled, images)


def _print_network(name: str, path: Path, images: NDArray[np.float32]) -> bool:
    """Whether it runs on both."""
    try:
        gpu, cpu = (_outputs(path, device, images) for device in ("gpu", "cpu"))
    except ArtifactError as error:
        print(f"{name:24} {str(error).removeprefix(f'{path} ')[:80]}")
        return False
    same = (gpu.argmax(1) == cpu.argmax(1)).mean()
    print(f"{name:24} {same:22.3f} {np.abs(gpu - cpu).max() / np.abs(cpu).max():26.1e}")
    return True


def _converted(scratch: Path, count: int) -> Iterator[tuple[str, Path]]:
    """The files that `convert` writes; what it proves here, on few images, does not matter."""
    with np.load(CALIBRATION / "fashion_mnist_test.npz") as data:
        np.savez(scratch / "few.npz", images=data["images"][:count], labels=data["labels"][:count])
    command = [sys.executable, "-m", "resnet_edge", "convert", CALIBRATION / "resnet20_fashion_mnist.keras"]
    command += ["--data", scratch / "few.npz", "--schemes", ",".join(SCHEMES), "--formats", "tflite"]
    command += ["--calibration", CALIBRATION / "fashion_mnist_calibration.npz", "--no-plan"]
    command += ["--latency-seconds", "0", "--out", scratch / "out", "--quiet"]
    subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL, check=False)
    for scheme in SCHEMES:
        yield scheme, scratch / "out" / f"resnet20_fashion_mnist.{scheme}.tflite"


def spell_as_2x2(path: Path, out: Path) -> int:
    """Write every strided 1x1 convolution of int8 weights as a 2x2 one of the same value, the other three
    weights being zero; how many there were."""
    model, changed = load_model(path), 0
    graph = model.subgraphs[0]
    for operator in graph.operators:
        options = operator.builtinOptions
        if not isinstance(options, schema.Conv2DOptionsT) or options.strideH == 1:
            continue
        weights = graph.tensors[operator.inputs[1]]
        if weights.type != schema.TensorType.INT8 or list(weights.shape[1:3]) != [1, 1]:
            continue
        one = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.int8).reshape(weights.shape)
        four = np.pad(one, ((0, 0), (0, 1), (0, 1), (0, 0)))
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(four.tobytes(), np.uint8)
        model.buffers.append(buffer)
        weights.buffer, weights.shape = len(model.buffers) - 1, np.array(four.shape, np.int32)
        changed += 1
    save_model(model, out)
    return changed


def _outputs(path: Path, device: str, images: NDArray[np.float32]) -> NDArray[np.float32]:
    with litert.open_session(path, device, 1) as session:
        return np.concatenate([session.run(image[None]) for image in images])


def _watch_shaders(scratch: Path) -> None:
    """Put a driver between Vulkan's loader and SwiftShader that writes every shader to $SHADERS."""
    driver = Path(os.environ["VK_ICD_FILENAMES"]).with_name("libvk_swiftshader.so")
    library, manifest = scratch / "libshaders.so", scratch / "shaders.json"
    define = f'-DDRIVER="{driver}"'
    command = ["cc", "-shared", "-fPIC", define, str(HERE / "vulkan_shaders.c"), "-ldl", "-o", str(library)]
    subprocess.run(command, check=True)
    manifest.write_text(
        f'{{"file_format_version": "1.0.0", "ICD": {{"library_path": "{library}", "api_version": "1.0.5"}}}}'
    )
    os.environ["VK_ICD_FILENAMES"] = str(manifest)


if __name__ == "__main__":
    main()
