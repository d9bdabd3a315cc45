"""The worked vector of docs/protocol.md, recomputed with the standard library and nothing of ours.

What a stranger writes from the document must give these bytes; so must the code that this project runs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.codec import GoPass, IssuerKey, Keyring, parse_pass

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # RFC 9285, table 1


def _worked() -> dict[str, str]:
    block = DOCUMENT.split("## 11. A worked vector")[1].split("```")[1]
    return {line[:12].strip(): line[12:] for line in block.strip().splitlines()}


V = _worked()


def raw(name: str) -> bytes:
    return bytes.fromhex(V[name])


def hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 for one block: extract with a salt of zeros, expand once."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def base45(data: bytes) -> str:
    text = ""
    for at in range(0, len(data), 2):
        number = int.from_bytes(data[at : at + 2], "big")
        for _ in range(3):
            number, digit = divmod(number, 45)
            text += ALPHABET[digit]
    return text


@pytest.mark.parametrize("name", ["auth", "pass", "erase"])
def test_keys_follow_from_the_secret(name: str) -> None:
    assert hkdf(raw("secret"), f"crowdtrace/v1/{name}".encode()) == raw(f"K_{name}")


def test_seed_owner_and_chain_follow_from_the_pass_key() -> None:
    start, index = int(V["epoch start"]), bytes([int(V["i"])])
    assert start.to_bytes(4, "big") == raw("e")
    assert hkdf(raw("K_pass"), b"crowdtrace/v1/epoch" + raw("e")) == raw("seed")
    owner = hmac.digest(raw("seed"), b"owner" + index, "sha256")
    assert (owner, hashlib.sha256(owner).digest()) == (raw("owner"), raw("owner_hash"))
    codes = {1680: hmac.digest(raw("seed"), b"chain" + index, "sha256")[:16]}
    for slot in range(1680, 0, -1):
        hashed = b"crowdtrace/v1/chain" + raw("e") + slot.to_bytes(2, "big") + codes[slot]
        codes[slot - 1] = hashlib.sha256(hashed).digest()[:16]
    assert (codes[1680], codes[542], codes[1], codes[0]) == (raw("x_1680"), raw("x_542"), raw("x_1"), raw("anchor"))


def test_the_pass_is_the_table_and_its_signature() -> None:
    start = int(V["epoch start"])
    header = bytes.fromhex("a201270444") + raw("kid")
    payload = (
        b"\xa3\x04\x1a" + (start + 100_800).to_bytes(4, "big") + b"\x06\x1a" + raw("e") + b"\x07\x50" + raw("anchor")
    )
    venue = V["venue"].encode()
    signed = b"\x84\x6aSignature1\x49" + header + bytes([0x40 + len(venue)]) + venue + b"\x58\x1f" + payload
    assert signed == raw("signed")
    signer = Ed25519PrivateKey.from_private_bytes(raw("issuer key"))
    assert signer.public_key().public_bytes_raw() == raw("public key")
    assert hashlib.sha256(raw("public key")).digest()[:4] == raw("kid")
    assert b"\xd2\x84\x49" + header + b"\xa0\x58\x1f" + payload + b"\x58\x40" + signer.sign(signed) == raw("pass")


def test_the_texts_are_base45_of_pass_slot_and_code() -> None:
    slot = 1 + (int(V["shown at"]) - int(V["epoch start"])) // 60
    assert slot == int(V["slot"])
    assert "GO1:" + base45(raw("pass")) == V["static"]
    assert "GO1:" + base45(raw("pass") + slot.to_bytes(2, "big") + raw("x_542")) == V["rotating"]
    assert (len(V["static"]), len(V["rotating"])) == (172, 199)


def test_the_entry_of_a_revocation_list_is_keyed_by_its_salt() -> None:
    assert hmac.digest(raw("list salt"), raw("anchor"), "sha256")[:8] == raw("entry")


def test_our_parser_reads_the_documents_texts() -> None:
    start, at = int(V["epoch start"]), int(V["shown at"])
    keys = Keyring.of([IssuerKey(raw("public key"), frozenset({start}))])
    for text, slot in ((V["static"], None), (V["rotating"], int(V["slot"]))):
        assert parse_pass(text, venue=V["venue"], keys=keys, at=at) == GoPass(raw("anchor"), start, slot)


def test_the_document_names_every_info_string_of_the_code() -> None:
    sources = (Path(__file__).parents[2] / "passes").rglob("*.py")
    pure = [path for path in sources if "codec" in path.parts or path.name == "identity.py"]
    used = {name for path in pure for name in re.findall(r'b"(crowdtrace/v1/\w+)"', path.read_text())}
    assert len(used) == 7
    assert not {name for name in used if name not in DOCUMENT}
