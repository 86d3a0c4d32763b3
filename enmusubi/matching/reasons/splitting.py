"""Where the sentences of a Japanese or English technical text begin and end, in characters."""

import re
from bisect import bisect_right

RULES = "1"
"""Version of the splitting; raise it whenever any text would be split otherwise, so that stored vectors go stale."""

LONGEST = 300
"""Characters of the longest sentence; a longer one is split at commas, else at spaces, else where it is full."""

_OPENING, _CLOSING = "「『（(【［[〔〈《“｢", "」』）)】］]〕〉》”｣"
_BRACKETS = re.compile(f"[{re.escape(_OPENING + _CLOSING)}\n]")
_LINE_END = r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*"
# Candidates only: what stands around each of them decides. All runs are bounded, so that the scan stays linear.
_CANDIDATE = re.compile(
    rf"(?P<line>{_LINE_END})"
    rf"|(?P<stop>[。｡！？!?．.]{{1,20}}[{re.escape(_CLOSING)}\"'’]{{0,5}})"
    r"|(?P<item>(?<=[\s;；:：,，、。])[(（][0-9０-９]{1,2}[)）]|[①-⑳])"
)
_BEFORE_ITEM, _CIRCLED = " \t\u3000;；:：,，、。", "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_ITEM = re.compile(r"[ \t\u3000]*(?:[・•●○◆◇■□▪*＊–—-][ \t\u3000]*|[(（]?[0-9０-９]{1,2}[)）.．][ \t\u3000]?|[①-⑳])")
_LAST_WORD = re.compile(r"[A-Za-z][A-Za-z.]*$|(?:(?<=\s)|^)[(（]?[0-9]{1,2}$")
_COMMA = re.compile(r"[、，；;,](?=[^0-9])\s*")
_KANA_OR_KANJI = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
# A full stop after these never ends a sentence, or only before a capital letter that is no name.
_NEVER_LAST = re.compile(r"e\.g|i\.e|cf|vs|dr|prof|mr|mrs|ms|approx|ca|figs?|eqs?|refs?|sec|vol|ver|st|dept|viz|incl")
_BEFORE_NUMBER = re.compile(r"nos?|max|min|pp?|al")
_BEFORE_NAME = re.compile(r"co|ltd|univ|inc|corp|[a-z]|(?:[a-z]\.)+[a-z]")  # an initial, "U.S."
_FIRST_WORD = re.compile(
    r"(?:a|an|as|at|for|he|if|in|it|our|she|such|that|the|their|these|they|this|to|we|with)\b", re.IGNORECASE
)
_AFTER_NUMBER = re.compile(r"[0-9°℃%][ \u00a0]?$")


def split(text: str) -> list[tuple[int, int]]:
    """Start and end of every sentence of `text`, ascending; only white space lies between and around them.

    A line is at least one sentence, unless it goes on in the next (wrapped English, or a line that ends in a comma).
    Bullets and numbered items begin a sentence. A stop within brackets or quotation marks ends none. A text without any
    letter or digit is one sentence; an empty one has none. Takes time linear in the length of the text.
    """
    spans: list[tuple[int, int]] = []
    start, mute = 0, False
    for boundary in [*_boundaries(text), len(text)]:
        first = _next_letter(text, start)
        last = first + len(text[first:boundary].rstrip())
        start = boundary
        if first >= last:
            continue
        # What holds no letter or digit, such as a row of stars, belongs to its neighbour.
        speaks = _speaks(text, first, last)
        if spans and (mute or not speaks):
            spans[-1] = (spans[-1][0], last)
            mute = mute and not speaks
        else:
            spans.append((first, last))
            mute = not speaks
    return [piece for span in spans for piece in _shortened(text, *span)]


def _boundaries(text: str) -> list[int]:
    enclosed = _enclosed(text)
    starts = [opening for opening, _ in enclosed]
    found: list[int] = []
    sentence = _next_letter(text, 0)
    for match in _CANDIDATE.finditer(text):
        place = bisect_right(starts, match.start()) - 1
        if match["line"]:
            ends = not _goes_on(text, sentence, match.start(), match.end())
        elif place >= 0 and match.end() < enclosed[place][1]:
            ends = False
        elif match["item"]:
            # "図①" is no item, but what follows one may be: "①小型②安価".
            ends = text[match.start() - 1] in _BEFORE_ITEM or text[sentence : sentence + 1] in _CIRCLED
        else:
            ends = _is_last(text, sentence, match)
        boundary = match.start() if match["item"] else match.end()
        if ends and boundary > sentence:
            found.append(boundary)
            sentence = _next_letter(text, boundary)
    return found


