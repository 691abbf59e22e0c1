"""Stored users, checkpoints, tablets and tokens, and the actors that services are given; all inside an app context."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher

from checkpoint.accounts.models import ApiToken, Checkpoint, Device, Role, User
from checkpoint.accounts.permissions import Actor, actor_for, device_actor, system_actor
from checkpoint.database import transaction
from checkpoint.regions.models import at_level
from tests.factories import NOW
from tests.factories.divisions import OTHER_TOWN, SITE, TOWN, VILLAGE

PASSWORD = "right-horse-battery"
OFFICER, PIN = "王警官", "274951"
# The weakest parameters that argon2 accepts: the hash is as real as in production and a hundred times faster.
_quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True, slots=True)
class Tablet:
    """An enrolled tablet: its rows, its bearer token and the actor it acts as."""

    checkpoint: Checkpoint
    device: Device
    token: str
    actor: Actor


def user(login: str = "village", role: Role = Role.VILLAGE, division: str = VILLAGE, password: str = PASSWORD) -> User:
    """A stored user who signs in with `password`."""
    row = User(
        login=login,
        display_name=f"{login} 测试",
        password_hash=_quick.hash(password),
        role=role.value,
        division_code=division,
        active=True,
        session_epoch=secrets.token_hex(8),
        created_at=NOW,
    )
    with transaction() as session:
        session.add(row)
    return row


def gate_officer(name: str = OFFICER, login: str = "officer") -> User:
    """A stored officer who signs in on tablets with PIN."""
    row = user(login, Role.OFFICER, SITE)
    row.display_name, row.pin_hash = name, _quick.hash(PIN)
    with transaction() as session:
        session.merge(row)
    return row


def actor_of(row: User) -> Actor:
    """The actor of a stored user."""
    return actor_for("user", row.id, row.role, row.division_code)


def village_worker(division: str = VILLAGE, login: str = "village") -> Actor:
    """A stored worker of a village."""
    return actor_of(user(login, Role.VILLAGE, division))


def town_worker(division: str = TOWN, login: str = "town") -> Actor:
    """A stored worker of a town."""
    return actor_of(user(login, Role.TOWN, division))


def stranger(login: str = "stranger") -> Actor:
    """A stored worker of another town, who must not see the people of TOWN."""
    return actor_of(user(login, Role.TOWN, OTHER_TOWN))


def commander(login: str = "command") -> Actor:
    """A stored user of the city's command."""
    return actor_of(user(login, Role.COMMAND, SITE))


def operator() -> Actor:
    """The system itself, as the command line acts."""
    return system_actor(SITE)


def token(role: Role = Role.INTEGRATION, division: str = SITE) -> str:
    """A stored bearer token of an integration; returns the token that a client sends."""
    secret = "cpt_" + secrets.token_urlsafe(32)
    with transaction() as session:
        session.add(
            ApiToken(
                token_hash=hashlib.sha256(secret.encode()).digest(),
                label=f"{role.value} of the tests",
                role=role.value,
                division_code=division,
                created_at=NOW,
            )
        )
    return secret


def checkpoint(code: str = "G60", division: str = TOWN) -> Checkpoint:
    """A stored checkpoint on the border."""
    row = Checkpoint(
        code=code, name=f"{code} 出口", kind="expressway", division_code=division, active=True, created_at=NOW
    )
    with transaction() as session:
        session.add(row)
    return row


def tablet(at: Checkpoint | None = None) -> Tablet:
    """A stored tablet, enrolled for a checkpoint (a new one unless given)."""
    post = at or checkpoint()
    secret = "cpd_" + secrets.token_urlsafe(32)
    row = Device(
        id=uuid.uuid4(),
        checkpoint_id=post.id,
        label="平板",
        token_hash=hashlib.sha256(secret.encode()).digest(),
        enrolled_at=NOW - timedelta(days=1),
        created_at=NOW - timedelta(days=1),
    )
    with transaction() as session:
        session.add(row)
    return Tablet(post, row, secret, device_actor(row.id, post.id, at_level(post.division_code, 3)))


def bearer(secret: str) -> dict[str, str]:
    """The header with which a device or an integration signs its requests."""
    return {"Authorization": f"Bearer {secret}"}
