"""Notices as letters: to whom, what they say, and what happens when they are not taken."""

import dataclasses
import datetime
import random

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from enmusubi.app.delivering.attempts import ATTEMPTS, pause_after
from enmusubi.app.delivering.dispatching import dispatch
from enmusubi.app.delivering.texts import letter_text, said
from enmusubi.app.mail import NoPost, post_office
from enmusubi.app.models import Delivery
from enmusubi.app.vocabulary import DeliveryState, Language, Letters, NoticeKind
from tests.app.delivering.conftest import Office
from tests.receiving import free_port


def test_a_notice_becomes_a_letter(office: Office) -> None:
    """In the reader's language, with its facts and a link, and an id that tells a repeat from another letter."""
    office.notice(NoticeKind.STEP_DUE, due_on="2027-02-03", awaited="meeting", hidden="for programs")
    office.work()
    (letter,) = office.mailbox.letters
    delivery = office.delivery()
    assert (letter["To"], letter["Subject"]) == ("sato@example.org", "[Enmusubi] A step is due")
    assert letter["Message-ID"] == f"<{delivery.public_id}@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"]
    body = str(letter.get_content())
    assert "Due: 2027-02-03\nWaiting for: meeting\n" in body
    assert "for programs" not in body
    assert f"{office.outbound.settings.address}/notices\n" in body
    assert (delivery.state, delivery.attempts, delivery.sent) == (DeliveryState.SENT, 1, office.clock.now())


def test_it_is_written_in_japanese_too(office: Office) -> None:
    """Codes by their word."""
    office.account.language = "ja"
    office.notice(NoticeKind.INTRODUCTION_CLOSED, reasons=["too_early", "terms"])
    office.work()
    (letter,) = office.mailbox.letters
    assert letter["Subject"] == "【Enmusubi】紹介の手続きが終了しました"
    assert "理由：時期尚早、条件の不一致" in str(letter.get_content())


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_says_something(kind: NoticeKind, language: Language) -> None:
    """In both languages, in a list and as a letter, with a name that tries to be more than a line."""
    listed = said(kind, {}, language)
    assert listed.subject
    assert listed.text
    letter = letter_text(kind, {"days": 3}, language, "Sato\n\nP.S. {link}", "https://enmusubi.example.org/notices")
    assert listed.subject in letter.subject
    assert "Sato P.S. {link}" in letter.text
    assert letter.text.count("https://enmusubi.example.org/notices") == 1


def test_a_notice_is_dispatched_once(office: Office) -> None:
    """Looked at again, it makes no second delivery, and a sent one is not sent again."""
    notice = office.notice()
    office.work()
    dispatch(office.outbound, notice.id)
    office.work()
    assert len(office.mailbox.letters) == 1
    assert office.session.scalar(select(func.count(Delivery.id))) == 1


def test_what_is_not_taken_is_tried_again_with_the_same_id(office: Office) -> None:
    """Not before its time; the reason is kept by its kind alone."""
    office.notice()
    office.mailbox.refuses = True
    office.work()
    delivery = office.delivery()
    assert (delivery.state, delivery.attempts, delivery.last_error) == (DeliveryState.WAITING, 1, "SMTPDataError")
    assert delivery.next_attempt - office.clock.now() >= datetime.timedelta(seconds=15)
    office.mailbox.refuses = False
    office.work()
    assert office.mailbox.letters == []
    office.clock.moment = delivery.next_attempt
    office.work()
    assert [letter["Message-ID"] for letter in office.mailbox.letters] == [f"<{delivery.public_id}@example.org>"]
    assert office.delivery().last_error is None


def test_it_is_given_up_after_the_last_attempt(office: Office) -> None:
    """Some days later, and kept as failed."""
    office.notice()
    office.mailbox.refuses = True
    begun = office.clock.now()
    for _ in range(ATTEMPTS + 1):
        office.work()
        office.clock.moment = max(office.clock.now(), office.delivery().next_attempt)
    assert (office.delivery().state, office.delivery().attempts) == (DeliveryState.FAILED, ATTEMPTS)
    assert datetime.timedelta(days=1) < office.clock.now() - begun < datetime.timedelta(days=4)


def test_pauses_grow_and_differ() -> None:
    """Each is at most three times the one before, up to half a day, and no two that began together stay together."""
    chance = random.Random(5)
    pauses = [pause_after(attempts, chance) for attempts in range(1, 12)]
    bounds = [min(30 * 3**attempts, 43_200) for attempts in range(11)]
    assert all(bound / 2 <= pause.total_seconds() <= bound for pause, bound in zip(pauses, bounds, strict=True))
    assert pause_after(3, chance) != pause_after(3, chance)


def test_a_server_that_is_not_there_is_no_reason_to_lose_it(office: Office) -> None:
    """Nothing listens at its port for a while."""
    nobody = office.outbound.settings.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{free_port()}")})
    sending = office.outbound
    office.outbound = dataclasses.replace(sending, post=post_office(nobody))
    office.notice()
    office.work()
    assert office.delivery().last_error == "ConnectionRefusedError"
    office.outbound = sending
    office.clock.forward(minutes=1)
    office.work()
    assert len(office.mailbox.letters) == 1


def test_letters_that_are_not_wanted_are_not_sent(office: Office) -> None:
    """Only those that ask for an answer; all are in the list."""
    office.account.letters = Letters.NEEDED
    office.notice(NoticeKind.INTEREST_ANSWERED)
    office.notice(NoticeKind.INTEREST_ASKED)
    office.work()
    assert [letter["Subject"] for letter in office.mailbox.letters] == ["[Enmusubi] Would you like to be introduced?"]
    assert [one.state for one in office.deliveries()] == [DeliveryState.STOPPED, DeliveryState.SENT]


def test_without_a_mail_server_notices_are_in_the_list(office: Office) -> None:
    """And do not pile up until there is one."""
    office.outbound = dataclasses.replace(office.outbound, post=NoPost())
    office.notice()
    office.work()
    assert (office.delivery().state, office.delivery().last_error) == (DeliveryState.STOPPED, "NoPost")


def test_who_was_deactivated_meanwhile_gets_no_letter(office: Office) -> None:
    """Looked up once more when it is sent."""
    office.notice()
    office.mailbox.refuses = True
    office.work()
    office.account.active = False
    office.session.commit()
    office.mailbox.refuses = False
    office.clock.forward(hours=1)
    office.work()
    assert office.mailbox.letters == []
    assert (office.delivery().state, office.delivery().last_error) == (DeliveryState.STOPPED, "NoAddress")


def test_what_was_ordered_can_be_stopped_by_one_click(office: Office) -> None:
    """Alerts carry the headers of RFC 8058 where there is a link to stop them; other letters do not."""
    stop = "https://enmusubi.example.org/stop/x"
    office.outbound = dataclasses.replace(office.outbound, stop_link=lambda session, delivery: stop)
    office.notice(NoticeKind.ALERT)
    office.notice(NoticeKind.STEP_DUE)
    office.work()
    alert, other = office.mailbox.letters
    assert (alert["List-Unsubscribe"], alert["List-Unsubscribe-Post"]) == (f"<{stop}>", "List-Unsubscribe=One-Click")
    assert other["List-Unsubscribe"] is None
