"""Keys with which approvals are signed: whoever approves holds one half, and the proxy can only verify.

Ed25519 of `cryptography`, which the `mcp` SDK brings along. The proxy must not be able to sign what it accepts, or
whoever can read its files could too, so that no shared secret would do.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ..errors import UsageError
from .record import Record

_NO_LIBRARY = "keys need the package `cryptography`; install it beside intercept"


def make_key(path: str) -> str:
    """Write a new secret key to `path`, and its public half beside it; return the path of the latter.

    Raises:
        UsageError: one of the files exists already, or cannot be written.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise UsageError(_NO_LIBRARY) from None
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for place, text, mode in ((path, secret, 0o600), (f"{path}.pub", public, 0o644)):
        try:
            file = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        except OSError as error:
            why = (error.strerror or "error").lower()
            raise UsageError(f"cannot write the key to `{place}`: {why}; name another file") from None
        with os.fdopen(file, "wb") as out:
            out.write(text)
    return f"{path}.pub"


def signer(path: str) -> Callable[[Record], str]:
    """Signs with the secret key in the file `path`.

    Raises:
        UsageError: there is none.
    """
    text = _read(path)
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise UsageError(_NO_LIBRARY) from None
    try:
        key = load_pem_private_key(text, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"`{path}` has no secret key; make one with `intercept approvals keygen FILE`")
    return lambda record: key.sign(record.signed).hex()


def verifier(path: str) -> Callable[[Record], bool]:
    """Verifies with the public key in the file `path`, which is read now and not again.

    Raises:
        UsageError: there is none.
    """
    text = _read(path)
    if b"PRIVATE" in text:
        raise UsageError(f"`{path}` is the secret half of a key; the proxy takes the public one, `{path}.pub`")
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise UsageError(_NO_LIBRARY) from None
    try:
        key = load_pem_public_key(text)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"`{path}` has no public key; `intercept approvals keygen FILE` makes one as `FILE.pub`")

    def verify(record: Record) -> bool:
        try:
            key.verify(bytes.fromhex(record.signature), record.signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    return verify


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(65_536)
    except OSError as error:
        raise UsageError(f"cannot read the key `{path}`: {(error.strerror or 'error').lower()}") from None
