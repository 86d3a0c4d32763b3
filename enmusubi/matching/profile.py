"""The profile that is matched, and how its public fields become text."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["seed", "need"]


@dataclass(frozen=True, slots=True)
class Profile:
    """The public part of a seed or a need; nothing confidential ever enters it."""

    kind: Kind
    title: str | None = None
    summary: str | None = None
    description: str | None = None
    advantages: str | None = None
    applications: str | None = None
    open_challenges: str | None = None
    expertise_sought: str | None = None
    translation_title: str | None = None
    translation_summary: str | None = None
    keywords: tuple[str, ...] = field(default=())
    language: str | None = None

    def matched_text(self) -> str:
        """The text that is embedded: what the entry is about, one field a line, absent ones left out.

        What is wanted of a partner (企業への期待) is about the collaboration, not the technology, and stays
        out. The order is fixed because the embedding key covers it.
        """
        parts = (
            self.title,
            self.translation_title,
            self.summary,
            self.expertise_sought,
            self.description,
            self.advantages,
            self.applications,
            self.open_challenges,
            self.translation_summary,
            ", ".join(self.keywords),
        )
        return "\n".join(part for part in parts if part)
