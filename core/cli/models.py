"""`parfocal models`."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the list has no options."""


def run(options: argparse.Namespace) -> int:
    """List the shipped models: task, name, architecture, folder."""
    from parfocal.registry import read_config, shipped_models

    for folder in shipped_models():
        config = read_config(folder)
        print(f"{folder.parent.name}\t{folder.name}\t{config.get('architecture', '')}\t{folder}")
    return 0
