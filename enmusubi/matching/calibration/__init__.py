"""How sure: the calibrated probability that a coordinator would find a match worth a look."""

from enmusubi.matching.calibration.features import DEPTH
from enmusubi.matching.calibration.fitting import PRIOR_LISTS, JudgedList, fit
from enmusubi.matching.calibration.measuring import (
    ReliabilityPoint,
    brier_skill_score,
    expected_calibration_error,
    reliability_table,
)
from enmusubi.matching.calibration.model import FLOOR, Calibration, Probability, no_good_match
from enmusubi.matching.calibration.shipped import shipped
from enmusubi.matching.calibration.validating import LEAST_LISTS, HeldOut, cross_validate

__all__ = [
    "DEPTH",
    "FLOOR",
    "LEAST_LISTS",
    "PRIOR_LISTS",
    "Calibration",
    "HeldOut",
    "JudgedList",
    "Probability",
    "ReliabilityPoint",
    "brier_skill_score",
    "cross_validate",
    "expected_calibration_error",
    "fit",
    "no_good_match",
    "reliability_table",
    "shipped",
]
