"""Labels cover neither each other nor a marker."""

from __future__ import annotations

from resnet_edge.report.charts.label_placement import Box, Wanted, place


def test_labels_overlap_neither_each_other_nor_a_marker() -> None:
    within = Box(0, 0, 400, 300)
    spots = [(60 + 9.0 * n, 150 + 5.0 * (n % 4)) for n in range(20)]
    markers = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in spots]
    boxes = [box for box in place([Wanted(x, y, 70, 14) for x, y in spots], within, markers) if box]
    assert len(boxes) >= 15
    for index, box in enumerate(boxes):
        assert box.inside(within)
        assert not any(box.overlap(other) for other in (*markers, *boxes[:index]))


def test_no_room_means_no_label() -> None:
    assert place([Wanted(10, 10, 500, 14)], Box(0, 0, 100, 100), []) == [None]


def test_a_label_stands_as_near_as_it_can() -> None:
    wide, label = Box(0, 0, 400, 400), Wanted(200, 200, 40, 10)
    (first,) = place([label], wide, [])
    assert first is not None
    assert (first.left, first.top, first.bottom) == (208, 195, 205), "to the right, eight pixels away"
    (beside,) = place([label], wide, [Box(201, 190, 260, 210)])
    assert beside is not None
    assert beside.right == 192, "then to the left"


def test_soft_boxes_are_spared_where_that_costs_little_and_covered_where_nothing_else_is_free() -> None:
    label, right = Wanted(200, 200, 40, 10), Box(205, 190, 260, 210)
    (spared,) = place([label], Box(0, 0, 400, 400), [], [right])
    assert spared is not None
    assert spared.overlap(right) == 0
    (covered,) = place([label], Box(205, 190, 260, 210), [], [right])
    assert covered is not None


def test_boxes_that_touch_do_not_overlap() -> None:
    assert Box(0, 0, 10, 10).overlap(Box(10, 0, 20, 10)) == 0
    assert Box(0, 0, 10, 10).overlap(Box(8, 9, 20, 20)) == 2
