"""What the service's role may do: this table, no more; given after the migrations, in the same transaction."""

import logging
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, text

from enmusubi.app.database import ServiceRole
from enmusubi.app.errors import ConfigurationError

logger = logging.getLogger(__name__)

_READ: Final = ("SELECT",)
_ADD: Final = ("SELECT", "INSERT")
_CHANGE: Final = ("SELECT", "INSERT", "UPDATE")
_ALL: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")

TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": _READ,  # made by commands and functions; some columns are changed, see below
    "alembic_version": _READ,
    "alert_settings": _CHANGE,
    "alert_stops": ("INSERT",),  # used by a function alone
    "alerts": _CHANGE,
    "api_tokens": _CHANGE,
    "clusters": _READ,
    "declines": (),
    "cluster_settings": ("SELECT", "UPDATE"),  # a trigger adds the row of a new cluster
    "deliveries": _CHANGE,
    "disclosures": _ADD,  # what was told is told
    "fittings": _READ,  # fitted and taken into use by commands
    "idempotent_replies": _CHANGE,  # old ones are forgotten by a function
    "import_rows": _ADD,  # forgotten with their import
    "imports": _CHANGE,  # old ones are forgotten by a function
    "indicator_events": _READ,  # a view, which shows what its reader may see
    "indicator_figures": _READ,  # counted by a function
    "indicator_states": _READ,
    "interests": _ALL,  # asked anew where a match is taken up again
    "invitations": _CHANGE,
    "map_drawings": _CHANGE,
    "map_positions": _ALL,  # drawn anew by the worker
    "match_steps": _ADD,  # what happened has happened
    "matches": _CHANGE,
    "need_details": _CHANGE,
    "need_exclusions": _ALL,
    "need_openings": _ALL,
    "needs": _CHANGE,  # withdrawn, never deleted
    "notices": _CHANGE,
    "oidc_sign_ins": (),  # by functions alone
    "organisations": _CHANGE,
    "origins": ("SELECT", "INSERT", "DELETE"),
    "outcomes": _ADD,
    "passages": _ALL,
    "password_resets": (),
    "publication_reviews": _ADD,
    "queue_views": _ALL,
    # The worker's own, by the library's functions; ids and times alone.
    "procrastinate_events": _ADD,
    "procrastinate_jobs": _ALL,
    "procrastinate_periodic_defers": _ALL,
    "procrastinate_workers": _ALL,
    "record_actors": _READ,
    "record_events": _ADD,  # a record that its writer could change would be none
    "reviews": _ADD,
    "saved_searches": _ALL,
    "seed_details": _ALL,
    "seed_openings": _ALL,
    "seeds": _CHANGE,
    "sessions": _ALL,
    "step_actors": _ADD,
    "throttles": (),
    "to_match": ("SELECT", "UPDATE", "DELETE"),  # a trigger adds what is published
    "waits": _CHANGE,
    "webhook_endpoints": _ALL,
}
"""Privileges by table. Keys of rows are identities, which need no privilege of their sequences."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": ("name", "language", "password_hash", "oidc_issuer", "oidc_subject", "active", "letters"),
}
"""Of these tables it may change these columns alone: nobody's role, cluster or organisation, nor its address."""

SEQUENCES: Final = frozenset(
    {
        *("needs_id_seq", "notices_id_seq"),
        *("procrastinate_events_id_seq", "procrastinate_jobs_id_seq", "procrastinate_periodic_defers_id_seq"),
    }
)
"""But for these: keys that are drawn before the row is written, and those of the library's tables."""

