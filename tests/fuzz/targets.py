"""Each parser that is given what strangers send, with its valid inputs, how they are made wrong, and how it may refuse them."""

import io
import json
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import base45
import cbor2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from checkpoint.companies import rows as staff
from checkpoint.companies.links import named_by
from checkpoint.crossings import finding
from checkpoint.crossings.documents import normalised
from checkpoint.followups.doors import open_door
from checkpoint.inquiries import columns, converting, dates, documents, names, reading
from checkpoint.inquiries.chunks import Layout, Part, work
from checkpoint.inquiries.registry import Registry
from checkpoint.joint import contents, envelope, identity
from checkpoint.patrols import codes
from checkpoint.privacy import SealBroken, keyring
from checkpoint.privacy.carried import open_carried, public_jwk
from checkpoint.privacy.pictures import UnfitPicture, clean_picture
from checkpoint.regions import service as regions
from checkpoint.registrations import passes
from checkpoint.registrations.declaration import Declaration, outline_of
from checkpoint.registrations.service import pass_keys
from checkpoint.risk import lists
from checkpoint.risk.areas import AreaBook, Level, ListedArea
from tests.factories import NOW, carried
from tests.fuzz import seeds
from tests.fuzz.mutate import (
    Dice,
    Mutator,
    mutate_bytes,
    mutate_json,
    mutate_png,
    mutate_text,
    mutate_zip,
    random_cbor,
)

Call = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Target:
    """A parser. `call` is given what `mutate` makes of `seeds`; `refusals` are what it may raise; `share` is its part of a run."""

    name: str
    seeds: Sequence[bytes]
    mutate: Mutator
    call: Call
    share: int
    refusals: tuple[type[BaseException], ...] = ()


def storable(text: str) -> None:
    """What a parser lets through must fit into a column of either database. Raises ValueError."""
    text.encode()
    if "\0" in text:
        raise ValueError("a NUL was let through")


def of_text(read: Callable[[str], object]) -> Call:
    """A parser of texts."""
    return lambda raw: read(raw.decode())


def targets(app: Flask) -> tuple[Target, ...]:
    """All of them, inside of an application context of `app`."""
    return (*_tokens(app), *_texts(), *_documents(), *_files(), *_bodies(app))


def _tokens(app: Flask) -> tuple[Target, ...]:
    ring, keys = keyring(), pass_keys()
    claims = passes.Claims(
        b"12345678", NOW + timedelta(hours=9), "yellow", b"abcd", ("310116", "420103"), True, True, NOW
    )
    token = keys.sign(claims).encode()
    raw = base45.b45decode(token[4:].decode())
    header, _open, payload, signature = cbor2.loads(raw).value

    def signed_again(dice: Dice, _seed: bytes, _others: Sequence[bytes]) -> bytes:
        """Anything at all in CBOR, as header, content, or whole; one in three under our own key."""
        made = random_cbor(dice)
        if not dice.randrange(3):
            signer = passes.COSE.new()
            key = next(
                iter(keys._signers.values())
            )  # the real signer: what lies under a right signature is read as well
            head = {passes.HEADER_ALG: passes.ES256, passes.HEADER_KID: ring.signing_current}
            whole = signer.encode_and_sign(made, key=key, protected=head)
        else:
            parts = dice.choice(
                ([made, {}, payload, signature], [header, {}, made, signature], [header, made, payload, signature])
            )
            whole = cbor2.dumps(cbor2.CBORTag(18, parts)) if dice.randrange(4) else made
        return b"CP1:" + bytes(base45.b45encode(whole))

    def packed_again(dice: Dice, seed: bytes, others: Sequence[bytes]) -> bytes:
        return b"CP1:" + bytes(base45.b45encode(mutate_bytes(dice, seed, others)))

    def read_pass(text: str) -> None:
        found = keys.read(text, NOW)
        if found.problem is None and text != token.decode():
            again = keys.sign(found.claims or claims)
            assert keys.read(again, NOW).claims == found.claims, "a pass reads otherwise when it is written again"

    def scan(text: str) -> object:
        return finding.look_up(text, valid_at=NOW, moment=NOW, scan_id=passes.uuid.UUID(int=1), at=NOW)

    own = ring.carried[ring.carried_current]
    jwk = public_jwk(ring.carried_current, own)
    sealed = [unpadded(carried.sealed(jwk, body)) for body in (b"{}", *seeds.declaration_json())]
    links = [passes.link_handle(ring, passes.uuid.UUID(int=n)).encode() for n in (1, 2**127)]
    short = (
        b"ZZZZ2345",
        b"ID:00000000-0000-7000-8000-000000000001",
        b"ID:00000000-0000-7000-8000-000000000001.2",
        token,
    )
    point = codes.code_of(ring, passes.uuid.UUID(int=9)).encode()

    def handles(text: str) -> None:
        passes.open_link(ring, text)
        open_door(ring, text)
        named_by(text)
        codes.read_code(ring, text)

    return (
        Target("pass: text", (token,), mutate_text, of_text(read_pass), 60),
        Target("pass: bytes", (raw,), packed_again, of_text(read_pass), 120),
        Target("pass: any CBOR", (raw,), signed_again, of_text(read_pass), 120),
        Target("QR text at the barrier", short, mutate_text, of_text(scan), 10),
        Target("links and posters", (*links, point), mutate_text, of_text(handles), 60),
        Target("carried envelope", sealed, mutate_bytes, open_carried, 25, (SealBroken,)),
        *_joint(),
    )


