"""Invitations: by letter, for what the inviter may invite, used once."""

import smtplib
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.erasing import erase_account
from enmusubi.app.models import Account, Invitation
from enmusubi.app.vocabulary import WITHOUT_ORGANISATION, Role
from tests.app.browsers import Browser, a_browser, let_pass, with_password
from tests.app.conftest import People, people_of
from tests.app.factories import Json, Person
from tests.app.signing_in.conftest import Application
from tests.mailbox import Mailbox

EMAIL = "Ken.Abe@example.org"
CHOSEN = "three unrelated words, 41"


def _draft(person: Person, role: Role = Role.COMPANY, **more: Any) -> Json:
    organisation = None if person.organisation is None else str(person.organisation.public_id)
    return {"email": EMAIL, "role": role, "organisation": organisation, **more}


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("ja", "【Enmusubi】{} への招待", ("Ken 様", "役割: 企業", "7日間有効")),
        ("en", "[Enmusubi] Invitation to {}", ("Dear Ken,", "Role: company", "for 7 days")),
    ],
)
def test_a_person_is_invited_by_letter_and_joins(
    people: People, session: Session, application: Application, posting: Settings, mailbox: Mailbox,
    language: str, subject: str, words: tuple[str, ...],
) -> None:  # fmt: skip
    """The letter is in the person's language; its link makes the account, signed in at once."""
    with application(posting.model_copy(update={"public_url": "https://enmusubi.example.org"})) as client:
        person = Person(client, people.coordinator.caller, None, people.coordinator.token)
        made = person.create("/invitations", _draft(people.company, name="Ken", language=language))
        assert (made["sent"], made["link"]) == (True, None)
        (letter,) = mailbox.letters
        assert letter["To"] == "Ken.Abe@example.org"
        assert letter["Subject"] == subject.format(people.cluster.name)
        assert all(word in mailbox.text() for word in words)
        assert mailbox.link().startswith("https://enmusubi.example.org/invitation#eni_")
        browser = Browser(client)
        link = {"token": mailbox.secret()}
        shown = browser.must("POST", "/invitations/read", link)
        assert people.company.organisation is not None
        assert shown["organisation"] == people.company.organisation.name
        joined = browser.must("POST", "/invitations/accept", {**link, "password": CHOSEN})
        assert joined["account"]["name"] == "Ken"
        assert joined["account"]["language"] == language
        assert browser.is_signed_in()
        assert browser.post("/needs", {"title": "T"}).status_code == 201
        assert Browser(client).sign_in("ken.abe@EXAMPLE.org", CHOSEN).status_code == 201


def test_without_a_mail_server_the_link_is_handed_over(people: People, session: Session) -> None:
    """It is in the reply to the inviter, once."""
    made = people.coordinator.create("/invitations", _draft(people.company))
    assert made["sent"] is False
    secret = made["link"].partition("/invitation#")[2]
    assert secret not in people.coordinator.get("/invitations").text
    browser = Browser(people.company.client)
    assert browser.must("POST", "/invitations/accept", {"token": secret, "password": CHOSEN})
    stored = session.scalars(select(Account).where(Account.email_key == EMAIL.lower())).one()
    assert stored.email == EMAIL
    assert stored.organisation_id == people.company.caller.organisation_id


def test_a_letter_that_is_refused_is_said_so(
    people: People, application: Application, posting: Settings, mailbox: Mailbox
) -> None:
    """The invitation stands, and its link is handed over."""
    mailbox.refuses = True
    with application(posting) as client:
        person = Person(client, people.coordinator.caller, None, people.coordinator.token)
        made = person.create("/invitations", _draft(people.company))
    assert made["sent"] is False
    assert "#eni_" in made["link"]


def test_a_name_writes_no_headers(
    people: People, application: Application, posting: Settings, mailbox: Mailbox, session: Session
) -> None:
    """Whatever names hold, a letter has the headers and paragraphs that we wrote."""
    people.cluster.name = "Cluster\r\nBcc: everybody@example.org"
    session.merge(people.cluster)
    session.commit()
    with application(posting) as client:
        person = Person(client, people.coordinator.caller, None, people.coordinator.token)
        person.create("/invitations", _draft(people.company, name="Ken\n\nPlease pay"))
    assert mailbox.letters[0]["Bcc"] is None
    assert "Ken Please pay" in mailbox.text()
    assert isinstance(mailbox.letters[0], EmailMessage)
    assert smtplib.CRLF not in str(mailbox.letters[0]["Subject"])


def _accept(people: People, secret: str) -> int:
    body = {"token": secret, "password": CHOSEN}
    return Browser(people.company.client).post("/invitations/accept", body).status_code


def _secret(people: People) -> str:
    link: str = people.coordinator.create("/invitations", _draft(people.company))["link"]
    return link.partition("#")[2]


