"""How a meeting is, put together from those who know a part of it: source, engine, recording, people.

Each says its own; what people see is the gravest.
"""

from dataclasses import dataclass, field

from meetscribe.events import State

_GRAVEST: tuple[State, ...] = ("stopped", "paused", "device_lost", "recovering", "degraded", "listening")


@dataclass
class Condition:
    """What each part says, by its name; `state` and `reason` are what people see."""

    parts: dict[str, tuple[State, str | None]] = field(default_factory=dict)

    def say(self, part: str, state: State, reason: str | None = None) -> bool:
        """Take what a part says of itself; return whether what people see has changed."""
        before = self.state, self.reason
        if state == "listening":
            self.parts.pop(part, None)
        else:
            self.parts[part] = state, reason
        return (self.state, self.reason) != before

    @property
    def state(self) -> State:
        """Return the gravest state."""
        said = {state for state, _ in self.parts.values()}
        for state in _GRAVEST:
            if state in said:
                return state
        return "listening"

    @property
    def reason(self) -> str | None:
        """Return the reasons of the gravest state, and of lesser ones that are faults too."""
        ranked = sorted(self.parts.values(), key=lambda part: _GRAVEST.index(part[0]))
        return "; ".join(reason for _, reason in ranked if reason) or None
