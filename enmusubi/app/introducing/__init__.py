"""Introductions by consent: steps of a match from its shortlisting to its outcome, the clock, and where things are."""
