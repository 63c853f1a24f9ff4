"""The commands of core that ImageJ has, under which name, and what it does with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from parfocal.commands import CommandSpec, command_spec

MENU = ("Plugins", "Parfocal")


@dataclass(frozen=True)
class ImageJCommand:
    """A command of core as ImageJ has it; nothing is imported before it is wanted.

    Attributes
    ----------
    label : str
        In the menu and in macros, there with or without the dots at its end.
    function : str
        Home of the command of core, `module:name`.
    front : str
        Home of what reads in, calls the command and writes out: takes the command and its arguments.
    """

    label: str
    function: str
    front: str

    @property
    def spec(self) -> CommandSpec:
        """Definition of the command."""
        return command_spec(_load(self.function))

    def run(self, arguments: dict[str, Any]) -> None:
        """Run it with these arguments; errors are the caller's to show."""
        _load(self.front)(_load(self.function), arguments)


def named(label: str) -> str:
    """A label as it is looked up: dots at its end do not count."""
    return label.rstrip(".")


def _load(home: str) -> Callable[..., Any]:
    module, name = home.split(":")
    return getattr(import_module(module), name)


COMMANDS = (
    ImageJCommand(
        "Label Images...",
        "parfocal.labels.command:label_images",
        "parfocal.fiji_bridge.labelling:label_in_window",
    ),
)
