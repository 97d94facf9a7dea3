"""The Chromium that the tests drive. `python -m tests.browser.chromium` gets one if it can."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Playwright brings a browser of its own, which not every machine may download.
MISSING = (
    "The tests need Chromium: install it (on Debian: apt install chromium), "
    "or say where it is with CHROMIUM=/path/to/chromium"
)
# Nothing but the site itself is asked for anything. A container has no sandbox to offer.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The path of the Chromium that CHROMIUM names, or else of one that is installed."""
    given = os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in ([given] if given else NAMES))
    return next(filter(None, found), None)


def install_chromium() -> None:
    """Debian's package, where we may install it."""
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    for command in (install, ["apt-get", "update", "-qq"], install):
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if command is install and done.returncode == 0:
            return


def main() -> None:
    if find_chromium():
        return
    if not os.environ.get("CHROMIUM") and os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write("Installing Chromium, for the tests (once)\n")
        sys.stdout.flush()
        install_chromium()
    if not find_chromium():
        sys.exit(MISSING)


if __name__ == "__main__":
    main()
