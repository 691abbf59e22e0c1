"""The folder of keys: sealed under a master key that may live elsewhere, taken over by a new one, changed while it is in use."""

import json
import os
import shutil
import uuid
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checkpoint.config import settings_from
from checkpoint.errors import ConfigurationError
from checkpoint.privacy import SealBroken, fresh, load_keyring, lookup_hash, seal, unseal
from checkpoint.privacy.keyfiles import KeysUnreadable, read_master_keys
from checkpoint.privacy.keyring import (
    LAST_ID,
    NoRoomForKeys,
    add_sealing_key,
    drop_sealing_key,
    key_document,
    use_sealing_key,
)

AT = datetime(2022, 8, 12, 8, tzinfo=UTC)
ONE, TWO = b"1" * 32, b"2" * 32


def content(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((data / "keys").glob("*.json")))


def test_no_key_lies_readable_beside_a_given_master_key(tmp_path: Path) -> None:
    load_keyring(tmp_path, [ONE])
    assert not (tmp_path / "keys" / "master.key").exists()
    for path in (tmp_path / "keys").glob("*.json"):
        assert set(json.loads(path.read_bytes())) == {"master", "sealed"}
    assert b"PRIVATE" not in content(tmp_path)


def test_without_one_a_master_key_is_made_once(tmp_path: Path) -> None:
    first = load_keyring(tmp_path, [])
    made = (tmp_path / "keys" / "master.key").read_bytes()
    assert len(read_master_keys(made.decode())[0]) == 32
    assert load_keyring(tmp_path, []).lookup == first.lookup
    assert (tmp_path / "keys" / "master.key").read_bytes() == made


def test_another_master_key_opens_nothing(tmp_path: Path) -> None:
    load_keyring(tmp_path, [ONE])
    before = content(tmp_path)
    with pytest.raises(KeysUnreadable, match="CHECKPOINT_KEY"):
        load_keyring(tmp_path, [TWO])
    assert content(tmp_path) == before


def test_a_new_master_key_takes_over_from_the_old(tmp_path: Path) -> None:
    first = load_keyring(tmp_path, [ONE])
    assert load_keyring(tmp_path, [TWO, ONE]).lookup == first.lookup
    assert load_keyring(tmp_path, [TWO]).lookup == first.lookup
    with pytest.raises(KeysUnreadable):
        load_keyring(tmp_path, [ONE])


def test_a_given_master_key_takes_over_from_the_file(tmp_path: Path) -> None:
    first = load_keyring(tmp_path, [])
    other = key_document(tmp_path, "vapid.json", lambda: {"key": "x"})
    assert load_keyring(tmp_path, [ONE]).lookup == first.lookup
    assert not (tmp_path / "keys" / "master.key").exists()
    assert key_document(tmp_path, "vapid.json", dict) == other


def test_keys_of_a_time_before_master_keys_are_sealed(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    raw = b64encode(ONE).decode()
    (folder / "sealing.json").write_text(json.dumps({"current": 1, "keys": {"1": raw}, "lookup": raw}))
    ring = load_keyring(tmp_path, [TWO])
    assert ring.lookup == ONE
    assert raw.encode() not in content(tmp_path)


def test_a_key_file_under_another_name_does_not_open(tmp_path: Path) -> None:
    load_keyring(tmp_path, [ONE])
    shutil.copy(tmp_path / "keys" / "passes.json", tmp_path / "keys" / "carried.json")
    with pytest.raises(KeysUnreadable):
        load_keyring(tmp_path, [ONE])


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"sealed": "!"}', b'{"sealed": ""}'])
def test_a_damaged_key_file_is_told_in_a_sentence(tmp_path: Path, damage: bytes) -> None:
    load_keyring(tmp_path, [ONE])
    (tmp_path / "keys" / "passes.json").write_bytes(damage)
    with pytest.raises(KeysUnreadable):
        load_keyring(tmp_path, [ONE])


@pytest.mark.parametrize("text", ["short", "z" * 64, b64encode(b"1" * 31).decode(), f"{ONE.hex()},nonsense"])
def test_a_wrong_master_key_stops_the_start_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CHECKPOINT_KEY") as refused:
        settings_from({"CHECKPOINT_KEY": text})
    assert text not in str(refused.value)


def test_master_keys_are_read_in_hex_and_base64_and_not_shown() -> None:
    settings = settings_from({"CHECKPOINT_KEY": f"{ONE.hex()}, {b64encode(TWO).decode()}"})
    assert settings.master_keys == (ONE, TWO)
    assert "master_keys" not in repr(settings)


def test_a_running_process_sees_a_new_key_at_once(tmp_path: Path) -> None:
    running, row = load_keyring(tmp_path, []), uuid.uuid4()
    old = seal(running, "张三", "t", "c", row)
    changed, number = add_sealing_key(load_keyring(tmp_path, []), AT)
    use_sealing_key(changed, number, AT)
    new = seal(fresh(running), "张三", "t", "c", row)
    assert (old[0], new[0], fresh(running).current_since) == (1, 2, AT)
    assert unseal(fresh(running), old, "t", "c", row) == unseal(running, new, "t", "c", row) == "张三"
    assert lookup_hash(running, "phone", "1") == lookup_hash(fresh(running), "phone", "1")


def test_a_key_that_is_only_added_does_not_seal_yet(tmp_path: Path) -> None:
    ring, number = add_sealing_key(load_keyring(tmp_path, []), AT)
    assert (number, ring.sealing_current, ring.made) == (2, 1, {2: AT})


def test_a_dropped_key_is_gone_and_its_number_never_used_again(tmp_path: Path) -> None:
    first, row = load_keyring(tmp_path, []), uuid.uuid4()
    old = seal(first, "张三", "t", "c", row)
    ring, number = add_sealing_key(first, AT)
    ring = drop_sealing_key(use_sealing_key(ring, number, AT), 1)
    with pytest.raises(SealBroken):
        unseal(ring, old, "t", "c", row)
    assert add_sealing_key(ring, AT)[1] == 3


@pytest.mark.parametrize("act", [lambda ring: use_sealing_key(ring, 9, AT), lambda ring: drop_sealing_key(ring, 1)])
def test_neither_a_missing_key_is_used_nor_the_current_one_dropped(
    tmp_path: Path, act: Callable[[object], object]
) -> None:
    ring = load_keyring(tmp_path, [])
    with pytest.raises(KeyError):
        act(ring)
    assert fresh(ring).sealing_current == 1


def test_there_is_an_end_to_keys(tmp_path: Path) -> None:
    ring = load_keyring(tmp_path, [])
    for _ in range(LAST_ID - 1):
        ring, _number = add_sealing_key(ring, AT)
    with pytest.raises(NoRoomForKeys):
        add_sealing_key(ring, AT)


def test_a_process_under_the_old_master_key_goes_on_with_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = load_keyring(tmp_path, [ONE])
    file = tmp_path / "keys" / "sealing.json"
    shutil.copytree(tmp_path / "keys", tmp_path / "elsewhere" / "keys")
    load_keyring(tmp_path / "elsewhere", [TWO, ONE])
    os.replace(tmp_path / "elsewhere" / "keys" / "sealing.json", file)
    for _ in range(3):
        assert fresh(running).lookup == running.lookup
    assert caplog.text.count("must be started again") == 1
