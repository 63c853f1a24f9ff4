from __future__ import annotations

import signal


def pytest_configure():
    """Let Ctrl-C through: what a script runs in the background ignores it, and so would all that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
