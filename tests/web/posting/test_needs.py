"""A company posts its needs by the form: drafts, what would identify it, changes, and what others changed meanwhile."""

import json
import uuid

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.models import Account, Match, Need, NeedDetail, RecordEvent
from enmusubi.app.vocabulary import Action, EntryStatus, Role
from tests.app.conftest import People
from tests.app.factories import a_need, a_person, a_seed, an_organisation, days_from_now
from tests.web.conftest import Enter
from tests.web.posting.filled import buttons_of, fields_of, fill, submit

TELLING = "「北氷工業株式会社」では凍結しないコンクリートを探しています。"


def _needs(session: Session, people: People) -> list[Need]:
    session.expire_all()
    chosen = select(Need).where(Need.cluster_id == people.cluster.id).order_by(Need.id)
    return list(session.scalars(chosen))


def _detail(session: Session, need: Need) -> NeedDetail:
    return session.scalars(select(NeedDetail).where(NeedDetail.need_id == need.id)).one()


def _views(session: Session, need: Need) -> int:
    chosen = select(func.count()).where(RecordEvent.object == need.public_id, RecordEvent.action == Action.VIEWED)
    return session.scalar(chosen) or 0


def test_a_draft_is_saved_with_all_that_was_typed(people: People, enter: Enter, session: Session) -> None:
    """Every field comes back into the form as it was written."""
    browser = enter(people.company)
    sent = fill(
        browser, "/needs/new", "draft",
        title="凍らないコンクリート", summary="寒冷地で\r\n使う", expertise_sought="氷構造化たんぱく質",
        technology_keywords="2,3-ブタンジオール\r\n凍結融解、添加剤", market_keywords="土木, 道路",
        applications="橋", field_codes="C04B 24/00", regions="北海道", wanted_trl="4",
        cooperation=["joint_research", "licence"], region_preference="北海道",
        deadline=days_from_now(30).isoformat(), language="ja", translation_title="Concrete that does not freeze",
        translation_summary="For cold regions", description="秘密の背景", requirements="−30 ℃", constraints="無塩",
        budget_yen="3,000,000円", excluded_organisations="灰色大学", reference="R-7", sdgs=["9", "11"],
    )  # fmt: skip
    assert sent.status_code == 303, sent.text
    [need] = _needs(session, people)
    assert sent.headers["location"] == f"/needs/{need.public_id}/edit?done=draft-saved"
    assert (need.status, need.summary, need.anonymous) == (EntryStatus.DRAFT, "寒冷地で\n使う", True)
    assert need.technology_keywords == ["2,3-ブタンジオール", "凍結融解", "添加剤"]
    assert (need.market_keywords, need.field_codes, need.sdgs) == (["土木", "道路"], ["IPC:C04B 24/00"], [9, 11])
    detail = _detail(session, need)
    assert (detail.description, detail.budget_yen) == ("秘密の背景", 3_000_000)
    page = browser.open(sent.headers["location"])
    assert "下書きを保存しました" in page
    shown = fields_of(page)
    assert shown["summary"] == ["寒冷地で\r\n使う"]
    assert shown["technology_keywords"] == ["2,3-ブタンジオール\r\n凍結融解\r\n添加剤"]
    assert (shown["cooperation"], shown["wanted_trl"]) == (["joint_research", "licence"], ["4"])
    assert (shown["excluded_organisations"], shown["budget_yen"]) == (["灰色大学"], ["3000000"])
    assert submit(browser, page, "save").headers["location"].endswith("done=unchanged")
    assert _needs(session, people)[0].version == need.version


def test_what_would_identify_is_shown_before_an_anonymous_need_is_posted(
    people: People, enter: Enter, session: Session
) -> None:
    """The first "post" shows it at its place, with what to write instead; the company decides."""
    browser = enter(people.company, "en")
    page = browser.open("/needs/new")
    shown = submit(browser, page, "post", title="Concrete", summary=TELLING, language="ja")
    assert shown.status_code == 200
    assert _needs(session, people) == []
    assert "<mark>北氷工業株式会社</mark>" in shown.text
    at_its_field = shown.text.partition('id="summary-found"')[2].partition('id="expertise_sought"')[0]
    assert "an organisation" in at_its_field
    assert "post-anyway" in buttons_of(shown.text)
    assert "post" not in buttons_of(shown.text)
    assert fields_of(shown.text)["summary"] == [TELLING]
    posted = submit(browser, shown.text, "post-anyway")
    assert posted.status_code == 303, posted.text
    [need] = _needs(session, people)
    assert (need.status, need.summary) == (EntryStatus.PUBLISHED, TELLING)
    assert posted.headers["location"] == f"/needs/{need.public_id}?done=posted"


def test_what_was_not_shown_is_not_decided_on(people: People, enter: Enter, session: Session) -> None:
    """A name that was written after the findings were shown is shown first, too."""
    browser = enter(people.company)
    shown = fill(browser, "/needs/new", "post", title="氷", summary=TELLING)
    again = submit(browser, shown.text, "post-anyway", applications="担当は info@kitanokori.example まで")
    assert again.status_code == 200
    assert "<mark>info@kitanokori.example</mark>" in again.text
    assert _needs(session, people) == []
    assert submit(browser, again.text, "post-anyway").status_code == 303


