"""The walk down a hash chain as machine code: SHA-256 (FIPS 180-4), one block a step.

A step hashes 41 bytes: with its padding that is exactly one block of 16 words, of which only words 5 to 10 (slot and
code, from byte 23 on) change from step to step. `hashlib` needs 0.7 us for it, nearly all of it for making and closing
a hash; this needs 0.26 us and lets other threads run meanwhile.

Compiling takes 4-5 s once a machine; the result is cached beside this file where that is writable.
"""

import math

import numpy as np
from numba import uint32

from crowdtrace.common.compiled import compiled

STEP_BYTES = 41

# FIPS 180-4, sections 4.2.2 and 5.3.3: fractions of the cube roots of the first 64 primes, and of the square roots of
# the first 8. Doubles hold them with more than ten bits to spare.
_PRIMES = [n for n in range(2, 312) if all(n % d for d in range(2, math.isqrt(n) + 1))]
_K = np.array([int(n ** (1 / 3) % 1 * 2**32) for n in _PRIMES], np.uint32)
_START = np.array([int(math.sqrt(n) % 1 * 2**32) for n in _PRIMES[:8]], np.uint32)


def walk(head: bytes, slot: int, code: bytes) -> bytes:
    """`x_0` from `x_slot`; `head` (23 bytes) is what every step hashes before the slot's number."""
    block = np.frombuffer(head + bytes(64 - len(head) - 2) + (STEP_BYTES * 8).to_bytes(2, "big"), ">u4")
    words = np.frombuffer(code, ">u4").astype(np.uint32)
    _walk(block.astype(np.uint32), words, slot)
    return words.astype(">u4").tobytes()


@compiled
def _rotate(x: np.uint32, n: np.uint32) -> np.uint32:
    return uint32(uint32(x >> n) | uint32(x << uint32(uint32(32) - n)))


@compiled
def _walk(block: np.ndarray, code: np.ndarray, slot: int) -> None:
    """Hash `code` (four words) down to slot 0, in place."""
    w = np.empty(64, np.uint32)
    c0, c1, c2, c3 = code[0], code[1], code[2], code[3]
    for j in range(slot, 0, -1):
        for i in range(16):
            w[i] = block[i]
        w[5] = uint32(w[5] | uint32(j >> 8))
        w[6] = uint32(uint32(uint32(j) << uint32(24)) | uint32(c0 >> uint32(8)))
        w[7] = uint32(uint32(c0 << uint32(24)) | uint32(c1 >> uint32(8)))
        w[8] = uint32(uint32(c1 << uint32(24)) | uint32(c2 >> uint32(8)))
        w[9] = uint32(uint32(c2 << uint32(24)) | uint32(c3 >> uint32(8)))
        w[10] = uint32(uint32(c3 << uint32(24)) | uint32(0x800000))
        for i in range(16, 64):
            x, y = w[i - 15], w[i - 2]
            s0 = _rotate(x, uint32(7)) ^ _rotate(x, uint32(18)) ^ uint32(x >> uint32(3))
            s1 = _rotate(y, uint32(17)) ^ _rotate(y, uint32(19)) ^ uint32(y >> uint32(10))
            w[i] = uint32(w[i - 16] + s0 + w[i - 7] + s1)
        a, b, c, d = _START[0], _START[1], _START[2], _START[3]
        e, f, g, h = _START[4], _START[5], _START[6], _START[7]
        for i in range(64):
            s1 = _rotate(e, uint32(6)) ^ _rotate(e, uint32(11)) ^ _rotate(e, uint32(25))
            choice = uint32(g ^ uint32(e & uint32(f ^ g)))
            t1 = uint32(h + s1 + choice + _K[i] + w[i])
            s0 = _rotate(a, uint32(2)) ^ _rotate(a, uint32(13)) ^ _rotate(a, uint32(22))
            majority = uint32(uint32(a & b) | uint32(c & uint32(a | b)))
            h, g, f, e = g, f, e, uint32(d + t1)
            d, c, b, a = c, b, a, uint32(t1 + s0 + majority)
        c0, c1, c2, c3 = uint32(a + _START[0]), uint32(b + _START[1]), uint32(c + _START[2]), uint32(d + _START[3])
    code[0], code[1], code[2], code[3] = c0, c1, c2, c3
