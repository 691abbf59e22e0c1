"""A run of made requests over every route, by everybody who may ask: no answer of 500 and above.

The run walks: it reads the pages that it is given, fills in their forms half right and half wrong, follows where they lead, and
keeps the names of things that it sees, so that wrong values meet things that exist. The calls of the API are made by schemathesis
from the OpenAPI document (`tests/web/test_api_schema.py` does that).
"""

import io
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.factories import declarations
from tests.fuzz import seeds
from tests.fuzz.mutate import ODD_TEXTS, Dice, dice_for, mutate_bytes, mutate_json, mutate_text, mutate_zip
from tests.fuzz.pages import Form, Page
from tests.fuzz.world import Caller, Failures, callers

TURN = 600  # requests after which everybody signs in anew
_ENDLESS = {"/api/v1/stream"}
_KEPT = 40
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBERS = ("0", "1", "2", "-1", "9223372036854775807", "9223372036854775808", "99999999999999999999999")
_LIKELY = {
    "name": "王小明", "id_type": "resident_id", "id_number": declarations.resident_id(8), "phone": declarations.phone(8),
    "password": "right-horse-battery", "code": "330482101203", "plate": "浙F12345", "login": "somebody", "note": "已核实",
    "reason": "家中有事", "text": "枫泾镇", "url": "https://example.org/x", "division": "330482101000", "seconds": "60", "days": "3",
}  # fmt: skip


