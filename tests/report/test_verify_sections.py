"""The page of `verify`."""

from __future__ import annotations

from resnet_edge.core.results.report import Report
from tests.report.browser import Checker
from tests.report.conftest import FILES
from tests.report.proofs import verified
from tests.report.rendered import page


def test_the_page_of_verify_is_sound(ordinary: Report) -> None:
    checker = Checker()
    checker.feed(page(verified(ordinary)))
    checker.close()
    assert checker.open == []
    text = "".join(checker.text)
    for file in FILES:
        assert file in text
    for word in (
        "Not all could be done",
        "its bias is gone",
        "a reason",
        "died",
        "a note",
        "resnet-edge verify",
    ):
        assert word in text
    assert page(verified(ordinary)).count("<script") == 1
