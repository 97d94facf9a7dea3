"""Seals of the audit log: keyed, so that nobody without the site's secrets can make one.

Why a seal beside the digest, and not a keyed digest: docs/adr/0004-audit-seals.md.
"""

from __future__ import annotations

import hmac

from coalition.audit.models import FINGERPRINT
from coalition.crypto import Keyring


class KeyMissing(Exception):
    """Sealed under a secret that is not, or no longer, among the settings."""


class Sealer:
    """Makes seals under the newest secret, and checks them under any."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring
        self._keys = tuple(
            digest.hex()[:FINGERPRINT] for digest in ring.digests("audit.fingerprint", "")
        )

    @property
    def newest(self) -> str:
        """The fingerprint of the key that `seal` uses."""
        return self._keys[0]

    def seal(self, text: str) -> bytes:
        """The seal of `text` under the newest key, 32 bytes."""
        return self._ring.digest("audit.seal", text)

    def is_genuine(self, key: str, text: str, seal: bytes) -> bool:
        """Whether `seal` was made of `text` under the key of this fingerprint.

        Raises KeyMissing.
        """
        if key not in self._keys:
            raise KeyMissing(key)
        made = self._ring.digests("audit.seal", text)[self._keys.index(key)]
        return hmac.compare_digest(made, bytes(seal))


def of_line(version: int, number: int, digest: bytes) -> str:
    """What the seal of a line is made of."""
    return f"line {version} {number} {digest.hex()}"


def of_head(number: int, digest: bytes) -> str:
    """What the seal of the head is made of."""
    return f"head {number} {digest.hex()}"