@dataclass(slots=True)
class Run:
    """What a run has seen. `failed` holds each answer of 500 and above once by place: request, by whom, and what the log says."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    endpoints: Counter[str] = field(default_factory=Counter)
    failures: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def note(self, what: str, answer_status: int, log: Failures) -> None:
        """Count an answer; keep what is needed to make a failure again."""
        self.requests += 1
        self.statuses[answer_status] += 1
        if answer_status >= 500:
            self.failures += 1
            said = log.told[-1] if log.told else str(answer_status)
            if len(self.failed) < _KEPT:
                self.failed.setdefault(said.partition(" failed: ")[2] or said, what)

    def figures(self) -> dict[str, float]:
        """The sums."""
        return {
            "requests": self.requests,
            "server_errors": self.failures,
            "places_that_failed": len(self.failed),
            "routes": len(self.endpoints),
            "answered_2xx": sum(n for status, n in self.statuses.items() if status < 300),
            "answered_3xx": sum(n for status, n in self.statuses.items() if 300 <= status < 400),
            "answered_4xx": sum(n for status, n in self.statuses.items() if 400 <= status < 500),
            "seconds": round(self.seconds, 1),
            "per_second": round(self.requests / self.seconds, 1) if self.seconds else 0.0,
        }


class Walker:
    """One walk through the application."""

    def __init__(self, app: Flask, log: Failures, run: Run, seed: int) -> None:
        self.app, self.log, self.run, self.seed = app, log, run, seed
        self.rules = [
            rule for rule in app.url_map.iter_rules() if rule.rule not in _ENDLESS and rule.endpoint != "static"
        ]
        self.adapter = app.url_map.bind("localhost")
        self.known: dict[str, list[str]] = {}
        self.forms: dict[tuple[str, str, str], Form] = {}
        self.fields = sorted(_LIKELY)
        self.links: dict[str, list[str]] = {}
        self.files = (
            *seeds.tables(seeds.ROWS),
            *seeds.tables(seeds.AREA_ROWS),
            *seeds.people_json(),
            *seeds.pictures()[:4],
        )
        self.books = (seeds.workbook(seeds.ROWS), seeds.spreadsheet(seeds.ROWS), seeds.workbook(seeds.AREA_ROWS))

    def walk(self, requests: int) -> None:
        """So many requests."""
        turn, end = 0, self.run.requests + requests
        while self.run.requests < end:
            who = callers(self.app, turn)
            for caller in who:
                self._look_around(caller)
            for number in range(TURN):
                if self.run.requests >= end:
                    return
                dice = dice_for(self.seed, "routes", turn * TURN + number)
                self._step(dice, dice.choice(who))
            turn += 1

    def _look_around(self, caller: Caller) -> None:
        """Every page that needs no name of anything, as it is."""
        for rule in self.rules:
            if "GET" in (rule.methods or ()) and not rule.arguments:
                self._send(caller, "GET", rule.rule, learn=True)

    def _step(self, dice: Dice, caller: Caller) -> None:
        own = [form for (name, *_rest), form in self.forms.items() if name == caller.name]
        if own and dice.randrange(3):
            form = dice.choice(own)
            self._send(caller, form.method, form.action, learn=not dice.randrange(3), **self._filled(dice, form))
        elif (links := self.links.get(caller.name)) and not dice.randrange(3):
            self._send(caller, "GET", dice.choice(links), learn=True)
        else:
            rule = dice.choice(self.rules)
            method = dice.choice(sorted((rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}))
            self._send(
                caller, method, self._address(dice, rule), learn=not dice.randrange(3), **self._anything(dice, method)
            )

    def _address(self, dice: Dice, rule: Rule) -> str:
        """An address of a rule: with names that were seen, or with none that can be."""
        values: dict[str, Any] = {}
        for name in rule.arguments:
            seen = self.known.get(name) or [one for many in self.known.values() for one in many[:20]] or ["1"]
            odd = (
                *_NUMBERS,
                dice.choice(ODD_TEXTS) or "x",
                f"{dice.getrandbits(128):032x}",
                mutate_text(dice, b"person", [b"x"]).decode()[:80],
            )
            values[name] = dice.choice(seen) if dice.randrange(4) else dice.choice(odd)
        try:
            return self.adapter.build(rule.endpoint, {name: _typed(value) for name, value in values.items()})
        except Exception:  # what the rule itself does not take is sent as it is
            return re.sub(r"<(?:[^<>:]+:)?(\w+)>", lambda found: str(values[found[1]]) or "x", rule.rule)

    def _filled(self, dice: Dice, form: Form) -> dict[str, Any]:
        """The fields of a form, most of them right."""
        chosen: MultiDict[str, Any] = MultiDict()
        wrong = dice.choice((0.0, 0.1, 0.4))
        for name, kind, value in form.fields:
            if kind == "file":
                chosen.add(
                    name, (io.BytesIO(self._file(dice)), dice.choice(("a.csv", "b.xlsx", "c.jpg", "\u202e.ods")))
                )
            elif kind in ("radio", "checkbox", "choice", "submit") and dice.randrange(2):
                continue
            elif dice.random() < wrong:
                for _again in range(dice.choice((1, 1, 1, 2))):
                    chosen.add(name, self._value(dice, value))
            elif dice.random() < 0.97:
                chosen.add(name, value or self._likely(dice, name))
        if form.method == "GET":
            return {"query_string": chosen}
        return {
            "data": chosen,
            "content_type": "multipart/form-data" if any(kind == "file" for _n, kind, _v in form.fields) else None,
        }

    def _likely(self, dice: Dice, name: str) -> str:
        last = re.split(r"[._\d-]+", name)[-1]
        fitting = next((value for key, value in _LIKELY.items() if key in (name, last) or name.endswith(key)), "")
        if "from" in name or "day" in name or name.endswith(("_on", "until", "to", "date")):
            fitting = "2022-03-02"
        return fitting or dice.choice(("", "王", "1", "2022-03-02T08:00", "on"))

    def _value(self, dice: Dice, value: str) -> str:
        ids = self.known.get("id", ["x"])
        made = mutate_text(dice, value.encode(), [one.encode() for one in ODD_TEXTS]).decode()
        return dice.choice(
            (
                made,
                made,
                dice.choice(ODD_TEXTS),
                dice.choice(_NUMBERS),
                dice.choice(ids),
                "x" * dice.choice((300, 70_000)),
                "",
            )
        )

    def _file(self, dice: Dice) -> bytes:
        if not dice.randrange(3):
            return mutate_zip(dice, dice.choice(self.books), self.books)
        raw = dice.choice(self.files)
        return mutate_bytes(dice, raw, self.files) if dice.randrange(3) else raw

    def _anything(self, dice: Dice, method: str) -> dict[str, Any]:
        """Fields of any form at all, a JSON text, or bytes that claim to be one of them."""
        some: MultiDict[str, Any] = MultiDict()
        for _field in range(dice.randrange(6)):
            some.add(dice.choice(self.fields), self._value(dice, dice.choice(list(_LIKELY.values()))))
        if method == "GET":
            return {"query_string": some}
        match dice.randrange(4):
            case 0:
                return {
                    "data": mutate_json(dice, dice.choice(seeds.declaration_json()), [b"{}"]),
                    "content_type": "application/json",
                }
            case 1:
                kind = dice.choice(
                    (
                        "application/x-www-form-urlencoded",
                        "multipart/form-data; boundary=cut",
                        "application/cose",
                        "text/csv",
                    )
                )
                return {
                    "data": mutate_bytes(dice, b"name=%E7%8E%8B&code=%ff&day=2022-03-01", seeds.multipart()),
                    "content_type": kind,
                }
            case _:
                return {"data": some}

    def _send(self, caller: Caller, method: str, address: str, *, learn: bool = False, **more: Any) -> None:
        before = len(self.log.told)
        try:
            answer = caller.client.open(address, method=method, headers=caller.headers, **more)
        except (UnicodeError, ValueError) as error:
            if "checkpoint/" in str(getattr(error, "__traceback__", "")):
                raise
            return  # an address that no client could send
        del self.log.told[:before]
        self.run.endpoints[self._named(address, method)] += 1
        told = str(more.get("data") or more.get("query_string") or "")[:400]
        self.run.note(f"{method} {address[:300]} by {caller.name} {told}", answer.status_code, self.log)
        self.log.told.clear()
        if learn:
            self._learn(caller, answer, address)
        answer.close()

    def _learn(self, caller: Caller, answer: TestResponse, address: str) -> None:
        links: list[str] = []
        if answer.status_code in (301, 302, 303) and answer.location:
            links.append(urlsplit(answer.location).path)
        elif answer.mimetype == "text/html" and answer.status_code < 500:
            page = Page(answer.get_data(as_text=True), urlsplit(address).path)
            links += page.links
            for form in page.forms:
                self._keep_form(caller, form)
        elif answer.mimetype == "application/json":
            self._keep("id", *_ID.findall(answer.get_data(as_text=True)))
        for link in links[:60]:
            known = self._named(link)
            seen = self.links.setdefault(caller.name, [])
            if known and link not in seen and sum(self._named(one) == known for one in seen[-200:]) < 4:
                seen.append(link)

    def _keep_form(self, caller: Caller, form: Form) -> None:
        endpoint = self._named(form.action, form.method)
        if endpoint and form.fields:
            self.forms[caller.name, endpoint, form.fields[0][0]] = form
            self.fields = sorted({*self.fields, *(name for name, _kind, _value in form.fields)})[:600]

    def _named(self, link: str, method: str = "GET") -> str:
        """The endpoint of an address, whose names are kept."""
        try:
            endpoint, values = self.adapter.match(urlsplit(link).path, method=method)
        except HTTPException:
            return ""
        for name, value in values.items():
            self._keep(name, str(value))
        return endpoint

    def _keep(self, name: str, *values: str) -> None:
        for value in values:
            for key in {name, "id"} if _ID.fullmatch(value) else {name}:
                kept = self.known.setdefault(key, [])
                if value not in kept:
                    kept.append(value)
                    del kept[:-200]


def _typed(value: str) -> Any:
    return int(value) if value.isascii() and value.isdigit() else value


def forms_and_addresses(app: Flask, log: Failures, requests: int, seed: int) -> Run:
    """A walk of so many requests."""
    run, begun = Run(), time.monotonic()
    Walker(app, log, run, seed).walk(requests)
    run.seconds = time.monotonic() - begun
    return run
