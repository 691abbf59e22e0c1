"""The rows of the access matrix for administration: accounts, posts, tablets, tokens, place names, keys."""

from collections.abc import Iterator

from checkpoint.accounts.permissions import Permission
from tests.factories.divisions import SITE, TOWN, VILLAGE
from tests.web.access.row import Row, form, get, post, thing


def admin() -> Iterator[Row]:
    yield get("admin_start.index", Permission.USERS_WRITE)
    yield get("admin.checkpoint", Permission.DEVICES_WRITE, TOWN, code="post")
    renamed = form(name="新名", kind="expressway", division_code=TOWN, division_text="")
    yield post("admin.change_checkpoint", Permission.DEVICES_WRITE, TOWN, renamed, code="post")
    moved = form(name="新名", role="village", division_code=VILLAGE, division_text="")
    yield post("admin_users.change", Permission.USERS_WRITE, VILLAGE, moved, user_id="village_user")
    yield get("keys.index", Permission.COMMAND_READ, "site")
    yield get("admin.aliases", Permission.REGIONS_WRITE, "site")
    yield post(
        "admin.add_alias",
        Permission.REGIONS_WRITE,
        "site",
        form(text="新镇上", division_code=VILLAGE, division_text=""),
    )
    yield post("admin.remove_alias", Permission.REGIONS_WRITE, "site", alias_id="alias")
    yield get("admin.checkpoints", Permission.DEVICES_WRITE)
    opened = form(code="K9", name="新卡口", kind="expressway", division_code=TOWN, division_text="")
    yield post("admin.add_checkpoint", Permission.DEVICES_WRITE, "", opened)
    for act in ("close", "open"):
        yield post(f"admin.{act}_checkpoint", Permission.DEVICES_WRITE, TOWN, code="post")
    yield get("admin.poster", Permission.DEVICES_WRITE, TOWN, code="post")
    yield get("admin.devices", Permission.DEVICES_WRITE)
    yield post(
        "admin.add_device", Permission.DEVICES_WRITE, TOWN, form(checkpoint=thing("post"), label="平板", minutes="30")
    )
    yield post("admin.renew_device", Permission.DEVICES_WRITE, TOWN, device_id="device")
    yield post("admin.revoke_device", Permission.DEVICES_WRITE, TOWN, device_id="device")
    yield get("admin_users.users", Permission.USERS_WRITE)
    yield get("admin_users.user", Permission.USERS_WRITE, VILLAGE, user_id="village_user")
    for act in ("close", "reopen", "invite", "revoke_invitation", "end_sessions", "reset_second_step"):
        yield post(f"admin_users.{act}", Permission.USERS_WRITE, VILLAGE, user_id="village_user")
    yield get("admin_tokens.tokens", Permission.TOKENS_WRITE)
    token = form(role="integration", division_code=VILLAGE, division_text="", label="系统", days="30")
    yield post("admin_tokens.issue", Permission.TOKENS_WRITE, "", token)
    yield post("admin_tokens.revoke", Permission.TOKENS_WRITE, VILLAGE, token_id="token_id")
    yield post(
        "admin_users.add",
        Permission.USERS_WRITE,
        "",
        form(login="new", name="新", role="village", division_code=VILLAGE),
    )
    yield post("admin_users.give_pin", Permission.USERS_WRITE, SITE, user_id="officer_user")
