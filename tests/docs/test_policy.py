"""The page on security shows the policy of the code, and names tests that are there."""

import re

from enmusubi.app.vocabulary import Role
from tests.docs.pages import ROOT
from tests.docs.policy import table

SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_policy_on_the_page_is_that_of_the_code() -> None:
    """Where it is not: print it anew with `python -m tests.docs.policy`."""
    assert table() in SECURITY


def test_tests_that_the_page_names_are_there() -> None:
    """Files by their path, tests in the file named before them."""
    file = ""
    named = re.findall(r"`(tests/[\w/]+\.py)`|`(test_\w+)`", SECURITY)
    assert len(named) > 20
    for path, test in named:
        if path:
            file = (ROOT / path).read_text(encoding="utf-8")
        else:
            assert f"def {test}(" in file, test


def test_the_api_s_page_tells_of_every_role() -> None:
    """Both tables of roles have a column for each."""
    heads = [line for line in API.splitlines() if re.match(r"\| \| company ", line)]
    wanted = ["", *(str(role).replace("_", " ") for role in Role)]
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in heads] == [wanted] * 2
