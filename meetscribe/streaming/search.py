"""From tables of symbol probabilities to words: frame-synchronous beam search over the lexical tree.

The table of a frame holds, for every symbol that may have come before, the log probabilities of what comes in
this frame: nothing (blank), one phone symbol, or the start or end of a turn, both of which may come between words
only. The search combines them with two interpolated n-gram models, which starts and ends of turns do not concern.
`Search` is knowledge and never changes; `SearchState` is a value, and `advance` gives the next one, so that
any number of streams can be searched by one `Search`, in any threads.
Not covered: when a turn begins and ends (`meetscribe.streaming.turns`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from meetscribe.lm.hotwords import HotPhrase
from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.mixture import MixtureWeights
from meetscribe.lm.ngram import NGram
from meetscribe.lm.recurrent import RecurrentLM
from meetscribe.lm.symbols import (
    BLANK,
    END_OF_TURN,
    FIRST_PHONE_SYMBOL,
    NUMBER_OF_SYMBOLS,
    START_OF_TURN,
)
from meetscribe.lm.tree import ROOT, Pronunciations, build_tree
from meetscribe.streaming.hot_entries import hot_entries
from meetscribe.streaming.lattice import (
    HYPOTHESIS,
    LINK,
    NO_FRAME,
    NO_LINK,
    NO_ROW,
    NO_WORD,
    POSTERIOR_FRAMES,
    certain_links,
    drop_links,
)
from meetscribe.streaming.rescoring import Past, Rescorer
from meetscribe.streaming.search_kernels import (
    ENTRY,
    Knowledge,
    Run,
    Weights,
    Workspace,
    new_workspace,
    search_frames,
)
from meetscribe.streaming.steps import STEP_SAMPLES

FRAME_SAMPLES = STEP_SAMPLES
"""Samples that a frame of the table stands for."""

BLOCK_FRAMES = 16
"""Frames that are searched before links that nobody needs are dropped."""

CONFIDENCE_SLOPE = 0.75
"""Log odds that a word is right for those of its posterior: logistic regression on development utterances."""

SMALLEST_LOG_PROB = -1e4
"""What takes the place of smaller log probabilities, so that scores stay finite."""


@dataclass(frozen=True)
class SearchSettings:
    """How the search weighs and prunes. Scores are natural logs.

    Attributes:
        acoustic_scale: factor on the table's log probabilities.
        lm_weight: factor on the language model's.
        word_score: added for each word.
        blank_penalty: taken from each blank.
        prior_scale: factor on the log prior of symbols, which is taken from each symbol but blank.
        beam: hypotheses that score this much less than the best are dropped.
        most_hypotheses: so many are kept at most.
        word_margin: language models are asked for words that unigrams alone would put this far below the beam.
        symbol_beam: symbols below this negative log probability are not tried.
        sum_paths: add the probabilities of paths that meet, instead of taking the greater one.
        posterior_scale: factor on differences of scores where they become posteriors of words.
        agree_margin: hypotheses at most this much worse than the best have a say in how long it is silent.
        onset: samples that a word begins before its first symbol comes, at most.
        marks: the network emits starts and ends of turns, and so do hypotheses.
        hidden_marks: the network emits them, hypotheses do not: a turn has always begun, and where the network
            would end it nothing is said. `marks` is off then.
        start_penalty: taken from each start of a turn.
        end_penalty: taken from each end of a turn.
        hot_share: how often a hot word is taken to be said, per word; all share it.
        hot_least: hot words that share it, where they are fewer.
        recurrent_share: weight of the recurrent language model beside the n-grams, 0 to 1, where there is one.
        recurrent_margin: it is asked for words of hypotheses that score at most this much less than the best.
    """

    acoustic_scale: float = 1.0
    lm_weight: float = 0.8
    word_score: float = -2.0
    blank_penalty: float = 0.9
    prior_scale: float = 0.4
    beam: float = 14.0
    most_hypotheses: int = 600
    word_margin: float = 2.0
    symbol_beam: float = 11.0
    sum_paths: bool = True
    posterior_scale: float = 1.0
    agree_margin: float = 4.0
    onset: int = 1280
    marks: bool = False
    hidden_marks: bool = False
    start_penalty: float = 0.0
    end_penalty: float = 0.0
    hot_share: float = 0.05
    hot_least: int = 50
    recurrent_share: float = 0.0
    recurrent_margin: float = 10.0


@dataclass(frozen=True)
class FoundWord:
    """A word that was recognised.

    Attributes:
        word: its number in the lexicon.
        text: its spelling.
        start: sample where it begins, not before the end of the word before.
        end: sample where it ends.
        confidence: estimated probability that it is right, 0 to 1.
        label: its last symbol.
    """

    word: int
    text: str
    start: int
    end: int
    confidence: float
    label: int = BLANK


@dataclass(frozen=True)
class SearchState:
    """Everything the search knows of one stream; the arrays are never changed.

    Attributes:
        hypotheses: HYPOTHESIS [H], the best first, at least one.
        links: LINK [K], the words that are not the same in all hypotheses, and recent ones.
        frame: number of the next frame.
        weights: shares of the two language models.
        committed: words that have left the lattice because all hypotheses have them, oldest first.
        committed_end: sample where the last word ended that left the lattice, or where the stream began.
        past: what the recurrent language model knows of it, if one is asked.
    """

    hypotheses: np.ndarray
    links: np.ndarray
    frame: int
    weights: MixtureWeights
    committed: tuple[FoundWord, ...]
    committed_end: int
    past: Past | None = None


@dataclass(frozen=True)
class SearchResult:
    """What the search makes of a stream so far.

    Attributes:
        words: the best hypothesis, committed words first.
        stable: so many of the words are in all hypotheses and cannot change any more.
        score: natural log score of the best hypothesis.
        silence: frames since the last symbol of a word in the best hypothesis; since the start if there was none.
        agreed_silence: the same, the least of all good hypotheses.
        between: the best hypothesis is between words.
        begun: frame of the first start of a turn in the best hypothesis, None if it has none.
        ended: frame of the first end of a turn in the best hypothesis, None if it has none.
        label: last symbol of the best hypothesis.
        begun_share: share of the probability of hypotheses with a start of a turn.
        ended_share: the same for an end of a turn.
    """

    words: tuple[FoundWord, ...]
    stable: int
    score: float
    silence: int
    agreed_silence: int
    between: bool
    begun: int | None
    ended: int | None
    label: int
    begun_share: float
    ended_share: float


NO_ENTRY = np.iinfo(np.int32).max
"""No word of the tree is an entry of hot words."""


@dataclass(frozen=True, eq=False)
class LexicalRows:
    """What a lexical tree is built of: pronunciations, and natural log probabilities of words, float32 [words]."""

    rows: Pronunciations
    unigram: np.ndarray


@dataclass(frozen=True)
class Search:
    """A search over a lexicon with two language models, and a third that may put scores right.

    Attributes:
        words: spelling of each word.
        books: one language model.
        conversation: the other, over the same words.
        knowledge: tree, models and priors as the kernels read them.
        settings: how to weigh and prune.
        lexical: what the tree was built of.
        recurrent: a third language model, asked where `recurrent_share` is not 0; None: there is none.
    """

    words: Sequence[str]
    books: NGram
    conversation: NGram
    knowledge: Knowledge
    settings: SearchSettings
    lexical: "LexicalRows"
    recurrent: RecurrentLM | None = None

    @classmethod
    def build(
        cls,
        lexicon: Lexicon,
        books: NGram,
        conversation: NGram,
        settings: SearchSettings,
        log_prior: np.ndarray | None = None,
        recurrent: RecurrentLM | None = None,
    ) -> "Search":
        """Makes a search; words of the lexicon that the models lack are scored as their `<unk>`.

        Args:
            lexicon: words and their pronunciations.
            books: one language model.
            conversation: the other, over the same words.
            settings: how to weigh and prune.
            log_prior: natural log of how frequent each symbol was in training, float32 [symbols].
            recurrent: a third language model.
        """
        ways = ((number, symbols) for number, ways in enumerate(lexicon.pronunciations) for symbols in ways)
        rows = Pronunciations.of(ways)
        shares = np.logaddexp(books.unigram_log_probs(), conversation.unigram_log_probs()) - np.log(2)
        known = np.minimum(np.arange(len(lexicon)), books.sentence_begin)
        unigram = np.append(shares[: books.sentence_begin], shares[books.unknown])[known].astype(np.float32)
        knowledge = Knowledge(
            tree=build_tree(rows, unigram),
            books=books.arrays,
            conversation=conversation.arrays,
            vocabulary=books.sentence_begin,
            unknown=books.unknown,
            first_entry=NO_ENTRY,
            entries=np.zeros(1, ENTRY),
            prior=_prior(settings, log_prior),
        )
        return cls(
            lexicon.words, books, conversation, knowledge, settings, LexicalRows(rows, unigram), recurrent
        )

    def listening_for(self, phrases: Sequence[HotPhrase]) -> "Search":
        """Returns the same search for which some phrases are likelier; their words need not be in the lexicon.

        A phrase is one way through the tree beside its words' own: who goes it is given the phrase's probability, and
        has to say it to the end. Words outside the lexicon get numbers after its last.
        """
        if not phrases:
            return self
        share = self.settings.hot_share / max(self.settings.hot_least, len(phrases))
        hot = hot_entries(phrases, self, float(np.log(share)))
        unigram = np.concatenate([self.lexical.unigram, hot.unigram])
        tree = build_tree(self.lexical.rows.with_phrases(hot.rows), unigram)
        knowledge = self.knowledge._replace(tree=tree, first_entry=hot.first, entries=hot.entries)
        return replace(self, words=hot.words, knowledge=knowledge)

    def with_settings(self, settings: SearchSettings, log_prior: np.ndarray | None = None) -> "Search":
        """Returns the same search with other settings; `log_prior` as in `build`."""
        return replace(
            self, settings=settings, knowledge=self.knowledge._replace(prior=_prior(settings, log_prior))
        )

    def start(
        self,
        history: Sequence[int] = (),
        weights: MixtureWeights | None = None,
        frame: int = 0,
        label: int = BLANK,
        before: Sequence[int] = (),
    ) -> SearchState:
        """Returns the state before a sentence, or after the words `history` of one.

        Args:
            history: numbers of the words that were already said in the sentence.
            weights: shares of the two language models.
            frame: number of the first frame, from which times are counted.
            label: symbol that came last, a word's last one or one between words.
            before: numbers of the words of earlier sentences, NO_WORD after each; only the recurrent language model
                remembers them.
        """
        if label == BLANK and self.settings.hidden_marks:
            label = START_OF_TURN
        hypotheses = np.zeros(1, HYPOTHESIS)
        states = (self.books.begin_state, self.conversation.begin_state)
        for word in history:
            known = self._known(word)
            states = (self.books.score(states[0], known)[1], self.conversation.score(states[1], known)[1])
        hypotheses["books"], hypotheses["conversation"] = states
        hypotheses["symbol"] = label
        hypotheses["begun"] = hypotheses["ended"] = NO_FRAME
        hypotheses["link"], hypotheses["word"] = NO_LINK, NO_WORD
        hypotheses["first"] = hypotheses["last"] = frame - 1
        links = np.zeros(0, LINK)
        past = None if self._rescorer is None else self._rescorer.begin((*before, *history))
        begin = frame * FRAME_SAMPLES
        return SearchState(hypotheses, links, frame, weights or MixtureWeights(), (), begin, past)

    def advance(self, state: SearchState, scores: np.ndarray) -> SearchState:
        """Returns the state after further frames; chunks of any lengths give the same in the end.

        Args:
            state: where the stream is.
            scores: natural log probabilities, float32 or float16 [frame, previous symbol, next symbol].
        """
        return self.advance_all([state], [scores])[0]

    def advance_all(self, states: Sequence[SearchState], tables: Sequence[np.ndarray]) -> list[SearchState]:
        """Returns the states of several streams after further frames of each, as `advance` does for one.

        The streams share scratch memory, nothing else: hypotheses of different streams never meet.
        """
        work = new_workspace(self.settings.most_hypotheses)
        advanced = []
        for state, scores in zip(states, tables, strict=True):
            work.answers["word"] = NO_WORD  # they depend on the stream's mixture
            table = np.maximum(scores, SMALLEST_LOG_PROB, dtype=np.float32)
            if self.settings.hidden_marks:
                table = with_hidden_marks(table)
            while len(table):
                frames = BLOCK_FRAMES - state.frame % BLOCK_FRAMES
                state = self._advance_block(work, state, table[:frames])  # noqa: PLW2901
                table = table[frames:]
            advanced.append(state)
        return advanced

    def result(self, state: SearchState) -> SearchResult:
        """Returns the best hypothesis so far; a word that is not complete yet is not in it."""
        certain = certain_links(state.hypotheses, state.links)
        return self._result(state, 0, len(state.committed) + len(certain))

    def finish(self, state: SearchState) -> SearchResult:
        """Returns the best hypothesis if nothing comes any more: one that ends with a word, if any."""
        state = self._rescored(state, np.inf)
        hypotheses = state.hypotheses
        scores = hypotheses["score"].copy()
        complete = hypotheses["node"] == ROOT
        scores[complete] += self.settings.lm_weight * self._sentence_ends(state, hypotheses[complete])
        best = int(np.argmax(np.where(complete, scores, -np.inf) if complete.any() else scores))
        found = self._result(state, best, 0)
        return replace(found, stable=len(found.words), score=float(scores[best]))

    def decode(
        self,
        scores: np.ndarray,
        history: Sequence[int] = (),
        weights: MixtureWeights | None = None,
        frame: int = 0,
    ) -> SearchResult:
        """Returns the words of a whole table; the arguments are those of `advance` and `start`."""
        return self.finish(self.advance(self.start(history, weights, frame), scores))

    def adapted(self, weights: MixtureWeights, words: Sequence[int]) -> MixtureWeights:
        """Returns the shares of the language models after the words of a sentence were recognised."""
        states = (self.books.begin_state, self.conversation.begin_state)
        for word in words:
            known = self._known(word)
            books, conversation = (
                self.books.score(states[0], known),
                self.conversation.score(states[1], known),
            )
            weights = weights.after((books[0], conversation[0]))
            states = (books[1], conversation[1])
        return weights

    def _known(self, word: int) -> int:
        """Returns the language models' number of a word."""
        return word if word < self.knowledge.vocabulary else self.knowledge.unknown

    def _sentence_ends(self, state: SearchState, hypotheses: np.ndarray) -> np.ndarray:
        """Returns the log probabilities that the sentence ends after each of some hypotheses, float64 [H]."""
        end, shares, ngrams = self.books.sentence_end, state.weights.log_weights, np.zeros(len(hypotheses))
        for number, hypothesis in enumerate(hypotheses):
            first = self.books.score(int(hypothesis["books"]), end)[0] + shares[0]
            second = self.conversation.score(int(hypothesis["conversation"]), end)[0] + shares[1]
            ngrams[number] = np.logaddexp(first, second)
        if self._rescorer is None or state.past is None or not len(hypotheses):
            return ngrams
        return self._rescorer.sentence_ends(state.links, state.past, hypotheses["link"], ngrams)

    @cached_property
    def _rescorer(self) -> Rescorer | None:
        """What puts scores right by the recurrent language model."""
        chosen = self.settings
        if self.recurrent is None or chosen.recurrent_share == 0 or chosen.lm_weight == 0:
            return None
        return Rescorer.of(
            self.recurrent, self.words, self.lexical.unigram, chosen.recurrent_share, chosen.lm_weight
        )

    def _rescored(self, state: SearchState, margin: float) -> SearchState:
        """Returns the state in which the recurrent language model was asked, if there is one, as `rescore` says."""
        if self._rescorer is None or state.past is None:
            return state
        hypotheses, links = state.hypotheses.copy(), state.links.copy()
        past = self._rescorer.rescore(hypotheses, links, state.past, margin)
        return replace(state, hypotheses=hypotheses, links=links, past=past)

    def _advance_block(self, work: Workspace, state: SearchState, scores: np.ndarray) -> SearchState:
        """Returns the state after at most BLOCK_FRAMES frames."""
        most = self.settings.most_hypotheses
        hypotheses = np.empty(most, HYPOTHESIS)
        hypotheses[: len(state.hypotheses)] = state.hypotheses
        links = np.empty(len(state.links) + most * len(scores), LINK)
        links[: len(state.links)] = state.links
        beam = (hypotheses, len(state.hypotheses), links, len(state.links))
        run = Run(work, self.knowledge, self._weights(), state.weights.log_weights)
        count, link_count = search_frames(run, scores, beam, state.frame)
        hypotheses, links, frame = hypotheses[:count].copy(), links[:link_count], state.frame + len(scores)
        certain = certain_links(hypotheses, links)
        finished = certain[links["last"][certain] < frame - 1 - POSTERIOR_FRAMES]
        if state.past is not None:  # what was not asked about yet stays
            finished = finished[links["row"][finished] != NO_ROW]
        words = self._found(links, finished, state.committed_end)
        past = state.past
        if past is not None and len(finished):
            past = replace(past, root=int(links["row"][finished[-1]]))
        kept = drop_links(hypotheses, links, int(finished[-1]) if len(finished) else NO_LINK)
        end = words[-1].end if words else state.committed_end
        committed = (*state.committed, *words)
        state = SearchState(hypotheses, links[:kept].copy(), frame, state.weights, committed, end, past)
        whole = frame % BLOCK_FRAMES == 0
        return self._rescored(state, self.settings.recurrent_margin) if whole else state

    def _weights(self) -> Weights:
        """Returns the settings as the kernels read them."""
        settings = self.settings
        return Weights(
            acoustic=settings.acoustic_scale,
            lm=settings.lm_weight,
            word=settings.word_score,
            beam=settings.beam,
            margin=settings.word_margin,
            symbol_beam=settings.symbol_beam,
            most=settings.most_hypotheses,
            sum_paths=settings.sum_paths,
            posterior=settings.posterior_scale,
            marks=settings.marks,
        )

    def _result(self, state: SearchState, index: int, stable: int) -> SearchResult:
        """Returns the result that hypothesis number `index` stands for."""
        best = state.hypotheses[index]
        chain, link = [], int(best["link"])
        while link != NO_LINK:
            chain.append(link)
            link = int(state.links[link]["previous"])
        words = self._found(state.links, np.array(chain[::-1], np.int64), state.committed_end)
        good = state.hypotheses["score"] >= best["score"] - self.settings.agree_margin
        silence = state.frame - 1 - state.hypotheses["last"]
        begun, ended = int(best["begun"]), int(best["ended"])
        return SearchResult(
            words=(*state.committed, *words),
            stable=stable,
            score=float(best["score"]),
            silence=int(silence[index]),
            agreed_silence=int(silence[good].min()),
            between=int(best["node"]) == ROOT,
            begun=None if begun == NO_FRAME else begun,
            ended=None if ended == NO_FRAME else ended,
            label=int(best["symbol"]),
            begun_share=self._share(state, "begun"),
            ended_share=self._share(state, "ended"),
        )

    def _share(self, state: SearchState, mark: str) -> float:
        """Returns the share of the probability of hypotheses that have a start or end of a turn."""
        if not self.settings.marks:
            return 0.0
        scores = state.hypotheses["score"]
        masses = np.exp(self.settings.posterior_scale * (scores - scores[0]))
        return float(masses[state.hypotheses[mark] != NO_FRAME].sum() / masses.sum())

    def _found(self, links: np.ndarray, chain: np.ndarray, previous_end: int) -> tuple[FoundWord, ...]:
        """Returns the words of links that follow one another after the sample `previous_end`."""
        words = []
        for link in links[chain]:
            end = (int(link["last"]) + 1) * FRAME_SAMPLES
            start = max(previous_end, (int(link["first"]) + 1) * FRAME_SAMPLES - self.settings.onset)
            number = int(link["word"])
            label = int(link["symbol"])
            words.append(FoundWord(number, self.words[number], start, end, _confidence(link), label))
            previous_end = end
        return tuple(words)


