"""Sending one message by one channel. A sender either returns, and the other side has taken the message, or raises SendFailed."""

import json
import logging
from datetime import datetime
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import apprise
from apprise.attachment.memory import AttachMemory
from flask import current_app
from pywebpush import WebPusher

from checkpoint.channels.messages import Message
from checkpoint.channels.models import TargetKind
from checkpoint.channels.vapid import authorization
from checkpoint.config import Settings
from checkpoint.errors import InvalidInput
from checkpoint.outbound import ForbiddenAddress, Unreachable, call, port_of, resolved, split
from checkpoint.words import _

TIMEOUT_SECONDS = 15.0
PUSH_LIVES_SECONDS = 4 * 3600
GONE = frozenset({404, 410})
SMS = frozenset(
    (
        *("46elks", "atalk", "bulksms", "bulkvs", "clickatell", "clicksend", "elks", "exotel", "httpsms", "msg91"),
        *("msgbird", "nexmo", "plivo", "seven", "sinch", "twilio", "vonage"),
    )
)
# Apprise's names of what each kind may be. Whatever lets its user choose the host is left out, but for mail.
SCHEMES: dict[str, frozenset[str]] = {
    TargetKind.WECOM: frozenset({"wecombot"}),
    TargetKind.DINGTALK: frozenset({"dingtalk"}),
    TargetKind.FEISHU: frozenset({"feishu", "lark"}),
    TargetKind.EMAIL: frozenset({"mailto", "mailtos"}),
    TargetKind.SMS: SMS,
}
# Apprise's own log names addresses, and an address of a chat robot is its key.
for _name in ("apprise", "apprise.plugins"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


class SendFailed(Exception):
    """A channel did not take a message. `code` is a short word without any value; `gone` says that it never will."""

    def __init__(self, code: str, *, gone: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.gone = gone


def _allow_private() -> bool:
    settings: Settings = current_app.extensions["settings"]
    return settings.allow_private_targets


def _wrong(message: str) -> InvalidInput:
    return InvalidInput.one("address", "format", message)


def _breaks(text: str) -> bool:
    return any(ord(letter) < 32 or ord(letter) == 127 for letter in text)


def checked(kind: str, raw: str) -> str:
    """An address as it is stored, or InvalidInput with a sentence. A private host is refused here and again at each sending."""
    raw = raw.strip()
    if kind not in tuple(TargetKind):
        raise InvalidInput.one("kind", "unknown", _("Choose one of the kinds."))
    # Also as it will be once decoded: a line break in a name or a sender would begin a header of its own.
    if not raw or len(raw) > 2000 or not raw.isprintable() or _breaks(unquote(raw)):
        raise _wrong(_("This address cannot be used."))
    try:
        if kind == TargetKind.WEBPUSH:
            return _subscription(raw)
        if kind == TargetKind.WEBHOOK:
            _reachable(raw)
            return raw
        plugin = _plugin(kind, raw)
        _guard(kind, plugin)
    except ForbiddenAddress as error:
        raise _wrong(_("This address lies in a private network, or is not https.")) from error
    except Unreachable as error:
        raise _wrong(_("No host of this name was found.")) from error
    return raw


def _reachable(url: str) -> None:
    parts = split(url, allow_private=_allow_private())
    resolved(cast(str, parts.hostname), port_of(parts), allow_private=_allow_private())


def _subscription(raw: str) -> str:
    """What a browser's `PushSubscription.toJSON()` gives, with nothing else in it."""
    try:
        given = json.loads(raw)
        endpoint = str(given["endpoint"])
        kept = {
            "endpoint": endpoint,
            "keys": {"p256dh": str(given["keys"]["p256dh"]), "auth": str(given["keys"]["auth"])},
        }
        WebPusher(kept)
    except (ValueError, KeyError, TypeError) as error:
        raise _wrong(_("This address cannot be used.")) from error
    except Exception as error:  # pywebpush has an exception of its own for keys that it does not like
        raise _wrong(_("This address cannot be used.")) from error
    split(endpoint, allow_private=_allow_private())
    return json.dumps(kept, separators=(",", ":"))


def _plugin(kind: str, raw: str) -> Any:
    """The Apprise plugin of an address, if it is one of those that the kind may be."""
    plugin = apprise.Apprise.instantiate(raw, suppress_exceptions=True)
    names: set[str] = set()
    for given in (getattr(plugin, "protocol", None), getattr(plugin, "secure_protocol", None)):
        names |= {given} if isinstance(given, str) else set(given or ())
    if plugin is None or not names & SCHEMES[kind]:
        raise _wrong(_("This is not an address of this kind."))
    return plugin


def _guard(kind: str, plugin: Any) -> None:
    """Mail is the one channel of Apprise whose host is the user's choice."""
    if kind == TargetKind.EMAIL:
        host = str(getattr(plugin, "smtp_host", "") or plugin.host)
        resolved(host, int(plugin.port or 587), allow_private=_allow_private())


def send(kind: str, address: str, message: Message, at: datetime) -> None:
    """Send a message; SendFailed says in a word why it was not taken."""
    try:
        if kind == TargetKind.WEBPUSH:
            _push(json.loads(address), message, at)
        elif kind == TargetKind.WEBHOOK:
            _hook(address, message)
        else:
            _apprise(kind, address, message)
    except ForbiddenAddress as error:
        raise SendFailed("forbidden_address") from error
    except Unreachable as error:
        raise SendFailed("unreachable") from error
    except InvalidInput as error:
        raise SendFailed("address") from error


def _answered(status: int) -> None:
    if status in GONE:
        raise SendFailed("gone", gone=True)
    if not 200 <= status < 300:
        raise SendFailed(f"http_{status}")


def _push(subscription: dict[str, Any], message: Message, at: datetime) -> None:
    """RFC 8291: encrypted for the browser, so that the push service reads nothing but the endpoint."""
    endpoint = str(subscription["endpoint"])
    text = {"title": message.title, "body": message.text, "url": urlsplit(message.url).path}
    encoded = WebPusher(subscription).encode(json.dumps(text).encode(), content_encoding="aes128gcm")
    headers = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(PUSH_LIVES_SECONDS),
        "Urgency": "high" if message.is_urgent else "normal",
        **authorization(endpoint, at),
    }
    body = cast(bytes, encoded["body"])
    reply = call("POST", endpoint, body=body, headers=headers, allow_private=_allow_private(), timeout=TIMEOUT_SECONDS)
    _answered(reply.status)


def _hook(url: str, message: Message) -> None:
    body = {
        "id": message.id,
        "text": f"{message.title}: {message.text}",
        "url": message.url,
        "counts": {"red": message.red, "yellow": message.yellow, "green": message.green},
        "taken_back": message.taken_back,
    }
    headers = {"Content-Type": "application/json", "Idempotency-Key": message.id}
    raw = json.dumps(body, ensure_ascii=False).encode()
    reply = call("POST", url, body=raw, headers=headers, allow_private=_allow_private(), timeout=TIMEOUT_SECONDS)
    _answered(reply.status)


def _apprise(kind: str, address: str, message: Message) -> None:
    plugin = _plugin(kind, address)
    _guard(kind, plugin)
    plugin.socket_connect_timeout = plugin.socket_read_timeout = TIMEOUT_SECONDS
    files = apprise.AppriseAttachment()
    for one in message.attachments:
        files.add(AttachMemory(content=one.data, name=one.name, mimetype=one.mimetype))  # type: ignore[no-untyped-call]
    try:
        taken = plugin.notify(body=f"{message.text}\n{message.url}", title=message.title, attach=files or None)
    except Exception as error:  # a plugin may fail in any way; what it says may name the address
        raise SendFailed("failed") from error
    if not taken:
        raise SendFailed("not_taken")
