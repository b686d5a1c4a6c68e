"""The banner of a report that did not pass says why."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.report import Failure, Report
from resnet_edge.report.first_reasons import MOST, first_reasons
from tests.report.proofs import verified
from tests.report.rendered import document, markdown, page


def test_what_failed_comes_before_what_is_open_and_each_has_its_first_reason(ordinary: Report) -> None:
    first, second, third, *rest = ordinary.parity
    rows = (
        replace(first, verdict="inconclusive", reasons=("unsure", "more")),
        replace(second, verdict="fail", reasons=("broken", "more")),
        replace(third, verdict="fail", reasons=("broken", "more")),
        *rest,
    )
    lines = first_reasons(replace(ordinary, parity=rows))
    assert lines == (
        f"{second.artifact} on litert cpu, {third.artifact} on litert cpu: broken",
        f"{first.artifact} on litert cpu: unsure",
    )


def test_files_of_one_first_reason_share_a_line(ordinary: Report) -> None:
    first, second, *rest = ordinary.parity
    rows = (
        replace(first, verdict="fail", reasons=("broken", "SQNR 143.0 dB")),
        replace(second, verdict="fail", reasons=("broken", "SQNR 134.2 dB")),
        *rest,
    )
    (line,) = first_reasons(replace(ordinary, parity=rows))
    assert line == f"{first.artifact} on litert cpu, {second.artifact} on litert cpu: broken"


def test_many_are_cut_and_counted(ordinary: Report) -> None:
    failures = tuple(Failure(f"file {n}", "died") for n in range(MOST + 4))
    lines = first_reasons(replace(ordinary, failures=failures))
    assert lines == ("file 0: died", "file 1: died", "file 2: died", "4 more below")
    rows = tuple(replace(row, verdict="fail", reasons=("broken",)) for row in ordinary.parity)
    (line,) = first_reasons(replace(ordinary, parity=rows))
    assert line == f"{rows[0].artifact} on litert cpu and {len(rows) - 1} more: broken"


def test_it_stands_in_the_banner_of_both_reports_and_not_where_all_passed(
    ordinary: Report, troubled: Report
) -> None:
    assert document(ordinary).why == ()
    for result in (troubled, verified(ordinary)):
        html, text = page(result), markdown(result)
        banner = html[html.index('class="banner') : html.index("</header>")]
        assert banner.count("<li>") == len(document(result).why) >= 2
        assert text.index("died") < text.index("\n## ")
        assert "a reason" in banner or "exceeds 0.5 pp" in banner
