"""What `resnet-edge convert` says of its own files at every option, for models that are made already.

    python -m benchmarks.cases --cases DIR --work DIR [--names NAME,…] [--repairs …] [--calibrators …]

DIR of --cases holds for each NAME the model (NAME.keras or NAME.h5), NAME.npz (images, labels) and
NAME.answers.npy: what the Keras that saved the model answers for these images. Each is converted to all
schemes in both formats with every --repair and --calibrator, on its last 300 images (int16x8, which has no
fast kernels, on 100), calibrated on its first 64. A plain loop over the runtimes (good_files/plain_loop.py)
tells which files answer as the model did, on 97 % of the images and more. The outcome is wrong where such a
file has the verdict `fail`, where one that is right on fewer images than --max-drop allows has the verdict
`pass`, and where there is no file. A calibrator changes integers alone: float files are made once for each
repair.

Outcomes stay in WORK/outcomes.json, and a second run goes on behind them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

REPAIRS = ("none", "auto", "all")
CALIBRATORS = ("auto", "minmax", "percentile", "mse", "entropy")
FLOATS, INTEGERS = ("fp32", "fp16", "dynamic"), ("int8", "int16x8")
PREPARE = {"caffe": "caffe", "article": "unit"}
"""Cases that take prepared images, and how; the others have it inside."""
PROOF, CALIBRATION, SLOW = 300, 64, 100
GOOD = 0.97
MAX_DROP = "2"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of one file. `agreement` and `drop` (of the images that are right, in percentage points) by the plain
    loop; `verdict` of convert, or why there is no file."""

    case: str
    repair: str
    calibrator: str
    scheme: str
    format: str
    agreement: float | None
    drop: float | None
    verdict: str

    @property
    def wrong(self) -> bool:
        """Whether the verdict contradicts the plain loop."""
        if self.agreement is None or self.drop is None:
            return True
        lost = self.drop > float(MAX_DROP)
        return (self.verdict == "fail" and self.agreement >= GOOD) or (self.verdict == "pass" and lost)


