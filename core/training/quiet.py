"""TensorFlow without its talk of processors and drivers."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Optional

_SETTING, _ERRORS_TOO = "TF_CPP_MIN_LOG_LEVEL", "3"
# What it writes before its setting counts, as it is loaded; errors reach Python as exceptions.
_TALK = re.compile(
    r"WARNING: All log messages before absl|[IWE]\d{4} |\d{4}-\d\d-\d\d .*: [IWE] |To enable the following"
)


def silence_tensorflow() -> None:
    """Have TensorFlow say nothing when it is loaded, whenever that will be; a user's own setting of its log holds."""
    if _SETTING not in os.environ and "tensorflow" not in sys.modules:
        os.environ[_SETTING] = _ERRORS_TOO
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds TensorFlow as ever, once, and has it loaded in silence."""

    def find_spec(
        self, name: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        """As finders of Python do."""
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            _quieten(spec.loader)
        return spec


def _quieten(loader: Any) -> None:
    load = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module
        with _without_talk():
            load(module)

    loader.exec_module = exec_module


@contextmanager
def _without_talk() -> Iterator[None]:
    """Keep what is written to standard error meanwhile, by libraries too, and write all but the talk afterwards."""
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            kept.seek(0)
            told = kept.read().decode(errors="replace").splitlines(keepends=True)
            sys.stderr.write("".join(line for line in told if not _TALK.match(line)))