def test_an_invitation_works_once(people: People) -> None:
    """A second use of the link, by whoever has read the letter since, makes nothing."""
    secret = _secret(people)
    assert [_accept(people, secret) for _ in range(2)] == [201, 404]
    assert Browser(people.company.client).post("/invitations/read", {"token": secret}).status_code == 404


def test_an_invitation_ends(people: People, session: Session) -> None:
    """After its days, when it is withdrawn, and when the person is invited anew."""
    first = _secret(people)
    let_pass(session, days=7, minutes=1)
    assert _accept(people, first) == 404
    second, third = _secret(people), _secret(people)
    assert _accept(people, second) == 404
    (listed,) = people.coordinator.read("/invitations")["items"]
    assert people.coordinator.call("DELETE", f"/invitations/{listed['id']}").status_code == 204
    assert _accept(people, third) == 404
    for wrong in ("", "eni_", people.coordinator.token):
        assert _accept(people, wrong) == 404
    assert _accept(people, "\x00") == 422, "no text can hold it, and it is refused by its place"


@pytest.mark.parametrize(
    ("inviter", "roles"),
    [
        (Role.COORDINATOR, {Role.COMPANY, Role.UNIVERSITY}),
        (Role.CLUSTER_ADMINISTRATOR, set(Role)),
        (Role.COMPANY, set()),
        (Role.UNIVERSITY, set()),
    ],
)
def test_who_invites_whom(people: People, inviter: Role, roles: set[Role]) -> None:
    """Nobody makes an account that may do more than they may decide."""
    for role in Role:
        owner = people.university if role is Role.UNIVERSITY else people.company
        body = _draft(owner, role) if role in (Role.COMPANY, Role.UNIVERSITY) else {"email": EMAIL, "role": role}
        assert people.of(inviter).post("/invitations", body).status_code == (201 if role in roles else 403), role


def test_a_wrong_invitation_is_refused(people: People, session: Session) -> None:
    """No address, no organisation or one of another kind or cluster, an address that has an account."""
    elsewhere = people_of(people.company.client, session)
    known = with_password(session, people.university)
    invite = people.coordinator.post
    assert invite("/invitations", _draft(people.company, email="no address")).status_code == 422
    assert invite("/invitations", _draft(people.company, organisation=None)).status_code == 422
    assert invite("/invitations", _draft(people.company, Role.UNIVERSITY)).status_code == 422
    assert invite("/invitations", _draft(elsewhere.company)).status_code == 404
    assert invite("/invitations", _draft(people.company, email=known.upper())).status_code == 409


@pytest.mark.parametrize("role", [Role.COMPANY, Role.UNIVERSITY])
def test_nobody_is_invited_into_an_organisation_of_another_cluster(
    people: People, session: Session, role: Role
) -> None:
    """Though it is seen, because an entry that is opened to this cluster names it."""
    elsewhere = people_of(people.company.client, session).of(role)
    opened = {"title": "T", "opened_to": [str(people.cluster.public_id)]}
    if role is Role.COMPANY:
        elsewhere.create("/needs", {**opened, "anonymous": False})
    else:
        elsewhere.create("/seeds", opened)
    assert elsewhere.organisation is not None
    assert people.coordinator.get(f"/organisations/{elsewhere.organisation.public_id}").status_code == 200
    assert people.coordinator.post("/invitations", _draft(elsewhere, role)).status_code == 404


def test_no_account_belongs_to_an_organisation_of_another_cluster(people: People, session: Session) -> None:
    """Whatever the program does: the database refuses it."""
    elsewhere = people_of(people.company.client, session)
    for table in ("accounts", "invitations"):
        people.coordinator.create("/invitations", _draft(people.company, email=f"{table}@example.org"))
        move = text(f"update {table} set organisation_id = :there where cluster_id = :here and role = 'company'")
        values = {"there": elsewhere.company.caller.organisation_id, "here": people.cluster.id}
        with pytest.raises(IntegrityError, match=f"fk_{table}_cluster_id_organisation_id"), session.begin_nested():
            session.execute(move, values)


@pytest.mark.parametrize("role", WITHOUT_ORGANISATION)
def test_who_oversees_belongs_to_no_organisation(people: People, session: Session, role: Role) -> None:
    """Its drafts and confidential parts would be open to them; refused by the program and by the database."""
    refused = people.administrator.post("/invitations", _draft(people.company, role))
    assert (refused.status_code, refused.json()["detail"]) == (
        422, f"organisation: an account of the role {role} belongs to none",
    )  # fmt: skip
    turn = text("update accounts set role = :role where id = :account")
    with pytest.raises(IntegrityError, match="no_organisation"), session.begin_nested():
        session.execute(turn, {"role": role, "account": people.company.caller.id})


