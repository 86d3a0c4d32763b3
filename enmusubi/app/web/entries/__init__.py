"""Needs, seeds and matches: their lists and pages, for every role, and the steps that are taken there."""
