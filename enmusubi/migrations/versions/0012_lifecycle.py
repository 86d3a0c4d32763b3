"""lifecycle: settings of clusters, review before publication, expiry by the clock, imports through the API."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLE = "(select caller_role())"
CLUSTER = "(select caller_cluster())"
ORGANISATION = "(select caller_organisation())"
ACCOUNT = "(select caller_account())"
OVERSEES = f"{ROLE} in ('coordinator', 'cluster_administrator', 'auditor')"
REVIEWS = f"{ROLE} in ('coordinator', 'cluster_administrator')"
CLUSTERS_ID = "(select public_id from clusters where id = caller_cluster())"
STATES = "'published', 'on_hold'"
TABLES = ("seeds", "needs")

# Who reviews an entry need not be allowed to change its words: this puts it into its status, and does nothing else.
REVIEW = """
create function review_{entry}(entry bigint, of_version integer, verdict text, today date) returns integer
language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
  update {table} set
    status = case when verdict = 'reject' then 'rejected' when status = 'under_review' then 'published' else status end,
    published_on = case when verdict = 'reject' then null else coalesce(published_on, today) end,
    review_due = false, version = version + 1, last_modified = now()
  where id = entry and version = of_version and submitted and cluster_id = caller_cluster()
    and caller_role() in ('coordinator', 'cluster_administrator') and verdict in ('approve', 'reject')
    and (status = 'under_review' or (review_due and status in ('published', 'on_hold')))
  returning version
$$
"""

# For the service's own clock, and for whoever has the owner's rights; for no account.
BY_CLOCK = "coalesce(caller_role(), 'service') = 'service'"
EXPIRE = f"""
create function expire_{{table}}(today date, most integer)
returns table (id bigint, public_id uuid, version integer, cluster_id bigint, owned boolean, before text)
language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
  with over as (
    select e.id, e.status from {{table}} as e where e.status in ({STATES}) and e.expires_on < today and {BY_CLOCK}
    order by e.id limit most for update skip locked
  )
  update {{table}} as entry set status = 'expired', version = entry.version + 1, last_modified = now()
  from over where entry.id = over.id
  returning entry.id, entry.public_id, entry.version, entry.cluster_id, {{owned}}, over.status
$$
"""
# Whether there is somebody to tell; not who.
OWNED = {
    "seeds": "entry.organisation_id is not null",
    "needs": "exists (select from need_details as d where d.need_id = entry.id and d.owner_id is not null)",
}
NOTICE = f"""
create function notice_expiring_{{table}}(today date, until date, most integer)
returns table (id bigint, cluster_id bigint, owned boolean, expires_on date)
language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
  with due as (
    select e.id from {{table}} as e where e.status in ({STATES}) and e.expires_on between today and until
      and e.expiry_noticed_on is null and {BY_CLOCK}
    order by e.id limit most for update skip locked
  )
  update {{table}} as entry set expiry_noticed_on = today from due where entry.id = due.id
  returning entry.id, entry.cluster_id, {{owned}}, entry.expires_on
$$
"""

SEEN_SEED = (
    "exists (select from seeds where seeds.id = seed_id and "
    f"(seeds.organisation_id = {ORGANISATION} or ({OVERSEES} and seeds.cluster_id = {CLUSTER})))"
)
SEEN_NEED = (
    "need_id in (select own_needs()) or "
    f"exists (select from needs where needs.id = need_id and {OVERSEES} and needs.cluster_id = {CLUSTER})"
)
REVIEWED_HERE = (
    f"exists (select from seeds where seeds.id = seed_id and seeds.cluster_id = {CLUSTER}) or "
    f"exists (select from needs where needs.id = need_id and needs.cluster_id = {CLUSTER})"
)
# Which posted files are to be read, and on whose behalf; what they hold is read as that account.
IMPORTS_TO_RUN = f"""
create function imports_to_run() returns table (
  import uuid, account bigint, account_public_id uuid, cluster bigint, organisation bigint, role text, active boolean
) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select imports.public_id, accounts.id, accounts.public_id, accounts.cluster_id, accounts.organisation_id,
    accounts.role, accounts.active
  from imports join accounts on accounts.id = imports.account_id
  where imports.state in ('queued', 'running') and {BY_CLOCK} order by imports.id
$$
"""
FORGET_IMPORTS = f"""
create function forget_old_imports(age interval) returns void language sql volatile security definer
set search_path = pg_catalog, public, pg_temp as $$
  delete from imports where finished < now() - age and {BY_CLOCK}