def test_a_need_that_tells_nothing_is_posted_at_once_with_its_matches(
    people: People, enter: Enter, session: Session
) -> None:
    """Its matches are there for the coordinator, as when it is posted over the API."""
    assert people.university.organisation is not None
    a_seed(session, people.cluster, people.university.organisation, title="concrete freezing additive")
    session.commit()
    sent = fill(enter(people.company), "/needs/new", "post", title="concrete freezing additive", language="en")
    assert sent.status_code == 303, sent.text
    [need] = _needs(session, people)
    assert session.scalar(select(func.count()).where(Match.need_id == need.id)) == 1


def test_a_named_need_is_not_checked(people: People, enter: Enter, session: Session) -> None:
    """Who shows its name has nothing to veil."""
    browser = enter(people.company)
    assert fill(browser, "/needs/new", "post", title="氷", summary=TELLING, anonymous=None).status_code == 303
    assert not _needs(session, people)[0].anonymous


def test_the_text_is_checked_by_an_ordinary_button(people: People, enter: Enter, session: Session) -> None:
    """Nothing is stored by that, and what is not found is said too."""
    browser = enter(people.company, "en")
    page = browser.open("/needs/new")
    found = submit(browser, page, "check", title="Concrete", summary=TELLING)
    assert "places may tell whose need it is" in found.text or "place may tell whose need it is" in found.text
    clear = submit(browser, page, "check", title="concrete that does not freeze", language="en")
    assert "Nothing was found that would identify you." in clear.text
    assert _needs(session, people) == []


def test_the_preview_shows_what_universities_see(people: People, enter: Enter, session: Session) -> None:
    """Of an anonymous one kind, size and region alone, and nothing confidential."""
    company = an_organisation(session, people.cluster, name="Frostwerk", region="Hokkaido", size_band="21-100")
    person = a_person(people.company.client, session, people.cluster, Role.COMPANY, company)
    session.commit()
    browser = enter(person, "en")
    page = submit(
        browser, browser.open("/needs/new"), "preview", title="Ice", summary="Public", description="SECRET-THING",
        budget_yen="777", cooperation=["licence"], reference="OWN-REF",
    ).text  # fmt: skip
    preview = page.partition('<article class="preview">')[2].partition("</article>")[0]
    assert "company, 21 to 100 people, Hokkaido" in preview
    assert "Public" in preview
    assert "licence" in preview
    for hidden in ("Frostwerk", "SECRET-THING", "777", "OWN-REF"):
        assert hidden not in preview
    named = submit(browser, page, "preview", anonymous=None).text.partition('<article class="preview">')[2]
    assert "Frostwerk" in named.partition("</article>")[0]


def test_a_change_is_stored_and_recorded_by_its_fields(people: People, enter: Enter, session: Session) -> None:
    """What was not touched is not written: a change of the budget is one of the budget."""
    browser = enter(people.company)
    fill(browser, "/needs/new", "post", title="concrete", language="en", description="秘密")
    [need] = _needs(session, people)
    before = _views(session, need)
    page = browser.open(f"/needs/{need.public_id}/edit")
    assert _views(session, need) == before + 1
    sent = submit(browser, page, "save", budget_yen="5000")
    assert sent.headers["location"] == f"/needs/{need.public_id}?done=saved"
    event = session.scalars(
        select(RecordEvent).where(RecordEvent.object == need.public_id, RecordEvent.action == Action.REVISED)
    ).one()
    assert json.loads(str(event.content))["fields"] == ["budget_yen"]
    assert _detail(session, need).description == "秘密"


def test_new_words_of_a_posted_need_are_checked_before_they_go_out(
    people: People, enter: Enter, session: Session
) -> None:
    """What others read already is not asked about again when only the budget changes."""
    browser = enter(people.company)
    fill(browser, "/needs/new", "post", title="concrete", language="en")
    [need] = _needs(session, people)
    page = browser.open(f"/needs/{need.public_id}/edit")
    shown = submit(browser, page, "save", summary=TELLING)
    assert "save-anyway" in buttons_of(shown.text)
    assert submit(browser, shown.text, "save-anyway").status_code == 303
    page = browser.open(f"/needs/{need.public_id}/edit")
    assert submit(browser, page, "save", budget_yen="1").status_code == 303
    assert _needs(session, people)[0].summary == TELLING


