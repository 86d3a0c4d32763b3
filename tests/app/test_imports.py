"""Files that accounts post: read in the background as if each row were that account's own call."""

import io
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from enmusubi.app.clock import SystemClock
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.importing.reading import BATCH
from enmusubi.app.importing.running import MOST_ATTEMPTS, run_next_import
from enmusubi.app.models import Account, Import, Need, NeedDetail, Notice, Organisation, RecordEvent, Seed
from enmusubi.app.vocabulary import ImportState, NoticeKind
from enmusubi.app.working.forgetting import forgetting
from enmusubi.matching.encoder import Encoder, HashEncoder
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import API, ENCODER, Json, Person

CSV = "text/csv"
LINES = "application/x-ndjson"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Office:
    """People of every role before a running application, and the worker beside it."""

    people: People
    database: Database
    service: Database

    def post(self, person: Person, kind: str, content: str | bytes, content_type: str = CSV, **query: str) -> Json:
        """Post a file that must be taken; the import."""
        reply = self.send(person, kind, content, content_type, **query)
        assert reply.status_code == 201, reply.text
        assert reply.headers["location"] == f"{API}/imports/{reply.json()['id']}"
        made: Json = reply.json()
        return made

    def send(self, person: Person, kind: str, content: str | bytes, content_type: str = CSV, **query: str):  # type: ignore[no-untyped-def]
        """Post a file, whatever becomes of it."""
        raw = content.encode() if isinstance(content, str) else content
        headers = {**person.headers, "Content-Type": content_type}
        return person.client.post(f"{API}/imports", params={"kind": kind, **query}, content=raw, headers=headers)

    def work(self, encoder: Encoder = ENCODER) -> list[uuid.UUID]:
        """Read all that waits, with the rights of the service."""
        done = []
        while (found := run_next_import(self.service.session, encoder, SystemClock())) is not None:
            done.append(found)
        return done

    def run(self, person: Person, kind: str, content: str | bytes, content_type: str = CSV, **query: str) -> Json:
        """Post a file and have it read; its report."""
        made = self.post(person, kind, content, content_type, **query)
        assert self.work() == [uuid.UUID(made["id"])]
        report: Json = person.read(f"/imports/{made['id']}")
        return report

    @property
    def session(self) -> Session:
        """What is stored, as the operator sees it."""
        return self.database.session()


@pytest.fixture
def office(serve: Serve, committed: Database, service: Database) -> Office:
    """A cluster whose people post files."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
    return Office(people, committed, service)


def counts(report: Json) -> dict[str, int]:
    """What became of the rows, where it is not nothing."""
    names = ("read", "new", "changed", "unchanged", "rejected", "waiting")
    return {name: report[name] for name in names if report[name]}


def test_a_file_becomes_entries(office: Office) -> None:
    """Rows go in as the account's own; a bad cell is located; the file itself is gone afterwards."""
    rows = "管理番号,技術名称,概要,TRL\nS-1,凍らない床,補修材,4\nS-2,氷の塗料,付かない,十二\nS-3,鮮度の糸,色で示す,\n"
    report = office.run(office.people.university, "seeds", rows, file="seeds 2027.csv")
    assert (report["state"], counts(report)) == ("finished", {"read": 3, "new": 2, "rejected": 1})
    problem = report["problems"][0]
    assert (problem["line"], problem["column"], problem["value"]) == (3, "TRL", "十二")
    own = str(office.people.university.organisation.public_id)  # type: ignore[union-attr]
    assert report["source"] == f"import/{own}/seeds 2027"
    listed = office.people.university.read("/seeds")["items"]
    assert {(each["external_id"], each["status"]) for each in listed} == {("S-1", "published"), ("S-3", "published")}
    assert {each["organisation"]["id"] for each in listed} == {own}
    found = office.people.company.call("POST", "/match", {"text": "凍らない床"}).json()["ranking"]
    assert found[0]["entry"]["title"] == "凍らない床"
    with office.session as session:
        assert session.scalar(select(Import.content)) is None
        assert session.scalars(select(Notice.kind)).all() == [NoticeKind.IMPORT_FINISHED]
        said = session.scalars(select(RecordEvent.action).where(RecordEvent.kind == "import").order_by(RecordEvent.id))
        assert said.all() == ["created", "ingested"]


