"""Walk the hash chain of a pass from a code to its anchor: up to 1,680 hashes per scan, its most expensive step.

There are two implementations with the same bytes: `hashlib`, always available, and machine code
(`passes.codec.chain_compiled`) in processes that request it. The web server does; its first scan starts the compilation
and does not wait for it, because compiling takes seconds the first time on a machine, which must not delay a start or a
door.
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
_wanted.acquire()  # released when the process requests machine code, and acquired by the thread that compiles it


def walk(head: bytes, slot: int, code: bytes) -> bytes:
    """Return `x_0` from `x_slot`. `head`: the 23 bytes that every step hashes before the slot's number and the code."""
    if _compiled is not None:
        return _compiled(head, slot, code)
    if _wanted.acquire(blocking=False):
        threading.Thread(target=_compile, name="compile-chain", daemon=True).start()
    return steps(head, slot, code)[-1]


def steps(head: bytes, slot: int, code: bytes) -> list[bytes]:
    """Return `x_{slot-1}` down to `x_0`. Copying the hash of the head halves the time of a step."""
    start = hashlib.sha256(head)
    codes = []
    for number in _SLOT_NUMBERS[slot:0:-1]:
        state = start.copy()
        state.update(number + code)
        code = state.digest()[:CODE_BYTES]
        codes.append(code)
    return codes


def compile_when_used() -> None:
    """Make this process use machine code, soon after it walked for the first time."""
    if _wanted.locked():
        _wanted.release()


def _compile() -> None:
    global _compiled  # noqa: PLW0603
    from passes.codec.chain_compiled import walk as compiled

    compiled(bytes(23), 1, bytes(CODE_BYTES))  # compiles, or loads the cached code
    _compiled = compiled
