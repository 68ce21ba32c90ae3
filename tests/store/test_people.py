from pathlib import Path

import pytest

from meetscribe.errors import InputError
from meetscribe.events import Voice
from meetscribe.store.people import Example, People

DAY = "2026-11-25"


def example(source: str = "meeting m1", value: float = 0.6, seconds: float = 8.0) -> Example:
    return Example.of(Voice((value, 0.8, 0.0), seconds, "e1"), source, DAY)


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(params=[None, "a key"])
def people(request: pytest.FixtureRequest, tmp_path: Path) -> People:
    if request.param is not None:
        pytest.importorskip("cryptography")
    return People(tmp_path, request.param)


def test_who_is_enrolled_is_there_for_the_next_process(people: People, tmp_path: Path) -> None:
    """Name, day of consent and examples are read back as they were written, with a key and without."""
    people.enrol("Zoë", DAY, [example(), example("file a.wav")])
    (person,) = People(tmp_path, people._key).all()
    assert (person.name, person.consent, person.seconds) == ("Zoë", DAY, 16.0)
    (remembered,) = people.remembered("e1")
    assert remembered.voice.vector == pytest.approx((0.6, 0.8, 0.0), abs=1e-3)
    assert people.remembered("another embedder") == ()


def test_sealed_people_cannot_be_read_without_their_key(tmp_path: Path) -> None:
    """With a key neither name nor numbers are in the file; another key is refused with a sentence."""
    pytest.importorskip("cryptography")
    People(tmp_path, "right").enrol("Zacharias", DAY, [example()])
    assert b"Zacharias" not in bytes_of(tmp_path)
    assert example().vector.encode() not in bytes_of(tmp_path)
    for key in (None, "wrong"):
        with pytest.raises(InputError, match="people_key"):
            People(tmp_path, key).all()


def test_people_are_sealed_when_a_key_comes(tmp_path: Path) -> None:
    """Who was remembered in the clear is sealed with the first change under a key."""
    pytest.importorskip("cryptography")
    People(tmp_path).enrol("Zacharias", DAY, [example()])
    People(tmp_path, "key").seal()
    assert b"Zacharias" not in bytes_of(tmp_path)
    assert [person.name for person in People(tmp_path, "key").all()] == ["Zacharias"]


def test_renaming_and_merging(people: People) -> None:
    """A new name must be free; two who are one keep all examples and the earlier day."""
    people.enrol("Al", DAY, [example()])
    people.enrol("Alice", "2026-01-02", [example("file a.wav")])
    with pytest.raises(InputError, match="already"):
        people.rename("Al", "Alice")
    people.merge("Al", "Alice")
    (person,) = people.all()
    assert (person.name, person.consent, len(person.examples)) == ("Alice", "2026-01-02", 2)
    people.rename("Alice", "Alicia")
    assert people.find("Alicia").examples == person.examples
    with pytest.raises(InputError, match="Alicia"):
        people.find("Alice")


def test_one_wrong_example_is_unlearned(people: People) -> None:
    """Only what came from one place goes; a place that nothing came from is refused."""
    people.enrol("Alice", DAY, [example(), example("file a.wav")])
    assert people.unlearn("Alice", "meeting m1") == 1
    assert [one.source for one in people.find("Alice").examples] == ["file a.wav"]
    with pytest.raises(InputError, match=r"file a\.wav"):
        people.unlearn("Alice", "meeting m1")


def test_after_forgetting_neither_name_nor_voice_is_in_a_file(tmp_path: Path) -> None:
    """A search over all bytes of the folder finds nothing, and others are still there; old blocks are zeros."""
    people = People(tmp_path)
    people.enrol("Zacharias", DAY, [example(value=0.123)])
    people.enrol("Bob", DAY, [example()])
    held = (tmp_path / "people.json").open("rb")  # who has the old file open reads zeros
    people.forget("Zacharias")
    found = bytes_of(tmp_path)
    assert b"Zacharias" not in found
    assert example(value=0.123).vector.encode() not in found
    assert b"Zacharias" not in held.read()
    held.close()
    assert [person.name for person in people.all()] == ["Bob"]


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    """Other users of the machine cannot read who is remembered."""
    People(tmp_path).enrol("Alice", DAY, [example()])
    assert (tmp_path / "people.json").stat().st_mode & 0o077 == 0


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    """What is no list of people is refused with the remedy."""
    (tmp_path / "people.json").write_text("{}")
    with pytest.raises(InputError, match="move it away"):
        People(tmp_path).all()
