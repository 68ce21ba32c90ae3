import numpy as np
import pytest

from meetscribe.lm.symbols import PHONES

first_alignment = pytest.importorskip(
    "meetscribe.training.first_alignment", reason="pocketsphinx (extra `train`)"
)


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("fˈɪʃ", "F IH SH"),
        ("dʒˈʌdʒ", "JH AH JH"),
        ("tʃˈaɪld", "CH AY L D"),
        ("ɡˈoʊst", "G OW S T"),
        ("bˈɜːd", "B ER D"),
    ],
)
def test_ipa_becomes_cmu_phones(ipa, phones):
    """espeak-ng's symbols map to CMU phones, diphthongs and affricates as one."""
    assert first_alignment.ipa_to_cmu(ipa) == phones


def test_every_mapped_symbol_is_one_of_the_39_phones():
    """The map gives nothing but the recogniser's phones."""
    assert {phone for phones in first_alignment._IPA.values() for phone in phones.split()} <= set(PHONES)


def test_silence_cannot_be_aligned_and_the_aligner_survives():
    """Words over silence raise AlignmentError, and do so again on the next try."""
    aligner = first_alignment.FirstAligner()
    silence = np.zeros(1600, dtype=np.float32)
    for _ in range(2):
        with pytest.raises(first_alignment.AlignmentError):
            aligner.align(silence, "nine hundred and ninety nine")


def test_added_pronunciations_are_no_longer_missing():
    """A word outside the dictionary is missing until it is given phones."""
    aligner = first_alignment.FirstAligner()
    assert aligner.missing(["the", "qwyzzle"]) == ["qwyzzle"]
    aligner.add({"qwyzzle": "K W IH Z AH L"})
    assert aligner.missing(["the", "qwyzzle"]) == []


def test_an_aligned_word_is_written_as_the_corpus_writes_it():
    """A row is the word, its first frame and its phones with their frames."""
    word = first_alignment.AlignedWord("we", 56, (("W", 15), ("IY", 21)))
    assert word.row() == ["we", 56, "W:15 IY:21"]
