"""How the screen looks on dark and on light ground."""

from collections.abc import Mapping

from textual.theme import Theme

DARK = Theme(
    name="meetscribe-dark",
    primary="#56b4e9",
    secondary="#9db2ff",
    accent="#56b4e9",
    success="#2bc29a",
    warning="#e69f00",
    error="#ff8a50",
    foreground="#e4e7ec",
    background="#14171c",
    surface="#1a1e25",
    panel="#232934",
    dark=True,
)
LIGHT = Theme(
    name="meetscribe-light",
    primary="#0063a0",
    secondary="#3b4cc0",
    accent="#0063a0",
    success="#00684c",
    warning="#8f5b00",
    error="#a83c00",
    foreground="#1c2128",
    background="#fbfaf7",
    surface="#f2f0eb",
    panel="#e6e3dc",
    dark=False,
)


def prefers_light(environment: Mapping[str, str]) -> bool:
    """Say whether the terminal says that its ground is light (`COLORFGBG`, as rxvt and konsole set it)."""
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return ground in {"7", "15"}
