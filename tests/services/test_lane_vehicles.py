"""Vehicles: plate first or people first, the colour of the worst passenger, the code by which passengers register."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from checkpoint.crossings import service, vehicle_views
from checkpoint.crossings.lane_models import VehicleCrossing
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.service import Scan
from checkpoint.crossings.vehicle_views import VehicleView, vehicle_view, worst
from checkpoint.crossings.vehicles import LINK_FOR, Vehicle, board, boarding, tell
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from tests.factories import NOW, declarations, lists, people
from tests.factories.declarations import companion, negative_test
from tests.factories.divisions import NEIGHBOUR, OTHER_TOWN
from tests.factories.people import Tablet

PLATE = "浙F12345"


def register(number: int = 1, **changes: Any) -> registrations.Receipt:
    body = declarations.declaration(number, **changes)
    return registrations.submit(Declaration.model_validate(body), actor=people.operator(), at=NOW)


def scan(tablet: Tablet, token: str, vehicle_id: uuid.UUID | None = None, *, seconds: int = 0) -> Crossing:
    at = NOW + timedelta(seconds=seconds)
    return service.record_scan(Scan(uuid.uuid4(), token, at, vehicle_id=vehicle_id), actor=tablet.actor, at=at)


def told(tablet: Tablet, vehicle_id: uuid.UUID, **more: Any) -> VehicleView:
    given = {"kind": "car", "plate": None, "opened_at": NOW} | more
    tell(Vehicle(vehicle_id, **given), actor=tablet.actor, at=NOW)
    return vehicle_view(vehicle_id, actor=tablet.actor, at=NOW)


@pytest.mark.parametrize(
    ("tiers", "colour"),
    [
        ([], None),
        (["green"], "green"),
        (["green", "yellow", "green"], "yellow"),
        (["yellow", "red"], "red"),
        (["green", None], "red"),
    ],
)
def test_the_worst_passenger_gives_the_colour(tiers: list[str | None], colour: str | None) -> None:
    assert worst(tiers) == colour


def test_plate_first_then_people() -> None:
    lists.in_force()
    tablet, vehicle = people.tablet(), uuid.uuid4()
    assert told(tablet, vehicle, plate="浙f·12345").plate == PLATE
    scan(tablet, register(1, tests=[negative_test()]).issued.token, vehicle)
    scan(tablet, register(2, symptoms=["fever"]).issued.token, vehicle)
    seen = vehicle_view(vehicle, actor=tablet.actor, at=NOW)
    assert (len(seen.seated), seen.tier) == (2, "yellow")
    assert [one.name[-1] for one in seen.seated] == ["*", "*"]


def test_people_first_then_the_plate_and_one_gets_out() -> None:
    lists.in_force()
    tablet, vehicle = people.tablet(), uuid.uuid4()
    green = scan(tablet, register(1, tests=[negative_test()]).issued.token)
    red = scan(tablet, register(2, tests=[negative_test(result="positive")]).issued.token)
    assert told(tablet, vehicle, scans=(green.id, red.id)).tier == "red"
    for _again in range(2):
        seen = told(tablet, vehicle, plate=PLATE, scans=(green.id, red.id), dropped=(red.id,))
        assert ([one.scan_id for one in seen.seated], seen.tier, seen.plate) == ([green.id], "green", PLATE)
    assert vehicle_view(vehicle, actor=tablet.actor, at=NOW).plate == PLATE  # not told again is not forgotten


def test_a_second_scan_of_somebody_counts_once_and_a_forged_code_is_red() -> None:
    lists.in_force()
    tablet, vehicle = people.tablet(), uuid.uuid4()
    told(tablet, vehicle)
    token = register(1, tests=[negative_test()]).issued.token
    scan(tablet, token, vehicle)
    second = scan(tablet, token, vehicle, seconds=20)
    seen = vehicle_view(vehicle, actor=tablet.actor, at=NOW)
    assert ([one.scan_id for one in seen.seated], seen.tier) == ([second.id], "green")
    scan(tablet, "CP1:NOTHING", vehicle, seconds=40)
    seen = vehicle_view(vehicle, actor=tablet.actor, at=NOW)
    assert (len(seen.seated), seen.seated[-1].name, seen.tier) == (2, "", "red")


def test_who_declared_the_plate_is_expected() -> None:
    lists.in_force()
    tablet, vehicle = people.tablet(), uuid.uuid4()
    here = register(1, plate=PLATE, companions=[companion(2)])
    register(3, plate="沪A99999")
    seen = told(tablet, vehicle, plate=PLATE)
    assert {one.registration_id for one in seen.expected} == {here.registration.id, here.companions[0].registration.id}
    assert not any(one.by_code for one in seen.expected)
    scan(tablet, here.issued.token, vehicle)
    seen = vehicle_view(vehicle, actor=tablet.actor, at=NOW)
    assert [one.registration_id for one in seen.expected] == [here.companions[0].registration.id]


def test_a_coachs_passengers_register_by_its_code() -> None:
    lists.in_force()
    tablet, coach = people.tablet(), uuid.uuid4()
    url = told(tablet, coach, kind="coach", plate=PLATE).url
    assert url is not None
    handle = url.rpartition("/v/")[2]
    assert PLATE not in handle
    vehicle, post = boarding(handle, NOW)
    assert (vehicle.id, post.id) == (coach, tablet.checkpoint.id)
    declaration = Declaration.model_validate(declarations.declaration(5, companions=[companion(6)]))
    first = board(vehicle, declaration, actor=people.operator(), at=NOW)
    again = board(vehicle, declaration, actor=people.operator(), at=NOW)
    assert (first.created, again.created) == (True, False)
    seen = vehicle_view(coach, actor=tablet.actor, at=NOW)
    assert [one.by_code for one in seen.expected] == [True, True]


def test_the_code_of_a_vehicle_ends() -> None:
    tablet, coach = people.tablet(), uuid.uuid4()
    handle = str(told(tablet, coach, kind="coach").url).rpartition("/v/")[2]
    boarding(handle, NOW + LINK_FOR - timedelta(seconds=1))
    for wrong in ("", "AAAA", handle[:-2], ("B" if handle[0] == "A" else "A") + handle[1:]):
        with pytest.raises(NotFound):
            boarding(wrong, NOW)
    with pytest.raises(NotFound):
        boarding(handle, NOW + LINK_FOR)
    assert told(tablet, coach, kind="coach", closed_at=NOW + timedelta(minutes=5)).url is None
    with pytest.raises(NotFound):
        boarding(handle, NOW)


def test_a_vehicle_belongs_to_its_checkpoint() -> None:
    lists.in_force()
    tablet, vehicle = people.tablet(), uuid.uuid4()
    second = people.tablet(tablet.checkpoint)
    elsewhere = people.tablet(people.checkpoint("S11", OTHER_TOWN))
    far = people.tablet(people.checkpoint("FAR", NEIGHBOUR))
    told(tablet, vehicle, plate=PLATE)
    assert told(second, vehicle).plate == PLATE
    with pytest.raises(NotFound):
        told(elsewhere, vehicle)
    assert vehicle_view(vehicle, actor=elsewhere.actor, at=NOW).plate == PLATE  # a sticker is read at the next barrier
    with pytest.raises(NotFound):
        vehicle_view(vehicle, actor=far.actor, at=NOW)
    theirs = scan(elsewhere, register(1).issued.token)
    assert told(tablet, vehicle, scans=(theirs.id,)).seated == ()
    with pytest.raises(NotAllowed):
        tell(Vehicle(vehicle, "car", None, NOW), actor=people.commander(), at=NOW)


@pytest.mark.parametrize("plate", ["浙", "浙F12345678901", "浙F_1234", "<b>12345"])
def test_what_is_no_plate_is_named(plate: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        told(people.tablet(), uuid.uuid4(), plate=plate)
    assert [one.field for one in caught.value.errors] == ["plate"]


def test_the_plate_is_sealed() -> None:
    tablet, vehicle = people.tablet(), uuid.uuid4()
    told(tablet, vehicle, plate=PLATE)
    stored = db.session.get_one(VehicleCrossing, vehicle)
    assert PLATE.encode() not in (stored.plate_sealed or b"")
    assert stored.plate == PLATE


def test_open_vehicles_line_up() -> None:
    lists.in_force()
    tablet, first, second = people.tablet(), uuid.uuid4(), uuid.uuid4()
    told(tablet, first, opened_at=NOW - timedelta(minutes=3))
    told(tablet, second)
    scan(tablet, register(1, symptoms=["fever"]).issued.token, first)
    lined = vehicle_views.vehicles_here(tablet.checkpoint.id, NOW - timedelta(hours=1))
    assert [(one.id, tier, number) for one, tier, number in lined] == [(second, None, 0), (first, "yellow", 1)]
    told(tablet, first, closed_at=NOW)
    assert len(vehicle_views.vehicles_here(tablet.checkpoint.id, NOW - timedelta(hours=1))) == 1
