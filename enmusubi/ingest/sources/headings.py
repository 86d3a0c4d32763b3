"""From the text of a heading to the field it fills, never guessing about what is confidential."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from enmusubi.ingest.sources import fields
from enmusubi.ingest.sources.choices import COOPERATION
from enmusubi.ingest.sources.fields import Target
from enmusubi.ingest.sources.report import HeadingMatch, Kind, SourceError, shown

_REMARK = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|【([^【】]*)】|〔([^〔〕]*)〕|<([^<>]*)>")
_MARKED = re.compile(
    r"非公開|非公表|未公開|非開示|不開示|秘密|機密|極秘|社外秘|部外秘|学外秘|取扱注意|(?:公開|開示|公表)(?:不可|しない|禁止)|厳秘"
    r"|\(秘\)|マル秘|confidential|non-?public|not\s*(?:for\s*)?(?:public|disclos)|private|internal|undisclosed|restricted"
    r"|under\s*nda"
)
# What stands in such brackets changes what the column holds, so the bare heading would be a guess.
_OTHER_MEANING = re.compile(
    r"英|english|\ben\b|カナ|かな|フリガナ|ふりがな|読み|ローマ字|旧|前回|代理|理由|備考|補足|担当|連絡|電話|メール|e?mail|url"
    r"|ドル|ユーロ|usd|eur|\$|€|可否|有無"
)
_ENUMERATION = re.compile(r"^(?:\(\d{1,2}\)|[q問項]?\d{1,2}(?:[-.]\d{1,2})*[.):\s]|[q問項]\d{1,2})")
_UNITS = {"円": 1, "yen": 1, "jpy": 1, "千円": 1_000, "万円": 10_000, "百万円": 1_000_000, "億円": 10**8}
_UNITS |= {"thousandyen": 1_000, "millionyen": 1_000_000, "単位円": 1, "単位千円": 1_000, "単位万円": 10_000}
_UNITS |= {"単位百万円": 1_000_000, "thousandjpy": 1_000, "millionjpy": 1_000_000}
# A group of this kind says nothing about what its columns hold.
_NEUTRAL = re.compile(
    r"(?:基本|共通|公開|非公開|シーズ|ニーズ|技術|案件|登録|掲載|社外秘|confidential|public)*"
    r"(?:情報|項目|事項|info|information)?"
)
_EXPLAINS = re.compile(r"欄|項目|列|含|一部|以外|除|ません|。|column|field|except|partly")


@dataclass(frozen=True)
class Column:
    """A column of the file: its heading as printed, its 1-based number and the field it fills, if any."""

    heading: str
    number: int
    target: Target | None
    how: str
    continuation: bool = False

    @property
    def field(self) -> str | None:
        return self.target.field if self.target and self.target.field != fields.IGNORE else None

    @property
    def match(self) -> HeadingMatch:
        return HeadingMatch(self.heading, self.field, self.how)


def is_marked(text: str) -> bool:
    """Whether a heading says that its column is confidential."""
    folded = unicodedata.normalize("NFKC", text.replace("㊙", "(秘)")).casefold()
    return bool(_MARKED.search(re.sub(r"[\s_]+", " ", folded)) or _MARKED.search(re.sub(r"\s+", "", folded)))


def explains(text: str) -> bool:
    """Whether a line above the headings explains the marks rather than marking all that is below it."""
    return bool(_EXPLAINS.search(unicodedata.normalize("NFKC", text).casefold()))


def _single(heading: str, kind: Kind) -> Target | None:
    """The target of one heading without its group."""
    known = fields.DICTIONARY[kind]
    folded = unicodedata.normalize("NFKC", heading.replace("㊙", "(秘)")).casefold().strip()
    if target := known.get(fields.key(folded)):
        return target
    remarks = ["".join(groups) for groups in _REMARK.findall(folded)]
    bare = _REMARK.sub("", folded)
    # A bracket may hold the field itself (【概要】), so the bare text may be empty.
    bare = bare if bare.strip() else folded
    bare = _ENUMERATION.sub("", bare.strip())
    if any(_OTHER_MEANING.search(remark) for remark in remarks):
        return None
    name = re.sub(r"^[ごお御](?=希望|予算|要望|連携)", "", fields.key(bare))
    name = re.sub(r"(?:について|必須|任意|optional|required)$", "", name)
    target = known.get(name)
    if target is None and (numbered := re.sub(r"\d{1,2}$", "", name)) != name:
        target = known.get(numbered)
        target = target if target and target.field in fields.LISTS else None
    if target and target.field == "budget_yen":
        units = [unit for remark in remarks if (unit := fields.key(remark)) in _UNITS]
        target = replace(target, detail=str(_UNITS[units[0]])) if units else target
    return target


def _neutral(groups: Sequence[str]) -> bool:
    return all(_NEUTRAL.fullmatch(fields.key(group)) or re.search(r"\d{3}|[:：]", group) for group in groups)


def recognise(path: Sequence[str], kind: Kind) -> Target | None:
    """The target of a heading under its group headings: together, then alone, then the group's."""
    parts = [part for part in path if part.strip()]
    if not parts:
        return None
    if len(parts) == 1:
        return _single(parts[0], kind)
    for start in range(len(parts)):
        for joined in ("".join(parts[start:]), " ".join(parts[start:])):
            if start == len(parts) - 1 and fields.key(joined) in fields.GENERIC and not _neutral(parts[:-1]):
                continue
            if target := _single(joined, kind):
                return target
    group = recognise(parts[:-1], kind)
    if group and group.field == "cooperation" and (choice := COOPERATION.get(fields.key(parts[-1]))):
        return Target("cooperation", choice)
    if group and group.field in fields.LISTS and re.fullmatch(r"\D{0,8}\d{1,2}", fields.key(parts[-1])):
        return group
    return None


