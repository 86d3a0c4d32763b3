"""A match and the board on paper: what stands on it, for whom, in which font, on how many pages."""

import io
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import Disclosure, Match, RecordEvent
from enmusubi.app.vocabulary import Action, MatchStatus, RecordedKind, Role, Side
from tests.app.conftest import People
from tests.app.factories import a_match, a_need, a_person, a_seed, put_match_into
from tests.web.conftest import Enter
from tests.web.exporting.reading import everything_in

CANARY = "カナリア秘密"


def _match(session: Session, people: People, **fields: Any) -> Match:
    need = a_need(
        session, people.cluster, people.company.organisation,
        **{"title": "氷点下でも固まるコンクリート", "summary": "寒冷地の冬の工事で使える混和剤を探しています。",
           "requirements": f"{CANARY}。氷点下10度で固まること。",
           "wanted_trl": 6, "cooperation": ["joint_research", "licence"],
           **fields},
    )  # fmt: skip
    seed = a_seed(
        session, people.cluster, people.university.organisation, title="魚のコラーゲンを混ぜたコンクリート", trl=4,
        summary="寒冷地の冬の工事でも割れにくいコンクリートです。", unpublished=f"{CANARY}未公開", licensable=True,
        advantages=fields.get("summary", "従来の混和剤より少ない量で効きます。"), open_challenges="量産の方法",
    )  # fmt: skip
    match = a_match(session, need, seed)
    put_match_into(session, match, MatchStatus.INTRODUCED)
    session.commit()
    return match


def _reader(reply: Response) -> PdfReader:
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/pdf"
    return PdfReader(io.BytesIO(reply.content))


def _fonts(reader: PdfReader) -> list[Any]:
    found: list[Any] = []
    for page in reader.pages:
        fonts: Any = page["/Resources"]["/Font"]  # type: ignore[index]
        found.extend(font.get_object()["/DescendantFonts"][0].get_object() for font in fonts.values())
    return found


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("role", [Role.COMPANY, Role.UNIVERSITY, Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR])
def test_a_match_for_a_meeting(people: People, session: Session, enter: Enter, role: Role, language: str) -> None:
    """One page in the reader's language, both sides on it, nothing confidential, the company unnamed; recorded."""
    match = _match(session, people)
    reply = enter(people.of(role), language).get(f"/matches/{match.public_id}/sheet.pdf")
    reader, text = _reader(reply), everything_in(reply)
    assert len(reader.pages) == 1
    for said in ("氷点下でも固まるコンクリート", "魚のコラーゲンを混ぜたコンクリート", people.cluster.name[:20]):
        assert said in text
    assert ("確認が必要な点" if language == "ja" else "Open questions") in text
    assert ("希望TRLは6" if language == "ja" else "TRL6iswanted") in text.replace(" ", "")
    assert CANARY not in text
    assert people.company.organisation is not None
    assert people.company.organisation.name not in text
    (event,) = session.scalars(select(RecordEvent).where(RecordEvent.action == Action.EXPORTED))
    assert (event.kind, event.object) == (RecordedKind.MATCH, match.public_id)


def test_fonts_are_in_the_file(people: People, session: Session, enter: Enter) -> None:
    """Subsets of Noto Sans CJK, so that it looks the same everywhere, and stays small."""
    match = _match(session, people)
    reply = enter(people.company).get(f"/matches/{match.public_id}/sheet.pdf")
    fonts = _fonts(_reader(reply))
    assert fonts
    for font in fonts:
        assert "NotoSansCJKjp" in font["/BaseFont"]
        assert font["/BaseFont"][7] == "+", "a subset"
        assert "/FontFile3" in font["/FontDescriptor"]
    assert len(reply.content) < 200_000


