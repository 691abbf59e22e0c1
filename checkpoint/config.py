"""Environment to settings. A wrong setting stops the start with one sentence that names it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checkpoint.errors import ConfigurationError
from checkpoint.privacy.keyfiles import read_master_keys

SIGN_IN_ROLES = ("village", "town", "officer", "command", "auditor", "company")
PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the environment decides; `docs/operations.md` explains each."""

    host: str
    port: int
    database_url: str
    redis_url: str | None
    data: Path
    site_division: str
    site_name: str
    site_phone: str
    timezone: str
    public_url: str
    trusted_proxies: int
    totp_roles: tuple[str, ...]
    web_workers: int
    web_threads: int
    web_queue: int
    stream_limit: int
    report_hour: int | None
    registration_limit: str
    phone_limit: str
    device_limit: str
    max_body_bytes: int
    allow_private_targets: bool
    master_keys: tuple[bytes, ...] = field(repr=False)
    backup_folder: Path | None
    backup_hours: int
    backup_keep: int
    backup_recipients: tuple[str, ...]
    backup_passphrase: str | None = field(repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")


def _integer(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = environ.get(name, "").strip() or str(default)
    if not re.fullmatch(r"\d{1,12}", raw) or not low <= int(raw) <= high:
        raise ConfigurationError(f"{name} must be a whole number from {low} to {high}, not {raw!r}.")
    return int(raw)


def _limit(environ: Mapping[str, str], name: str, default: str) -> str:
    limit = environ.get(name, "").strip() or default
    if not re.fullmatch(r"[1-9]\d{0,8} per (second|minute|hour|day)", limit):
        raise ConfigurationError(f"{name} must read like '{default}', not {limit!r}.")
    return limit


def _secret(environ: Mapping[str, str], name: str) -> str:
    """A setting that nobody else on the machine should read: as it is, or in the file that `<name>_FILE` names, as systemd's
    credentials and the secrets of containers are handed over."""
    path, value = environ.get(f"{name}_FILE", "").strip(), environ.get(name, "")
    if not path:
        return value
    if value:
        raise ConfigurationError(f"{name} and {name}_FILE are both set; leave one away.")
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}_FILE names {path!r}, which cannot be read.") from error


def _database_url(environ: Mapping[str, str], data: Path) -> str:
    url = _secret(environ, "DATABASE_URL").strip()
    if not url:
        return f"sqlite:///{data / 'checkpoint.sqlite'}"
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigurationError("DATABASE_URL must start with postgresql+psycopg:// or sqlite:///.")
    return url


def _public_url(environ: Mapping[str, str], host: str, port: int) -> str:
    raw = environ.get("PUBLIC_URL", "").strip().rstrip("/")
    if not raw:
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        return f"http://{shown}:{port}"
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"PUBLIC_URL must be an http or https address, not {raw!r}.")
    return raw


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    raw = environ.get(name, "").strip()
    return Path(raw).expanduser().resolve() if raw else None


def _recipients(environ: Mapping[str, str]) -> tuple[str, ...]:
    found = tuple(part.strip() for part in environ.get("BACKUP_RECIPIENTS", "").split(",") if part.strip())
    if not all(re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", one) for one in found):
        raise ConfigurationError("BACKUP_RECIPIENTS must be public age keys (age1…), separated by commas.")
    return found


def _totp_roles(environ: Mapping[str, str], public_url: str) -> tuple[str, ...]:
    default = "command,auditor" if public_url.startswith("https://") else "none"
    raw = environ.get("TOTP_ROLES", "").strip() or default
    named = [] if raw == "none" else [part.strip() for part in raw.split(",") if part.strip()]
    unknown = sorted(set(named) - set(SIGN_IN_ROLES))
    if unknown:
        raise ConfigurationError(
            f"TOTP_ROLES must be 'none' or some of {', '.join(SIGN_IN_ROLES)}, not {unknown[0]!r}."
        )
    return tuple(named)


def _report_hour(environ: Mapping[str, str]) -> int | None:
    raw = environ.get("REPORT_HOUR", "").strip() or "7"
    if raw == "none":
        return None
    if not re.fullmatch(r"\d{1,2}", raw) or int(raw) > 23:
        raise ConfigurationError(f"REPORT_HOUR must be an hour from 0 to 23, or 'none', not {raw!r}.")
    return int(raw)


def settings_from(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check every setting; raises ConfigurationError with a sentence that names the wrong one."""
    data = Path(environ.get("CHECKPOINT_DATA", "").strip() or PROJECT_ROOT / "instance").expanduser().resolve()
    host = environ.get("HOST", "").strip() or "127.0.0.1"
    port = _integer(environ, "PORT", 8000, 1, 65535)
    division = environ.get("SITE_DIVISION", "").strip() or "330482000000"
    if not re.fullmatch(r"\d{6}0{6}", division):
        raise ConfigurationError(
            f"SITE_DIVISION must be the 12-digit code of a county-level division, not {division!r}."
        )
    timezone = environ.get("SITE_TIMEZONE", "").strip() or "Asia/Shanghai"
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(f"SITE_TIMEZONE {timezone!r} is not a known time zone.") from error
    redis_url = environ.get("REDIS_URL", "").strip() or None
    if redis_url and not redis_url.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigurationError("REDIS_URL must start with redis://, rediss:// or unix://.")
    public_url = _public_url(environ, host, port)
    return Settings(
        host=host,
        port=port,
        database_url=_database_url(environ, data),
        redis_url=redis_url,
        data=data,
        site_division=division,
        site_name=environ.get("SITE_NAME", "").strip(),
        site_phone=environ.get("SITE_PHONE", "").strip() or "12345",
        timezone=timezone,
        public_url=public_url,
        trusted_proxies=_integer(environ, "TRUSTED_PROXIES", 0, 0, 9),
        totp_roles=_totp_roles(environ, public_url),
        web_workers=_integer(environ, "WEB_WORKERS", 2, 1, 64),
        web_threads=_integer(environ, "WEB_THREADS", 8, 1, 256),
        web_queue=_integer(environ, "WEB_QUEUE", 100, 0, 1000),
        stream_limit=_integer(environ, "STREAM_LIMIT", 64, 0, 2000),
        report_hour=_report_hour(environ),
        registration_limit=_limit(environ, "REGISTRATION_LIMIT", "3000 per minute"),
        phone_limit=_limit(environ, "PHONE_LIMIT", "1000 per hour"),
        device_limit=_limit(environ, "DEVICE_LIMIT", "60000 per minute"),
        max_body_bytes=_integer(environ, "MAX_BODY_BYTES", 1_048_576, 65_536, 1_073_741_824),
        allow_private_targets=bool(_integer(environ, "ALLOW_PRIVATE_TARGETS", 0, 0, 1)),
        master_keys=read_master_keys(_secret(environ, "CHECKPOINT_KEY")),
        backup_folder=_folder(environ, "BACKUP_DIR"),
        backup_hours=_integer(environ, "BACKUP_HOURS", 24, 1, 8760),
        backup_keep=_integer(environ, "BACKUP_KEEP", 7, 1, 1000),
        backup_recipients=_recipients(environ),
        backup_passphrase=_secret(environ, "BACKUP_PASSPHRASE") or None,
    )
