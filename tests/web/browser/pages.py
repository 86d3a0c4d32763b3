"""Every page that there is, and who is shown on it in the tests of all pages."""

from typing import Final

from enmusubi.app.vocabulary import Role

STRANGER: Final = None
PAGES: Final[tuple[tuple[Role | None, str], ...]] = (
    (STRANGER, "/sign-in"),
    (STRANGER, "/nothing/here"),
    (Role.COORDINATOR, "/queue"),
    (Role.COORDINATOR, "/queue?match=first"),
)
"""`{need}`, `{seed}` and `{match}` stand for the first of the role's lists."""
