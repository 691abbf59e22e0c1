"""What the reasons and kinds of keeping are called."""

from flask_babel.speaklater import LazyString

from checkpoint.retention.holds import Reason
from checkpoint.retention.own import OPEN_MATTER
from checkpoint.web import inbox_words, purpose_words
from checkpoint.web.filters import ROLES
from checkpoint.web.forms.words import TRANSPORTS
from checkpoint.words import lazy

REASONS: dict[str, LazyString] = {
    Reason.INSIDE.value: lazy("the person is still here"),
    Reason.LEGAL.value: lazy("command holds it"),
    Reason.INQUIRY.value: lazy("an inquiry in force"),
    Reason.ALERT.value: lazy("an alert is open"),
    Reason.APPEAL.value: lazy("an appeal is open"),
    Reason.APPROVAL.value: lazy("an application is open or in force"),
    Reason.PASS.value: lazy("the pass could still be shown"),
}
TOLD: dict[str, LazyString] = {
    Reason.INSIDE.value: lazy(
        "You are still here, and your village or community looks after you. It goes after your release."
    ),
    Reason.APPEAL.value: lazy("Your appeal is not answered yet."),
    Reason.APPROVAL.value: lazy("An application that names you is open or in force."),
    Reason.PASS.value: lazy(
        "Your code could still be shown. Checkpoints must be able to know that it is no longer valid."
    ),
    OPEN_MATTER: lazy("The law asks us to keep it for a matter that is still open. You can ask us by phone."),
}
KINDS: dict[str, LazyString] = {
    "trips": lazy("People's trips, after the release or the last day they could have come"),
    "approvals": lazy("Applications, after their end"),
    "companies": lazy("Companies that closed, and who was taken off a staff list"),
    "inquiries": lazy("Whom an inquiry found, after its end"),
    "joint": lazy("Joint inquiries, after their end"),
    "barrier": lazy("Scans, vehicles and declarations that lead to nobody"),
    "patrols": lazy("Notes and photos of patrols"),
    "alerts": lazy("Alerts about anything but a person"),
    "changes": lazy("Whose colour a change of lists has moved"),
}
SECTIONS: dict[str, LazyString] = {
    "person": lazy("You"),
    "trip": lazy("Your trip"),
    "companions": lazy("Travelling together"),
    "stays": lazy("Places stayed"),
    "tests": lazy("Tests"),
    "assessments": lazy("How your colour was found"),
    "passes": lazy("Your codes"),
    "crossings": lazy("At the checkpoint"),
    "follow_ups": lazy("Follow-up work"),
    "reports": lazy("What you have told"),
    "appeals": lazy("Appeals"),
    "looks": lazy("Who opened your name, number or address"),
}
FIELDS: dict[str, LazyString] = {
    "name": lazy("Name"),
    "id_type": lazy("Kind of document"),
    "id_number": lazy("Document number"),
    "phone": lazy("Phone"),
    "state": lazy("State"),
    "tier": lazy("Colour"),
    "origin": lazy("From"),
    "destination": lazy("Going to"),
    "address": lazy("Address"),
    "arriving_on": lazy("Day of arrival"),
    "transport": lazy("Travelling by"),
    "plate": lazy("Number plate"),
    "symptoms": lazy("Symptoms"),
    "declared_at": lazy("Declared"),
    "entered_at": lazy("Entered"),
    "released_at": lazy("Released"),
    "place": lazy("Place"),
    "from": lazy("From day"),
    "to": lazy("To day"),
    "kind": lazy("Kind"),
    "taken_at": lazy("Taken"),
    "result": lazy("Result"),
    "source": lazy("Told by"),
    "made_at": lazy("Time"),
    "score": lazy("Points"),
    "reasons": lazy("Reasons"),
    "measures": lazy("Measures"),
    "short_code": lazy("Short code"),
    "issued_at": lazy("Issued"),
    "expires_at": lazy("Valid until"),
    "revoked_at": lazy("No longer valid since"),
    "checkpoint": lazy("Checkpoint"),
    "scanned_at": lazy("Scanned"),
    "verdict": lazy("Verdict"),
    "decisions": lazy("Decisions"),
    "day": lazy("Day of the plan"),
    "from_at": lazy("From"),
    "due_at": lazy("Due"),
    "done_at": lazy("Done"),
    "reported_at": lazy("Told"),
    "temperature": lazy("Temperature"),
    "test_kind": lazy("Kind of test"),
    "test_result": lazy("Result"),
    "text": lazy("What you wrote"),
    "answered_at": lazy("Answered at"),
    "answer": lazy("Answer"),
    "opened_at": lazy("Opened"),
    "role": lazy("By"),
    "office": lazy("Office"),
    "fields": lazy("What was opened"),
    "purpose": lazy("Opened for"),
}

_TEST_RESULTS: dict[str, LazyString] = {
    **inbox_words.FOLLOWUP_RESULTS,
    "negative": lazy("Negative"),
    "positive": lazy("Positive"),
}
VALUES: dict[str, dict[str, LazyString]] = {
    "id_type": inbox_words.ID_TYPES,
    "role": ROLES,
    "fields": purpose_words.FIELDS,
    "purpose": purpose_words.WORDS,
    "transport": dict(TRANSPORTS),
    "verdict": inbox_words.VERDICTS,
    "decision": inbox_words.DECISIONS,
    "source": inbox_words.SOURCES,
    "test_kind": inbox_words.TEST_KINDS,
    "result": _TEST_RESULTS,
    "test_result": _TEST_RESULTS,
    "kind": {
        **inbox_words.FOLLOWUPS,
        **inbox_words.TEST_KINDS,
        "arrival": lazy("Arrived at the address"),
        "health": lazy("Health report"),
    },
    "state": {
        **inbox_words.TRIPS,
        "open": lazy("Still open"),
        "done": lazy("Done"),
        "cancelled": lazy("Not needed any more"),
        "waiting": lazy("Not confirmed yet"),
        "confirmed": lazy("Confirmed"),
        "taken": lazy("Told"),
        "granted": lazy("granted"),
        "refused": lazy("not granted"),
        "void": lazy("not needed any more"),
    },
}
"""What a stored word is called, by the field that it stands in."""
