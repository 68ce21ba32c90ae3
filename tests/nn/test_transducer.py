import torch

from meetscribe.nn.transducer import Transducer, TransducerConfig


def test_table_holds_every_previous_label() -> None:
    """The table's row of a previous label is what the joiner gives for that label alone."""
    torch.manual_seed(1)
    transducer = Transducer(6, TransducerConfig(symbols=5, inner=4))
    encoded = torch.randn(2, 3, 6)
    table = transducer.table(encoded)
    for label in range(5):
        alone = transducer(encoded, torch.full((2, 3), label))
        torch.testing.assert_close(table[:, :, label], alone)
    torch.testing.assert_close(table.exp().sum(-1), torch.ones(2, 3, 5))


def test_several_previous_labels_at_once() -> None:
    """Previous labels (B, T, W) are scored like W calls with (B, T)."""
    torch.manual_seed(2)
    transducer = Transducer(6, TransducerConfig(symbols=5, inner=4))
    encoded, previous = torch.randn(2, 3, 6), torch.randint(5, (2, 3, 4))
    together = transducer(encoded, previous)
    for w in range(4):
        torch.testing.assert_close(together[:, :, w], transducer(encoded, previous[:, :, w]))
