"""The tablet with no network, in a real Chromium: it opens, judges, says what it does not know, and tells the server later."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from checkpoint import clock
from checkpoint.accounts.models import Device
from checkpoint.alerts.models import Alert
from checkpoint.database import db, transaction
from checkpoint.privacy import Keyring
from checkpoint.registrations.models import Pass
from checkpoint.registrations.passes import Claims, PassKeys
from tests.browser.gate_support import Lane, open_lane, swab, type_code, verdict_of
from tests.factories.chromium import chromium, keep_picture, open_page
from tests.factories.rough import rough_network

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
HOURS_AHEAD = """(() => {
  const Real = Date, ahead = 3 * 3600e3;
  globalThis.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(Real.now() + ahead); }
    static now() { return Real.now() + ahead; }
  };
})()"""
AGE_SNAPSHOT = """async (hours) => {
  const store = await import("/static/js/gate/store.js");
  const held = await store.recall("snapshot");
  const then = new Date(Date.now() - hours * 3600e3).toISOString();
  await store.keep("snapshot", { ...held, now: then, list: { ...held.list, confirmed_at: then } });
  await store.forget("snapshot-confirmed");
}"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film") / "camera.mjpeg"


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Browser]:
    with chromium(film) as opened:
        yield opened


@pytest.fixture
def lane(app: Flask, browser: Browser, film: Path) -> Iterator[Lane]:
    with open_lane(app, browser, film) as opened:
        yield opened


def ready(lane: Lane, **more: object) -> Page:
    """A tablet that has been told everything and keeps its page."""
    page = lane.tablet(**more)
    page.locator("html[data-shell=kept]").wait_for(state="attached")
    page.locator("[data-honest=withdrawals].honest-good, [data-honest=clock].honest-bad").first.wait_for()
    return page


def go_offline(page: Page, off: bool = True) -> None:
    page.context.set_offline(off)
    state = "offline" if off else "online"
    page.locator(f"[data-gate=link][data-state={state}]").wait_for()


def all_sent(page: Page) -> None:
    page.locator("[data-honest=unsent].honest-good").wait_for()


def decide(page: Page, decision: str) -> None:
    page.locator(f'[data-decision="{decision}"]').click()
    page.locator("[data-gate=verdict]").wait_for(state="hidden")


def test_the_gate_opens_judges_and_remembers_with_no_network(lane: Lane, capsys: pytest.CaptureFixture[str]) -> None:
    token = lane.issue().token
    lane.hold(token)
    page = ready(lane)
    verdict_of(page)
    keep_picture(page, "offline-before")
    decide(page, "tested")
    lane.nobody()
    page.locator(".log-row.is-sent").wait_for()
    page.context.set_offline(True)
    page.goto(f"{lane.address}/gate?lang=zh")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.locator("[data-gate=scan]").wait_for()
    lane.hold(lane.issue().token)
    page.goto(f"{lane.address}/gate?lang=en")
    touches = "(() => { globalThis.touches = 0; addEventListener('pointerdown', () => (touches += 1), true); })()"
    page.evaluate(touches)
    assert verdict_of(page) == "admit"
    expect(page.locator("[data-gate=verdict-source]")).to_contain_text("without the server")
    expect(page.locator("[data-gate=reasons]")).to_contain_text("Negative test within the allowed time")
    keep_picture(page, "offline-admit")
    taken = page.evaluate("performance.getEntriesByName('scan-to-verdict').map((entry) => entry.duration)")
    with capsys.disabled():
        print(f"\nframe with the code to the painted verdict, off line: {taken[0]:.0f} ms")
    decide(page, "admitted")
    assert page.evaluate("touches") <= 2
    page.locator("[data-honest=unsent].honest-note").wait_for()
    type_code(page, token)
    verdict_of(page)
    expect(page.locator("[data-gate=previous]")).to_contain_text("Tested on the spot")
    decide(page, "turned_back")
    page.context.set_offline(False)
    all_sent(page)
    first, second, third = lane.crossings()
    assert (first.decision, second.decision, third.decision) == ("tested", "admitted", "turned_back")
    assert [first.offline, second.offline] == [False, True]
    assert second.shown is not None
    assert second.shown["verdict"] == "admit"


