import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.lm.symbols import spell
from meetscribe.lm.tree import IMPOSSIBLE, ROOT, Pronunciations, TreeArrays, build_tree

spellings = st.lists(st.sampled_from(["AA", "B", "K", "T"]), min_size=1, max_size=5).map(spell)
lexicons = st.lists(st.tuples(st.integers(0, 9), spellings), max_size=30)


def read_back(
    tree: TreeArrays, node: int = ROOT, path: tuple[int, ...] = ()
) -> list[tuple[int, tuple[int, ...]]]:
    """Walks the whole tree and returns its (word, symbols) pairs."""
    found = []
    for row in range(tree.exit_begin[node], tree.exit_begin[node + 1]):
        for position in range(tree.word_begin[row], tree.word_begin[row + 1]):
            found.append((int(tree.word[position]), (*path, int(tree.exit_symbol[row]))))
    for row in range(tree.child_begin[node], tree.child_begin[node + 1]):
        child = int(tree.child_node[row])
        assert tree.parent[child] == node
        found += read_back(tree, child, (*path, int(tree.child_symbol[row])))
    return found


@given(lexicons)
def test_walk_gives_the_lexicon_back(entries: list[tuple[int, tuple[int, ...]]]) -> None:
    """A walk through the tree meets every pronunciation that was put in, as often as it was, and no other."""
    tree = build_tree(Pronunciations.of(entries), np.zeros(10, np.float32))
    assert sorted(read_back(tree)) == sorted(entries)


@given(lexicons)
def test_equal_beginnings_share_nodes(entries: list[tuple[int, tuple[int, ...]]]) -> None:
    """Every distinct beginning of inside symbols has one node, and every distinct spelling one exit."""
    tree = build_tree(Pronunciations.of(entries), np.zeros(10, np.float32))
    beginnings = {symbols[:length] for _, symbols in entries for length in range(len(symbols))} | {()}
    assert len(tree.parent) == len(beginnings)
    assert len(tree.exit_symbol) == len({symbols for _, symbols in entries})


@given(lexicons, st.lists(st.floats(-20, 0, width=32), min_size=10, max_size=10))
def test_lookahead_is_the_best_word_behind_a_node(
    entries: list[tuple[int, tuple[int, ...]]], log_probs: list[float]
) -> None:
    """The look-ahead of a node is the greatest log probability of the words spelled through it."""
    unigram = np.array(log_probs, np.float32)
    tree = build_tree(Pronunciations.of(entries), unigram)
    for node in range(1, len(tree.parent)):
        expected = max(unigram[word] for word, _ in read_back(tree, node))
        assert tree.lookahead[node] == expected > IMPOSSIBLE
    assert tree.lookahead[ROOT] == 0


def test_pronunciation_weights_follow_their_words() -> None:
    """How likely a way to say a word is stands beside the word, whatever the order of the rows."""
    rows = [(2, spell(["T", "AA"])), (0, spell(["B"])), (1, spell(["AA", "B"]))]
    plain = Pronunciations.of(rows)
    weighted = Pronunciations(plain.words, plain.begin, plain.symbols, np.array([-2, -0.5, -1], np.float32))
    tree = build_tree(weighted, np.zeros(3, np.float32))
    assert dict(zip(tree.word.tolist(), tree.word_log_prob.tolist(), strict=True)) == {2: -2, 0: -0.5, 1: -1}


def test_word_end_inside_a_pronunciation_is_refused() -> None:
    """A row of symbols that goes on after a word-end symbol, or never reaches one, is no pronunciation."""
    inside, end = spell(["B", "AA"])
    for symbols in [(end, inside), (inside, inside), (end, end)]:
        with pytest.raises(ValueError, match="word-end"):
            build_tree(Pronunciations.of([(0, symbols)]), np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="at least one symbol"):
        build_tree(Pronunciations.of([(0, ())]), np.zeros(1, np.float32))
