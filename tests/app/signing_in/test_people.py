"""Accounts: one's own, those of the cluster, and closing them."""

from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from tests.app.browsers import a_browser, let_pass
from tests.app.conftest import People, people_of


def test_one_s_own_account(people: People, session: Session) -> None:
    """Read by token or session, changed by a session alone; what is not said stays."""
    shown = people.company.read("/account")
    assert (shown["role"], shown["has_password"], shown["has_identity"]) == ("company", False, False)
    browser = a_browser(session, people.company)
    changed = browser.must("PATCH", "/account", {"language": "en"})
    assert (changed["language"], changed["name"], changed["has_password"]) == ("en", shown["name"], True)
    assert browser.call("PATCH", "/account", {"name": None}).status_code == 422
    assert browser.call("PATCH", "/account", {"role": "coordinator"}).status_code == 422


def test_who_sees_whom(people: People, session: Session) -> None:
    """Those who oversee a cluster see its accounts, others their organisation's, nobody another cluster's."""
    elsewhere = people_of(people.company.client, session)
    ids = {str(person.caller.public_id) for person in people}

    def seen(person: object) -> set[str]:
        return {each["id"] for each in person.read("/accounts")["items"]}  # type: ignore[attr-defined]

    assert seen(people.coordinator) == seen(people.administrator) == ids
    assert seen(people.company) == {str(people.company.caller.public_id)}
    assert not seen(elsewhere.administrator) & ids


def test_an_administrator_closes_and_opens_accounts(people: People, session: Session) -> None:
    """Sessions and tokens end at once and for good; the person may sign in again when the account is opened."""
    browser, path = a_browser(session, people.company), f"/accounts/{people.company.caller.public_id}"
    assert people.administrator.post(f"{path}/deactivate").json()["active"] is False
    assert not browser.is_signed_in()
    assert people.company.get("/needs").status_code == 401
    assert people.administrator.post(f"{path}/reactivate").json()["active"] is True
    assert people.company.get("/needs").status_code == 401
    assert not browser.is_signed_in()
    assert a_browser(session, people.company).is_signed_in()


def test_who_closes_accounts(people: People, session: Session, settings: Settings) -> None:
    """Administrators of the cluster alone, not themselves, and by session only after a recent proof."""
    elsewhere = people_of(people.company.client, session)
    path = f"/accounts/{people.company.caller.public_id}/deactivate"
    assert people.coordinator.post(path).status_code == 403
    assert people.university.post(path).status_code == 404
    assert elsewhere.administrator.post(path).status_code == 404
    assert people.administrator.post(f"/accounts/{people.administrator.caller.public_id}/deactivate").status_code == 409
    browser = a_browser(session, people.administrator)
    let_pass(session, minutes=settings.session_confirm_minutes + 1)
    assert browser.post(path).json()["type"] == "/problems/confirmation-needed"
    assert people.company.get("/needs").status_code == 200
