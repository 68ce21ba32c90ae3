import pytest
from formats_material import ALICE_AND_BOB, log

from meetscribe.formats import registry


@pytest.fixture
def transcript(tmp_path):
    """Write the two-talker meeting in a format."""

    def write(name, session="standup"):
        known = registry.by_name(name)
        path = tmp_path / f"{session}{known.extension}"
        path.write_bytes(known.data(log(*ALICE_AND_BOB, session=session)))
        return path

    return write


def test_formats_are_told_by_extensions_or_by_flags(cli, transcript, tmp_path):
    """A transcript becomes another format; --from and --to say what the names do not."""
    transcript("json")
    assert cli("convert", "standup.json", "out/a.vtt").code == 0
    assert "<v Alice>" in (tmp_path / "out/a.vtt").read_text()
    assert cli("convert", "out/a.vtt", "b.list", "--to", "stm").code == 0
    assert (tmp_path / "b.list").read_text().startswith("a 1 Alice 0.000 3.200 Can we")
    result = cli("convert", "b.list", "c.srt", "--from", "stm", "--srt_overlap", "merge")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert "Alice: Can we move it to Friday & why?\nBob: mhm\n" in (tmp_path / "c.srt").read_text()


def test_several_meetings_stay_together_where_there_is_room(cli, transcript, tmp_path):
    """A file of several meetings becomes one of several; elsewhere --session chooses."""
    both = transcript("stm").read_text() + transcript("stm", "other").read_text()
    (tmp_path / "both.stm").write_text(both)
    for extension in "seglst.json", "csv", "rttm":
        assert cli("convert", "both.stm", f"all.{extension}").code == 0
        text = (tmp_path / f"all.{extension}").read_text()
        assert len(registry.read(registry.by_path(f"all.{extension}"), text, "")) == 2
    result = cli("convert", "both.stm", "one.srt")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "--session (standup, other)" in result.err
    assert cli("convert", "both.stm", "one.srt", "--session", "other").code == 0


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["none.json", "a.srt"], "none.json: it cannot be read"),
        (["a.txt", "a.srt"], "cannot be read back"),
        (["standup.json", "a.pdf"], "extension"),
        (["standup.json", "a.srt", "--srt-overlap", "hide"], "stack, merge"),
        (["standup.json", "a.srt", "--from", "vtt"], "standup.json: no subtitles"),
        (["standup.json", "a.srt", "--session", "x"], "no meeting 'x'"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(cli, transcript, tmp_path, arguments, match):
    """Missing and foreign files and unknown formats: exit code 2 and the remedy."""
    transcript("json")
    (tmp_path / "a.txt").write_text("A: hello\n")
    result = cli("convert", *arguments)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert match in result.err
