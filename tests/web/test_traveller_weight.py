"""What the first load of the form weighs over the wire."""

import gzip
import re

import pytest
from flask.testing import FlaskClient

BUDGET = 60 * 1024


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/", "/?lang=en"])
def test_the_first_load_is_at_most_60_kb(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    loaded = re.findall(r'(?:<link rel="(?:stylesheet|icon)" href|<script type="module" src)="([^"]+)"', page.text)
    assert len(loaded) >= 6
    weight = len(gzip.compress(page.data))
    for address in loaded:
        with client.get(address) as answer:
            assert answer.status_code == 200
            weight += len(gzip.compress(answer.data))
            assert not re.search(r"^\s*import\b", answer.text, re.MULTILINE)  # nothing is fetched behind our back
    assert weight <= BUDGET
    print(f"first load of {path}: {weight / 1024:.1f} KB")
