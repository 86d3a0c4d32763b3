"""Lists: pages by cursor, filters and text search."""

import base64
import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.app.conftest import People
from tests.app.factories import Person, a_need, a_seed, an_organisation

LISTS = ("/seeds", "/needs", "/organisations", "/matches")


def _titles(person: Person, path: str = "/seeds", **query: Any) -> list[str]:
    return sorted(item["title"] for item in person.read(path, **query)["items"])


def _pages(person: Person, path: str, limit: int) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page = person.read(path, limit=limit, **({"cursor": cursor} if cursor else {}))
        pages.append([item["id"] for item in page["items"]])
        cursor = page["next"]
        if cursor is None:
            return pages


@pytest.mark.parametrize("path", ["/seeds", "/needs", "/organisations"])
def test_pages_hold_everything_once(people: People, session: Session, path: str) -> None:
    """Following `next` gives every row once, in one order, also among rows of one instant."""
    for number in range(7):
        if path == "/seeds":
            a_seed(session, people.cluster, title=str(number))
        elif path == "/needs":
            a_need(session, people.cluster, title=str(number))
        else:
            an_organisation(session, people.cluster)
    session.commit()
    whole = [item["id"] for item in people.coordinator.read(path, limit=200)["items"]]
    assert len(whole) >= 7
    for limit in (1, 3, len(whole), len(whole) + 1):
        pages = _pages(people.coordinator, path, limit)
        assert [one for page in pages for one in page] == whole
        assert all(len(page) == limit for page in pages[:-1])


def test_inserts_shift_nothing(people: People, session: Session) -> None:
    """A row that comes while somebody reads page by page is neither in the way nor repeats one."""
    for number in range(6):
        a_seed(session, people.cluster, title=str(number))
    session.commit()
    before = [item["id"] for item in people.company.read("/seeds", limit=200)["items"]]
    first = people.company.read("/seeds", limit=3)
    for _ in range(5):
        people.university.create("/seeds", {"title": "newer"})
    people.university.create("/seeds", {"title": "newest"})
    # The rows of this test share one transaction, and so one instant: only those after the cursor are certain.
    rest = people.company.read("/seeds", limit=200, cursor=first["next"])["items"]
    seen = [item["id"] for item in first["items"] + rest]
    assert [one for one in seen if one in before] == before
    assert len(seen) == len(set(seen))