def decide(
    paths: Sequence[tuple[int, Sequence[str], bool]],
    kind: Kind,
    mapping: Mapping[str, str],
    file: str,
    marked: Mapping[int, str] = MappingProxyType({}),
    strict: bool = True,
) -> list[Column]:
    """The columns of a file from their numbers, heading paths and whether a merged cell only continues there.

    `marked` names, by column number, what a line above says to mark it confidential. With `strict` a `mapping`
    that fits no heading is an error. SourceError also where a column marked confidential would fill a public
    field, and where two columns would fill one field that holds one value.
    """
    wanted = {fields.key(heading): heading for heading in mapping if not re.fullmatch(r"#\d+", heading)}
    used: set[str] = set()
    columns = []
    for number, path, continuation in paths:
        heading = " ".join(dict.fromkeys(" ".join(part.split()) for part in path if part.strip()))
        keys = [fields.key(heading), *([fields.key(path[-1])] if path else []), f"#{number}"]
        given = next((wanted[name] for name in keys if name in wanted and name), None)
        given = f"#{number}" if given is None and f"#{number}" in mapping else given
        if given is not None:
            used.add(given)
            try:
                target: Target | None = fields.target_named(mapping[given], kind)
            except ValueError as error:
                raise SourceError(f"{file}: --map {given}={mapping[given]}: {error}") from None
            columns.append(Column(heading, number, target, "--map", continuation))
            continue
        target = recognise(path, kind)
        if target and (number in marked or any(is_marked(part) for part in path)):
            _refuse_leak(
                heading, number, target, kind, f"{file}: {marked[number]}: " if number in marked else f"{file}: "
            )
        columns.append(Column(heading, number, target, "recognised" if target else "not recognised", continuation))
    unused = [given for given in mapping if given not in used]
    if unused and strict:
        raise SourceError(
            f"{file}: --map {unused[0]}={mapping[unused[0]]} fits no heading; the headings are {listed(columns)}"
        )
    refuse_doubles(columns, file)
    return columns


def listed(columns: Sequence[Column]) -> str:
    """The headings for an error message; a long cell may be data, not a heading, and is not repeated."""
    names = [column.heading for column in columns if column.heading]
    parts = [repr(shown(name)) if len(name) <= 30 else "(a long text)" for name in names[:20]]
    return ", ".join(parts) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _refuse_leak(heading: str, number: int, target: Target, kind: Kind, where: str) -> None:
    if target.field in fields.SWITCHES or target.field in fields.CONFIDENTIAL[kind]:
        return
    fix = "description" if kind == "need" else "unpublished"
    raise SourceError(
        f"{where}the heading {shown(heading)!r} (column {number}) is marked confidential, but {target.field} of a "
        f"{kind} is public; say --map '{shown(heading)}={fix}', or name another field there"
    )


def refuse_doubles(columns: Sequence[Column], file: str) -> None:
    """SourceError where two columns fill one field that holds one value."""
    taken: dict[str, Column] = {}
    for column in columns:
        if column.field is None or column.continuation or column.field in fields.LISTS:
            continue
        first = taken.setdefault(column.field, column)
        if first is not column:
            raise SourceError(
                f"{file}: the headings {shown(first.heading)!r} (column {first.number}) and "
                f"{shown(column.heading)!r} (column {column.number}) both fill {column.field}; say "
                f"--map '#{column.number}=ignore', or another field there"
            )
