"""Values of Python as JSON and arrays, and back as they were: for whole results of commands.

What comes out has the types that went in, and floats are the same to the last bit. Nothing is unpickled: of classes
only frozen dataclasses of Parfocal go over, by their fields.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

_OURS = "parfocal."


def encode(value: Any, put: Callable[[np.ndarray], dict[str, Any]]) -> Any:
    """A value as JSON.

    Parameters
    ----------
    value
        None, bool, int, float, str, path, number or array of numpy, frozen dataclass of Parfocal; or tuple, sequence
        (which comes out as list) or mapping of them.
    put : callable
        Takes an array; what it gives back stands for it.

    Raises
    ------
    TypeError
        Where it is something else.
    """
    # By the very type: numpy's numbers and enumerations derive from these.
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (np.ndarray, np.generic)):
        return {"array" if isinstance(value, np.ndarray) else "number": put(np.asarray(value))}
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, Mapping):
        return {"dict": [[encode(part, put) for part in pair] for pair in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [encode(part, put) for part in value]}
    if isinstance(value, Sequence):
        return [encode(value[index], put) for index in range(len(value))]
    return {"class": _name_of(type(value)), "fields": encode(_fields_of(value), put)}


def decode(told: Any, take: Callable[[Mapping[str, Any]], np.ndarray]) -> Any:
    """The value that `encode` was given; `take` gives an array for what `put` gave back.

    Raises
    ------
    ValueError
        Where it is none.
    """
    if isinstance(told, list):
        return [decode(part, take) for part in told]
    if not isinstance(told, Mapping):
        return told
    if "class" in told:
        return _made(str(told["class"]), decode(told["fields"], take))
    kind, content = next(iter(told.items()), ("", None))
    if kind not in _READERS:
        raise ValueError(f"no value that goes between processes: {str(told)[:200]}")
    return _READERS[kind](content, take)


_READERS: dict[str, Callable[[Any, Any], Any]] = {
    "float": lambda content, take: float(content),
    "array": lambda content, take: take(content),
    "number": lambda content, take: take(content)[()],
    "path": lambda content, take: Path(content),
    "dict": lambda content, take: {decode(name, take): decode(part, take) for name, part in content},
    "tuple": lambda content, take: tuple(decode(part, take) for part in content),
}


def _name_of(kind: type) -> str:
    name = f"{kind.__module__}:{kind.__qualname__}"
    if not _is_ours(kind):
        raise TypeError(f"{name} does not go between processes: it is no frozen dataclass of Parfocal")
    return name


def _is_ours(kind: Any) -> bool:
    frozen = isinstance(kind, type) and is_dataclass(kind) and vars(kind)["__dataclass_params__"].frozen
    return frozen and kind.__module__.startswith(_OURS)


def _fields_of(value: Any) -> dict[str, Any]:
    return {part.name: getattr(value, part.name) for part in fields(value)}


def _made(name: str, values: dict[str, Any]) -> Any:
    module, _, qualified = name.partition(":")
    if not module.startswith(_OURS):
        raise ValueError(f"no class of Parfocal: {name}")
    import_module(module)
    kind: Any = getattr(sys.modules[module], qualified, None)
    if not _is_ours(kind):
        raise ValueError(f"no frozen dataclass of Parfocal: {name}")
    known = {part.name for part in fields(kind)}
    if set(values) != known:
        raise ValueError(f"{name} has the fields {sorted(known)} here and {sorted(values)} there: versions differ")
    return kind(**values)