def with_hidden_marks(table: np.ndarray) -> np.ndarray:
    """Returns a table in which nothing is said where the network would end a turn.

    A network that was taught to end turns does not expect to stay after a word for long: without its mark all
    hypotheses would pay for silence, and those that say something into it least.

    Args:
        table: natural log probabilities, float32 [frame, previous symbol, next symbol].
    """
    found = table.copy()
    found[:, :, BLANK] = np.logaddexp(table[:, :, BLANK], table[:, :, END_OF_TURN])
    return found


def _prior(settings: SearchSettings, log_prior: np.ndarray | None) -> np.ndarray:
    """Returns what is taken from each symbol's score, float32 [symbols]."""
    prior = np.zeros(NUMBER_OF_SYMBOLS, np.float32)
    if log_prior is not None:
        prior[FIRST_PHONE_SYMBOL:] = settings.prior_scale * log_prior[FIRST_PHONE_SYMBOL:]
    prior[BLANK] = settings.blank_penalty
    prior[START_OF_TURN], prior[END_OF_TURN] = settings.start_penalty, settings.end_penalty
    return prior


def _confidence(link: np.void) -> float:
    """Returns the estimated probability that a word is right: its mean posterior, flattened as was measured."""
    posterior = link["posterior"] / link["samples"] if link["samples"] else 0.5
    bounded = min(max(float(posterior), 0.02), 0.98)
    return float(1 / (1 + ((1 - bounded) / bounded) ** CONFIDENCE_SLOPE))
