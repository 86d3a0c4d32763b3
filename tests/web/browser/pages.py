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
    (STRANGER, "/invitation"),
    (STRANGER, "/forgotten"),
    (STRANGER, "/new-password"),
    (STRANGER, "/stop-alerts?secret=enx_x"),
    (Role.COMPANY, "/account"),
    (Role.COMPANY, "/account/password"),
    (Role.COMPANY, "/account/confirm"),
    (Role.COORDINATOR, "/account/tokens/new"),
    (Role.COMPANY, "/account/searches"),
    (Role.UNIVERSITY, "/account/searches/new"),
    (Role.COORDINATOR, "/notices"),
    (Role.COMPANY, "/people"),
    (Role.CLUSTER_ADMINISTRATOR, "/people"),
    (Role.CLUSTER_ADMINISTRATOR, "/people/invite"),
    (Role.CLUSTER_ADMINISTRATOR, "/settings"),
    (Role.COORDINATOR, "/settings"),
    (Role.COORDINATOR, "/organisations"),
    (Role.COORDINATOR, "/organisations/new"),
    (Role.UNIVERSITY, "/organisations"),
    (Role.CLUSTER_ADMINISTRATOR, "/webhooks"),
    (Role.CLUSTER_ADMINISTRATOR, "/webhooks/new"),
    (Role.CLUSTER_ADMINISTRATOR, "/record"),
    (Role.COMPANY, "/needs/new"),
    (Role.COMPANY, "/needs/{need}/edit"),
    (Role.COORDINATOR, "/needs/new"),
    (Role.COORDINATOR, "/seeds/{seed}/edit"),
    (Role.UNIVERSITY, "/seeds/new"),
    (Role.COORDINATOR, "/board"),
    (Role.COORDINATOR, "/board/map"),
    (Role.COORDINATOR, "/board/chain"),
    (Role.COMPANY, "/board/map"),
    (Role.COORDINATOR, "/queue"),
    (Role.COORDINATOR, "/queue?match=first"),
)
"""`{need}`, `{seed}` and `{match}` stand for the first of the role's lists."""
