"""A registry of a size that no test could declare one by one: people inside with stays all over the country, and many who have left."""

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from checkpoint.cli import synthetic
from checkpoint.cli.simulate import world
from checkpoint.database import db, insert_rows, new_id, transaction
from checkpoint.followups.models import FollowUp, FollowUpState
from checkpoint.privacy import Keyring, keyring, seal
from checkpoint.regions.models import at_level
from checkpoint.registrations.models import Registration, RegistrationState, Stay, Traveller
from checkpoint.risk.models import Assessment
from checkpoint.risk.service import current_state

CHUNK = 5000
SPREAD_DAYS = 21  # people inside arrived over so many days
_ROADS = ("人民路", "解放路", "建设路", "新华路", "中山路", "环城路", "文化路")


def fill(people: int, arriving: date, known: datetime, *, seed: int = 5) -> None:
    """Store people who are inside, arrived in the three weeks up to `arriving`, and were assessed by `known`, as yet under no list."""
    rng = random.Random(seed)  # noqa: S311 - synthetic people, not secrets
    state = current_state(known)
    ring, places = keyring(), world()
    traveller = _traveller(ring, known)
    for start in range(0, people, CHUNK):
        rows = _Rows()
        for _ in range(min(CHUNK, people - start)):
            day = arriving - timedelta(days=rng.randrange(SPREAD_DAYS))
            rows.add(rng, ring, places, traveller, state.policy_id, day, known)
        with transaction():
            for model, values in rows.tables():
                insert_rows(model, values)


def _traveller(ring: Keyring, at: datetime) -> uuid.UUID:
    """One person stands for all: nothing that is measured reads who somebody is."""
    row_id = new_id()
    with transaction() as session:
        session.add(
            Traveller(
                id=row_id,
                name_sealed=seal(ring, "测速", "traveller", "name", row_id),
                id_type="passport",
                id_number_sealed=seal(ring, "E00000000", "traveller", "id_number", row_id),
                id_number_hash=bytes(16),
                created_at=at,
            )
        )
    return row_id


class _Rows:
    """The rows of some people, by table."""

    def __init__(self) -> None:
        self.registrations: list[dict[str, Any]] = []
        self.stays: list[dict[str, Any]] = []
        self.assessments: list[dict[str, Any]] = []
        self.work: list[dict[str, Any]] = []

    def tables(self) -> Iterator[tuple[type[Any], Sequence[dict[str, Any]]]]:
        yield Registration, self.registrations
        yield Stay, self.stays
        yield Assessment, self.assessments
        yield FollowUp, self.work

    def add(
        self,
        rng: random.Random,
        ring: Keyring,
        places: synthetic.World,
        traveller: uuid.UUID,
        policy_id: int,
        day: date,
        known: datetime,
    ) -> None:
        registration, assessment = new_id(), new_id()
        village = rng.choice(places.destinations)
        entered = min(datetime.combine(day, datetime.min.time()).astimezone(), known)
        home = rng.choice(places.near if rng.random() < 0.7 else places.far)
        trips = [(home, day - timedelta(days=7), day)]
        for _ in range(rng.choices((0, 1, 2, 3), (60, 25, 10, 5))[0]):
            since = day - timedelta(days=rng.randrange(1, 12))
            trips.append((rng.choice(places.near if rng.random() < 0.7 else places.far), since, since))
        for position, (code, since, until) in enumerate(trips):
            stay_id = new_id()
            words = f"{rng.choice(_ROADS)}{rng.randrange(1, 300)}号"
            self.stays.append(
                {
                    "id": stay_id,
                    "registration_id": registration,
                    "position": position,
                    "is_origin": position == 0,
                    "code": code,
                    "county_code": at_level(code, 3),
                    "text_sealed": seal(ring, words, "stay", "text", stay_id),
                    "since": since,
                    "until": until,
                }
            )
        self.assessments.append(
            {
                "id": assessment,
                "registration_id": registration,
                "list_id": None,
                "policy_id": policy_id,
                "state_version": 0,
                "cause": "submit",
                "tier": "green",
                "score": 0,
                "reasons": [],
                "measures": [],
                "made_at": entered,
            }
        )
        self.work.append(
            {
                "id": new_id(),
                "registration_id": registration,
                "division_code": village,
                "kind": "arrival_visit",
                "day": 0,
                "from_at": entered,
                "due_at": entered + timedelta(hours=4),
                "state": FollowUpState.OPEN.value,
            }
        )
        self.registrations.append(
            {
                "id": registration,
                "client_id": None,
                "lead_id": None,
                "traveller_id": traveller,
                "state": RegistrationState.INSIDE.value,
                "origin_code": home,
                "destination_code": village,
                "arriving_on": day,
                "transport": "car",
                "symptoms": [],
                "tier": "green",
                "assessment_id": assessment,
                "state_version": 0,
                "doubt": "list_missing",
                "created_at": entered,
                "updated_at": entered,
                "entered_at": entered,
            }
        )


