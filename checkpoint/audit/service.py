"""Writing to the audit trail, inside the transaction of the act itself."""

import json
import secrets
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any

from flask import current_app

from checkpoint.audit.chain import Entry, stamp
from checkpoint.audit.models import AuditEntry, Heartbeat
from checkpoint.database import db
from checkpoint.privacy.keyring import key_document


def chain_key() -> bytes:
    """The secret of the chain: `keys/audit.json`, made at the first use."""
    known: bytes | None = current_app.extensions.get("audit_key")
    if known is None:
        data = current_app.extensions["settings"].data
        document = key_document(data, "audit.json", lambda: {"key": b64encode(secrets.token_bytes(32)).decode()})
        known = current_app.extensions["audit_key"] = b64decode(str(document["key"]))
    return known


def record(
    *,
    at: datetime,
    actor_kind: str,
    actor_id: object | None,
    act: str,
    object_type: str | None = None,
    object_id: object | None = None,
    purpose: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one entry; the caller's transaction commits it together with the act. The chain takes it up later."""
    entry = Entry(
        at=at,
        actor_kind=actor_kind,
        actor_id=None if actor_id is None else str(actor_id),
        act=act,
        object_type=object_type,
        object_id=None if object_id is None else str(object_id),
        purpose=purpose,
        data=None if data is None else json.loads(json.dumps(data)),  # as it will be read back
    )
    db.session.add(
        AuditEntry(
            at=entry.at,
            actor_kind=entry.actor_kind,
            actor_id=entry.actor_id,
            act=entry.act,
            object_type=entry.object_type,
            object_id=entry.object_id,
            purpose=entry.purpose,
            data=entry.data,
            stamp=stamp(chain_key(), entry),
        )
    )


def beat(name: str, at: datetime) -> None:
    """Note that the background process `name` is alive."""
    db.session.merge(Heartbeat(name=name, at=at))
