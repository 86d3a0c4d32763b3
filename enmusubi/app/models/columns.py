"""Columns and constraints that tables share."""

import datetime
import uuid
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Identity,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column


def quoted(values: type[Any]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def one_of(column: str, values: type[Any], name: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({quoted(values)})", name=name)


def new_key() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(), primary_key=True)


def new_public_id() -> Mapped[uuid.UUID]:
    return mapped_column(Uuid, default=uuid.uuid4, unique=True)


def string_list() -> Mapped[list[str]]:
    return mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))


def set_now() -> Mapped[datetime.datetime]:
    return mapped_column(server_default=func.now())
