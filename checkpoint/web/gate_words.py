"""Every sentence that the gate's scripts may show, in the language of the page. `{name}` marks what a script fills in."""

from flask_babel import gettext as _

from checkpoint.web.gate_rules import offline_words
from checkpoint.web.lane_words import lane_words
from checkpoint.web.patrol_words import tablet_words


def gate_words() -> dict[str, str]:
    """Words by the key that the scripts ask for."""
    return (
        _verdicts()
        | _decisions()
        | _person()
        | _scanning()
        | _camera()
        | _sending()
        | _enrolment()
        | tablet_words()
        | offline_words()
        | lane_words()
    )


def _verdicts() -> dict[str, str]:
    return {
        "verdict.admit": _("Admit"),
        "verdict.test": _("Test"),
        "verdict.hold": _("Hold"),
        "verdict.refuse": _("Refuse"),
        "verdict.admit.say": _("All in order. They may pass."),
        "verdict.test.say": _("Test on the spot before they pass."),
        "verdict.hold.say": _("Do not let them pass. Lead them to the waiting area and call command."),
        "verdict.refuse.say": _("This pass is not valid. It does not let anybody in."),
        "tier.green": _("Green pass"),
        "tier.yellow": _("Yellow pass"),
        "tier.red": _("Red pass"),
    }


def _decisions() -> dict[str, str]:
    return {
        "decide.admitted": _("Let in"),
        "decide.tested": _("Test on the spot"),
        "decide.held": _("Hold here"),
        "decide.turned_back": _("Turn back"),
        "decide.transferred": _("Hand over for transfer"),
        "decided.admitted": _("Let in"),
        "decided.tested": _("Tested on the spot"),
        "decided.held": _("Held here"),
        "decided.turned_back": _("Turned back"),
        "decided.transferred": _("Handed over for transfer"),
        "decided.none": _("No decision yet"),
        "decided.skipped": _("Scanned again"),
        "decided.given_up": _("Not sent, given up"),
        "decide.first": _("Decide on this person first, then scan the next."),
        "decide.why": _("A reason is needed"),
        "decide.recorded": _("Recorded: {decision}"),
        "decide.refused": _("The decision on {name} was not recorded: {cause}"),
    }


def _person() -> dict[str, str]:
    return {
        "person.none": _("Nobody stands behind this code"),
        "person.document": _("Document"),
        "person.plate": _("Plate"),
        "person.from": _("From"),
        "person.to": _("To"),
        "person.phone": _("Phone"),
        "person.companions": _("Travelling along"),
        "person.companions.count": _("{count} more"),
        "person.inside": _("Recorded as inside already"),
        "person.turned_back": _("Was turned back before"),
        "previous.none": _("First scan of this registration"),
        "previous.line": _("{when}, {checkpoint}"),
        "reasons.none": _("Nothing speaks against this person"),
        "measures.none": _("No further measures"),
    }


def _scanning() -> dict[str, str]:
    return {
        "scan.ready": _("Hold the pass in front of the camera"),
        "scan.foreign": _("This QR code is not a pass. Ask for the pass of this system."),
        "scan.poster": _("This is the poster's code. Travellers scan it with their own phone to register."),
        "scan.enrol": _("This is the enrolment code of a tablet, not a pass."),
        "scan.link": _("This is the link of a pass. Ask the traveller to open it and show the QR code."),
        "carried.part": _("Part {have} of {parts} read. Hold the phone still: the next code comes by itself."),
        "carried.unreadable": _(
            "This code of a phone without network is damaged. Ask the traveller to show it once more."
        ),
        "carried.no_key": _(
            "This tablet was never connected, so it cannot keep a declaration safely. Connect it once."
        ),
        "company.united": _("{count} people together, the same verdict: one decision is for all of them"),
        "company.apart": _("{count} people together, different verdicts: decide on each by itself"),
        "company.person": _("Person {number}"),
        "scan.same": _("The same pass as just now. Take it away for three seconds to scan it again."),
        "scan.short": _("A short code has eight letters and digits, without 0, 1, I, O and U."),
        "log.empty": _("Nothing scanned yet on this tablet since the page was opened"),
        "log.unknown": _("Unknown pass"),
        "log.sending": _("sending…"),
        "log.refused": _("not recorded"),
        "log.differs": _("The server: {verdict}"),
    }


def _camera() -> dict[str, str]:
    return {
        "camera.opening": _("The camera is opening…"),
        "camera.denied": _(
            "The camera is not allowed for this page. Allow it in the browser's settings, then open it again."
        ),
        "camera.missing": _("No camera was found. Use a hand scanner or type the code under the QR."),
        "camera.busy": _("Another app is using the camera. Close it, then open the camera again."),
        "camera.insecure": _(
            "The browser opens the camera on https addresses only. Use a hand scanner or type the code."
        ),
        "camera.lost": _("The camera stopped. Open it again."),
        "camera.reader": _("The QR reader could not be loaded. Use a hand scanner, or reload the page."),
        "camera.number": _("Camera {number}"),
    }


def _sending() -> dict[str, str]:
    return {
        "link.checking": _("Connecting…"),
        "link.online": _("Connected"),
        "link.offline": _("No connection"),
        "send.busy": _("Sending…"),
        "send.waiting": _("No answer from the server yet. Sending again, attempt {attempt}."),
        "send.unchecked": _(
            "This code cannot be checked without a network. Scan the QR code of the pass, or keep the scan and decide."
        ),
        "send.refused": _("The server did not take this scan: {cause}"),
        "send.storage": _("This browser keeps no data for the page. Leave private mode, or use another browser."),
    }


def _enrolment() -> dict[str, str]:
    return {
        "enrol.busy": _("Enrolling…"),
        "enrol.done": _("Enrolled for {checkpoint}"),
        "enrol.offline": _("The server cannot be reached. Check the network and try again."),
        "enrol.revoked": _("This tablet's access has ended. Ask command for a new enrolment code."),
        "enrol.untrusted": _("The server does not know this tablet. Ask command for a new enrolment code."),
        "enrol.untrusted.unsent": _(
            "The server does not know this tablet. {count} entries are not sent yet and are kept: they are sent after a new "
            "enrolment for {checkpoint}."
        ),
        "former.sending": _("{count} entries from {checkpoint} are still being sent there."),
        "former.stuck": _(
            "{count} entries from {checkpoint} are kept and cannot be sent from here: enrol this tablet there once more."
        ),
        "enrol.again": _("This tablet is already enrolled for {checkpoint}."),
        "enrol.wrong": _("The code could not be used: {cause}"),
        "sound.on": _("Sound on"),
        "sound.off": _("Sound off"),
    }
