"""What `verify --json` prints."""

from __future__ import annotations

from resnet_edge.core.results.report import Report
from resnet_edge.report.verification import verification_document
from tests.report.proofs import FILE, verified


def test_the_document_of_verify_holds_it(ordinary: Report) -> None:
    contents = verification_document(verified(ordinary))
    assert contents["attribution"][0]["n"] == 500
    assert contents["int8_risk"][0]["artifact"] == FILE
