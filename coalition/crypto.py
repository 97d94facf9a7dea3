"""Keys and what is done with them: encrypted columns, keyed digests, signed tokens.

Every key is derived by HKDF (RFC 5869) from one of the secrets in `COALITION_SECRET_KEYS`
with a purpose label, so that no key ever serves two purposes. The newest secret writes; all
of them can read. That is what makes rotation possible without a stop.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

KEY_BYTES = 32
DIGEST_BYTES = 32
COMMON_TOKENS = 256  # that are the same for everybody, and kept when they were read


class TokenInvalid(Exception):
    """The token is damaged, was made for another purpose, or is signed by no key of ours."""


class TokenExpired(Exception):
    """The token is genuine but too old. `payload` is what it carried."""

    def __init__(self, payload: Any) -> None:
        super().__init__("token expired")
        self.payload = payload


class _SignerAt(TimestampSigner):
    """Signs with the moment that it is given, so that the clock stays in one place."""

    def __init__(self, *args: Any, moment: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._moment = int(moment.timestamp())

    def get_timestamp(self) -> int:
        return self._moment


class Keyring:
    """The site's secrets, newest first, and every key derived from them."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)
        self.derive = lru_cache(maxsize=None)(self._derive)
        self._fernet = lru_cache(maxsize=None)(self._make_fernet)
        self._hmacs = lru_cache(maxsize=None)(self._make_hmacs)
        self._open_common = lru_cache(maxsize=COMMON_TOKENS)(self._open)

    @property
    def has_older(self) -> bool:
        """Whether anything may still be under another secret than the newest."""
        return len(self._secrets) > 1

    def _derive(self, purpose: str) -> tuple[bytes, ...]:
        return tuple(
            HKDF(
                hashes.SHA256(),
                KEY_BYTES,
                salt=None,
                info=f"coalition/{purpose}".encode(),
            ).derive(secret)
            for secret in self._secrets
        )

    def _make_fernet(self, purpose: str) -> MultiFernet:
        return MultiFernet(
            [Fernet(base64.urlsafe_b64encode(key)) for key in self.derive(f"encrypt/{purpose}")]
        )

    def _make_hmacs(self, purpose: str) -> tuple[HMAC, ...]:
        return tuple(HMAC(key, hashes.SHA256()) for key in self.derive(f"digest/{purpose}"))

    def encrypt(self, purpose: str, text: str) -> bytes:
        """Encrypt `text` under the newest key of `purpose` (Fernet)."""
        return self.encrypt_bytes(purpose, text.encode())

    def decrypt(self, purpose: str, data: bytes) -> str:
        """The text that `encrypt` was given. Raises TokenInvalid if no key of ours fits."""
        return self.decrypt_bytes(purpose, data).decode()

    def encrypt_bytes(self, purpose: str, data: bytes) -> bytes:
        """Encrypt `data` under the newest key of `purpose` (Fernet, a third longer)."""
        return self._fernet(purpose).encrypt(data)

    def decrypt_bytes(self, purpose: str, data: bytes) -> bytes:
        """What `encrypt_bytes` was given. Raises TokenInvalid if no key of ours fits."""
        try:
            return self._fernet(purpose).decrypt(data)
        except InvalidToken as error:
            raise TokenInvalid from error

    def digests(self, purpose: str, text: str) -> tuple[bytes, ...]:
        """HMAC-SHA-256 of `text` under each key of `purpose`, newest first, 32 bytes each."""
        message = text.encode()
        return tuple(_digest(keyed, message) for keyed in self._hmacs(purpose))

    def digest(self, purpose: str, text: str) -> bytes:
        """HMAC-SHA-256 of `text` under the newest key of `purpose`, 32 bytes."""
        return self.digests(purpose, text)[0]

    def sign_token(self, purpose: str, payload: Any, now: datetime) -> str:
        """A URL-safe token for one purpose, holding `payload` (JSON) and the time `now`."""
        return self._serializer(purpose, _SignerAt, moment=now).dumps(payload)

    def read_token(self, purpose: str, token: str, now: datetime, lifetime: timedelta) -> Any:
        """The payload of a token made by `sign_token` for the same purpose.

        Raises TokenInvalid for a token that is not ours, and TokenExpired for one that is
        older than `lifetime` at `now`.
        """
        return self.open_token(purpose, token, now, lifetime)[0]

    def read_common_token(
        self, purpose: str, token: str, now: datetime, lifetime: timedelta
    ) -> Any:
        """As `read_token`, of a token that many bring: one that was found genuine is looked up.

        The payload is shared: whoever changes it changes it for all.
        """
        return _in_time(*self._open_common(purpose, token), now, lifetime)[0]

    def open_token(
        self, purpose: str, token: str, now: datetime, lifetime: timedelta
    ) -> tuple[Any, datetime]:
        """As `read_token`, with the moment at which the token was made."""
        return _in_time(*self._open(purpose, token), now, lifetime)

    def _open(self, purpose: str, token: str) -> tuple[Any, datetime]:
        """What stands in a token of ours, however old. Raises TokenInvalid."""
        if not _is_canonical(token):
            raise TokenInvalid
        try:
            payload, made_at = self._serializer(purpose).loads(token, return_timestamp=True)
        except (BadData, UnicodeError) as error:
            raise TokenInvalid from error
        return payload, made_at

    def _serializer(
        self, purpose: str, signer: type[TimestampSigner] = TimestampSigner, **given: Any
    ) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            list(reversed(self.derive(f"token/{purpose}"))),  # itsdangerous: newest key last
            salt=purpose,
            signer=signer,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256} | given,
        )

    def seal(self, purpose: str, values: Any) -> str:
        """Encrypt JSON `values` so that they can stand in an address without being readable."""
        return self.encrypt(purpose, json.dumps(values)).decode()

    def unseal(self, purpose: str, sealed: str, now: datetime, lifetime: timedelta) -> Any:
        """What `seal` was given. Raises TokenInvalid or, past `lifetime`, TokenExpired."""
        if not _is_canonical(sealed):
            raise TokenInvalid
        try:
            values = json.loads(self.decrypt(purpose, sealed.encode()))
            made_at = self._fernet(purpose).extract_timestamp(sealed.encode())
        except (TokenInvalid, InvalidToken, UnicodeError) as error:
            raise TokenInvalid from error
        if now.timestamp() - made_at > lifetime.total_seconds():
            raise TokenExpired(values)
        return values


