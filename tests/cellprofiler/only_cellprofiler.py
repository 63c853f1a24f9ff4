"""An environment that has CellProfiler as it is locked, and nothing else."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import tomli

ROOT = Path(__file__).resolve().parents[2]
WANTED = ["cellprofiler==4.2.8.1", "setuptools<81"]


def find_uv():
    """The installer that makes the project's environments; None where there is none."""
    own = ROOT / ".venv-uv" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else None)


def environment():
    """Python of the environment, which is made once for a lock file, in a minute or less."""
    folder = ROOT / "build" / f"only-cellprofiler-{hashlib.sha256((ROOT / 'uv.lock').read_bytes()).hexdigest()[:12]}"
    python, made = folder / "bin" / "python", folder / "made"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv = find_uv()
        _run(uv, "venv", "--python", sys.executable, folder)
        _run(uv, "pip", "install", "--python", python, *_as_locked(uv, folder), *WANTED)
        made.touch()
    return python


def _as_locked(uv, folder):
    """Options that hold every package to the version of the lock file."""
    told = tomli.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    locked = [
        "export",
        "--frozen",
        "--no-default-groups",
        "--extra",
        "cellprofiler",
        "--no-emit-project",
        "--no-hashes",
    ]
    files = {
        "--constraint": _run(uv, *locked),
        "--override": "\n".join(told["override-dependencies"]),
        "--build-constraint": "\n".join(told["build-constraint-dependencies"]),
    }
    options = []
    for option, text in files.items():
        path = folder / f"{option.strip('-')}.txt"
        path.write_text(text)
        options += [option, path]
    return options


def _run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return done.stdout
