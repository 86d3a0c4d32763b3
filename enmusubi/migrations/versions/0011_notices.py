"""notices, their deliveries and webhooks; the tables of the job queue that sends them."""

from importlib import resources

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# The steps of Procrastinate's own tables, as the library brings them. One that a later version adds is run by a later
# migration of ours, never by this one.
QUEUE_STEPS = (
    "00.00.00_01_initial",
    "00.05.00_01_drop_started_at_column",
    "00.05.00_02_drop_started_at_column",
    "00.05.00_03_drop_procrastinate_version_table",
    "00.06.00_01_fix_procrastinate_fetch_job",
    "00.07.01_01_fix_trigger_status_events_insert",
    "00.08.01_01_add_queueing_lock_column",
    "00.10.00_01_close_fetch_job_race_condition",
    "00.10.00_02_add_defer_job_function",
    "00.11.00_03_add_procrastinate_periodic_defers",
    "00.12.00_01_add_foreign_key_index",
    "00.14.00_01_add_locks_to_periodic_defer",
    "00.15.02_01_fix_procrastinate_defer_periodic_job",
    "00.16.00_01_add_finish_job_and_retry_job_functions",
    "00.17.00_01_add_trigger_on_job_deletion",
    "00.17.00_02_delete_finished_jobs",
    "00.17.00_03_add_checks_to_finish_job",
    "00.17.00_04_add_checks_to_retry_job",
    "00.18.01_01_fix_finish_job_compat_issue",
    "00.19.00_01_add_index_on_procrastinate_jobs",
    "00.22.00_01_add_kwargs_to_defer_periodic_job",
    "00.23.00_01_null_locks_excluded",
    "01.00.00_01_remove_old_finish_job_function",
    "01.01.01_01_job_id_bigint",
    "02.00.03_01_add_job_priority",
    "02.05.00_01_add_periodic_job_priority",
    "02.06.00_01_add_cancel_states",
    "02.08.00_01_add_additional_params_to_retry_job",
    "02.14.01_01_add_indexes_for_fetch_job",
    "03.00.00_01_pre_cancel_notification",
    "03.00.00_50_post_cancel_notification",
    "03.01.00_01_pre_add_heartbeat",
    "03.01.00_50_post_add_heartbeat",
    "03.02.00_01_pre_batch_defer_jobs",
    "03.02.00_50_post_batch_defer_jobs",
    "03.03.00_01_pre_priority_lock_fetch_job",
    "03.04.00_01_pre_add_retry_failed_job_procedure",
    "03.04.00_50_post_add_retry_failed_job_procedure",
)

KINDS = (
    "interest_asked", "interest_answered", "introduction_closed", "disclosed", "step_due", "step_overdue", "handed_over",
    "entry_expiring", "entry_expired", "entry_reviewed", "entry_submitted", "declines_digest", "alert", "alert_digest",
    "import_finished", "webhook_off",
)  # fmt: skip
QUOTED_KINDS = ", ".join(f"'{kind}'" for kind in KINDS)

ROLE = "(select caller_role())"
HERE = "cluster_id = (select caller_cluster())"
SERVICE = f"{ROLE} = 'service'"
MANAGES = (
    f"{HERE} and case when organisation_id is null then {ROLE} in ('coordinator', 'cluster_administrator') "
    f"else organisation_id = (select caller_organisation()) and {ROLE} in ('company', 'university') end"
)
REACHED = (
    f"{SERVICE} or account_id = (select caller_account()) or "
    "exists (select from webhook_endpoints where webhook_endpoints.id = endpoint_id)"
)
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "notices": {
        # A reader, once it is written down that he is one; nobody else, nor who caused it.
        "select": f"{SERVICE} or exists (select from deliveries where deliveries.notice_id = notices.id)",
        "insert": (
            f"{SERVICE} or ({ROLE} <> 'auditor' and ({HERE} or exists (select from matches where "
            "matches.id = notices.match_id and matches.cluster_id = notices.cluster_id)))"
        ),
        "update": (SERVICE, SERVICE),
    },
    "webhook_endpoints": {
        "select": f"{SERVICE} or ({MANAGES})",
        "insert": f"{MANAGES} and created_by_id = (select caller_account())",
        "update": (f"{SERVICE} or ({MANAGES})", f"{SERVICE} or ({MANAGES})"),
        "delete": MANAGES,
    },
    "deliveries": {"select": REACHED, "insert": SERVICE, "update": (REACHED, REACHED)},
}

