"""A university registers its seeds by the standard sheet, and changes them."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import Seed, SeedDetail
from enmusubi.app.vocabulary import EntryStatus
from tests.app.conftest import People
from tests.app.factories import a_seed, a_university
from tests.web.conftest import Enter
from tests.web.posting.filled import buttons_of, fields_of, fill, submit

NOBODY = {"researcher_name": "", "researcher_orcid": "", "researcher_erad_number": "", "researcher_researchmap": ""}


def _seeds(session: Session, people: People) -> list[Seed]:
    session.expire_all()
    return list(session.scalars(select(Seed).where(Seed.cluster_id == people.cluster.id).order_by(Seed.id)))


def _detail(session: Session, seed: Seed) -> SeedDetail | None:
    return session.scalar(select(SeedDetail).where(SeedDetail.seed_id == seed.id))


def test_the_standard_sheet_is_published(people: People, enter: Enter, session: Session) -> None:
    """With its researchers, its rights, and what is not published yet apart from it."""
    browser = enter(people.university)
    sent = fill(
        browser, "/seeds/new", "post",
        title="氷構造化たんぱく質", summary="凍結を防ぐ", description="魚のコラーゲン", advantages="塩害がない",
        applications="コンクリート", open_challenges="量産", expected_partner="実証の場", trl="4", stage="lab_tested",
        ipr_status="applied", ipr_numbers="特願2024-012345", licensable="true", transferable="false",
        researcher_name=["氷室 冬子", ""], researcher_orcid=["0000-0002-1825-0097", ""],
        researcher_erad_number=["12345678", ""], researcher_researchmap=["himuro", ""],
        unpublished="SECRET-YIELD", filing_expected_on="2027-03-31", language="ja",
    )  # fmt: skip
    assert sent.status_code == 303, sent.text
    [seed] = _seeds(session, people)
    assert sent.headers["location"] == f"/seeds/{seed.public_id}?done=posted"
    assert (seed.status, seed.trl, seed.licensable, seed.transferable) == (EntryStatus.PUBLISHED, 4, True, False)
    assert seed.ipr_numbers == ["特願2024-012345"]
    assert [person["name"] for person in seed.researchers] == ["氷室 冬子"]
    detail = _detail(session, seed)
    assert detail is not None
    assert detail.unpublished == "SECRET-YIELD"
    page = browser.open(f"/seeds/{seed.public_id}/edit")
    assert fields_of(page)["researcher_orcid"] == ["0000-0002-1825-0097", ""]
    assert submit(browser, page, "save").headers["location"].endswith("done=unchanged")


def test_rows_of_researchers_are_added_and_removed_without_a_script(people: People, enter: Enter) -> None:
    """By ordinary buttons; what stands in the other fields stays."""
    browser = enter(people.university, "en")
    page = browser.open("/seeds/new")
    assert len(fields_of(page)["researcher_name"]) == 1
    page = submit(browser, page, "add", title="Ice", researcher_name="Fuyuko Himuro").text
    assert fields_of(page)["researcher_name"] == ["Fuyuko Himuro", "", ""]
    names = ["Fuyuko Himuro", "Aki Kaze", ""]
    page = submit(browser, page, "drop-0", researcher_name=names, researcher_researchmap=["h", "k", ""]).text
    now = fields_of(page)
    assert (now["researcher_name"], now["researcher_researchmap"]) == (["Aki Kaze", ""], ["k", ""])
    assert now["title"] == ["Ice"]


def test_an_error_of_a_researcher_is_at_their_field(people: People, enter: Enter, session: Session) -> None:
    """Rows that are empty do not count."""
    browser = enter(people.university)
    reply = fill(
        browser, "/seeds/new", "draft", title="氷", researcher_name=["", "氷室 冬子"],
        researcher_orcid=["", "0000-0002-1825-0098"], researcher_erad_number=["", "12"],
        researcher_researchmap=["", ""],
    )  # fmt: skip
    assert reply.status_code == 422
    assert 'id="researchers-0-orcid-wrong"' in reply.text
    assert "ORCIDが正しくありません（検査数字が合いません）" in reply.text
    assert 'id="researchers-0-erad_number-wrong"' in reply.text
    assert fields_of(reply.text)["researcher_orcid"] == ["0000-0002-1825-0098", ""]
    assert _seeds(session, people) == []


def test_the_unpublished_part_is_not_in_the_preview(people: People, enter: Enter) -> None:
    """Whose it is and who is behind it is."""
    browser = enter(people.university, "en")
    page = fill(
        browser, "/seeds/new", "preview", title="Ice", researcher_name="Fuyuko Himuro", trl="4",
        unpublished="SECRET-YIELD",
    ).text  # fmt: skip
    preview = page.partition('<article class="preview">')[2].partition("</article>")[0]
    assert people.university.organisation is not None
    assert people.university.organisation.name in preview
    assert "Fuyuko Himuro" in preview
    assert "4: validated in the laboratory" in preview
    assert "SECRET-YIELD" not in preview


def test_a_draft_is_published_from_its_form(people: People, enter: Enter, session: Session) -> None:
    """Until then nobody else sees it."""
    browser = enter(people.university)
    sent = fill(browser, "/seeds/new", "draft", title="ice seed", language="en")
    page = browser.open(sent.headers["location"])
    assert "post" in buttons_of(page)
    assert submit(browser, page, "post", summary="now ready").status_code == 303
    [seed] = _seeds(session, people)
    assert (seed.status, seed.summary) == (EntryStatus.PUBLISHED, "now ready")
    assert "post" not in buttons_of(browser.open(f"/seeds/{seed.public_id}/edit"))


def test_nothing_is_lost_when_a_seed_changed_meanwhile(people: People, enter: Enter, session: Session) -> None:
    """Nor of its rows of researchers."""
    browser = enter(people.university, "en")
    fill(browser, "/seeds/new", "draft", title="Ice", unpublished="old", **{**NOBODY, "researcher_name": "A"})
    [seed] = _seeds(session, people)
    page = browser.open(f"/seeds/{seed.public_id}/edit")
    people.university.patch(f"/seeds/{seed.public_id}", {"title": "Their ice", "researchers": [{"name": "B"}]})
    reply = submit(browser, page, "save", researcher_name=["A", "C"], unpublished="mine")
    assert reply.status_code == 412
    now = fields_of(reply.text)
    assert (now["title"], now["unpublished"]) == (["Their ice"], ["mine"])
    assert now["researcher_name"] == ["A", "C", ""]
    assert "B" in reply.text.partition('class="note conflict"')[2].partition("</section>")[0]


def test_companies_register_no_seeds_nor_change_any(people: People, enter: Enter, session: Session) -> None:
    """They see a published one, so that it is there may be known."""
    university = a_university(session, people.cluster)
    seed = a_seed(session, people.cluster, university)
    session.commit()
    company = enter(people.company)
    assert company.get("/seeds/new").status_code == 403
    assert company.send("/seeds/new", do="post", title="x").status_code == 403
    assert company.send("/seeds/new/matches", title="x").status_code == 403
    for browser in (company, enter(people.university)):
        assert browser.get(f"/seeds/{seed.public_id}/edit").status_code == 403
        assert browser.send(f"/seeds/{seed.public_id}/edit", do="save", title="x").status_code == 403


@pytest.mark.parametrize("keyword", ["2,3-butanediol", "a, b"])
def test_an_item_of_a_list_stays_one(people: People, enter: Enter, session: Session, keyword: str) -> None:
    """Whatever commas are in it: what another way has stored is not taken apart by a change of something else."""
    made = people.university.create("/seeds", {"title": "Ice", "technology_keywords": [keyword]})
    browser = enter(people.university)
    page = browser.open(f"/seeds/{made['id']}/edit")
    assert submit(browser, page, "save", technology_keywords=f"{keyword}\r\nfrost").status_code == 303
    assert _seeds(session, people)[0].technology_keywords == [keyword, "frost"]
