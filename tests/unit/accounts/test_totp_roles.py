"""Which roles need the second step, as the environment says."""

from pathlib import Path

import pytest

from checkpoint.accounts.models import Role
from checkpoint.config import SIGN_IN_ROLES, settings_from
from checkpoint.errors import ConfigurationError


@pytest.mark.parametrize(
    ("environ", "roles"),
    [
        ({}, ()),
        ({"PUBLIC_URL": "https://checkpoint.example"}, ("command", "auditor")),
        ({"PUBLIC_URL": "https://checkpoint.example", "TOTP_ROLES": "none"}, ()),
        ({"TOTP_ROLES": " town, command "}, ("town", "command")),
    ],
)
def test_the_roles_that_need_a_code(environ: dict[str, str], roles: tuple[str, ...], tmp_path: Path) -> None:
    assert settings_from({"CHECKPOINT_DATA": str(tmp_path), **environ}).totp_roles == roles


def test_an_unknown_role_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TOTP_ROLES"):
        settings_from({"CHECKPOINT_DATA": str(tmp_path), "TOTP_ROLES": "command,king"})


def test_the_roles_that_sign_in_are_those_of_the_accounts() -> None:
    assert set(SIGN_IN_ROLES) == {role.value for role in Role} - {"integration"}
