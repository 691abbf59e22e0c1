"""The rows of the access matrix for the control policy and for who is missing."""

from collections.abc import Iterator

from checkpoint.accounts.permissions import Permission
from tests.factories.divisions import VILLAGE
from tests.web.access.row import Row, get

MISSING = f"?division={VILLAGE}"


def policy_and_coverage() -> Iterator[Row]:
    yield get("coverage.index", Permission.COVERAGE_READ)
    yield Row("coverage.one", "GET", Permission.COVERAGE_READ, "", {"name": "arrival"})
    yield Row("coverage.counts_file", "GET", Permission.COVERAGE_READ, "", {"name": "arrival", "form": "csv"})
    yield Row("coverage.people", "GET", Permission.PEOPLE_READ, VILLAGE, {"name": "arrival"}, query=MISSING)
    values = {"name": "arrival", "form": "xlsx"}
    yield Row("coverage.people_file", "GET", Permission.PEOPLE_READ, VILLAGE, values, query=MISSING)