def tokens(lane: Lane) -> dict[str, str]:
    """Codes that must not let anybody in, by what is wrong with them."""
    with lane.app.app_context():
        ring: Keyring = lane.app.extensions["keyring"]
    at = clock.now()
    kid = ring.signing_current
    strange = ec.generate_private_key(ec.SECP256R1())

    def signed(private: ec.EllipticCurvePrivateKey, key_id: bytes, days: int = 5) -> str:
        claims = Claims(secrets.token_bytes(8), at + timedelta(days=days), "green", bytes(4), ("330411",))
        changed = Keyring(**{name: getattr(ring, name) for name in ring.__dataclass_fields__})
        object.__setattr__(changed, "signing", {key_id: private})
        object.__setattr__(changed, "signing_current", key_id)
        return PassKeys(changed).sign(claims)

    good = lane.issue().token
    middle = len(good) // 2
    return {
        "forged": signed(strange, kid),
        "altered": good[: middle - 6] + good[middle:],
        "expired": signed(ring.signing[kid], kid, days=-1),
        "other key": signed(strange, b"\x01\x02\x03\x04"),
        "empty": "CP1:",
        "random": "CP1:" + "".join(secrets.choice("0123456789ABCDEF") for _ in range(120)),
    }


WORDS = {
    "forged": "The signature of this pass is not ours",
    "altered": "it is damaged",
    "expired": "This pass has expired",
    "other key": "signed with a key we do not know",
    "empty": "it is damaged",
    "random": "it is damaged",
    "withdrawn": "This pass was withdrawn",
}


def test_each_bad_code_has_its_own_words_off_line(lane: Lane) -> None:
    bad = tokens(lane)
    withdrawn = lane.issue()
    with lane.app.app_context(), transaction() as session:
        session.execute(
            update(Pass)
            .where(Pass.serial == withdrawn.serial)
            .values(revoked_at=clock.now(), revoked_because="withdrawn")
        )
    page = ready(lane)
    go_offline(page)
    for what, token in {**bad, "withdrawn": withdrawn.token}.items():
        type_code(page, token)
        assert verdict_of(page) == "refuse", what
        expect(page.locator("[data-gate=reasons]")).to_contain_text(WORDS[what])
        keep_picture(page, f"offline-{what.replace(' ', '-')}")
        decide(page, "turned_back")
    type_code(page, "https://pay.example.com/q")
    expect(page.locator("[data-gate=hint]")).to_contain_text("not a pass")
    go_offline(page, False)
    all_sent(page)
    assert {one.problem for one in lane.crossings()} >= {"unreadable", "forged", "withdrawn", "other_key"}


def test_a_wrong_clock_and_old_knowledge_are_never_green(lane: Lane) -> None:
    page = ready(lane)
    page.evaluate(AGE_SNAPSHOT, 30)
    page.context.set_offline(True)
    page.reload()
    page.locator("[data-honest=withdrawals].honest-bad").wait_for()
    type_code(page, lane.issue().token)
    assert verdict_of(page) == "test"
    expect(page.locator("[data-gate=reasons]")).to_contain_text("renewed 30 hours ago")
    keep_picture(page, "offline-old-snapshot")
    decide(page, "held")
    # A key that is not known may be newer than what an old tablet knows: that is never "invalid".
    type_code(page, tokens(lane)["other key"])
    assert verdict_of(page) == "test"
    expect(page.locator("[data-gate=reasons]")).to_contain_text("the pass may be good")
    page.evaluate(AGE_SNAPSHOT, 50)
    page.reload()
    assert verdict_of(page) == "test"  # it waits for its decision still
    page.locator("[data-honest=list].honest-bad").wait_for()


def test_a_clock_three_hours_off_is_measured_told_and_never_green(lane: Lane) -> None:
    page = lane.tablet()
    page.add_init_script(HOURS_AHEAD)
    page.locator("html[data-shell=kept]").wait_for(state="attached")
    page.reload()
    expect(page.locator("[data-honest=clock]")).to_have_text("Clock 180 min ahead")
    page.context.set_offline(True)
    page.locator("[data-gate=link][data-state=offline]").wait_for()
    type_code(page, lane.issue().token)
    assert verdict_of(page) == "test"
    expect(page.locator("[data-gate=reasons]")).to_contain_text("180 minutes ahead")
    keep_picture(page, "offline-clock")


def test_a_short_code_off_line_is_kept_and_judged_later(lane: Lane) -> None:
    page = ready(lane)
    go_offline(page)
    type_code(page, lane.issue().short_code)
    expect(page.locator("[data-gate=busy-words]")).to_contain_text("cannot be checked without a network")
    keep_picture(page, "offline-short-code")
    page.locator("[data-gate=busy-keep]").click()
    assert verdict_of(page) == "test"
    decide(page, "tested")
    go_offline(page, False)
    all_sent(page)
    crossing = lane.crossing()
    assert (crossing.verdict, crossing.decision) == ("admit", "tested")


