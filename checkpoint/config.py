"""Environment to settings. A wrong setting stops the start with one sentence that names it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checkpoint.errors import ConfigurationError

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
    web_workers: int
    web_threads: int
    stream_limit: int
    registration_limit: str
    max_body_bytes: int
    allow_private_targets: bool

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


def _database_url(environ: Mapping[str, str], data: Path) -> str:
    url = environ.get("DATABASE_URL", "").strip()
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
    limit = environ.get("REGISTRATION_LIMIT", "").strip() or "3000 per minute"
    if not re.fullmatch(r"\d+ per (second|minute|hour|day)", limit):
        raise ConfigurationError(f"REGISTRATION_LIMIT must read like '3000 per minute', not {limit!r}.")
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
        public_url=_public_url(environ, host, port),
        trusted_proxies=_integer(environ, "TRUSTED_PROXIES", 0, 0, 9),
        web_workers=_integer(environ, "WEB_WORKERS", 2, 1, 64),
        web_threads=_integer(environ, "WEB_THREADS", 8, 1, 256),
        stream_limit=_integer(environ, "STREAM_LIMIT", 64, 0, 2000),
        registration_limit=limit,
        max_body_bytes=_integer(environ, "MAX_BODY_BYTES", 1_048_576, 65_536, 1_073_741_824),
        allow_private_targets=bool(_integer(environ, "ALLOW_PRIVATE_TARGETS", 0, 0, 1)),
    )
