"""Check digits and forms of public identifiers."""

import pytest

from enmusubi.app import identifiers


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("https://orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("http://orcid.org/0000-0002-1694-233x", "0000-0002-1694-233X"),
        ("0000000218250097", "0000-0002-1825-0097"),
        ("０００００００２１８２５００９７", "0000-0002-1825-0097"),
        (" ００００-０００２-１８２５-００９７ ", "0000-0002-1825-0097"),
    ],
)
def test_orcid_is_normalised(text: str, normal: str) -> None:
    """An ORCID is taken as digits, with hyphens or as an address, half or full width."""
    assert identifiers.orcid(text) == normal


@pytest.mark.parametrize("text", ["0000-0002-1825-0098", "0000-0002-1825-009", "", "0000-0002-1825-00977", "abcd"])
def test_wrong_orcid_is_refused(text: str) -> None:
    """A wrong check digit, length or character is an error."""
    with pytest.raises(ValueError, match="ORCID"):
        identifiers.orcid(text)


@pytest.mark.parametrize("text", ["02e16g702", "https://ror.org/02e16g702", "ROR.org/02E16G702", "０２ｅ１６ｇ７０２"])
def test_ror_is_normalised(text: str) -> None:
    """A ROR id is taken alone or as an address, in either case and width."""
    assert identifiers.ror(text) == "02e16g702"


@pytest.mark.parametrize("text", ["02e16g703", "02e16g712", "12e16g702", "02e16l702", "02e16g70", "", "02e16g70٢"])
def test_wrong_ror_is_refused(text: str) -> None:
    """Wrong check digits, a letter outside the alphabet or a wrong length is an error."""
    with pytest.raises(ValueError, match="ROR"):
        identifiers.ror(text)


@pytest.mark.parametrize(
    "text", ["7000012050002", "７００００１２０５０００２", "7-0000-1205-0002", " 7000012050002\u3000"]
)
def test_corporate_number_is_normalised(text: str) -> None:
    """A 法人番号 is taken in half or full width, with or without hyphens."""
    assert identifiers.corporate_number(text) == "7000012050002"


@pytest.mark.parametrize("text", ["8000012050002", "7000012050003", "700001205000", "", "七千"])
def test_wrong_corporate_number_is_refused(text: str) -> None:
    """The first digit checks the others."""
    with pytest.raises(ValueError, match="法人番号"):
        identifiers.corporate_number(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("A23L 3/36", "IPC:A23L 3/36"),
        ("a23l3/36", "IPC:A23L 3/36"),
        ("A23L 0003/36", "IPC:A23L 3/36"),
        ("Ａ２３Ｌ　３／３６", "IPC:A23L 3/36"),
        ("H01M", "IPC:H01M"),
        ("cpc:Y02E 60/10", "CPC:Y02E 60/10"),
        ("FORD:2.11", "FORD:2.11"),
        ("KAKENHI:39010", "KAKENHI:39010"),
        ("jsic:d06", "JSIC:D06"),
    ],
)
def test_field_code_is_normalised(text: str, normal: str) -> None:
    """A bare symbol is IPC; blanks, leading zeros, case and width do not matter."""
    assert identifiers.field_code(text) == normal
    assert identifiers.field_code(normal) == normal


@pytest.mark.parametrize("text", ["I23L 3/36", "A2L", "A23L 3", "FORD:7", "FORD:2.٣", "DDC:610", "", "KAKENHI:1234"])
def test_wrong_field_code_is_refused(text: str) -> None:
    """A symbol of no known vocabulary, or of the wrong form, is an error."""
    with pytest.raises(ValueError, match=r"symbol|code|vocabulary"):
        identifiers.field_code(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("特願２０２４－０１２３４５", "特願2024-012345"),
        ("特開平10-123456", "特開平10-123456"),
        ("特許第7123456号", "特許第7123456号"),
        ("特許 第７１２３４５６ 号", "特許第7123456号"),
        ("US 11,123,456 B2", "US11,123,456B2"),
        ("PCT/JP2024/001234", "PCT/JP2024/001234"),
    ],
)
def test_patent_number_is_normalised(text: str, normal: str) -> None:
    """Numbers lose blanks and full-width forms; those of other offices are kept as they are."""
    assert identifiers.patent_number(text) == normal


@pytest.mark.parametrize("text", ["特願2024", "特開abc-1", "特許第12号", "  ", "特願2024-1234567"])
def test_wrong_patent_number_is_refused(text: str) -> None:
    """A Japanese number of the wrong form is an error that shows the right one."""
    with pytest.raises(ValueError, match="number"):
        identifiers.patent_number(text)
