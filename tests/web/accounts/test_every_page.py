"""Every page about people: for each role what the policy says, in both languages, with hostile names escaped."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from enmusubi.app.models import Account, Organisation
from enmusubi.app.permissions import PAGES, Relation, Right, may
from enmusubi.app.vocabulary import Language, Role
from tests.app.conftest import People, people_of
from tests.app.factories import Person, a_person, a_webhook, an_organisation
from tests.web.conftest import Enter

HOSTILE = "<script>alert(1)</script>\u202e\" ' &amp; " + "長い名前" * 30
EVERYBODYS = ("/account", "/account/password", "/account/confirm", "/account/tokens/new", "/account/searches",
              "/account/searches/new", "/notices")  # fmt: skip
OFFICE = {
    "/people": "page_people",
    "/people/invite": "page_invite",
    "/settings": "page_settings",
    "/organisations": "page_organisations",
    "/organisations/new": "page_add_organisation",
    "/webhooks": "page_webhooks",
    "/webhooks/new": "page_make_webhook",
    "/record": "page_record",
    "/record/export": "page_export_record",
}


def _everybody(people: People, client: TestClient, session: Session) -> list[Person]:
    auditor = a_person(client, session, people.cluster, Role.AUDITOR)
    session.commit()
    return [*people, auditor]


@pytest.mark.parametrize("language", Language)
def test_everybodys_pages(
    people: People, client: TestClient, session: Session, enter: Enter, language: Language
) -> None:
    """Each role has them, without JavaScript, in the account's language, one heading each."""
    for person in _everybody(people, client, session):
        browser = enter(person, language)
        for path in EVERYBODYS:
            page = browser.open(path)
            assert f'<html lang="{language}">' in page
            assert len(re.findall("<h1", page)) == 1, path


@pytest.mark.parametrize("language", Language)
def test_the_offices_pages_keep_to_the_policy(
    people: People, client: TestClient, session: Session, enter: Enter, language: Language
) -> None:
    """Who may has the page, who may not is told so, or that there is nothing; the head leads to what is there."""
    for person in _everybody(people, client, session):
        browser = enter(person, language)
        owns = Relation.OWN if person.organisation is not None else Relation.HERE
        account = browser.open("/account")
        for path, name in OFFICE.items():
            right = PAGES[name]
            reply = browser.get(path)
            if may(person.caller, right, owns):
                assert reply.status_code == 200, (person.role, path, reply.text)
            else:
                assert reply.status_code in (403, 404), (person.role, path)
                assert f'<a href="{path}"' not in account, (person.role, path)
                assert person.caller.role in reply.text or "/sign-out" in reply.text, "an error keeps the head"


def test_hostile_names_are_shown_as_they_are(
    people: People, client: TestClient, session: Session, enter: Enter
) -> None:
    """Nobody writes markup into the pages of others."""
    session.execute(update(Account).values(name=HOSTILE))
    session.execute(update(Organisation).values(name=HOSTILE[:250], name_en=HOSTILE[:250]))
    hook = a_webhook(session, people.administrator.caller, path="<script>alert(1)</script>")
    session.commit()
    browser = enter(people.administrator)
    company = people.company.organisation
    assert company is not None
    leaving = people.coordinator.caller.public_id
    for path in (*OFFICE, *EVERYBODYS, f"/organisations/{company.public_id}", f"/people/{leaving}/deactivate",
                 f"/webhooks/{hook.public_id}"):  # fmt: skip
        if path != "/record/export":
            page = browser.open(path)
            assert "<script>alert" not in page, path
            assert "&lt;script&gt;alert" in page, path


def test_people_of_another_cluster_are_not_there(
    people: People, client: TestClient, session: Session, enter: Enter
) -> None:
    """Neither listed nor reached by their ids."""
    others = people_of(client, session)
    elsewhere = an_organisation(session, others.cluster, name="Elsewhere Works")
    hook = a_webhook(session, others.administrator.caller)
    session.commit()
    browser = enter(people.administrator)
    other = others.coordinator.caller.public_id
    for path in (f"/people/{other}/deactivate", f"/people/{other}/reactivate", f"/webhooks/{hook.public_id}",
                 f"/organisations/{elsewhere.public_id}"):  # fmt: skip
        assert browser.get(path).status_code == 404, path
        assert browser.send(path, version="1", name="x", kind="company").status_code == 404, path
    assert str(other) not in browser.open("/people")
    assert "Elsewhere Works" not in browser.open("/organisations")
    assert session.get_one(Account, others.coordinator.caller.id).active
    assert session.get_one(Organisation, elsewhere.id).name == "Elsewhere Works"


@pytest.mark.parametrize("path", ["/account", "/account/tokens/new", "/people/invite", "/notices/read", "/settings"])
def test_a_form_needs_the_proof_of_its_session(people: People, enter: Enter, path: str) -> None:
    """A form without it changes nothing, and what was typed can be copied."""
    browser = enter(people.administrator)
    browser.csrf_token = "of another session"
    reply = browser.send(path, name="a name that is long enough to be kept")
    assert reply.status_code == 403
    assert "a name that is long enough to be kept" in reply.text


def test_all_pages_of_the_office_have_their_right() -> None:
    """The paths of this module name pages that the policy has."""
    assert {PAGES[name] for name in OFFICE.values()} >= {Right.READ_ACCOUNT, Right.READ_RECORD, Right.READ_SETTINGS}