def main() -> None:
    """Convert, run, compare, print."""
    options = _options()
    kept = options.work / "outcomes.json"
    all_outcomes = [Outcome(**one) for one in json.loads(kept.read_text())] if kept.exists() else []
    done = {(one.case, one.repair, one.calibrator, one.scheme) for one in all_outcomes}
    for name in options.names:
        for repair in options.repairs:
            for calibrator in options.calibrators:
                first = calibrator == options.calibrators[0]
                for schemes in ((*FLOATS, "int8") if first else ("int8",), ("int16x8",)):
                    if (name, repair, calibrator, schemes[-1]) not in done:
                        all_outcomes += outcomes(options.cases, name, repair, calibrator, schemes)
                        kept.write_text(json.dumps([asdict(one) for one in all_outcomes]))
                of_this_run = [
                    one
                    for one in all_outcomes
                    if (one.case, one.repair, one.calibrator) == (name, repair, calibrator)
                ]
                wrong = sum(one.wrong for one in of_this_run)
                print(
                    f"{name} {repair} {calibrator}: {len(of_this_run)} files, {wrong} wrong",
                    file=sys.stderr,
                    flush=True,
                )
    print("\n".join(table(all_outcomes)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="a folder of models that are made already")
    parser.add_argument("--work", type=Path, required=True, help="where outcomes are kept")
    parser.add_argument("--names", type=_words, help="only these")
    parser.add_argument("--repairs", type=_words, default=REPAIRS)
    parser.add_argument("--calibrators", type=_words, default=CALIBRATORS)
    options = parser.parse_args()
    known = [path.name.removesuffix(".answers.npy") for path in sorted(options.cases.glob("*.answers.npy"))]
    options.names = options.names or known
    for name, some, all_ in (
        ("names", options.names, known),
        ("repairs", options.repairs, REPAIRS),
        ("calibrators", options.calibrators, CALIBRATORS),
    ):
        if unknown := set(some) - set(all_):
            parser.error(f"--{name}: no {', '.join(sorted(unknown))}; choose from {', '.join(all_)}")
    options.work.mkdir(parents=True, exist_ok=True)
    return options


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def outcomes(cases: Path, name: str, repair: str, calibrator: str, schemes: tuple[str, ...]) -> list[Outcome]:
    """Of one run of `convert`."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        count = SLOW if schemes == ("int16x8",) else PROOF
        right = _parts(cases, name, folder, count)
        model = next(cases / f"{name}{s}" for s in (".keras", ".h5") if (cases / f"{name}{s}").exists())
        command = [sys.executable, "-m", "resnet_edge", "convert", str(model)]
        command += ["--data", str(folder / "proof.npz"), "--calibration", str(folder / "calibration.npz")]
        command += ["--repair", repair, "--calibrator", calibrator, "--schemes", ",".join(schemes)]
        command += [
            "--out",
            str(folder / "out"),
            "--max-drop",
            MAX_DROP,
            "--latency-seconds",
            "0",
            "--no-plan",
        ]
        command += ["--preprocess", PREPARE[name]] if name in PREPARE else []
        done = subprocess.run(
            [*command, "--json", "--quiet"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        out = folder / "out" if (folder / "out").is_dir() else folder / "out.partial"
        said = _verdicts(out)
        measured = _measured(out, folder, right)
        why = f"convert ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"
        return [
            Outcome(
                case=name,
                repair=repair,
                calibrator=calibrator,
                scheme=scheme,
                format=format,
                agreement=measured.get((scheme, format), (None, None))[0],
                drop=measured.get((scheme, format), (None, None))[1],
                verdict=said.get((scheme, format), why),
            )
            for scheme in schemes
            for format in ("tflite", "onnx")
            if (scheme, format) not in (("dynamic", "onnx"), ("int16x8", "onnx"))  # not offered
        ]


def _parts(cases: Path, name: str, folder: Path, count: int) -> np.ndarray:
    """Writes the images of the proof and of calibration; the model's answers for the first."""
    with np.load(cases / f"{name}.npz") as held:
        images, labels = held["images"], held["labels"]
    rows, few = slice(len(images) - count, None), slice(CALIBRATION)
    np.savez(folder / "proof.npz", images=images[rows], labels=labels[rows])
    np.savez(folder / "calibration.npz", images=images[few], labels=labels[few])
    np.save(folder / "images.npy", images[rows].astype(np.float32))
    return _choices(np.load(cases / f"{name}.answers.npy")[rows])


def _choices(outputs: np.ndarray) -> np.ndarray:
    """Of several classes the highest, of one probability whether it is above a half."""
    answers: np.ndarray = outputs.argmax(axis=1) if outputs.shape[1] > 1 else outputs[:, 0] > 0.5
    return answers


def _verdicts(out: Path) -> dict[tuple[str, str], str]:
    report = out / "report.json"
    rows = json.loads(report.read_text())["parity"] if report.exists() else []
    order = ("pass", "inconclusive", "fail")
    verdicts: dict[tuple[str, str], str] = {}
    for row in rows:
        _, scheme, format = row["artifact"].rsplit(".", 2)
        worst = max(verdicts.get((scheme, format), "pass"), row["verdict"], key=order.index)
        verdicts[scheme, format] = worst
    return verdicts


def _measured(out: Path, folder: Path, right: np.ndarray) -> dict[tuple[str, str], tuple[float, float]]:
    """Agreement and drop of each file."""
    files = [file for file in sorted(out.glob("*")) if file.suffix in (".tflite", ".onnx")]
    loop = Path(__file__).parent / "good_files" / "plain_loop.py"
    words = [str(w) for f in files for w in (f, folder / "images.npy", folder / f"{f.name}.npy")]
    subprocess.run([sys.executable, str(loop), *words], capture_output=True, check=False)
    labels = np.load(folder / "proof.npz")["labels"]
    measured = {}
    for file in files:
        answers = folder / f"{file.name}.npy"
        if answers.exists():
            *_, scheme, format = file.name.split(".")
            given = _choices(np.load(answers))
            drop = 100 * float(np.mean(right == labels) - np.mean(given == labels))
            measured[scheme, format] = float(np.mean(given == right)), drop
    return measured


def table(all_outcomes: list[Outcome]) -> Iterator[str]:
    """By case, and what was wrong."""
    by: defaultdict[str, list[Outcome]] = defaultdict(list)
    for one in all_outcomes:
        by[one.case].append(one)
    yield "| case | files | answer as the model | pass | inconclusive | fail | wrong |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, some in (*by.items(), ("all", all_outcomes)):
        said = Counter(one.verdict for one in some)
        good = sum((one.agreement or 0) >= GOOD for one in some)
        counts = (
            len(some),
            good,
            said["pass"],
            said["inconclusive"],
            said["fail"],
            sum(o.wrong for o in some),
        )
        yield f"| {name} | {' | '.join(map(str, counts))} |"
    for one in all_outcomes:
        if one.wrong:
            yield f"- {one}"


if __name__ == "__main__":
    main()
