"""The verdict. What must not pass comes first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.core.results.parity import Parity
from resnet_edge.evaluation.compare import agree, compare
from resnet_edge.evaluation.compare_task import CompareOutputs, CountAgreement
from resnet_edge.workers.process import WorkerProcess
from resnet_edge.workers.progress import silent

Array = NDArray[Any]
CLASSES = 10
PROBABILITIES = Head.of_classes(CLASSES, "probabilities")


def network(n: int, seed: int = 0) -> tuple[Array, Array]:
    """Logits (n, 10) of a classifier that is mostly right, and the labels (n,)."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, n)
    logits = random.normal(0, 2, (n, CLASSES)) + 6 * np.eye(CLASSES)[labels]
    return logits.astype(np.float32), labels


def quantized(logits: Array, step: float = 0.1) -> Array:
    return (np.rint(logits / step) * step).astype(np.float32)


def softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Array = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


class Comparator(Protocol):
    def __call__(
        self, reference: Array, candidate: Array, labels: Array | None = None, **changes: Any
    ) -> Parity: ...


@pytest.fixture
def judge(tmp_path: Path) -> Comparator:
    def judged(reference: Array, candidate: Array, labels: Array | None = None, **changes: Any) -> Parity:
        files = {"reference": reference, "candidate": candidate, "labels": labels}
        paths = {name: str(tmp_path / f"{name}.npy") for name in files}
        for name, array in files.items():
            if array is not None:
                np.save(paths[name], array)
        request = CompareOutputs(
            artifact="net.int8.tflite",
            backend="litert",
            device="cpu",
            scheme="int8",
            head=Head.of_classes(CLASSES, "logits"),
            reference=paths["reference"],
            candidate=paths["candidate"],
            labels=None if labels is None else paths["labels"],
            max_drop_pp=0.5,
            min_sqnr_db=15.0,
        )
        return compare(replace(request, **changes), silent).parity

    return judged


