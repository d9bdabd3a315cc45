"""Ask the kernel for SIGTERM when the parent dies, then become the given program.

    python tether.py PARENT PROGRAM ARGUMENT...

This is a separate script because a process with threads must not run Python between fork and exec. Only Linux supports
it; elsewhere the program starts anyway, and the next start ends what the records name.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(parent: int, command: list[str]) -> None:
    """Tie this process to its parent, and become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the line above took effect
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the supervisor's own command line


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
