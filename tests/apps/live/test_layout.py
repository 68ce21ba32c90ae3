from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from meetscribe.apps.live.palette import DARK, LIGHT, Palette
from meetscribe.apps.live.scripted import turn
from meetscribe.apps.live.transcript.layout import Marker, Said, Shape, lay_out
from meetscribe.apps.live.transcript.lines import Painter
from meetscribe.timeline import to_samples

texts = st.lists(st.text("abcdé語", min_size=1, max_size=9), min_size=1, max_size=8).map(" ".join)
widths = st.integers(4, 150)


@st.composite
def meetings(draw, slots=2):
    """Turns that follow each other within a slot and overlap across slots as they like."""
    turns = []
    for slot in range(slots):
        end = 0.0
        for _ in range(draw(st.integers(0, 4))):
            start = end + draw(st.integers(0, 30)) / 10
            end = start + draw(st.integers(1, 60)) / 10
            turns.append(turn(f"{slot}-{len(turns)}", slot, start, end, draw(texts)))
    return turns


def rows_of(turns, width, markers=(), name="Alice"):
    said = [Said(one, 99, True) for one in turns]
    return lay_out(said, markers, Shape.of(width), lambda _: name)


def read(rows):
    """What the rows say in each turn, letters only: words wider than a cell are cut."""
    said = {}
    for row in rows:
        for cell in row.cells:
            for word in cell.words:
                said[cell.turn.id] = said.get(cell.turn.id, "") + word.text
    return said


@given(meetings(3), widths)
def test_rows_hold_every_word_once_and_time_runs_downwards(turns, width):
    """However many talk at once, each turn reads as it was said, and nothing stands above what was said before it."""
    rows = rows_of(turns, width)
    assert read(rows) == {said.id: said.text.replace(" ", "") for said in turns}
    if Shape.of(width).most > 1:
        times = [[word.time for cell in row.cells for word in cell.words] for row in rows]
        assert all(max(above) <= min(below) for above, below in pairwise(times))


@given(meetings(3), widths, st.text("abc語", min_size=1, max_size=20))
def test_no_line_is_wider_than_the_terminal(turns, width, name):
    """Cells, names and markers fit, whatever they hold."""
    markers = [Marker(16_000, "gap", "something long is missing here " * 5)]
    painter = Painter(Palette(True), lambda one: one.slot)
    shape = Shape.of(width)
    for row in rows_of(turns, width, markers, name):
        for cell in row.cells:
            words = cell_len(" ".join(word.text for word in cell.words))
            assert words <= shape.cell(len(row.cells)) or width < 8
            assert cell.used <= shape.cell(len(row.cells)) or width < 8
        assert painter.line(row, shape).cell_length == width


@given(meetings(), widths)
def test_turns_share_a_row_only_when_they_overlap(turns, width):
    """A row with several cells shows people who talked at the same time."""
    for row in rows_of(turns, width):
        spoken = [cell.turn for cell in row.cells if cell.words]
        for one in spoken:
            others = [other for other in spoken if other is not one]
            assert not others or any(one.interval.touches(other.interval) for other in others)


@given(meetings(), widths)
def test_every_turn_begins_once_and_is_named_where_it_does(turns, width):
    """Whoever reads any turn's first row sees whose it is, unless there is no room for a letter of it."""
    rows = rows_of(turns, width)
    begun = [cell for row in rows for cell in row.cells if cell.begins]
    assert sorted(cell.turn.id for cell in begun) == sorted(said.id for said in turns)
    if width >= 60:
        assert all(cell.label for cell in begun)


def test_whoever_talks_alone_has_the_whole_width_and_whoever_joins_in_gets_a_cell():
    """The rows are split while both talk, from a little before the second begins, and whole again after."""
    long = turn("t1", 0, 0.0, 20.0, " ".join(f"word{number}" for number in range(40)))
    short = turn("t2", 1, 9.0, 12.0, "yes I think so too")
    rows = rows_of([long, short], 80)
    cells = [len(row.cells) for row in rows]
    assert cells[0] == 1
    assert cells[-1] == 1
    assert 2 in cells
    both = [row for row in rows if len(row.cells) == 2 and all(cell.words for cell in row.cells)]
    assert all(to_samples(6) < row.time < to_samples(12) for row in both)


def test_three_people_at_once_have_three_cells_where_there_is_room():
    """Two input channels hear up to four; a narrow terminal shows them in turn."""
    turns = [turn(f"t{n}", n, 0.2 * n, 5.0, "we all talk at once now") for n in range(3)]
    assert max(len(row.cells) for row in rows_of(turns, 120)) == 3
    assert max(len(row.cells) for row in rows_of(turns, 50)) == 2
    assert max(len(row.cells) for row in rows_of(turns, 30)) == 1


def test_markers_stand_where_they_happened():
    """A gap in the middle of a turn stands between its words."""
    rows = rows_of(
        [turn("t1", 0, 0.0, 4.0, "one two three four")], 80, [Marker(to_samples(2), "gap", "gone")]
    )
    assert ["|" if row.marker else " ".join(w.text for w in row.cells[0].words) for row in rows] == [
        "one two",
        "|",
        "three four",
    ]


def luminance(colour):
    """Relative luminance, as WCAG 2.1 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("colours", "ground"), [(DARK, "#14171c"), (LIGHT, "#fbfaf7")])
def test_colours_of_speakers_can_be_read(colours, ground):
    """Each has a contrast of at least 4.5 to its ground, and no two are alike."""
    for colour in colours:
        low, high = sorted([luminance(colour), luminance(ground)])
        assert (high + 0.05) / (low + 0.05) >= 4.5, colour
    assert len(set(colours)) == len(colours)


def test_without_colours_what_stands_out_does_so_otherwise():
    """Selection and hits are bold and reverse, and no style has a colour."""
    palette = Palette(True, has_colours=False)
    styles = [palette.selected, palette.found, palette.doubtful, palette.faint, palette.marker("gap")]
    assert all(style.color is None and style.bgcolor is None for style in styles)
    assert palette.found == Style(reverse=True)
