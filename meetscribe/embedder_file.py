"""The speaker embedder of a model: one file beside the others, which says of itself what it is.

`embedder.safetensors` holds weights in bfloat16, the cohort of its likeness in float16, and how people sound where they
are (`streaming/spectra.py`). Its header has sizes, the weights of the likeness, and an id that follows from the
network's weights. It survives a new recogniser in the same folder, and a folder without it is a whole model: nobody is
told apart then. Voices of embedders with different ids are never compared.
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
from meetscribe.models import COHORT, EMBEDDER, EMBEDDER_VERSION, SPECTRA, embedder_facts
from meetscribe.nn.embedder import Embedder, EmbedderConfig
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.streaming.spectra import Spectra


@dataclasses.dataclass(frozen=True)
class SpeakerEmbedder:
    """A loaded embedder and its id."""

    id: str
    network: Embedder
    resemblance: Resemblance

    @property
    def likeness(self) -> Likeness:
        """How alike two voices are, of whatever recordings."""
        return self.resemblance.likeness


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
            own = {COHORT, *SPECTRA.values()}
            names = [name for name in file.keys() if name not in own]  # noqa: SIM118  no mapping
            weights = {name: file.get_tensor(name).float() for name in names}
        network.load_state_dict(weights)
    except (SafetensorError, OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} holds no embedder ({error}); install the model again") from error
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(f"{path} holds weights that are no numbers; install the model again")
    likeness = Likeness.stated(facts.likeness, facts.cohort)
    return SpeakerEmbedder(facts.id, network, Resemblance(likeness, Spectra.stated(facts.spectra)))


def save_embedder(network: Embedder, resemblance: Resemblance, directory: Path) -> str:
    """Write an embedder into a model's directory and return its id."""
    likeness, spectra = resemblance.likeness, resemblance.spectra
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
    for name, value in ({} if spectra is None else spectra.tensors).items():
        weights[SPECTRA[name]] = torch.from_numpy(value)
    save_file(weights, directory / EMBEDDER, facts)
    return facts["id"]
