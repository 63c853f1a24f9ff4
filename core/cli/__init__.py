"""The command line `parfocal`.

Each subcommand is a module with `add_options(parser)` and `run(options) -> int`; it is imported only when it is called,
so that `parfocal --help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Any, NoReturn, Optional

SUBCOMMANDS = {
    "measure": ("parfocal.cli.measure", "measure the focus of images in files and folders"),
    "beads": ("parfocal.cli.beads", "find the reference focal plane from z-stacks of beads"),
    "calibrate-beads": (
        "parfocal.cli.calibrate_beads",
        "train a distance model for your own instrument from z-stacks of beads",
    ),
    "sort": ("parfocal.cli.sort", "sort sharp from defocused images in files and folders"),
    "restore": ("parfocal.cli.restore", "restore defocused images in files and folders"),
    "screen": ("parfocal.cli.screen", "measure, flag and restore all images of a screen, on one machine or many"),
    "hold-focus": ("parfocal.cli.hold_focus", "hold the focus of a microscope by the images of its sample"),
    "calibrate": ("parfocal.cli.calibrate", "adapt a focal-position model to your sample, at the microscope"),
    "fiji": ("parfocal.cli.fiji", "start Fiji with the commands in its menu"),
    "install": ("parfocal.cli.install", "put the commands into another program, such as a Fiji"),
    "uninstall": ("parfocal.cli.uninstall", "take the commands out of another program again"),
    "label": ("parfocal.cli.label", "label images as sharp, defocused or unusable, by a person"),
    "summarise": ("parfocal.cli.summarise", "draw a plate map from a table of measurements"),
    "report": ("parfocal.cli.report", "write the report of a screen, or of a table of measurements, as one HTML file"),
    "train": ("parfocal.cli.train", "train a model from a folder of images"),
    "evaluate": ("parfocal.cli.evaluate", "evaluate a model on a folder of images"),
    "models": ("parfocal.cli.models", "list the models that are installed"),
    "export": ("parfocal.cli.export", "write a model as a package that others can use"),
    "doctor": ("parfocal.cli.doctor", "say what works here, and what to do about the rest"),
    "spec": ("parfocal.cli.spec", "print the commands with their parameters as JSON"),
}
# Packages of the extra `train`; other errors of imports say themselves what is missing.
_OF_TRAINING = ("tensorflow", "tf2onnx", "onnx", "keras")
USER_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


class _Formatter(argparse.HelpFormatter):
    """Breaks no names of options at the end of a line."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


class _Parser(argparse.ArgumentParser):
    """Ends with the same one line as every other error of the user."""

    # Command whose help is to be read: an option that a subcommand does not know is told by the parser above it.
    called = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **options})

    def error(self, message: str) -> NoReturn:
        helpful = f"{self.prog} {self.called}".rstrip()
        self.exit(USER_ERROR, f"{self.prog}: error: {message}\nTry: {helpful} --help\n")


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        0 when done, 2 for an error that the user can mend (one line on stderr says how), 130 when interrupted, 141 when
        the reader of the output has gone.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Its errors reach Python as exceptions, and its talk of processors and drivers tells a user nothing.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        options = _parser(arguments[0] if arguments else "").parse_args(arguments)
        return int(options.run(options))
    except SystemExit as stop:  # argparse's way to end after --help, --version and its errors
        return int(stop.code or 0)
    except KeyboardInterrupt:
        print("parfocal: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has stopped; the interpreter must not fail once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (ValueError, OSError, ImportError, MemoryError) as error:
        return _say(error)
    except RuntimeError as error:
        from parfocal.focus_control.microscope import MicroscopeError
        from parfocal.registry import ModelError

        if isinstance(error, (ModelError, MicroscopeError)):
            return _say(error)
        raise


def _say(error: BaseException) -> int:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ImportError) and (error.name or "").split(".")[0] in _OF_TRAINING:
        from parfocal.install.packages import extra_command

        text = f"{text}: training needs TensorFlow: {extra_command('train')}"
    if isinstance(error, FileExistsError):
        from parfocal.batch.files import OutputExists

        text += ", or give --overwrite" * isinstance(error, OutputExists)
    print(f"parfocal: error: {text}", file=sys.stderr)
    return USER_ERROR


def _parser(called: str) -> argparse.ArgumentParser:
    parser = _Parser(prog="parfocal", description="Measure how far microscope images are out of focus.")
    parser.add_argument("--version", action="version", version=f"parfocal {metadata.version('parfocal')}")
    parser.called = called if called in SUBCOMMANDS else ""
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name, (home, summary) in SUBCOMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name == called:
            module = import_module(home)
            subparser.set_defaults(run=module.run)
            module.add_options(subparser)
    return parser
