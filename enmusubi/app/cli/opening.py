"""What most commands open first: settings, the migrated database, the cluster they work on."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import migrating, recording
from enmusubi.app.caller import Caller
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.errors import ConfigurationError, NotFoundError
from enmusubi.app.models import Cluster
from enmusubi.app.vocabulary import Role


def read_settings() -> Settings:
    """The settings of the environment; ConfigurationError names every wrong variable, not its value."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"ENMUSUBI_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(wrong) from None
    except SettingsError as error:
        raise ConfigurationError(str(error)) from None


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The migrated database; ConfigurationError where it lacks migrations."""
    with connect(settings) as database:
        present, newest = migrating.present(database), migrating.newest()
        if present != newest:
            raise ConfigurationError(
                f"the database is at migration {present or 'none'}, {newest} is needed; run `enmusubi migrate`"
            )
        yield database
        # What the command did is linked before it ends; where it fails, by the service or the next command.
        recording.chain(database)


def find_cluster(session: Session, name: str | None) -> Cluster:
    """The cluster of that name or public id, or the only one there is."""
    clusters = session.scalars(select(Cluster).order_by(Cluster.id)).all()
    if name is None and len(clusters) == 1:
        return clusters[0]
    if name is not None:
        for cluster in clusters:
            if name in (cluster.name, str(cluster.public_id)):
                return cluster
    known = ", ".join(repr(cluster.name) for cluster in clusters) or "none yet; `enmusubi cluster create NAME`"
    asked = f"there is no cluster {name!r}" if name else "say which cluster with --cluster"
    raise NotFoundError(f"{asked}; known: {known}")


def operator(cluster: Cluster) -> Caller:
    """Who runs commands: a person with a shell on the server reads what the cluster's coordinators read."""
    return Caller(
        recording.OPERATOR_ID, uuid.UUID(int=0), cluster_id=cluster.id, organisation_id=None, role=Role.COORDINATOR
    )
