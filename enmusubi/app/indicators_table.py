"""Indicators as a CSV table for spreadsheets, with headings in Japanese or English."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from enmusubi.app.indicators import Indicators
from enmusubi.app.indicators_shown import figures_out
from enmusubi.app.vocabulary import Counted, Language, OutcomeKind, ReasonCode

MARK: Final = "\ufeff"
"""By this spreadsheets know that the text is UTF-8."""

_ROWS: Final = {
    Counted.CLUSTER: ("クラスター全体", "whole cluster"),
    Counted.ORGANISATION: ("見えない機関", "an organisation that is not seen"),
    Counted.ANONYMOUS: ("匿名ニーズの企業(合計)", "companies behind anonymous needs, together"),
    Counted.ELSEWHERE: ("他クラスターの機関(合計)", "organisations of other clusters, together"),
    Counted.FIELD: ("分野", "field"),
    Counted.COORDINATOR: ("コーディネータ", "coordinator"),
    Counted.NONE: ("該当なし", "none"),
}
_OUTCOMES: Final = {
    OutcomeKind.JOINT_RESEARCH: ("共同研究", "joint research"),
    OutcomeKind.COMMISSIONED_RESEARCH: ("受託研究", "commissioned research"),
    OutcomeKind.TECHNICAL_CONSULTATION: ("技術相談", "technical consultation"),
    OutcomeKind.ACADEMIC_GUIDANCE: ("学術指導", "academic guidance"),
    OutcomeKind.CLINICAL_TRIAL: ("治験", "clinical trials"),
    OutcomeKind.PATENT_APPLICATION: ("特許出願", "patent applications"),
    OutcomeKind.LICENCE: ("実施許諾", "licences"),
    OutcomeKind.START_UP: ("起業", "start-ups"),
    OutcomeKind.COMMERCIALISATION: ("事業化", "commercialisations"),
}
_REASONS: Final = {
    ReasonCode.TOO_EARLY: ("時期尚早", "too early"),
    ReasonCode.BENEFIT_UNCLEAR: ("利点が不明", "benefit unclear"),
    ReasonCode.COMMERCIAL_ROUTE_UNCLEAR: ("事業化の道筋が不明", "commercial route unclear"),
    ReasonCode.DESCRIPTION_UNCLEAR: ("説明が不明", "description unclear"),
    ReasonCode.SCIENTIFIC_CONCERN: ("科学的な懸念", "scientific concern"),
    ReasonCode.OUT_OF_SCOPE: ("対象外", "out of scope"),
    ReasonCode.IP_POSITION: ("知財の状況", "IP position"),
    ReasonCode.CAPACITY: ("人員・設備の不足", "capacity"),
    ReasonCode.INTERNAL_PROJECT: ("社内で実施", "internal project"),
    ReasonCode.COMPLIANCE: ("法令・規程", "compliance"),
    ReasonCode.NO_ANSWER: ("回答なし", "no answer"),
    ReasonCode.ALREADY_IN_CONTACT: ("すでに接触あり", "already in contact"),
    ReasonCode.TERMS: ("条件", "terms"),
}

_TIMES: Final = {
    "posted_to_introduced": ("ニーズ登録→紹介", "posted to introduced"),
    "asked_to_answered": ("打診→回答", "asked to answered"),
    "introduced_to_accepted": ("紹介→双方承諾", "introduced to accepted"),
    "accepted_to_disclosed": ("双方承諾→相互開示", "accepted to disclosed"),
    "disclosed_to_agreement": ("相互開示→合意", "disclosed to agreement"),
    "posted_to_outcome": ("ニーズ登録→成果", "posted to outcome"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A heading in both languages, and where in the figures its cells stand."""

    ja: str
    en: str
    path: tuple[str, ...]

    def cell(self, figures: Mapping[str, Any]) -> int | float | None:
        """What stands there; of a reason that nobody gave, none."""
        found: Any = figures
        for step in self.path:
            found = found.get(step, 0)
        value: int | float | None = found
        return value


def _columns() -> Iterator[Column]:
    yield Column("ニーズ登録(件)", "needs posted (count)", ("needs_posted",))
    yield Column("シーズ登録(件)", "seeds registered (count)", ("seeds_registered",))
    yield Column("候補選定(件)", "shortlisted (count)", ("shortlisted",))
    yield Column("候補却下(件)", "dismissed (count)", ("dismissed", "count"))
    yield Column("紹介(件)", "introduced (count)", ("introduced",))
    yield Column("双方承諾(件)", "accepted (count)", ("accepted",))
    yield Column("辞退(件)", "declined (count)", ("declined", "count"))
    for reason, (ja, en) in _REASONS.items():
        yield Column(f"辞退:{ja}(件)", f"declined: {en} (count)", ("declined", "reasons", reason))
    yield Column("相互開示(件)", "disclosed (count)", ("disclosed",))
    yield Column("面談(回)", "meetings (count)", ("meetings",))
    yield Column("合意(件)", "agreements (count)", ("agreements",))
    for kind, (ja, en) in _OUTCOMES.items():
        yield Column(f"{ja}(件)", f"{en} (count)", ("outcomes", kind, "count"))
        yield Column(f"{ja}:金額(円)", f"{en}: amount (JPY)", ("outcomes", kind, "amount_yen"))
        yield Column(f"{ja}:金額の記載(件)", f"{en}: with an amount (count)", ("outcomes", kind, "amounts"))
    yield Column("打診(回)", "sides asked (count)", ("answers", "asked"))
    yield Column("期限内の回答(回)", "answered in time (count)", ("answers", "in_time"))
    yield Column("期限後の回答(回)", "answered late (count)", ("answers", "late"))
    yield Column("無回答で終了(回)", "closed without an answer (count)", ("answers", "no_answer"))
    yield Column("期限超過(回)", "overdue (count)", ("answers", "overdue"))
    yield Column("回答待ち(回)", "waiting (count)", ("answers", "waiting"))
    yield Column("回答前に終了(回)", "closed before an answer (count)", ("answers", "closed"))
    yield Column("期限内回答率", "share answered in time", ("answers", "share_in_time"))
    yield Column("無回答率", "share without an answer", ("answers", "share_no_answer"))
    for step, (ja, en) in _TIMES.items():
        yield Column(f"{ja}(中央値、日)", f"{en} (median days)", ("days", step, "median"))
        yield Column(f"{ja}(件)", f"{en} (count)", ("days", step, "count"))


COLUMNS: Final = tuple(_columns())
_FIRST: Final = (
    ("年度", "fiscal year"),
    ("時点", "as of"),
    ("区分", "row"),
    ("名称", "name"),
)


def as_csv(indicators: Indicators, language: Language) -> str:
    """The rows as CSV (RFC 4180) with a heading, in UTF-8 with its mark."""
    place = 0 if language is Language.JA else 1
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow([*(heading[place] for heading in _FIRST), *((each.ja, each.en)[place] for each in COLUMNS)])
    for row in indicators.rows:
        figures = figures_out(row).model_dump(mode="json")
        name = (row.name_en or row.name) if language is Language.EN else row.name
        first = (indicators.year, indicators.as_of.isoformat(), _ROWS[row.counted][place], harmless(name or ""))
        table.writerow([*first, *(column.cell(figures) for column in COLUMNS)])
    return MARK + written.getvalue()


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: with an apostrophe before what could begin one.

    Full-width signs too, which some read as their narrow forms, and blanks before them, which some pass over.
    """
    return f"'{text}" if text.lstrip().startswith(_FORMULAS) or text.startswith(("\t", "\r", "\n")) else text


_FORMULAS: Final = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")
