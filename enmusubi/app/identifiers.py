"""Public identifiers of people, organisations and vocabularies, normalised and checked."""

import re
import unicodedata
from collections.abc import Callable

from stdnum import isni
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10
from stdnum.jp import cn

from enmusubi.app.errors import Sentence

# IPC and CPC share their shape: section, class, subclass, main group, slash, subgroup (WIPO IPC Guide, § 23-26).
_IPC = re.compile(r"^([A-HY])(\d{2})([A-Z])(?:(\d{1,4})/(\d{2,6}))?$", re.ASCII)
_ROR = re.compile(r"^0[a-hj-km-np-tv-z0-9]{6}\d{2}$", re.ASCII)
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_OTHER_CODES: dict[str, re.Pattern[str]] = {
    "FORD": re.compile(r"^[1-6](\.\d{1,2}){0,2}$", re.ASCII),
    "KAKENHI": re.compile(r"^([A-K]|\d{5}|\d{3}|\d{2})$", re.ASCII),
    "JSIC": re.compile(r"^([A-T]|\d{2,4}|[A-T]\d{2,4})$", re.ASCII),
}


def normalise(text: str) -> str:
    """NFKC with outer blanks removed: for headings, codes and numbers, never for prose."""
    return unicodedata.normalize("NFKC", text).strip()


def orcid(text: str) -> str:
    """An ORCID as `0000-0000-0000-0000`; ValueError where the form or check digit (ISO 7064 11-2) is wrong."""
    digits = re.sub(r"^https?://orcid\.org/", "", normalise(text)).replace("-", "").replace(" ", "").upper()
    try:
        isni.validate(digits)
    except ValidationError as error:
        raise ValueError(
            Sentence(
                "not a valid ORCID (%(why)s); expected 16 digits with a right check digit", why=Sentence(str(error))
            )
        ) from None
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def ror(text: str) -> str:
    """A ROR id as its nine characters; ValueError where the form or check digits (ISO 7064 97-10) are wrong."""
    name = re.sub(r"^(https?://)?ror\.org/", "", normalise(text).lower())
    if not _ROR.match(name):
        raise ValueError(Sentence("not a ROR id: expected 0, six letters or digits and two check digits"))
    number = 0
    for character in name[:7]:
        number = number * 32 + _CROCKFORD.index(character)
    if mod_97_10.calc_check_digits(str(number)) != name[7:]:
        raise ValueError(Sentence("the check digits of the ROR id are wrong"))
    return name


def corporate_number(text: str) -> str:
    """A 法人番号 as 13 digits, the check digit first; ValueError where it is wrong."""
    digits = re.sub(r"[\s-]", "", normalise(text))
    try:
        return str(cn.validate(digits))
    except ValidationError as error:
        raise ValueError(
            Sentence(
                "not a valid 法人番号 (%(why)s); expected 13 digits, the first being the check digit",
                why=Sentence(str(error)),
            )
        ) from None


def _ipc(code: str) -> str:
    compact = re.sub(r"\s+", "", code).upper()
    found = _IPC.match(compact)
    if not found:
        raise ValueError(
            Sentence("%(code)r is not an IPC/CPC symbol; expected for example A23L 3/36 or H01M", code=code)
        )
    section, number, subclass, group, subgroup = found.groups()
    return f"{section}{number}{subclass}" + (f" {int(group)}/{subgroup}" if group else "")


def _matching(scheme: str) -> Callable[[str], str]:
    def check(code: str) -> str:
        if not _OTHER_CODES[scheme].match(code.upper()):
            raise ValueError(Sentence("%(code)r is not a code of %(scheme)s", code=code, scheme=scheme))
        return code.upper()

    return check


# Vocabularies are pluggable: a scheme is a name and a function that returns the normal form or raises ValueError.
FIELD_SCHEMES: dict[str, Callable[[str], str]] = {
    "IPC": _ipc,
    "CPC": _ipc,
    **{scheme: _matching(scheme) for scheme in _OTHER_CODES},
}


def field_code(text: str) -> str:
    """A field code as `SCHEME:code`; a bare symbol of IPC form is read as IPC; ValueError otherwise."""
    cleaned = normalise(text)
    scheme, separator, code = cleaned.partition(":")
    if not separator:
        scheme, code = "IPC", cleaned
    scheme = scheme.strip().upper()
    if scheme not in FIELD_SCHEMES:
        raise ValueError(
            Sentence(
                "unknown vocabulary %(scheme)r; known are %(known)s",
                scheme=scheme, known=", ".join(sorted(FIELD_SCHEMES)),
            )
        )  # fmt: skip
    return f"{scheme}:{FIELD_SCHEMES[scheme](code.strip())}"


def patent_number(text: str) -> str:
    """A patent or application number, NFKC; ValueError where a Japanese one has the wrong form."""
    cleaned = re.sub(r"\s+", "", normalise(text))
    if cleaned.startswith(("特願", "特開")) and not re.match(r"^特[願開](平|昭|令和)?\d{1,4}-\d{1,6}$", cleaned):
        raise ValueError(
            Sentence("%(number)r is not an application number; expected for example 特願2024-012345", number=cleaned)
        )
    if cleaned.startswith("特許") and not re.match(r"^特許第?\d{5,8}号?$", cleaned):
        raise ValueError(
            Sentence("%(number)r is not a patent number; expected for example 特許第7123456号", number=cleaned)
        )
    if not cleaned:
        raise ValueError(Sentence("empty patent number"))
    return cleaned
