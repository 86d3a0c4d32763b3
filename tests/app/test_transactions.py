"""One request, one transaction, committed before the reply."""

from collections.abc import Sequence

from sqlalchemy import QueuePool, func, select

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.main import create_app
from enmusubi.app.models import IdempotentReply, Match, Need, NeedDetail, Seed
from enmusubi.matching.encoder import HashEncoder, Progress, Role, Vectors
from tests.app.conftest import Serve, people_of, started


def _count(
    database: Database, table: type[Need] | type[NeedDetail] | type[Seed] | type[Match] | type[IdempotentReply]
) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_other_connections_see_the_row_when_the_reply_starts(committed: Database, serve: Serve) -> None:
    """The commit comes before the first byte of the reply, not after it."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
    seen: list[tuple[int, int]] = []
    inner = client.app

    async def watching(scope: object, receive: object, send: object) -> None:
        async def noted(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                seen.append((_count(committed, Seed), _count(committed, Need)))
            await send(message)  # type: ignore[operator]

        await inner(scope, receive, noted)  # type: ignore[arg-type]

    client._transport.app = watching  # type: ignore[attr-defined]  # the same running application, watched
    people.university.create("/seeds", {"title": "T"})
    people.company.create("/needs", {"title": "T"})
    assert seen == [(1, 0), (1, 1)]
    assert _count(committed, Match) == 1


class BreaksAfter(HashEncoder):
    """Encodes what it must to start, then fails on one text."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """Rows, unless one of the texts is poison."""
        if "poison" in texts:
            raise RuntimeError("a bug")
        return super().encode(texts, role, progress)


def test_error_after_a_write_leaves_nothing(committed: Database, service: Database, settings: Settings) -> None:
    """What a failed request has written, its idempotency key included, is gone with it."""
    with started(create_app(settings, BreaksAfter(), service)) as client:
        with committed.session() as session:
            people = people_of(client, session)
        made = people.company.create("/needs", {"title": "T"})
        for _ in range(2):
            failed = people.company.post("/needs", {"title": "poison"}, Idempotency_Key="k")
            assert failed.status_code == 500
            assert failed.headers["content-type"] == "application/problem+json"
        assert people.company.patch(f"/needs/{made['id']}", {"title": "poison", "description": "x"}).status_code == 500
        shown = people.company.read(f"/needs/{made['id']}")
        assert (shown["title"], shown["confidential"]["description"]) == ("T", None)
        assert people.company.get(f"/needs/{made['id']}").headers["etag"] == '"1"'
    assert _count(committed, Need) == _count(committed, NeedDetail) == 1
    assert _count(committed, IdempotentReply) == 0


def test_refused_request_leaves_nothing(committed: Database, serve: Serve) -> None:
    """A rule that is found broken after a flush takes the whole request back."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
    made = people.company.create("/needs", {"title": "T"})
    wrong = {"title": "U", "opened_to": [str(people.cluster.public_id)]}
    assert people.company.post("/needs", wrong).status_code == 422
    assert people.company.patch(f"/needs/{made['id']}", wrong).status_code == 422
    assert _count(committed, Need) == 1
    assert people.company.read(f"/needs/{made['id']}")["title"] == "T"


def test_connections_are_given_back(service: Database, committed: Database, serve: Serve) -> None:
    """Requests that fail return their connection as those do that succeed."""
    client = serve()
    for _ in range(50):
        assert client.get("/api/v1/seeds", headers={"Authorization": "Bearer x"}).status_code == 401
    pool = service.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0
