"""How a bench is told in words, on the terminal and on a page."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.backend_name import option_of
from resnet_edge.core.results.bench import Bench, Recommendation, Timing, UnprovedRow
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.roofline import Ceilings
from resnet_edge.report import words

MENTIONED = 2
"""Of what would be faster, if it were proved."""


def machine_line(host: str, part: Bench) -> str:
    """`On pi4: Cortex-A72, 4 cores, aarch64`; of this machine, `Here: …`."""
    facts = part.machine
    cores = words.count(facts.get("usable_cores") or 0, "core")
    what = f"{facts.get('cpu')}, {cores}, {facts.get('architecture')}"
    return f"{f'On {host}' if host else 'Here'}: {what}"


def shared_model(rows: Sequence[Timing]) -> str:
    """The model that all names begin with: `convert` calls its files <model>.<scheme>.<format>."""
    models = {row.artifact.rsplit(".", 2)[0] for row in rows if row.scheme}
    models |= {row.artifact.rsplit(".", 1)[0] for row in rows if row.format == "keras"}
    known = all(row.scheme or row.format == "keras" for row in rows)
    return models.pop() if len(models) == 1 and known else ""


def name_of(row: Timing, model: str) -> str:
    """A file's name without the model's."""
    return _short(row.artifact, model)


def proof_of(bench: Bench, row: Timing) -> Parity | None:
    """What was proved of its artifact where it was timed."""
    place = (row.artifact, row.backend, row.device)
    proofs = bench.accuracy.proofs
    return next((proof for proof in proofs if (proof.artifact, proof.backend, proof.device) == place), None)


def correct(top1: float | None, agreement: float | None, n: int) -> str:
    """How often an artifact is right: `94.95 %`; where nobody knows, agrees with the model: `= 99.81 %`."""
    if words.finite(top1):
        return words.percent(top1, n)
    return f"= {words.percent(agreement, n)}" if words.finite(agreement) else words.ABSENT


def answer(bench: Bench) -> list[str]:
    """What to ship, in a sentence; before it, what would be faster and is not proved. Where nothing was
    proved, what is fastest, and how to prove it. Empty where nothing was timed."""
    if not bench.rows:
        return []
    rows = sorted(bench.rows, key=lambda row: row.p50_ms)
    model = shared_model(rows)
    best = bench.recommended
    if best is None:
        return [_unproved_answer(bench, rows, model)]
    lines = [f"Faster, and not to ship yet: {_unproved(row, model)}." for row in best.unproved[:MENTIONED]]
    return [*lines, f"Ship {_at(best, model)}: {_facts(best, model)}."]


def _at(row: Timing | Recommendation | UnprovedRow, model: str) -> str:
    """`int8.tflite on litert`; the device is told where it is not the processor, as mostly."""
    device = "" if row.device == "cpu" else f" {row.device}"
    return f"{_short(row.artifact, model)} on {row.backend}{device}"


def _facts(best: Recommendation, model: str) -> str:
    unsure = "" if best.steady else " (may not be repeatable)"
    facts = [f"{words.milliseconds(best.p50_ms)} ms{unsure}"]
    if words.finite(best.speed_up):
        than = _short(best.baseline, model)
        faster = f"{words.speed_up(best.speed_up)} as fast as {than}"
        facts.append(faster if best.faster else f"not shown to be faster than {than}")
    if best.size_bytes is not None:
        facts.append(words.size(best.size_bytes))
    images = words.count(best.n, "image")
    if words.finite(best.top1):
        facts.append(f"top-1 {words.percent(best.top1, best.n)} on {images}")
    elif words.finite(best.agreement):
        facts.append(f"agrees with the model on {words.percent(best.agreement, best.n)} of {images}")
    return ", ".join(facts)


def _unproved(row: UnprovedRow, model: str) -> str:
    """`int8.tflite on openvino, 0.2 ms: it was not run on images there`."""
    what = f"{_at(row, model)}, {words.milliseconds(row.p50_ms)} ms"
    if row.verdict is None:
        where = option_of(row.backend, row.device)
        return f"{what}: its answers were not proved there (`resnet-edge verify --backends {where}`)"
    if row.verdict == "inconclusive":
        needed = row.samples_needed
        more = "" if needed is None else f"; about {needed:,} would decide it"
        return f"{what}: {words.count(row.n, 'image')} do not prove it{more}"
    return f"{what}: it failed its proof"


def _unproved_answer(bench: Bench, rows: Sequence[Timing], model: str) -> str:
    """Of the fastest artifact, or the model itself where there is nothing else."""
    first = next((row for row in rows if row.artifact not in bench.accuracy.references), rows[0])
    fastest = f"Fastest: {_at(first, model)}, {words.milliseconds(first.p50_ms)} ms."
    if bench.accuracy.proofs and not any(proof_of(bench, row) for row in rows):
        return (
            f"{fastest} Its answers were not proved there: `resnet-edge verify DIR --backends "
            f"{','.join(sorted({option_of(row.backend, row.device) for row in rows}))}` does it."
        )
    if bench.accuracy.proofs:
        return (
            f"{fastest} Nothing to ship yet: nothing that was timed passed its proof (report.html says why)."
        )
    return (
        f"{fastest} Whether it is right is not known here: `resnet-edge verify {first.artifact} --reference "
        "MODEL --data DATA` proves it."
    )


def _short(artifact: str, model: str) -> str:
    return artifact.removeprefix(f"{model}.") if model else artifact


RANKS = "Rows of one rank cannot be told apart; with ? a figure may not be repeatable."
COLD = "Open, First, Memory: a fresh process opens the file and runs it once."
ELSEWHERE = "Cold start, memory, p90 and limits: --html, --json, or a wider terminal."


def explained(bench: Bench, rows: Sequence[Timing]) -> list[str]:
    """What the table of a page does not say: how it was measured, and what its columns mean."""
    return [_conditions(bench, rows), f"{COLD} {RANKS}", *limit_words(bench.ceilings)]


def table_notes(bench: Bench, rows: Sequence[Timing], *, brief: bool) -> list[str]:
    """The same of the terminal's; `brief`: of the one without cold start and limit."""
    lines = [_conditions(bench, rows), RANKS]
    if bench.accuracy.proofs:
        equals = "" if _all_labelled(bench) else "; = is agreement with the model"
        lines.append(f"Top-1 as the folder's report has it, where that backend was proved{equals}.")
    return [*lines, ELSEWHERE] if brief else [*lines, COLD, *limit_words(bench.ceilings)]


