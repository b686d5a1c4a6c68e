"""The texts of a bundle: what programs read (JSON), and a README for the app team. No date, no place: the
same bundle gives the same bytes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from resnet_edge.core.app_libraries import AppLibrary, named_in
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import OutputError
from resnet_edge.core.files.scratch import OWNER
from resnet_edge.core.results.bundle import Bundle, BundledFile, BundleFacts, RuntimeProof
from resnet_edge.report.bundle.accelerators import accelerators_markdown
from resnet_edge.report.bundle.bundle_summary import which_file
from resnet_edge.report.bundle.golden import golden_json
from resnet_edge.report.bundle.model_card import card_markdown, machine_words
from resnet_edge.report.bundle.score_words import score_words
from resnet_edge.report.image_words import words
from resnet_edge.report.markdown import code, escaped, spans
from resnet_edge.report.readable_json import readable_json
from resnet_edge.report.words import size

SCHEMA = 1
INDEX = "bundle.json"


def write_bundle(bundle: Bundle, folder: Path, command: str, card: dict[str, Any]) -> None:
    """Write every text into `folder`, which holds the other files; `card` is the model card. Raises
    OutputError."""
    facts = bundle.facts
    texts = {
        "labels.txt": "".join(f"{label}\n" for label in facts.labels).encode(),
        "preprocessing.json": readable_json({"schema": SCHEMA, **asdict(facts.image)}),
        "golden/golden.json": golden_json(facts),
        "README.md": _readme(bundle, command, _libraries_of(folder)).encode(),
        "model_card.json": readable_json(card),
        "MODEL_CARD.md": card_markdown(card).encode(),
    }
    if not facts.labels:  # of an embedding
        del texts["labels.txt"]
    if bundle.outlooks:
        texts["ACCELERATORS.md"] = accelerators_markdown(bundle.outlooks).encode()
    for path, content in texts.items():
        _write(folder / path, content)
    _write(folder / INDEX, readable_json(bundle_document(bundle, command, folder)))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        why = error.strerror or error
        raise OutputError(
            f"{path} cannot be written: {why}; free the disk or choose another --out"
        ) from error


def bundle_document(bundle: Bundle, command: str, folder: Path) -> dict[str, Any]:
    """What bundle.json says: the files with their SHA-256, and every proof."""
    left_out = (INDEX, OWNER)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in left_out)
    return {
        "schema": SCHEMA,
        "model": bundle.facts.name,
        "proved": not bundle.unproved,
        "unproved": list(bundle.unproved),
        "command": command,
        "files": [asdict(file) for file in bundle.facts.files],
        "runtimes": [asdict(proof) for proof in bundle.proofs],
        "arenas": {path: asdict(arena) for path, arena in bundle.arenas.items()},
        "outlooks": [asdict(outlook) for outlook in bundle.outlooks],
        "oldest_runtimes": {path: list(names) for path, names in bundle.oldest.items()},
        "hosts": bundle.hosts,
        "latency": [asdict(row) for row in bundle.latency],
        "failures": [asdict(failure) for failure in bundle.failures],
        "left": list(bundle.left),
        "notes": list(bundle.notes),
        "sha256": {path.relative_to(folder).as_posix(): sha256_of(path) for path in files},
    }


def _libraries_of(folder: Path) -> tuple[AppLibrary, ...]:
    """Those that samples for phones name."""
    samples = [*folder.glob("samples/kotlin/*"), *folder.glob("samples/swift/*")]
    return named_in("\n".join(path.read_text("utf-8") for path in samples))


def _purpose(facts: BundleFacts) -> str:
    """What the files tell apart."""
    kind = facts.files[0].kind if facts.files else "classes"
    if kind == "embedding":
        return (
            "The files give an embedding: numbers by which images are compared (the cosine of two of them; "
            "no classes)."
        )
    if kind == "multilabel":
        return (
            f"{len(facts.labels)} labels (`labels.txt`), any number of which an image may have: each whose "
            "score is above its threshold (`thresholds` in `golden/golden.json`)."
        )
    return f"{len(facts.labels)} classes (`labels.txt`)."


def _readme(bundle: Bundle, command: str, libraries: tuple[AppLibrary, ...]) -> str:
    facts = bundle.facts
    names_a_photo = "" if facts.image.samples else "; `samples/python/classify.py` names a photo"
    parts = [f"# {escaped(facts.title)}, for apps", ""]
    if bundle.unproved:
        parts += [f"**Not proved:** {escaped('; '.join(bundle.unproved))}.", ""]
    parts += [
        f"{_purpose(facts)} Made by {code(command)}; `bundle.json` has the SHA-256 of every file.",
        "",
        *(f"**Note:** {escaped(note)}.\n" for note in bundle.notes),
        "## Which file",
        "",
        *which_file(facts.files),
        "",
        "| file | size | takes | gives | from |",
        "| --- | ---: | --- | --- | --- |",
        *(_file_row(file) for file in facts.files),
        "",
        *_changes(facts.files),
        *score_words(facts.files, facts.labels),
        "## What the app does with its data" if facts.image.samples else "## What the app does with a photo",
        "",
        *words(facts.image),
        "",
        *_colour(bundle),
        "`preprocessing.json` says the same to programs, and `MODEL_CARD.md` what the model is good for.",
        "",
        "## What was proved, and where",
        "",
        "Each file ran on the same test images in each runtime, and its scores were compared with those of "
        "the artifact that it is made from, whose accuracy `resnet-edge convert` proved.",
        "",
        "| file | runtime | same answer | golden images | largest difference | same to the bit | labels |",
        "| --- | --- | ---: | ---: | ---: | --- | --- |",
        *(_proof_row(proof) for proof in bundle.proofs if proof.n),
        "",
        *_hosts(bundle),
        *_oldest(bundle),
        *_arenas(bundle),
        *_arrays(facts.files),
        *_not_claimed(bundle),
        *_accelerators(bundle),
        "## Is it right on your device?",
        "",
        "`golden/golden.json` names the images in `golden/images`, the SHA-256 of the tensor that each must "
        "become, the scores that each file must give for them (in `golden/scores`, float32), and how far a "
        "score may be off in which runtime. `python selftest/selftest.py` does all that with Python 3.8 or "
        "newer, numpy, Pillow and LiteRT (or tflite-runtime) or ONNX Runtime, and says whether the input or "
        f"the output is off{names_a_photo}.",
        "",
        *(_phones(facts.files) if libraries else []),
        *_libraries(libraries),
    ]
    return "\n".join(parts)


def _phones(files: tuple[BundledFile, ...]) -> list[str]:
    lines = [
        "For phones there are `samples/kotlin` with `selftest/android/GoldenTest.kt`, and `samples/swift` "
        "with `selftest/ios/GoldenTests.swift`; each file says at its head what it needs and where it goes. "
        "The Kotlin was compiled, against signatures of Android's libraries, and its preprocessing compared "
        "with the reference to the bit; the Swift was parsed, not compiled. Neither ran on a phone: let the "
        "self-test pass on yours first.",
        "",
    ]
    if any(file.format == "tflite" for file in files):
        lines[0] += (
            " `golden/acceleration` holds the golden vectors as raw tensors, for Android's Acceleration "
            "Service (`samples/kotlin/Acceleration.kt`)."
        )
    return lines


def _libraries(libraries: tuple[AppLibrary, ...]) -> list[str]:
    if not libraries:
        return []
    pages = {True: "yes", False: "**no**", None: ""}
    return [
        "What the samples name. Google Play asks of apps for Android 15 and newer that native libraries are "
        "aligned to pages of 16 KB.",
        "",
        "| library | version | from | native code for | 16 KB pages | known from |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {code(each.name)} | {each.version} | {each.since} | {', '.join(each.abis)} | "
            f"{pages[each.pages]} | {escaped(each.source)} |"
            for each in libraries
        ),
        "",
    ]


def _file_row(file: BundledFile) -> str:
    source = code(file.source) + ("" if file.changes else ", the same bytes")
    return (
        f"| {code(file.path)} | {size(file.size_bytes)} | {_end(file.input.dtype, file.input.shape)} | "
        f"{file.scores}, {file.output.dtype} | {source} |"
    )


def _end(dtype: str, shape: tuple[int | None, ...]) -> str:
    return f"{dtype} {' x '.join('any' if side is None else str(side) for side in shape)}"


def _changes(files: tuple[BundledFile, ...]) -> list[str]:
    lines = [f"- {code(file.path)} {'; '.join(map(spans, file.changes))}." for file in files if file.changes]
    return ["What was put around the artifacts:", "", *lines, ""] if lines else []


def _colour(bundle: Bundle) -> list[str]:
    if bundle.facts.image.colour != "grey" or all(f.input.shape[3] == 1 for f in bundle.facts.files):
        return []
    return [
        "A file that takes three channels makes the grey itself: give it red, green and blue, or the grey "
        "three times.",
        "",
    ]


def _proof_row(proof: RuntimeProof) -> str:
    labels = {None: "", True: "right", False: "**wrong**"}[proof.labels]
    answer = f"{proof.same_top1:,} of {proof.n:,}"
    if proof.status != "agrees":
        answer = f"**{answer}**"
    return (
        f"| {code(proof.file)} | {escaped(proof.backend)} | {answer} | "
        f"{proof.golden_same_top1} of {proof.golden} | {proof.max_abs:.2g} | {_exact(proof)} | {labels} |"
    )


def _exact(proof: RuntimeProof) -> str:
    if proof.backend == proof.counterpart:
        return ""
    return f"{100 * proof.identical / proof.values:.2f} % as on {proof.counterpart}"


def _hosts(bundle: Bundle) -> list[str]:
    lines = [
        f"- {code(name)}: {escaped(machine_words(machine))}, "
        f"{escaped(', '.join(f'{runtime} {version}' for runtime, version in machine['runtimes'].items()))}."
        for name, machine in bundle.hosts.items()
    ]
    if not lines:
        return []
    return [
        "What stands behind an `@` is the machine that a file ran on; how long it took there is in "
        "`MODEL_CARD.md`:",
        "",
        *lines,
        "",
    ]


def _oldest(bundle: Bundle) -> list[str]:
    lines = [
        f"- {code(path)}: {', '.join(map(code, names))}." for path, names in bundle.oldest.items() if names
    ]
    if not lines:
        return ["No older runtime was tried, or none was right: see the rows above.", ""]
    return ["The oldest runtime of each kind on which a file was run and was right:", "", *lines, ""]


def _arenas(bundle: Bundle) -> list[str]:
    lines = [
        f"- {code(path)} needs an arena of {arena.smallest_bytes:,} bytes in TFLite Micro: the least in "
        f"which it ran on a 64-bit machine ({arena.head_bytes:,} of activations; pointers are smaller on a "
        "microcontroller)."
        for path, arena in bundle.arenas.items()
    ]
    return [*lines, ""] if lines else []


def _arrays(files: tuple[BundledFile, ...]) -> list[str]:
    if all(file.output.dtype != "int8" for file in files):
        return []
    return [
        "Beside a file for TFLite Micro stands its array, in plain C (`.h`, `.c`; aligned to 16 bytes). In "
        "C++ the header has a function, `..._add_operators`, that gives a "
        "`tflite::MicroMutableOpResolver<..._OPERATORS>` every operator that the model needs, and no other.",
        "",
    ]


def _accelerators(bundle: Bundle) -> list[str]:
    if not bundle.outlooks:
        return []
    return ["`ACCELERATORS.md` lists what GPUs and NPUs would take of each file; none of them was run.", ""]


def _not_claimed(bundle: Bundle) -> list[str]:
    lines = [
        f"- {code(proof.file)} on {escaped(proof.backend)}: {proof.status}. {escaped(proof.reason)}"
        for proof in bundle.proofs
        if proof.status in ("does not open", "not installed", "not run")
    ]
    lines += [f"- {escaped(reason)}" for reason in bundle.left]
    return ["Not claimed:", "", *lines, ""] if lines else []
