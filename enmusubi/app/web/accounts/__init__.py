"""Everything about people: their account, notices, invitations, and what a cluster's office does."""

from typing import Final

from enmusubi.app.web.accounts import (
    cluster,
    confirming,
    inviting,
    joining,
    notices,
    organisations,
    own,
    people,
    record,
    resetting,
    searches,
    stopping,
    tokens,
    webhooks,
)

ROUTERS: Final = tuple(
    part.router
    for part in (
        own, confirming, tokens, searches, notices, joining, resetting, stopping, people, inviting, cluster,
        organisations, webhooks, record,
    )
)  # fmt: skip
