"""`tests/` mirrors the package: `resnet_edge/R/x.py` (or `_x.py`) with logic in it is tested by
`tests/R/test_x.py`, or stands below with what tests it instead."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import resnet_edge

PACKAGE = Path(resnet_edge.__file__).parent
TESTS = Path(__file__).parent
ROOMS = (
    *(
        "api",
        "backends",
        "benchmarking",
        "bundle",
        "calibrate",
        "cli",
        "compatibility",
        "compression",
        "conversion",
    ),
    *("core", "data", "diagnosis", "evaluation", "formats", "golden", "graph", "hosts"),
    *("inspection",),
    *("models", "report", "schemes", "searching", "training", "verification", "workers", "zoo"),
)
FEWEST_LINES = 40
"""In files that are shorter a branch or two is left to the tests of what calls them."""
BRANCHES = (
    *(ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)

OPERATIONS = "formats/test_operations.py"
"""Each lowering is held against TFLite on networks that have it: a leaf of a line of TFLite's table."""
REPORTS = "core/results/test_report.py"
BACKENDS, BENCH, CONVERT = "contracts/test_backends.py", "cli/test_bench.py", "cli/test_convert.py"
CHANNELS, PACKAGE_, VERIFY = "cli/test_prune_channel.py", "cli/test_package.py", "cli/test_verify.py"
PROFILES, NPUS = "contracts/test_profiles.py", "bundle/delegates/test_litert_npu.py"
HOSTS = "workers/hosts/test_process.py"
"""A real sshd stands between both ends."""
SEARCH = "cli/test_search_runs.py"
"""Each step starts workers and needs those before it: whole searches, killed, shared and made again."""
ELSEWHERE = {
    **{
        f"searching/{name}.py": SEARCH
        for name in ("artifacts", "finals", "loop", "networks", "search", "setup", "trials")
    },
    # On a real cluster, which loses a machine.
    "searching/context.py": "cli/test_search_cluster.py",
    "evaluation/offers.py": "cli/test_hosts.py",
    "workers/hosts/connection.py": HOSTS,
    # Leaves that want a runtime, another processor or a browser: the contract of all backends runs them.
    "backends/_arm64_environment.py": "backends/test_arm64.py",
    "backends/_litert/execution.py": "diagnosis/test_execution.py",
    "backends/_litert/profile.py": BACKENDS,
    "backends/_litert/session.py": "backends/test_litert.py",
    "backends/_mediapipe_files.py": "backends/test_mediapipe.py",
    "backends/_onnxruntime_execution.py": "backends/test_onnxruntime_profile.py",  # of the same events
    "backends/_openvino_execution.py": "backends/test_openvino.py",
    "backends/_program_session.py": BACKENDS,
    "backends/_programs/mediapipe_tasks.py": "backends/test_mediapipe.py",  # runs in its own environment
    "backends/_programs/micro_arena.py": "backends/test_tflite_micro.py",
    "backends/_programs/python_runtime.py": "backends/test_museum.py",  # runs in Python of its own time
    "backends/_web/browser_sweep.py": "backends/web/test_browser.py",
    "backends/_web/session.py": "backends/test_onnxruntime_web.py",
    "backends/litert_arm64.py": "backends/test_arm64.py",
    "backends/onnxruntime_arm64.py": "backends/test_arm64.py",
    "backends/probe/make_probe.py": "inspection/test_probe.py",  # a program that made files which are kept
    # What a command is: it starts workers and puts together what they give, and is run whole.
    "benchmarking/bench.py": BENCH,
    "benchmarking/sessions.py": BENCH,
    "bundle/files.py": PACKAGE_,
    "bundle/package.py": PACKAGE_,
    "bundle/proofs.py": PACKAGE_,
    "cli/doctor.py": "cli/test_help.py",
    "inspection/doctor.py": "cli/test_help.py",
    "api/host_prepare.py": "cli/test_host.py",
    "cli/_channel_options.py": CHANNELS,
    "cli/_training_options.py": "cli/test_train.py",
    "cli/prune.py": CHANNELS,
    "compression/channel_base.py": CHANNELS,
    "compression/channel_choice.py": CHANNELS,
    "compression/channels.py": CHANNELS,
    "compression/prune_channel.py": CHANNELS,
    "conversion/artifacts.py": CONVERT,
    "conversion/build.py": CONVERT,
    "conversion/convert.py": CONVERT,
    "conversion/evaluate.py": CONVERT,
    "conversion/latency.py": CONVERT,
    "conversion/lint.py": CONVERT,
    "verification/lint.py": "cli/test_verify_causes.py",
    "verification/proofs.py": VERIFY,
    "verification/reference.py": VERIFY,
    "verification/verify.py": VERIFY,
    # What a contract asks of all files of a kind, and what only works in what uses it.
    "bundle/delegates/litert_npu_mediatek.py": NPUS,
    "bundle/delegates/litert_npu_qualcomm.py": NPUS,
    "bundle/targets/litert.py": PROFILES,
    "bundle/targets/mcu.py": PROFILES,
    "bundle/targets/onnx.py": PROFILES,
    "compression/tfmot/quantize_layers.py": "compression/tfmot/test_quantize.py",
    "core/results/bench.py": "cli/test_bench.py",  # one `all` over its rows
    "core/results/bundle.py": "cli/test_package.py",  # a head of what it declares, and the proofs that differ
    "core/results/calibration_lint.py": "calibrate/test_lint.py",  # the findings of one severity
    "core/results/execution.py": "diagnosis/test_integers.py",  # a quotient
    "core/results/explanation.py": "evaluation/test_verdict.py",  # the findings that are certain
    "core/results/int8_risk.py": "diagnosis/test_overflow_advice.py",  # the layers that can overflow
    "core/results/verification.py": REPORTS,  # by the rule of a report
    "core/scheme.py": "contracts/test_schemes.py",  # data, and its order
    "formats/_onnx/batches.py": OPERATIONS,
    "formats/_onnx/convolution.py": OPERATIONS,
    "formats/_onnx/elementwise.py": OPERATIONS,
    "formats/_onnx/movement.py": OPERATIONS,
    "formats/_onnx/pooling.py": OPERATIONS,
    "formats/_onnx/reduction.py": OPERATIONS,
    "formats/_onnx/resize.py": OPERATIONS,
    "formats/_onnx/selection.py": OPERATIONS,
    "formats/_onnx/shape.py": OPERATIONS,
    "formats/_onnx/transposed_convolution.py": OPERATIONS,
    "models/_keras_witness.py": "models/test_witness.py",  # a witness is nothing without what it is asked of
    "models/_load.py": "models/test_keras_file.py",  # the end that all readers of files for Keras 3 have
    # which is how alone the calls are made
    "models/functional/tensorflow_dispatch.py": "models/functional/test_tensorflow_calls.py",
}
"""Modules with logic that have no file of their own, and the file that tests them, each with a reason."""


