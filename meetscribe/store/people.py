"""Who is remembered: names, the voices that were enrolled, and on which day people agreed to it.

`DATA/people.json` holds everybody; with a key it is `DATA/people.sealed` instead (AES-256-GCM, the key derived from a
passphrase by scrypt). The file is written anew as a whole, and what was there before is overwritten with zeros, so that
who is forgotten is in no file any more. Nothing of it is ever logged.
Not covered: disks and backups that keep old blocks, names in past meetings (`Store.change_name`).
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from meetscribe.errors import InputError, MissingError, StorageError
from meetscribe.events import Voice
from meetscribe.streaming.remembered import Remembered

PLAIN, SEALED = "people.json", "people.sealed"
_MAGIC = b"meetscribe people 1\n"
_SALT, _NONCE = 16, 12  # bytes
_VERSION = 1


@dataclass(frozen=True)
class Example:
    """Voice that was enrolled at once: where from, how many seconds, and when."""

    source: str  # "meeting ID" or "file NAME"
    seconds: float
    added: str  # ISO 8601
    embedder: str
    vector: str  # float16, base64

    @classmethod
    def of(cls, voice: Voice, source: str, added: str) -> "Example":
        """Return a voice as it is kept."""
        packed = base64.b64encode(np.asarray(voice.vector, np.float16).tobytes()).decode()
        return cls(source, round(voice.seconds, 2), added, voice.embedder, packed)

    @property
    def voice(self) -> Voice:
        """Return the voice."""
        vector = np.frombuffer(base64.b64decode(self.vector), np.float16).astype(float)
        return Voice(tuple(vector.tolist()), self.seconds, self.embedder)


@dataclass(frozen=True)
class Person:
    """Somebody who is remembered; `consent` is the day (ISO 8601) on which they agreed."""

    name: str
    consent: str
    examples: tuple[Example, ...] = ()

    @property
    def seconds(self) -> float:
        """How much of their speech was enrolled."""
        return sum(example.seconds for example in self.examples)


class People:
    """The people of a data folder.

    Args:
        data_dir: the folder.
        key: passphrase; None: they are kept in the clear.
    """

    def __init__(self, data_dir: Path, key: str | None = None) -> None:
        self._folder, self._key = data_dir, key

    def all(self) -> tuple[Person, ...]:
        """Return everybody, by name.

        Raises:
            InputError: the file is sealed and the key is missing or another one, or it is damaged.
        """
        return tuple(sorted(self._read(), key=lambda person: person.name))

    def remembered(self, embedder: str | None = None) -> tuple[Remembered, ...]:
        """Return everybody's mean voice, of one embedder where it is given."""
        found = []
        for person in self.all():
            for id in sorted({example.embedder for example in person.examples}):
                if embedder in (None, id):
                    found.append(Remembered(person.name, _mean(person, id)))
        return tuple(found)

    def find(self, name: str) -> Person:
        """Return somebody by name.

        Raises:
            InputError: nobody is called so.
        """
        people = self.all()
        for person in people:
            if person.name == name:
                return person
        there = ", ".join(person.name for person in people) or "nobody yet"
        raise InputError(f"nobody called {name!r} is remembered; there are: {there}")

    def enrol(self, name: str, consent: str, examples: Sequence[Example]) -> Person:
        """Remember somebody, or more of them; the first day of consent stays."""
        made: list[Person] = []

        def change(people: dict[str, Person]) -> None:
            known = people.get(name, Person(name, consent))
            people[name] = replace(known, examples=(*known.examples, *examples))
            made.append(people[name])

        self._change(change)
        return made[0]

    def rename(self, old: str, new: str) -> None:
        """Call somebody otherwise.

        Raises:
            InputError: nobody is called `old`, or somebody is called `new`.
        """
        self.find(old)

        def change(people: dict[str, Person]) -> None:
            if new in people:
                raise InputError(f"somebody is called {new!r} already; `people merge` makes one of two")
            people[new] = replace(people.pop(old), name=new)

        self._change(change)

    def merge(self, name: str, into: str) -> None:
        """Make one of two who are the same person.

        Raises:
            InputError: one of them is not remembered, or both are one.
        """
        if name == into:
            raise InputError(f"{name!r} is one person already; give two names")
        for one in (name, into):
            self.find(one)

        def change(people: dict[str, Person]) -> None:
            gone, kept = people.pop(name), people[into]
            day = min(kept.consent, gone.consent)
            people[into] = replace(kept, consent=day, examples=(*kept.examples, *gone.examples))

        self._change(change)

    def unlearn(self, name: str, source: str) -> int:
        """Take back what was enrolled from one place and return how many examples that were.

        Raises:
            InputError: nobody is called so, or nothing was enrolled from there.
        """
        person = self.find(name)
        left = tuple(example for example in person.examples if example.source != source)
        if len(left) == len(person.examples):
            there = ", ".join(dict.fromkeys(example.source for example in person.examples)) or "nowhere"
            raise InputError(f"nothing of {name!r} was enrolled from {source!r}; it was from: {there}")
        self._change(lambda people: people.update({name: replace(person, examples=left)}))
        return len(person.examples) - len(left)

    def forget(self, name: str) -> None:
        """Forget somebody: neither their name nor their voice is in the file any more.

        Raises:
            InputError: nobody is called so.
        """
        self.find(name)
        self._change(lambda people: people.pop(name))

    def seal(self) -> None:
        """Write the file again as the key wants it: sealed with one, in the clear without."""
        self._change(lambda people: None)

    # -- the file

    @property
    def _path(self) -> Path:
        return self._folder / (PLAIN if self._key is None else SEALED)

    def _read(self) -> list[Person]:
        plain, sealed = self._folder / PLAIN, self._folder / SEALED
        try:
            if sealed.exists():
                if self._key is None:
                    raise InputError(
                        f"{sealed}: people are sealed with a key; set people_key (MEETSCRIBE_PEOPLE_KEY)"
                    )
                text = _opened(sealed.read_bytes(), self._key, sealed)
            elif plain.exists():
                text = plain.read_bytes()
            else:
                return []
        except OSError as error:
            raise StorageError(f"{self._path}: it cannot be read ({error.strerror}); check it") from error
        return _decoded(text, self._path)

    def _change(self, change: Callable[[dict[str, Person]], Any]) -> None:
        with self._locked():
            people = {person.name: person for person in self._read()}
            change(people)
            rows = [asdict(people[name]) for name in sorted(people)]
            text = json.dumps({"version": _VERSION, "people": rows}, ensure_ascii=False).encode()
            self._write(text if self._key is None else _sealed(text, self._key))

    def _write(self, content: bytes) -> None:
        fresh = self._folder / f".{self._path.name}.new"
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            before = [self._folder / name for name in (PLAIN, SEALED) if (self._folder / name).exists()]
            held = [path.open("r+b") for path in before]
            fresh.replace(self._path)
            for path, file in zip(before, held, strict=True):
                with file:
                    _overwrite(file)
                if path != self._path:
                    path.unlink()
        except OSError as error:
            raise StorageError(
                f"{self._path}: it cannot be written ({error.strerror}); free some space or check the folder"
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / ".people.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                (self._folder / f".{self._path.name}.new").unlink()
            yield


def _overwrite(file: Any) -> None:
    """Put zeros in the place of a file's bytes."""
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    file.write(bytes(length))
    file.flush()
    os.fsync(file.fileno())


def _mean(person: Person, embedder: str) -> Voice:
    voices = [example.voice for example in person.examples if example.embedder == embedder]
    total = np.sum([np.asarray(voice.vector) * voice.seconds for voice in voices], 0)
    length = max(float(np.linalg.norm(total)), 1e-9)
    return Voice(tuple((total / length).tolist()), sum(voice.seconds for voice in voices), embedder)


def _decoded(text: bytes, path: Path) -> list[Person]:
    try:
        read = json.loads(text)
        if read["version"] != _VERSION:
            raise InputError(f"{path}: another version of meetscribe wrote it; update meetscribe")
        return [
            Person(row["name"], row["consent"], tuple(Example(**example) for example in row["examples"]))
            for row in read["people"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: it is damaged; move it away to begin anew") from error


def _cipher(key: str, salt: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingError(
            "a key for people needs the package `cryptography`; pip install 'meetscribe[keys]'"
        ) from error
    return AESGCM(hashlib.scrypt(key.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=32))


def _sealed(text: bytes, key: str) -> bytes:
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    return _MAGIC + salt + nonce + _cipher(key, salt).encrypt(nonce, text, _MAGIC)


def _opened(content: bytes, key: str, path: Path) -> bytes:
    if not content.startswith(_MAGIC):
        raise InputError(f"{path}: it is damaged; move it away to begin anew")
    rest = content[len(_MAGIC) :]
    salt, nonce = rest[:_SALT], rest[_SALT : _SALT + _NONCE]
    cipher = _cipher(key, salt)
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  an extra, which is there now

    try:
        return cipher.decrypt(nonce, rest[_SALT + _NONCE :], _MAGIC)
    except InvalidTag as error:
        raise InputError(
            f"{path}: people_key is not the key that it was sealed with; set the right one"
        ) from error
