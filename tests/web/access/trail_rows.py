"""The auditor's rows of the access matrix."""

from collections.abc import Iterator

from checkpoint.accounts.permissions import Permission
from checkpoint.watch.rules import RULES
from tests.web.access.row import Row, form, get, post


def trail() -> Iterator[Row]:
    yield get("audit.index", Permission.AUDIT_READ, "site")
    yield get("audit.export", Permission.AUDIT_READ, "site")
    yield post("audit.check", Permission.AUDIT_READ, "site")
    yield post("audit.answer", Permission.AUDIT_READ, "site", form(answer="已核实"), alert_id="unusual")
    limits = {one.name: str(one.default) for one in RULES["bulk_reading"].limits}
    yield post("watching.change_reading", Permission.AUDIT_READ, "site", form(enabled="1", tier="yellow", **limits))
