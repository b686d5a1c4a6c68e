"""What a configuration is, in a few words."""

from __future__ import annotations

import pytest

from resnet_edge.core.results.search import Configuration


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        (Configuration(scheme="fp32"), "fp32"),
        (Configuration(scheme="int8", float_layers=1), "int8, 1 step of layers in float"),
        (
            Configuration(scheme="int8", calibrator="mse", repair="none"),
            "int8, calibrated by mse, no repairs",
        ),
        (Configuration(repair="all", scheme="int8"), "int8, all repairs"),
        (
            Configuration(
                scheme="fp32", pruning="channel", amount=0.4, remove_blocks=2, epochs=3, input_size=(20, 24)
            ),
            "fp32, input 20 x 24, 40 % of the MACs pruned, 2 blocks removed, 3 epochs",
        ),
        (
            Configuration(pruning="magnitude", amount=0.8, epochs=1, scheme="int8", qat_epochs=2),
            "int8, 80 % of the weights pruned, 1 epoch, 2 of QAT",
        ),
    ],
)
def test_a_configuration_in_words(configuration: Configuration, words: str) -> None:
    assert configuration.words == words
