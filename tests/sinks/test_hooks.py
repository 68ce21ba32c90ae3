import json

from serving import QUIET, asynchronous

from meetscribe import events as ev
from meetscribe.meeting import fold
from meetscribe.sinks.hooks import Hooks, HookSink


def final(number):
    turn = ev.Turn(id=f"t{number}", slot=0, start=0, end=16_000, text=f"turn {number}", speaker_id="s1")
    return ev.Final(seq=number, session="m", turn=turn)


async def run(hooks, events, **more):
    sink = HookSink(hooks, QUIET, **more)
    for event in events:
        await sink.emit(event)
    await sink.close()


def test_hooks_read_events_in_order(tmp_path):
    """Each final is a line on the stdin of its command, with the names of speakers; the end comes to the other one."""

    @asynchronous
    async def scenario():
        name = ev.SpeakerUpdate(seq=1, session="m", changes=(ev.Change("s1", speaker="Alice"),))
        end = ev.End(seq=4, session="m", reason="end", duration=0)
        hooks = Hooks(f"cat >> {tmp_path}/finals", f"cat >> {tmp_path}/ends")
        await run(hooks, [name, final(2), final(3), end])

    scenario()
    finals = [json.loads(line)["turn"] for line in (tmp_path / "finals").read_text().splitlines()]
    assert [(turn["text"], turn["speaker"]) for turn in finals] == [("turn 2", "Alice"), ("turn 3", "Alice")]
    assert json.loads((tmp_path / "ends").read_text())["type"] == "end"


def test_hooks_know_names_that_were_given_before_a_restart(tmp_path):
    """A meeting that goes on after its server was killed has its names still: nobody tells them again."""

    @asynchronous
    async def scenario():
        name = ev.SpeakerUpdate(seq=1, session="m", changes=(ev.Change("s1", speaker="Alice"),))
        await run(Hooks(f"cat >> {tmp_path}/finals"), [final(2)], known=fold([name]))

    scenario()
    assert json.loads((tmp_path / "finals").read_text())["turn"]["speaker"] == "Alice"


def test_a_hook_that_fails_or_hangs_stops_nothing(tmp_path):
    """Commands that cannot run, fail, or do not end are logged and left; the next ones run."""

    @asynchronous
    async def scenario():
        hooks = Hooks(
            f"read line; echo $line >> {tmp_path}/seen; case $line in *'turn 1'*) sleep 60;; esac; exit 3"
        )
        await run(hooks, [final(1), final(2)], time_limit=0.5)

    scenario()
    assert len((tmp_path / "seen").read_text().splitlines()) == 2
