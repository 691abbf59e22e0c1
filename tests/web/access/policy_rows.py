"""The rows of the access matrix for the control policy and for who is missing."""

from collections.abc import Iterator

from checkpoint.accounts.permissions import Permission
from tests.factories.divisions import VILLAGE
from tests.web.access.row import Row, form, get, post

MISSING = f"?division={VILLAGE}"


def policy_and_coverage() -> Iterator[Row]:
    yield get("policies.index", Permission.COMMAND_READ, "site")
    yield get("policies.one", Permission.COMMAND_READ, "site", policy_id="policy")
    yield get("policies.export", Permission.COMMAND_READ, "site", policy_id="policy")
    yield get("policies.draft", Permission.COMMAND_READ, "site", draft_id="policy_draft")
    yield get("policies.edit", Permission.LISTS_WRITE, "site")
    yield post("policies.change", Permission.LISTS_WRITE, "site", form(base="1", do="add:measures"))
    yield post("policies.publish", Permission.LISTS_WRITE, "site", form(reason="试"), draft_id="policy_draft")
    for act in ("rebase", "discard"):
        yield post(f"policies.{act}", Permission.LISTS_WRITE, "site", draft_id="policy_draft")
    yield get("policies.ask_withdraw", Permission.LISTS_WRITE, "site", policy_id="policy")
    yield post("policies.withdraw", Permission.LISTS_WRITE, "site", policy_id="policy")
    yield get("coverage.index", Permission.COVERAGE_READ)
    yield Row("coverage.one", "GET", Permission.COVERAGE_READ, "", {"name": "arrival"})
    yield Row("coverage.counts_file", "GET", Permission.COVERAGE_READ, "", {"name": "arrival", "form": "csv"})
    yield Row("coverage.people", "GET", Permission.PEOPLE_READ, VILLAGE, {"name": "arrival"}, query=MISSING)
    values = {"name": "arrival", "form": "xlsx"}
    yield Row("coverage.people_file", "GET", Permission.PEOPLE_READ, VILLAGE, values, query=MISSING)
