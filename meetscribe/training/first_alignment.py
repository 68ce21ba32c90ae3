"""A first forced alignment by pocketsphinx: when each word and phone of a transcript is said.

Words that its dictionary lacks get espeak-ng's pronunciation, mapped to CMU phones. The result starts a
recogniser's training; later alignments come from the project's own model.

Not covered: audio that does not hold the words (the alignment then fails or is poor), other languages.
"""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pocketsphinx import Decoder

_LONGEST_PHONE = 70  # frames of 10 ms; a longer one is a sign that the words were not said

# espeak-ng's IPA symbols to CMU phones, longest first; stress and length marks are removed before.
_IPA = {
    "aɪə": "AY AH", "aɪɚ": "AY ER", "aʊɚ": "AW ER", "eɪ": "EY", "aɪ": "AY", "aʊ": "AW", "oʊ": "OW",
    "əʊ": "OW", "ɔɪ": "OY", "tʃ": "CH", "dʒ": "JH", "ɛɹ": "EH R", "ɪɹ": "IH R", "ʊɹ": "UH R",
    "ɑːɹ": "AA R", "ɔːɹ": "AO R", "əl": "AH L", "iə": "IY AH", "ɪə": "IH R", "ɚ": "ER", "ɜ": "ER",
    "ɝ": "ER", "ə": "AH", "ɐ": "AH", "ʌ": "AH", "a": "AE", "æ": "AE", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO",
    "e": "EH", "ɛ": "EH", "i": "IY", "ɪ": "IH", "ᵻ": "IH", "o": "OW", "u": "UW", "ʊ": "UH", "b": "B",
    "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "g": "G", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M",
    "n": "N", "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "t": "T", "ɾ": "D",
    "θ": "TH", "v": "V", "w": "W", "z": "Z", "ʒ": "ZH", "x": "K", "ɬ": "L", "ʔ": "T", "ç": "HH Y",
    "ɲ": "N Y", "n̩": "AH N", "l̩": "AH L", "y": "UW", "ø": "ER",
}  # fmt: skip
_IPA_PATTERN = re.compile("|".join(re.escape(key) for key in sorted(_IPA, key=len, reverse=True)))


@dataclass(frozen=True)
class AlignedWord:
    """A word with its first 10 ms frame and its phones, each with its number of frames."""

    word: str
    start: int
    phones: tuple[tuple[str, int], ...]

    def row(self) -> list:
        """Gives the word as the corpus writes it: `[word, start, "PHONE:frames …"]`."""
        return [self.word, self.start, " ".join(f"{phone}:{frames}" for phone, frames in self.phones)]


class AlignmentError(Exception):
    """The words could not be placed in the audio."""


def ipa_to_cmu(ipa: str) -> str:
    """Maps espeak-ng's IPA of one word to CMU phones without stress; symbols it does not know are skipped."""
    bare = re.sub("[ˈˌː͡‿ ]", "", ipa)
    return " ".join(_IPA[match] for match in _IPA_PATTERN.findall(bare))


def espeak_pronunciations(words: Iterable[str]) -> dict[str, str]:
    """Asks espeak-ng (American) how words are said; words without an answer are left out."""
    asked = sorted(set(words))
    if not asked:
        return {}
    lines = "\n".join(f"{word}." for word in asked) + "\n"
    done = subprocess.run(
        ["espeak-ng", "-q", "-v", "en-us", "--ipa"], input=lines, capture_output=True, text=True, check=True
    )
    answers = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if len(answers) != len(asked):
        answers = [_espeak_one(word) for word in asked]
    mapped = {word: ipa_to_cmu(answer) for word, answer in zip(asked, answers, strict=True)}
    return {word: phones for word, phones in mapped.items() if phones}


def _espeak_one(word: str) -> str:
    arguments = ["espeak-ng", "-q", "-v", "en-us", "--ipa", word]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip()


class FirstAligner:
    """Aligns transcripts with the model inside pocketsphinx' wheel; two passes, words then phones."""

    def __init__(self, pronunciations: dict[str, str] | None = None):
        """Takes pronunciations (CMU phones, space between) for words that the dictionary may lack."""
        self._extra = dict(pronunciations or {})
        self._decoder = self._fresh()

    def _fresh(self) -> Decoder:
        decoder = Decoder(samprate=16000, bestpath=False, fwdflat=False, cmn="batch", loglevel="FATAL")
        for word, phones in self._extra.items():
            if decoder.lookup_word(word) is None:
                decoder.add_word(word, phones, False)
        return decoder

    def missing(self, words: Iterable[str]) -> list[str]:
        """Lists the words that have no pronunciation yet."""
        return sorted({word for word in words if self._decoder.lookup_word(word) is None})

    def add(self, pronunciations: dict[str, str]) -> None:
        """Adds pronunciations for words that the dictionary lacks."""
        self._extra |= pronunciations
        self._decoder = self._fresh()

    def align(self, audio: np.ndarray, text: str) -> list[AlignedWord]:
        """Places the words of `text` in `audio` (float32, 16 kHz).

        Raises `AlignmentError` when the decoder finds no path, or one with an impossibly long phone.
        """
        pcm = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
        try:
            words = self._two_passes(pcm, text)
        except RuntimeError as error:
            self._decoder = self._fresh()
            raise AlignmentError(f"no alignment: {error}") from None
        if [word.word for word in words] != text.split():
            raise AlignmentError("the alignment has other words than the text")
        if any(frames > _LONGEST_PHONE for word in words for _, frames in word.phones):
            raise AlignmentError("a phone is longer than 0.7 s")
        return words

    def _two_passes(self, pcm: bytes, text: str) -> list[AlignedWord]:
        decoder = self._decoder
        decoder.set_align_text(text)
        self._run(pcm)
        decoder.set_alignment()
        self._run(pcm)
        alignment = decoder.get_alignment()
        if alignment is None:
            raise RuntimeError("the second pass gave none")
        found = []
        for entry in alignment:
            name = re.sub(r"\(\d+\)$", "", entry.name)
            if name.startswith(("<", "[", "+")):
                continue
            phones = tuple((phone.name, phone.duration) for phone in entry)
            found.append(AlignedWord(name, entry.start, phones))
        return found

    def _run(self, pcm: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
