"""A form as a browser without JavaScript fills it in and sends it."""

from html.parser import HTMLParser
from typing import Any

from httpx2 import Response

from tests.web.conftest import PageBrowser

Fields = dict[str, Any]


class _Reader(HTMLParser):
    """The controls of the page's writing form, as they would be sent."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.address: str | None = None
        self.fields: dict[str, list[str]] = {}
        self.buttons: list[str] = []
        self._inside = False
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and self.kind in said.get("class", "").split():
            self._inside, self.address = True, said["action"]
        if not self._inside:
            return
        name = said.get("name", "")
        if tag == "input" and name:
            if said.get("type") != "checkbox" or "checked" in said:
                self._add(name, said.get("value", ""))
        elif tag == "textarea":
            self._area = name
            self._add(name, "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in said:
            self._add(self._select, said["value"])
        elif tag == "button":
            self.buttons.append(said.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._area is not None:
            # The first line end after the tag is none of the text.
            self.fields[self._area][-1] = self.fields[self._area][-1].removeprefix("\n").replace("\n", "\r\n")
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.fields[self._area][-1] += data

    def _add(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


def fields_of(page: str, kind: str = "writing") -> Fields:
    """What the form of a page would send, but for its button."""
    reader = _Reader(kind)
    reader.feed(page)
    assert reader.address is not None, page
    return dict(reader.fields)


def buttons_of(page: str, kind: str = "writing") -> list[str]:
    """What its buttons say."""
    reader = _Reader(kind)
    reader.feed(page)
    return reader.buttons


def submit(browser: PageBrowser, page: str, do: str, kind: str = "writing", **changed: Any) -> Response:
    """Send the form of a page with what was changed in it; None takes a field away, as an unticked box is."""
    reader = _Reader(kind)
    reader.feed(page)
    assert reader.address is not None, page
    fields: Fields = {**reader.fields, **({"do": do} if do else {}), **changed}
    sent = {name: value for name, value in fields.items() if value is not None}
    browser.csrf_token = browser.csrf_token if "csrf" not in sent else sent.pop("csrf")[0]
    return browser.send(reader.address, **sent)


def fill(browser: PageBrowser, path: str, do: str, **typed: Any) -> Response:
    """Open a form, fill it in, press a button."""
    return submit(browser, browser.open(path), do, **typed)
