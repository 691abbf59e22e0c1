"""What a page offers: its forms with their fields as they stand there, and its links."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """A form: where it goes, how, and (name, kind, value) of each field; of a choice every value is a field of its own."""

    action: str
    method: str
    fields: list[tuple[str, str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """Forms and links of one page."""

    def __init__(self, html: str, address: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._address = address
        self._choice = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "a" and found.get("href", "").startswith("/"):
            self.links.append(found["href"])
        elif tag == "form":
            self.forms.append(Form(found.get("action") or self._address, found.get("method", "get").upper()))
        elif tag == "select":
            self._choice = found.get("name", "")
        elif self.forms and tag == "option" and self._choice:
            self.forms[-1].fields.append((self._choice, "choice", found.get("value", "")))
        elif self.forms and tag in ("input", "textarea", "button") and found.get("name"):
            self.forms[-1].fields.append((found["name"], found.get("type", "text"), found.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._choice = ""
