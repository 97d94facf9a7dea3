"""Refuses writes that another site's page sends.

Public pages set no cookie, so there is no session for such a page to borrow; what it could
do is make a visitor's browser post a form here. Browsers say where a request comes from, in
this order of trust: Sec-Fetch-Site (Fetch Metadata), Origin (RFC 6454), Referer. A request
with none of the three does not come from another site's page in any browser that is
supported anywhere, but may come from one that strips them: it is let through.
"""

from urllib.parse import urlsplit

from flask import Flask, abort, current_app, request
from werkzeug.wsgi import get_host

SIGNS_OF_LIFE = frozenset({"pages.healthz", "pages.readyz"})
METRICS = "metrics.metrics"
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_cross_site() -> bool:
    """Whether the current request was sent by a page of another site."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    source = request.headers.get("Origin") or request.headers.get("Referer")
    if source is None:
        return False
    return not _is_ours(source)


def _is_ours(source: str) -> bool:
    try:
        host = urlsplit(source).netloc.lower()
    except ValueError:
        return False
    site_host = urlsplit(current_app.config["SITE_URL"]).netloc
    return host != "" and host in (site_host, request.host.lower())


def init_origin_check(app: Flask, own_hosts: list[str]) -> None:
    """Answer only under names that are ours: whatever else `Host` says comes from elsewhere.

    Signs of life are given to whoever asks, under whatever name: load balancers ask by
    address. So does whoever brings a token for the metrics, which decides alone: see
    pages/metrics_views.py.
    """

    @app.before_request
    def refuse_other_hosts() -> None:
        brings_token = request.endpoint == METRICS and "Authorization" in request.headers
        if request.endpoint not in SIGNS_OF_LIFE and not brings_token:
            get_host(request.environ, own_hosts)

    @app.before_request
    def refuse_cross_site_writes() -> None:
        if request.method not in READING and is_cross_site():
            abort(403, description="cross-site")