def modules() -> list[Path]:
    files = (file for room in ROOMS for file in (PACKAGE / room).rglob("*.py") if file.name != "__init__.py")
    return sorted(file.relative_to(PACKAGE) for file in files)


def has_logic(module: Path) -> bool:
    """Whether a function of it decides or repeats anything."""
    text = (PACKAGE / module).read_text("utf-8")
    functions = (
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    branches = any(isinstance(node, BRANCHES) for function in functions for node in ast.walk(function))
    return branches and len(text.splitlines()) >= FEWEST_LINES


def file_of_tests(module: Path) -> Path:
    """Where its tests are; names of tests have no leading underscores."""
    *folders, name = (part.lstrip("_") for part in module.parts)
    return Path(*folders, f"test_{name}")


@pytest.mark.parametrize("module", [m for m in modules() if has_logic(m)], ids=Path.as_posix)
def test_a_module_with_logic_has_tests_of_its_name(module: Path) -> None:
    if module.as_posix() not in ELSEWHERE:
        assert (TESTS / file_of_tests(module)).is_file(), f"no tests/{file_of_tests(module).as_posix()}"


@pytest.mark.parametrize("module", ELSEWHERE)
def test_what_is_tested_elsewhere_has_no_tests_of_its_name(module: str) -> None:
    assert has_logic(Path(module))
    assert not (TESTS / file_of_tests(Path(module))).exists(), "take it off the list"
    assert (TESTS / ELSEWHERE[module]).is_file()
