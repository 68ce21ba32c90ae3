import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from search_worlds import WIDE, clear_scores, random_lexicon, random_scores, random_search

from meetscribe.lm.hotwords import HotPhrase
from meetscribe.lm.symbols import spell
from meetscribe.streaming.search import FRAME_SAMPLES, SearchSettings

SETTINGS = SearchSettings(prior_scale=0.0, blank_penalty=0.0)
NEW = spell(["K", "AA", "B", "K"])


def said(*ways: tuple[int, ...]) -> dict[int, int]:
    """Returns frames and symbols of pronunciations, said one after another, two frames a symbol."""
    return {3 + 2 * place: symbol for place, symbol in enumerate(symbol for way in ways for symbol in way)}


def test_a_word_outside_the_lexicon_is_heard_and_spelled_as_written() -> None:
    """A listed word that the lexicon lacks is recognised, with its own spelling."""
    search = random_search(np.random.default_rng(1), SETTINGS)
    hot = search.listening_for([HotPhrase(("Kabk",), (None,), (((NEW,),),))])
    scores = clear_scores(said(NEW), 16)
    assert [word.text for word in search.decode(scores).words] != ["Kabk"]
    assert [word.text for word in hot.decode(scores).words] == ["Kabk"]


def test_words_of_a_phrase_have_times_of_their_own() -> None:
    """A phrase comes as its words, each where it was said, known ones with their numbers in the lexicon."""
    rng = np.random.default_rng(2)
    search, lexicon = random_search(rng, SETTINGS), random_lexicon(np.random.default_rng(2), 6)
    known = search.lexical.rows
    way = tuple(int(symbol) for symbol in known.symbols[known.begin[4] : known.begin[5]])
    number = int(known.words[4])
    hot = search.listening_for(
        [
            HotPhrase(
                (search.words[number].upper(), "Kabk"), (search.words[number], None), (((way,),), ((NEW,),))
            )
        ]
    )
    words = hot.decode(clear_scores(said(way, NEW), 24)).words
    assert [word.word for word in words] == [number, len(lexicon)]
    assert words[0].end == (3 + 2 * (len(way) - 1) + 1) * FRAME_SAMPLES
    assert (
        words[0].end
        <= words[1].start
        < words[1].end
        == (3 + 2 * (len(way) + len(NEW) - 1) + 1) * FRAME_SAMPLES
    )


def test_a_phrase_that_is_not_finished_gains_nothing() -> None:
    """Where only the beginning of a phrase is said, words and score are those without the list."""
    search = random_search(np.random.default_rng(3), WIDE)
    rows = search.lexical.rows
    way = tuple(int(symbol) for symbol in rows.symbols[rows.begin[0] : rows.begin[1]])
    word = search.words[int(rows.words[0])]
    never = spell(["ZH", "ZH"])
    hot = search.listening_for([HotPhrase((word, "Zh"), (word, None), (((way,),), ((never,),)))])
    scores = random_scores(np.random.default_rng(3), 8)
    plain, listening = search.decode(scores), hot.decode(scores)
    assert [one.text for one in plain.words] == [one.text for one in listening.words]
    assert np.isclose(plain.score, listening.score)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_chunks_give_what_the_whole_gives_with_a_list(seed: int, chunk: int) -> None:
    """With hot words too, chunks of any length give the same words and times."""
    rng = np.random.default_rng(seed)
    search = random_search(rng, SearchSettings(beam=8.0, most_hypotheses=30, symbol_beam=9.0))
    twice = HotPhrase(("Kabk", "Kabk"), (None, None), (((NEW,),), ((NEW,),)))
    phrases = [twice, HotPhrase(("Kaak",), (None,), (((spell(["K", "AA"]), spell(["AA", "K"])),),))]
    hot = search.listening_for(phrases)
    scores = random_scores(rng, 30)
    state = hot.start()
    for begin in range(0, 30, chunk):
        state = hot.advance(state, scores[begin : begin + chunk])
    assert hot.finish(state).words == hot.decode(scores).words
