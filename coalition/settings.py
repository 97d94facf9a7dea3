"""Settings: read once from the environment, checked, and never changed after.

Each setting is an environment variable named `COALITION_` and the field's name in
capitals. The README's table lists them all; a test compares both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from email.utils import getaddresses
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email
from limits import parse_many

PREFIX = "COALITION_"
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
SHORTEST_SECRET = 32  # characters; 32 from a 64-letter alphabet carry 192 bits


class SettingsError(Exception):
    """A setting is missing or malformed; the message is one line for the person who runs it."""


@dataclass(frozen=True)
class MailServer:
    """Where mail goes: an SMTP server, or a folder in maildir format."""

    scheme: str  # smtp, smtps, smtp+starttls or maildir
    host: str = ""
    port: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    path: Path = Path()

    @property
    def is_maildir(self) -> bool:
        return self.scheme == "maildir"


_MAIL_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


def _split(text: str) -> SplitResult:
    """The parts of a URL. Raises ValueError, without quoting it: it may hold a password."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or re.search(r"[\s\\]", text):
        raise ValueError(
            "is not an address that can be read; is its port a number, and are special "
            "characters of a password written as %XX?"
        )
    return parts


def checked_database_url(text: str) -> str:
    """The address of a database as SQLAlchemy takes it. Raises ValueError with what is wrong."""
    if text.startswith("sqlite:///"):
        path = text.removeprefix("sqlite:///")
        if not path or path == ":memory:":
            raise ValueError("must name a file: web and worker share it")
        return f"sqlite:///{Path(path).absolute()}"
    parts = _split(text)
    if parts.scheme in ("postgresql", "postgres", "postgresql+psycopg") and (
        parts.netloc or parts.path or parts.query
    ):
        return text.replace(parts.scheme, "postgresql+psycopg", 1)
    raise ValueError("must start with sqlite:/// or postgresql://")


def _replica_url(text: str) -> str:
    url = checked_database_url(text)
    if url.startswith("sqlite"):
        raise ValueError("must start with postgresql://: SQLite has no replicas")
    return url


def _secret_keys(text: str) -> tuple[str, ...]:
    keys = tuple(re.split(r"[\s,]+", text.strip()))
    if any(len(key) < SHORTEST_SECRET for key in keys):
        raise ValueError(
            f"each key needs at least {SHORTEST_SECRET} characters; `coalition keys new` makes one"
        )
    if len(set(keys)) < len(keys):
        raise ValueError("names the same key twice")
    return keys


def _site_url(text: str) -> str:
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be the public address, such as https://petition.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be a scheme and a host only, without a path")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _mail_url(text: str) -> MailServer:
    if text.startswith("maildir:"):
        path = text.removeprefix("maildir:")
        if not path:
            raise ValueError("maildir: needs a path, such as maildir:instance/mail")
        return MailServer("maildir", path=Path(path).absolute())
    parts = _split(text)
    if parts.scheme not in _MAIL_PORTS or not parts.hostname:
        raise ValueError(
            "must be smtp://, smtps:// or smtp+starttls:// with a host, or maildir:PATH"
        )
    return MailServer(
        parts.scheme,
        host=parts.hostname,
        port=parts.port or _MAIL_PORTS[parts.scheme],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _mail_from(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("must be a single line")
    addresses = [address for _, address in getaddresses([text])]
    if len(addresses) != 1:
        raise ValueError("must hold one email address")
    (address,) = addresses
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"must hold an email address ({error})") from error
    return text


def _bounce_address(text: str) -> str:
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"must be an email address ({error})") from error
    if found.ascii_email is None or not text.isascii():
        raise ValueError("must be an email address in plain letters: servers must all read it")
    return text


def _positive_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("must be a number above 0")
    return number


def _whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not lowest <= int(text) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(text)

    return parse


def _security_contact(text: str) -> str:
    parts = _split(text)
    if parts.scheme not in ("https", "mailto", "tel") or not (parts.netloc or parts.path):
        raise ValueError("must be an https://, mailto: or tel: address")
    return text


def _metrics_token(text: str) -> str:
    if not re.fullmatch(rf"[A-Za-z0-9._~+/=-]{{{SHORTEST_SECRET},}}", text):
        raise ValueError(
            f"needs at least {SHORTEST_SECRET} letters, digits or -._~+/=; "
            "`coalition keys new` makes one"
        )
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return text

    return parse


