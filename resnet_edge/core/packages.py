"""The packages that a stage or room may need, and the extra that brings each."""

from __future__ import annotations

EXTRAS = {
    "tensorflow": ("tensorflow", "keras"),
    "keras": ("keras", "keras"),
    "h5py": ("h5py", "keras"),
    "ai_edge_litert": ("ai-edge-litert", "litert"),
    "litert_quantizer": ("litert-quantizer", "tflite"),
    "onnx": ("onnx", "onnx"),
    "onnxruntime": ("onnxruntime", "onnxruntime"),
    "openvino": ("openvino", "openvino"),
    "iree": ("iree-base-runtime", "iree"),
    "jax": ("jax", "jax"),
    "playwright": ("playwright", "web"),
    "ray": ("ray", "cluster"),
    "tflite_micro": ("tflite-micro", "micro"),
    "tensorflow_model_optimization": ("tensorflow-model-optimization", "tfmot"),
    "tf_keras": ("tf_keras", "tfmot"),
    "pyarrow": ("pyarrow", "parquet"),
    "optuna": ("optuna", "search"),
}
"""Import name: (distribution, extra)."""

IN_PLACE = {"onnxruntime": ("onnxruntime-gpu", "onnxruntime-openvino")}
"""Distributions that bring the same module in place of another."""

CONVERT = ("keras", "litert", "tflite", "onnx", "onnxruntime")
"""The extras that [convert] is made of: who lacks the package of one mostly lacks those of all."""

BASE = ("resnet-edge", "click", "msgspec", "numpy", "packaging", "pillow", "psutil", "rich")
"""Distributions that are always there."""


def missing_package(module: str | None) -> str | None:
    """How to install what `import module` needs, in one line; None where no extra brings it."""
    package = EXTRAS.get((module or "").partition(".")[0])
    if package is None:
        return None
    distribution, extra = package
    missing = f"the package {distribution} is not installed: pip install"
    if extra in CONVERT:
        return f"{missing} 'resnet-edge[convert]', or for that package alone 'resnet-edge[{extra}]'"
    return f"{missing} 'resnet-edge[{extra}]'"
