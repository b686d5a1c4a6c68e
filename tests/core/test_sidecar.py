"""Tests of core.sidecar."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resnet_edge.core.errors import ModelError
from resnet_edge.core.sidecar import (
    Lineage,
    Sidecar,
    State,
    Step,
    StepLatency,
    lineage_of,
    next_sidecar,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text()), text=st.text(), number=st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_is_read(tmp_path: Path, names: list[str], text: str, number: float) -> None:
    state = State(
        sha256="0" * 64, parameters=10, macs=None, file_bytes=20, gzip_bytes=15, top1=number, n=5, images=text
    )
    latency = StepLatency(
        format="tflite",
        scheme="int8",
        backend="litert",
        device="cpu",
        threads=1,
        before_ms=2.0,
        after_ms=1.0,
        ratio=number,
        ratio_ci95=(0.4, 0.6),
    )
    step = Step(
        step="prune",
        title=text,
        command=text,
        resnet_edge="0",
        after=state,
        before=state,
        latency=(latency,),
        details={"history": [{"loss": number}]},
    )
    sidecar = Sidecar(tuple(names), (step,))
    write_sidecar(tmp_path / "net.keras", sidecar)
    assert read_sidecar(tmp_path / "net.keras") == sidecar


def test_it_stands_beside_the_model(tmp_path: Path) -> None:
    assert sidecar_path(tmp_path / "my.net.keras") == tmp_path / "my.net.json"


def test_a_model_without_one_has_an_empty_one(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "net.keras") == Sidecar()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"class_names": 3}', b"\xff\xfe", b'{"steps": ["train"]}']
)
def test_a_damaged_one_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"net\.json is no sidecar of a model .*: fix or remove it"):
        read_sidecar(tmp_path / "net.keras")


# -- the lineage of a model ----------------------------------------------------------------

NAMES = ("amber", "blue")


def state(sha256: str, macs: int = 100) -> State:
    return State(
        sha256=sha256 * 64,
        parameters=10,
        macs=macs,
        file_bytes=20,
        gzip_bytes=15,
        top1=0.9,
        n=600,
        images="600 held-out images",
        images_sha256="e" * 64,
    )


TRAIN = Step(
    step="train", title="tiny, 2 epochs", command="resnet-edge train", resnet_edge="0", after=state("a")
)
PRUNE = Step(
    step="prune",
    title="half",
    command="resnet-edge prune",
    resnet_edge="0",
    after=state("b", 50),
    before=state("a"),
)
QAT = Step(
    step="qat",
    title="8 bits",
    command="resnet-edge qat",
    resnet_edge="0",
    after=state("c", 50),
    before=state("b", 50),
)


@pytest.fixture(params=["net.keras", "net.h5", "net.HDF5"])
def model(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A model file; what is in it does not matter here, its SHA-256 is handed over."""
    file = tmp_path / str(request.param)
    file.write_bytes(b"a model")
    return file


def test_steps_are_told_in_order(model: Path) -> None:
    write_sidecar(model, Sidecar(NAMES, (TRAIN, PRUNE)))
    assert lineage_of(model, "b" * 64) == Lineage(NAMES, (TRAIN, PRUNE))
    assert next_sidecar(str(model), QAT) == (Sidecar(NAMES, (TRAIN, PRUNE, QAT)), None)


def test_the_story_of_another_file_is_not_told(model: Path) -> None:
    write_sidecar(model, Sidecar(NAMES, (TRAIN, PRUNE)))
    sidecar = lineage_of(model, "f" * 64)
    assert (sidecar.class_names, sidecar.steps) == (NAMES, ())
    assert sidecar.note is not None
    assert sidecar.note.startswith(f"net.json describes another file than {model.name}")
    other = Step(step="qat", title="8 bits", command="", resnet_edge="0", after=state("c"), before=state("f"))
    assert next_sidecar(model, other) == (Sidecar(NAMES, (other,)), sidecar.note)


def test_a_model_that_the_story_has_passed_is_told_up_to_there(model: Path) -> None:
    """As of net.h5 beside net.keras, which have one sidecar between them."""
    write_sidecar(model, Sidecar(NAMES, (TRAIN, PRUNE, QAT)))
    assert lineage_of(model, "b" * 64) == Lineage(NAMES, (TRAIN, PRUNE))
    write_sidecar(model, Sidecar(NAMES, (PRUNE,)))
    assert lineage_of(model, "a" * 64) == Lineage(NAMES)  # what it was before the first step


def test_a_step_that_changed_nothing_is_told(model: Path) -> None:
    again = Step(
        step="prune", title="nothing", command="", resnet_edge="0", after=state("a"), before=state("a")
    )
    write_sidecar(model, Sidecar((), (TRAIN, again)))
    assert lineage_of(model, "a" * 64).steps == (TRAIN, again)


def test_without_a_story_it_begins_with_the_step(model: Path) -> None:
    assert lineage_of(model, "a" * 64) == Lineage()
    assert next_sidecar(model, PRUNE) == (Sidecar((), (PRUNE,)), None)
    write_sidecar(model, Sidecar(NAMES))
    assert next_sidecar(model, PRUNE) == (Sidecar(NAMES, (PRUNE,)), None)


@pytest.mark.parametrize("source", ["resnet20", "app:ResNet50:random", "package.module:factory", "saved"])
def test_what_is_no_model_file_has_no_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved").mkdir()
    for name in ("resnet20", "saved"):  # nothing to do with it, and damaged besides
        (tmp_path / f"{name}.json").write_text("{")
    assert lineage_of(source, "a" * 64) == Lineage()
    assert next_sidecar(source, PRUNE) == (Sidecar((), (PRUNE,)), None)


def test_a_damaged_sidecar_is_named_before_it_is_lost(model: Path) -> None:
    (model.parent / "net.json").write_text('{"steps": [')
    with pytest.raises(ModelError, match=r"net\.json is no sidecar of a model"):
        next_sidecar(model, PRUNE)


def test_a_step_that_changes_a_model_tells_what_it_was(model: Path) -> None:
    with pytest.raises(ValueError, match="tells what the model was before"):
        next_sidecar(model, TRAIN)


def test_a_threshold_stays_with_the_model_that_a_step_makes(tmp_path: Path) -> None:
    model = tmp_path / "m.keras"
    model.write_bytes(b"weights")
    write_sidecar(model, Sidecar(NAMES, threshold=0.3))
    sidecar, note = next_sidecar(model, PRUNE)
    assert (sidecar.threshold, sidecar.class_names, note) == (0.3, NAMES, None)
    assert read_sidecar(model).threshold == 0.3
