"""JSON Lines: one object a line, each checked on its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from enmusubi.ingest.sources.report import Place, Problem
from enmusubi.ingest.sources.texts import Text


@dataclass(frozen=True)
class Record:
    """An object and its line."""

    line: int
    members: dict[str, object]


class _RefusedError(ValueError):
    """A line that is JSON by its form but not by its sense; the message repeats no value."""


def records(text: Text) -> Iterator[Record | Problem]:
    """The objects of the file, and a located problem for each line that is not one; blank lines are skipped."""
    for line, content in text.numbered(newline="\n"):
        if not content.strip():
            continue
        reason = None
        try:
            found = json.loads(content, object_pairs_hook=_once, parse_constant=_refuse)
        except _RefusedError as error:
            reason = str(error)
        except RecursionError:
            reason = "is nested too deeply; a seed or a need is one flat object"
        except json.JSONDecodeError as error:
            reason = f"is not JSON ({error.msg}, character {error.colno}); each line must be one whole object"
        except ValueError:
            reason = "holds a number with too many digits; store it as text"
        else:
            if not isinstance(found, dict):
                reason = 'is not an object; each line must be one, such as {"title": "…"}'
        if reason is None:
            yield Record(line, found)
        else:
            yield Problem(Place(text.path.name, line), None, reason)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RefusedError("names a member twice; keep one of them")
    return members


def _refuse(constant: str) -> NoReturn:
    raise _RefusedError(f"holds {constant}, which is no JSON value; leave the member out")
