from __future__ import annotations

import dask
import pytest
from conftest import table_of
from distributed import LocalCluster

from parfocal.screen import screen as screens
from parfocal.screen.cluster import Place
from parfocal.screen.screen import screen_files


@pytest.fixture(scope="module")
def local(small_screen, tmp_path_factory):
    output = tmp_path_factory.mktemp("local") / "out"
    screen_files([small_screen], output, workers=1)
    return table_of(output)


def test_an_existing_scheduler_gives_the_same_rows(small_screen, tmp_path, local):
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None, host="127.0.0.1") as cluster:
        screen_files([small_screen], tmp_path / "out", scheduler=cluster.scheduler_address)
    assert table_of(tmp_path / "out").equals(local)


def test_jobs_of_a_queue_give_the_same_rows(small_screen, tmp_path, local):
    about = {"cores": 1, "processes": 1, "memory": "2GB", "local-directory": str(tmp_path), "interface": "lo"}
    with dask.config.set({f"jobqueue.local.{name}": value for name, value in about.items()}):
        screen_files([small_screen], tmp_path / "out", jobqueue="local")
    assert table_of(tmp_path / "out").equals(local)


def test_a_scheduler_without_workers_ends_the_run_with_what_to_do(small_screen, tmp_path, monkeypatch):
    monkeypatch.setattr(screens, "_PATIENCE_S", 1.0)
    told = pytest.raises(OSError, match="no worker for 1 s; start workers, and go on with --resume")
    with LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1") as cluster, told:
        screen_files([small_screen], tmp_path / "out", scheduler=cluster.scheduler_address)


def test_places_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="got both"):
        Place(scheduler="tcp://a:1", jobqueue="slurm").check()
    with pytest.raises(ValueError, match="slurm, pbs.*got 'cron'"):
        Place(jobqueue="cron").check()