def _digest(keyed: HMAC, message: bytes) -> bytes:
    # A copy of one that has taken its key in already costs a fifth of one that has not.
    begun = keyed.copy()
    begun.update(message)
    return begun.finalize()


def _in_time(
    payload: Any, made_at: datetime, now: datetime, lifetime: timedelta
) -> tuple[Any, datetime]:
    """Both as given. Raises TokenExpired past `lifetime`."""
    if now - made_at > lifetime:
        raise TokenExpired(payload)
    return payload, made_at


def _is_canonical(token: str) -> bool:
    """Whether this is the one spelling of its bytes: base64 leaves bits over at its end, so
    that a changed last character may say the same."""
    try:
        parts = [part.rstrip("=") for part in token.split(".")]
        return all(base64_encode(base64_decode(part)).decode() == part for part in parts)
    except (BadData, UnicodeError):
        return False


def keyring() -> Keyring:
    """The keyring of the running application."""
    ring: Keyring = current_app.extensions["keyring"]
    return ring


class EncryptedText(TypeDecorator[str]):
    """A text column that is encrypted at rest under a key of its own purpose."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else keyring().encrypt(self.purpose, value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring().decrypt(self.purpose, bytes(value))


class EncryptedBytes(TypeDecorator[bytes]):
    """A column of bytes that is encrypted at rest under a key of its own purpose."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else keyring().encrypt_bytes(self.purpose, value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else keyring().decrypt_bytes(self.purpose, bytes(value))
