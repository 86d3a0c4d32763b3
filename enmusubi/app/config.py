"""Settings, read from `ENMUSUBI_*` by whoever starts a process; never built at import."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything an installation can set; docs/operations.md holds the same table and a test compares them."""

    model_config = SettingsConfigDict(env_prefix="ENMUSUBI_", extra="ignore")

    home: Path = Field(default=Path("var"), description="Folder for everything Enmusubi writes")
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL to use, `postgresql://user:password@host/database`; embedded server if unset",
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
    max_body_bytes: int = Field(default=1_000_000, ge=1_000, description="Largest request body the API takes, in bytes")
    snapshots_kept: int = Field(default=3, ge=1, le=100, description="Published snapshots of each cluster kept on disk")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line that is written"
    )

    @field_validator("database_url", "model", "reranker", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def snapshots(self) -> Path:
        """The folder of published snapshots, in a folder of each cluster."""
        return self.home / "snapshots"
