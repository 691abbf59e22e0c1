"""Sealed values open in their own row and nowhere else; masks show what they may."""

import uuid
from pathlib import Path

import pytest

from checkpoint.privacy import (
    SealBroken,
    load_keyring,
    lookup_hash,
    mask_document,
    mask_name,
    mask_phone,
    mask_plate,
    seal,
    unseal,
)


def test_a_seal_is_bound_to_its_table_column_and_row(tmp_path: Path) -> None:
    ring = load_keyring(tmp_path)
    row = uuid.uuid4()
    sealed = seal(ring, "张三", "traveller", "name", row)
    assert unseal(ring, sealed, "traveller", "name", row) == "张三"
    assert "张三".encode() not in sealed
    for place in (("registration", "name", row), ("traveller", "phone", row), ("traveller", "name", uuid.uuid4())):
        with pytest.raises(SealBroken):
            unseal(ring, sealed, *place)
    with pytest.raises(SealBroken):
        unseal(ring, sealed[:-1] + bytes([sealed[-1] ^ 1]), "traveller", "name", row)


def test_two_seals_of_one_text_differ(tmp_path: Path) -> None:
    ring, row = load_keyring(tmp_path), uuid.uuid4()
    assert seal(ring, "张三", "t", "c", row) != seal(ring, "张三", "t", "c", row)


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first, second = load_keyring(tmp_path), load_keyring(tmp_path)
    assert (first.lookup, first.session, first.signing_current) == (
        second.lookup,
        second.session,
        second.signing_current,
    )
    for file in (tmp_path / "keys").glob("*.json"):
        assert file.stat().st_mode & 0o077 == 0


def test_look_ups_depend_on_kind_and_key(tmp_path: Path) -> None:
    ring, other = load_keyring(tmp_path / "a"), load_keyring(tmp_path / "b")
    assert lookup_hash(ring, "phone", "1") == lookup_hash(ring, "phone", "1")
    assert lookup_hash(ring, "phone", "1") != lookup_hash(ring, "document", "1")
    assert lookup_hash(ring, "phone", "1") != lookup_hash(other, "phone", "1")


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张三丰", "张**"),
        ("欧阳锋", "欧阳*"),
        ("欧阳", "欧*"),
        ("王", "*"),
        ("Ann Lee", "A** L**"),
        ("", ""),
    ],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_numbers() -> None:
    assert mask_document("31011619900307123X") == "**************123X"
    assert mask_document("E123") == "****"
    assert mask_phone("+8613812345678") == "138****5678"
    assert mask_plate("浙F12348") == "浙F1***8"
