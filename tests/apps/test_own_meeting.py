import asyncio

import pytest
import stored_meetings as made
from fakes import FlakyRecognition, ListSource, speech

from meetscribe.apps import giving_way
from meetscribe.apps.own_meeting import OwnMeeting, Plan
from meetscribe.session.commands import Command, CommandError
from meetscribe.store.store import Store


def test_names_and_corrections_after_the_end_are_kept(tmp_path):
    """What people decide when the meeting has ended is in its log and in the store; what needs sound is refused."""
    with Store(tmp_path) as store:
        meeting = OwnMeeting(store, Plan("talk", ListSource([(0, speech("Ab"))]), "fake"), FlakyRecognition())

        async def whole():
            await meeting.run()
            ack = await meeting.command(Command(id="c", name="rename", turn="t1", speaker="Alice"))
            await meeting.command(Command(id="d", name="correct", turn="t1", text="one"))
            for command, code in [(Command("e", "pause"), "not_running"), (Command("e", "stop"), "ended")]:
                with pytest.raises(CommandError) as refused:
                    await meeting.command(command)
                assert refused.value.code == code
            return ack

        ack = asyncio.run(whole())
        assert meeting.log == store.log(meeting.id)
        assert ack.seq == len(meeting.log) - 1
        kept = store.meeting(meeting.id)
        (turn,) = kept.turns
        assert (turn.text, kept.name(turn.speaker_id)) == ("one", "Alice")


@pytest.mark.parametrize("waits", [True, False])
def test_what_was_cut_off_is_finished_or_named_when_the_meeting_ends(tmp_path, monkeypatch, waits):
    """Whoever leaves before an interrupted meeting is finished reads that, and how it goes on."""
    if not waits:
        monkeypatch.setattr(giving_way, "BEHIND", -1)  # there is no time for it while the meeting goes on
    said = []
    with Store(tmp_path) as store:
        cut = made.interrupt(store)
        meeting = OwnMeeting(store, Plan("talk", ListSource([(0, speech("Ab"))]), "fake"), FlakyRecognition())
        meeting.finishes_others, meeting.say = waits, said.append
        asyncio.run(meeting.run())
        assert f"meeting {cut!r} was interrupted" in said[0]
        last = f"meeting {cut!r} is complete" if waits else f"`meetscribe recover {cut}`"
        assert last in said[-1]
        assert store.summary(cut).state == ("ended" if waits else "recovering")
