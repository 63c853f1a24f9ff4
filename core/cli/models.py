"""`parfocal models`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the list has no options."""


def run(options: argparse.Namespace) -> int:
    """List the shipped models: task, name, architecture, folder."""
    from parfocal.registry import read_config

    for folder in shipped_models():
        config = read_config(folder)
        print(f"{folder.parent.name}\t{folder.name}\t{config.get('architecture', '')}\t{folder}")
    return 0


def shipped_models() -> list[Path]:
    """Folders of the models that come with the package, `<task>/<name>`."""
    import parfocal.models

    home = Path(next(iter(parfocal.models.__path__)))
    return sorted(config.parent for config in home.glob("*/*/config.json"))