def _redis_url(text: str) -> str:
    if not re.match(r"(redis|rediss|redis\+unix)://.", text):
        raise ValueError("must start with redis://, rediss:// or redis+unix://")
    _split(text)
    return text


def checked_limits(text: str) -> str:
    """`text` if it says limits, such as "30 per minute; 300 per hour". Raises ValueError."""
    try:
        amounts = [item.amount for item in parse_many(text)]
    except ValueError:
        amounts = [0]
    if min(amounts) < 1:
        raise ValueError("must read like '30 per minute; 300 per hour'")
    return text


def _setting(parse: Callable[[str], Any], default: Any = MISSING, *, secret: bool = False) -> Any:
    if default is MISSING:
        return field(metadata={"parse": parse}, repr=not secret)
    return field(default=default, metadata={"parse": parse}, repr=not secret)


@dataclass(frozen=True)
class Settings:
    """Every setting of the site. Make one with `Settings.from_environment`."""

    database_url: str = _setting(checked_database_url, secret=True)
    secret_keys: tuple[str, ...] = _setting(_secret_keys, secret=True)
    site_url: str = _setting(_site_url)
    mail_url: MailServer = _setting(_mail_url)
    mail_from: str = _setting(_mail_from)
    bounce_address: str | None = _setting(_bounce_address, None)
    mail_rate: float = _setting(_positive_number, 10.0)  # messages a second, for each worker
    replica_url: str | None = _setting(_replica_url, None, secret=True)
    redis_url: str | None = _setting(_redis_url, None, secret=True)
    security_contact: str | None = _setting(_security_contact, None)  # RFC 9116
    metrics_token: str | None = _setting(_metrics_token, None, secret=True)
    log_format: str = _setting(_one_of("text", "json"), "text")
    trusted_proxies: int = _setting(_whole_number(0, 9), 0)
    web_processes: int = _setting(_whole_number(1, 64), 2)
    page_cache: int = _setting(_whole_number(0, 10), 1)
    database_pool: int = _setting(_whole_number(1, 100), 5)  # connections a process
    # A hospital ward or a day centre is one network: thirty people may sign in a minute.
    limit_network: str = _setting(checked_limits, "30 per minute; 300 per hour")
    limit_address: str = _setting(checked_limits, "3 per hour; 6 per day")
    limit_domain: str = _setting(checked_limits, "300 per hour")
    limit_code: str = _setting(checked_limits, "5 per 10 minutes; 20 per day")
    limit_receipt: str = _setting(checked_limits, "10 per 10 minutes; 40 per day")
    limit_sign_in: str = _setting(checked_limits, "10 per 15 minutes; 50 per day")
    # More signatures than these are decided about at once by two moderators only.
    bulk_limit: int = _setting(_whole_number(0, 1_000_000), 100)

    @property
    def is_https(self) -> bool:
        return self.site_url.startswith("https://")

    @property
    def site_host(self) -> str:
        """Host and port of the public address, as a browser sends it in `Host`."""
        return urlsplit(self.site_url).netloc

    @property
    def is_local(self) -> bool:
        """Whether the public address is this very machine, as while somebody tries it out."""
        return urlsplit(self.site_url).hostname in LOOPBACK_NAMES

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read and check all settings.

        Raises SettingsError, with one line that names the variable, for the first one that
        is missing, malformed or unknown.
        """
        known = {PREFIX + item.name.upper() for item in fields(cls)}
        for name in sorted(environment):
            if name.startswith(PREFIX) and name not in known:
                raise SettingsError(f"{name} is not a setting of this site; see the README")
        values: dict[str, Any] = {}
        for item in fields(cls):
            name = PREFIX + item.name.upper()
            text = environment.get(name, "").strip()
            if not text:
                if item.default is MISSING:
                    raise SettingsError(f"{name} is not set; see the README")
                continue
            try:
                values[item.name] = item.metadata["parse"](text)
            except ValueError as error:
                raise SettingsError(f"{name} {error}") from error
        if values.get("replica_url") and values["database_url"].startswith("sqlite"):
            raise SettingsError(
                "COALITION_REPLICA_URL needs COALITION_DATABASE_URL to be a postgresql:// address: "
                "it is a copy of that database"
            )
        return cls(**values)
