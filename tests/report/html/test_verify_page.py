"""The page of `verify`."""

from __future__ import annotations

from resnet_edge.core.results.report import Report
from resnet_edge.report.html.verify_page import verify_page
from tests.report.browser import Checker
from tests.report.conftest import EVIL, FILES
from tests.report.proofs import verified


def test_the_page_of_verify_is_sound(ordinary: Report) -> None:
    checker = Checker()
    checker.feed(verify_page(verified(ordinary), "FAILED", "Not all agree."))
    checker.close()
    assert checker.open == []
    told = "".join(checker.text)
    for file in FILES:
        assert file in told
    for word in ("Not all agree.", "its bias is gone", "a reason", "died", "a note", "resnet-edge verify"):
        assert word in told
    assert "<script" not in verify_page(verified(ordinary), "FAILED", EVIL)
