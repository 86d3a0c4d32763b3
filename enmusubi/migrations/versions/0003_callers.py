"""the account that asks, as policies read it; the auditor."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Settings of the transaction, which the service makes from the account behind a token or session. Empty: nobody.
CALLER = {"account": "bigint", "role": "text", "cluster": "bigint", "organisation": "bigint"}
ROLES = "role IN ('company', 'university', 'coordinator', 'cluster_administrator', 'auditor')"
ROLES_BEFORE = "role IN ('company', 'university', 'coordinator', 'cluster_administrator')"
WITHOUT = "organisation_id IS NOT NULL OR role IN ('coordinator', 'cluster_administrator', 'auditor')"
WITHOUT_BEFORE = "organisation_id IS NOT NULL OR role IN ('coordinator', 'cluster_administrator')"


def upgrade() -> None:
    for name, kind in CALLER.items():
        op.execute(
            f"create function caller_{name}() returns {kind} language sql stable parallel safe "
            f"return nullif(current_setting('enmusubi.{name}', true), '')::{kind}"
        )
    _constrain(ROLES, WITHOUT)


def downgrade() -> None:
    _constrain(ROLES_BEFORE, WITHOUT_BEFORE)
    for name in CALLER:
        op.execute(f"drop function caller_{name}()")


def _constrain(roles: str, without: str) -> None:
    for name, condition in (("role", roles), ("organisation", without)):
        op.drop_constraint(op.f(f"ck_accounts_{name}"), "accounts")
        op.create_check_constraint(op.f(f"ck_accounts_{name}"), "accounts", condition)