def test_an_address_with_an_account_elsewhere(people: People, session: Session) -> None:
    """The inviter is not told; whoever holds the link is, and loses nothing."""
    elsewhere = people_of(people.company.client, session)
    email = with_password(session, elsewhere.university)
    made = people.coordinator.create("/invitations", _draft(people.company, email=email))
    link = {"token": made["link"].partition("#")[2], "password": CHOSEN}
    refused = Browser(people.company.client).post("/invitations/accept", link)
    assert (refused.status_code, "sign in with it" in refused.json()["detail"]) == (409, True)
    assert [each["id"] for each in people.coordinator.read("/invitations")["items"]] == [made["id"]]
    session.execute(update(Account).where(Account.email_key == email).values(email=None, email_key=None))
    session.commit()
    assert Browser(people.company.client).post("/invitations/accept", link).status_code == 201


def test_an_address_of_a_deactivated_account(people: People, session: Session) -> None:
    """Of the cluster: whoever invites is told to reactivate it; one that is deactivated later is told of as well."""
    email = with_password(session, people.university)
    closed = update(Account).where(Account.email_key == email).values(active=False)
    session.execute(closed)
    session.commit()
    refused = people.coordinator.post("/invitations", _draft(people.company, email=email))
    assert (refused.status_code, "reactivate" in refused.json()["detail"]) == (409, True)
    made = people.coordinator.create("/invitations", _draft(people.company))
    taken = update(Account).where(Account.email_key == email).values(email_key=EMAIL.lower())
    session.execute(taken)
    session.commit()
    assert _accept(people, made["link"].partition("#")[2]) == 409


def test_another_clusters_invitation_stays(people: People, session: Session) -> None:
    """Accepting one withdraws others of the same cluster alone."""
    elsewhere = people_of(people.company.client, session)
    theirs = elsewhere.coordinator.create("/invitations", _draft(elsewhere.company))
    assert _accept(people, _secret(people)) == 201
    assert people.coordinator.read("/invitations")["items"] == []
    assert [each["id"] for each in elsewhere.coordinator.read("/invitations")["items"]] == [theirs["id"]]


def test_ended_invitations_are_forgotten(people: People, session: Session) -> None:
    """Thirty days after they were accepted, withdrawn or over, when a new one is made."""
    assert _accept(people, _secret(people)) == 201
    withdrawn = people.coordinator.create("/invitations", _draft(people.company, email="b@example.org"))
    assert people.coordinator.call("DELETE", f"/invitations/{withdrawn['id']}").status_code == 204
    people.coordinator.create("/invitations", _draft(people.company, email="c@example.org"))
    let_pass(session, days=29)
    people.coordinator.create("/invitations", _draft(people.company, email="d@example.org"))
    assert len(session.scalars(select(Invitation)).all()) == 4
    let_pass(session, days=9)
    people.coordinator.create("/invitations", _draft(people.company, email="e@example.org"))
    assert {each.email for each in session.scalars(select(Invitation))} == {"d@example.org", "e@example.org"}


def test_who_is_deactivated_has_invited_nobody(people: People, session: Session) -> None:
    """Links of before do nothing; a further invitation of the account would do nothing either."""
    kept = people.administrator.create("/invitations", _draft(people.company, email="kept@example.org"))
    secret = _secret(people)
    path = f"/accounts/{people.coordinator.caller.public_id}/deactivate"
    assert people.administrator.post(path).status_code == 200
    assert _accept(people, secret) == 404
    assert [each["id"] for each in people.administrator.read("/invitations")["items"]] == [kept["id"]]
    erase_account(session, session.get_one(Account, people.administrator.caller.id))
    session.commit()
    assert _accept(people, kept["link"].partition("#")[2]) == 404


def test_erasing_an_account_forgets_its_invitations(people: People, session: Session) -> None:
    """The one that made it, and those that were withdrawn or never accepted."""
    _secret(people)
    assert _accept(people, _secret(people)) == 201
    erase_account(session, session.scalars(select(Account).where(Account.email_key == EMAIL.lower())).one())
    session.commit()
    assert session.scalars(select(Invitation)).all() == []


def test_invitations_of_another_cluster_are_not_there(people: People, session: Session) -> None:
    """Neither to read nor to withdraw."""
    elsewhere = people_of(people.company.client, session)
    made = people.coordinator.create("/invitations", _draft(people.company))
    assert elsewhere.administrator.read("/invitations")["items"] == []
    assert elsewhere.administrator.call("DELETE", f"/invitations/{made['id']}").status_code == 404


def test_a_session_confirms_before_it_invites(people: People, session: Session, settings: Settings) -> None:
    """Whoever sits down at an open browser invites nobody."""
    browser = a_browser(session, people.coordinator)
    let_pass(session, minutes=settings.session_confirm_minutes + 1)
    assert browser.post("/invitations", _draft(people.company)).json()["type"] == "/problems/confirmation-needed"


def test_only_the_hash_of_an_invitation_is_stored(people: People, session: Session) -> None:
    """Who reads the database joins nothing."""
    secret = _secret(people)
    assert not any(secret in row for row in session.scalars(text("select invitations::text from invitations")))
