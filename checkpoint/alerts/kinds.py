"""The kinds of alert. Each is registered by the room that raises it; the engine knows none by name.

A room says once what a kind is called, how long an answer may take where the tier's own deadlines do not fit, who may see it, and
how its parameters read as sentences. What a policy says of a kind (`kind_deadlines`) stands above what the room says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel.speaklater import LazyString

from checkpoint.accounts.permissions import Actor, Permission
from checkpoint.risk.policy import Deadline, PolicyData, Tier

Explain = Callable[[Mapping[str, Any]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `tier` and `needs_answer` are taken where the raiser does not say; `permission` is asked for besides reading alerts."""

    name: str
    label: LazyString
    tier: Tier = Tier.YELLOW
    needs_answer: bool = True
    deadline: Deadline | None = None
    permission: Permission | None = None
    explain: Explain | None = None


_kinds: dict[str, Kind] = {}
LABELS: dict[str, LazyString] = {}


def register(kind: Kind) -> Kind:
    """Make a kind known; called when its room is imported. Registering another one under a taken name is a mistake and raises."""
    known = _kinds.get(kind.name)
    if known is not None and known != kind:
        raise ValueError(f"alert kind {kind.name!r} is registered twice")
    _kinds[kind.name] = kind
    LABELS[kind.name] = kind.label
    return kind


def kind_of(name: str) -> Kind | None:
    """A kind by its name; None for one that a later version wrote."""
    return _kinds.get(name)


def all_kinds() -> tuple[Kind, ...]:
    """Every kind that some room has registered, by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))


def explained(name: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """What an alert's parameters say, in sentences of the reader's language; nothing where the kind has none to say."""
    kind = _kinds.get(name)
    return tuple(kind.explain(params)) if kind is not None and kind.explain is not None else ()


def hidden_from(actor: Actor) -> tuple[str, ...]:
    """The kinds that the actor may not see even in their own jurisdiction."""
    return tuple(
        name for name, kind in _kinds.items() if kind.permission is not None and not actor.may(kind.permission)
    )


def deadline_for(name: str, tier: str, policy: PolicyData) -> Deadline | None:
    """How long an answer may take: as the policy says for the kind, as the room says, as the policy says for the tier."""
    by_policy = policy.kind_deadlines.get(name)
    if by_policy is not None:
        return by_policy
    kind = _kinds.get(name)
    if kind is not None and kind.deadline is not None:
        return kind.deadline
    return policy.deadlines.get(Tier(tier))
