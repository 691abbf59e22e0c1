"""Whatever is not genuine, fresh, new and meant for us is refused alike, counted with its cause, and changes nothing else."""

import dataclasses
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.joint import envelope, identity, peers, taking
from checkpoint.joint.contents import Answer, Ask, AskedPerson, Close, Content, Told
from checkpoint.joint.envelope import OwnKeys
from checkpoint.joint.models import JointRecord, JointTaken, PeerNonce, PeerRefusal
from checkpoint.risk.policy import Tier
from tests.factories import NOW, TODAY
from tests.factories.declarations import resident_id
from tests.factories.joined import OPERATOR, Side, neighbour

URL = "/api/v1/joint/messages"
COSE = "application/cose"


@pytest.fixture(autouse=True)
def _stopped(freeze: Callable[[datetime], None]) -> None:
    freeze(NOW)


@pytest.fixture
def here(app: Flask) -> Side:
    app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], allow_private_targets=True)
    return Side(app)


@pytest.fixture
def there(here: Side, template: Path, tmp_path: Path) -> Iterator[Side]:
    """A place that the instance under test knows."""
    with neighbour(template, tmp_path / "there", "http://127.0.0.1:9") as app:
        side = Side(app)
        here.know(side)
        yield side


def keys(side: Side) -> OwnKeys:
    with side.app.app_context():
        return identity.own()


def ask(**changes: object) -> Ask:
    values: dict[str, object] = {
        "id": uuid.uuid4(),
        "request": uuid.uuid4(),
        "asked_at": NOW,
        "level": Tier.RED,
        "legal_basis": "传染病防治法",
        "question": "是否在你处",
        "valid_until": TODAY + timedelta(days=7),
        "people": [AskedPerson(document=resident_id(1))],
        **changes,
    }
    return Ask(**values)  # type: ignore[arg-type]


def sealed(
    content: Content | bytes, sender: OwnKeys, receiver: OwnKeys, at: datetime = NOW, use: str = envelope.MESSAGE
) -> bytes:
    raw = content if isinstance(content, bytes) else content.model_dump_json().encode()
    return envelope.write(raw, sender, identity.public_half(receiver), at, use=use)


def refused(side: Side, client: FlaskClient, raw: bytes, cause: str, status: int = 403) -> None:
    """The message is answered without a cause, counted with it, and changes nothing."""
    with side.app.app_context():
        before, counted = stored(), counts(cause)
    answer = client.post(URL, data=raw, content_type=COSE)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.get_json()["type"].endswith("not_allowed" if status == 403 else "request_entity_too_large")
    assert status == 413 or cause not in answer.get_data(as_text=True)
    with side.app.app_context():
        assert stored() == before
        assert counts(cause) == counted + 1
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.act, entry.data) == ("joint.refused", {"cause": cause})


def counts(cause: str) -> int:
    rows = db.session.scalars(select(PeerRefusal.count).where(PeerRefusal.cause == cause))
    return sum(rows)


def stored() -> list[int | None]:
    return [db.session.scalar(select(func.count()).select_from(one)) for one in (JointRecord, JointTaken, PeerNonce)]


def stranger() -> OwnKeys:
    made = OwnKeys("0" * 16, generate_private_key(SECP256R1()), generate_private_key(SECP256R1()))
    half = identity.public_half(made)
    return dataclasses.replace(made, kid=identity._kid(half.sign, half.seal))


def test_a_genuine_message_is_taken_and_receipted(here: Side, there: Side, client: FlaskClient) -> None:
    message = ask()
    for at in (NOW - timedelta(minutes=5), NOW + timedelta(minutes=5)):
        answer = client.post(URL, data=sealed(message, keys(there), keys(here), at), content_type=COSE)
        assert answer.status_code == 200
        assert answer.mimetype == COSE
        opened = envelope.read(
            answer.data, {keys(there).kid: keys(there)}, identity.public_half(keys(here)), NOW, use=envelope.RECEIPT
        )
        assert str(message.id).encode() in opened.content
    with here.app.app_context():
        assert stored() == [1, 1, 2]  # the second one had a new envelope and the same message in it


def test_the_same_envelope_twice(here: Side, there: Side, client: FlaskClient) -> None:
    raw = sealed(ask(), keys(there), keys(here))
    assert client.post(URL, data=raw, content_type=COSE).status_code == 200
    refused(here, client, raw, "replayed")


