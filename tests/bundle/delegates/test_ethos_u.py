from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.bundle.delegates import _vela_environment, ethos_u
from resnet_edge.core.errors import ArtifactError, MissingDependency, UsageError


@pytest.fixture(autouse=True)
def vela() -> None:
    try:
        _vela_environment.ENVIRONMENT.require("ethos_u", "vela")
    except MissingDependency as error:
        pytest.skip(str(error))


def test_integer_network_goes_to_the_npu_and_has_figures(nets: Path) -> None:
    outlook = ethos_u.outlook(nets / "relu_int8.tflite", "tflite")
    assert (outlook.left, outlook.mac_share, outlook.kind) == ((), 1.0, "estimated")
    facts = outlook.facts
    assert isinstance(facts["cycles"], float)
    assert facts["cycles"] > 0
    assert facts["clock_mhz"] == 500
    assert facts["inference_ms"] == pytest.approx(facts["cycles"] / 500e3)
    assert isinstance(facts["sram_kib"], float)
    assert facts["sram_kib"] > 0
    assert f"Vela {facts['vela_version']} estimates" in outlook.sentence
    assert "no device was there" in outlook.sentence


@pytest.mark.parametrize("name", ["relu", "custom"])
def test_network_of_which_nothing_would_run_there_is_an_error(nets: Path, name: str) -> None:
    """Vela compiles it, and exits with 0."""
    with pytest.raises(ArtifactError, match=r"nothing of it runs on ethos-u55-128.*Float32.*int8 file"):
        ethos_u.outlook(nets / f"{name}.tflite", "tflite")


def test_operation_that_the_cpu_keeps_is_named(tmp_path: Path) -> None:
    import tensorflow as tf

    from tests.bundle.delegates import files

    path = files.write_tflite(tmp_path / "cumsum.tflite", lambda x: tf.cumsum(x, axis=1), int8=True)
    outlook = ethos_u.outlook(path, "tflite")
    assert "CUMSUM" in {each.op for each in outlook.left}
    assert outlook.facts["cpu_operators"]
    assert outlook.ops_taken < outlook.ops_total


def test_larger_npu_takes_fewer_cycles(nets: Path) -> None:
    small, large = (
        ethos_u.outlook(nets / "relu_int8.tflite", "tflite", each)
        for each in ("ethos-u55-32", "ethos-u85-512")
    )
    assert small.facts["accelerator"] == "ethos-u55-32"
    assert "ethos-u85-512" in large.source
    assert small.facts["clock_mhz"] == 200
    assert isinstance(small.facts["cycles"], float)
    assert isinstance(large.facts["cycles"], float)
    assert large.facts["cycles"] < small.facts["cycles"]


def test_accelerator_that_arm_does_not_make_is_refused(nets: Path) -> None:
    with pytest.raises(UsageError, match="choose from: ethos-u55-32"):
        ethos_u.outlook(nets / "relu_int8.tflite", "tflite", "ethos-u55-100")


def test_without_vela_the_error_tells_how_to_get_it(
    nets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_vela_environment.ENVIRONMENT.variable, str(tmp_path))
    with pytest.raises(MissingDependency, match=r"pip install --no-deps ethos-u-vela=="):
        ethos_u.outlook(nets / "relu_int8.tflite", "tflite")


def test_a_vela_that_does_not_start_is_one_that_is_missing(
    nets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an environment whose Python is gone, or is another user's: a bundle is made without it."""
    program = tmp_path / "vela"
    program.write_text("#!/nowhere/python\n")
    program.chmod(0o755)
    monkeypatch.setattr(type(_vela_environment.ENVIRONMENT), "program", lambda self, name: program)
    with pytest.raises(MissingDependency, match=r"Vela cannot be started \(.*-m pip install"):
        ethos_u.outlook(nets / "relu_int8.tflite", "tflite")
