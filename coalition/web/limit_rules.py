"""The limits in effect: those of the settings, with what was set at the desk."""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass, field
from time import monotonic

from flask import current_app
from limits import parse_many
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from coalition.crypto import TokenInvalid
from coalition.db import db
from coalition.settings import checked_limits
from coalition.web.limit_models import LimitOverride, NetworkRule

REMEMBERED = 5.0  # seconds after which every process knows what was set at the desk
IPV6_VISITOR_BITS = 64  # an IPv6 visitor holds a whole /64 (RFC 6177)
LONGEST_LIMITS = 200  # characters
LONGEST_WINDOW = 86_400  # seconds for which a counter may be kept: privacy notice, a day
# Wider ones are no place where people meet: for those there are the general limits.
WIDEST_IPV4, WIDEST_IPV6 = 16, 32
LARGEST_FACTOR = 100

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Rule:
    network: Network
    factor: int | None
    limits: str | None


@dataclass
class _Memory:
    rules: list[_Rule] = field(default_factory=list)  # the narrowest first
    overrides: dict[str, str] = field(default_factory=dict)
    asked_at: float = float("-inf")


def parse_network(text: str) -> Network:
    """An address or a CIDR as the network that visitors are limited by: of IPv6, at least the
    /64 that one visitor holds. Raises ValueError, with words for its writer.
    """
    try:
        if "%" in text:  # a zone (RFC 4007): of this machine alone
            raise ValueError
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(
            "Enter a network address such as 203.0.113.7, 203.0.113.0/24 or 2001:db8:1::/48"
        ) from None
    if "/" in text and ipaddress.ip_interface(text.strip()).ip != network.network_address:
        raise ValueError(f"That address is not the first of its network. Did you mean {network}?")
    if isinstance(network, ipaddress.IPv6Network):
        if network.network_address.ipv4_mapped:
            raise ValueError("Enter this address in its short form, such as 203.0.113.7")
        widest = WIDEST_IPV6
        if network.prefixlen > IPV6_VISITOR_BITS:
            network = network.supernet(new_prefix=IPV6_VISITOR_BITS)
    else:
        widest = WIDEST_IPV4
    if network.prefixlen < widest:
        raise ValueError(
            f"That network is too wide. The widest that can be trusted is a /{widest}. To let "
            "everybody send more, change the general limits"
        )
    return network


def parse_limits(text: str) -> str:
    """Limits as they are kept. Raises ValueError, with words for their writer."""
    trimmed = " ".join(text.split())
    if len(trimmed) > LONGEST_LIMITS:
        raise ValueError(f"Use {LONGEST_LIMITS} characters or fewer")
    try:
        checked_limits(trimmed)
    except ValueError:
        raise ValueError(
            "Enter limits such as 200 per hour, or 30 per minute; 300 per hour"
        ) from None
    if _longest(trimmed) > LONGEST_WINDOW:
        raise ValueError("Count within a day at most, such as 500 per day")
    return trimmed


def limits_of(setting: str) -> str:
    """The limits in effect under a setting's name ("LIMIT_ADDRESS")."""
    return _current().overrides.get(setting) or str(current_app.config[setting])


def limits_of_network(network: str) -> str:
    """How many forms may be sent from a visitor's network."""
    general = limits_of("LIMIT_NETWORK")
    rule = _rule_for(network)
    if rule is None:
        return general
    return rule.limits or _times(general, rule.factor or 1)


def longest_window(setting: str) -> int:
    """For how many seconds at most a counter of this setting's limits is kept."""
    texts = [limits_of(setting)]
    if setting == "LIMIT_NETWORK":
        texts += [rule.limits for rule in _current().rules if rule.limits]
    return max(_longest(text) for text in texts)


def _longest(limits: str) -> int:
    return max(item.get_expiry() for item in parse_many(limits))


def _times(limits: str, factor: int) -> str:
    return "; ".join(
        f"{item.amount * factor} per {item.multiples} {item.GRANULARITY.name}"
        for item in parse_many(limits)
    )


def _rule_for(network: str) -> _Rule | None:
    rules = _current().rules
    if not rules:
        return None
    try:
        visitor = ipaddress.ip_network(network)
    except ValueError:
        return None  # of the unreadable, nobody knows where they are
    for rule in rules:
        if rule.network.version == visitor.version and visitor.subnet_of(rule.network):  # type: ignore[arg-type]
            return rule
    return None


def forget_rules() -> None:
    """Ask the database again, at once, in this process."""
    current_app.extensions.pop("limit_rules", None)


def _current() -> _Memory:
    """What was set at the desk, at most REMEMBERED seconds old.

    While the database is away, what was known last stays good.
    """
    memory: _Memory = current_app.extensions.setdefault("limit_rules", _Memory())
    if monotonic() - memory.asked_at > REMEMBERED:
        # Before the database is asked, so that of many requests at once one asks.
        memory.asked_at = monotonic()
        try:
            memory.rules, memory.overrides = _read_now()
        except (SQLAlchemyError, TokenInvalid) as error:
            db.session.rollback()
            log.warning("the limits set at the desk cannot be read: %s", type(error).__name__)
    return memory


def _read_now() -> tuple[list[_Rule], dict[str, str]]:
    """Read without a trace in the request's own session, and without a second connection."""
    if db.session().in_transaction():
        return _read(db.session())
    with Session(db.engine) as session:
        return _read(session)


def _read(session: Session) -> tuple[list[_Rule], dict[str, str]]:
    rules = [
        _Rule(ipaddress.ip_network(network), factor, limits)
        for network, factor, limits in session.execute(
            select(NetworkRule.network, NetworkRule.factor, NetworkRule.limits)
        )
    ]
    rules.sort(key=lambda rule: rule.network.prefixlen, reverse=True)
    overrides = session.execute(select(LimitOverride.name, LimitOverride.limits))
    return rules, {row.name: row.limits for row in overrides}
