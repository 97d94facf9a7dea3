"""The Chromium that the tests drive. `python -m tests.browser.chromium` gets one if it can."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# First the one without windows: the same pages take it a fifth less of the machine.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PACKAGES = (
    "chromium-headless-shell",
    "chromium",
)  # of Debian; older releases have the second alone
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
    if any(map(_is_installed_now, PACKAGES)):
        return
    _apt_get("update", "-qq")
    any(map(_is_installed_now, PACKAGES))


def _is_installed_now(package: str) -> bool:
    return _apt_get("install", "-y", "-qq", "--no-install-recommends", package)


def _apt_get(*words: str) -> bool:
    done = subprocess.run(
        ["apt-get", *words],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


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