def _conditions(bench: Bench, rows: Sequence[Timing]) -> str:
    first = rows[0]
    rounds = min(row.rounds for row in rows)
    conditions = (
        f"{words.count(first.threads, 'thread')}, batch {first.batch}, {words.count(rounds, 'round')}"
    )
    others = bench.quiet.others
    load = "" if others is None else f"; other processes kept {others:.2f} cores busy"
    return f"Latency of one call in ms, ± 95 %, {conditions} in random order in {bench.seconds:.0f} s{load}."


def _all_labelled(bench: Bench) -> bool:
    return all(words.finite(proof.top1) for proof in bench.accuracy.proofs)


def unsettled(rows: Sequence[Timing], *, accepted: bool = False) -> list[str]:
    """Why figures may not be repeatable: what all share in words, then how many have reasons of their
    own; and whether that is `accepted`."""
    unsure = [row for row in rows if row.verdict != "steady"]
    if not unsure:
        return []
    shared = set.intersection(*(set(row.reasons) for row in unsure))
    own = [row for row in unsure if set(row.reasons) - shared]
    lines = [f"{len(unsure)} of {words.count(len(rows), 'figure')} may not be repeatable (? in Rank)."]
    if shared:
        lines[0] = f"{lines[0][:-1]}: {'; '.join(sorted(shared))}."
    if len(own) == 1:
        reasons = "; ".join(sorted(set(own[0].reasons) - shared))
        lines.append(f"{own[0].artifact} on {own[0].backend}: {reasons}.")
    elif own:
        lines.append(f"{len(own)} have reasons of their own, as medians that are not known to 2 %: --json.")
    if accepted:
        lines.append("They are accepted (--accept-noise): the exit code is 0, and not 5.")
    return lines


def not_timed(bench: Bench) -> str:
    """Where nothing was timed and nobody asked for it, in a line; empty where there is no such place."""
    places = dict.fromkeys(" ".join(filter(None, (one.backend, one.device))) for one in bench.unopened)
    if not places:
        return ""
    return f"Not timed, and not asked for: {', '.join(places)} (`resnet-edge doctor` and --json say why)."


def limit_words(ceilings: Ceilings | None) -> list[str]:
    """What the cores can do at most, in a sentence; none where that was not measured."""
    if ceilings is None:
        return []
    rates = [
        f"{rate:.1f} billion multiply-accumulates a second in {kind} ({by})"
        for kind, rate, by in (
            ("float32", ceilings.float_gmacs, ceilings.float_by),
            ("int8", ceilings.int8_gmacs, ceilings.int8_by),
        )
        if rate is not None
    ]
    more = " Its units for matrices (AMX) do more than that." if ceilings.tiles else ""
    return [
        "Limit: the share of what these cores can do at most, measured: "
        f"{', '.join([*rates, f'{ceilings.gigabytes:.1f} GB a second of memory'])}.{more}"
    ]
