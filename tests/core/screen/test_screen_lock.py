from __future__ import annotations

import os

import pytest

from parfocal.screen import lock
from parfocal.screen.lock import NAME, only_run


def test_a_folder_is_held_by_one_and_nothing_stays_in_it(tmp_path):
    with only_run(tmp_path):
        with pytest.raises(BlockingIOError, match="written by another run"), only_run(tmp_path):
            pass
        assert (tmp_path / NAME).exists(), "whoever is refused leaves the lock alone"
    assert os.listdir(tmp_path) == []


def test_what_a_killed_run_has_left_holds_nobody_off(tmp_path):
    (tmp_path / NAME).touch()
    with only_run(tmp_path):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
def test_who_waited_at_a_file_that_was_taken_away_holds_the_new_one(tmp_path, monkeypatch):
    held, lock_it = [], lock._lock

    def late(descriptor):
        if not held:
            (tmp_path / NAME).unlink()  # the run before ends between opening and locking
        held.append(descriptor)
        lock_it(descriptor)

    monkeypatch.setattr(lock, "_lock", late)
    with only_run(tmp_path), pytest.raises(BlockingIOError), only_run(tmp_path):
        pass
    assert len(held) == 3
