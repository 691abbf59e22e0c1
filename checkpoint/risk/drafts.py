"""Drafts of the policy: written by somebody, looked at, published with a reason or thrown away. A draft is never edited."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.audit import service as audit
from checkpoint.database import db, transaction
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.risk.models import Policy, PolicyDraft
from checkpoint.risk.policies import MOST_REASON, publish_policy
from checkpoint.risk.policy import PolicyData
from checkpoint.risk.service import ensure_state

KEPT = timedelta(days=30)


def make_draft(data: PolicyData, base_id: int, *, actor: Actor, at: datetime) -> PolicyDraft:
    """Keep what somebody has written, begun from a version. Drafts that nobody has touched for 30 days go."""
    _may(actor)
    with transaction() as session:
        if session.get(Policy, base_id) is None:
            raise NotFound("There is no policy with this number.")
        session.execute(delete(PolicyDraft).where(PolicyDraft.made_at < at - KEPT))
        stored: dict[str, Any] = data.model_dump(mode="json")
        draft = PolicyDraft(base_id=base_id, data=stored, made_at=at, made_by=actor.key)
        session.add(draft)
        session.flush()
    return draft


def draft_of(draft_id: int) -> PolicyDraft:
    """A draft. Raises NotFound."""
    found = db.session.get(PolicyDraft, draft_id, populate_existing=True)
    if found is None:
        raise NotFound("This draft is no longer there: it was published or thrown away.")
    return found


def drafts() -> Sequence[PolicyDraft]:
    """All of them, the newest first."""
    return db.session.scalars(select(PolicyDraft).order_by(PolicyDraft.id.desc())).all()


def data_of(draft: PolicyDraft) -> PolicyData:
    """What a draft says."""
    return PolicyData.model_validate(draft.data)


def publish_draft(draft_id: int, reason: str, *, actor: Actor, at: datetime) -> Policy:
    """Put a draft in force, with the reason that people will read. Raises NotFound, InvalidInput for a missing reason, PolicyMoved."""
    _may(actor)
    reason = reason.strip()
    if not reason or len(reason) > MOST_REASON:
        raise InvalidInput.one("reason", "too_long" if reason else "missing", f"1 to {MOST_REASON} characters")
    with transaction() as session:
        draft = draft_of(draft_id)
        made = publish_policy(data_of(draft), actor=actor, at=at, reason=reason, base_id=draft.base_id)
        session.execute(delete(PolicyDraft).where(PolicyDraft.id == draft_id))
    return made


def rebase(draft_id: int, *, actor: Actor, at: datetime) -> PolicyDraft:
    """Another draft with the same content, begun from what is in force now; for whoever has looked at the differences anew."""
    with transaction() as session:
        old = draft_of(draft_id)
        data = data_of(old)
        session.execute(delete(PolicyDraft).where(PolicyDraft.id == draft_id))
        return make_draft(data, ensure_state(at).policy_id, actor=actor, at=at)


def discard(draft_id: int, *, actor: Actor, at: datetime) -> None:
    """Throw a draft away. One that is gone already is no mistake."""
    _may(actor)
    with transaction() as session:
        gone = session.execute(delete(PolicyDraft).where(PolicyDraft.id == draft_id).returning(PolicyDraft.id)).first()
        if gone is not None:
            audit.record(
                at=at,
                actor_kind=actor.kind,
                actor_id=actor.id,
                act="policy.discard",
                object_type="policy_draft",
                object_id=draft_id,
            )


def _may(actor: Actor) -> None:
    if not actor.may(Permission.LISTS_WRITE):
        raise NotAllowed
