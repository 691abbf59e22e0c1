"""The words of the channels: their kinds, the tiers they carry, and why a message was not taken."""

from flask_babel.speaklater import LazyString

from checkpoint.words import _, lazy

KINDS: dict[str, LazyString] = {
    "webpush": lazy("This browser"),
    "wecom": lazy("WeCom group robot"),
    "dingtalk": lazy("DingTalk group robot"),
    "feishu": lazy("Feishu group robot"),
    "email": lazy("E-mail"),
    "sms": lazy("SMS gateway"),
    "webhook": lazy("Webhook"),
}
TIERS: dict[str, LazyString] = {
    "red": lazy("only red"),
    "yellow": lazy("red and yellow"),
    "green": lazy("every tier"),
}
ERRORS: dict[str, LazyString] = {
    "forbidden_address": lazy("the address lies in a private network, or is not https"),
    "unreachable": lazy("the other side does not answer"),
    "gone": lazy("the other side no longer knows this address"),
    "address": lazy("the address cannot be used"),
    "not_taken": lazy("the other side did not take it"),
    "failed": lazy("the other side did not take it"),
}


def error_word(code: str | None) -> str:
    """Why a message was not taken, in words; an HTTP status stands as it is."""
    if not code:
        return ""
    if code.startswith("http_"):
        return _("the other side answered %(status)s", status=code.removeprefix("http_"))
    return str(ERRORS.get(code, code))