def _cursor(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def test_bad_cursors_are_refused(people: People) -> None:
    """A cursor we did not give is told so, not taken for a place."""
    broken = ["", "x", "%%%", "あ", "AAAA", "a" * 201]
    broken += [_cursor(raw) for raw in (b"\xff" * 24, b"\0" * 23, b"\0" * 25)]
    for path in LISTS:
        for cursor in broken:
            reply = people.coordinator.get(path, cursor=cursor)
            assert reply.status_code == 422, (path, cursor)


def test_bad_queries_are_refused(people: People) -> None:
    """Page lengths have limits, and a misspelt filter is not ignored."""
    for path in LISTS:
        for query in ({"limit": 0}, {"limit": 201}, {"limit": "many"}, {"unknown": "x"}, {"status": "happy"}):
            assert people.coordinator.get(path, **query).status_code == 422, (path, query)


@pytest.fixture
def catalogue(people: People, session: Session) -> People:
    """Seeds that differ in everything one can filter by."""
    a_seed(
        session,
        people.cluster,
        people.university.organisation,
        title="Alpha",
        summary="Freeze-tolerant CONCRETE 100% safe",
        language="en",
        trl=3,
        field_codes=["IPC:C04B 24/14", "FORD:2.1"],
        technology_keywords=["Concrete"],
        regions=["Hokkaido"],
        external_id="A-1",
    )
    a_seed(
        session,
        people.cluster,
        title="Beta",
        summary="耐凍害コンクリート snake_case",
        language="ja",
        trl=6,
        field_codes=["IPC:C04B 7/00"],
        market_keywords=["コンクリート"],
        regions=["東北"],
    )
    a_seed(session, people.cluster, title="Gamma", summary="Straße und Beton", field_codes=["IPC:A23L"])
    session.commit()
    return people  # fmt: skip


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["Alpha", "Beta", "Gamma"]),
    ({"q": ""}, ["Alpha", "Beta", "Gamma"]),
    ({"q": "concrete"}, ["Alpha"]),
    ({"q": "ＣＯＮＣＲＥＴＥ　ｆｒｅｅｚｅ"}, ["Alpha"]),
    ({"q": "safe alpha"}, ["Alpha"]),
    ({"q": "safe beta"}, []),
    ({"q": "ｺﾝｸﾘｰﾄ"}, ["Beta"]),
    ({"q": "耐凍害 SNAKE"}, ["Beta"]),
    ({"q": "STRASSE"}, ["Gamma"]),
    ({"q": "100%"}, ["Alpha"]),
    ({"q": "10%0"}, []),
    ({"q": "%"}, ["Alpha"]),
    ({"q": "_"}, ["Beta"]),
    ({"q": "snake_case"}, ["Beta"]),
    ({"q": "sna_e"}, []),
    ({"q": "\\"}, []),
    ({"q": "/"}, ["Alpha", "Beta"]),
    ({"q": "' or 1=1 --"}, []),
    ({"language": "ja"}, ["Beta"]),
    ({"field": "IPC:C04B"}, ["Alpha", "Beta"]),
    ({"field": "ipc:c04b 24"}, ["Alpha"]),
    ({"field": "C04B"}, []),
    ({"field": "FORD:2"}, ["Alpha"]),
    ({"field": "IPC:%"}, []),
    ({"keyword": "Concrete"}, ["Alpha"]),
    ({"keyword": "ｺﾝｸﾘｰﾄ"}, ["Beta"]),
    ({"region": "東北"}, ["Beta"]),
    ({"external_id": "A-1"}, ["Alpha"]),
    ({"source": "test"}, ["Alpha", "Beta", "Gamma"]),
    ({"source": "api"}, []),
    ({"trl_min": 4}, ["Beta"]),
    ({"trl_max": 3}, ["Alpha"]),
    ({"trl_min": 3, "trl_max": 6, "language": "en"}, ["Alpha"]),
    ({"status": "on_hold"}, []),
    ({"modified_since": "2000-01-01T00:00:00"}, ["Alpha", "Beta", "Gamma"]),
    ({"modified_since": "2999-01-01T00:00:00Z"}, []),
    ({"organisation": str(uuid.UUID(int=1))}, []),
]


def test_filters_and_text_search(catalogue: People) -> None:
    """All filters must hold; words are compared whatever their case or width, and % and _ are characters."""
    for query, expected in FILTERS:
        assert _titles(catalogue.company, **query) == expected, query


def test_filter_by_owner(catalogue: People) -> None:
    """The owner's public id selects its entries."""
    assert catalogue.university.organisation is not None
    owner = str(catalogue.university.organisation.public_id)
    assert _titles(catalogue.company, organisation=owner) == ["Alpha"]


def test_filters_of_needs(people: People, session: Session) -> None:
    """A need is found by its form of cooperation, and by its owner only where that is to be known."""
    a_need(session, people.cluster, people.company.organisation, title="Joint", cooperation=["joint_research"])
    a_need(session, people.cluster, people.company.organisation, title="Named", anonymous=False)
    session.commit()
    assert people.company.organisation is not None
    assert _titles(people.university, "/needs", cooperation="joint_research") == ["Joint"]
    assert _titles(people.university, "/needs", cooperation="licence") == []
    owner = str(people.company.organisation.public_id)
    assert _titles(people.university, "/needs", organisation=owner) == ["Named"]
    assert _titles(people.company, "/needs", organisation=owner) == ["Joint", "Named"]
    assert _titles(people.coordinator, "/needs", organisation=owner) == ["Joint", "Named"]


def test_organisations_are_found_by_either_name(people: People, session: Session) -> None:
    """Words of a name, whatever its blanks, case and width, and the kind."""
    an_organisation(session, people.cluster, name="北星 湾 大学", name_en="Hokusei Bay University")
    session.commit()
    for query in ({"q": "北星湾"}, {"q": "ＢＡＹ hokusei"}, {"q": "bay", "kind": "company"}):
        assert len(people.coordinator.read("/organisations", **query)["items"]) == 1, query
    assert people.coordinator.read("/organisations", q="bay", kind="core")["items"] == []


@pytest.mark.parametrize("name", ["q", "keyword", "region", "field", "external_id", "source"])
def test_characters_no_text_can_hold_are_refused(people: People, name: str) -> None:
    """A NUL in a filter is an error, not a failure of the database."""
    for path in ("/seeds", "/needs"):
        assert people.coordinator.get(path, **{name: "a\x00b"}).status_code == 422
