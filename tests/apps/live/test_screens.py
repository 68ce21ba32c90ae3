from pathlib import Path

import pytest
from scripted_meetings import CONVERSATION, START, TURNS, at

from meetscribe import events as ev
from meetscribe.apps.live.scripted import turn

from .shown import in_a_loop, shown

GOLDEN = Path(__file__).parents[2] / "golden" / "live"
SIZES = [(80, 24), (120, 40), (50, 20)]
LEVELS = ev.Level(at=at(19), levels=(-24.0,))
SPEAKING = ev.Partial(at=at(20), turn=turn("t7", 0, 19, 20, "two weeks I think", "s3"), revision=1, stable=2)
SCREENS = {
    "listening": ((LEVELS, SPEAKING), ()),
    "paused": ((LEVELS,), ("p",)),
    "off-record": ((LEVELS,), ("o",)),
    "device-lost": (
        (
            ev.Status(at=at(19), state="device_lost", reason="headset unplugged; waiting for it"),
            ev.Gap(at=at(24), start=at(19), end=at(24), reason="headset unplugged"),
            ev.Status(at=at(24), state="listening"),
            ev.Status(at=at(25), state="device_lost", reason="headset unplugged again"),
        ),
        (),
    ),
    "degraded": ((LEVELS, ev.Status(at=at(19), state="degraded", reason="the engine is started again")), ()),
    "recovering": (
        (ev.Status(at=at(19), state="recovering", reason="catching up"), ev.Lag(behind=at(12.3))),
        (),
    ),
    "ended": ((ev.End(at=at(19), reason="end of the recording", duration=at(19)),), ()),
    "bookmarked": ((LEVELS,), ("b", "B", "d", "a", "t", "e", "enter")),
    "taken-back": ((ev.Level(at=at(40), levels=(-31.0,)),), ("u", "enter")),
    "scrolled": ((LEVELS,), ("home",)),
    "selected": ((LEVELS,), ("up", "up")),
    "search": ((LEVELS,), ("slash", "m", "o")),
    "rename": ((LEVELS,), ("up", "up", "r")),
    "merge": ((LEVELS,), ("m",)),
    "correct": ((LEVELS,), ("c",)),
    "help": ((LEVELS,), ("question_mark",)),
    "quit": ((LEVELS,), ("q",)),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
@in_a_loop
async def test_the_screen_stands_as_it_was_approved(name, size, golden):
    """Every state and every dialog, character by character, on terminals of three sizes."""
    events, keys = SCREENS[name]
    async with shown(START, *CONVERSATION, *events, size=size, notifications=False) as screen:
        await screen.press(*keys)
        golden(GOLDEN / f"{name}-{size[0]}x{size[1]}.txt", screen.text)


@in_a_loop
async def test_two_people_at_once_stand_on_the_same_rows():
    """Whoever speaks at the same time stands side by side; whoever speaks alone has the whole width."""
    async with shown() as screen:
        both = [line for line in screen.lines if "could move" in line]
        assert len(both) == 1
        assert "That would" in both[0]
        alone = next(line for line in screen.lines if "Good morning" in line)
        assert len(alone) > 70


@pytest.mark.parametrize("light", [False, True])
@in_a_loop
async def test_loose_words_are_dim_and_doubtful_ones_underlined(light):
    """Words of a partial that may change are dim and italic, firm ones are not; low confidence is underlined."""
    async with shown(START, *CONVERSATION, SPEAKING, light=light) as screen:
        assert screen.styles_of("think").italic
        assert screen.styles_of("think").color != screen.styles_of("weeks").color
        assert not screen.styles_of("weeks").italic
        assert screen.styles_of("light").underline
        assert not screen.styles_of("morning").underline


@pytest.mark.parametrize("light", [False, True])
@in_a_loop
async def test_every_speaker_has_a_colour(light):
    """Three people have three colours, the same wherever they speak, on dark ground and on light."""
    async with shown(START, *CONVERSATION, light=light) as screen:
        colours = [screen.styles_of(name).color for name in ("Alice", "Bob", "s3")]
        assert len(set(colours)) == 3
        assert screen.styles_of("Alice:").color == colours[0]
        ground = screen.styles_of("Alice").bgcolor.triplet
        assert (sum(ground) > 600) == light


@in_a_loop
async def test_without_colours_nothing_is_coloured(monkeypatch):
    """NO_COLOR is honoured: names stay bold, loose words italic, and no colour is sent."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(START, *CONVERSATION, SPEAKING) as screen:
        for text in ("Alice", "think", "listening", "Pause"):
            style = screen.styles_of(text)
            assert style.color is None or style.color.is_default
            assert style.bgcolor is None or style.bgcolor.is_default
        assert screen.styles_of("Alice").bold


@in_a_loop
async def test_a_partial_is_replaced_by_the_next_and_by_the_final():
    """Only the newest words of a turn stand there; a turn that had none after all leaves nothing."""
    async with shown(START) as screen:
        for text in ("one", "one too", "one two three"):
            await screen.happens(ev.Partial(at=at(2), turn=turn("t1", 0, 1, 2, text), revision=1, stable=1))
        assert "one two three" in screen.text
        assert "too" not in screen.text
        await screen.happens(ev.Partial(at=at(2), turn=turn("t2", 1, 1, 2, "hm"), revision=1, stable=0))
        await screen.happens(ev.TurnEnd(at=at(3), turn="t2", slot=1, end=at(2)))
        await screen.happens(ev.Final(at=at(3), turn=turn("t1", 0, 1, 2, "one, two, three!")))
        assert "one, two, three!" in screen.text
        assert "hm" not in screen.text
        assert screen.text.count("one") == 1


@in_a_loop
async def test_a_correction_and_a_rename_change_what_stands_there():
    """What people decide, on any surface, is shown in place."""
    async with shown() as screen:
        await screen.happens(
            ev.Correction(at=at(20), turn="t3", text="Yeah, right."),
            ev.SpeakerUpdate(at=at(20), changes=(ev.Change("s3", speaker="Zoë"),), by="person"),
        )
        assert "Alice: Yeah, right." in screen.text
        assert "Zoë: That" in screen.text
        await screen.happens(ev.SpeakerUpdate(at=at(20), changes=(ev.Change("s3", into="s2"),), by="person"))
        assert "Bob: That" in screen.text
        assert "Zoë" not in screen.text


@in_a_loop
async def test_what_goes_off_the_record_disappears_at_once():
    """Finished turns and what is being said just now; in their place stands that something is not kept."""
    async with shown(START, *CONVERSATION, SPEAKING) as screen:
        await screen.happens(ev.OffRecord(at=at(20), start=at(9.8), end=at(20)))
        assert "could move" not in screen.text
        assert "two weeks" not in screen.text
        assert "off the record, 10 s up to 0:20" in screen.text
        assert "Good morning" in screen.text


@in_a_loop
async def test_each_channel_has_a_meter():
    """Names of the inputs, and whether they give anything at all."""
    start = ev.Session(title="", started="", sources=("microphone", "system audio"))
    async with shown(start, ev.Level(at=16_000, levels=(-12.0, -120.0))) as screen:
        line = screen.lines[-2]
        assert "microphone" in line
        assert "-12 dB" in line
        assert "system audio" in line
        assert "silent" in line


@in_a_loop
async def test_several_faults_are_all_told():
    """The transcript that cannot be written is seen beside the recording that has stopped."""
    faults = (
        "the recording has stopped (No space left on device); delete something; the transcript goes on",
        "the transcript cannot be written to disk (log.sqlite3: the disk is full; free some space)",
    )
    told = ev.Status(at=at(19), state="degraded", reason="; ".join(faults))
    async with shown(START, *CONVERSATION, told) as screen:
        assert " ".join(line.strip() for line in screen.lines[1:4]) == "; ".join(faults)
    async with shown(START, *CONVERSATION) as screen:
        assert "Good morning" in screen.lines[1]


@in_a_loop
async def test_a_terminal_may_change_its_size():
    """The transcript is laid out anew, and nothing is lost on the way."""
    async with shown() as screen:
        for size in ((40, 12), (200, 50), (20, 6), (80, 24)):
            await screen.resize(*size)
            assert max(len(line) for line in screen.lines) <= size[0]
        for said in TURNS:
            assert said.text.split()[0] in screen.text