def test_the_same_file_again_changes_nothing_and_a_changed_row_its_entry(office: Office) -> None:
    """By source and id; what the row does not say any more is empty, and what was set by hand stays."""
    person = office.people.university
    office.run(person, "seeds", "id,title,summary\nS-1,Ice,Old\nS-2,Snow,Old\n", source="ours")
    seeds = {each["external_id"]: each["id"] for each in person.read("/seeds")["items"]}
    assert counts(office.run(person, "seeds", "id,title,summary\nS-1,Ice,Old\n", source="ours")) == {
        "read": 1,
        "unchanged": 1,
    }
    person.patch(f"/seeds/{seeds['S-2']}", {"status": "on_hold"})
    person.withdraw(f"/seeds/{seeds['S-1']}")
    report = office.run(person, "seeds", "id,title\nS-1,Ice floe\nS-2,Snow drift\n", source="ours")
    assert counts(report) == {"read": 2, "changed": 1, "rejected": 1}
    assert "withdrawn" in report["problems"][0]["reason"]
    changed = person.read(f"/seeds/{seeds['S-2']}")
    assert (changed["title"], changed["summary"], changed["status"]) == ("Snow drift", None, "on_hold")
    assert counts(office.run(person, "seeds", "id,title\nS-1,Ice\n", source="another")) == {"read": 1, "new": 1}


def test_needs_of_a_company(office: Office) -> None:
    """With their confidential parts, anonymous, and not joined to each other by a common time."""
    row = '{{"external_id": "{0}", "title": "Need {0}", "description": "secret {0}", "budget_yen": 5}}\n'
    lines = "".join(row.format(number) for number in range(3))
    assert counts(office.run(office.people.company, "needs", lines, LINES)) == {"read": 3, "new": 3}
    with office.session as session:
        stored = session.scalars(select(NeedDetail.description).order_by(NeedDetail.description)).all()
        assert stored == ["secret 0", "secret 1", "secret 2"]
        assert session.scalar(select(func.count(Need.created.distinct()))) == 3
    assert {each["organisation"] for each in office.people.university.read("/needs")["items"]} == {None}


def test_workbooks(office: Office) -> None:
    """A spreadsheet is read as well."""
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for line in (["技術名称", "概要"], ["凍らない床", "補修材"]):
        sheet.append(line)
    book.save(out)
    assert counts(office.run(office.people.university, "seeds", out.getvalue(), XLSX)) == {"read": 1, "new": 1}


def test_rows_belong_to_the_account_s_own_organisation(office: Office) -> None:
    """Naming it is allowed; naming another one, there or not, is refused alike."""
    own, other = office.people.university.organisation, office.people.company.organisation
    assert own is not None
    assert other is not None
    rows = f"title,organisation\nA,{own.name}\nB,{own.public_id}\nC,{other.name}\nD,Nobody at all\n"
    report = office.run(office.people.university, "seeds", rows)
    assert counts(report) == {"read": 4, "new": 2, "rejected": 2}
    assert len({problem["reason"] for problem in report["problems"]}) == 1
    with office.session as session:
        assert set(session.scalars(select(Seed.organisation_id))) == {own.id}
        assert session.scalar(select(func.count()).where(Organisation.name == "Nobody at all")) == 0


def test_a_coordinator_s_file_names_owners(office: Office) -> None:
    """Those that the cluster does not have yet are added, as a coordinator may; a draft for others is refused."""
    own = office.people.university.organisation
    assert own is not None
    rows = f"title,organisation,status\nA,{own.name},published\nB,A New Institute,published\nC,{own.name},draft\n"
    report = office.run(office.people.coordinator, "seeds", rows)
    assert counts(report) == {"read": 3, "new": 2, "rejected": 1}
    with office.session as session:
        names = select(Organisation.name).join(Seed, Seed.organisation_id == Organisation.id).order_by(Seed.id)
        assert session.scalars(names).all() == [own.name, "A New Institute"]
        roles = select(RecordEvent.role).where(RecordEvent.kind == "organisation", RecordEvent.role != "operator")
        assert session.scalars(roles).all() == ["coordinator"]


def test_who_may_not_enter_does_not_import(office: Office) -> None:
    """By role and kind, at once."""
    assert office.send(office.people.company, "seeds", "title\nA\n").status_code == 403
    assert office.send(office.people.university, "needs", "title\nA\n").status_code == 403
    assert office.send(office.people.administrator, "seeds", "title\nA\n").status_code == 403


