"""Settings: everything that is missing, malformed or unknown is told in one line."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from coalition.settings import PREFIX, MailServer, Settings, SettingsError
from tests.conftest import ROOT, environment

NEW_KEY = "a-newer-secret-that-is-long-enough-too"


def read(**changes: str) -> Settings:
    """Settings from a complete environment with `changes`; an empty value takes one away."""
    url = "sqlite:///instance/site.db"
    return Settings.from_environment(environment(url, "smtp://mail.example.org", **changes))


def refusal(**changes: str) -> str:
    with pytest.raises(SettingsError) as raised:
        read(**changes)
    return str(raised.value)


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "SECRET_KEYS", "SITE_URL", "MAIL_URL", "MAIL_FROM"]
)
@pytest.mark.parametrize("value", ["", " \t "], ids=["missing", "blank"])
def test_a_required_setting_that_is_not_set_stops_the_start(name: str, value: str) -> None:
    assert refusal(**{name: value}) == f"COALITION_{name} is not set; see the README"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "site.db"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "mysql://db.example.org/site"),
        ("DATABASE_URL", "postgresql://"),
        ("DATABASE_URL", "postgresql+psycopg2://db.example.org/site"),
        ("DATABASE_URL", "postgresql://db.example.org:port/site"),
        ("SECRET_KEYS", "short"),
        ("SECRET_KEYS", "a" * 31),
        ("SECRET_KEYS", f"{NEW_KEY},short"),
        ("SECRET_KEYS", f"{NEW_KEY},{NEW_KEY}"),
        ("SITE_URL", "petition.example.org"),
        ("SITE_URL", "ftp://petition.example.org"),
        ("SITE_URL", "https://"),
        ("SITE_URL", "https://:8000"),
        ("SITE_URL", "https://petition.example.org/stop"),
        ("SITE_URL", "https://petition.example.org?x=1"),
        ("SITE_URL", "https://petition.example.org#x"),
        ("SITE_URL", "https://somebody@petition.example.org"),
        ("SITE_URL", "https://[::1"),
        ("SITE_URL", "https://petition.example.org:port"),
        ("SITE_URL", "https://petition.example.org:99999"),
        ("SITE_URL", "https://petition example.org"),
        ("SITE_URL", "https://petition.example.org\\stop"),
        ("MAIL_URL", "mail.example.org"),
        ("MAIL_URL", "http://mail.example.org"),
        ("MAIL_URL", "smtp://"),
        ("MAIL_URL", "smtp://:25"),
        ("MAIL_URL", "smtp://mail.example.org:port"),
        ("MAIL_URL", "smtp://mail.example.org:99999"),
        ("MAIL_URL", "maildir:"),
        ("MAIL_FROM", "Petition"),
        ("MAIL_FROM", "Petition <petition>"),
        ("MAIL_FROM", "petition@example"),
        ("MAIL_FROM", "Petition <petition@example.org>\nBcc: everybody@example.org"),
        ("MAIL_FROM", "one@example.org, two@example.org"),
        ("BOUNCE_ADDRESS", "bounces"),
        ("BOUNCE_ADDRESS", "Bounces <bounces@example.org>"),
        ("BOUNCE_ADDRESS", "bounces@bücher.example.org"),
        ("BOUNCE_ADDRESS", "bücher@example.org"),
        ("MAIL_RATE", "0"),
        ("MAIL_RATE", "-1"),
        ("MAIL_RATE", "nan"),
        ("MAIL_RATE", "inf"),
        ("MAIL_RATE", "ten"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "redis://localhost:port"),
        ("METRICS_TOKEN", "a" * 31),
        ("METRICS_TOKEN", "a token with spaces that is long enough"),
        ("METRICS_TOKEN", "a-tökén-that-is-long-enough-for-a-token"),
        ("LOG_FORMAT", "xml"),
        ("LOG_FORMAT", "JSON"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "10"),
        ("TRUSTED_PROXIES", "one"),
        ("TRUSTED_PROXIES", "1.0"),
        ("WEB_PROCESSES", "0"),
        ("WEB_PROCESSES", "65"),
        ("DATABASE_POOL", "0"),
        ("DATABASE_POOL", "101"),
        ("DATABASE_POOL", "9" * 5000),
        ("LIMIT_NETWORK", "often"),
        ("LIMIT_ADDRESS", "3 per fortnight"),
        ("LIMIT_DOMAIN", "30 per minute; often"),
        ("LIMIT_CODE", "-3 per minute"),
        ("BULK_LIMIT", "-1"),
        ("BULK_LIMIT", "1000001"),
        ("BULK_LIMIT", "few"),
    ],
    ids=lambda value: value[:60],
)
def test_a_setting_that_is_malformed_stops_the_start_in_one_line(name: str, value: str) -> None:
    message = refusal(**{name: value})
    assert message.startswith(f"COALITION_{name} ")
    assert "\n" not in message
    assert len(message) < 300


def test_a_setting_that_is_unknown_stops_the_start() -> None:
    message = refusal(SIGHT_URL="https://petition.example.org")
    assert message == "COALITION_SIGHT_URL is not a setting of this site; see the README"


def test_variables_of_other_programs_are_no_settings_of_ours() -> None:
    values = environment("sqlite:///instance/site.db", "smtp://mail.example.org")
    Settings.from_environment({**values, "PATH": "/bin", "SITE_URL": "x", "XCOALITION_A": "y"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEYS", f"{NEW_KEY},hunter2"),
        ("METRICS_TOKEN", "hunter2"),
        ("MAIL_URL", "smtp://petition:hunter2@mail.example.org:port"),
        # A slash that was not percent-encoded ends the host: the password looks like a port.
        ("MAIL_URL", "smtp://petition:hunter2/3@mail.example.org"),
    ],
    ids=["key", "token", "password before a bad port", "password with a slash"],
)
def test_a_refusal_does_not_quote_a_secret(name: str, value: str) -> None:
    message = refusal(**{name: value})
    assert "hunter2" not in message
    assert NEW_KEY not in message


def test_neither_the_keys_nor_the_mail_password_stand_in_the_repr() -> None:
    settings = read(
        SECRET_KEYS=NEW_KEY, MAIL_URL="smtp+starttls://petition:hunter2@mail.example.org"
    )
    assert settings.secret_keys == (NEW_KEY,)
    assert settings.mail_url.password == "hunter2"
    for shown in (repr(settings), str(settings), repr(settings.mail_url)):
        assert NEW_KEY not in shown
        assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://site:hunter2@db.example.org/site"),
        ("REDIS_URL", "rediss://:hunter2@redis.example.org"),
        ("METRICS_TOKEN", "hunter2-and-as-many-letters-as-it-takes"),
    ],
    ids=["database", "redis", "metrics"],
)
def test_neither_the_password_of_a_server_nor_a_token_stands_in_the_repr(
    name: str, value: str
) -> None:
    assert "hunter2" not in repr(read(**{name: value}))


def test_a_relative_sqlite_path_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read().database_url == f"sqlite:///{tmp_path}/instance/site.db"


def test_an_absolute_sqlite_path_stays_as_it_is() -> None:
    assert read(DATABASE_URL="sqlite:////srv/site.db").database_url == "sqlite:////srv/site.db"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_uses_the_one_driver(scheme: str) -> None:
    url = read(DATABASE_URL=f"{scheme}://db.example.org/site").database_url
    assert url == "postgresql+psycopg://db.example.org/site"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", MailServer("smtp", "mail.example.org", 25)),
        ("smtps://mail.example.org", MailServer("smtps", "mail.example.org", 465)),
        ("smtp+starttls://mail.example.org", MailServer("smtp+starttls", "mail.example.org", 587)),
        ("smtp://mail.example.org:2525", MailServer("smtp", "mail.example.org", 2525)),
        ("smtp://[::1]:2525", MailServer("smtp", "::1", 2525)),
        (
            "smtps://petition%40example.org:a%2Fb%3Ac%40d%20e%25@mail.example.org",
            MailServer("smtps", "mail.example.org", 465, "petition@example.org", "a/b:c@d e%"),
        ),
        ("maildir:/srv/mail", MailServer("maildir", path=Path("/srv/mail"))),
    ],
    ids=["smtp", "smtps", "starttls", "port", "IPv6", "percent-encoded sign-in", "maildir"],
)
def test_a_mail_url_names_the_server_and_how_to_sign_in(url: str, server: MailServer) -> None:
    assert read(MAIL_URL=url).mail_url == server


def test_a_relative_maildir_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = read(MAIL_URL="maildir:instance/mail").mail_url
    assert server.is_maildir
    assert server.path == tmp_path / "instance/mail"


@pytest.mark.parametrize(
    "separator", [",", ", ", " ", "\n"], ids=["comma", "both", "space", "line"]
)
def test_several_keys_are_read_newest_first(separator: str) -> None:
    old = "an-older-secret-that-is-long-enough-too"
    assert read(SECRET_KEYS=f"{NEW_KEY}{separator}{old}").secret_keys == (NEW_KEY, old)


@pytest.mark.parametrize(
    ("given", "kept", "https"),
    [
        ("https://Petition.Example.org/", "https://petition.example.org", True),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", False),
    ],
    ids=["public", "local"],
)
def test_the_public_address_is_a_scheme_and_a_host(given: str, kept: str, https: bool) -> None:
    settings = read(SITE_URL=given)
    assert settings.site_url == kept
    assert settings.site_host == kept.partition("://")[2]
    assert settings.is_https is https


@pytest.mark.parametrize(
    "text",
    ["30 per minute", "30/minute", "5 per 10 minutes; 20 per day", "3 per hour, 6 per day"],
)
def test_limits_are_kept_as_they_are_written(text: str) -> None:
    assert read(LIMIT_CODE=text).limit_code == text


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("TRUSTED_PROXIES", 0, 9),
        ("WEB_PROCESSES", 1, 64),
        ("DATABASE_POOL", 1, 100),
        ("BULK_LIMIT", 0, 1_000_000),
    ],
)
def test_whole_numbers_are_taken_up_to_both_ends(name: str, lowest: int, highest: int) -> None:
    for number in (lowest, highest):
        assert getattr(read(**{name: f" {number} "}), name.lower()) == number


def test_the_readme_lists_exactly_the_settings_that_there_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(COALITION_\w+)` \|", readme, re.MULTILINE)
    assert sorted(listed) == sorted(PREFIX + item.name.upper() for item in fields(Settings))
