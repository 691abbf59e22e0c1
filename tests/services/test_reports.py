"""The report of a day: its figures are those of the page, its files can be read, and command gets it once each morning."""

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook
from PIL import Image
from sqlalchemy import select

from checkpoint.channels import targets
from checkpoint.channels.targets import NewTarget
from checkpoint.database import db
from checkpoint.standing import mailing, reports
from checkpoint.standing.models import ReportDelivery, ReportRound
from checkpoint.standing.service import standing
from tests.factories import NOW, TODAY, inside, mailboxes, people
from tests.factories.divisions import SITE, TOWN
from tests.factories.outboxes import HOOK, Outbox, hook

ZONE = "Asia/Shanghai"
MORNING = NOW + timedelta(hours=21)  # seven in the morning of the next day at the site
MINUTE = timedelta(minutes=1)


def made(kind: str, language: str = "zh") -> bytes:
    return reports.make(people.operator(), TODAY, kind, MORNING, timezone=ZONE, language=language).data


def send(box: Outbox, after: timedelta = timedelta()) -> int:
    return mailing.send_due(lambda: MORNING + after, sender=box)


def states() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(select(ReportDelivery.state)))


def test_a_workbook_holds_the_figures_as_numbers_and_no_formula() -> None:
    post = people.checkpoint("=1+1")
    inside.let_in(people.tablet(post), 1)
    book = load_workbook(io.BytesIO(made("xlsx", "en")))
    found = standing(people.commander(), TODAY, MORNING, timezone=ZONE)
    rows = list(book["Crossings by checkpoint"].iter_rows(values_only=True))
    assert rows[1][:4] == ("=1+1", "=1+1 出口", 1, 1)
    assert "f" not in {cell.data_type for row in book["Crossings by checkpoint"] for cell in row}
    by_tier = list(book["People in the city by tier"].iter_rows(values_only=True))
    assert by_tier[-1][1:5] == (0, found.inside.yellow, 0, found.inside.total)
    assert list(book["Needs a person"].iter_rows(values_only=True))[-1][1] == found.mismatches.not_arrived == 1
    text = " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    assert "张" not in text  # nobody's name


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="needs pdftoppm of poppler-utils to see the pages")
def test_a_pdf_has_pages_with_ink(tmp_path: Path) -> None:
    inside.let_in(people.tablet(), 1)
    (tmp_path / "report.pdf").write_bytes(made("pdf"))
    command = ["pdftoppm", "-r", "40", "-png", str(tmp_path / "report.pdf"), str(tmp_path / "page")]
    subprocess.run(command, check=True)
    pages = sorted(tmp_path.glob("page*.png"))
    assert 1 < len(pages) < 6
    for page in pages:
        with Image.open(page) as picture:
            grey = picture.convert("L")
            assert sum(grey.histogram()[:128]) > 200  # text, and not an empty sheet


class TestEachMorning:
    @pytest.fixture(autouse=True)
    def _channels(self) -> None:
        boss = people.commander()
        hook(boss, f"{HOOK}/own")
        hook(boss, f"{HOOK}/city", division_code=SITE)
        hook(boss, f"{HOOK}/town", division_code=TOWN)  # not command
        hook(boss, f"{HOOK}/red", division_code=SITE, lowest_tier="red")  # wants nothing but red alerts
        hook(people.town_worker(), f"{HOOK}/worker")

    def test_once_to_command_and_to_nobody_else(self) -> None:
        box = Outbox()
        assert mailing.send_due(lambda: MORNING - MINUTE, sender=box) == 0
        assert send(box) == 2
        assert sorted(address.rpartition("/")[2] for address, _message in box.sent) == ["city", "own"]
        [message, _other] = [message for _address, message in box.sent]
        assert (message.id, message.attachments) == ("report:2022-04-12", ())  # a webhook carries no files
        assert message.url.endswith("/command/report/2022-04-12.pdf")
        assert "2022-04-12" in message.text
        for after in (timedelta(), MINUTE, timedelta(hours=10)):
            assert send(box, after) == 0
        assert (states(), db.session.get_one(ReportRound, TODAY).targets) == (["sent", "sent"], 2)
        assert send(box, timedelta(days=1)) == 2  # the next morning another one

    def test_a_failure_is_tried_again_and_given_up_in_the_end(self) -> None:
        box = Outbox(*["unreachable"] * 3)
        assert send(box) == 0
        assert states() == ["waiting", "waiting"]
        assert send(box, timedelta(seconds=20)) == 0  # not yet
        assert send(box, MINUTE) == 1
        assert send(box, 3 * MINUTE) == 1
        assert states() == ["sent", "sent"]

    def test_a_day_later_nobody_needs_it(self) -> None:
        send(Outbox("unreachable", "unreachable"))
        box = Outbox()
        assert send(box, timedelta(days=1)) == 2
        assert (states(), mailing.undelivered(TODAY)) == (["dead", "dead", "sent", "sent"], 2)

    def test_what_another_scheduler_holds_is_left_to_it_until_its_lease_is_over(self) -> None:
        claimed = []

        def dies(*_given: object) -> None:
            claimed.append(True)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            mailing.send_due(lambda: MORNING, sender=dies)
        box = Outbox()
        assert (send(box, MINUTE), len(claimed)) == (1, 1)  # the other channel's
        assert send(box, mailing.LEASE + MINUTE) == 1
        assert states() == ["sent", "sent"]


def test_mail_carries_the_files_once_the_quiet_hours_are_over(app: Flask) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], allow_private_targets=True)
    with mailboxes.mail_host() as (host, taken):
        address = f"mailto://{host}?from=post@example.com&to=boss@example.com"
        quiet = NewTarget("email", address, quiet_from="22:00", quiet_to="08:00", language="en")
        targets.add(quiet, actor=people.commander(), at=NOW)
        assert mailing.send_due(lambda: MORNING) == 0
        assert mailing.send_due(lambda: MORNING + timedelta(hours=1)) == 1
    [message] = taken
    files = {str(one.get_filename()): one.get_payload(decode=True) for one in message.iter_attachments()}
    assert sorted(files) == [f"checkpoint-{SITE}-2022-04-12.{kind}" for kind in reports.KINDS]
    pdf, book = (files[name] for name in sorted(files))
    assert isinstance(pdf, bytes)
    assert isinstance(book, bytes)
    assert pdf.startswith(b"%PDF")
    assert load_workbook(io.BytesIO(book)).sheetnames[1] == "From barrier to door in time"


def test_the_command_line_writes_the_same_report(context: Flask, tmp_path: Path) -> None:
    out = tmp_path / "report.xlsx"
    given = ["report", TODAY.isoformat(), "--format", "xlsx", "--language", "en", "--out", str(out)]
    assert context.test_cli_runner().invoke(args=given).exit_code == 0
    assert load_workbook(out).sheetnames[0].startswith("Tuesday, April 12")
    for wrong in (["report", "2999-01-01"], ["report", "--division", "990000000000"]):
        assert context.test_cli_runner().invoke(args=wrong).exit_code == 1