def test_the_company_is_named_once_it_was_disclosed(
    people: People, client: TestClient, session: Session, enter: Enter
) -> None:
    """To the side that was told, and to coordinators; not to those who oversee and were told nothing."""
    match = _match(session, people)
    match.status = MatchStatus.DISCLOSED
    content = {"organisation": {"name": "氷川精機", "name_en": "Hikawa"}, "contacts": [], "confidential": {"x": CANARY}}
    told = Disclosure(
        match_id=match.id, told=Side.SEED, content=content, account_id=people.coordinator.caller.id,
        disclosed=match.created
    )  # fmt: skip
    session.add(told)
    session.commit()
    path = f"/matches/{match.public_id}/sheet.pdf"
    for person, knows in (
        (people.university, True), (people.coordinator, True), (people.company, False), (people.administrator, False)
    ):  # fmt: skip
        text = everything_in(enter(person).get(path))
        assert ("氷川精機" in text) is knows, person.role
        assert CANARY not in text


def test_who_does_not_see_the_match_gets_no_sheet(
    people: People, client: TestClient, session: Session, enter: Enter
) -> None:
    """As if it were not there."""
    match = _match(session, people)
    stranger = a_person(client, session, people.cluster, Role.UNIVERSITY)
    session.commit()
    assert enter(stranger).get(f"/matches/{match.public_id}/sheet.pdf").status_code == 404
    assert enter(stranger).get("/matches/none/sheet.pdf").status_code == 404


LONG = (
    "寒冷地で使う材料を探しています" * 270,
    "supercalifragilistic" * 200,
    "a\n\n\n" * 900,
    "\u202e<script>alert(1)</script>#panic() $x$ @ref \\u{0}" * 80,
    "word " * 800,
)


@pytest.mark.parametrize("text", LONG, ids=("japanese", "unbroken", "lines", "hostile", "words"))
def test_the_longest_texts_stay_on_one_page(people: People, session: Session, enter: Enter, text: str) -> None:
    """Shortened with a mark, never in silence, whatever stands in them; nothing in them is carried out."""
    match = _match(session, people, title=text[:256], summary=text, expertise_sought=text, applications=text,
                   technology_keywords=[f"とても長い技術キーワード{number}" for number in range(200)],
                   region_preference=[f"地域{number}" for number in range(200)])  # fmt: skip
    reply = enter(people.company).get(f"/matches/{match.public_id}/sheet.pdf")
    reader = _reader(reply)
    assert len(reader.pages) == 1
    assert "続きは画面で" in reader.pages[0].extract_text().replace("\n", "")


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR])
def test_the_board_as_a_report(
    people: People, client: TestClient, session: Session, enter: Enter, role: Role, language: str
) -> None:
    """Of the fiscal year, with organisations; the company of an anonymous need is named to nobody; recorded."""
    match = _match(session, people)
    person = a_person(client, session, people.cluster, role) if role is Role.AUDITOR else people.of(role)
    session.commit()
    assert match
    reply = enter(person, language).get("/board.pdf?year=2026")
    reader, text = _reader(reply), everything_in(reply).replace("\n", "").replace(" ", "")
    assert ("2026年度活動報告" if language == "ja" else "Reportofthefiscalyear2026") in text
    assert ("ニーズ登録から成果まで" if language == "ja" else "Fromneedtooutcome") in text
    assert people.company.organisation is not None
    assert people.company.organisation.name not in text
    assert CANARY not in text
    assert all("/FontFile3" in font["/FontDescriptor"] for font in _fonts(reader))
    events = session.scalars(select(RecordEvent).where(RecordEvent.action == Action.EXPORTED)).all()
    assert [json.loads(event.content or "")["through"] for event in events] == ["indicators_report"] * 2


def test_the_board_is_for_overseers(people: People, enter: Enter) -> None:
    """Companies and universities are refused; a year that is none is said so."""
    assert enter(people.company).get("/board.pdf").status_code == 403
    assert enter(people.university).get("/board.pdf").status_code == 403
    browser = enter(people.coordinator)
    assert browser.get("/board.pdf?year=soon").status_code == 422
    assert browser.get("/board.pdf?year=").status_code == 200
