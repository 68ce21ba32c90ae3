import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meetscribe.evaluation.verification import equal_error_rate, operating_curve

pairs = st.lists(st.tuples(st.integers(-5, 5).map(float), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: any(same for _, same in rows) and not all(same for _, same in rows)
)


@given(pairs)
def test_points_count_what_their_thresholds_do(rows: list[tuple[float, bool]]) -> None:
    """At every point the shares are those of counting same pairs below, and different ones at or above."""
    scores, same = zip(*rows, strict=True)
    values, own = np.array(scores), np.array(same)
    for point in operating_curve(scores, same):
        assert point.missed == pytest.approx(np.mean(values[own] < point.threshold))
        assert point.false == pytest.approx(np.mean(values[~own] >= point.threshold))


@given(pairs)
@example([(0.0, False), *[(-1.0, True)] * 4, (-2.0, True)])  # rounding once led past 1
def test_the_equal_error_rate_lies_between_neighbouring_points(rows: list[tuple[float, bool]]) -> None:
    """No threshold makes both rates smaller than it."""
    scores, same = zip(*rows, strict=True)
    rate = equal_error_rate(scores, same)
    assert 0.0 <= rate <= 1.0
    curve = operating_curve(scores, same)
    assert all(max(point.missed, point.false) >= rate - 1e-9 for point in curve)
    assert any(point.missed <= rate + 1e-9 for point in curve)
    assert any(point.false <= rate + 1e-9 for point in curve)


def test_known_rates() -> None:
    """Perfect scores have none, scores the wrong way round have all, and chance has half."""
    assert equal_error_rate([3, 2, 1, 0], [True, True, False, False]) == 0.0
    assert equal_error_rate([0, 1, 2, 3], [True, True, False, False]) == 1.0
    assert equal_error_rate([1, 1, 1, 1], [True, True, False, False]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="pairs of two"):
        equal_error_rate([1.0], [True])