# Whose a notice is that goes to a side.
NEEDS_OWNER = (
    "(select owner_id from need_details where need_id = "
    "coalesce(notices.need_id, (select need_id from matches where matches.id = notices.match_id)))"
)
SEEDS_OWNER = (
    "(select organisation_id from seeds where seeds.id = "
    "coalesce(notices.seed_id, (select seed_id from matches where matches.id = notices.match_id)))"
)
# Whoever coordinates the match, where somebody does who is still there.
COORDINATOR = (
    "(select accounts.id from matches join accounts on accounts.active "
    "and accounts.id = matches.coordinator_id where matches.id = notices.match_id)"
)
# All but the last answer to the service's own work alone.
FUNCTIONS = {
    "recipients_of(notice bigint)": (
        "setof bigint",
        "select account.id from notices join accounts as account on account.active and case notices.audience "
        "when 'account' then account.id = notices.account_id "
        f"when 'need_side' then account.role = 'company' and account.organisation_id = {NEEDS_OWNER} "
        f"when 'seed_side' then account.role = 'university' and account.organisation_id = {SEEDS_OWNER} "
        "when 'administrators' then account.role = 'cluster_administrator' and account.cluster_id = notices.cluster_id "
        "else account.role = 'coordinator' and account.cluster_id = notices.cluster_id "
        f"and account.id = coalesce({COORDINATOR}, account.id) end "
        "where notices.id = notice and caller_role() = 'service'",
    ),
    "endpoints_of(notice bigint)": (
        "setof bigint",
        "select endpoint.id from notices join webhook_endpoints as endpoint "
        "on (endpoint.events = '{}' or notices.kind = any (endpoint.events)) and case notices.audience "
        f"when 'need_side' then endpoint.organisation_id = {NEEDS_OWNER} "
        f"when 'seed_side' then endpoint.organisation_id = {SEEDS_OWNER} "
        "when 'account' then false "
        "else endpoint.organisation_id is null and endpoint.cluster_id = notices.cluster_id end "
        "where notices.id = notice and caller_role() = 'service'",
    ),
    # Whom a letter goes to: nobody who has been deactivated or erased.
    "reader_of(account bigint)": (
        "table (name text, email text, language text, letters text)",
        "select name, email, language, letters from accounts where id = account and active "
        "and caller_role() = 'service'",
    ),
    # The public ids of what a notice is about, for its letter's link, whoever may see these things now.
    "things_of(notice bigint)": (
        "table (need uuid, seed uuid, match uuid)",
        "select (select public_id from needs where id = notices.need_id), "
        "(select public_id from seeds where id = notices.seed_id), "
        "(select public_id from matches where id = notices.match_id) "
        "from notices where id = notice and (caller_role() = 'service' or exists (select from deliveries "
        "where notice_id = notice and account_id = caller_account()))",
    ),
}