def test_a_stranger_and_one_who_signs_in_the_name_of_another(here: Side, there: Side, client: FlaskClient) -> None:
    other = stranger()
    refused(here, client, sealed(ask(), other, keys(here)), "unknown_peer")
    refused(here, client, sealed(ask(), dataclasses.replace(other, kid=keys(there).kid), keys(here)), "forged")


def test_a_message_that_was_taken_over_under_another_signature(here: Side, there: Side, client: FlaskClient) -> None:
    """Somebody who is known as well takes the content of a message of another and signs it as their own."""
    thief, raw = stranger(), sealed(ask(), keys(there), keys(here))
    with here.app.app_context():
        half = identity.public_half(thief)
        peer = peers.Peer(
            id=uuid.uuid4(), name="别处", division_code="310115000000", url="http://127.0.0.1:9", kid=thief.kid,
            sign_key=half.sign, seal_key=half.seal, added_at=NOW, added_by="system",
        )  # fmt: skip
        db.session.add(peer)
        db.session.commit()
    claims = cbor2.loads(cbor2.loads(raw).value[2])
    refused(here, client, envelope.signed({**claims, 1: thief.kid}, thief), "unreadable")
    refused(here, client, envelope.signed(claims, thief), "forged")


def test_each_altered_byte(here: Side, there: Side, client: FlaskClient) -> None:
    raw = sealed(ask(), keys(there), keys(here))
    for place in range(0, len(raw), 37):
        altered = bytearray(raw)
        altered[place] ^= 1
        assert client.post(URL, data=bytes(altered), content_type=COSE).status_code == 403
    refused(here, client, raw[:40], "unreadable")
    refused(here, client, raw[:-64] + bytes(64), "forged")
    with here.app.app_context():
        assert stored() == [0, 0, 0]


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_message_that_is_too_old_or_too_new(here: Side, there: Side, client: FlaskClient, minutes: int) -> None:
    raw = sealed(ask(), keys(there), keys(here), NOW + timedelta(minutes=minutes))
    refused(here, client, raw, "stale")


def test_an_end_that_was_chosen_far_away(here: Side, there: Side, client: FlaskClient) -> None:
    claims = cbor2.loads(cbor2.loads(sealed(ask(), keys(there), keys(here))).value[2])
    far = int((NOW + timedelta(days=1)).astimezone(UTC).timestamp())
    refused(here, client, envelope.signed({**claims, 4: far}, keys(there)), "stale")


def test_a_message_for_somebody_else(here: Side, there: Side, client: FlaskClient) -> None:
    refused(here, client, sealed(ask(), keys(there), stranger()), "wrong_recipient")


def test_a_message_for_another_use_or_address(here: Side, there: Side, client: FlaskClient) -> None:
    raw = sealed(ask(), keys(there), keys(here), use=envelope.RECEIPT)
    refused(here, client, raw, "wrong_address")
    claims = cbor2.loads(cbor2.loads(sealed(ask(), keys(there), keys(here))).value[2])
    for changed in ({"path": "/api/v1/scans"}, {"method": "PUT"}):
        facts = {**claims[-65537], **changed}
        refused(here, client, envelope.signed({**claims, -65537: facts}, keys(there)), "wrong_address")


def test_a_peer_that_was_revoked(here: Side, there: Side, client: FlaskClient) -> None:
    with here.app.app_context():
        peers.revoke(here.peer().id, actor=OPERATOR, at=NOW)
    refused(here, client, sealed(ask(), keys(there), keys(here)), "revoked")


def test_a_body_that_is_too_large(here: Side, client: FlaskClient) -> None:
    refused(here, client, bytes(envelope.LARGEST + 1), "too_large", 413)


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xd2\x84", cbor2.dumps([1] * 4), b"\x9f" * 5000, bytes(100)])
def test_what_is_no_message_at_all(here: Side, client: FlaskClient, raw: bytes) -> None:
    refused(here, client, raw, "unreadable")


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'{"kind": "order"}',
        ask().model_dump_json().replace(resident_id(1), "").encode(),
        ask(valid_until=TODAY + timedelta(days=400)),
    ],
)
def test_genuine_nonsense(here: Side, there: Side, client: FlaskClient, content: Content | bytes) -> None:
    refused(here, client, sealed(content, keys(there), keys(here)), "malformed")


