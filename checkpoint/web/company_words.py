"""The words of companies: states, steps, kinds of member and of application, in the reader's language."""

from flask_babel.speaklater import LazyString

from checkpoint.words import lazy

STATES: dict[str, LazyString] = {
    "applied": lazy("Waits for the town"),
    "asked": lazy("The company is asked"),
    "active": lazy("Active"),
    "refused": lazy("Refused"),
    "closed": lazy("Closed"),
}
STEPS: dict[str, LazyString] = {
    "applied": lazy("The company registered"),
    "asked": lazy("The town asks"),
    "replied": lazy("The company answers"),
    "accepted": lazy("Accepted"),
    "refused": lazy("Refused"),
    "invited": lazy("A new link was given"),
    "closed": lazy("Closed"),
}
MEMBER_KINDS: dict[str, LazyString] = {"person": lazy("Employee"), "lorry": lazy("Lorry")}
APPLICATIONS: dict[str, LazyString] = {
    "company": lazy("Return to work"),
    "staff": lazy("Entry of staff from elsewhere"),
    "lorry": lazy("Lorries in a closed loop"),
    "commuter": lazy("Commuter"),
}
APPLICATION_STATES: dict[str, LazyString] = {
    "open": lazy("Waits for an answer"),
    "asked": lazy("You are asked"),
    "granted": lazy("Granted"),
    "refused": lazy("Not granted"),
    "withdrawn": lazy("Taken back"),
    "revoked": lazy("Revoked"),
}
APPLICATION_STEPS: dict[str, LazyString] = {
    "applied": lazy("Applied for"),
    "asked": lazy("The office asks"),
    "replied": lazy("You answered"),
    "forwarded": lazy("Handed on to the next level"),
    "granted": lazy("Granted"),
    "refused": lazy("Not granted"),
    "withdrawn": lazy("Taken back"),
    "revoked": lazy("Revoked"),
    "joined": lazy("Others were added"),
    "removed": lazy("Some were taken off"),
}
