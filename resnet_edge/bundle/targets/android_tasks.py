"""MediaPipe Tasks and ML Kit: one RGB input, batch 1, uint8 or float32, and probabilities with label text.

The rules are those of MediaPipe's image_tensor_specs.cc and image_preprocessing_graph.cc (1.2.2): int8 is
refused, float32 needs normalization options, and uint8 gets raw bytes whatever the metadata says.
"""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.targets import Variant
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.head import THRESHOLDS, Head
from resnet_edge.graph.io_adapter import Border

TITLE = "MediaPipe Tasks and ML Kit, on Android, iOS and the web"
FORMAT = "tflite"
SCHEMES = ("int8", "fp16", "fp32")
ON_REQUEST = ("dynamic",)
ON_GPU = ("fp16", "fp32")
METADATA = True
CHANNELS = (1, 3)
PHONES = True
PINNED = ("tflite",)


def runtimes(scheme: str) -> tuple[str, ...]:
    """LiteRT on ARM, which phones have, and on its reference kernels: see litert.py. All others
    round integers alike, and from them alone golden scores would have no room for another's kernels."""
    everywhere = ("litert", "mediapipe", "mediapipe_web", "litert_js")
    return (*everywhere, "litert_arm64", "litert_reference") if scheme == "int8" else everywhere


def border(scheme: str, head: Head) -> Border:
    """Three channels; uint8 where the network is int8 inside; probabilities of every class in float32,
    because in uint8 two classes share a score too easily; of several labels, the probability of each. Raises
    ArtifactError for a binary classifier whose threshold is not where both are equally likely: apps take the
    larger score; and for an embedding, which has no class that an ImageClassifier could name."""
    if head.kind == "embedding":
        raise ArtifactError(
            "it gives an embedding, and this profile is for MediaPipe's ImageClassifier, which shows "
            "classes: "
            "take --profiles litert or onnx, whose files give the numbers"
        )
    if head.threshold not in (None, THRESHOLDS[head.output]):
        raise ArtifactError(
            f"the answer is class 1 above {head.threshold:g}, and MediaPipe Tasks takes the class with the "
            "larger probability: leave the profile out (--profiles), or train for the usual threshold"
        )
    one = head.kind == "binary"
    return Border(
        input="uint8" if scheme == "int8" else "float32",
        rgb=True,
        softmax=head.output == "logits" and not head.separate,
        sigmoid=head.output == "logits" and head.separate,
        both=one,
    )


def variants(model: Path) -> tuple[Variant, ...]:
    """None."""
    return ()


def companions(model: Path, name: str) -> dict[str, str]:
    """The labels are inside the file."""
    return {}


def delegates(scheme: str) -> tuple[str, ...]:
    """What MediaPipe runs on: XNNPACK, or the GPU."""
    return ("xnnpack", "litert_gpu")