def unpadded(text: str) -> bytes:
    """What stands in base64url without its padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _joint() -> tuple[Target, ...]:
    """Messages of a peer whose key is known, and who signs whatever they like."""
    own, kid = identity.own(), "ab" * 8
    pair = [derive_private_key(number, SECP256R1()) for number in (41, 43)]
    points = [key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) for key in pair]
    peer, their = envelope.OwnKeys(kid, *pair), envelope.TheirKeys(kid, *points)
    whole = envelope.write(b'{"kind": "close"}', peer, identity.public_half(own), NOW)
    claims = cbor2.loads(cbor2.loads(whole).value[2])

    def hostile(dice: Dice, seed: bytes, others: Sequence[bytes]) -> bytes:
        if dice.randrange(3):
            return mutate_bytes(dice, seed, others)
        made = dict(claims)
        made[dice.choice(list(made))] = _any(dice)
        return envelope.signed(made, peer)

    def read(raw: bytes) -> None:
        envelope.sender_of(raw)
        envelope.read(raw, {own.kid: own}, their, NOW)

    introduction = identity.written(identity.introduce()).encode()
    shown, bad = of_text(identity.read_introduction), (identity.BadIntroduction,)
    return (
        Target("joint envelope", (whole,), hostile, read, 15, (envelope.Refused,)),
        Target("introduction: text", (introduction,), mutate_text, shown, 20, bad),
        Target("introduction: bytes", (introduction,), _inside(introduction), shown, 20, bad),
    )


def _inside(introduction: bytes) -> Mutator:
    prefix = identity.PREFIX.encode()
    raw = unpadded(introduction.removeprefix(prefix).decode())

    def mutate(dice: Dice, _seed: bytes, _others: Sequence[bytes]) -> bytes:
        made = mutate_bytes(dice, raw, [raw]) if dice.randrange(2) else _with_content(dice, raw)
        return prefix + urlsafe_b64encode(made).rstrip(b"=")

    return mutate


def _with_content(dice: Dice, raw: bytes) -> bytes:
    header, more, _content, signature = cbor2.loads(raw).value
    return bytes(cbor2.dumps(cbor2.CBORTag(18, [header, more, random_cbor(dice), signature])))


def _any(dice: Dice) -> object:
    """Some value that CBOR can carry; what the decoder refuses is carried as the bytes it is."""
    raw = random_cbor(dice)
    try:
        return cbor2.loads(cbor2.dumps(cbor2.loads(raw)))
    except Exception:  # any failure of the decoder: it is not what is looked at here
        return raw


def _texts() -> tuple[Target, ...]:
    book = AreaBook(
        "310116",
        [ListedArea(number, "310116102000", Level.HIGH, text.decode()) for number, text in enumerate(seeds.AREAS)],
        {"310116102": "枫泾镇", "310116001": "石化街道", "310116102001": "和平居委会"},
        ("上海市", "市辖区", "金山区"),
    )

    def listed(text: str) -> None:
        AreaBook(
            "310116", [ListedArea(1, "310116102000", Level.LOW, text)], {"310116102": "枫泾镇"}, ("上海市", "金山区")
        )

    return (
        Target("place", seeds.TEXTS, mutate_text, of_text(regions.resolve), 60),
        Target("place suggestions", seeds.TEXTS, mutate_text, of_text(regions.suggest), 20),
        Target("listed area", seeds.AREAS, mutate_text, of_text(listed), 50),
        Target("stay against areas", seeds.AREAS, mutate_text, of_text(lambda text: book.match(text, "310116102000")), 50),
        Target("time of a list", (b"2022-08-12 15\xe6\x97\xb6", "2022年8月12日15时".encode()), mutate_text, of_text(lists.published), 20),
    )  # fmt: skip


def _documents() -> tuple[Target, ...]:
    def document(text: str) -> None:
        documents.read_document.cache_clear()
        found = documents.read_document(text)
        documents.compare_documents(found, documents.read_document("330482198503170013"))
        list(documents.one_slip_away(text[:30]))
        normalised(text)

    def name(text: str) -> None:
        names.read_name.cache_clear()
        names.compare_names(names.read_name(text), names.read_name("王小明"))

    def phone(text: str) -> None:
        documents.compare_phones(documents.read_phone(text), "13810000001")
        documents.compare_plates(documents.read_plate(text), "浙F12345")
        columns.guess((text,), ((text, text),))

    def declared(text: str) -> None:
        for read in (staff.person_name, staff.phone_number, staff.lorry):
            try:
                found = read(text)
                storable(found if isinstance(found, str) else found.plate)
            except staff.Wrong:
                continue

    def person(text: str) -> None:
        head, _, tail = text.partition("|")
        found = staff.person("王小明", head, tail)
        storable(found.id_number + found.phone + found.name)

    names_raw = [name.encode() for name in seeds.NAMES]
    some = (*seeds.PHONES, *(plate.encode() for plate in seeds.PLATES))
    pairs = [number + b"|" + phone for number, phone in zip(seeds.NUMBERS, seeds.PHONES, strict=True)]
    return (
        Target("document", seeds.NUMBERS, mutate_text, of_text(document), 60),
        Target("name", names_raw, mutate_text, of_text(name), 40),
        Target("phone and plate", some, mutate_text, of_text(phone), 60),
        Target("birth date", [day.encode() for day in seeds.DATES], mutate_text, of_text(dates.read_date), 60),
        Target("declared name, phone, plate", (*names_raw, *some), mutate_text, of_text(declared), 30),
        Target("member of staff", pairs, mutate_text, of_text(person), 30, (staff.Wrong,)),
    )


def _files() -> tuple[Target, ...]:
    scratch = Path(tempfile.mkdtemp(prefix="checkpoint-fuzz-"))
    registry = Registry.of(np.empty(0, np.uint64))

    def table(raw: bytes) -> None:
        """A plain table, all the way to sealed rows."""
        source = scratch / "source"
        source.write_bytes(raw)
        kind = reading.kind_of(source)
        if kind != "csv":
            converting._convert(source, scratch / "table")
            source = scratch / "table"
        shape = reading.shape_of(source)
        found = columns.guess(shape.header, shape.sample) or {"document": 0}
        for quoted in (True, False):
            layout = Layout(shape.encoding, shape.separator, shape.width, found, quoted)
            try:
                spans = list(reading.spans(source, shape.start, quoted=quoted))
            except reading.Unpaired:
                continue
            for number, span in enumerate(spans):
                place = str(source), span.start, span.end
                part = Part("a" * 32, number, span.first_row, place, layout, b"k" * 32, b"b" * 32, span.rows)
                assert work(part, registry).rows in (0, span.rows), "rows would lose their numbers"

    def convert(raw: bytes) -> None:
        source = scratch / "source"
        source.write_bytes(raw)
        if reading.kind_of(source) != "csv":
            converting._convert(source, scratch / "table")

    def risk(raw: bytes) -> None:
        found = lists.parse(raw, "a.csv")
        for entry in found.entries:
            storable("".join((entry.province, entry.city, entry.county, entry.text, entry.code or "")))
        found.checksum(found.fingerprints())

    books = (seeds.workbook(seeds.ROWS), seeds.spreadsheet(seeds.ROWS))
    unreadable = (reading.Unreadable,)
    refused = (lists.UnreadableList,)
    return (
        Target("inquiry list: table", seeds.tables(seeds.ROWS), mutate_bytes, table, 12, unreadable),
        Target("inquiry list: workbook", books, mutate_zip, convert, 12, unreadable),
        Target("inquiry list: JSON", seeds.people_json(), mutate_json, convert, 20, unreadable),
        Target("risk list: table", seeds.tables(seeds.AREA_ROWS), mutate_bytes, risk, 40, refused),
        Target("risk list: workbook", (seeds.workbook(seeds.AREA_ROWS),), mutate_zip, risk, 6, refused),
        Target("risk list: national", (seeds.national_json(),), mutate_json, risk, 40, refused),
        Target("picture", seeds.pictures(), mutate_png, clean_picture, 30, (UnfitPicture,)),
    )


def _bodies(app: Flask) -> tuple[Target, ...]:
    def multipart(raw: bytes) -> None:
        kind = "multipart/form-data; boundary=cut"
        with app.test_request_context(
            "/", method="POST", input_stream=io.BytesIO(raw), content_type=kind, content_length=len(raw)
        ):
            assert sum(len(file.read()) for file in request.files.values()) <= len(raw)
            list(request.form.items(multi=True))

    def declaration(raw: bytes) -> None:
        try:
            found = Declaration.model_validate_json(raw)
        except ValidationError:
            outline_of(raw)
        else:
            storable(found.model_dump_json())
            storable("".join((found.name, found.id_number, found.phone, found.plate or "")))

    asked = json.dumps(
        {"kind": "ask", "id": str(passes.uuid.UUID(int=1)), "request": str(passes.uuid.UUID(int=2)), "asked_at": NOW.isoformat(),
         "level": "red", "legal_basis": "传染病防治法", "case": "1", "question": "在何处", "valid_until": "2022-05-01",
         "people": [{"name": "王小明", "document": "330482198503170013"}]}
    ).encode()  # fmt: skip
    told = json.dumps(
        {"kind": "answer", "id": str(passes.uuid.UUID(int=1)), "request": str(passes.uuid.UUID(int=2)), "serial": 1,
         "people": {"0": {"state": "found", "at": NOW.isoformat(), "town": "330482101000"}}}
    ).encode()  # fmt: skip
    return (
        Target("form with files", seeds.multipart(), mutate_bytes, multipart, 20, (HTTPException,)),
        Target("declaration", seeds.declaration_json(), mutate_json, declaration, 40),
        Target("content of a joint message", (asked, told), mutate_json, contents.read_content, 40, (ValidationError,)),
    )
