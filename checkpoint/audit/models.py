"""Who did what to which record, when and why, in a chain that shows every later change; and the heartbeat of the background processes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, BigId, Document, UtcDateTime


class AuditEntry(Base):
    """One act. Append-only: the database refuses changes. `data` holds codes and counts, never a name, document or phone.

    `stamp` (8 random bytes and a 16-byte keyed tag of the content) is made with the act: a row that somebody wrote into the table
    without the key has none that holds. Rows from before the chain have no stamp.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_object", "object_type", "object_id"),
        Index("ix_audit_entry_actor", "actor_id", "id"),
        Index("ix_audit_entry_act", "act", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str | None] = mapped_column(String(40))
    act: Mapped[str] = mapped_column(String(48))
    object_type: Mapped[str | None] = mapped_column(String(32))
    object_id: Mapped[str | None] = mapped_column(String(40))
    purpose: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[dict[str, Any] | None] = mapped_column(Document)
    stamp: Mapped[bytes | None] = mapped_column(LargeBinary(24))


class AuditSeal(Base):
    """A batch of entries closed by a keyed hash over their digests and the seal before it.

    `root` is the SHA-256 of the digests in order of id; `hash` covers number, range, count, root and the previous hash. `is_old`
    marks the batches of rows from before the chain; they stand first.
    """

    __tablename__ = "audit_seal"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_id: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(Integer)
    is_old: Mapped[bool] = mapped_column(Boolean)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditLink(Base):
    """That an entry stands in a seal, with the digest that it had: the proof that names the very row."""

    __tablename__ = "audit_link"
    __table_args__ = (Index("ix_audit_link_seal", "seal_number", "entry_id"),)

    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seal_number: Mapped[int] = mapped_column(ForeignKey("audit_seal.number"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))


class Heartbeat(Base):
    """The last sign of life of a background process, by name."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
