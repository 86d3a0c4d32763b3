"""Sections of the vocabularies of fields, in words."""

from typing import Final

from enmusubi.app.web.languages import N_, Speech

_PATENTS: Final = {
    "A": N_("human necessities"),
    "B": N_("operations and transport"),
    "C": N_("chemistry and metallurgy"),
    "D": N_("textiles and paper"),
    "E": N_("fixed constructions"),
    "F": N_("mechanical engineering"),
    "G": N_("physics"),
    "H": N_("electricity"),
    "Y": N_("cross-sectional technologies"),
}
_FORD: Final = {
    "1": N_("natural sciences"),
    "2": N_("engineering and technology"),
    "3": N_("medical and health sciences"),
    "4": N_("agricultural and veterinary sciences"),
    "5": N_("social sciences"),
    "6": N_("humanities and the arts"),
}
_SECTIONS: Final = {"IPC": _PATENTS, "CPC": _PATENTS, "FORD": _FORD}


def section_said(speech: Speech, section: str | None) -> str:
    """A section such as IPC:C with its name, where we know it."""
    if section is None:
        return speech.say(N_("no field named"))
    scheme, _, letter = section.partition(":")
    name = _SECTIONS.get(scheme, {}).get(letter)
    return f"{scheme} {letter}" if name is None else f"{scheme} {letter} {speech.say(name)}"
