"""Learning the few weights of the ranking from an installation's reviews, cautiously (decision record 0014)."""

from enmusubi.matching.learning.learner import Learned, learn
from enmusubi.matching.learning.reviews import Decision

__all__ = ["Decision", "Learned", "learn"]
