"""Intervals of counts, and how many images they need."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_edge.core import proportion
from resnet_edge.core.proportion import Z95, wilson


@st.composite
def tables(draw: st.DrawFn, largest: int = 20_000) -> tuple[int, int, int]:
    """n, lost, gained."""
    n = draw(st.integers(1, largest))
    lost = draw(st.integers(0, n))
    return n, lost, draw(st.integers(0, n - lost))


class TestPairedDrop:
    def test_published_example(self) -> None:
        # Cavo et al. 2012 in Fagerland, Lydersen, Laake, Statistical Analysis of Contingency
        # Tables (2017), chapter 8; the R package contingencytables prints -0.1240 to -0.0054.
        low, high = proportion.paired_drop(59 + 6 + 16 + 80, 6, 16)
        assert (round(low, 4), round(high, 4)) == (-0.1240, -0.0054)

    def test_ends_are_where_the_score_of_the_multinomial_is_196(self) -> None:
        # Independent of the closed form: the constrained likelihood is maximized on a grid.
        n, lost, gained = 200, 9, 4
        for delta in proportion.paired_drop(n, lost, gained):
            share = np.linspace(max(0.0, -delta), (1 - delta) / 2, 500_003)[1:-1]
            likelihood = (
                lost * np.log(share + delta)
                + gained * np.log(share)
                + (n - lost - gained) * np.log1p(-2 * share - delta)
            )
            q = share[likelihood.argmax()]
            score = (lost - gained - n * delta) / math.sqrt(n * (2 * q + delta - delta**2))
            assert abs(score) == pytest.approx(1.959964, abs=1e-3)

    def test_no_discordance_has_a_width_all_the_same(self) -> None:
        low, high = proportion.paired_drop(1000, 0, 0)
        z2 = Z95**2
        assert high == pytest.approx(z2 / (1000 + z2))
        assert low == pytest.approx(-high)

    @pytest.mark.parametrize("n", [1, 2, 10, 1000])
    def test_all_lost_and_all_gained(self, n: int) -> None:
        low, high = proportion.paired_drop(n, n, 0)
        assert high == 1.0
        assert -1 < low < 1
        assert proportion.paired_drop(n, 0, n) == pytest.approx((-1.0, -low), abs=1e-9)

    @pytest.mark.parametrize("table", [(0, 0, 0), (10, 11, 0), (10, 6, 5), (10, -1, 0)])
    def test_what_is_no_table_is_refused(self, table: tuple[int, int, int]) -> None:
        with pytest.raises(ValueError, match="no such table"):
            proportion.paired_drop(*table)

    @given(tables())
    def test_interval_holds_the_drop_seen_and_stays_within_one(self, table: tuple[int, int, int]) -> None:
        n, lost, gained = table
        low, high = proportion.paired_drop(n, lost, gained)
        assert -1 <= low <= (lost - gained) / n <= high <= 1
        assert low < high

    @given(tables())
    def test_mirrored_tables_have_mirrored_intervals(self, table: tuple[int, int, int]) -> None:
        n, lost, gained = table
        low, high = proportion.paired_drop(n, lost, gained)
        assert proportion.paired_drop(n, gained, lost) == pytest.approx(
            (-high, -low), abs=1e-9
        )  # the two roots cancel differently: 1.7e-12 was seen

    @given(tables(2000))
    def test_one_more_loss_never_looks_better(self, table: tuple[int, int, int]) -> None:
        n, lost, gained = table
        if lost + gained < n:
            worse, now = proportion.paired_drop(n, lost + 1, gained), proportion.paired_drop(n, lost, gained)
            assert worse[0] >= now[0] - 1e-9
            assert worse[1] >= now[1] - 1e-9

    @pytest.mark.parametrize(
        ("n", "p_lost", "p_gained"), [(10_000, 0.002, 0.001), (500, 0.03, 0.01), (100, 0.1, 0.1)]
    )
    def test_covers_the_truth_as_often_as_it_says(self, n: int, p_lost: float, p_gained: float) -> None:
        random = np.random.default_rng(7)
        draws = random.multinomial(n, [p_lost, p_gained, 1 - p_lost - p_gained], size=1500)
        kinds, counts = np.unique(draws[:, :2], axis=0, return_counts=True)
        inside = 0
        for (lost, gained), count in zip(kinds.tolist(), counts.tolist(), strict=True):
            low, high = proportion.paired_drop(n, lost, gained)
            inside += count * (low <= p_lost - p_gained <= high)
        # Four standard errors of 1,500 draws at 95 % are 2.3 points.
        assert 0.927 < inside / 1500 < 0.98


class TestSamplesNeeded:
    @pytest.mark.parametrize("limit", [0.001, 0.005, 0.01, 0.05])
    def test_without_discordance_it_is_the_rule_of_four(self, limit: float) -> None:
        needed = proportion.samples_needed(10, 0, 0, limit)
        assert needed == pytest.approx(Z95**2 / limit, rel=limit + 0.01, abs=1)

    @pytest.mark.parametrize(
        ("table", "limit"),
        [
            ((1000, 5, 3), 0.005),
            ((500, 2, 2), 0.005),
            ((2000, 10, 2), 0.005),
            ((1000, 12, 4), 0.005),  # too many: a fail
            ((300, 1, 0), 0.01),
            ((5000, 60, 5), 0.012),
        ],
    )
    def test_so_many_images_decide_it_four_times_out_of_five(
        self, table: tuple[int, int, int], limit: float
    ) -> None:
        n, lost, gained = table
        needed = proportion.samples_needed(n, lost, gained, limit)
        assert needed is not None
        assert needed > n
        rates = [lost / n, gained / n, 1 - (lost + gained) / n]
        draws = np.random.default_rng(5).multinomial(needed, rates, size=600)
        decided = 0
        for new_lost, new_gained, _ in draws.tolist():
            low, high = proportion.paired_drop(needed, new_lost, new_gained)
            decided += high <= limit or low > limit
        # Four standard errors of 600 draws at 80 % are 6.5 points; small counts come in steps.
        assert 0.70 < decided / 600 < 0.90

    @settings(max_examples=50, deadline=None)
    @given(tables(3000), st.sampled_from([0.0, 0.001, 0.005, 0.02]))
    def test_it_decides_at_the_rates_seen(self, table: tuple[int, int, int], limit: float) -> None:
        n, lost, gained = table
        needed = proportion.samples_needed(n, lost, gained, limit)

        def decided(images: int) -> bool:
            low, high = proportion.paired_drop(images, lost * images / n, gained * images / n)
            return high <= limit or low > limit

        if needed is None:
            assert not decided(1_000_000)
        else:
            assert decided(needed)
            assert needed == n or not decided(n)

    def test_what_is_decided_needs_no_more(self) -> None:
        assert proportion.samples_needed(10_000, 14, 17, 0.005) == 10_000

    def test_no_number_decides_a_drop_at_the_limit(self) -> None:
        assert proportion.samples_needed(100, 5, 0, 0.05) is None
        assert proportion.samples_needed(100, 0, 0, 0.0) is None
        assert proportion.samples_needed(100, 3, 3, 0.0) is None

    def test_without_any_image_no_discordance_is_assumed(self) -> None:
        assert proportion.samples_needed(0, 0, 0, 0.005) == proportion.samples_needed(1, 0, 0, 0.005)

    def test_share(self) -> None:
        needed = proportion.samples_needed_for_share(100, 0, 0.005)
        assert needed is not None
        assert wilson(0, needed)[1] <= 0.005 < wilson(0, needed - 1)[1]
        assert proportion.samples_needed_for_share(100, 50, 0.005) == 100
        assert proportion.samples_needed_for_share(100, 1, 0.01) is None

    def test_share_is_decided_four_times_out_of_five(self) -> None:
        needed = proportion.samples_needed_for_share(1000, 5, 0.01)
        assert needed is not None
        counts = np.random.default_rng(5).binomial(needed, 0.005, size=600)
        decided = sum(wilson(count, needed)[1] <= 0.01 for count in counts.tolist())
        assert 0.70 < decided / 600 < 0.90


class TestWilson:
    def test_published_example(self) -> None:
        # Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3: 81 of 263, 0 of 20.
        assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
        assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
        assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
        assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)

    @given(st.integers(1, 10**6), st.data())
    def test_interval_holds_the_share(self, n: int, data: st.DataObject) -> None:
        count = data.draw(st.integers(0, n))
        low, high = wilson(count, n)
        assert 0 <= low <= count / n <= high <= 1