def test_answers_to_what_was_never_asked(here: Side, there: Side, client: FlaskClient) -> None:
    told = Told(state="not_found", at=NOW)
    answer = Answer(id=uuid.uuid4(), request=uuid.uuid4(), serial=1, people={0: told})
    refused(here, client, sealed(answer, keys(there), keys(here)), "unknown_record")
    for asker in (True, False):
        close = Close(id=uuid.uuid4(), request=uuid.uuid4(), asker=asker, at=NOW, reason="finished")
        refused(here, client, sealed(close, keys(there), keys(here)), "unknown_record")


def test_a_second_request_under_one_number(here: Side, there: Side, client: FlaskClient) -> None:
    first = ask()
    assert client.post(URL, data=sealed(first, keys(there), keys(here)), content_type=COSE).status_code == 200
    refused(here, client, sealed(ask(request=first.request), keys(there), keys(here)), "contradiction")


def test_an_answer_about_somebody_who_was_not_asked_about_and_an_older_one(
    here: Side, there: Side, client: FlaskClient
) -> None:
    here.ask(here.peer().id, resident_id(1))
    number = here.record().request_id
    outside = Answer(id=uuid.uuid4(), request=number, serial=1, people={1: Told(state="not_found", at=NOW)})
    refused(here, client, sealed(outside, keys(there), keys(here)), "malformed")
    for serial, state in ((2, "found"), (1, "not_found")):
        told = Told(state=state, at=NOW)  # type: ignore[arg-type]
        answer = Answer(id=uuid.uuid4(), request=number, serial=serial, people={0: told})
        assert client.post(URL, data=sealed(answer, keys(there), keys(here)), content_type=COSE).status_code == 200
        assert here.people()[0].state == "found"


def test_refusals_are_counted_by_the_hour_and_forgotten(here: Side, there: Side) -> None:
    with here.app.app_context():
        for minutes in (0, 1, 59, 61):
            taking.refuse("stale", keys(there).kid, at=NOW + timedelta(minutes=minutes))
        rows = db.session.scalars(select(PeerRefusal).order_by(PeerRefusal.hour)).all()
        assert [(row.count, row.kid) for row in rows] == [(3, keys(there).kid), (1, keys(there).kid)]
        taking.forget(NOW + taking.KEPT + timedelta(hours=2))
        assert db.session.scalars(select(PeerRefusal)).all() == []


def test_nonces_are_kept_as_long_as_a_message_could_pass(here: Side, there: Side, client: FlaskClient) -> None:
    raw = sealed(ask(), keys(there), keys(here), NOW + timedelta(minutes=5))
    assert client.post(URL, data=raw, content_type=COSE).status_code == 200
    with here.app.app_context():
        taking.forget(NOW + timedelta(minutes=10))
        assert db.session.scalars(select(PeerNonce)).all()
        taking.forget(NOW + timedelta(minutes=16))
        assert not db.session.scalars(select(PeerNonce)).all()


def test_introductions(here: Side, there: Side) -> None:
    text = there.introduction()
    with here.app.app_context():
        looked = peers.offer(f"  {text[:40]}\n{text[40:]} ")
        assert looked.introduction.name == "金山区"
        assert looked.fingerprint == identity.fingerprint(identity.public_half(keys(there)))
        wrong = [("0" * 40, text), (looked.fingerprint, text[:-4] + "AAAA"), (looked.fingerprint, here.introduction())]
        for shown, given in wrong:
            with pytest.raises(peers.InvalidInput):
                peers.add(given, shown, actor=OPERATOR, at=NOW)
        before = here.peer().id
        assert peers.add(text, looked.fingerprint, actor=OPERATOR, at=NOW).id == before


def test_new_keys_of_a_known_place_take_the_old_ones_place(
    here: Side, there: Side, client: FlaskClient, template: Path, tmp_path: Path
) -> None:
    before, old = here.peer(), keys(there)
    with neighbour(template, tmp_path / "anew", "http://127.0.0.1:9") as app:
        anew = Side(app)
        assert here.know(anew) == before.id
        assert here.peer().kid == keys(anew).kid != old.kid
        refused(here, client, sealed(ask(), old, keys(here)), "unknown_peer")
        raw = sealed(ask(), keys(anew), keys(here))
        assert client.post(URL, data=raw, content_type=COSE).status_code == 200
