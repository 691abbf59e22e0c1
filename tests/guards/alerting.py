"""What the figures say while all is well, and what they say in each trouble: input for `promtool test rules`."""

from pathlib import Path
from typing import Any

import yaml

Series = dict[str, str]
STEPS = 90  # minutes
_FOR_EVER = f"+0x{STEPS}"


def _always(number: float) -> str:
    return f"{number}{_FOR_EVER}"


def _growing(by: float, start: float = 0) -> str:
    return f"{start}+{by}x{STEPS}"


def _scans(fast: int, slow: int) -> Series:
    """Scans a minute within a quarter of a second and within half, of a hundred."""
    counted = {"0.25": fast, "0.5": slow, "1.0": 100, "+Inf": 100}
    return {f'checkpoint_request_seconds_bucket{{kind="scan",le="{le}"}}': _growing(n) for le, n in counted.items()}


PARTS = ("list", "feeds", "disk", "backup", "audit", "redis", "channels", "migrations")
QUIET: Series = {
    'up{job="checkpoint",server="web"}': _always(1),
    'probe_success{job="checkpoint-outside"}': _always(1),
    'probe_ssl_earliest_cert_expiry{job="checkpoint-outside"}': _always(8_000_000),
    "checkpoint_scheduler_beat_age_seconds": _always(12),
    "checkpoint_feed_heard_age_seconds": _always(600),
    "checkpoint_feeds_failing": _always(0),
    "checkpoint_feed_pending": _always(1),
    "checkpoint_message_waiting_seconds": _always(0),
    'checkpoint_messages{state="dead"}': _always(0),
    'checkpoint_alerts{state="overdue"}': _always(0),
    "checkpoint_audit_unsealed_seconds": _always(8),
    'checkpoint_waits_given_up_total{wait="connection"}': _always(0),
    'checkpoint_requests_total{status="2xx"}': _growing(1000),
    'checkpoint_requests_total{status="5xx"}': _growing(1),
    'checkpoint_requests_total{status="503"}': _growing(10),
    **_scans(100, 100),
    **{f'checkpoint_part_grade{{part="{part}"}}': _always(0) for part in PARTS},
}


def _part(name: str, grade: int) -> Series:
    return {f'checkpoint_part_grade{{part="{name}"}}': _always(grade)}


# Whom what calls: every alert at least once, each alone.
TROUBLES: list[tuple[str, Series]] = [
    ("CheckpointDown", {'up{job="checkpoint",server="web"}': _always(0)}),
    ("CheckpointUnreachable", {'probe_success{job="checkpoint-outside"}': _always(0)}),
    ("CheckpointCertificateEnds", {'probe_ssl_earliest_cert_expiry{job="checkpoint-outside"}': _always(1_000_000)}),
    ("CheckpointSchedulerSilent", {"checkpoint_scheduler_beat_age_seconds": _growing(60, 181)}),
    ("CheckpointSchedulerSilent", {"checkpoint_scheduler_beat_age_seconds": _always(-1)}),
    ("CheckpointListStale", _part("list", 1)),
    ("CheckpointFeedSilent", {"checkpoint_feed_heard_age_seconds": _growing(60, 90_000)}),
    ("CheckpointFeedsFailing", {"checkpoint_feeds_failing": _always(2)}),
    ("CheckpointEventsWait", {"checkpoint_feed_pending": _growing(10, 60)}),
    ("CheckpointMessagesWait", {"checkpoint_message_waiting_seconds": _growing(60, 901)}),
    ("CheckpointMessagesGivenUp", {'checkpoint_messages{state="dead"}': _always(3)}),
    ("CheckpointAlertsOverdue", {'checkpoint_alerts{state="overdue"}': _always(5)}),
    ("CheckpointScanSlow", _scans(90, 97)),
    ("CheckpointErrors", {'checkpoint_requests_total{status="5xx"}': _growing(20)}),
    ("CheckpointBusy", {'checkpoint_requests_total{status="503"}': _growing(100)}),
    ("CheckpointWaitsInVain", {'checkpoint_waits_given_up_total{wait="connection"}': _growing(1)}),
    ("CheckpointDiskLow", _part("disk", 1)),
    ("CheckpointDiskGone", _part("disk", 2)),
    ("CheckpointBackupOld", _part("backup", 1)),
    ("CheckpointAuditBehind", {"checkpoint_audit_unsealed_seconds": _growing(60, 601)}),
    ("CheckpointAuditBroken", _part("audit", 2)),
    ("CheckpointPartDown", _part("redis", 2)),
]
# A small site at night: nothing is set up that need not be, and nobody comes.
ASLEEP: Series = {
    name: _always(7) for name in QUIET if "requests_total" in name or "_bucket" in name
} | {"checkpoint_feed_heard_age_seconds": _always(-1)} | {
    name: series for part in ("feeds", "backup", "redis", "channels") for name, series in _part(part, -1).items()
}  # fmt: skip


def rules(path: Path) -> list[dict[str, Any]]:
    """The alerts of a file."""
    groups = yaml.safe_load(path.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions(path: Path) -> list[str]:
    """What the alerts of a file ask."""
    return [rule["expr"] for rule in rules(path)]


def _test(path: Path, changed: Series, name: str | None) -> dict[str, Any]:
    fires = [{"labels": f'{{alertname="{name}"}}', "value": 1}] if name else []
    asked = 'count by (alertname) (ALERTS{alertstate="firing"})'
    return {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in (QUIET | changed).items()],
        "promql_expr_test": [{"expr": asked, "eval_time": "70m", "exp_samples": fires}],
    }


def tests(path: Path) -> dict[str, Any]:
    """One test for each trouble, one for a quiet day, one for a small site at night."""
    cases: list[tuple[str | None, Series]] = [*TROUBLES, (None, {}), (None, ASLEEP)]
    made = [_test(path, changed, name) for name, changed in cases]
    return {"rule_files": [str(path)], "evaluation_interval": "2m", "tests": made}
