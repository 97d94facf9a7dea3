"""Rate limits: by network for every write, and by whatever else a feature names.

Limits slow a crowd; they never discard anything in silence. A refused request is answered
with 429, Retry-After, and the filled form.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

from flask import Flask, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from werkzeug.exceptions import TooManyRequests

from coalition.crypto import keyring
from coalition.web.limit_rules import IPV6_VISITOR_BITS, limits_of, limits_of_network
from coalition.web.metrics import current_metrics

REDIS_PATIENCE = 0.5  # seconds; it answers in less than one thousandth of that
ONE_TRY = Retry(NoBackoff(), 1)  # again at once, for a connection that was closed meanwhile
NETWORK_PURPOSE = "limits.network"
UNKNOWN = "unknown"  # the network of an address that cannot be read

Hit = tuple[RateLimitItem, tuple[str, str]]
View = TypeVar("View", bound=Callable[..., Any])
log = logging.getLogger(__name__)


class LimitReached(TooManyRequests):
    """A limit is used up. `retry_after` is in whole seconds."""


def network_of(address: str | None) -> str:
    """The network that is limited as one visitor: an IPv4 address or an IPv6 /64."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return UNKNOWN
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip), IPV6_VISITOR_BITS), strict=False))
    return str(ip)


def visitor_network() -> str:
    """The network that the current request came from."""
    return network_of(request.remote_addr)


def known_network() -> str | None:
    """As `visitor_network`, or None where nobody knows."""
    network = visitor_network()
    return None if network == UNKNOWN else network


class _Limiter(Limiter):
    """Flask-Limiter for what it holds: the store, its fixed windows, the windows in memory beside
    it, and the way back when the store answers again.

    What a request counts is put to the store by `spend_all`, in one round trip: the library's own
    decorators take one for each window, and as long again to find out which windows there are.
    """

    def fall_back(self) -> None:
        """Count in memory, until the store is seen to answer."""
        if not self._storage_dead:
            log.warning("the store of the rate limits does not answer: this process counts alone")
        self._storage_dead = True

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        """Called before each request. No limit is declared to it: it looks for the store."""
        if self._storage_dead:
            super()._check_request_limit(callable_name, in_middleware)


limiter = _Limiter(key_func=visitor_network)


@dataclass(frozen=True)
class Use:
    """One use, to be counted against the limits of a setting ("LIMIT_ADDRESS")."""

    setting: str
    key: str  # whose use it is: a keyed digest
    limits: str  # those in effect

    def hits(self) -> list[Hit]:
        return [(item, (self.setting, self.key)) for item in _windows(self.limits)]


def use_by(setting: str, key: bytes) -> Use:
    """One use by `key`, a digest, under the limits of a setting."""
    return Use(setting, key.hex(), limits_of(setting))


def use_by_visitor() -> Use:
    """One form from the visitor's network, which whoever reads the store is not told."""
    network = visitor_network()
    key = keyring().digest(NETWORK_PURPOSE, network)
    return Use("LIMIT_NETWORK", key.hex(), limits_of_network(network))


def limit_writes(view: View) -> View:
    """Limit the POSTs of a route by the visitor's network, over all such routes together."""

    @wraps(view)
    def limited(*args: Any, **values: Any) -> Any:
        if request.method == "POST":
            spend_all([use_by_visitor()])
        return view(*args, **values)

    return cast(View, limited)


def spend(setting: str, key: bytes) -> None:
    """Count one use by `key`, a digest, against the limits of a setting ("LIMIT_ADDRESS").

    Raises LimitReached, a 429, when one of the limits is used up.
    """
    spend_all([use_by(setting, key)])


def spend_all(uses: Iterable[Use]) -> None:
    """Count each use, up to the first limit that is used up.

    With Redis in one round trip, for these are what a signature waits for most. Raises
    LimitReached, a 429.
    """
    hits = [hit for use in uses for hit in use.hits()]
    try:
        refused = _first_refused(hits)
    except (StorageError, RedisError):
        limiter.fall_back()
        refused = _first_refused(hits)
    if refused is not None:
        raise _reached(*refused)


@lru_cache(maxsize=64)
def _windows(limits: str) -> list[RateLimitItem]:
    return sorted(parse_many(limits))


def _first_refused(hits: list[Hit]) -> Hit | None:
    storage = limiter.limiter.storage
    if not isinstance(storage, RedisStorage):
        return next((each for each in hits if not limiter.limiter.hit(each[0], *each[1])), None)
    keys = [storage.prefixed_key(item.key_for(*identifiers)) for item, identifiers in hits]
    numbers = [number for item, _ in hits for number in (item.amount, item.get_expiry())]
    number = storage.storage.eval(_HIT_ALL, len(keys), *keys, *numbers)
    return hits[int(number) - 1] if number else None


# As `limits` counts fixed windows one by one (its RedisStorage.incr), for all of them at once.
# Returns which is used up, from 1, or 0.
_HIT_ALL = """
for number, key in ipairs(KEYS) do
    local hits = redis.call("INCRBY", key, 1)
    if hits == 1 then
        redis.call("EXPIRE", key, ARGV[2 * number])
    end
    if hits > tonumber(ARGV[2 * number - 1]) then
        return number
    end
end
return 0
"""


def refuse_if_spent(setting: str, key: bytes) -> None:
    """Raises LimitReached, a 429, when one of the limits is used up for `key`; counts nothing."""
    hits = use_by(setting, key).hits()
    try:
        spent = _first_spent(hits)
    except StorageError:
        limiter.fall_back()
        spent = _first_spent(hits)
    if spent is not None:
        raise _reached(*spent)


def _first_spent(hits: list[Hit]) -> Hit | None:
    return next((each for each in hits if not limiter.limiter.test(each[0], *each[1])), None)


def _reached(item: RateLimitItem, identifiers: tuple[str, str]) -> LimitReached:
    current_metrics().count_limit(identifiers[0].removeprefix("LIMIT_").lower())
    return LimitReached(retry_after=_seconds_left(item, identifiers))


def _seconds_left(item: RateLimitItem, identifiers: tuple[str, str]) -> int:
    """Whole seconds until this limit allows another try, at least 1."""
    moment = limiter.limiter.get_window_stats(item, *identifiers).reset_time
    return max(1, int(moment - time.time()) + 1)


def counts_in_memory() -> bool:
    """Whether this process counts by itself because the Redis that it shares is gone."""
    return limiter.limiter.storage is not limiter.storage


def shared_store_answers() -> bool | None:
    """Whether the Redis that processes share answers now; None where there is none to share."""
    storage = limiter.storage
    return storage.check() if isinstance(storage, RedisStorage) else None


def init_limits(app: Flask, redis_url: str | None, limits: dict[str, str]) -> None:
    """Attach the limiter; `limits` maps names such as LIMIT_NETWORK to their text.

    Without Redis each process counts for itself. With it, a process whose Redis is gone
    counts in memory until it is back.
    """
    app.config.update(limits)
    app.config["RATELIMIT_STORAGE_URI"] = redis_url or "memory://"
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"wrap_exceptions": True}
    if redis_url is not None:
        app.config["RATELIMIT_STORAGE_OPTIONS"].update(
            socket_connect_timeout=REDIS_PATIENCE, socket_timeout=REDIS_PATIENCE, retry=ONE_TRY
        )
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = redis_url is not None
    # Its own lines would name networks.
    logging.getLogger("flask-limiter").setLevel(logging.WARNING)
    limiter.init_app(app)