@pytest.mark.parametrize(
    ("content", "content_type", "query", "status"),
    [
        ("", CSV, {}, 422),
        ("title\nA\n", "application/pdf", {}, 422),
        ("title\nA\n", "", {}, 422),
        ("title\nA\n", CSV, {"source": "a/b"}, 422),
        ("title\nA\n", "text/csv; charset=utf-8", {}, 201),
    ],
)
def test_what_is_no_file_of_entries(
    office: Office, content: str, content_type: str, query: dict[str, str], status: int
) -> None:
    """Is refused when it is posted."""
    assert office.send(office.people.university, "seeds", content, content_type, **query).status_code == status


def test_what_cannot_be_read_fails_with_the_reason(office: Office) -> None:
    """The file as a whole, by its name."""
    report = office.run(office.people.university, "seeds", "colour,weight\nred,5\n", file="mine.csv")
    assert (report["state"], counts(report)) == ("failed", {})
    assert "mine.csv" in report["fault"]


def test_files_have_a_limit_of_their_own(serve: Serve, committed: Database, settings: Settings) -> None:
    """Larger than that of other bodies; beyond it 413."""
    small = settings.model_copy(update={"max_body_bytes": 1_000, "max_import_bytes": 3_000})
    client = serve(given=small)
    with committed.session() as session:
        people = people_of(client, session)
    office = Office(people, committed, committed)
    assert office.send(people.university, "seeds", "title\n" + "A" * 2_000).status_code == 201
    assert office.send(people.university, "seeds", "title\n" + "A" * 3_000).status_code == 413
    assert people.university.post("/seeds", {"title": "A" * 2_000}).status_code == 413


class Failing(HashEncoder):
    """Encodes so many texts, and then ends as a killed process would: by nothing that anybody expects."""

    def __init__(self, texts: int) -> None:
        super().__init__()
        self.left = texts

    def encode(self, texts: Sequence[str], *arguments: object, **options: object):  # type: ignore[no-untyped-def]
        """As long as it does."""
        self.left -= len(texts)
        if self.left < 0:
            raise MemoryError
        return super().encode(texts, *arguments, **options)  # type: ignore[arg-type]


