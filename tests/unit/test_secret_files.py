"""Settings that are handed over as files, as systemd and containers do it."""

from pathlib import Path

import pytest

from checkpoint.config import Settings, settings_from
from checkpoint.errors import ConfigurationError

KEY = "07" * 32


def test_each_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    contents = {
        "CHECKPOINT_KEY": f"{KEY}\n",
        "DATABASE_URL": "postgres://city:word@db/city\n",
        "BACKUP_PASSPHRASE": "长 words\n",
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text, "utf-8")
    found: Settings = settings_from({f"{name}_FILE": str(tmp_path / name) for name in contents})
    assert found.master_keys == (bytes.fromhex(KEY),)
    assert (found.database_url, found.backup_passphrase) == ("postgresql+psycopg://city:word@db/city", "长 words")


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"CHECKPOINT_KEY_FILE names .*cannot be read"):
        settings_from({"CHECKPOINT_KEY_FILE": str(tmp_path / "none")})


def test_one_secret_in_two_places_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    with pytest.raises(ConfigurationError, match="both set") as refused:
        settings_from({"CHECKPOINT_KEY": KEY, "CHECKPOINT_KEY_FILE": str(tmp_path / "key")})
    assert KEY not in str(refused.value)
