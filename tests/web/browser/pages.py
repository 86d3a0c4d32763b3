"""Every page that there is, and who is shown on it in the tests of all pages."""

from typing import Final

from enmusubi.app.vocabulary import Role

STRANGER: Final = None
PAGES: Final[tuple[tuple[Role | None, str], ...]] = (
    (STRANGER, "/sign-in"),
    (STRANGER, "/nothing/here"),
    *((Role.COMPANY, path) for path in ("/needs?mine=true", "/needs?q=nothing", "/seeds", "/work", "/matches/{match}")),
    *((Role.COMPANY, f"/needs/{{need}}{part}") for part in ("", "/views", "/check", "/withdraw")),
    *((Role.UNIVERSITY, path) for path in ("/seeds?mine=true", "/seeds/{seed}", "/needs", "/needs/{need}")),
    *((Role.COORDINATOR, path) for path in ("/needs", "/needs/{need}", "/seeds/{seed}", "/matches/{match}")),
    *((Role.COORDINATOR, path) for path in ("/waiting", "/work", "/hand-over", "/seeds/{seed}/views")),
)
"""`{need}`, `{seed}` and `{match}` stand for the first of the role's lists."""
