"""Who may act: people with a login, integrations with a token, posts on the border and the tablets at them."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from checkpoint.database import Base, Document, UtcDateTime, new_id
from checkpoint.privacy import Sealed


class Role(enum.StrEnum):
    """What somebody is; `permissions.py` says what each may do."""

    OFFICER = "officer"
    VILLAGE = "village"
    TOWN = "town"
    COMMAND = "command"
    AUDITOR = "auditor"
    COMPANY = "company"
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
    """A person with a login and a jurisdiction (属地).

    `password_hash` is empty until the person has chosen a password by an invitation. A new `session_epoch` ends every session,
    and also the one of a sign-in that is under way at that moment.
    """

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


class Invitation(Base):
    """A link by which somebody chooses the password of the account made for them: once, and for a time. Kept only as a hash."""

    __tablename__ = "user_invitation"
    __table_args__ = (Index("ix_user_invitation_user_id", "user_id"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserSession(Base):
    """One sign-in on one device. The cookie holds its key, the row only a hash of it.

    `device` are a few coarse words (`Chrome, Android`), `address` is cut to its network, `seen_at` is moved on every few minutes.
    `has_code` tells that a code of the second step was given.
    """

    __tablename__ = "user_session"
    __table_args__ = (Index("ix_user_session_user_id", "user_id"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    epoch: Mapped[str] = mapped_column(String(16))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    device: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(48))
    has_code: Mapped[bool] = mapped_column(Boolean)


class UserTotp(Base):
    """The secret that a person's authenticator app shares with us (RFC 6238). It counts from `confirmed_at` on.

    `last_step` is the 30-second step of the newest code that was accepted: no code opens twice. Before the first it is 0.
    """

    __tablename__ = "user_totp"
    __table_args__ = (Index("ix_user_totp_user_id", "user_id"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)

    secret = Sealed()


class RecoveryCode(Base):
    """A code on paper that stands in for a lost device, once. Kept only as a keyed hash."""

    __tablename__ = "user_recovery_code"
    __table_args__ = (Index("ix_user_recovery_code_user_id", "user_id", "code_hash"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiToken(Base):
    """A bearer token of an integration, kept only as a hash.

    `scopes` narrow what its role may do; None leaves all of it. `last_used_at` is moved on every ten minutes at most.
    """

    __tablename__ = "api_token"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    label: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    division_code: Mapped[str] = mapped_column(ForeignKey("division.code"))
    scopes: Mapped[list[str] | None] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
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