def test_what_the_server_sees_otherwise_is_shown(lane: Lane) -> None:
    """Let in off line, and the server knows better: it stays on screen until somebody has seen it, and is told on."""
    page = ready(lane)
    go_offline(page)
    issued = lane.issue()
    with lane.app.app_context(), transaction() as session:
        session.execute(
            update(Pass).where(Pass.serial == issued.serial).values(revoked_at=clock.now(), revoked_because="withdrawn")
        )
    type_code(page, issued.token)
    assert verdict_of(page) == "admit"
    decide(page, "admitted")
    go_offline(page, False)
    matter = page.locator("[data-matter]")
    expect(matter).to_contain_text("this tablet said Admit, the server says Refuse")
    keep_picture(page, "offline-differs")
    crossing = lane.crossing()
    assert (crossing.verdict, crossing.decision) == ("refuse", "admitted")
    with lane.app.app_context():
        assert db.session.scalars(select(Alert).where(Alert.kind == "crossed_against_rules")).one()
    page.reload()
    expect(matter).to_have_count(1)
    matter.locator("button").click()
    expect(matter).to_have_count(0)


def test_a_slow_server_does_not_stop_the_lane(lane: Lane) -> None:
    page = ready(lane)
    held = []
    page.route("**/api/v1/scans", lambda route: held.append(route))
    type_code(page, lane.issue(tests=[swab(clock.now())]).token)
    assert verdict_of(page) == "admit"
    expect(page.locator("[data-gate=verdict-source]")).to_contain_text("without the server")
    page.wait_for_timeout(100)
    held.pop().continue_()
    expect(page.locator("[data-gate=verdict-source]")).to_contain_text("the same verdict")
    expect(page.locator("[data-gate=name]")).to_contain_text("*")
    page.unroute("**/api/v1/scans")
    decide(page, "admitted")
    all_sent(page)
    assert lane.crossing().decision == "admitted"


def test_what_the_server_refuses_stays_visible(lane: Lane) -> None:
    page = ready(lane)
    page.evaluate(
        "async () => (await import('/static/js/gate/store.js')).append({ id: 'x', kind: 'vehicle', attempts: 0, made: Date.now(),"
        " path: '/api/v1/scans', body: { nonsense: true } })"
    )
    page.reload()
    expect(page.locator("[data-matter]")).to_contain_text("was not taken by the server")
    expect(page.locator("[data-honest=refused]")).to_contain_text("1 to look at")


def test_a_server_that_has_forgotten_the_tablet_takes_nothing_from_it(lane: Lane) -> None:
    page = ready(lane)
    go_offline(page)
    type_code(page, lane.issue().token)
    verdict_of(page)
    decide(page, "admitted")
    with lane.app.app_context(), transaction() as session:
        kept = session.scalars(select(Device.token_hash)).one()
        session.execute(update(Device).values(token_hash=secrets.token_bytes(32)))
    page.wait_for_timeout(3500)  # a process remembers for three seconds whose a token is
    page.context.set_offline(False)
    expect(page.locator("[data-gate=enrol-message]")).to_contain_text("not sent yet and are kept")
    keep_picture(page, "offline-untrusted")
    with lane.app.app_context(), transaction() as session:
        session.execute(update(Device).values(token_hash=kept))
    page.wait_for_timeout(3500)
    page.reload()
    page.locator("[data-gate=scan]").wait_for()
    all_sent(page)
    assert lane.crossing().decision == "admitted"


def test_the_first_load_is_under_a_megabyte(lane: Lane, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything over the wire until the lane is open and the tablet keeps its page, decoder included."""
    with rough_network(lane.address.removeprefix("http://")) as network:
        page = open_page(lane.browser)
        page.goto(f"http://{network.address}/gate?lang=en#enrol={lane.code()}")
        page.locator("html[data-shell=kept]").wait_for(state="attached", timeout=20_000)
        first = network.carried / 1024
        page.goto(f"http://{network.address}/gate?lang=en")
        page.locator("html[data-shell=kept]").wait_for(state="attached")
        again = network.carried / 1024 - first
    with capsys.disabled():
        print(f"\nfirst load of /gate: {first:.0f} KiB, the next {again:.0f} KiB")
    assert 400 < first < 1000
    assert again < 100