FUNCTIONS: Final = frozenset(
    {
        # the account that asks
        *("caller_account", "caller_role", "caller_cluster", "caller_organisation"),
        # what policies ask of tables whose own policies ask back
        *(
            "seeds_opened_here",
            "needs_opened_here",
            "own_needs",
            "own_seeds",
            "handles_need",
            "handles_seed",
            "excludes",
        ),
        "own_matches",  # and what a list of one's own begins with
        *("excluded_organisations", "needs_excluding", "organisation_of", "has_open_entries", "veils"),
        "owners_outlined",
        *("match_sides", "unowned_sides", "introduced_seeds", "introduced_needs", "introduction_parties"),
        *("sides_without_people", "left_alone"),
        *("changed_seeds", "changed_needs"),  # for the index
        *("review_seed", "review_need"),  # who reviews an entry may not change its words
        *("expire_seeds", "expire_needs", "notice_expiring_seeds", "notice_expiring_needs"),  # for the clock
        "indicators_count",
        "origins_loop",
        "forget_old_replies",
        *("imports_to_run", "forget_old_imports", "forget_undecided_imports"),
        # before it is known who asks, each about one secret
        *("caller_of_token", "caller_of_session", "account_of_email", "account_of_subject"),
        *(
            "open_invitation",
            "accept_invitation",
            "begin_reset",
            "open_reset",
            "accept_reset",
            "begin_oidc",
            "end_oidc",
        ),
        *("throttle_take", "lockout_attempt", "lockout_forget", "end_session"),
        # of what was turned down, for the service alone
        *("standing_declines", "end_decline", "declines_counted"),
        *("untold_declines", "note_declines_told"),
        # of alerts
        *("alert_readers", "stop_alerts"),
        # of notices, for the worker
        *("recipients_of", "endpoints_of", "reader_of", "things_of", "requeue_overdue"),
        "forget_old_notices",
        *("procrastinate_defer_jobs_v1", "procrastinate_defer_periodic_job_v2", "procrastinate_fetch_job_v2"),
        *("procrastinate_finish_job_v1", "procrastinate_cancel_job_v1", "procrastinate_retry_job_v1"),
        *("procrastinate_retry_job_v2", "procrastinate_register_worker_v1", "procrastinate_unregister_worker_v1"),
        *("procrastinate_update_heartbeat_v1", "procrastinate_prune_stalled_workers_v1"),
        # of the record
        *("record_chain", "record_links", "record_head", "record_time", "actor_named"),
    }
)
"""Functions it may call; none of a trigger's, which the trigger calls for everybody."""

OWNERS: Final = frozenset(
    {
        *("record_digest", "record_hash", "record_actor_of", "record_retain", "record_erase"),
        *("text_digest", "seed_facts", "need_facts", "keep_decline"),
    }
)
"""Functions of the owner alone: what other functions are made of, and what empties and forgets."""


def apply(connection: Connection, service: ServiceRole | None) -> None:
    """Bring privileges to what the tables above say, taking back all else; run in the migrations' transaction.

    What everybody may do is taken back in any case, where the connection's role is allowed to. Raises
    ConfigurationError where the service's role is missing and cannot be made.
    """
    if service is not None:
        _ensure_role(connection, service)
    quote = connection.dialect.identifier_preparer.quote_identifier
    role = None if service is None else quote(service.name)
    losing = "public" if role is None else f"public, {role}"
    statements = []
    for table in _owned_tables(connection):
        statements.append(f"revoke all on table {quote(table)} from {losing}")
        if role is not None and TABLES.get(table):
            statements.append(f"grant {', '.join(TABLES[table])} on table {quote(table)} to {role}")
        if role is not None and table in COLUMNS:
            statements.append(f"grant update ({', '.join(COLUMNS[table])}) on table {quote(table)} to {role}")
    sequences = _owned_sequences(connection)
    statements += [f"revoke all on sequence {quote(sequence)} from {losing}" for sequence in sequences]
    if role is not None:
        drawn = SEQUENCES.intersection(sequences)
        statements += [f"grant usage on sequence {quote(sequence)} to {role}" for sequence in sorted(drawn)]
    for name, signature in _owned_functions(connection):
        statements.append(f"revoke all on routine {signature} from {losing}")
        if role is not None and name in FUNCTIONS:
            statements.append(f"grant execute on routine {signature} to {role}")
    # The owner's own policy names a role: after a restore that may be another one.
    policies = connection.scalars(text("select tablename::text from pg_policies where policyname = 'operator'"))
    statements += [f"alter policy operator on {quote(table)} to current_user" for table in sorted(policies)]
    statements += _on_database(connection, role)
    for statement in statements:
        connection.exec_driver_sql(statement)


