"""A passkey in software: what a phone or a security key would answer (WebAuthn, level 2)."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.visitor import Page, Visitor

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40  # flags of the authenticator's data


class SoftwareKey:
    """One passkey for one site. With `verifies` it makes sure whose hand holds it."""

    def __init__(self, origin: str, *, verifies: bool = True) -> None:
        self.origin = origin
        self.verifies = verifies
        self.id = os.urandom(16)
        self.user: str | None = None
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, page: Page) -> str:
        """What a browser sends for a page that wants to know a new passkey."""
        options = _options(page, "make")
        self.user = options["user"]["id"]
        numbers = self._key.public_key().public_numbers()
        cose = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        data = self._data(HAS_KEY) + bytes(16) + len(self.id).to_bytes(2) + self.id + cose
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            attestationObject=_text(made),
            clientDataJSON=_text(self._client_data("webauthn.create", options)),
            transports=["internal"],
        )

    def give(self, page: Page) -> str:
        """What a browser sends for a page that asks for a passkey."""
        client = self._client_data("webauthn.get", _options(page, "ask"))
        data = self._data(0)
        signed = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            authenticatorData=_text(data),
            clientDataJSON=_text(client),
            signature=_text(signed),
            userHandle=self.user,
        )

    def _data(self, flags: int) -> bytes:
        host = re.sub(r"^https?://|:\d+$", "", self.origin)
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + bytes(4)

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(told).encode()

    def _credential(self, **response: object) -> str:
        number = _text(self.id)
        return json.dumps(
            {"id": number, "rawId": number, "type": "public-key", "response": response}
        )


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _options(page: Page, kind: str) -> dict[str, Any]:
    found = re.search(rf'data-{kind}="([^"]*)"', page.text)
    assert found, f"no passkey is wanted on {page.url} ({page.status})"
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def add_passkey(visitor: Visitor, key: SoftwareKey, name: str = "my phone") -> Page:
    """Let the desk know a new passkey of whoever is signed in."""
    page = visitor.submit(visitor.get("/desk/passkeys"), "/desk/passkeys", name=name)
    return visitor.submit(page, "/desk/passkeys/", credential=key.make(page))


def sign_in_with(visitor: Visitor, key: SoftwareKey, **more: str) -> Page:
    """Sign in with a passkey alone; `more` is sent beside it."""
    page = visitor.submit(visitor.get("/desk/sign-in/passkey"), "/desk/sign-in/passkey")
    form = page.form("/desk/sign-in/passkey/")
    return visitor.post(form.action, {**form.values, "credential": key.give(page), **more})
