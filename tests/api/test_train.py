"""What `resnet_edge.train` refuses before any work. Whole runs: test_commands.py, tests/cli/test_train.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge import errors, train
from tests.api.refusals import check_refused


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"temperature": 2}, errors.UsageError, "--temperature needs --teacher"),
        ({"teacher_weight": 0.5}, errors.UsageError, "--teacher-weight needs --teacher"),
        ({"teacher": "nowhere.keras"}, errors.ModelError, "nowhere.keras"),
        ({"arch": "vgg"}, errors.UnknownName, "no network is called 'vgg'; choose from: .*resnet20"),
        ({"out": "net"}, errors.UsageError, "--out net must end in .keras"),
        ({"out": "no/net.keras"}, errors.OutputError, "the folder no does not exist"),
        ({"resume": True}, errors.UsageError, "nothing to resume"),
        ({"start": "net.keras"}, errors.UsageError, "is the model itself"),
        ({"start": "nowhere.keras"}, errors.ModelError, "nowhere.keras"),
        ({"data": np.zeros((3, 8, 8), np.uint8)}, errors.DataError, "which is no DATA"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(
    here: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"arch": "resnet8", "data": "fashion-mnist", "out": "net.keras", **options}
    check_refused(lambda: train(**given), error, message)
