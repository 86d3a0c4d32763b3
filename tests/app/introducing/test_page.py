"""The page on introductions shows the machine of the code."""

import re

from enmusubi.app.models import ClusterSettings
from enmusubi.app.schemas import Terms
from enmusubi.app.stepping.machine import RULES
from enmusubi.app.vocabulary import MatchStatus
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "introductions.md").read_text(encoding="utf-8")


def test_the_table_of_the_page_is_that_of_the_code() -> None:
    """Each step with where it comes from, where it leads, and who takes it."""
    for step, rule in RULES.items():
        before = ", ".join(status for status in MatchStatus if status in rule.before)
        after = rule.after or "stays"
        assert f"| `{step}` | {before} | {after} | {', '.join(rule.actors)} |" in PAGE, step


def test_the_terms_of_the_page_are_those_of_the_code() -> None:
    """Every setting with its default, as a new cluster has it."""
    settings = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    columns = ClusterSettings.__table__.columns
    for name, field in Terms.model_fields.items():
        assert f"| `{name}` | {field.default} |" in settings, name
        assert columns[name].default.arg == field.default, name


def test_the_picture_of_the_page_is_that_of_the_code() -> None:
    """Every arrow is a step, and every step that leads somewhere else is on an arrow."""
    drawn = set()
    for before, after, label in re.findall(r"^ +(\w+) --> (\w+): (.+)$", PAGE, re.MULTILINE):
        drawn |= {(name, before, after) for name in re.findall(r"[a-z_]+", re.sub(r"\(.*\)", "", label))}
    moves = {
        (str(step), str(before), str(rule.after))
        for step, rule in RULES.items()
        for before in rule.before
        if rule.after not in (None, before)
    }
    assert drawn == moves
