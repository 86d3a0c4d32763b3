"""Exports by the pages."""
