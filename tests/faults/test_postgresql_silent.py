"""A database server that takes connections and says nothing, as one does that is cut off."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from coalition.app import create_app
from coalition.postgresql import CONNECT_PATIENCE
from coalition.settings import Settings
from tests.conftest import environment
from tests.visitor import visitor_of


@pytest.fixture
def silent_url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"postgresql://site@127.0.0.1:{silent.getsockname()[1]}/site"


def test_nobody_waits_for_it_for_minutes(silent_url: str) -> None:
    settings = environment(silent_url, "smtp://127.0.0.1")
    visitor = visitor_of(create_app(Settings.from_environment(settings)))
    began = time.monotonic()
    page = visitor.post("/petition/sign", {"name": "Ada Fictional", "email": "ada@example.org"})
    assert page.status == 503
    assert time.monotonic() - began < 8 * CONNECT_PATIENCE
