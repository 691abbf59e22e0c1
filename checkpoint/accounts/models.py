"""Who may act: people with a login, integrations with a token, posts on the border and the tablets at them."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class Role(enum.StrEnum):
    """What somebody is; `permissions.py` says what each may do."""

    OFFICER = "officer"
    VILLAGE = "village"
    TOWN = "town"
    COMMAND = "command"
    AUDITOR = "auditor"
    INTEGRATION = "integration"


class CheckpointKind(enum.StrEnum):
    """The kinds of post on the border."""

    EXPRESSWAY = "expressway"
    NATIONAL_ROAD = "national_road"
    PROVINCIAL_ROAD = "provincial_road"
    COUNTY_ROAD = "county_road"
    RAIL = "rail"
    PORT = "port"
    CLOSED = "closed"


class User(Base):
    """A person with a login and a jurisdiction (属地)."""

    __tablename__ = "user_account"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"), index=True)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    session_epoch: Mapped[str] = mapped_column(String(16))
    pin_hash: Mapped[str | None] = mapped_column(String(200))  # of officers, for the tablet at the gate
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    phone = Sealed()


class ApiToken(Base):
    """A bearer token of an integration, kept only as a hash."""

    __tablename__ = "api_token"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    label: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Checkpoint(Base):
    """A post on the border (卡口). `code` stands in the poster's address, /c/CODE."""

    __tablename__ = "checkpoint"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Device(Base):
    """A tablet enrolled for a checkpoint (终端). The enrolment code works once; tokens are kept only as hashes.

    A tablet that rolls its token holds two until it uses the new one, `next_token_hash`. The token that was revoked is kept as
    `revoked_token_hash`, so that whoever still has it is told to wipe the tablet.
    """

    __tablename__ = "device"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    checkpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"), index=True)
    label: Mapped[str] = mapped_column(String(64))
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    next_token_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True, unique=True)
    revoked_token_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True, unique=True)
    enrol_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    enrol_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    enrolled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
