"""What happens by the clock, in a process of its own: `flask --app wsgi scheduler`.

Every job is one short transaction that can be run by two schedulers at once without doing anything twice.
"""

import logging
import signal
from collections.abc import Callable
from types import FrameType

from apscheduler.schedulers.blocking import BlockingScheduler
from flask import Flask

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.alerts import feed
from checkpoint.alerts.escalation import escalate_overdue
from checkpoint.appeals.tending import tend
from checkpoint.approvals import commuters_office
from checkpoint.approvals.tending import tend as tend_applications
from checkpoint.audit.sealing import seal_all
from checkpoint.audit.service import beat
from checkpoint.channels.collecting import collect
from checkpoint.channels.sending import send_due
from checkpoint.companies.members import forget_old
from checkpoint.companies.telling import send_notices
from checkpoint.companies.watching import look
from checkpoint.coverage.service import count_due
from checkpoint.crossmatch import jobs as crossmatch
from checkpoint.database import db, transaction
from checkpoint.errors import described
from checkpoint.followups.overdue import sweep
from checkpoint.joint import jobs as joint
from checkpoint.patrols.rounds import plan_rounds, tell_missed
from checkpoint.retention.purge import purge_due
from checkpoint.risk.service import current_state
from checkpoint.standing import mailing
from checkpoint.surveillance import jobs
from checkpoint.surveillance.commuting import each_morning
from checkpoint.upkeep import scheduled
from checkpoint.upkeep.resealing import reseal
from checkpoint.watch.service import look_all

BEAT_SECONDS = 30
DEADLINE_SECONDS = 15
NUMBER_SECONDS = 2
PATROL_SECONDS = 30
REASSESS_SECONDS = 1
FEED_SECONDS = 30
MESSAGE_SECONDS = 2
WATCH_SECONDS = 30
FOLLOW_UP_SECONDS = 30
INQUIRY_SECONDS = 2
INQUIRY_UPKEEP_SECONDS = 60
JOINT_SECONDS = 3
COMMUTER_SECONDS = 60
RESEAL_SECONDS = 10
RESEAL_SHARE = 4.0  # of those seconds are worked at most: the rest of the machine belongs to people
AUDIT_SECONDS = 10
BACKUP_SECONDS = 300  # how often it is looked whether a backup is due
COMPANY_SECONDS = 20
PURGE_SECONDS = 300  # how often it is looked whether the night's purge is due
REPORT_SECONDS = 60  # how often it is looked whether the morning's report is due
COVERAGE_SECONDS = 300  # how often it is looked whether the day that ended is counted
DEADLINE_CHUNK = 500

_log = logging.getLogger(__name__)


def send_beat() -> None:
    """Tell /readyz that the scheduler is alive."""
    with transaction():
        beat("scheduler", clock.now())


def watch_deadlines(site_division: str) -> int:
    """Move silent alerts upward, however many there are; returns how many."""
    at, moved = clock.now(), 0
    actor, policy = system_actor(site_division), current_state(at).policy
    while chunk := escalate_overdue(actor=actor, at=at, policy=policy, limit=DEADLINE_CHUNK):
        moved += chunk
    return moved


def carry_messages() -> int:
    """Tell by channels what the feed tells screens; returns how many messages were taken."""
    feed.number()
    while collect(clock.now()):
        pass
    return send_due(clock.now)


def watch() -> int:
    """Let the watch rules look; returns how many alerts they raised."""
    at = clock.now()
    return look_all(at, current_state(at).policy)


def walk_rounds() -> None:
    """Make the rounds of closed crossings that come up, and tell of the points that nobody has visited."""
    at = clock.now()
    plan_rounds(at)
    tell_missed(at)


def follow_up() -> None:
    """Tell of overdue work, release whose plan is done, and keep appeals, applications and what was set aside from being forgotten."""
    at = clock.now()
    sweep(at)
    tend(at)
    tend_applications(at)


def meet_the_morning(site_division: str) -> None:
    """Assess the commuters of today, once the morning has come, and end the trips of those withdrawn with many others."""
    actor, at = system_actor(site_division), clock.now()
    while commuters_office.finish(actor=actor, at=at):
        pass
    each_morning(actor=actor, at=at)


def watch_companies() -> None:
    """Carry what changed in the registry to the staff lists, tell the liaisons, and forget files that were never confirmed."""
    look(clock.now())
    send_notices(clock.now)
    forget_old(clock.now())


def build(app: Flask) -> BlockingScheduler:
    """The scheduler with its jobs, not yet started."""
    settings = app.extensions["settings"]
    scheduler = BlockingScheduler(timezone=settings.timezone, job_defaults={"coalesce": True, "max_instances": 1})

    def job(work: Callable[[], object], name: str, seconds: int) -> None:
        def run() -> None:
            with app.app_context():
                try:
                    work()
                except Exception as error:
                    # One bad round must not end the clock: the next one tries again, /readyz tells of a missing beat.
                    _log.error("job %s failed: %s", name, described(error))
                finally:
                    db.session.remove()

        scheduler.add_job(run, "interval", seconds=seconds, id=name, next_run_time=clock.now(), misfire_grace_time=None)

    job(send_beat, "beat", BEAT_SECONDS)
    job(lambda: watch_deadlines(settings.site_division), "deadlines", DEADLINE_SECONDS)
    job(walk_rounds, "patrols", PATROL_SECONDS)
    job(follow_up, "follow_up", FOLLOW_UP_SECONDS)
    job(carry_messages, "messages", MESSAGE_SECONDS)
    job(watch, "watch", WATCH_SECONDS)
    job(watch_companies, "companies", COMPANY_SECONDS)
    job(lambda: seal_all(clock.now()), "audit", AUDIT_SECONDS)
    job(lambda: meet_the_morning(settings.site_division), "commuters", COMMUTER_SECONDS)
    job(feed.number, "numbering", NUMBER_SECONDS)  # for integrations when no screen is connected
    job(jobs.reassess, "reassess", REASSESS_SECONDS)
    job(jobs.fetch_lists, "feeds", FEED_SECONDS)
    job(jobs.count_impacts, "impacts", REASSESS_SECONDS)
    job(crossmatch.read_lists, "inquiries", INQUIRY_SECONDS)
    job(crossmatch.tidy, "inquiry_upkeep", INQUIRY_UPKEEP_SECONDS)
    job(lambda: scheduled.make_due(clock.now()), "backup", BACKUP_SECONDS)
    job(lambda: purge_due(clock.now()), "purge", PURGE_SECONDS)
    job(lambda: mailing.send_due(clock.now), "report", REPORT_SECONDS)
    job(lambda: count_due(clock.now()), "coverage", COVERAGE_SECONDS)
    job(lambda: reseal(clock.now, seconds=RESEAL_SHARE), "reseal", RESEAL_SECONDS)
    job(joint.exchange, "joint", JOINT_SECONDS)
    job(joint.tidy, "joint_upkeep", INQUIRY_UPKEEP_SECONDS)
    return scheduler


def run(app: Flask) -> None:
    """Run until SIGTERM or SIGINT."""
    scheduler = build(app)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.start()
