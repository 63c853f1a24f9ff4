"""`parfocal label`."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from pathlib import Path

from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec
from parfocal.labels.command import label_images
from parfocal.labels.session import LabelSession

# Waiting without an end cannot be interrupted on Windows.
_PATIENCE_S = 0.5


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: those of the session from its definition, those of the window here."""
    add_command_options(parser, command_spec(label_images), positional=("folder",))
    parser.add_argument(
        "--report", action="store_true", help="say what is labelled and how well answers agree, and end"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address of the page and open no browser, such as over SSH"
    )
    parser.add_argument("--port", type=int, default=0, metavar="NUMBER", help="port of the page (default: a free one)")


def run(options: argparse.Namespace) -> int:
    """Label, and say what came out."""
    from parfocal.labels.agreement import summary_lines
    from parfocal.labels.table import TABLE, read_labels

    given = given_arguments(options, command_spec(label_images))
    if options.report:
        table = given.get("labels") or Path(options.folder) / TABLE
        print("\n".join(summary_lines(read_labels(table))))
        return 0
    if not 0 <= options.port <= 65535:
        raise ValueError(f"port must be in [0, 65535], got {options.port}")
    session = label_images(**given)
    try:
        _label(session, options.port, not options.no_browser)
    finally:
        session.pictures.close()
    for file, reason in session.unreadable.items():
        print(f"left out: {file}: {reason}", file=sys.stderr)
    print("\n".join(summary_lines(session.rows)))
    print(f"labels in {session.writer.path}" if session.rows else "nothing was written")
    return 0


def _label(session: LabelSession, port: int, browser: bool) -> None:
    """Serve the page until the person finishes there, or here with Ctrl-C; nothing is opened where nothing is left."""
    from parfocal.labels.server import LabelServer

    if session.view() is None:
        print("every image has an answer")
        return
    server = LabelServer(session, port)
    server.start()
    print(
        f"label here: {server.url}\nFinish on the page, or Ctrl-C here, ends; every answer is saved at once", flush=True
    )
    try:
        if browser:
            webbrowser.open(server.url)
        while not server.finished.wait(_PATIENCE_S):
            pass
    except KeyboardInterrupt:
        print()  # below the ^C
    finally:
        server.close()
