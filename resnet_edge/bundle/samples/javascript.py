"""A self-test and examples in JavaScript: LiteRT.js and onnxruntime-web in a browser, Node.js."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.samples._marked import filled
from resnet_edge.core.literals import javascript
from resnet_edge.core.results.bundle import BundledFile, BundleFacts

TITLE = "JavaScript, in a browser and in Node.js"

_TEMPLATES = Path(__file__).parent / "_templates"


def render(facts: BundleFacts) -> dict[str, str]:
    """The self-test page and what it needs; for Node.js where the bundle holds an ONNX file, because no
    TFLite runtime runs there. Nothing where it holds no file that a browser opens (LiteRT.js takes no int8
    tensors)."""
    onnx = [file.path for file in facts.files if file.path.endswith(".onnx")]
    if not onnx and not any(map(_opens_in_litert_js, facts.files)):
        return {}
    texts = {
        "samples/javascript/preprocess.mjs": _text("preprocess.mjs"),
        "samples/javascript/browser.mjs": _text("browser.mjs"),
        "selftest/compare.mjs": _text("compare.mjs"),
        "selftest/index.html": _text("selftest.html"),
    }
    if onnx:
        texts |= {
            "samples/javascript/classify.mjs": filled(_text("classify.mjs"), {"ONNX": javascript(onnx[0])}),
            "selftest/selftest.mjs": _text("selftest.mjs"),
            "selftest/png.mjs": _text("png.mjs"),
        }
    return texts


def _opens_in_litert_js(file: BundledFile) -> bool:
    return file.path.endswith(".tflite") and file.input.dtype in ("float32", "uint8")


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")
