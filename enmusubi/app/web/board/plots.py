"""Plots as the library draws them: traces and axes; colours, fonts and sizes are the browser's part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

LONGEST: Final = 60
"""Characters of a label; the whole text is in the table and behind the link."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot; `colours` of a trace name colours of the style sheet."""

    id: str
    title: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any] = field(default_factory=dict)

    @property
    def drawn(self) -> dict[str, Any]:
        """As it goes into the page."""
        return {"traces": list(self.traces), "layout": dict(self.layout)}


def named_rows(labels: Sequence[str]) -> dict[str, Any]:
    """An axis of rows from the top down with these labels, which may be alike: rows are numbered, not named."""
    return {"tickvals": list(range(len(labels))), "ticktext": [plain(label) for label in labels],
            "autorange": "reversed", "zeroline": False}  # fmt: skip


def figures_axis(*counts: Sequence[int]) -> dict[str, Any]:
    """An axis of numbers from zero on, also where all of them are zero."""
    most = max((number for each in counts for number in each), default=0)
    return {"range": [0, max(1.0, most * 1.08)], "tickformat": ",d", "nticks": min(6, most + 2)}


def plain(text: str | None, longest: int = LONGEST) -> str:
    """A text that somebody wrote, as a label: the library reads some tags in texts, and these are not ours.

    It undoes entities when it draws, so that they are shown as what was written. Control characters and marks that turn
    the direction of what follows are left out.
    """
    shown = "".join(character for character in text or "" if character.isprintable())
    shown = shown if len(shown) <= longest else shown[: longest - 1] + "…"
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")
