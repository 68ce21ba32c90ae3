from hypothesis import given, settings
from hypothesis import strategies as st

RATE = 100  # of the scripted stream: samples in a second

steps = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(1, 700)),
        st.tuples(st.sampled_from(["acknowledge", "cut", "mend"]), st.just(0)),
    ),
    max_size=30,
)


def samples(start, end):
    """The samples that are said from one position to another."""
    return [position % 1000 for position in range(start, end)]


@settings(max_examples=80)
@given(steps)
def test_every_sample_arrives_once_whatever_breaks(node, given_steps):
    """Cuts at any moment, with what the server had not put away lost: in the end it has all samples, in order."""
    sent = node("uplink", given_steps)
    assert sent["received"] == samples(0, sent["spoken"])
    assert sent["jumps"] == 0
    assert sent["finished"] == ""


@settings(max_examples=30)
@given(steps)
def test_no_more_than_ten_seconds_are_under_way(node, given_steps):
    """However much waits, the server is never sent more than 10 s that it has not acknowledged."""
    assert node("uplink", given_steps)["mostAhead"] <= 10 * RATE


def test_what_no_longer_fits_is_given_up_from_the_oldest_on(node):
    """A cut of more than 15 minutes loses its beginning: the server sees a jump, and everything after it."""
    sent = node("uplink", [("cut", 0), *[("push", 1000)] * 100])
    assert sent["received"] == samples(10_000, 100_000)
    assert sent["jumps"] == 1
