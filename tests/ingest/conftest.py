"""Fixtures of the ingest's tests."""

from tests.databases import own, template

__all__ = ["own", "template"]
