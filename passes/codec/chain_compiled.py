"""The walk down a hash chain as machine code: SHA-256 (FIPS 180-4), one block per step.

A step hashes 41 bytes: with padding exactly one block of 16 words, of which only words 5 to 10 (slot and code, from
byte 23 on) change from step to step. `hashlib` needs 0.7 us for it, mostly to create and finalise a hash. This
implementation releases the GIL, and needs 0.04 us if the processor has instructions for SHA-256 (x86 since Goldmont,
Zen and Ice Lake), 0.2 us otherwise.

Compiling takes 1.5 to 5 s once for each machine; the result is cached next to this file if that is writable. Everything
is in this file, because the cache does not notice changes in other files.
"""

import math
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types, uint32
from numba.core import config
from numba.extending import intrinsic

from common.compiled import compiled

STEP_BYTES = 41

# FIPS 180-4, sections 4.2.2 and 5.3.3: fractions of the cube roots of the first 64 primes, and of the square roots of
# the first 8. Doubles hold them with more than ten bits to spare.
_PRIMES = [n for n in range(2, 312) if all(n % d for d in range(2, math.isqrt(n) + 1))]
_K = np.array([int(n ** (1 / 3) % 1 * 2**32) for n in _PRIMES], np.uint32)
_START = np.array([int(math.sqrt(n) % 1 * 2**32) for n in _PRIMES[:8]], np.uint32)


def walk(head: bytes, slot: int, code: bytes) -> bytes:
    """Return `x_0` from `x_slot`; `head` (23 bytes) is what every step hashes before the slot's number."""
    block = np.frombuffer(head + bytes(64 - len(head) - 2) + (STEP_BYTES * 8).to_bytes(2, "big"), ">u4")
    words = np.frombuffer(code, ">u4").astype(np.uint32)
    way = _walk_by_instructions if HAS_INSTRUCTIONS else _walk_by_rounds
    way(block.astype(np.uint32), words, slot)
    return words.astype(">u4").tobytes()


@compiled
def _fill(w: np.ndarray, slot: int, code: np.ndarray) -> None:
    """Put slot and code after the head's last three bytes, followed by the terminating bit."""
    c0, c1, c2, c3 = code[0], code[1], code[2], code[3]
    w[5] = uint32(uint32(w[5] & uint32(0xFFFFFF00)) | uint32(slot >> 8))
    w[6] = uint32(uint32(uint32(slot) << uint32(24)) | uint32(c0 >> uint32(8)))
    w[7] = uint32(uint32(c0 << uint32(24)) | uint32(c1 >> uint32(8)))
    w[8] = uint32(uint32(c1 << uint32(24)) | uint32(c2 >> uint32(8)))
    w[9] = uint32(uint32(c2 << uint32(24)) | uint32(c3 >> uint32(8)))
    w[10] = uint32(uint32(c3 << uint32(24)) | uint32(0x800000))


# With the processor's own instructions --------------------------------------------------------------------------------
_settings: Any = config


def _has_instructions() -> bool:
    """Return whether numba compiles for a processor with SHA-256 instructions: this one, by default."""
    for_another = _settings.CPU_NAME or _settings.CPU_FEATURES is not None
    if for_another or not binding.get_default_triple().startswith("x86_64"):
        return False
    try:
        return bool(binding.get_host_cpu_features().get("sha"))
    except RuntimeError:  # the machine does not report it
        return False


HAS_INSTRUCTIONS = _has_instructions()
_FOUR_WORDS = ir.VectorType(ir.IntType(32), 4)


@intrinsic
def _hash_block(typing: Any, block: Any, code: Any) -> Any:  # noqa: ARG001 - numba's calling convention
    """Write the first four words of the hash of `block` (16 words) to `code`, as LLVM code.

    The instructions keep the state as two vectors, (f, e, b, a) and (h, g, d, c), and make two rounds each.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (
            builder.bitcast(context.make_array(kind)(context, builder, value).data, _FOUR_WORDS.as_pointer())
            for kind, value in zip(signature.args, arguments, strict=True)
        )

        def words(*values: int) -> Any:
            return ir.Constant(_FOUR_WORDS, list(values))

        def instruction(name: str, *operands: Any) -> Any:
            kind = ir.FunctionType(_FOUR_WORDS, [_FOUR_WORDS] * len(operands))
            full_name = f"llvm.x86.sha256{name}"
            function = builder.module.globals.get(full_name) or ir.Function(builder.module, kind, full_name)
            return builder.call(function, operands)

        def chosen(one: Any, other: Any, *places: int) -> Any:
            return builder.shuffle_vector(one, other, words(*places))

        def four_words_at(place: int) -> Any:
            loaded = builder.load(builder.gep(source, [ir.IntType(32)(place)]))
            loaded.align = 4
            return loaded

        a, b, c, d, e, f, g, h = (int(word) for word in _START)
        first, second = words(f, e, b, a), words(h, g, d, c)
        schedule = [four_words_at(place) for place in range(4)]
        for group in range(16):  # of four rounds
            added = builder.add(schedule[group], words(*(int(k) for k in _K[4 * group : 4 * group + 4])))
            second = instruction("rnds2", second, first, added)
            first = instruction("rnds2", first, second, chosen(added, added, 2, 3, 0, 1))
            if group < 12:
                before = schedule[group:]
                mixed = builder.add(instruction("msg1", *before[:2]), chosen(before[2], before[3], 1, 2, 3, 4))
                schedule.append(instruction("msg2", mixed, before[3]))
        first = builder.add(first, words(f, e, b, a))
        second = builder.add(second, words(h, g, d, c))
        builder.store(chosen(first, second, 3, 2, 7, 6), target).align = 4
        return context.get_dummy_value()

    return types.void(block, code), generate


@compiled
def _walk_by_instructions(block: np.ndarray, code: np.ndarray, slot: int) -> None:
    """Hash `code` (four words) down to slot 0, in place."""
    for j in range(slot, 0, -1):
        _fill(block, j, code)
        _hash_block(block, code)  # type: ignore[call-arg]  # numba passes the first argument


# Without --------------------------------------------------------------------------------------------------------------
@compiled
def _rotate(x: np.uint32, n: np.uint32) -> np.uint32:
    return uint32(uint32(x >> n) | uint32(x << uint32(uint32(32) - n)))


@compiled
def _walk_by_rounds(block: np.ndarray, code: np.ndarray, slot: int) -> None:
    """Hash `code` down to slot 0, in place, round by round."""
    w = np.empty(64, np.uint32)
    w[:16] = block
    for j in range(slot, 0, -1):
        _fill(w, j, code)
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
        code[0], code[1] = uint32(a + _START[0]), uint32(b + _START[1])
        code[2], code[3] = uint32(c + _START[2]), uint32(d + _START[3])
