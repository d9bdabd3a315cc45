"""The worked vector of docs/protocol.md, recomputed with the standard library and none of our code.

An implementation written from the document must give these bytes, and so must this project's code.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from passes.codec import GoPass, IssuerKey, Keyring, parse_pass

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # RFC 9285, table 1


def _worked(section: str) -> dict[str, str]:
    block = DOCUMENT.split(f"# {section}\n")[1].split("```")[1]
    return {line[:12].strip(): line[12:] for line in block.strip().splitlines()}


V = _worked("11. A worked vector")
T = _worked("A worked ticket")


def raw(name: str) -> bytes:
    return bytes.fromhex(V[name])


def hkdf(key: bytes, info: bytes) -> bytes:
    """Compute RFC 5869 for one block: extract with a salt of zeros, expand once."""
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


# Tickets -------------------------------------------------------------------------------------------------------------
def ticket(name: str) -> bytes:
    return bytes.fromhex(T[name])


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """Compute RFC 5869, section 2.3."""
    out, block = b"", b""
    for number in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        out += block
    return out[:length]


def spki(n: bytes) -> bytes:
    """Encode by RFC 5280: SEQUENCE of the algorithm rsaEncryption and a bit string with the SEQUENCE of n and e."""
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    numbers = b"\x30\x82\x01\x0a" + b"\x02\x82\x01\x01\x00" + n + b"\x02\x03\x01\x00\x01"
    bits = b"\x03\x82" + (len(numbers) + 1).to_bytes(2, "big") + b"\x00" + numbers
    inner = algorithm + bits
    return b"\x30\x82" + len(inner).to_bytes(2, "big") + inner


def emsa_pss(message: bytes, salt: bytes) -> int:
    """Encode by RFC 8017, section 9.1.1, step by step."""
    m_hash = hashlib.sha384(message).digest()
    h = hashlib.sha384(b"\0" * 8 + m_hash + salt).digest()
    db = b"\0" * (256 - 48 - 48 - 2) + b"\1" + salt
    mask = b"".join(hashlib.sha384(h + bytes([0, 0, 0, number])).digest() for number in range(5))[: len(db)]
    masked = bytes(one ^ other for one, other in zip(db, mask, strict=True))
    return int.from_bytes(bytes([masked[0] & 0x7F]) + masked[1:] + h + b"\xbc", "big")


def test_a_ticket_follows_from_secret_and_key() -> None:
    e, i, n = int(T["epoch start"]).to_bytes(4, "big"), bytes([int(T["i"])]), int(T["n"], 16)
    info = spki(ticket("n"))
    assert (len(info), info[33:-5], hashlib.sha256(info).digest()[:8]) == (294, ticket("n"), ticket("kid"))
    k_ticket = hkdf(ticket("secret"), b"crowdtrace/v1/ticket")
    seed = hkdf(k_ticket, b"crowdtrace/v1/epoch" + e + hashlib.sha256(info).digest())
    assert hmac.digest(seed, b"nonce" + i, "sha256") == ticket("nonce")
    assert expand(seed, b"salt" + i, 48) == ticket("salt")
    r = int.from_bytes(expand(seed, b"blind" + i + b"\0", 272), "big") % n
    assert r == int(T["r"], 16)
    assert b"crowdtrace/v1/ticket" + e + ticket("nonce") == ticket("message")
    encoded = emsa_pss(ticket("message"), ticket("salt"))
    assert encoded * pow(r, 65537, n) % n == int(T["z"], 16)
    assert int(T["answer"], 16) * pow(r, -1, n) % n == int(T["s"], 16)
    assert pow(int(T["s"], 16), 65537, n) == encoded


def test_the_document_gives_the_limits_that_are_set() -> None:
    assert settings.BODY_LIMIT_BYTES_BY_PATH["/api/v1/tickets"] == 98_304
    assert "98,304 bytes" in DOCUMENT


def test_the_document_names_every_info_string_of_the_code() -> None:
    sources = (Path(__file__).parents[2] / "passes").rglob("*.py")
    pure = [path for path in sources if "codec" in path.parts or path.name == "identity.py"]
    used = {name for path in pure for name in re.findall(r'b"(crowdtrace/v1/\w+)"', path.read_text())}
    assert len(used) == 8
    assert not {name for name in used if name not in DOCUMENT}