$$
"""
OWN = f"account_id = {ACCOUNT}"
ADMINISTERED = f"cluster_id = {CLUSTER} and {ROLE} = 'cluster_administrator'"
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "publication_reviews": {
        "select": f"{SEEN_SEED} or {SEEN_NEED}",
        "insert": f"{REVIEWS} and account_id = {ACCOUNT} and ({REVIEWED_HERE})",
    },
    "imports": {
        "select": OWN,
        "insert": f"{OWN} and cluster_id = {CLUSTER} and {ROLE} in ('company', 'university', 'coordinator')",
        "update": (OWN, OWN),
    },
}


def upgrade() -> None:
    op.add_column(
        "cluster_settings",
        sa.Column("review_before_publication", sa.Text(), server_default=sa.text("'off'"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_cluster_settings_review_before_publication"),
        "cluster_settings",
        "review_before_publication IN ('off', 'seeds', 'needs', 'both')",
    )
    for table in TABLES:
        op.add_column(table, sa.Column("published_on", sa.Date(), nullable=True))
        op.add_column(table, sa.Column("review_due", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        op.add_column(table, sa.Column("expiry_noticed_on", sa.Date(), nullable=True))
    for table in ("seeds", "need_details"):
        op.add_column(table, sa.Column("submitted_by_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_submitted_by_id_accounts"), table, "accounts", ["submitted_by_id"], ["id"]
        )
    for table in TABLES:
        # What was published before there were reviews was not to be looked at. No index has to be built anew for it.
        op.execute(f"alter table {table} disable trigger {table}_stamp_change")
        op.execute(
            f"update {table} set published_on = created::date "
            "where submitted and status in ('published', 'on_hold', 'expired')"
        )
        op.execute(f"alter table {table} enable trigger {table}_stamp_change")
        op.create_index(f"ix_{table}_expiry", table, ["expires_on"], postgresql_where=sa.text(f"status IN ({STATES})"))
        op.create_index(
            f"ix_{table}_waiting",
            table,
            ["cluster_id", "created", "public_id"],
            postgresql_where=sa.text("status = 'under_review' OR review_due"),
        )
        op.execute(REVIEW.format(table=table, entry=table[:-1]))
        op.execute(EXPIRE.format(table=table, owned=OWNED[table]))
        op.execute(NOTICE.format(table=table, owned=OWNED[table]))
    op.create_table(
        "publication_reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("seed_id", sa.BigInteger(), nullable=True),
        sa.Column("need_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("entry_version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name=op.f("ck_publication_reviews_entry")),
        sa.CheckConstraint("verdict IN ('approve', 'reject')", name=op.f("ck_publication_reviews_verdict")),
        sa.CheckConstraint(
            "verdict <> 'reject' OR reason IS NOT NULL", name=op.f("ck_publication_reviews_rejection_reason")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_publication_reviews_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name=op.f("fk_publication_reviews_need_id_needs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["seed_id"], ["seeds.id"], name=op.f("fk_publication_reviews_seed_id_seeds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication_reviews")),
        sa.UniqueConstraint("public_id", name=op.f("uq_publication_reviews_public_id")),
    )
    for column in ("need_id", "seed_id"):
        op.create_index(op.f(f"ix_publication_reviews_{column}"), "publication_reviews", [column])
    _create_imports()
    op.execute(IMPORTS_TO_RUN)
    op.execute(FORGET_IMPORTS)
    for table, conditions in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy operator on {table} to current_user using (true) with check (true)")
        for command, condition in conditions.items():
            op.execute(f"create policy {command}_rows on {table} for {command} {_clauses(command, condition)}")


def _create_imports() -> None:
    counted = ("attempts", "batches", "read", "new", "changed", "unchanged", "rejected", "waiting", "problems_found")
    listed = ("refused", "problems", "headings", "notes", "identifying")
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "source", "file", "state")),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False) for name in counted),
        *(sa.Column(name, postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False) for name in listed),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in ("started", "finished")),
        sa.CheckConstraint("kind IN ('seeds', 'needs')", name=op.f("ck_imports_kind")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'finished', 'failed', 'cancelled')", name=op.f("ck_imports_state")
        ),
        sa.CheckConstraint("(state IN ('queued', 'running')) = (content IS NOT NULL)", name=op.f("ck_imports_content")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_imports_account_id_accounts")),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_imports_cluster_id_clusters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("public_id", name=op.f("uq_imports_public_id")),
    )
    op.create_index("ix_imports_page", "imports", ["account_id", "created", "public_id"])
    op.create_index("ix_imports_open", "imports", ["id"], postgresql_where=sa.text("state IN ('queued', 'running')"))


def _clauses(command: str, condition: str | tuple[str, str]) -> str:
    if isinstance(condition, tuple):
        return f"using ({condition[0]}) with check ({condition[1]})"
    return f"with check ({condition})" if command == "insert" else f"using ({condition})"


# Whoever wrote the reason of a review wrote it for its owner: it is not thrown away without a word.
KEPT = """
do $$ begin
  if exists (select from publication_reviews) then
    raise exception 'entries have been reviewed before publication, which the older form cannot hold: export them first';
  end if;
end $$
"""


def downgrade() -> None:
    op.execute(KEPT)
    op.drop_table("publication_reviews")
    op.execute("drop function forget_old_imports(interval)")
    op.execute("drop function imports_to_run()")
    op.drop_table("imports")
    for table in TABLES:
        op.execute(f"drop function notice_expiring_{table}(date, date, integer)")
        op.execute(f"drop function expire_{table}(date, integer)")
        op.execute(f"drop function review_{table[:-1]}(bigint, integer, text, date)")
        op.drop_index(f"ix_{table}_waiting", table_name=table)
        op.drop_index(f"ix_{table}_expiry", table_name=table)
    for table in ("seeds", "need_details"):
        op.drop_constraint(op.f(f"fk_{table}_submitted_by_id_accounts"), table)
        op.drop_column(table, "submitted_by_id")
    for table in TABLES:
        for column in ("published_on", "review_due", "expiry_noticed_on"):
            op.drop_column(table, column)
    op.drop_column("cluster_settings", "review_before_publication")
