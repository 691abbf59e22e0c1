"""`scripts/bench backup`: a registry is backed up, restored into an empty SQLite instance, and sealed anew under a second key."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from checkpoint import clock, create_app
from checkpoint.accounts.permissions import system_actor
from checkpoint.benchmarks import listed, report
from checkpoint.benchmarks.instance import prepared
from checkpoint.database import db
from checkpoint.upkeep import backup, keys, restore
from checkpoint.upkeep.archive import Opener
from checkpoint.upkeep.resealing import reseal

FULL, QUICK = 200_000, 20_000
_OPERATOR = system_actor("")
_T = TypeVar("_T")


def measure(server: str | None, people: int) -> tuple[str, dict[str, float]]:
    """Where it ran, and the figures."""
    with prepared(server, {}) as instance, tempfile.TemporaryDirectory(prefix="checkpoint-bench-") as name:
        folder = Path(name)
        with instance.app.app_context():
            listed.fill(people, clock.now(), keep_every=people)
            made, backup_s = _timed(
                lambda: backup.make(folder / "backup", actor=_OPERATOR, at=clock.now(), with_keys=True)
            )
            opener = Opener((backup.own_key()[0],))
            keys.rotate(actor=_OPERATOR, at=clock.now())
            resealed, reseal_s = _timed(_reseal)
        environ = {**instance.environ, "CHECKPOINT_DATA": str(folder / "restored"), "DATABASE_URL": ""}
        restored = create_app(environ)
        with restored.app_context():
            _done, restore_s = _timed(
                lambda: restore.restore(folder / "backup", opener, actor=_OPERATOR, at=clock.now())
            )
            db.session.remove()
            db.engine.dispose()
        return report.machine(instance), {
            "registrations": people,
            "rows": made.rows,
            "backup_mib": round(made.size / 2**20, 1),
            "backup_s": round(backup_s, 1),
            "restore_s": round(restore_s, 1),
            "resealed_per_s": round(resealed / reseal_s),
        }


def _timed(work: Callable[[], _T]) -> tuple[_T, float]:
    begun = time.monotonic()
    return work(), time.monotonic() - begun


def _reseal() -> int:
    done = 0
    while not keys.state().is_done:
        done += reseal(clock.now, seconds=60)
    return done
