"""Messages on the wire: a webhook, a browser's push service, a chat robot; and the addresses that are refused."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from flask import Flask
from sqlalchemy import select

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Actor
from checkpoint.alerts import feed
from checkpoint.alerts.models import Alert
from checkpoint.channels import targets
from checkpoint.channels.collecting import collect
from checkpoint.channels.models import ChannelTarget
from checkpoint.channels.senders import SendFailed
from checkpoint.channels.sending import send_due, try_out
from checkpoint.channels.targets import NewTarget
from checkpoint.channels.vapid import public_key
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotAllowed, NotFound
from checkpoint.risk.policy import default_policy
from tests.factories import NOW, alerting, people, receivers
from tests.factories.divisions import OTHER_VILLAGE, TOWN, VILLAGE
from tests.factories.outboxes import HOOK, hook, states, told

POLICY = default_policy()


@pytest.fixture
def worker() -> Actor:
    return people.village_worker()


@pytest.fixture
def loopback(app: Flask) -> Iterator[None]:
    """The setting that lets messages go to private addresses."""
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, allow_private_targets=True)
    yield
    app.extensions["settings"] = before


@pytest.mark.usefixtures("loopback")
class TestOnTheWire:
    def test_a_webhook_gets_counts_and_a_link(self, worker: Actor) -> None:
        with receivers.receiver() as found:
            hook(worker, found.url, language="zh")
            alerting.alert(tier="red")
            feed.number()
            collect(NOW)
            assert send_due(lambda: NOW + timedelta(seconds=5)) == 1
        [body] = found.bodies
        assert body["counts"] == {"red": 1, "yellow": 0, "green": 0}
        assert body["url"].endswith("/inbox")
        assert set(body) == {"id", "text", "url", "counts", "taken_back"}
        assert found.requests[0][0]["idempotency-key"] == body["id"]

    def test_a_browser_opens_what_was_pushed_and_the_push_service_knows_us(self, worker: Actor) -> None:
        with receivers.receiver() as found:
            browser = receivers.Browser(found.url)
            targets.add(NewTarget("webpush", browser.address, language="en"), actor=worker, at=NOW)
            one = alerting.alert(tier="red")
            feed.number()
            collect(NOW)
            assert send_due(lambda: NOW + timedelta(seconds=5)) == 1
        [(headers, body)] = found.requests
        assert b"alert" not in body
        assert browser.read(body)["body"] == "1 red alert waiting for an answer"
        assert (headers["content-encoding"], headers["urgency"]) == ("aes128gcm", "high")
        _verify(headers["authorization"], found.url)
        alert = db.session.get(Alert, one, populate_existing=True)
        assert alert is not None
        assert alert.delivered_at == NOW + timedelta(seconds=5)

    def test_a_gone_subscription_ends_and_a_busy_service_is_asked_again(self, worker: Actor) -> None:
        with receivers.receiver(429, 410) as found:
            browser = receivers.Browser(found.url)
            target = targets.add(NewTarget("webpush", browser.address), actor=worker, at=NOW)
            alerting.alert()
            feed.number()
            collect(NOW)
            send_due(lambda: NOW + timedelta(seconds=5))
            db.session.refresh(target)
            assert (target.active, target.error) == (True, "http_429")
            send_due(lambda: NOW + timedelta(seconds=60))
        db.session.refresh(target)
        assert (target.active, target.error) == (False, "gone")

    def test_redirects_are_not_followed(self, worker: Actor) -> None:
        with receivers.receiver(302) as found:
            target = hook(worker, found.url)
            with pytest.raises(SendFailed, match="http_302"):
                try_out(target, NOW)
        assert len(found.requests) == 1

    def test_nobody_there_is_a_failure_in_a_word(self, worker: Actor) -> None:
        with receivers.receiver() as found:
            target = hook(worker, found.url)
        with pytest.raises(SendFailed, match="unreachable"):
            try_out(target, NOW)

    def test_a_chat_robot_is_told_through_apprise(self, worker: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        with receivers.receiver(200) as found:
            monkeypatch.setattr("apprise.plugins.dingtalk.NotifyDingTalk.notify_url", found.url + "?t={token}")
            monkeypatch.setattr("apprise.plugins.dingtalk.NotifyDingTalk.request_rate_per_sec", 0)
            targets.add(NewTarget("dingtalk", f"dingtalk://{'a' * 64}", language="en"), actor=worker, at=NOW)
            alerting.alert(tier="red")
            feed.number()
            collect(NOW)
            send_due(lambda: NOW + timedelta(seconds=5))
        [body] = found.bodies
        assert "1 red alert waiting for an answer" in str(body)
        assert VILLAGE not in str(body)


def _verify(authorization: str, endpoint: str) -> None:
    """The token of RFC 8292: signed by our key, for this push service."""
    fields = dict(part.strip().split("=", 1) for part in authorization.removeprefix("vapid ").split(","))
    assert fields["k"] == public_key()
    header, claims, signature = fields["t"].split(".")

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    assert json.loads(raw(claims))["aud"] == endpoint.rpartition("/")[0]
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw(fields["k"]))
    number = raw(signature)
    der = encode_dss_signature(int.from_bytes(number[:32], "big"), int.from_bytes(number[32:], "big"))
    key.verify(der, f"{header}.{claims}".encode(), ECDSA(hashes.SHA256()))


class TestAddresses:
    @pytest.mark.parametrize(
        ("kind", "address"),
        [
            ("webhook", "https://127.0.0.1/x"),
            ("webhook", "https://10.0.0.1/x"),
            ("webhook", "https://[::1]/x"),
            ("webhook", "https://localhost/x"),
            ("webhook", "http://93.184.216.34/x"),
            ("webhook", "ftp://93.184.216.34/x"),
            ("webhook", ""),
            ("webhook", "https://no-such-host.invalid/x"),
            ("dingtalk", "json://93.184.216.34/x"),
            ("wecom", "dingtalk://" + "a" * 64),
            ("sms", "mailto://a:b@example.com"),
            ("email", "mailtos://a:b@example.com?smtp=127.0.0.1"),
            ("webpush", "{}"),
            ("webpush", "no json"),
            ("pigeon", "x"),
        ],
    )
    def test_what_leads_inside_or_is_of_another_kind_is_refused(self, worker: Actor, kind: str, address: str) -> None:
        with pytest.raises(InvalidInput):
            targets.add(NewTarget(kind, address), actor=worker, at=NOW)
        assert list(db.session.scalars(select(ChannelTarget))) == []

    def test_a_name_that_leads_inside_later_is_refused_when_it_is_called(
        self, worker: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = hook(worker)
        monkeypatch.setattr("socket.getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", ("127.0.0.1", 443))])
        with pytest.raises(SendFailed, match="forbidden_address"):
            try_out(target, NOW)

    def test_addresses_are_sealed_and_one_of_each(self, worker: Actor) -> None:
        first = hook(worker, label="一")
        again = hook(worker, label="二")
        assert (first.id, again.label) == (again.id, "二")
        assert HOOK.encode() not in first.address_sealed
        assert first.address == HOOK

    def test_wrong_fields_are_named_together(self, worker: Actor) -> None:
        with pytest.raises(InvalidInput) as caught:
            hook(worker, "x", lowest_tier="blue", quiet_from="22:00", language="fr")
        assert {error.field for error in caught.value.errors} == {"address", "lowest_tier", "quiet_to", "language"}

    def test_only_the_owner_or_the_jurisdiction_changes_a_channel(self, worker: Actor) -> None:
        mine = hook(worker)
        boss = people.commander()
        of_village = hook(boss, f"{HOOK}/v", division_code=VILLAGE)
        stranger = people.actor_of(people.user("s", Role.TOWN, TOWN))
        elsewhere = people.stranger()
        for actor, target in ((stranger, mine), (elsewhere, of_village), (worker, of_village), (boss, mine)):
            with pytest.raises(NotFound):
                targets.remove(target.id, actor=actor, at=NOW)
        with pytest.raises(NotAllowed):
            hook(worker, f"{HOOK}/w", division_code=VILLAGE)
        with pytest.raises(InvalidInput):
            hook(stranger, f"{HOOK}/w", division_code=OTHER_VILLAGE)
        targets.remove(mine.id, actor=worker, at=NOW)
        targets.set_active(of_village.id, False, actor=stranger, at=NOW)
        alerting.alert()
        assert told().sent == []

    def test_a_removed_channel_takes_its_messages_along(self, worker: Actor) -> None:
        target = hook(worker)
        alerting.alert()
        feed.number()
        collect(NOW)
        targets.remove(target.id, actor=worker, at=NOW)
        assert states() == []

    def test_the_key_is_made_once(self, app: Flask) -> None:
        first = public_key()
        app.extensions.pop("vapid")
        assert public_key() == first
        path = app.extensions["settings"].data / "keys" / "vapid.json"
        assert path.stat().st_mode & 0o077 == 0
