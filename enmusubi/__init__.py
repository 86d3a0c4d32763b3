"""Enmusubi (縁結び): matching of technology seeds and company needs."""

__version__ = "0.1.0"