class TestNeverPasses:
    def test_no_image(self, judge: Comparator) -> None:
        nothing = np.zeros((0, CLASSES), np.float32)
        for labels in (None, np.zeros(0, np.int64)):
            parity = judge(nothing, nothing, labels)
            assert parity.verdict == "inconclusive"
            assert parity.samples_needed
            assert parity.top1 is parity.agreement is parity.sqnr_db is None

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("sides", ["candidate", "reference", "both"])
    @pytest.mark.parametrize("labelled", [True, False])
    def test_nan_or_inf_in_one_value(
        self, judge: Comparator, value: float, sides: str, labelled: bool
    ) -> None:
        reference, labels = network(5000)
        candidate = reference.copy()
        if sides in ("candidate", "both"):
            candidate[17, 3] = value
        if sides in ("reference", "both"):
            reference[17, 3] = value
        parity = judge(reference, candidate, labels if labelled else None)
        assert parity.verdict == "fail"
        assert "NaN or Inf on 1 of 5,000 images" in parity.reasons[0]
        assert parity.sqnr_db is None

    @pytest.mark.parametrize("shift", [1, None], ids=["never right", "right by chance"])
    def test_a_reference_without_accuracy_to_lose(self, judge: Comparator, shift: int | None) -> None:
        reference, labels = network(5000)
        wrong = np.random.default_rng(9).integers(0, CLASSES, 5000)
        if shift is not None:
            wrong = (reference.argmax(axis=1) + shift) % CLASSES
        parity = judge(reference, quantized(reference), wrong, max_drop_pp=2.0)
        assert parity.verdict == "inconclusive"
        assert "no more than by chance" in parity.reasons[0]
        assert "check the labels" in parity.reasons[0]
        assert judge(reference, quantized(reference), labels, max_drop_pp=2.0).verdict == "pass"

    def test_one_output_for_all_images(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        constant = np.tile(reference[:1], (5000, 1))
        assert judge(reference, constant, labels).verdict == "fail"
        assert judge(reference, constant).verdict == "fail"
        assert judge(reference, np.zeros_like(reference), labels).verdict == "fail"

    def test_one_score_for_all_classes(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        parity = judge(reference, np.repeat(reference[:, :1], CLASSES, axis=1), labels)
        assert parity.verdict == "fail"
        assert "every class the same score" in parity.reasons[0]

    def test_one_class_for_all_images(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        candidate = reference + 1000 * np.eye(CLASSES, dtype=np.float32)[3]
        for given_labels in (labels, None):
            parity = judge(reference, candidate, given_labels, min_sqnr_db=-1000)
            assert parity.verdict == "fail"
            assert "predicts class 3 only" in parity.reasons[0]

    def test_images_of_one_class(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        same = labels == 3
        parity = judge(reference[same], reference[same], labels[same], max_drop_pp=5)
        assert parity.verdict == "inconclusive"
        assert "labelled 3" in parity.reasons[0]
        mostly = np.concatenate([np.flatnonzero(same & (reference.argmax(axis=1) == 3)), [0, 1]])
        parity = judge(reference[mostly], reference[mostly], max_drop_pp=5)
        assert parity.verdict == "inconclusive"
        assert "class 3 on all images but 2" in parity.reasons[0]
        assert "images of every class" in parity.reasons[0]

    def test_few_distinct_values(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        candidate = np.eye(CLASSES, dtype=np.float32)[reference.argmax(axis=1)]
        parity = judge(reference, candidate, labels, min_sqnr_db=-1000)
        assert parity.verdict == "inconclusive"
        assert "2 distinct values" in parity.reasons[0]

    def test_reference_that_tells_nothing_apart(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        one_class = reference + 1000 * np.eye(CLASSES, dtype=np.float32)[3]
        constant = np.tile(reference[:1], (5000, 1))
        coarse = np.eye(CLASSES, dtype=np.float32)[labels]
        for degenerate in (one_class, constant, coarse):
            for given_labels in (labels, None):
                parity = judge(degenerate, degenerate, given_labels)
                assert parity.verdict == "inconclusive"
                assert "nothing can be proved" in parity.reasons[0]

    @pytest.mark.parametrize(
        "broken",
        [
            lambda logits: -logits,
            lambda logits: logits[:, ::-1],
            lambda logits: np.roll(logits, 1, axis=0),
            lambda logits: np.random.default_rng(1).normal(0, 3, logits.shape),
        ],
        ids=["sign", "class order", "image order", "noise"],
    )
    @pytest.mark.parametrize("labelled", [True, False])
    def test_broken_logits(self, judge: Comparator, broken: Any, labelled: bool) -> None:
        reference, labels = network(2000)
        parity = judge(reference, broken(reference).astype(np.float32), labels if labelled else None)
        assert parity.verdict == "fail"

    def test_drop_that_is_certain(self, judge: Comparator) -> None:
        reference, labels = network(10_000)
        candidate = reference.copy()
        candidate[:300] = -candidate[:300]
        parity = judge(reference, candidate, labels, min_sqnr_db=-1000)
        assert parity.verdict == "fail"
        assert parity.drop_ci95_pp is not None
        assert parity.drop_ci95_pp[0] > 0.5
        assert "more than the 0.5 pp allowed" in parity.reasons[0]

    def test_signal_too_poor_although_every_top1_is_right(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        winners = np.eye(CLASSES, dtype=np.float32)[reference.argmax(axis=1)]
        candidate = (reference + 100 * winners).astype(np.float32)
        parity = judge(reference, candidate, labels)
        assert parity.agreement == 1.0
        assert parity.verdict == "fail"
        assert "SQNR" in parity.reasons[0]  # what decided comes first

    def test_no_loss_at_all_on_few_images(self, judge: Comparator) -> None:
        reference, labels = network(200)
        for given_labels in (labels, None):
            parity = judge(reference, reference, given_labels)
            assert parity.verdict == "inconclusive"
            assert parity.agreement == 1.0
            assert parity.samples_needed is not None
            assert 760 <= parity.samples_needed <= 770
            assert f"{parity.samples_needed:,} images" in parity.reasons[0]

    def test_margin_of_zero_asks_for_a_gain(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        parity = judge(reference, reference, labels, max_drop_pp=0.0)
        assert parity.verdict == "inconclusive"
        assert parity.samples_needed is None
        assert "no number of images would decide it" in parity.reasons[0]
        assert judge(reference, reference, labels, max_drop_pp=0.08).verdict == "pass"


class TestPasses:
    def test_int8_on_enough_images(self, judge: Comparator) -> None:
        reference, labels = network(10_000)
        parity = judge(reference, quantized(reference), labels)
        assert parity.verdict == "pass"
        assert parity.n == 10_000
        assert parity.samples_needed is None
        assert parity.max_abs == pytest.approx(0.05, abs=1e-3)
        # A uniform error of one step has the power step^2 / 12; a centred logit about 4 + 3.24.
        assert parity.sqnr_db == pytest.approx(10 * np.log10((4 + 36 * 0.09) / (0.01 / 12)), abs=0.5)

    def test_figures_are_those_of_the_table(self, judge: Comparator) -> None:
        reference, labels = network(10_000)
        candidate = reference.copy()
        right = reference.argmax(axis=1) == labels
        candidate[np.flatnonzero(right)[:7]] *= -1
        fixed = np.flatnonzero(~right)[:3]
        candidate[fixed, labels[fixed]] += 100
        parity = judge(reference, candidate, labels, min_sqnr_db=-100)
        assert (parity.lost, parity.gained) == (7, 3)
        assert parity.reference_top1 == right.mean()
        assert parity.top1 == right.mean() - 4 / 10_000
        assert parity.drop_pp == pytest.approx(0.04)
        assert parity.agreement == 1 - 10 / 10_000
        assert parity.verdict == "pass"

    def test_sentence_has_the_figures_and_no_negative_zero(self, judge: Comparator) -> None:
        reference, labels = network(10_000)
        candidate = reference.copy()
        right = reference.argmax(axis=1) == labels
        candidate[np.flatnonzero(right)[:20]] *= -1
        fixed = np.flatnonzero(~right)[:9]
        candidate[fixed, labels[fixed]] += 100
        parity = judge(candidate, reference, labels, min_sqnr_db=-100)
        assert parity.reasons[0] == (
            "the top-1 drop on 10,000 images is -0.11 pp (-0.23 to 0.00), within the 0.5 pp allowed"
        )

    def test_margin_of_zero_is_met_by_a_proven_gain(self, judge: Comparator) -> None:
        candidate, labels = network(5000)
        reference = candidate.copy()
        reference[:200] = -reference[:200]
        parity = judge(reference, candidate, labels, max_drop_pp=0.0, min_sqnr_db=-100)
        assert parity.verdict == "pass"

    def test_without_labels_it_is_the_agreement(self, judge: Comparator) -> None:
        reference, _ = network(10_000)
        parity = judge(reference, quantized(reference, 0.01))
        assert parity.verdict == "pass"
        assert parity.top1 is parity.reference_top1 is parity.drop_pp is None
        assert parity.lost is parity.gained is None
        assert parity.drop_ci95_pp is None
        assert "without labels" in parity.reasons[0]

    def test_a_constant_on_every_row_is_no_error(self, judge: Comparator) -> None:
        reference, labels = network(5000)
        parity = judge(reference, reference + np.float32(3), labels, min_sqnr_db=100)
        assert parity.verdict == "pass"

    def test_probabilities_in_256_steps(self, judge: Comparator) -> None:
        logits, labels = network(10_000)
        reference = softmax(logits)
        parity = judge(reference, quantized(reference, 1 / 256), labels, head=PROBABILITIES)
        assert parity.verdict == "pass"
        assert parity.sqnr_db == 200  # all that 256 steps can hold
        moved = (
            quantized(reference, 1 / 256)
            + np.float32(1 / 256) * np.eye(CLASSES, dtype=np.float32)[labels - 1]
        )
        parity = judge(reference, moved, labels, head=PROBABILITIES, min_sqnr_db=15)
        assert parity.sqnr_db is not None
        assert parity.sqnr_db < 40

    @pytest.mark.parametrize("steps", [256, 1 << 15])
    def test_probabilities_below_half_a_step_are_no_error(self, judge: Comparator, steps: int) -> None:
        """An int16 softmax of TFLite has steps of 1/32768: a sure network has most scores below the first."""
        logits, labels = network(10_000)
        sure = softmax(3 * logits)
        assert (sure < 0.5 / steps).mean() > 0.5
        parity = judge(sure, quantized(sure, 1 / steps), labels, head=PROBABILITIES, min_sqnr_db=25)
        assert parity.verdict == "pass"

    def test_probabilities_in_float(self, judge: Comparator) -> None:
        logits, labels = network(10_000)
        again = softmax(logits.astype(np.float64)).astype(np.float32)
        parity = judge(softmax(logits), again, labels, head=PROBABILITIES, min_sqnr_db=80)
        assert parity.verdict == "pass"


def test_one_hot_probabilities_are_not_compared_with_nothing(judge: Comparator) -> None:
    logits, labels = network(2000)
    one_hot = np.eye(CLASSES, dtype=np.float32)[logits.argmax(axis=1)]
    one_hot[:, 0] += np.linspace(0, 1e-3, 2000, dtype=np.float32)  # past the count of distinct values
    parity = judge(softmax(logits), one_hot, labels, head=PROBABILITIES)
    assert parity.verdict == "fail"


class TestFloatRounding:
    """A float file passes by its numbers: evaluation/rules.py."""

    FLOAT: dict[str, Any] = {"scheme": "fp32", "min_sqnr_db": 80.0, "path": "net.tflite", "format": "tflite"}

    @pytest.mark.parametrize("n", [20, 240])
    @pytest.mark.parametrize("labelled", [True, False])
    def test_few_images_are_enough(self, judge: Comparator, n: int, labelled: bool) -> None:
        reference, labels = network(n)
        candidate = reference * np.float32(1 + 3e-7)
        parity = judge(reference, candidate, labels if labelled else None, **self.FLOAT)
        assert parity.verdict == "pass"
        assert "within fp32 rounding" in parity.reasons[0]
        assert parity.samples_needed is None
        assert (
            judge(reference, candidate, labels, **self.FLOAT | {"scheme": "int8"}).verdict == "inconclusive"
        )

    def test_a_tie_of_the_reference_stops_nothing(self, judge: Comparator) -> None:
        reference, labels = network(240)
        first, second = np.argsort(reference[7])[-2:]
        reference[7, first] = np.nextafter(reference[7, second], np.float32(-100))
        candidate = reference.copy()
        candidate[7, first] += np.float32(4e-6)
        parity = judge(reference, candidate, None, **self.FLOAT)
        assert parity.agreement == 239 / 240
        assert parity.verdict == "pass"
        assert "but 1, which are near a tie" in parity.reasons[0]

    def test_an_answer_of_float16_that_changed_needs_its_images(
        self, judge: Comparator, tmp_path: Path
    ) -> None:
        reference, labels = network(240)
        write_halves(tmp_path / "net.onnx", 1.0)
        options = {
            "scheme": "fp16",
            "min_sqnr_db": 40.0,
            "path": str(tmp_path / "net.onnx"),
            "format": "onnx",
        }
        first, second = np.argsort(reference[7])[-2:]
        reference[7, first] = reference[7, second] - np.float32(5e-3)
        candidate = reference.copy()
        candidate[7, first] += np.float32(4e-3)
        assert judge(reference, candidate, labels, **options).verdict == "pass"
        candidate[7, first] += np.float32(2e-3)
        parity = judge(reference, candidate, labels, **options)
        assert parity.sqnr_db is not None
        assert parity.sqnr_db > 80
        assert parity.verdict == "inconclusive"

    def test_what_is_more_than_rounding_needs_its_images(self, judge: Comparator) -> None:
        reference, labels = network(240)
        noise = np.random.default_rng(5).normal(0, 1, reference.shape).astype(np.float32)
        parity = judge(reference, reference + np.float32(1e-3) * noise, labels, **self.FLOAT)
        assert parity.verdict == "fail"  # 70 dB, and fp32 needs 80
        one = reference.copy()
        one[3, 2] += np.float32(0.005)  # 88 dB of all, and no rounding of float32
        parity = judge(reference, one, labels, **self.FLOAT)
        assert parity.sqnr_db is not None
        assert parity.sqnr_db > 80
        assert parity.verdict == "inconclusive"

    def test_a_reference_without_accuracy_still_proves_nothing(self, judge: Comparator) -> None:
        reference, labels = network(240)
        parity = judge(reference, reference, (labels + 1) % CLASSES, **self.FLOAT)
        assert parity.verdict == "inconclusive"
        assert "no more than by chance" in parity.reasons[0]

    def test_float16_rounds_by_what_it_stores(self, judge: Comparator, tmp_path: Path) -> None:
        """Weights of 1e-6 are subnormal in float16, and rounded by 3 % of themselves."""
        reference, labels = network(240)
        noise = np.random.default_rng(5).normal(0, 1, reference.shape).astype(np.float32)
        for factor, size, expected in (
            (1e-4, 1.0, "pass"),
            (0.01, 1e-6, "pass"),
            (0.01, 1.0, "inconclusive"),
        ):
            path = tmp_path / "net.onnx"
            write_halves(path, size)
            options = self.FLOAT | {
                "scheme": "fp16",
                "min_sqnr_db": 40.0,
                "path": str(path),
                "format": "onnx",
            }
            parity = judge(reference, reference + np.float32(factor) * noise, labels, **options)
            assert parity.verdict == expected, (factor, size, parity.reasons)


def write_halves(path: Path, size: float) -> None:
    """A layer whose weights are float16, of about that size."""
    weights = (size * np.random.default_rng(0).normal(0, 1, (16, CLASSES))).astype(np.float16)
    nodes = [
        helper.make_node("Cast", ["w"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "wide"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, s]) for n, s in (("x", 16), ("y", CLASSES))
    ]
    graph = helper.make_graph(nodes, "halves", ends[:1], ends[1:], [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph), str(path))


class TestDoesNotFit:
    def test_unequal_images_or_classes(self, judge: Comparator) -> None:
        reference, labels = network(100)
        for candidate in (reference[:99], reference[:, :9]):
            with pytest.raises(DataError, match="not of the same images and classes"):
                judge(reference, candidate, labels)

    @pytest.mark.parametrize("label", [-1, CLASSES, 255])
    def test_label_out_of_range(self, judge: Comparator, label: int) -> None:
        reference, labels = network(100)
        labels[50] = label
        with pytest.raises(DataError, match=f"label {label} is out of range"):
            judge(reference, reference, labels)

    @pytest.mark.parametrize("wrong", [np.zeros(99, int), np.zeros((100, 1), int), np.zeros(100)])
    def test_labels_of_another_shape_or_kind(self, judge: Comparator, wrong: Array) -> None:
        reference, _ = network(100)
        with pytest.raises(DataError, match="100 images need as many integers"):
            judge(reference, reference, wrong)

    def test_files_that_are_no_outputs(self, judge: Comparator) -> None:
        reference, _ = network(100)
        for odd in (reference[0], reference.astype(int), reference[:, :0]):
            with pytest.raises(DataError, match="outputs are floats"):
                judge(odd, odd)

    @pytest.mark.parametrize("which", ["a", "b"])
    def test_files_that_cannot_be_read(self, tmp_path: Path, which: str) -> None:
        for name in ("a", "b"):
            np.save(tmp_path / f"{name}.npy", network(100)[0])
        (tmp_path / f"{which}.npy").write_bytes(b"odd")
        with pytest.raises(DataError, match="cannot be read"):
            agree(
                CountAgreement(
                    head=Head.of_classes(CLASSES, "logits"),
                    a=str(tmp_path / "a.npy"),
                    b=str(tmp_path / "b.npy"),
                ),
                silent,
            )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n=st.integers(0, 400),
    seed=st.integers(0, 1000),
    noise=st.sampled_from([0.0, 0.01, 1.0, 10.0]),
    margin=st.sampled_from([0.0, 0.5, 5.0, 50.0]),
    labelled=st.booleans(),
)
def test_a_pass_always_has_its_evidence(
    judge: Comparator, n: int, seed: int, noise: float, margin: float, labelled: bool
) -> None:
    reference, labels = network(n, seed)
    candidate = reference + np.random.default_rng(seed).normal(0, 1, reference.shape) * noise
    parity = judge(reference, candidate.astype(np.float32), labels if labelled else None, max_drop_pp=margin)
    assert parity.reasons
    assert (parity.drop_pp is not None) <= labelled
    if parity.verdict == "pass":
        assert parity.n == n > 0
        assert parity.sqnr_db is not None
        assert parity.sqnr_db >= 15
        assert parity.agreement is not None
        if labelled:
            assert parity.drop_ci95_pp is not None
            assert parity.drop_ci95_pp[1] <= margin
        else:
            assert 100 * (1 - parity.agreement) <= margin
    if parity.samples_needed is not None:
        assert parity.verdict == "inconclusive"
        assert parity.samples_needed > n


def test_verdict_crosses_to_the_parent_whole(tmp_path: Path) -> None:
    """JSON has no NaN, no infinity and no numpy number: a figure of that kind would be lost."""
    reference, labels = network(1000)
    for name, array in {"reference": reference, "candidate": reference, "labels": labels}.items():
        np.save(tmp_path / f"{name}.npy", array)
    request = CompareOutputs(
        artifact="net.fp32.onnx",
        backend="onnxruntime",
        device="cpu",
        scheme="fp32",
        head=Head.of_classes(CLASSES, "logits"),
        reference=str(tmp_path / "reference.npy"),
        candidate=str(tmp_path / "candidate.npy"),
        labels=str(tmp_path / "labels.npy"),
        max_drop_pp=0.5,
        min_sqnr_db=80.0,
    )
    with WorkerProcess("the proof", tmp_path / "log") as worker:
        comparison = worker.run(request)
    assert comparison == compare(request, silent)
    parity = comparison.parity
    assert parity.verdict == "pass"
    assert parity.sqnr_db == 200.0


class TestAgree:
    def outcome(self, folder: Path, a: Array, b: Array) -> Any:
        np.save(folder / "a.npy", a)
        np.save(folder / "b.npy", b)
        return agree(
            CountAgreement(
                head=Head.of_outputs(a.shape[1], "logits"), a=str(folder / "a.npy"), b=str(folder / "b.npy")
            ),
            silent,
        )

    def test_counts_answers_and_values(self, tmp_path: Path) -> None:
        a = quantized(network(1000)[0], 0.125)
        b = a.copy()
        b[5, 2] += 2 * 0.125
        b[6] = -b[6]
        outcome = self.outcome(tmp_path, a, b)
        assert outcome.n == 1000
        assert outcome.same_top1 == 999
        assert outcome.values == 10_000
        assert outcome.identical == 10_000 - 1 - np.count_nonzero(a[6])
        assert outcome.max_abs == 2 * np.abs(a[6]).max()

    def test_nothing_and_nan_agree_with_nothing(self, tmp_path: Path) -> None:
        a, _ = network(100)
        with pytest.raises(DataError, match="at least one image"):
            self.outcome(tmp_path, a[:0], a[:0])
        with pytest.raises(DataError, match="NaN"):
            self.outcome(tmp_path, a * np.nan, a * np.nan)
        with pytest.raises(DataError, match="nothing to compare"):
            self.outcome(tmp_path, a, a[:50])
