"""Settings: a flag over MEETSCRIBE_… in the environment over config.toml over the default."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_config_path, user_data_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from meetscribe.errors import UsageError
from meetscribe.formats.registry import by_name

HIDDEN = "(hidden)"
_SECRETS = ("token", "people_key")
_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")


class Settings(BaseSettings):
    """Everything that a flag, the environment or config.toml can set.

    `hotwords` is a file or a list of what to listen for; `learn_corrections` adds what people put right before.
    `notice` is what people are told when a meeting begins, `consent` the day on which all agreed to be recorded;
    meetings, and recordings alone, are deleted after so many days (`retention.py`).
    """

    model_config = SettingsConfigDict(env_prefix="MEETSCRIBE_", extra="forbid", env_ignore_empty=True)

    data_dir: Path = Field(default_factory=lambda: user_data_path("meetscribe"))
    models_dir: Path | None = None
    model: str | None = None
    format: Annotated[tuple[str, ...], NoDecode] = ("text",)
    output_dir: Path | None = None
    jobs: int = Field(default=1, ge=1, le=256)
    input: Annotated[tuple[str, ...], NoDecode] = ()
    system_audio: bool = False
    echo_removal: bool = True
    channels: Literal["mixed", "apart"] | None = None
    record: bool = True
    srt_overlap: Literal["stack", "merge"] = "stack"
    layout: Literal["auto", "mixed", "per-speaker", "array"] = "auto"
    quality: Literal["normal", "best"] = "normal"
    num_speakers: int | None = Field(default=None, ge=1, le=64)
    engine: Literal["local", "ray"] = "local"
    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65535)
    token: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    origin: Annotated[tuple[str, ...], NoDecode] = ()
    vosk_port: int | None = Field(default=None, ge=0, le=65535)
    notice: str = "This meeting is recorded and transcribed on this computer."
    consent: date | None = None
    hotwords: Annotated[Path | tuple[str, ...] | None, NoDecode] = None
    learn_corrections: bool = True
    punctuation: bool = True
    numerals: Literal["words", "digits"] = "words"
    retention_days: int | None = Field(default=None, ge=1)
    audio_retention_days: int | None = Field(default=None, ge=1)
    people_key: str | None = None
    mqtt: str | None = None
    mqtt_base: str = "meetscribe"
    mqtt_discovery: str | None = None
    on_final: str | None = None
    on_end: str | None = None

    @field_validator("format", "input", "origin", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Take several values as `text,json` too."""
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("hotwords", mode="before")
    @classmethod
    def _list_or_file(cls, value: Any) -> Any:
        """Take a list of phrases in config.toml, and anything else as the name of a file."""
        return tuple(value) if isinstance(value, list) else Path(value) if isinstance(value, str) else value

    @property
    def own_models(self) -> tuple[Path, ...]:
        """Return the directories of a person's own models."""
        own = self.data_dir / "models"
        return (own,) if self.models_dir is None else (self.models_dir, own)


@dataclass(frozen=True)
class Origin:
    """What a setting is, and where that comes from: flag, environment, file or default."""

    name: str
    value: Any
    source: Literal["flag", "environment", "file", "default"]
    place: str


def default_config_file() -> Path:
    """Return where config.toml lies when nobody says otherwise."""
    return user_config_path("meetscribe") / "config.toml"


def load_settings(config: Path | None, flags: Mapping[str, Any]) -> Settings:
    """Return the settings; flags that are None were not given.

    Args:
        config: the file that was asked for, which must exist; None for the default one, which need not.
        flags: values from the command line by the names of the settings.

    Raises:
        UsageError: the file is missing or wrong, or a value is not possible.
    """
    values = _read_file(config)

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, values)

    try:
        settings = Layered(**{name: value for name, value in flags.items() if value not in (None, [], ())})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UsageError(
                f"{config or default_config_file()}: there is no setting {name!r}; `meetscribe config` without this "
                "line shows those there are"
            ) from error
        raise UsageError(
            f"setting {name!r} cannot be {first['input']!r} ({first['msg'].lower()}); correct the flag, "
            f"MEETSCRIBE_{name.upper()} or {config or default_config_file()}"
        ) from error
    for name in settings.format:
        by_name(name)
    return settings


def explain_settings(config: Path | None, flags: Mapping[str, Any]) -> list[Origin]:
    """Return every setting with where it comes from; the arguments and errors are those of `load_settings`.

    What nobody should read over somebody's shoulder is not shown.
    """
    settings, file = load_settings(config, flags), config or default_config_file()
    in_file = _read_file(config)
    origins = []
    for name in Settings.model_fields:
        variable = f"MEETSCRIBE_{name.upper()}"
        value = _without_secrets(name, getattr(settings, name))
        if flags.get(name) not in (None, [], ()):
            origins.append(Origin(name, value, "flag", f"--{name.replace('_', '-')}"))
        elif os.environ.get(variable):
            origins.append(Origin(name, value, "environment", variable))
        elif name in in_file:
            origins.append(Origin(name, value, "file", str(file)))
        else:
            origins.append(Origin(name, value, "default", ""))
    return origins


def _without_secrets(name: str, value: Any) -> Any:
    """Return a setting as it may be shown: no token, and no password in an address."""
    if name in _SECRETS and value is not None:
        return HIDDEN
    return _PASSWORD.sub(rf"\1{HIDDEN}@", value) if isinstance(value, str) else value


def _read_file(config: Path | None) -> dict[str, Any]:
    """Return what a TOML file says; an empty dict where the default one does not exist."""
    path = config or default_config_file()
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if config is None:
            return {}
        raise UsageError(f"{path}: there is no such configuration file; check --config") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: it cannot be read as TOML ({error}); correct the file") from error
