"""Down the hash chain of a pass, from a code to its anchor: up to 1,680 hashes a scan, its most expensive step.

Two ways to the same bytes: `hashlib`, always available, and machine code (`passes.codec.chain_compiled`) in processes
that request it. The web server does; its first scan starts the compilation and does not wait for it: compiling takes
seconds the first time on a machine, which neither a start nor a door should notice.
"""

import hashlib
import threading
from collections.abc import Callable
from typing import Final

from passes.limits import SLOTS

CODE_BYTES: Final = 16  # length of an anchor and of every rotating code
_SLOT_NUMBERS: Final = tuple(j.to_bytes(2, "big") for j in range(SLOTS + 1))
_compiled: Callable[[bytes, int, bytes], bytes] | None = None
_wanted = threading.Lock()
_wanted.acquire()  # free once a process asked for machine code, and taken again by whoever makes it ready


def walk(head: bytes, slot: int, code: bytes) -> bytes:
    """`x_0` from `x_slot`. `head`: the 23 bytes that every step hashes before the slot's number and the code."""
    if _compiled is not None:
        return _compiled(head, slot, code)
    if _wanted.acquire(blocking=False):
        threading.Thread(target=_compile, name="compile-chain", daemon=True).start()
    return steps(head, slot, code)[-1]


def steps(head: bytes, slot: int, code: bytes) -> list[bytes]:
    """`x_{slot-1}` down to `x_0`. Copying the hash of the head halves the time of a step."""
    start = hashlib.sha256(head)
    codes = []
    for number in _SLOT_NUMBERS[slot:0:-1]:
        state = start.copy()
        state.update(number + code)
        code = state.digest()[:CODE_BYTES]
        codes.append(code)
    return codes


def compile_when_used() -> None:
    """Have this process walk in machine code, soon after it walked for the first time."""
    if _wanted.locked():
        _wanted.release()


def _compile() -> None:
    global _compiled  # noqa: PLW0603
    from passes.codec.chain_compiled import walk as compiled

    compiled(bytes(23), 1, bytes(CODE_BYTES))  # compiles, or reads what was compiled before
    _compiled = compiled
