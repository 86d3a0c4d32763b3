"""what a company's ranking says of a match, apart from what a ranking says that knows others' needs."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TOLD = ("company_probability", "company_probability_low", "company_probability_high")


def upgrade() -> None:
    # What is stored was ranked by statistics of all needs: its company is told nothing of it until it looks again.
    op.add_column("matches", sa.Column("needs_unknown", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for name in TOLD:
        op.add_column("matches", sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    for name in reversed(TOLD):
        op.drop_column("matches", name)
    op.drop_column("matches", "needs_unknown")
