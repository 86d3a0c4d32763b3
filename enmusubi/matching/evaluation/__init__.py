"""The field's measures over judged pairs, through the production matchmaker."""

from enmusubi.matching.evaluation.beir import DatasetError
from enmusubi.matching.evaluation.measuring import Report, evaluate

__all__ = ["DatasetError", "Report", "evaluate"]
