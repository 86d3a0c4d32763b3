"""Settings, read from `ENMUSUBI_*` by whoever starts a process; never built at import."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

SECRETS = ("database_url", "operator_database_url", "session_keys", "smtp_url", "oidc_client_secret")
"""Settings that are never shown, and may lie in a file each."""


def secret_file(name: str) -> Path | None:
    """The file that the environment names for a secret setting."""
    path = os.environ.get(f"ENMUSUBI_{name.upper()}_FILE", "")
    return Path(path) if path and name in SECRETS else None


class _SecretFiles(PydanticBaseSettingsSource):
    """What is secret may lie in a file: `ENMUSUBI_DATABASE_URL_FILE` names the file that holds the URL."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the file that the environment names for a field, without the line's end."""
        variable = f"ENMUSUBI_{field_name.upper()}"
        path = secret_file(field_name)
        if path is None:
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set; unset one")
        try:
            return path.read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{variable}_FILE names a file that cannot be read ({type(error).__name__})") from None

    def __call__(self) -> dict[str, Any]:
        """All fields that are given as files."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """Everything an installation can set; docs/operations.md holds the same table and a test compares them."""

    model_config = SettingsConfigDict(env_prefix="ENMUSUBI_", extra="ignore")

    home: Path = Field(default=Path("var"), description="Folder for everything Enmusubi writes")
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL to use, `postgresql://user:password@host/database`; embedded server if unset",
    )
    operator_database_url: SecretStr | None = Field(
        default=None,
        description="The same database as the owner of its tables, for commands; as `ENMUSUBI_DATABASE_URL` if unset",
    )
    allow_owner_service: bool = Field(
        default=False,
        description="Whether the service may use a role that can bypass row-level security; for a trial alone",
    )
    database_pool: int = Field(default=20, ge=1, le=200, description="Most database connections of one process")
    model: str | None = Field(
        default=None, description="Any sentence-transformers name or path; the bundled model if unset"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="Arithmetic of the model; auto is bfloat16 where the processor has it"
    )
    reranker: str | None = Field(
        default=None, description="Any sentence-transformers CrossEncoder, name or path; no reranking if unset"
    )
    reranked: int = Field(default=30, ge=1, le=200, description="So many of the best are reranked")
    host: str = Field(default="127.0.0.1", description="Address the API listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="Port the API listens on; 0 takes a free one")
    floor: float = Field(
        default=0.1, ge=0.0, le=1.0, description="No good match yet, where none is as probable as this; 0 proposes all"
    )
    background_sentences: bool = Field(
        default=True, description="Whether the service stores sentence vectors in the background, to explain matches"
    )
    chain_seconds: float = Field(
        default=1.0, ge=0.0, le=60.0, description="The service links recorded events so often; 0 leaves it to commands"
    )
    indicators_seconds: float = Field(
        default=60.0,
        ge=0.0,
        le=3_600.0,
        description="Indicators are counted again so often where something has changed; 0: whenever they are read",
    )
    record_days: int | None = Field(
        default=None, ge=1, description="`enmusubi audit retain` empties events older than so many days; kept if unset"
    )
    max_body_bytes: int = Field(default=1_000_000, ge=1_000, description="Largest request body the API takes, in bytes")
    max_import_bytes: int = Field(
        default=20_000_000, ge=1_000, le=200_000_000, description="Largest file that `POST /imports` takes, in bytes"
    )
    calls_per_minute: int = Field(
        default=600,
        ge=0,
        le=1_000_000,
        description="Most calls of one account a minute, by its tokens together and by its sessions together; 0 for no "
        "limit",
    )
    snapshots_kept: int = Field(default=3, ge=1, le=100, description="Published snapshots of each cluster kept on disk")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line that is written"
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s?#]+$",
        description="Where people reach the service, `https://enmusubi.example.org`: for links in letters and for "
        "cookies; the address it listens on if unset",
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Addresses or networks of proxies, with commas, whose word on the caller's address counts",
    )
    session_keys: SecretStr | None = Field(
        default=None,
        description="Keys that sign session cookies, with commas, 32 characters or more each: the first signs, all are "
        "taken; made in the home folder if unset",
    )
    # Use is noted once a minute: a session of a shorter time would end while it is used.
    session_idle_minutes: int = Field(
        default=120, ge=5, le=10_080, description="A session unused for so long ends; 5 at least"
    )
    session_hours: int = Field(default=12, ge=1, le=720, description="A session ends after so long, used or not")
    session_confirm_minutes: int = Field(
        default=15, ge=1, le=720, description="Sensitive steps need a sign-in or confirmation not older than this"
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Server for letters, `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://…`; "
        "links are handed over by people if unset",
    )
    mail_from: str | None = Field(default=None, description="Sender of letters, an e-mail address")
    alerts_per_week: int = Field(
        default=20, ge=1, le=1_000, description="Most alerts to one person in seven days; the rest waits for the digest"
    )
    alerts_hour: int = Field(default=8, ge=0, le=23, description="Hour of the day, in Japan, of the digest of alerts")
    notices_days: int = Field(
        default=365,
        ge=30,
        le=36_500,
        description="Notices that were read are kept so many days; unread ones twice as long",
    )
    declines_digest_days: int = Field(
        default=30, ge=1, le=366, description="So many days at least between two digests of why an entry was declined"
    )
    worker_inside: Literal["auto", "true", "false"] = Field(
        default="auto",
        description="Whether `enmusubi serve` sends notices itself; auto does with the embedded server, and leaves it "
        "to `enmusubi worker` otherwise",
    )
    webhooks_may_reach: str | None = Field(
        default=None,
        description="Networks that are not public and may take webhooks all the same, with commas, over http too; none "
        "if unset",
    )
    oidc_issuer: str | None = Field(
        default=None, description="Issuer of an OpenID Connect provider that people may sign in with"
    )
    oidc_client_id: str | None = Field(default=None, description="What the provider calls this installation")
    oidc_client_secret: SecretStr | None = Field(default=None, description="The secret that the provider gave to it")

    @field_validator(
        "database_url", "operator_database_url", "model", "reranker", "record_days", "public_url", "trusted_proxies",
        "session_keys", "smtp_url", "mail_from", "webhooks_may_reach", "oidc_issuer", "oidc_client_id",
        "oidc_client_secret", mode="before",
    )  # fmt: skip
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed, the environment, and the files that it names."""
        return init_settings, env_settings, _SecretFiles(settings_cls)

    @property
    def address(self) -> str:
        """Where people reach the service."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether people reach it over TLS, so that cookies never travel without."""
        return self.address.startswith("https://")

    @property
    def snapshots(self) -> Path:
        """The folder of published snapshots, in a folder of each cluster."""
        return self.home / "snapshots"
