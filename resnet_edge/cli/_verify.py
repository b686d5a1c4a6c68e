"""From the options of `verify` to its request, and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resnet_edge.benchmarking.files import bench_files
from resnet_edge.cli._convert import check_data, read_paths
from resnet_edge.cli._grid import print_doubts, print_grid, print_line, spelled, stdout_console
from resnet_edge.core.doubt import open_doubts
from resnet_edge.core.errors import UsageError
from resnet_edge.core.overwrite import check_apart
from resnet_edge.core.parity import Parity
from resnet_edge.core.verification import Verification
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.report.causes import causes_sentences
from resnet_edge.report.grouped import grouped, names
from resnet_edge.report.integers import risk_sentences
from resnet_edge.report.lint import lint_lines
from resnet_edge.report.whole_file import check_writable
from resnet_edge.report.words import percent
from resnet_edge.verification.options import VerifyRequest
from resnet_edge.verification.reported import hashes_reported

if TYPE_CHECKING:
    from rich.console import Console

BACKENDS = ("litert", "onnxruntime")
ARTIFACT_SUFFIXES = (".tflite", ".onnx")


def request_of(
    paths: tuple[Path, ...],
    command: str,
    *,
    reference: str | None,
    data: str | None,
    backends: tuple[str, ...] | None,
    max_drop: float,
    images: int | None,
    preprocess: str | None,
    feed: str,
    input_shape: tuple[int, int, int] | None,
    trust: bool,
    explain: bool,
    save_golden: Path | None,
    golden_images: int,
    attribute: int,
    calibration: str | None,
    unpruned: str | None,
    accept_reference: bool,
    sequential: bool = False,
    overwrite: bool = False,
) -> VerifyRequest:
    """Check what can be checked at once. Raises UsageError, UnknownName, ModelError, DataError."""
    if not paths:
        raise UsageError("nothing to verify: name .tflite or .onnx files, or a folder that `convert` wrote")
    if save_golden is not None:
        check_apart("--save-golden", save_golden, (*paths, *read_paths(reference, data, calibration)))
        check_writable("--save-golden", save_golden, overwrite)
    if save_golden is not None and feed == "preprocessed":
        raise UsageError(
            "--save-golden is of pixels, which golden vectors hold as whole numbers: leave out "
            "--feed preprocessed"
        )
    files = bench_files(paths)
    brought = [str(file.path) for file in files if file.brought]
    if reference is None:
        if len(brought) != 1:
            raise UsageError("--reference is missing: name the model that the artifacts were made from")
        reference = brought[0]
    if data is None:
        raise UsageError(
            "--data is missing: artifacts are verified on images; a thousand labelled ones mostly suffice"
        )
    check_data("--data", data)
    if calibration is not None:
        check_data("--calibration", calibration)
    model = _reference(reference, preprocess, input_shape, trust)
    if unpruned is not None and not (attribute and isinstance(model, ModelRequest)):
        raise UsageError("--unpruned is for causes: it needs a Keras model as --reference, and --attribute N")
    before = None if unpruned is None else ModelRequest(unpruned, trust, input_shape, preprocess)
    if before is not None:
        check_source(before)
    return VerifyRequest(
        files=tuple(file for file in files if not file.brought),
        reference=model,
        data=data,
        backends=backends or BACKENDS,
        max_drop_pp=max_drop,
        takes_pixels=feed == "pixels",
        limit=images,
        explain=explain,
        expected=hashes_reported(paths),
        command=command,
        golden=save_golden,
        golden_count=golden_images,
        attributed=attribute,
        unpruned=before,
        calibration=calibration,
        accept_reference=accept_reference,
        sequential=sequential,
    )


def is_artifact(reference: str | None) -> bool:
    """Whether it names an artifact, and no Keras model."""
    return reference is not None and Path(reference).suffix.lower() in ARTIFACT_SUFFIXES


def _reference(
    word: str, preprocess: str | None, input_shape: tuple[int, int, int] | None, trust: bool
) -> ModelRequest | Path:
    path = Path(word)
    if is_artifact(word):
        if not path.is_file():
            raise UsageError(f"--reference {word} is not there: name the model, or the file, to compare with")
        return path
    request = ModelRequest(word, trust, input_shape, preprocess)
    check_source(request)
    return request


def print_verification(found: Verification) -> None:
    """A row for each artifact and backend, then what is wrong and where, then the verdict."""
    console = stdout_console()
    print_doubts(console, found.doubts)
    header = ["Artifact", "Backend", "Scheme", "Top-1", "Drop, pp [95 %]", "Agree", "SQNR", "Verdict"]
    schemes = {artifact.path: artifact.scheme for artifact in found.artifacts}
    by_name = {Path(path).name: scheme for path, scheme in schemes.items()} | schemes
    body = [
        [spelled(console, cell) for cell in _cells(row, by_name.get(row.artifact, ""))]
        for row in found.parity
    ]
    if found.sequential is not None:
        header.insert(3, "Images")
        for cells, row in zip(body, found.parity, strict=True):
            cells.insert(3, f"{row.n:,}")
    if body:
        print_grid(console, header, body, left=("Backend", "Scheme", "Verdict"))
        console.print()
    _reasons(console, found)
    for line in causes_sentences(found.attributions):
        print_line(console, line)
    for how, line in lint_lines(found.calibration_lint):
        print_line(console, f"{how} in the calibration: {line}")
    for note in (*found.notes, *risk_sentences(found.int8_risks)):
        print_line(console, f"note: {note}", "dim")
    word, sentence = verdict(found)
    print_line(console, f"{word}. {sentence}")


def _cells(row: Parity, scheme: str) -> list[str]:
    drop = ""
    if row.drop_pp is not None and row.drop_ci95_pp is not None:
        low, high = row.drop_ci95_pp
        drop = f"{row.drop_pp:.2f} [{low:.2f}, {high:.2f}]"
    return [
        row.artifact,
        f"{row.backend} {row.device}",
        scheme,
        percent(row.top1, row.n),
        drop,
        percent(row.agreement, row.n),
        "" if row.sqnr_db is None else f"{row.sqnr_db:.1f} dB",
        row.verdict,
    ]


def _reasons(console: Console, found: Verification) -> None:
    for rows, reasons in grouped(row for row in found.parity if row.verdict != "pass"):
        print_line(console, f"{names(rows)}: {reasons[0]}")
    for explanation in found.explanations:
        for finding in explanation.findings:
            print_line(console, f"{explanation.artifact}: {finding.sentence}")
        for remark in explanation.remarks:
            print_line(console, f"note: {explanation.artifact}: {remark}", "dim")
    for failure in found.failures:
        print_line(console, f"{failure.what}: {failure.message}")


def _images(found: Verification) -> str:
    """How many: all, or those that it took."""
    total, run = found.data["n"], sorted({row.n for row in found.parity})
    if found.sequential is None or not run or run == [total]:
        return f"{total:,}"
    return f"{run[0]:,}" + (f" to {run[-1]:,}" if len(run) > 1 else "") + f" of {total:,}"


def verdict(found: Verification) -> tuple[str, str]:
    """A word, and a sentence."""
    count, n = len(found.artifacts), _images(found)
    what = "1 artifact" if count == 1 else f"{count} artifacts"
    if found.passed:
        return "PASSED", f"{what} verified against {found.reference['name']}, on {n} images."
    failed = any(row.verdict == "fail" for row in found.parity)
    gives = f"give the answers of {found.reference['name']}"
    if found.failures:  # as cli._convert.exit_code: what could not be done weighs most
        rest = f", and not all that ran {gives}" if failed else ""
        return "NOT DONE", f"Not all could be done{rest}."
    if failed:
        return "FAILED", f"Of {what}, not all {gives}."
    if open_doubts(found.doubts):
        return "INCONCLUSIVE", "The reference itself is in doubt, and with it every proof."
    return "INCONCLUSIVE", f"These {n} images do not prove it."
