"""Sentences and settings of the lane's screen besides scanning, for the gate's scripts. `{name}` marks what a script fills in."""

from typing import Any

from flask import current_app
from flask_babel import gettext as _

from checkpoint.config import Settings
from checkpoint.regions import default_index
from checkpoint.web.forms.words import offline_words


def lane_words() -> dict[str, str]:
    """Words by the key that the scripts ask for."""
    return _officers() | _tests() | _vehicles() | _prints() | _board()


def _officers() -> dict[str, str]:
    return {
        "officer.busy": _("Checking the PIN…"),
        "officer.short": _("A PIN has at least {number} digits."),
        "officer.since": _("On duty since {time}"),
        "officer.wrong": _("This PIN is not right."),
        "officer.wait": _("Too many wrong PINs. Wait a minute."),
        "officer.unknown": _(
            "There is no network, and this officer has not signed in here in the last 12 hours. Sign in once with network."
        ),
        "document.busy": _("Comparing…"),
        "document.match": _("This is the declared document."),
        "document.mismatch": _("This is not the declared document. Look closely."),
        "document.unknown": _("This cannot be compared here. Compare the last four characters by eye."),
    }


def _tests() -> dict[str, str]:
    return {
        "spot.due": _("Read the result now"),
        "spot.alarm": _("Results to read: {count}"),
        "spot.negative": _("Negative"),
        "spot.positive": _("Positive"),
        "spot.again": _("Not valid: test again"),
        "spot.decide": _("Decide"),
        "spot.more": _("{count} more are running. They come up here as their time comes."),
        "spot.elsewhere": _("on another tablet"),
        "spot.take": _("Read it here"),
        "spot.spot_test_negative": _("The test on the spot is negative"),
        "spot.spot_test_positive": _("The test on the spot is positive"),
    }


def _vehicles() -> dict[str, str]:
    return {
        "vehicle.car": _("Car"),
        "vehicle.coach": _("Bus or coach"),
        "vehicle.lorry": _("Lorry"),
        "vehicle.noplate": _("without a plate yet"),
        "vehicle.people": _("people: {count}"),
        "vehicle.empty": _("Nobody in it yet"),
        "vehicle.drop": _("Take {name} out of this vehicle"),
        "vehicle.into": _("Scans join {plate}"),
        "vehicle.unknown": _("This vehicle is not known on this tablet, and the server cannot be asked now."),
        "vehicle.elsewhere": _("Vehicle {plate}, {tier}, people: {people}, from {checkpoint}"),
        "coach.title": _("Register for this journey"),
        "coach.how": _("Scan the code with your phone and fill in the form. The plate is filled in already."),
        "coach.offline": _("The code for passengers needs the server once. Until then they can scan the poster."),
    }


def _prints() -> dict[str, str]:
    return {
        "sticker.title": _("Sticker"),
        "sticker.code": _("Code of the vehicle"),
        "sticker.green": _("Green"),
        "sticker.yellow": _("Yellow"),
        "sticker.red": _("Red"),
        "sticker.none": _("no colour yet"),
        "slip.title": _("Entry slip"),
        "slip.code": _("Code of the pass"),
        "slip.print": _("Print the slip"),
        "slip.until": _("Valid until {when}"),
    }


def _board() -> dict[str, str]:
    return {
        "board.decisions": _("let in {admitted} · turned back {turned} · held {held}"),
        "board.time": _("as of {time}"),
        "tablet.this": _("{label} (this one)"),
        "tablet.nobody": _("nobody on duty"),
        "tablet.now": _("in contact"),
        "tablet.never": _("never in contact"),
        "tablet.ago": _("last contact {minutes} min ago"),
        "form.offline": _("The server cannot be reached. What was written stays here: send it again in a moment."),
        "form.companion": _("Family member {number}: "),
        "form.field": _("{field}: "),
        "form.choose": _("Choose"),
        "form.anywhere": _("Not known"),
    }


def lane_settings() -> dict[str, Any]:
    """The site's time zone, and its towns with their villages, for the officer's form when there is no network."""
    settings: Settings = current_app.extensions["settings"]
    index = default_index()
    site = settings.site_division
    towns = index.children(site) if index.exists(site) else []
    return {
        "timezone": settings.timezone,
        "problems": offline_words()["wrong"],
        "towns": [{"code": code, "name": name, "villages": index.children(code)} for code, name in towns],
    }
