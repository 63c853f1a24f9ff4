from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import parfocal

HEAVY = (
    "tensorflow",
    "keras",
    "matplotlib",
    "pandas",
    "onnxruntime",
    "skimage",
    "scipy",
    "imageio",
    "tifffile",
    "rich",
)


def modules_after(code):
    run = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert modules_after("import parfocal").isdisjoint({*HEAVY, "numpy"})


@pytest.mark.parametrize("command", ["measure_image_focus", "restore_defocus", "flag_defocused"])
def test_importing_the_command_loads_nothing_heavy(command):
    assert modules_after(f"from parfocal import {command}").isdisjoint(HEAVY)


def test_the_dialogs_of_fiji_are_made_without_anything_heavy():
    made = "from parfocal.fiji_bridge.commands import COMMANDS; [command.spec for command in COMMANDS]"
    assert modules_after(made).isdisjoint(HEAVY)


@pytest.mark.parametrize("training", ["focus_quality.training", "restoration.training", "sorting.training"])
def test_training_can_be_imported_without_tensorflow(training):
    assert "tensorflow" not in modules_after(f"import parfocal.{training}")


def test_public_names_are_listed_and_found():
    assert set(parfocal.__all__) <= set(dir(parfocal))
    for name in parfocal.__all__:
        assert getattr(parfocal, name).__name__ == name


def test_the_version_is_that_of_the_package():
    assert parfocal.__version__ == version("parfocal")


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'parfocal' has no attribute 'measure_image_fokus'"):
        parfocal.measure_image_fokus  # noqa: B018
