"""Which models are installed, and where: those that the package ships, and people's own.

A person's own models lie in `models/` of the data directory or in MEETSCRIBE_MODELS_DIR, and come first.
What its speaker embedder says of itself can be read without loading the network.
Not covered: what else is inside a model (`checkpoint.py` loads it).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from meetscribe.errors import CheckpointError, InputError, MissingError

CONFIGURATION = "model.json"
EMBEDDER = "embedder.safetensors"
EMBEDDER_VERSION = 1
COHORT = "cohort"
"""What the cohort is called among the embedder's weights."""
SPECTRA = {"projection": "spectra.projection", "spread": "spectra.spread"}
"""What it is called there how people sound where they are."""


@dataclass(frozen=True)
class InstalledModel:
    """A model's name, its directory, and whether it came with the package."""

    name: str
    path: Path
    bundled: bool

    def configuration(self) -> dict[str, Any]:
        """Return what its `model.json` says.

        Raises:
            CheckpointError: the file is damaged.
        """
        file = self.path / CONFIGURATION
        try:
            read = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{file}: it is damaged; install the model again") from error
        if not isinstance(read, dict):
            raise CheckpointError(f"{file}: it is no model's configuration; install the model again")
        return read

    @property
    def size(self) -> int:
        """Return the bytes of all its files."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())


def bundled_directory() -> Path:
    """Return where the package's own models lie: inside the wheel, or `models/` of a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "_models"
    return inside if inside.is_dir() else package.parent / "models"


def installed(own: Sequence[Path] = ()) -> list[InstalledModel]:
    """Return all models by name; of one name the earliest in `own`, then the bundled one."""
    found: dict[str, InstalledModel] = {}
    for directory in (*own, bundled_directory()):
        for configuration in sorted(directory.glob(f"*/{CONFIGURATION}")):
            path = configuration.parent
            found.setdefault(path.name, InstalledModel(path.name, path, directory not in own))
    return [found[name] for name in sorted(found)]


def find(name: str | None, own: Sequence[Path] = ()) -> InstalledModel:
    """Return the model of a name (or the directory of one); None is the default model.

    The default is the only model, else the one whose `model.json` has `"default": true`, else the first.

    Raises:
        InputError: there is no model of that name; the message lists those that exist.
        MissingError: no model is installed at all.
    """
    if name is not None and (Path(name) / CONFIGURATION).is_file():
        return InstalledModel(Path(name).resolve().name, Path(name), False)
    known = installed(own)
    if not known:
        raise MissingError("no model is installed; install meetscribe again, or set MEETSCRIBE_MODELS_DIR")
    if name is None:
        return next((model for model in known if _is_default(model)), known[0])
    for model in known:
        if model.name == name:
            return model
    names = ", ".join(model.name for model in known)
    raise InputError(f"there is no model {name!r}; installed are: {names}")


def _is_default(model: InstalledModel) -> bool:
    try:
        return model.configuration().get("default") is True
    except CheckpointError:
        return False


@dataclass(frozen=True)
class EmbedderFacts:
    """What a speaker embedder says of itself: id, sizes, and how alike two voices are (`streaming/likeness.py`)."""

    id: str
    sizes: dict[str, Any]
    likeness: dict[str, float]
    cohort: NDArray[np.float16] | None = None
    spectra: dict[str, NDArray[np.float32]] | None = None  # `streaming/spectra.py`


def embedder_facts(directory: Path) -> EmbedderFacts | None:
    """Return what the embedder in a model's directory says of itself; None where there is none.

    Raises:
        CheckpointError: the file is damaged, or of another version.
    """
    path = directory / EMBEDDER
    if not path.is_file():
        return None
    try:
        with safe_open(path, "np") as file:
            said = file.metadata()
            names = set(file.keys())
            cohort = file.get_tensor(COHORT) if COHORT in names else None
            tells_places = not names.isdisjoint(SPECTRA.values())
            spectra = (
                {name: file.get_tensor(full) for name, full in SPECTRA.items()} if tells_places else None
            )
        sizes, likeness = json.loads(said["sizes"]), json.loads(said["likeness"])
        facts = EmbedderFacts(str(said["id"]), sizes, likeness, cohort, spectra)
        version = int(said["version"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged; install the model again") from error
    if version != EMBEDDER_VERSION:
        raise CheckpointError(
            f"{path} is of another version than {EMBEDDER_VERSION}; install the model that belongs here"
        )
    return facts
