"""Each thing that can be wrong with a form is said at its field in both languages; hostile and long texts."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.models import Need, Seed
from tests.app.conftest import People
from tests.app.factories import days_from_now
from tests.web.conftest import Enter
from tests.web.posting.filled import fields_of, fill, submit

HOSTILE = '"><script>alert(1)</script>\u202eevil\u202c<img src=x onerror=alert(2)>'
THOUSAND = "\n".join(f"語{number}" for number in range(1_000))
NEED_ERRORS = [
    ("title", "長" * 20_001, "長すぎます（20000文字まで）", "is too long: at most 20000 characters"),
    ("title", "a\x00b", "NUL文字", "NUL character"),
    ("technology_keywords", THOUSAND, "数が多すぎます（200まで）", "are too many: at most 200"),
    ("market_keywords", "a" * 201, "1番目の項目：長すぎます（200文字", "item 1: is too long: at most 200"),
    ("field_codes", "A01B\nZZ 9", "2番目の項目：「ZZ 9」はIPC/CPCの記号", "item 2: 'ZZ 9' is not an IPC/CPC"),
    ("field_codes", "XYZ:1", "分類体系「XYZ」はありません", "unknown vocabulary 'XYZ'"),
    ("field_codes", "FORD:99", "「99」はFORDの分類コードではありません", "'99' is not a code of FORD"),
    ("wanted_trl", "12", "大きすぎます（9まで）", "is too large: at most 9"),
    ("wanted_trl", "x", "整数で入力してください", "is not a whole number"),
    ("cooperation", "marriage", "選択肢から選んでください", "is not one of the choices"),
    ("deadline", "31/12/2026", "日付の形式が正しくありません", "is not a date such as 2026-04-01"),
    ("deadline", "2020-01-01", "過去の日付です", "is past"),
    ("expires_on", "2020-01-01", "過去の日付です", "is past"),
    ("expires_on", days_from_now(1_000).isoformat(), "2年", "two years at most"),
    ("budget_yen", "a lot", "整数で入力してください", "is not a whole number"),
    ("budget_yen", "-5", "小さすぎます（0以上）", "is too small: at least 0"),
    ("language", "fr", "選択肢から選んでください", "is not one of the choices"),
    ("sdgs", "18", "大きすぎます（17まで）", "is too large: at most 17"),
    ("excluded_organisations", "長" * 2_001, "長すぎます（2000文字まで）", "is too long: at most 2000 characters"),
]  # fmt: skip
SEED_ERRORS = [
    (
        "ipr_numbers",
        "特願2024",
        "「特願2024」は出願番号の形式ではありません",
        "'特願2024' is not an application number",
    ),
    ("ipr_numbers", "特許abc", "「特許abc」は特許番号の形式ではありません", "'特許abc' is not a patent number"),
    ("licensable", "perhaps", "「はい」か「いいえ」を指定してください", "is neither yes nor no"),
    ("stage", "finished", "選択肢から選んでください", "is not one of the choices"),
    ("filing_expected_on", "soon", "日付の形式が正しくありません", "is not a date such as 2026-04-01"),
    ("unpublished", "長" * 20_001, "長すぎます（20000文字まで）", "is too long: at most 20000 characters"),
]


def _at(page: str, name: str) -> str:
    return page.partition(f'id="{name}-wrong"')[2].partition("</ul>")[0]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(("name", "typed", "ja", "en"), NEED_ERRORS, ids=lambda value: str(value)[:12])
def test_an_error_of_a_need_is_at_its_field(
    people: People, enter: Enter, session: Session, name: str, typed: str, ja: str, en: str, language: str
) -> None:
    """With what was typed, nothing stored, and a link to it above the form."""
    reply = fill(enter(people.company, language), "/needs/new", "draft", **{"summary": "氷", name: typed})
    assert reply.status_code == 422
    assert (ja if language == "ja" else en) in _at(reply.text, name).replace("&#39;", "'")
    assert f'href="#{name}"' in reply.text
    assert session.scalar(select(func.count()).select_from(Need)) == 0
    if name not in ("wanted_trl", "cooperation", "language", "sdgs"):  # what is chosen among is not typed
        assert fields_of(reply.text)[name][0].replace("\r\n", "\n") == typed


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(("name", "typed", "ja", "en"), SEED_ERRORS, ids=lambda value: str(value)[:12])
def test_an_error_of_a_seed_is_at_its_field(
    people: People, enter: Enter, session: Session, name: str, typed: str, ja: str, en: str, language: str
) -> None:
    """The same."""
    reply = fill(enter(people.university, language), "/seeds/new", "draft", **{"summary": "氷", name: typed})
    assert reply.status_code == 422
    assert (ja if language == "ja" else en) in _at(reply.text, name).replace("&#39;", "'")
    assert session.scalar(select(func.count()).select_from(Seed)) == 0


@pytest.mark.parametrize(("language", "said"), [("ja", "少なくとも一つを入力してください"), ("en", "at least one")])
def test_an_empty_form_says_what_is_needed(people: People, enter: Enter, language: str, said: str) -> None:
    """An error of no field stands above the form."""
    for person, path in ((people.company, "/needs/new"), (people.university, "/seeds/new")):
        reply = fill(enter(person, language), path, "draft")
        assert reply.status_code == 422
        assert said in reply.text.partition('id="wrong"')[2].partition("</ul>")[0]


def test_long_texts_are_kept_whole(people: People, enter: Enter, session: Session) -> None:
    """A title of 256 characters, and 4,000 of Japanese without a blank, as typed; longer than recommended, too."""
    title, text = "題" * 256, "凍結しない混和材を探しています。" * 250
    browser = enter(people.company)
    sent = fill(
        browser, "/needs/new", "draft", title=title, expertise_sought=text, description=text, summary="長" * 501
    )
    assert sent.status_code == 303, sent.text
    page = browser.open(sent.headers["location"])
    shown = fields_of(page)
    assert (shown["title"], shown["expertise_sought"], shown["description"]) == ([title], [text], [text])
    assert '<p class="counter over" data-counts="summary"' in page
    assert '<p class="counter" data-counts="title"' in page


@pytest.mark.parametrize("path", ["/needs/new", "/seeds/new"])
def test_hostile_texts_are_shown_as_texts(people: People, enter: Enter, path: str) -> None:
    """In every field, in what is wrong, in the preview, in the findings and in the page of an error."""
    browser = enter(people.company if "needs" in path else people.university, "en")
    page = browser.open(path)
    texts = {
        name: HOSTILE for name, value in fields_of(page).items()
        if name not in ("csrf", "once", "writer", "anonymous", "open_for_interest")
    }  # fmt: skip
    choices = ("wanted_trl", "trl", "stage", "language", "licensable", "transferable", "ipr_status")
    dates = ("deadline", "expires_on", "filing_expected_on")
    wrong = {*choices, *dates, "field_codes", "ipr_numbers", "budget_yen", "researcher_orcid", "researcher_erad_number"}
    right = {name: text for name, text in texts.items() if name not in {*wrong, "researcher_researchmap"}}
    for do, sent in (("draft", texts), ("preview", right), ("check", right), ("match", right)):
        shown = submit(browser, page, do, **sent).text
        assert "<script>alert" not in shown, do
        assert "<img src=x" not in shown, do
        assert fields_of(shown)["title"] == [HOSTILE], do
    saved = submit(browser, page, "draft", **right)
    assert saved.status_code == 303, saved.text
    assert fields_of(browser.open(saved.headers["location"]))["title"] == [HOSTILE]


def test_a_form_of_another_kind_of_bytes_is_answered(people: People, enter: Enter) -> None:
    """Whatever stands in the hidden fields."""
    browser = enter(people.company)
    sent = fill(browser, "/needs/new", "draft", title="氷")
    path = sent.headers["location"].partition("?")[0]
    for base in ("[" * 5_000, '{"title": 3}', "[]", "\x00", "null"):
        reply = browser.send(path, do="save", version="99", base=base, title="mine", anonymous="yes")
        assert reply.status_code == 412, base
        assert fields_of(reply.text)["title"] == ["mine"]
    assert browser.send(path, do="nonsense", version="x", title="氷").status_code == 200
    assert browser.send("/needs/new", do="", once="x" * 5_000, title="氷").status_code == 200
