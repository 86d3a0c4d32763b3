"""Would this identify you? What in the public text of an anonymous need may tell whose it is."""

from enmusubi.matching.identifying.checking import check
from enmusubi.matching.identifying.findings import Finding, Kind, Owner, Statistics, Suggestion, Sureness, Uses

__all__ = ["Finding", "Kind", "Owner", "Statistics", "Suggestion", "Sureness", "Uses", "check"]
