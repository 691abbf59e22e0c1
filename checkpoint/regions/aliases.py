"""The alias book of a process: what administrators added, laid over the index without a rebuild.

Every process keeps one book and asks the database at most every two seconds whether it still holds; an alias added in
this process counts at once.
"""

import threading
import time
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkpoint.database import db
from checkpoint.regions.models import DivisionAlias
from checkpoint.regions.places import AliasBook

CHECK_EVERY = 2.0
"""Seconds for which a book is trusted unasked."""

Version = tuple[object, ...]


class AliasCache:
    """One book for one database; safe for threads, which never wait for each other's look at the database."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._book = AliasBook()
        self._version: Version | None = None
        self._checked = float("-inf")

    def forget(self) -> None:
        """Look again at the next use."""
        with self._lock:
            self._checked = float("-inf")

    def book(self) -> AliasBook:
        """The aliases as of at most `CHECK_EVERY` seconds ago."""
        now = self._monotonic()
        with self._lock:
            if now - self._checked < CHECK_EVERY:
                return self._book
            self._checked = now  # the others go on with the book they have while this thread looks
        # A session of its own: the caller's may hold a snapshot that began before the alias was added.
        with Session(db.engine) as session:
            version = self._read_version(session)
            if version == self._version:
                return self._book
            pairs = session.execute(select(DivisionAlias.text, DivisionAlias.code)).all()
        book = AliasBook((text, code) for text, code in pairs)
        with self._lock:
            self._book, self._version = book, version
        return book

    @staticmethod
    def _read_version(session: Session) -> Version:
        # Ids are used again after a removal, so the newest time stands beside the count.
        row = session.execute(
            select(func.count(), func.max(DivisionAlias.id), func.max(DivisionAlias.created_at)).select_from(
                DivisionAlias
            )
        ).one()
        return tuple(row)
