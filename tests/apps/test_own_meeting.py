import asyncio

import pytest
from fakes import FlakyRecognition, ListSource, speech

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
