"""What is sent: declarations as phones send them, and scans of passes that were really issued."""

import itertools
import json
import random
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.benchmarks import floor
from checkpoint.benchmarks.instance import Instance
from checkpoint.benchmarks.load import Call, get, post
from checkpoint.cli import synthetic
from checkpoint.cli.simulate import world
from checkpoint.registrations import service
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Pass

SEED = 20_220_315
_CREATED, _FINE = b"201", b"200"


def declarations(instance: Instance, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Synthetic declarations of today, without end; the same for the same seed but for the client's id and the day."""
    with instance.app.app_context():
        places = world()
    rng = random.Random(seed)  # noqa: S311 - synthetic people, not secrets
    while True:
        now = clock.now()
        body = synthetic.declaration(rng, places, now, clock.local_date(now, instance.settings.timezone))
        yield body | {"client_id": uuid.uuid4()}


def plain(value: object) -> str:
    """Dates, instants and UUIDs of a declaration as JSON has them."""
    if isinstance(value, date | datetime | uuid.UUID):
        return value.isoformat() if isinstance(value, date) else str(value)
    raise TypeError(f"{type(value).__name__} does not belong into a declaration")


def registration_call(body: dict[str, Any]) -> Call:
    """POST of one declaration; anything but 201 is wrong."""
    return Call(post("/api/v1/registrations", json.dumps(body, default=plain, ensure_ascii=False).encode()), _CREATED)


def registering(instance: Instance, ahead: int) -> Callable[[], Call]:
    """Registrations by the public API. `ahead` of them are made before the clock runs, more when those are used up."""
    source = declarations(instance)
    ready = deque(registration_call(body) for body in itertools.islice(source, ahead))

    def call() -> Call:
        return ready.popleft() if ready else registration_call(next(source))

    return call


def issue_passes(instance: Instance, number: int) -> list[str]:
    """The tokens of passes that were issued to registrations of today."""
    tokens = []
    with instance.app.app_context():
        actor = system_actor(instance.settings.site_division)
        for body in itertools.islice(declarations(instance, SEED + 1), number):
            declaration = Declaration.model_validate(body)
            issued: Pass = service.submit(declaration, actor=actor, at=clock.now()).issued
            tokens.append(issued.token)
    return tokens


def scanning(instance: Instance, tokens: list[str]) -> Callable[[], Call]:
    """Scans by an enrolled tablet, each pass in its turn. A refusal would be a cheaper answer, so it counts as wrong."""
    turn = itertools.cycle(tokens)

    def call() -> Call:
        at = datetime.now(UTC).isoformat()
        body = f'{{"scan_id":"{uuid.uuid4()}","token":"{next(turn)}","scanned_at":"{at}"}}'.encode()
        return Call(post("/api/v1/scans", body, instance.device_token), _FINE, b'"problem":"')

    return call


def selecting() -> Callable[[], Call]:
    """The floor's indexed SELECT."""
    rng = random.Random(SEED)  # noqa: S311 - which row is read, not a secret
    return lambda: Call(get(f"{floor.PREFIX}/select?key={floor.key(rng.randrange(floor.ROWS))}"), _FINE)


def inserting() -> Callable[[], Call]:
    """The floor's INSERT and COMMIT of 1 KB."""
    body = random.Random(SEED).randbytes(floor.BODY_BYTES)  # noqa: S311 - ballast

    def call() -> Call:
        path = f"{floor.PREFIX}/insert?key={uuid.uuid4().hex[:16]}"
        return Call(post(path, body, media="application/octet-stream"), _CREATED)

    return call
