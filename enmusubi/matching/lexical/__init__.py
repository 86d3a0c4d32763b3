"""Lexical side of matching: the words a text is found by, and its language. Importing this loads no dictionary."""

from enmusubi.matching.lexical.analysis import analysis_fingerprint, phrases, spans, terms
from enmusubi.matching.lexical.languages import language_of

__all__ = ["analysis_fingerprint", "language_of", "phrases", "spans", "terms"]
