"""posted files are looked through before they are read, and say of each row what became of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

DEFINER = "security definer set search_path = pg_catalog, public, pg_temp"
BY_CLOCK = "caller_role() = 'service'"
OLD = ("queued", "running", "finished", "failed", "cancelled")
NEW = ("checking", "mapping", *OLD)
# A look through a file is waited for in front of a page: it comes before files that are read to their end.
TO_RUN = f"""
create or replace function imports_to_run() returns table (
  import uuid, account bigint, account_public_id uuid, cluster bigint, organisation bigint, role text, active boolean
) language sql stable {DEFINER} as $$
  select imports.public_id, accounts.id, accounts.public_id, accounts.cluster_id, accounts.organisation_id,
    accounts.role, accounts.active
  from imports join accounts on accounts.id = imports.account_id
  where imports.state in ({{states}}) and {BY_CLOCK} order by {{order}}
$$
"""
# What nobody decided on goes with all it holds; of what was read, the rows to mend go before the report.
FORGET_UNDECIDED = f"""
create function forget_undecided_imports(age interval, mend_age interval) returns void language plpgsql volatile
{DEFINER} as $$
begin
  if caller_role() is distinct from 'service' then return; end if;
  delete from imports where state in ('checking', 'mapping') and created < now() - age;
  update imports set mend = null where mend is not null and finished < now() - mend_age;
end $$
"""
# In the transaction of what it is for; where several wait, the first does the work of all.
WAKE = f"""
create function wake_imports() returns trigger language plpgsql {DEFINER} as $$
begin
  perform procrastinate_defer_jobs_v1(array[
    row('imports', 'read-imports', 0, null, null, jsonb_build_object('timestamp', 0), null)
  ]::procrastinate_job_to_defer_v1[]);
  return null;
end $$
"""
OWN = "exists (select from imports where imports.id = import_id and imports.account_id = (select caller_account()))"


def _states(states: tuple[str, ...]) -> str:
    return ", ".join(f"'{state}'" for state in states)


def _constrain(states: tuple[str, ...], held: tuple[str, ...], open_: tuple[str, ...]) -> None:
    for name in ("ck_imports_state", "ck_imports_content"):
        op.drop_constraint(op.f(name), "imports")
    op.create_check_constraint(op.f("ck_imports_state"), "imports", f"state IN ({_states(states)})")
    op.create_check_constraint(
        op.f("ck_imports_content"), "imports", f"(state IN ({_states(held)})) = (content IS NOT NULL)"
    )
    op.drop_index("ix_imports_open", table_name="imports")
    op.create_index("ix_imports_open", "imports", ["id"], postgresql_where=sa.text(f"state IN ({_states(open_)})"))


def upgrade() -> None:
    op.add_column("imports", sa.Column("layout", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("imports", sa.Column("checked", postgresql.JSONB(), nullable=True))
    op.add_column("imports", sa.Column("mend", sa.LargeBinary(), nullable=True))
    _constrain(NEW, ("checking", "mapping", "queued", "running"), ("checking", "queued", "running"))
    op.create_table(
        "import_rows",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("entry", sa.Uuid(), nullable=False),
        sa.CheckConstraint("outcome IN ('new', 'changed', 'unchanged')", name=op.f("ck_import_rows_outcome")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_rows_import_id_imports"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_import_rows")),
    )
    op.execute("alter table import_rows enable row level security")
    op.execute("alter table import_rows force row level security")
    op.execute("create policy operator on import_rows to current_user using (true) with check (true)")
    op.execute(f"create policy select_rows on import_rows for select using ({OWN})")
    op.execute(f"create policy insert_rows on import_rows for insert with check ({OWN})")
    op.execute(TO_RUN.format(states=_states(("checking", "queued", "running")),
                             order="imports.state <> 'checking', imports.id"))  # fmt: skip
    op.execute(FORGET_UNDECIDED)
    op.execute(WAKE)
    op.execute(
        "create trigger imports_wake after insert or update of state on imports for each row "
        "when (new.state in ('checking', 'queued')) execute function wake_imports()"
    )


def downgrade() -> None:
    # Nobody has decided that these are to be entered: they are posted again.
    op.execute("delete from imports where state in ('checking', 'mapping')")
    op.execute("drop trigger imports_wake on imports")
    op.execute("drop function wake_imports()")
    op.execute("drop function forget_undecided_imports(interval, interval)")
    op.execute(TO_RUN.format(states=_states(("queued", "running")), order="imports.id"))
    op.drop_table("import_rows")
    _constrain(OLD, ("queued", "running"), ("queued", "running"))
    for name in ("mend", "checked", "layout"):
        op.drop_column("imports", name)
