import pytest
import torch

from meetscribe.lm.symbols import FIRST_PHONE_SYMBOL
from meetscribe.nn.losses import EndOfTurnPenalty
from meetscribe.nn.separator import FLOOR
from meetscribe.testing import tiny_network
from meetscribe.training.mixtures import MixtureBatch, collate_mixtures
from meetscribe.training.objectives.joint import JointConfig, JointObjective, frame_ctc
from meetscribe.training.objectives.recognition import RecognitionConfig, against
from meetscribe.training.spoken import phone_language
from tests.training.test_mixtures import mixture, turn


@pytest.fixture(scope="module")
def batch() -> MixtureBatch:
    """Two mixtures: two who overlap, and nobody."""
    first = mixture(turn(0, 6_400, 25_600), turn(1, 16_000, 38_400), turn(1, 48_000, 60_800))
    return collate_mixtures([first, mixture()])


def loss(batch: MixtureBatch, config: JointConfig) -> tuple[float, dict[str, float]]:
    """Return the loss of a fixed network and its parts."""
    value, parts = JointObjective(config).mixed(tiny_network(), batch, 8)
    return value.item(), parts


def test_the_loss_is_the_sum_of_its_parts(batch: MixtureBatch) -> None:
    """Labels, frames, and the separator's own losses by their weight; options add what they say."""
    plain = JointConfig(separator=0.0)
    value, parts = loss(batch, plain)
    assert value == pytest.approx(parts["label"] + parts["frame"], rel=1e-5)
    with_masking, more = loss(batch, JointConfig(separator=0.0, masking=0.5))
    assert with_masking == pytest.approx(value + 0.5 * more["masking"], rel=1e-5)
    with_ctc, more = loss(batch, JointConfig(separator=0.0, ctc=0.3))
    assert with_ctc == pytest.approx(value + 0.3 * more["ctc"], rel=1e-5)
    assert more["ctc"] > 0


def test_late_ends_of_turns_cost(batch: MixtureBatch) -> None:
    """With the penalty labels cost more, by at most its bound for each `<eot>`; FastEmit leaves the loss."""
    penalty = EndOfTurnPenalty(late=2.0, early=2.0, grace=0)
    _, plain = loss(batch, JointConfig())
    _, later = loss(batch, JointConfig(RecognitionConfig("full-sum", end_of_turn=penalty)))
    _, fast = loss(batch, JointConfig(RecognitionConfig("full-sum", fast_emit=0.1)))
    ends = 3 * penalty.most / batch.steps.sum().item()
    assert plain["label"] < later["label"] <= plain["label"] + ends
    assert fast["label"] == pytest.approx(plain["label"], rel=1e-5)


def test_what_was_said_is_set_against_all_else(batch: MixtureBatch) -> None:
    """The discriminative loss of labels lies between none and all, and falls as the labels become likelier."""
    said = [[int(s) for s in row[:n]] for row, n in zip(batch.labels, batch.label_counts, strict=True)]
    config = JointConfig(against(phone_language(said, 0.8, 0.4, 0.9)), separator=0.0)
    value, parts = loss(batch, config)
    assert parts["against_all"] > 0
    share = config.recognition.likelihood
    assert value == pytest.approx(
        parts["against_all"] + share * parts["label"] + 0.5 * parts["frame"], rel=1e-5
    )
    network = tiny_network().train()
    optimiser = torch.optim.Adam(network.recogniser.parameters(), 3e-3)
    for _ in range(12):
        now, _ = JointObjective(config).mixed(network, batch, 8)
        optimiser.zero_grad()
        now.backward()
        optimiser.step()
    _, later = JointObjective(config).mixed(network.eval(), batch, 8)
    assert later["against_all"] < parts["against_all"]


def test_everything_learns(batch: MixtureBatch) -> None:
    """Gradients reach the separator and the recogniser, from labels alone."""
    network = tiny_network().train()
    value, _ = JointObjective(JointConfig(separator=0.0)).mixed(network, batch, 8)
    value.backward()
    assert network.separator is not None
    for part in (network.separator.front.linear, network.recogniser.encoder.pre_encode.linear):
        assert part.weight.grad is not None
        assert part.weight.grad.abs().max() > 0


def test_masks_matter_only_where_two_talk(batch: MixtureBatch) -> None:
    """Who talks alone is heard as the mixture is, whatever the separator says, and the other slot hears nothing."""
    network = tiny_network()
    seen: list[torch.Tensor] = []
    hook = network.recogniser.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    objective = JointObjective()
    objective.mixed(network, batch, 8)
    hook.remove()
    mixture = objective.separation.prepared(batch)[0]
    first, second = seen[0].unflatten(0, (2, 2))[0]  # of the first mixture
    alone, both, other = slice(50, 95), slice(110, 155), slice(170, 235)
    torch.testing.assert_close(first[alone], mixture[0, alone])
    torch.testing.assert_close(second[alone], torch.full_like(second[alone], FLOOR))
    assert (first[both] - mixture[0, both]).abs().max() > 1.0
    torch.testing.assert_close(second[other], mixture[0, other])


def test_ctc_hears_phones_without_turns(batch: MixtureBatch) -> None:
    """A classifier that is sure of the right phones, with silence between, pays nothing for CTC."""
    network = tiny_network()
    recogniser = network.recogniser
    encoded = torch.zeros(4, batch.classes.shape[1], recogniser.config.encoder.width)
    sure = torch.full((4, batch.classes.shape[1], recogniser.config.frame_classes), -50.0)
    for row in range(4):
        sure[row, :, 0] = 0.0
        for label, step in zip(batch.labels[row].tolist(), batch.emission[row].tolist(), strict=True):
            if label >= FIRST_PHONE_SYMBOL:
                sure[row, step] = -50.0
                sure[row, step, label - FIRST_PHONE_SYMBOL + 1] = 0.0
    recogniser.frame_classifier.forward = lambda _: sure  # type: ignore[method-assign]
    assert frame_ctc(recogniser, encoded, batch).item() < 1e-3
