"""How far the re-sealing of each table is."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, SmallInteger, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, UtcDateTime


class SealingSweep(Base):
    """The walk through one table with the sealing key `key_id`: rows up to `after` are done, all of them once `done_at` is set.

    `looked`, `resealed` and `broken` count rows; a broken one holds a value that does not open and is left as it is. A walk for a
    newer key takes the row over and begins anew.
    """

    __tablename__ = "sealing_sweep"

    sealed_table: Mapped[str] = mapped_column(String(48), primary_key=True)
    key_id: Mapped[int] = mapped_column(SmallInteger)
    after: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    looked: Mapped[int] = mapped_column(BigInteger)
    resealed: Mapped[int] = mapped_column(BigInteger)
    broken: Mapped[int] = mapped_column(BigInteger)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
