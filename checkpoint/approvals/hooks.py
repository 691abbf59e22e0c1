"""What other rooms do when an application is granted or ends, in the transaction of the act itself.

A room registers its function when it is imported, for one kind of application; this room knows none of them by name.
"""

from collections.abc import Callable
from datetime import datetime

from checkpoint.accounts.permissions import Actor
from checkpoint.approvals.models import Approval, ApprovalKind

Hook = Callable[[Approval, Actor, datetime], None]

_granted: dict[ApprovalKind, list[Hook]] = {}
_ended: dict[ApprovalKind, list[Hook]] = {}


def when_granted(kind: ApprovalKind, hook: Hook) -> None:
    """Call `hook(approval, actor, at)` whenever an application of a kind is granted; a second time is harmless."""
    _register(_granted, kind, hook)


def when_ended(kind: ApprovalKind, hook: Hook) -> None:
    """Call `hook(approval, actor, at)` whenever an application of a kind is refused, withdrawn or revoked; `approval.state` says which.

    One that was never granted ends like this as well. Nobody is called when a granted one merely passes its last day.
    """
    _register(_ended, kind, hook)


def _register(hooks: dict[ApprovalKind, list[Hook]], kind: ApprovalKind, hook: Hook) -> None:
    known = hooks.setdefault(kind, [])
    if hook not in known:
        known.append(hook)


def granted(approval: Approval, actor: Actor, at: datetime) -> None:
    """Tell whoever registered; an error in a hook undoes the act."""
    for hook in _granted.get(ApprovalKind(approval.kind), ()):
        hook(approval, actor, at)


def ended(approval: Approval, actor: Actor, at: datetime) -> None:
    """Tell whoever registered; an error in a hook undoes the act."""
    for hook in _ended.get(ApprovalKind(approval.kind), ()):
        hook(approval, actor, at)
