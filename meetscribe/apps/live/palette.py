"""Colours of speakers: told apart by people who see few colours too, on dark and on light ground.

After Okabe and Ito's set ("Color universal design", 2008), made lighter for dark ground and darker for light ground so
that each keeps a contrast of at least 4.5 : 1 to it. A name always stands beside the colour.
"""

from dataclasses import dataclass

from rich.style import Style

DARK = ("#56b4e9", "#e69f00", "#2bc29a", "#e58fc0", "#f0e442", "#ff8a50", "#9db2ff", "#c8c8c8")
LIGHT = ("#0063a0", "#8f5b00", "#00684c", "#98316f", "#6b6000", "#a83c00", "#3b4cc0", "#555555")


@dataclass(frozen=True)
class Palette:
    """The styles of the transcript on dark or light ground; without any colours where `has_colours` says so."""

    is_dark: bool
    has_colours: bool = True

    def speaker(self, number: int) -> Style:
        """Return the colour of a speaker."""
        colours = DARK if self.is_dark else LIGHT
        return self._coloured(colours[number % len(colours)])

    @property
    def faint(self) -> Style:
        """Return the style of what is beside the words: times, rules."""
        return self._coloured("#8a929e" if self.is_dark else "#667080") or Style(dim=True)

    @property
    def strong(self) -> Style:
        """Return the style of names."""
        return Style(bold=True)

    @property
    def loose(self) -> Style:
        """Return the style of words that may still change."""
        return Style(dim=True, italic=True)

    @property
    def doubtful(self) -> Style:
        """Return the style of words that were heard with low confidence."""
        return Style(underline=True) + self._coloured("#e0b060" if self.is_dark else "#8a5a00")

    @property
    def selected(self) -> Style:
        """Return the style of the words of the turn that keys act on."""
        if not self.has_colours:
            return Style(bold=True)
        return Style(bgcolor="#2f3a4f" if self.is_dark else "#d5e0f5")

    @property
    def found(self) -> Style:
        """Return the style of words that were searched for."""
        if not self.has_colours:
            return Style(reverse=True)
        return Style(color="#000000", bgcolor="#f0c040")

    def marker(self, kind: str) -> Style:
        """Return the style of a line between turns."""
        grave = {"gap", "state device_lost", "state degraded", "off_record"}
        if kind in grave:
            return self._coloured("#ff9a6b" if self.is_dark else "#a03c00")
        if kind == "bookmark":
            return self._coloured("#f0e442" if self.is_dark else "#6b6000") + Style(bold=True)
        return self.faint

    def _coloured(self, colour: str) -> Style:
        return Style(color=colour) if self.has_colours else Style.null()
