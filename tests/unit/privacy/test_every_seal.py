"""Each sealed column of the models, found by itself: what it holds opens in its own place, whole and unaltered, and nowhere else."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import LargeBinary, Uuid

from checkpoint import models
from checkpoint.database import Base, db
from checkpoint.privacy import Keyring, SealBroken, Sealed, load_keyring, seal_bytes, unseal_bytes
from checkpoint.upkeep.sealed import SUFFIX, sealed_tables

PLACES = [(sealed.table.name, value) for sealed in sealed_tables() for value in sealed.values]
SECRET = "张三丰 310116199003071230".encode()
# What is not text has no descriptor: it is sealed and opened by privacy.pictures.
PICTURES = {("appeal", "picture"), ("approval_page", "picture"), ("patrol_photo", "image")}


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return load_keyring(tmp_path_factory.mktemp("ring"), [])


def descriptors() -> Iterator[tuple[str, str]]:
    """Table and name of every Sealed attribute of the models."""
    for mapper in Base.registry.mappers:
        for name, attribute in vars(mapper.class_).items():
            if isinstance(attribute, Sealed):
                yield mapper.class_.__tablename__, name


def test_the_columns_are_those_that_the_models_seal() -> None:
    assert models.__all__
    assert len(PLACES) > 30
    assert sorted(PLACES) == sorted({*descriptors(), *PICTURES})


def test_what_is_called_personal_is_sealed_or_hashed() -> None:
    """A column that is called like something personal and holds it readable would stand out here."""
    personal = {"id_number", "phone", "plate", "address", "note", "document", "picture", "image", "contact_name"}
    shown = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if column.name in personal and not isinstance(column.type, LargeBinary | Uuid)
    }
    # The note is of a place; the address is that of a session, cut to its network.
    assert shown == {"division_alias.note", "user_session.address"}


@pytest.mark.parametrize(("table", "name"), PLACES)
def test_it_opens_in_its_own_place_only(ring: Keyring, table: str, name: str) -> None:
    row, other = uuid.uuid4(), uuid.uuid4()
    sealed = seal_bytes(ring, SECRET, table, name, row)
    assert unseal_bytes(ring, sealed, table, name, row) == SECRET
    assert SECRET not in sealed
    elsewhere = [place for place in PLACES if place != (table, name)]
    for its_table, its_name in elsewhere:
        with pytest.raises(SealBroken):
            unseal_bytes(ring, sealed, its_table, its_name, row)
    with pytest.raises(SealBroken):
        unseal_bytes(ring, sealed, table, name, other)


@pytest.mark.parametrize(("table", "name"), PLACES)
def test_it_opens_whole_and_unaltered_only(ring: Keyring, table: str, name: str) -> None:
    row = uuid.uuid4()
    sealed = seal_bytes(ring, SECRET, table, name, row)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            unseal_bytes(ring, sealed[:length], table, name, row)
    for bit in range(8 * len(sealed)):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            unseal_bytes(ring, bytes(altered), table, name, row)
    with pytest.raises(SealBroken):
        unseal_bytes(ring, sealed + b"\0", table, name, row)
    assert f"{name}{SUFFIX}" in db.metadata.tables[table].c
