"""The speaker embedder of a model: one file beside the others, which says of itself what it is.

`embedder.safetensors` holds weights in bfloat16, and the cohort of its likeness in float16; its header has sizes, the
weights of the likeness, and an id that follows from the network's weights. It survives a new recogniser in the same
folder, and a folder without it is a whole model: nobody is told apart then. Voices of embedders with different ids are
never compared.
Not covered: reading the header without torch (`meetscribe.models`).
"""

import dataclasses
import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from meetscribe.errors import CheckpointError
from meetscribe.models import COHORT, EMBEDDER, EMBEDDER_VERSION, embedder_facts
from meetscribe.nn.embedder import Embedder, EmbedderConfig
from meetscribe.streaming.likeness import Likeness


@dataclasses.dataclass(frozen=True)
class SpeakerEmbedder:
    """A loaded embedder and its id."""

    id: str
    network: Embedder
    likeness: Likeness


def load_embedder(directory: Path) -> SpeakerEmbedder | None:
    """Load the embedder of a model's directory; None where it has none.

    Raises:
        CheckpointError: the file is damaged, or of another version.
    """
    facts = embedder_facts(directory)
    if facts is None:
        return None
    path = directory / EMBEDDER
    try:
        network = Embedder(EmbedderConfig(**facts.sizes)).eval()
        with safe_open(path, "pt") as file:
            names = [name for name in file.keys() if name != COHORT]  # noqa: SIM118  no mapping
            weights = {name: file.get_tensor(name).float() for name in names}
        network.load_state_dict(weights)
    except (SafetensorError, OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} holds no embedder ({error}); install the model again") from error
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(f"{path} holds weights that are no numbers; install the model again")
    return SpeakerEmbedder(facts.id, network, Likeness.stated(facts.likeness, facts.cohort))


def save_embedder(network: Embedder, likeness: Likeness, directory: Path) -> str:
    """Write an embedder into a model's directory and return its id."""
    weights = {name: value.to(torch.bfloat16).contiguous() for name, value in network.state_dict().items()}
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].view(torch.int16).numpy().tobytes())
    facts = {
        "version": str(EMBEDDER_VERSION),
        "id": digest.hexdigest()[:12],
        "sizes": json.dumps(dataclasses.asdict(network.config)),
        "likeness": json.dumps(likeness.weights),
    }
    if likeness.cohort is not None:
        weights[COHORT] = torch.from_numpy(likeness.cohort.voices).to(torch.float16)
    save_file(weights, directory / EMBEDDER, facts)
    return facts["id"]
