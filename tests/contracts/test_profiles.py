"""What every profile and every sample must fulfil."""

from __future__ import annotations

import pytest

from resnet_edge.core import registry
from resnet_edge.core.errors import MissingDependency
from resnet_edge.core.head import Head, Output
from resnet_edge.core.image_contract import contract
from resnet_edge.core.results.bundle import BundleFacts, Golden
from resnet_edge.graph.io_adapter import Border

PROFILES = registry.names("bundle.targets")
NOTHING = BundleFacts(
    name="tiny",
    title="tiny",
    labels=("a", "b"),
    image=contract("pillow", 8, 8, 1),
    files=(),
    golden=Golden((), ()),
)


def test_there_are_profiles_and_samples() -> None:
    assert {"android_tasks", "litert", "mcu", "onnx"} <= set(PROFILES)
    assert registry.names("bundle.samples")


@pytest.mark.parametrize("name", PROFILES)
def test_it_names_what_there_is(name: str) -> None:
    profile = registry.load("bundle.targets", name)
    assert profile.TITLE
    assert profile.FORMAT in registry.names("formats")
    assert profile.SCHEMES
    schemes = (*profile.SCHEMES, *profile.ON_REQUEST)
    assert len(set(schemes)) == len(schemes)
    assert set(schemes) <= set(registry.names("schemes"))
    for scheme in schemes:
        assert (
            registry.load("formats", profile.FORMAT).refusal(registry.load("schemes", scheme).SCHEME) is None
        )
        runtimes = profile.runtimes(scheme)
        assert len(set(runtimes)) == len(runtimes) > 0
        assert set(runtimes) <= set(registry.names("backends"))


@pytest.mark.parametrize("name", PROFILES)
def test_its_runtimes_open_its_format(name: str) -> None:
    profile = registry.load("bundle.targets", name)
    schemes = (*profile.SCHEMES, *profile.ON_REQUEST)
    for runtime in {name for scheme in schemes for name in profile.runtimes(scheme)}:
        try:
            backend = registry.load("backends", runtime)
        except MissingDependency:
            continue  # what it opens stands in a file that cannot be imported here
        assert profile.FORMAT in backend.FORMATS


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("output", ["logits", "probabilities"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_its_border_suits_its_scheme(name: str, output: Output, outputs: int) -> None:
    profile = registry.load("bundle.targets", name)
    for scheme in (*profile.SCHEMES, *profile.ON_REQUEST):
        border = profile.border(scheme, Head.of_outputs(outputs, output))
        if border is None:
            assert not profile.METADATA  # which would change the bytes
            continue
        assert isinstance(border, Border)
        assert border.input == "float32" or scheme == "int8"
        assert not (border.probabilities and output == "probabilities")
        assert not (border.softmax and outputs == 1)
        assert border.both == (outputs == 1 and profile.METADATA)  # which names a class for every score


@pytest.mark.parametrize("name", registry.names("bundle.samples"))
def test_a_sample_renders_the_same_text_twice(name: str) -> None:
    sample = registry.load("bundle.samples", name)
    assert sample.TITLE
    files = sample.render(NOTHING)
    assert files == sample.render(NOTHING)
    for path, text in files.items():
        assert not path.startswith("/")
        assert ".." not in path
        assert text.endswith("\n")
