"""What a list is asked for by its address: checked, shown again in its form, kept in the link to its next page."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import FormData

from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.web import forms
from enmusubi.app.web.asking import Screen
from enmusubi.app.web.forms import Filled

Query = TypeVar("Query", bound=PageQuery)


@dataclass(frozen=True, slots=True)
class Wanted(Generic[Query]):
    """What is asked for; None where it is not written rightly, which `filled` says."""

    query: Query | None
    filled: Filled
    address: str
    """Of this list, without its cursor."""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but whose entries is asked for."""
        return any(value for name, value in self.filled.values.items() if name not in ("mine", "cursor"))


def wanted(
    screen: Screen, kind: type[Query], given: Mapping[str, Any], leave_out: Collection[str] = ()
) -> Wanted[Query]:
    """The query in the address; what it does not know of is not looked at."""
    asked = FormData([(name, value) for name, value in screen.request.query_params.multi_items()])
    query, filled = forms.read(kind, asked, screen.speech, given=given, leave_out=leave_out)
    kept = {name: filled.text(name) for name in filled.values if name != "cursor" and filled.text(name).strip()}
    path = screen.request.url.path
    return Wanted(query, filled, path + ("?" + urlencode(kept) if kept else ""))
