"""The calibration an installation has before it has judgements of its own."""

from functools import cache
from importlib.resources import files

from enmusubi.matching.calibration.model import Calibration


@cache
def shipped() -> Calibration:
    """The calibration in default.json; docs/decisions/0013-calibration.md says what it was fitted on."""
    return Calibration.from_json((files(__package__) / "default.json").read_text(encoding="utf-8"))
