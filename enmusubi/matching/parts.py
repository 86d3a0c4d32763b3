"""The parts of a long need: a seed that answers one of them well is a match, whatever the rest asks for."""

from enmusubi.matching.reasons.splitting import RULES as SPLITTING
from enmusubi.matching.reasons.splitting import split

RULES = f"parts 2, sentences {SPLITTING}"
"""Names what decides the parts of a text; raise the number when a change here changes them."""

# About 110 tokens of the bundled model: whole sentences up to so many characters make one part.
_CHARACTERS = 500
_CHARACTERS_DENSE = 200
_MOST = 32
"""Parts of one text: longer texts have longer parts."""
_DENSE = frozenset({"ja", "zh", "ko"})


def parts_of(text: str, language: str) -> list[str]:
    """The text in parts of whole sentences, in order; none for a text that is one part only."""
    longest = _CHARACTERS_DENSE if language in _DENSE else _CHARACTERS
    if len(text) <= longest:
        return []
    longest = max(longest, -(-len(text) // _MOST))
    parts: list[tuple[int, int]] = []
    for start, end in split(text):
        if parts and end - parts[-1][0] <= longest:
            parts[-1] = (parts[-1][0], end)
        else:
            parts.append((start, end))
    return [text[start:end] for start, end in parts] if len(parts) > 1 else []