def unfitness(connection: Connection, role: str | None = None) -> str | None:
    """Why a role, by default the connection's, must not run the service, and the fix; None where it may."""
    found = connection.execute(
        text(
            "select rolname, rolsuper, rolbypassrls, rolcreaterole, "
            "exists (select from pg_class where relnamespace = to_regnamespace('public') and relkind in ('r', 'p') "
            "and pg_has_role(r.oid, relowner, 'member')) as owns, "
            "exists (select from pg_roles o where (o.rolsuper or o.rolbypassrls) and o.oid <> r.oid "
            "and pg_has_role(r.oid, o.oid, 'member')) as becomes "
            "from pg_roles r where rolname = coalesce(:role, current_user)"
        ),
        {"role": role},
    ).one_or_none()
    if found is None:
        return None
    faults = (
        (found.rolsuper, "is a superuser"),
        (found.rolbypassrls, "may bypass row-level security"),
        (found.rolcreaterole, "may make roles"),
        (found.owns, "owns the tables or may become their owner"),
        (found.becomes, "may become a role that bypasses row-level security"),
    )
    told = next((fault for is_so, fault in faults if is_so), None)
    if told is None:
        return None
    return (
        f"the service's role {found.rolname} {told}, so the database would not keep confidential rows from it; set "
        "ENMUSUBI_OPERATOR_DATABASE_URL to the owner, ENMUSUBI_DATABASE_URL to a role without rights, and run "
        "`enmusubi migrate`"
    )


def check_fit(connection: Connection, *, allow_owner: bool) -> None:
    """Raise ConfigurationError where the connection's role must not run the service; warn where that is allowed."""
    told = unfitness(connection)
    if told is None:
        return
    if not allow_owner:
        raise ConfigurationError(told)
    logger.warning("NOT FOR REAL DATA (ENMUSUBI_ALLOW_OWNER_SERVICE is set): %s", told)


def _ensure_role(connection: Connection, service: ServiceRole) -> None:
    known = connection.scalar(text("select 1 from pg_roles where rolname = :name"), {"name": service.name})
    name = connection.dialect.identifier_preparer.quote_identifier(service.name)
    options = "login nosuperuser nobypassrls nocreatedb nocreaterole noreplication"
    if not known:
        may = connection.scalar(text("select rolcreaterole or rolsuper from pg_roles where rolname = current_user"))
        if not may or not service.password:
            raise ConfigurationError(
                f"there is no role {service.name} for the service (ENMUSUBI_DATABASE_URL); make it as an administrator "
                f"of the server and run `enmusubi migrate` again: create role {name} {options} password '…'"
            )
        # Never in the clear: a server that logs statements would keep it.
        driver = connection.connection.driver_connection
        assert driver is not None
        verifier = driver.pgconn.encrypt_password(
            service.password.encode(), service.name.encode(), b"scram-sha-256"
        ).decode("ascii")
        connection.exec_driver_sql(f"create role {name} login password '{verifier}'")
    told = unfitness(connection, service.name)
    if told is not None:
        raise ConfigurationError(told)


def _owned_tables(connection: Connection) -> list[str]:
    return _names(connection, "rpvm")


def _owned_sequences(connection: Connection) -> list[str]:
    return _names(connection, "S")


def _names(connection: Connection, kinds: str) -> list[str]:
    """What of these kinds the connection's role owns; what an extension brought is its own business."""
    query = text(
        "select relname::text from pg_class c where relnamespace = to_regnamespace('public') "
        "and pg_has_role(current_user, relowner, 'usage') and relkind = any(:kinds) "
        "and not exists (select from pg_depend where objid = c.oid and deptype = 'e') order by relname"
    )
    return list(connection.scalars(query, {"kinds": list(kinds)}))


def _owned_functions(connection: Connection) -> list[tuple[str, str]]:
    query = (
        "select proname::text, oid::regprocedure::text from pg_proc p where pronamespace = to_regnamespace('public') "
        "and pg_has_role(current_user, proowner, 'usage') "
        "and not exists (select from pg_depend where objid = p.oid and deptype = 'e') order by 1, 2"
    )
    return [(name, signature) for name, signature in connection.execute(text(query))]


def _on_database(connection: Connection, role: str | None) -> list[str]:
    """Statements for database and schema, as far as the connection's role owns them."""
    owned = connection.execute(
        text(
            "select datname::text, pg_has_role(current_user, datdba, 'usage') as database, "
            "(select pg_has_role(current_user, nspowner, 'usage') from pg_namespace where nspname = 'public') "
            "as schema "
            "from pg_database where datname = current_database()"
        )
    ).one()
    name = connection.dialect.identifier_preparer.quote_identifier(owned.datname)
    statements = []
    if owned.schema:
        statements.append("revoke create on schema public from public")
        statements += [] if role is None else [f"grant usage on schema public to {role}"]
    if owned.database:
        # Without a role of its own for the service, whoever connects now shall still connect.
        statements += [] if role is None else [f"revoke all on database {name} from public, {role}"]
        statements += [] if role is None else [f"grant connect on database {name} to {role}"]
    return statements
