"""A picture of the screen for the documentation: a scripted meeting of three people, two of them talking at once.

python -m meetscribe.apps.live.picture docs/images/live.svg [--light] [--size 100x20]
"""

import argparse
import asyncio
import re
from pathlib import Path

from meetscribe import events as ev
from meetscribe.apps.live.app import LiveApp
from meetscribe.apps.live.scripted import ScriptedMeeting, spoken, turn
from meetscribe.timeline import to_samples

_START = ev.Session(
    title="Weekly planning", started="2026-11-25T10:00:00", sources=("microphone", "system audio")
)
_NAMES = ev.SpeakerUpdate(
    changes=tuple(ev.Change(*named) for named in (("s1", "Alice"), ("s2", "Bob"), ("s3", "Carol"))),
    by="person",
)
_TURNS = (
    turn("t1", 0, 1203.2, 1207.4, "Good, then let us look at the move. Have you seen the new rooms?", "s1"),
    turn(
        "t2",
        0,
        1208,
        1214,
        "Yes, I was there this morning. They are much bigger, and the light is very good.",
        "s2",
    ),
    turn("t3", 1, 1211, 1211.6, "Oh nice.", "s3"),
    turn(
        "t4", 0, 1215, 1221.5, "Then we could move before the end of the month, and have it behind us.", "s1"
    ),
    turn(
        "t5",
        1,
        1217.2,
        1223.5,
        "That would be too early for me. I must finish the Lindqvist?? report first.",
        "s3",
    ),
    turn("t6", 0, 1225, 1227.4, "How long will you need for it?", "s1"),
    turn(
        "t7", 0, 1230, 1235.6, "About two weeks, if nobody asks me for anything else in the meantime.", "s3"
    ),
    turn("t8", 1, 1231.5, 1236.4, "I can take over the interviews, so that you can write in peace.", "s2"),
    turn("t9", 0, 1238, 1241, "Would you? That would be wonderful, thank you.", "s3"),
)
_NOW = (
    turn(
        "t10",
        0,
        1243,
        1247.3,
        "So we move in the second week of December. I will write to the landlord",
        "s1",
    ),
    turn("t11", 1, 1244.6, 1247.2, "and who tells the people in the other building?", "s2"),
)


async def picture(size: tuple[int, int], is_light: bool) -> str:
    """Return the screen as SVG."""
    meeting = ScriptedMeeting([])
    app = LiveApp(meeting, is_light=is_light)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        meeting.publish(_START, _NAMES, *spoken(_TURNS))
        meeting.publish(ev.Bookmark(at=to_samples(1241.5), note="Carol: report by 9 December"))
        for said, stable in zip(_NOW, (9, 6), strict=True):
            meeting.publish(ev.Partial(at=said.end, turn=said, revision=1, stable=stable))
        meeting.publish(ev.Level(at=_NOW[0].end, levels=(-18.0, -27.0)))
        await pilot.pause(0.2)
        app.redraw()
        await pilot.pause(0.2)
        drawn = app.export_screenshot(title="meetscribe live")
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # nobody's server is asked for a font


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--size", default="100x20")
    options = parser.parse_args()
    columns, rows = map(int, options.size.split("x"))
    options.output.write_text(asyncio.run(picture((columns, rows), options.light)), encoding="utf-8")


if __name__ == "__main__":
    main()