def _enclosed(text: str) -> list[tuple[int, int]]:
    """Outermost pairs of brackets within a line, none longer than a sentence may be; no open ones."""
    pairs: list[tuple[int, int]] = []
    open_at: list[int] = []
    for match in _BRACKETS.finditer(text):
        character = match.group()
        if character == "\n":
            open_at.clear()
        elif character in _OPENING:
            open_at.append(match.start())
        else:
            wanted = _OPENING[_CLOSING.index(character)]
            # Only the few innermost are looked at: a text of opening brackets must not cost its square.
            depth = next((n for n, at in enumerate(reversed(open_at[-8:]), 1) if text[at] == wanted), 0)
            if depth and match.start() - open_at[-depth] < LONGEST:
                opening = open_at[-depth]
                del open_at[-depth:]
                while pairs and pairs[-1][0] > opening:
                    pairs.pop()
                pairs.append((opening, match.end()))
    return pairs


def _goes_on(text: str, sentence: int, end: int, following: int) -> bool:
    """Whether the line that ends here is continued in the next: wrapped, not ended."""
    while end > sentence and text[end - 1].isspace():
        end -= 1
    if following >= len(text) or end <= sentence or _ITEM.match(text, following):
        return False
    last, first = text[end - 1], text[following]
    if last in "、，,":
        return True
    # Lists are made of short lines; a line that was wrapped is long.
    wrapped = end - sentence >= 40 and not {"\n", "\r"} & set(text[end - 40 : end])
    return wrapped and "a" <= first <= "z" and last.isascii() and (last.isalnum() or last in "-)")


def _is_last(text: str, sentence: int, match: re.Match[str]) -> bool:
    stop, end = match.group(), match.end()
    following = text[end : end + 1]
    if not following:
        return True
    quoted = stop[-1] not in "。｡！？!?．."
    if stop[0] in "。｡！？":
        return not (quoted or stop[0] in "！？") or following not in "とがをのはにでもやなっ、，"
    before = text[max(0, match.start() - 1) : match.start()]
    if not following.isspace():
        if stop[0] == "．":
            return not (before.isdigit() and following.isdigit()) and following not in "とがをのはに、，"
        return bool(_KANA_OR_KANJI.match(before)) and not following.isdigit() and following not in "、，」』）)"
    ahead = text[end : end + 40].lstrip()
    if ahead[:1].islower() and ahead[:1].isascii():
        return False
    if stop != "." and stop != "．":
        return True
    return not _is_abbreviation(
        text[max(sentence, match.start() - 24) : match.start()], match.start() - sentence, ahead
    )


def _is_abbreviation(before: str, length: int, ahead: str) -> bool:
    found = _LAST_WORD.search(before)
    if found is None:
        return False
    written = found.group()
    word = written.lower()
    if not word[-1].isalpha():
        return length == len(word)  # "1." begins an item
    if _NEVER_LAST.fullmatch(word) or (_BEFORE_NUMBER.fullmatch(word) and ahead[:1].isdigit()):
        return True
    if not _BEFORE_NAME.fullmatch(word) or _FIRST_WORD.match(ahead):
        return False
    # A unit ends the sentence, as in "at 20 C.", and so does a small letter.
    return len(word) > 1 or (
        written.isupper() and _AFTER_NUMBER.search(before[: found.start()]) is None and not _KANA_OR_KANJI.match(ahead)
    )


def _next_letter(text: str, start: int) -> int:
    """The first place from `start` on that is not white space."""
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def _speaks(text: str, start: int, end: int) -> bool:
    """Whether a letter or digit stands there, beyond the marker of an item."""
    marker = _ITEM.match(text, start, end)
    return any(text[place].isalnum() for place in range(marker.end() if marker else start, end))


def _shortened(text: str, start: int, end: int) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    while end - start > LONGEST:
        cut = _cut(text, start, start + LONGEST)
        pieces.append((start, start + len(text[start:cut].rstrip())))
        start = _next_letter(text, cut)
    if start < end:
        pieces.append((start, end))
    return pieces


def _cut(text: str, start: int, end: int) -> int:
    """After the last comma in the second half of what fits, else after its last space, else where it is full."""
    half = (start + end) // 2
    commas = [match.end() for match in _COMMA.finditer(text, half, end)]
    if commas:
        return min(commas[-1], end)
    space = max(text.rfind(" ", half, end), text.rfind("\u3000", half, end))
    return space + 1 if space >= 0 else end