_UUID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}
_BACK = {"sqlite": "date({0}, '-{1} days')", "postgresql": "({0} - {1})::date"}


def add_those_who_left(times: int) -> None:
    """`times` as many people again as are inside, with the same places on earlier days, who have left."""
    dialect = db.engine.dialect.name
    made = _UUID[dialect]
    for number in range(1, times + 1):
        back = 30 * number

        def earlier(column: str, days: int = back) -> str:
            return _BACK[dialect].format(column, days)

        with transaction() as session:
            run = session.connection().exec_driver_sql
            run(
                f"CREATE TEMPORARY TABLE copied AS SELECT id AS old, {made} AS new FROM registration WHERE state = 'inside'"  # noqa: S608
            )
            run("CREATE INDEX copied_old ON copied (old)")
            run(
                "INSERT INTO registration (id, traveller_id, state, origin_code, destination_code, arriving_on, transport, "  # noqa: S608
                "symptoms, tier, assessment_id, state_version, created_at, updated_at, entered_at) "
                f"SELECT c.new, r.traveller_id, 'left', r.origin_code, r.destination_code, {earlier('r.arriving_on')}, "
                "r.transport, r.symptoms, r.tier, r.assessment_id, r.state_version, r.created_at, r.updated_at, r.entered_at "
                "FROM registration r JOIN copied c ON c.old = r.id"
            )
            run(
                "INSERT INTO stay (id, registration_id, position, is_origin, code, county_code, since, until) "  # noqa: S608
                f"SELECT {made}, c.new, s.position, s.is_origin, s.code, s.county_code, {earlier('s.since')}, "
                f"{earlier('s.until')} FROM stay s JOIN copied c ON c.old = s.registration_id"
            )
            run("DROP TABLE copied")


def later(days: int) -> None:
    """Everybody inside came so many days later than they did."""
    dialect = db.engine.dialect.name
    with transaction() as session:
        inside = "SELECT id FROM registration WHERE state = 'inside'"
        shift = {column: _BACK[dialect].format(column, -days) for column in ("since", "until", "arriving_on")}
        if dialect == "sqlite":
            shift = {column: f"date({column}, '+{days} days')" for column in shift}
        run = session.connection().exec_driver_sql
        run(
            f"UPDATE stay SET since = {shift['since']}, until = {shift['until']} WHERE registration_id IN ({inside})"  # noqa: S608
        )
        run(f"UPDATE registration SET arriving_on = {shift['arriving_on']} WHERE state = 'inside'")  # noqa: S608


def refresh_statistics() -> None:
    """What autovacuum would do by itself a minute later."""
    with transaction() as session:
        session.execute(text("ANALYZE"))


def count() -> int:
    """How many registrations there are."""
    return int(db.session.scalar(select(func.count()).select_from(Registration)) or 0)
