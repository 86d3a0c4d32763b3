"""The field's measures over judged pairs, through the production matchmaker, and rankings against each other."""

from enmusubi.matching.evaluation.beir import DatasetError
from enmusubi.matching.evaluation.configurations import UnknownConfigurationError
from enmusubi.matching.evaluation.exposure import Exposure, exposure_of
from enmusubi.matching.evaluation.measuring import Asks, Report, evaluate
from enmusubi.matching.evaluation.runs import trec_lines

__all__ = [
    "Asks",
    "DatasetError",
    "Exposure",
    "Report",
    "UnknownConfigurationError",
    "evaluate",
    "exposure_of",
    "trec_lines",
]