# A job in the transaction of what it is for: with it or not at all, whoever writes, and whatever that may do else.
QUEUED = """
create function {name}() returns trigger language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  perform procrastinate_defer_jobs_v1(array[
    row('notices', '{task}', 0, null, null, jsonb_build_object('{argument}', new.id), {when})
  ]::procrastinate_job_to_defer_v1[]);
  return null;
end $$
"""
# What no job is waiting for any more: its worker was killed, or it failed for a reason that may be gone.
REQUEUE = """
create function requeue_overdue(grace interval, most integer) returns bigint language sql security definer
set search_path = pg_catalog, public, pg_temp as $$
  with overdue as (
    select 'dispatch' as task, jsonb_build_object('notice', id) as args from notices
    where dispatched is null and created < now() - grace
    union all
    select 'deliver', jsonb_build_object('delivery', id) from deliveries
    where state = 'waiting' and next_attempt < now() - grace
  ), lost as (
    select * from overdue where not exists (select from procrastinate_jobs as job
      where job.status = 'todo' and job.task_name = overdue.task and job.args = overdue.args) limit most
  ), queued as (
    select unnest(procrastinate_defer_jobs_v1(array_agg(
      row('notices', task, 0, null, null, args, null)::procrastinate_job_to_defer_v1))) from lost
  )
  select count(*) from queued
$$
"""


def upgrade() -> None:
    _make_queue()
    op.add_column("accounts", sa.Column("letters", sa.Text(), server_default=sa.text("'all'"), nullable=False))
    op.create_check_constraint("letters", "accounts", "letters IN ('all', 'needed')")
    _make_tables()
    for signature, (returned, body) in FUNCTIONS.items():
        op.execute(
            f"create function {signature} returns {returned} language sql stable security definer "
            f"set search_path = pg_catalog, public, pg_temp as $$ {body} $$"
        )
    op.execute(QUEUED.format(name="notice_queued", task="dispatch", argument="notice", when="null"))
    op.execute(QUEUED.format(name="delivery_queued", task="deliver", argument="delivery", when="new.next_attempt"))
    op.execute("create trigger notice_queued after insert on notices for each row execute function notice_queued()")
    op.execute(
        "create trigger delivery_queued after insert or update of state, next_attempt on deliveries "
        "for each row when (new.state = 'waiting') execute function delivery_queued()"
    )
    op.execute(REQUEUE)
    for table, conditions in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy operator on {table} to current_user using (true) with check (true)")
        for command, condition in conditions.items():
            op.execute(f"create policy {command}_rows on {table} for {command} {_clauses(command, condition)}")


def _clauses(command: str, condition: str | tuple[str, str]) -> str:
    if isinstance(condition, tuple):
        return f"using ({condition[0]}) with check ({condition[1]})"
    return f"with check ({condition})" if command == "insert" else f"using ({condition})"


def _make_queue() -> None:
    folder = resources.files("procrastinate.sql") / "migrations"
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    for step in QUEUE_STEPS:
        # Several statements at once, with signs that would be taken for parameters: by the driver itself.
        driver.execute((folder / f"{step}.sql").read_text(encoding="utf-8"))


