import math

import pytest
import torch

from meetscribe.lm.symbols import END_OF_TURN, START_OF_TURN, inside_symbol
from meetscribe.training.spoken import phone_language


def test_language_of_phones() -> None:
    """What often follows costs less than what never does; phones' frequency is taken off; blanks cost their penalty."""
    a, b = inside_symbol(0), inside_symbol(1)
    said = [[START_OF_TURN, a, b, a, b, END_OF_TURN]] * 50
    bigram = phone_language(said, 1.0, 0.0, 0.7).added
    assert bigram[a, b] > bigram[a, a] + 2.5
    assert bigram[0, START_OF_TURN].item() == pytest.approx(0.0, abs=0.3)
    torch.testing.assert_close(bigram[:, 0], torch.full_like(bigram[:, 0], -0.7))
    lifted = phone_language(said, 1.0, 1.0, 0.7).added - bigram
    assert lifted[a, b].item() == pytest.approx(math.log(3), abs=0.01)
    assert lifted[a, END_OF_TURN].item() == 0.0