@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_is_lost_when_somebody_changed_it_meanwhile(
    people: People, enter: Enter, session: Session, language: str
) -> None:
    """What was typed stands in the form; what only others changed is taken, what both did is shown beside."""
    browser = enter(people.company, language)
    fill(browser, "/needs/new", "draft", title="Ice", summary="old", applications="old use", description="old secret")
    [need] = _needs(session, people)
    page = browser.open(f"/needs/{need.public_id}/edit")
    people.company.patch(f"/needs/{need.public_id}", {"summary": "theirs", "applications": "their use"})
    reply = submit(browser, page, "save", summary="mine", description="my secret")
    assert reply.status_code == 412
    now = fields_of(reply.text)
    assert (now["summary"], now["description"], now["applications"]) == (["mine"], ["my secret"], ["their use"])
    conflict = reply.text.partition('class="note conflict"')[2].partition("</section>")[0]
    assert "theirs" in conflict
    assert "old" not in conflict
    assert ("入力した内容は失われていません" if language == "ja" else "Nothing of yours is lost") in conflict
    assert _needs(session, people)[0].summary == "theirs"
    assert submit(browser, reply.text, "save").status_code == 303
    need = _needs(session, people)[0]
    assert (need.summary, need.applications) == ("mine", "their use")
    assert _detail(session, need).description == "my secret"


def test_a_form_that_is_sent_twice_makes_one_need(people: People, enter: Enter, session: Session) -> None:
    """The second is sent on to what the first has made; with other words it is asked about."""
    browser = enter(people.company, "en")
    page = browser.open("/needs/new")
    first = submit(browser, page, "post", title="ice", language="en")
    second = submit(browser, page, "post", title="ice", language="en")
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    other = submit(browser, page, "post", title="ice cream", language="en")
    assert other.status_code == 422
    assert "This form was sent before with something else in it" in other.text
    assert fields_of(other.text)["title"] == ["ice cream"]
    assert len(_needs(session, people)) == 1
    assert submit(browser, other.text, "post").status_code == 303
    assert [need.title for need in _needs(session, people)] == ["ice", "ice cream"]


def test_only_companies_and_coordinators_post_needs(people: People, enter: Enter, session: Session) -> None:
    """Universities and administrators are refused the form, what it sends, and the matches of it."""
    for person in (people.university, people.administrator):
        browser = enter(person)
        assert browser.get("/needs/new").status_code == 403
        assert browser.send("/needs/new", do="post", title="x").status_code == 403
        assert browser.send("/needs/new/matches", title="x").status_code == 403
    assert _needs(session, people) == []


def test_a_need_of_another_company_is_not_there(people: People, enter: Enter, session: Session) -> None:
    """Nor is it to be changed by a university that reads it."""
    owner = an_organisation(session, people.cluster)
    need = a_need(session, people.cluster, owner)
    session.commit()
    path = f"/needs/{need.public_id}/edit"
    assert enter(people.company).get(path).status_code == 404
    assert enter(people.company).send(path, do="save", version="1", title="x").status_code == 404
    assert enter(people.university).get(path).status_code == 403
    assert enter(people.company).get(f"/needs/{uuid.uuid4()}/edit").status_code == 404


def test_a_coordinator_names_whose_need_it_is(people: People, enter: Enter, session: Session) -> None:
    """By its name; there is no draft of somebody else's, but it can be put on hold."""
    browser = enter(people.coordinator, "en")
    page = browser.open("/needs/new")
    assert "draft" not in buttons_of(page)
    assert people.company.organisation is not None
    assert people.university.organisation is not None
    assert f'<option value="{people.company.organisation.name}">' in page
    assert f'<option value="{people.university.organisation.name}">' not in page
    wrong = submit(browser, page, "hold", title="ice", organisation="Nobody Ltd")
    assert wrong.status_code == 422
    assert "No organisation of your cluster has this name." in wrong.text
    sent = submit(browser, wrong.text, "hold", organisation=people.company.organisation.name)
    assert sent.status_code == 303, sent.text
    [need] = _needs(session, people)
    assert need.status == EntryStatus.ON_HOLD
    assert _detail(session, need).owner_id == people.company.organisation.id
    page = browser.open(f"/needs/{need.public_id}/edit")
    assert fields_of(page)["organisation"] == [people.company.organisation.name]


def test_what_is_withdrawn_is_not_changed(people: People, enter: Enter, session: Session) -> None:
    """The form does not open, and what an open one sends is refused, with its words kept."""
    browser = enter(people.company)
    fill(browser, "/needs/new", "post", title="ice", language="en")
    [need] = _needs(session, people)
    page = browser.open(f"/needs/{need.public_id}/edit")
    people.company.withdraw(f"/needs/{need.public_id}")
    assert browser.get(f"/needs/{need.public_id}/edit").status_code == 409
    refused = submit(browser, page, "save", summary="kept words")
    assert refused.status_code == 409
    assert fields_of(refused.text, "resend")["summary"] == ["kept words"]


def test_the_forms_other_writer_is_refused(people: People, enter: Enter, session: Session) -> None:
    """What one person filled in is not sent by another of the same browser."""
    other = session.scalars(select(Account).where(Account.id == people.coordinator.caller.id)).one()
    reply = fill(enter(people.company), "/needs/new", "post", title="ice", writer=str(other.public_id))
    assert reply.status_code == 403
    assert _needs(session, people) == []
