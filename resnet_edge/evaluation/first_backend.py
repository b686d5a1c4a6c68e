"""Runs in the parent. Where a file runs when nobody named a backend."""

from __future__ import annotations

FIRST_BACKEND = {"tflite": "litert", "onnx": "onnxruntime", "ort": "onnxruntime"}
"""By suffix: the backend that `convert` proves on."""
