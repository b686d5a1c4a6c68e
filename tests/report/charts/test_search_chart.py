"""The frontier of a search as points of a picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.results.search import Configuration
from resnet_edge.report.charts.search_chart import SHAPES, latency_chart, shape, size_chart
from tests.report.searches import MODEL, OWN, POINTS, RESULT


def test_every_point_and_the_model_are_drawn() -> None:
    for chart in (latency_chart(RESULT), size_chart(RESULT)):
        assert chart is not None
        labels = [point.label for point in chart.points]
        assert labels == [MODEL.name, "3", "8", "14 knee", "21", "26"]
        assert chart.reference == pytest.approx(94.78)
        assert chart.permitted == pytest.approx(89.78)


def test_accuracy_hangs_from_the_model_by_its_paired_interval() -> None:
    chart = latency_chart(RESULT)
    assert chart is not None
    knee = chart.points[3]
    assert knee.y == pytest.approx(94.78 - 0.31)
    assert knee.y_interval == pytest.approx((94.78 - 0.55, 94.78 - 0.09))
    assert knee.x == 0.61
    assert knee.x_interval == pytest.approx((0.5978, 0.6283))
    assert chart.points[0].y_interval is None  # against itself there is nothing to tell
    assert chart.points[0].standing == "reference"


def test_a_permitted_drop_far_below_all_is_not_drawn() -> None:
    """It would press all that there is into a line."""
    wide = replace(RESULT, limits={"max_drop_pp": 30.0})
    chart = size_chart(wide)
    assert chart is not None
    assert chart.reference == pytest.approx(94.78)
    assert chart.permitted is None


def test_megabytes_have_no_interval() -> None:
    chart = size_chart(RESULT)
    assert chart is not None
    assert (chart.points[3].x, chart.points[3].x_interval) == (0.205, None)


def test_trials_that_left_are_dots_with_their_reason() -> None:
    chart = size_chart(RESULT)
    assert chart is not None
    known = [t for t in RESULT.trials if t.state != "complete" and t.drop_pp is not None]
    assert len(chart.dots) == len(known) == 22
    assert chart.dots[0].detail.startswith(
        "0: fp16, 10 % of the MACs pruned, 3 epochs; left: worse than trial 3"
    )
    assert chart.dots[0].y == pytest.approx(94.78 - (known[0].drop_pp or 0))


def test_a_trial_is_as_fast_as_its_share_of_the_model() -> None:
    chart = latency_chart(RESULT)
    assert chart is not None
    assert chart.dots[0].x == pytest.approx(1.82 * 0.95)


def test_without_latency_there_is_no_picture_of_it() -> None:
    untimed = tuple(replace(point, p50_ms=None, p50_ci95_ms=None) for point in POINTS)
    assert latency_chart(replace(RESULT, points=untimed)) is None
    assert latency_chart(replace(RESULT, points=untimed, model_point=replace(OWN, p50_ms=None))) is None
    assert size_chart(replace(RESULT, points=untimed)) is not None
    assert size_chart(replace(RESULT, points=())) is None


def test_without_labels_it_is_agreement() -> None:
    unlabelled = replace(RESULT, model_point=replace(OWN, top1=None, top1_ci95=None), limits={})
    chart = size_chart(unlabelled)
    assert chart is not None
    assert (chart.y_title, chart.reference, chart.permitted) == ("agreement with the model, %", 100, None)


@pytest.mark.parametrize(
    ("configuration", "name"),
    [
        (Configuration(scheme="fp32"), "as the model"),
        (Configuration(scheme="fp32", pruning="magnitude", amount=0.5), "pruned"),
        (Configuration(scheme="fp32", input_size=(20, 20)), "another input size"),
        (
            Configuration(scheme="fp32", input_size=(20, 20), pruning="channel", remove_blocks=1),
            "pruned, another input size",
        ),
    ],
)
def test_shapes_say_what_became_of_the_network(configuration: Configuration, name: str) -> None:
    assert SHAPES[shape(configuration)] == name