def test_ended_in_the_middle_it_goes_on_where_it_was(office: Office) -> None:
    """What was committed stays and is counted once; the report is that of an import that was never disturbed."""
    person, rows = office.people.university, 2 * BATCH + 10
    bad = f"X-1,Bad,{'9' * 3}\n"
    lines = "id,title,TRL\n" + bad + "".join(f"S-{number},Seed {number},4\n" for number in range(rows))
    lines += f"S-{rows},For somebody else,4,\n".replace(",\n", "\n")
    made = office.post(person, "seeds", lines)
    with pytest.raises(MemoryError):
        office.work(Failing(BATCH + BATCH // 2))
    half = person.read(f"/imports/{made['id']}")
    assert (half["state"], half["new"], half["rejected"]) == ("running", BATCH, 1)
    assert len(office.work()) == 1
    report = person.read(f"/imports/{made['id']}")
    assert (report["state"], counts(report)) == ("finished", {"read": rows + 2, "new": rows + 1, "rejected": 1})
    assert [problem["line"] for problem in report["problems"]] == [2]
    with office.session as session:
        assert session.scalar(select(func.count()).select_from(Seed)) == rows + 1
        assert session.scalar(select(func.count(Seed.external_id.distinct()))) == rows + 1


def test_a_file_that_ends_its_process_is_given_up(office: Office) -> None:
    """After some attempts, so that others are read."""
    made = office.post(office.people.university, "seeds", "title\nA\n")
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(MemoryError):
            office.work(Failing(0))
    assert office.work() == []
    assert office.people.university.read(f"/imports/{made['id']}")["state"] == "failed"


def test_an_import_is_read_by_one_at_a_time(office: Office) -> None:
    """Whoever comes second passes over it."""
    office.post(office.people.university, "seeds", "title\nA\n")
    found: list[Callable[[], object]] = []

    class Meanwhile(HashEncoder):
        def encode(self, *arguments: object, **options: object):  # type: ignore[no-untyped-def]
            found.append(run_next_import(office.service.session, ENCODER, SystemClock()))  # type: ignore[arg-type]
            return super().encode(*arguments, **options)  # type: ignore[arg-type]

    assert len(office.work(Meanwhile())) == 1
    assert set(found) == {None}


def test_cancelling(office: Office) -> None:
    """One that waits is never read; one that is over is not cancelled."""
    person = office.people.university
    made = office.post(person, "seeds", "title\nA\n")
    assert person.call("DELETE", f"/imports/{made['id']}").status_code == 204
    assert office.work() == []
    assert person.read(f"/imports/{made['id']}")["state"] == "cancelled"
    assert person.call("DELETE", f"/imports/{made['id']}").status_code == 409
    assert person.read("/seeds")["items"] == []


def test_a_repeated_post_is_one_import(office: Office) -> None:
    """By Idempotency-Key, as every creating call."""
    person = office.people.university
    headers = {**person.headers, "Content-Type": CSV, "Idempotency-Key": "k"}
    replies = [
        person.client.post(f"{API}/imports?kind=seeds", content=b"title\nA\n", headers=headers) for _ in range(2)
    ]
    assert replies[0].json() == replies[1].json()
    assert len(person.read("/imports")["items"]) == 1


def test_a_closed_account_s_file_is_not_read(office: Office) -> None:
    """Nothing goes in on behalf of somebody who may do nothing any more."""
    office.post(office.people.university, "seeds", "title\nA\n")
    with office.session as session:
        session.execute(update(Account).where(Account.id == office.people.university.caller.id).values(active=False))
        session.commit()
    assert office.work() == []
    with office.session as session:
        assert session.execute(select(Import.state, Import.content)).one() == (ImportState.FAILED, None)


def test_an_account_closed_meanwhile_ends_its_import(office: Office) -> None:
    """What is in stays in and is reported; nothing further goes in on its behalf, also when it is let in again."""
    person = office.people.university
    made = office.post(person, "seeds", "title,TRL\nBad,999\n" + "".join(f"Seed {n},4\n" for n in range(3 * BATCH)))
    account = update(Account).where(Account.id == person.caller.id)

    class Meanwhile(HashEncoder):
        texts = 0

        def encode(self, texts: Sequence[str], *arguments: object, **options: object):  # type: ignore[no-untyped-def]
            self.texts += len(texts)
            if self.texts == BATCH + 1:
                with office.session as session:
                    session.execute(account.values(active=False))
                    session.commit()
            return super().encode(texts, *arguments, **options)  # type: ignore[arg-type]

    assert office.work(Meanwhile()) == [uuid.UUID(made["id"])]
    with office.session as session:
        session.execute(account.values(active=True))
        session.commit()
    assert office.work() == []
    report = person.read(f"/imports/{made['id']}")
    assert (report["state"], "closed" in report["fault"]) == ("failed", True)
    assert counts(report) == {"read": 2 * BATCH + 1, "new": 2 * BATCH, "rejected": 1}
    with office.session as session:
        assert session.scalar(select(func.count()).select_from(Seed)) == 2 * BATCH
        assert session.scalar(select(Import.content)) is None


def test_imports_under_review(office: Office) -> None:
    """Rows wait as posted entries do; reviewers are told of the file once."""
    people = office.people
    people.administrator.patch(f"/clusters/{people.cluster.public_id}/settings", {"review_before_publication": "seeds"})
    report = office.run(people.university, "seeds", "title\nA\nB\n")
    assert counts(report) == {"read": 2, "new": 2, "waiting": 2}
    with office.session as session:
        told = session.scalars(select(Notice.facts).where(Notice.kind == NoticeKind.ENTRY_SUBMITTED)).all()
        assert told == [{"waiting": 2, "kind": "seeds"}]


def test_a_file_is_read_by_nobody_else(office: Office) -> None:
    """Neither by the service itself nor by others of the cluster: it may hold confidential parts."""
    office.post(office.people.company, "needs", '{"title": "A", "description": "secret"}\n', LINES)
    with office.service.session() as session:
        for role in ("service", "coordinator"):
            session.execute(
                text("select set_config('enmusubi.role', :role, true), set_config('enmusubi.cluster', '1', true)"),
                {"role": role},
            )
            assert session.scalars(text("select content from imports")).all() == []


def test_old_reports_are_forgotten(office: Office, settings: Settings) -> None:
    """After 90 days, at night."""
    office.run(office.people.university, "seeds", "title\nA\n")
    with office.session as session:
        session.execute(text("update imports set finished = now() - interval '91 days'"))
        session.commit()
    assert forgetting(settings).run(office.service.session, SystemClock())
    assert office.people.university.read("/imports")["items"] == []
