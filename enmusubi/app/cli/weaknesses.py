"""What `enmusubi doctor` finds weak: settings and modes that let others read, take or overhear what is confidential."""

import ipaddress
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import ArgumentError

from enmusubi.app import secret_files
from enmusubi.app.config import SECRETS, Settings, secret_file
from enmusubi.app.database import Database
from enmusubi.app.embedded import trusting_rules

Weakness = tuple[str, str]
"""What was found, and what mends it."""

_MOUNTED = Path("/run/secrets")
_ENCRYPTED = ("require", "verify-ca", "verify-full")


def of_files(settings: Settings) -> list[Weakness]:
    """Files and folders under the home that other accounts of the machine may read."""
    found: list[Weakness] = []
    home = settings.home.absolute()
    # The server's account passes through the home where root runs it; nobody else has to.
    if home.is_dir() and home.stat().st_mode & 0o047:
        found.append((f"others of this machine can read {home}", f"chmod g-w,o-rwx {home}"))
    secrets = secret_files.folder_of(home)
    private = [secrets, *(sorted(secrets.iterdir()) if secrets.is_dir() else [])]
    private += [home / "postgres", home / "session-key", home / "demo-tokens.json", home / "reports"]
    found += [
        (f"others of this machine can read {path}", f"chmod {_mode(path)} {path}")
        for path in private
        if path.exists() and secret_files.open_to_others(path)
    ]
    for name in SECRETS:
        path = secret_file(name)
        # What an orchestrator mounts is for the one container, whatever its mode says. A group may share the others.
        if path is not None and not path.is_relative_to(_MOUNTED) and path.is_file() and path.stat().st_mode & 0o007:
            variable = f"ENMUSUBI_{name.upper()}_FILE"
            found.append((f"others of this machine can read or change the file of {variable}", f"chmod o-rwx {path}"))
    if (home / "postgres" / "pg_hba.conf").exists():
        for rule in trusting_rules(home / "postgres"):
            fix = "end every Enmusubi process on this home and run a command: it writes the rules anew"
            found.append((f"the embedded server lets in without a good password: {rule}", fix))
    return found


def of_addresses(settings: Settings) -> list[Weakness]:
    """Connections that somebody on the network could take part in or listen to."""
    found: list[Weakness] = []
    for name in ("database_url", "operator_database_url"):
        value: SecretStr | None = getattr(settings, name)
        if value is not None:
            with suppress(ArgumentError):  # no URL at all: the check of the database says so
                found += _of_url(f"ENMUSUBI_{name.upper()}", make_url(value.get_secret_value()))
    if not is_local(settings.host) and not settings.is_https:
        found.append(
            (
                f"the service listens on {settings.host}, where tokens and texts pass unencrypted",
                "put a proxy with TLS in front and give its https:// address in ENMUSUBI_PUBLIC_URL; "
                "set ENMUSUBI_HOST=127.0.0.1 where it runs on this machine",
            )
        )
    return found


def of_trials(settings: Settings) -> list[Weakness]:
    """What is meant for a trial alone."""
    if not settings.allow_owner_service:
        return []
    found = "ENMUSUBI_ALLOW_OWNER_SERVICE lets the service use a role that can bypass row-level security"
    return [(found, "unset it, and give the service a role of its own: `enmusubi migrate` makes it")]


def of_rights(database: Database) -> list[Weakness]:
    """Rights in the database that roles have without having been given any."""
    with database.engine.connect() as connection:
        if not _everybody_connects(connection):
            return []
    return [
        ("every role of the server may connect to the database", "as its owner: revoke all on database … from public")
    ]


def _of_url(variable: str, url: URL) -> list[Weakness]:
    host = url.host or str(url.query.get("host", "/"))
    if host.startswith(("/", "@")):
        return []
    found: list[Weakness] = []
    if not url.password and not {"passfile", "sslcert"} & url.query.keys():
        found.append((f"{variable} has no password", "give its role one, and ask for scram-sha-256 in pg_hba.conf"))
    if not is_local(host) and url.query.get("sslmode") not in _ENCRYPTED:
        # Not which: in a URL with a stray @ or / the host is a piece of the password.
        found.append((f"{variable} may connect to another host without TLS", "add ?sslmode=verify-full (or require)"))
    return found


def _everybody_connects(connection: Connection) -> bool:
    query = text(
        "select exists (select from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) as a "
        "where datname = current_database() and a.grantee = 0 and a.privilege_type = 'CONNECT')"
    )
    return bool(connection.scalar(query))


def is_local(host: str) -> bool:
    """Whether a host is this machine, by its name alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mode(path: Path) -> str:
    return "700" if path.is_dir() else "600"
