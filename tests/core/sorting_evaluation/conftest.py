from __future__ import annotations

import pytest
from sorting_evaluations import forbid_training, smallest_budget, train_one_step, write_sources

from parfocal.sorting.evaluation import evaluate_sorting


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return write_sources(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def model(folder, tmp_path_factory):
    return train_one_step(folder, tmp_path_factory.mktemp("model") / "sorter")


@pytest.fixture(scope="session")
def arguments(folder, model):
    return smallest_budget(folder, model)


@pytest.fixture
def evaluate(arguments, tmp_path):
    """Evaluate one part in a folder of its own."""

    def run(part, **changes):
        return evaluate_sorting(**{"output": str(tmp_path / "report"), **arguments, "part": part, **changes})

    return run


@pytest.fixture
def no_training(monkeypatch):
    return lambda: forbid_training(monkeypatch)
