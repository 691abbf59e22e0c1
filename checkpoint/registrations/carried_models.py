"""What a tablet carried here and could not be stored as a registration: kept until a person has mended it."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class CarriedRefusal(Base):
    """A declaration that was read off line and was found wrong on arrival, sealed, with what is wrong.

    `problems` holds `{field, code, message}`, no values. `envelope` is what arrived when not even that could be opened.
    """

    __tablename__ = "carried_refusal"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    client_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    checkpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"))
    device_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("device.id"))
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    problems: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    declaration_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    envelope: Mapped[bytes | None] = mapped_column(LargeBinary)

    declaration = Sealed()
