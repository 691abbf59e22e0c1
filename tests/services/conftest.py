"""Services run inside an application context; these tests need not ask for it."""

import pytest
from flask import Flask


@pytest.fixture(autouse=True)
def _in_context(context: Flask) -> None:
    """Every test in this folder has `app` with its context pushed."""
