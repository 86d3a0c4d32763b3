"""What is wrong with a cell or a row, in the reader's language; the reader of files says it in English."""

import re
from typing import Final

from enmusubi.app.web.languages import N_, Speech

# Patterns of whole sentences, with the message that says the same; what none fits is shown as it is.
_SAYS: Final[tuple[tuple[str, str], ...]] = (
    (r"is not one TRL .*", N_("is not one TRL: write one number from 1 to 9, for example 4 or TRL4")),
    (r"is not a date; .*", N_("is not a date: write it for example as 2027-03-31 or 2027年3月31日")),
    (r"is a day that does not exist", N_("is a day that does not exist")),
    (r"is neither yes nor no; .*", N_("is neither yes nor no: write for example 可 or 不可, yes or no")),
    (r"is not a list of SDGs; .*", N_("is not a list of SDGs: write their numbers, for example 9, 12")),
    (r"is not one amount of yen .*", N_("is not one amount of yen: write for example 5,000,000 or 500万円")),
    (r"is not a known \w+; expected one of (?P<known>.*)", N_("is not a known choice: write one of %(known)s")),
    (r"is not a finite number", N_("is not a number that can be stored")),
    (r"has lost digits, .*", N_("has lost digits, since a number keeps 15 of them: format the cell as text")),
    (r"was shortened by a spreadsheet .*", N_("was shortened by the spreadsheet: format the column as text there")),
    (r"contains a NUL character.*", N_("contains a NUL character: remove it")),
    (r"contains a broken character.*", N_("contains a broken character: write it again")),
    (r"is a second value of .*", N_("is a second value of the same field: leave one of the two cells empty")),
    (r"may name one researcher or several; .*", N_("may name one researcher or several: separate them by ;")),
    (r"has (?P<values>\d+) values for (?P<people>\d+) researchers.*",
     N_("has %(values)s values for %(people)s researchers: give each one, separated by ;")),
    (r"contradicts the column on anonymity.*", N_("contradicts the column on anonymity: correct one of the two")),
    (r"is merged with the row above; .*", N_("is merged with the row above: give each entry one row, and unmerge")),
    (r"holds a formula with no stored value.*",
     N_("holds a formula that was not calculated: open the file in a spreadsheet program and save it")),
    (r"holds the error (?P<error>\S+); .*", N_("holds the error %(error)s: mend the formula or type the value")),
    (r"has (?P<cells>\d+) cells where the headings have (?P<headings>\d+).*",
     N_("has %(cells)s cells where the headings have %(headings)s: check quotation marks, separators and line breaks")),
    (r"a quotation mark .* never closed.*", N_("opens a quotation mark that is never closed")),
    (r"text follows a closing quotation mark.*", N_("has text behind a closing quotation mark")),
    (r"repeats the entry of line (?P<line>\d+); .*",
     N_("repeats the entry of row %(line)s: give it a number of its own or remove it")),
    (r"String should have at most (?P<most>\d+) characters.*",
     N_("is too long: at most %(most)s characters; nothing is cut here")),
    (r"String should have at least (?P<least>\d+) characters?", N_("is too short: at least %(least)s characters")),
    (r"List should have at most (?P<most>\d+) items.*", N_("are too many: at most %(most)s")),
    (r"Field required", N_("is needed")),
    (r"Input should be (?:a valid integer|less than|greater than).*", N_("is not a number that is allowed here")),
    (r"organisation: only your own may own .*",
     N_("names another organisation: only your own may own what you enter; correct it or leave it out")),
    (r"external_id: an entry with this id exists already", N_("has a number that another entry has already")),
    (r"expires_on: an entry is kept for two years at most.*", N_("lies too far ahead: at most two years")),
    (r"expires_on: (?P<day>[\d-]+) is past", N_("has a last day that is past: %(day)s")),
    (r".*withdrawn.*", N_("is of an entry that was withdrawn")),
    (r"is not JSON .*", N_("is not JSON: each line must be one whole object")),
    # of the file as a whole
    (r".* has no heading that names a text of a .+",
     N_("No column is known to hold a title or summary. Choose below what the columns hold.")),
    (r".* looks like (?:seed|need)s, not .*", N_("By its headings the file holds the other kind of entries.")),
    (r".* holds no rows in its first .*", N_("The file holds no rows where the headings are looked for.")),
    (r".* cannot be decoded .*", N_("The characters of the file cannot be read; save it as UTF-8 or Shift_JIS.")),
    (r".* is encrypted; .*", N_("The file is encrypted; save it without a password.")),
    (r".* is a damaged workbook .*", N_("The workbook is damaged; open it and save it again.")),
    (r".* is not an Excel workbook, .*", N_("The file is no Excel workbook, whatever its ending says.")),
    (r".* it is refused as (?:hostile|a zip bomb).*", N_("The file is built so that it could harm the service.")),
    (r".* both fill .*", N_("Two columns fill the same field. Choose another field for one of them, or leave it out.")),
    (r"the account was closed.*", N_("The account was closed while the file was read.")),
    (r"it could not be read; .*", N_("It could not be read; whoever runs the service finds the reason in its log.")),
)  # fmt: skip
_KNOWN: Final = tuple((re.compile(pattern, re.DOTALL), message) for pattern, message in _SAYS)


def reason(speech: Speech, said: str) -> str:
    """The same in the reader's language."""
    for pattern, message in _KNOWN:
        if found := pattern.fullmatch(said):
            return speech.say(message, **found.groupdict())
    return speech.say(said)