def _make_tables() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("former_secret", sa.Text(), nullable=True),
        sa.Column("rotated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(f"events <@ ARRAY[{QUOTED_KINDS}]", name=op.f("ck_webhook_endpoints_events")),
        sa.ForeignKeyConstraint(
            ["cluster_id", "organisation_id"],
            ["organisations.cluster_id", "organisations.id"],
            name=op.f("fk_webhook_endpoints_cluster_id_organisations"),
        ),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_webhook_endpoints_cluster_id_clusters")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["accounts.id"], name=op.f("fk_webhook_endpoints_created_by_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
        sa.UniqueConstraint("public_id", name=op.f("uq_webhook_endpoints_public_id")),
    )
    for column in ("cluster_id", "created_by_id", "organisation_id"):
        op.create_index(op.f(f"ix_webhook_endpoints_{column}"), "webhook_endpoints", [column])
    references = {
        "account_id": ("accounts", None),
        "cluster_id": ("clusters", None),
        "match_id": ("matches", "CASCADE"),
        "need_id": ("needs", "CASCADE"),
        "seed_id": ("seeds", "CASCADE"),
    }
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        *(sa.Column(f"{name}_id", sa.BigInteger(), nullable=True) for name in ("account", "need", "seed", "match")),
        sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dispatched", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("audience <> 'account' OR account_id IS NOT NULL", name=op.f("ck_notices_account")),
        sa.CheckConstraint(
            "audience <> 'need_side' OR num_nonnulls(need_id, match_id) > 0", name=op.f("ck_notices_need_side")
        ),
        sa.CheckConstraint(
            "audience <> 'seed_side' OR num_nonnulls(seed_id, match_id) > 0", name=op.f("ck_notices_seed_side")
        ),
        sa.CheckConstraint(
            "audience IN ('need_side', 'seed_side', 'coordinators', 'administrators', 'account')",
            name=op.f("ck_notices_audience"),
        ),
        sa.CheckConstraint(f"kind IN ({QUOTED_KINDS})", name=op.f("ck_notices_kind")),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_notices_{column}_{table}"), ondelete=ondelete
            )
            for column, (table, ondelete) in references.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("public_id", name=op.f("uq_notices_public_id")),
    )
    for column in references:
        op.create_index(op.f(f"ix_notices_{column}"), "notices", [column])
    op.create_index("ix_notices_undispatched", "notices", ["id"], postgresql_where=sa.text("dispatched IS NULL"))
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "CASE channel WHEN 'email' THEN account_id IS NOT NULL AND endpoint_id IS NULL "
            "ELSE endpoint_id IS NOT NULL AND account_id IS NULL END",
            name=op.f("ck_deliveries_reader"),
        ),
        sa.CheckConstraint("channel IN ('email', 'webhook')", name=op.f("ck_deliveries_channel")),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed', 'stopped')", name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_deliveries_account_id_accounts")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_deliveries_endpoint_id_webhook_endpoints"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_deliveries_notice_id_notices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deliveries_public_id")),
    )
    op.create_index(op.f("ix_deliveries_endpoint_id"), "deliveries", ["endpoint_id"])
    op.create_index("ix_deliveries_page", "deliveries", ["account_id", "created", "public_id"])
    op.create_index(
        "ix_deliveries_waiting", "deliveries", ["next_attempt"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index("uq_deliveries_account", "deliveries", ["notice_id", "account_id"], unique=True)
    op.create_index("uq_deliveries_endpoint", "deliveries", ["notice_id", "endpoint_id"], unique=True)


# What somebody is still to be told is not thrown away without a word.
KEPT = """
do $$ begin
  if exists (select from notices where dispatched is null) or exists (select from deliveries where state = 'waiting') then
    raise exception 'notices wait to be sent, which the older form cannot hold: let a worker send them first';
  end if;
end $$
"""
# Everything of the queue, whichever functions and types it consists of by now.
DROP_QUEUE = """
do $$ declare item record; begin
  for item in select oid::regprocedure::text as named from pg_proc
    where pronamespace = 'public'::regnamespace and proname like 'procrastinate%'
  loop execute 'drop function if exists ' || item.named || ' cascade'; end loop;
  drop table procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs, procrastinate_workers;
  for item in select oid::regtype::text as named from pg_type
    where typnamespace = 'public'::regnamespace and typname like 'procrastinate%' and typtype in ('e', 'c')
      and (typrelid = 0 or exists (select from pg_class where oid = typrelid and relkind = 'c'))
  loop execute 'drop type if exists ' || item.named || ' cascade'; end loop;
end $$
"""


def downgrade() -> None:
    op.execute(KEPT)
    op.execute("drop function requeue_overdue(interval, integer)")
    # A policy that asks another table stands in the way of dropping that.
    op.execute("drop policy select_rows on notices")
    for signature in reversed(FUNCTIONS):
        op.execute(f"drop function {signature.split('(')[0]}")
    for table in ("deliveries", "notices", "webhook_endpoints"):
        op.drop_table(table)
    op.execute("drop function notice_queued()")
    op.execute("drop function delivery_queued()")
    op.drop_constraint(op.f("ck_accounts_letters"), "accounts")
    op.drop_column("accounts", "letters")
    op.execute(DROP_QUEUE)
