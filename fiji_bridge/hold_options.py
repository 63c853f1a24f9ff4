"""What macros and scripts say beside the parameters of holding focus."""

from __future__ import annotations

from parfocal.commands import Param, ParameterSpec

START, PAUSE, STOP, SHOW = "start", "pause", "stop", "show"
ACTION = ParameterSpec(
    "action",
    "str",
    START,
    False,
    "`start` holds focus, or goes on where it is paused; `pause` takes no look meanwhile; `stop` ends and leaves the "
    "focus device where it is; `show` opens the window.",
    Param(choices=(START, PAUSE, STOP, SHOW), label="Action"),
)
