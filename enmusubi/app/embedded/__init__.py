"""The embedded PostgreSQL of the wheel: shared by processes, closed to others, started again after any crash."""

from enmusubi.app.embedded.keeping import Keeper
from enmusubi.app.embedded.roles import DATABASE, OWNER, SERVICE, SUPERUSER, trusting_rules
from enmusubi.app.embedded.server import EmbeddedServer, start

__all__ = ["DATABASE", "OWNER", "SERVICE", "SUPERUSER", "EmbeddedServer", "Keeper", "start", "trusting_rules"]
