from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from types import SimpleNamespace

import dask
import pytest
from conftest import table_of, threads_as_workers
from screen_stand_ins import stand_in

from parfocal.cli.screen_progress import line
from parfocal.screen import closing
from parfocal.screen import cluster as clusters
from parfocal.screen import place as places
from parfocal.screen import run as runs
from parfocal.screen.place import Place
from parfocal.screen.screen import screen_files


@pytest.mark.current_python
def test_an_existing_scheduler_gives_the_same_rows(small_screen, tmp_path, done, scheduler):
    screen_files([small_screen], tmp_path / "out", {"restore": True}, scheduler=scheduler)
    assert table_of(tmp_path / "out").equals(table_of(done[0]))


@pytest.mark.current_python
def test_jobs_of_a_queue_give_the_same_rows_and_it_is_told_that_they_are_waited_for(small_screen, tmp_path, done):
    about = {"cores": 1, "processes": 1, "memory": "2GB", "local-directory": str(tmp_path), "interface": "lo"}
    told = []
    before = signal.getsignal(signal.SIGINT)
    with dask.config.set({f"jobqueue.local.{name}": value for name, value in about.items()}):
        screen_files([small_screen], tmp_path / "out", {"restore": True}, jobqueue="local", progress=told.append)
    # dask-jobqueue ends the program at Ctrl-C, wherever it is, from its import on.
    assert signal.getsignal(signal.SIGINT) is before
    assert table_of(tmp_path / "out").equals(table_of(done[0]))
    assert line(told[0]).endswith("files, waiting for the first of 1 jobs of local") and not told[-1].waiting_for


def test_a_scheduler_without_workers_ends_the_run_with_what_to_do(small_screen, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "_PATIENCE_S", 1.0)
    told = pytest.raises(OSError, match="no worker for 1 s; start workers, and go on with --resume")
    with threads_as_workers(0) as cluster, told:
        screen_files([small_screen], tmp_path / "out", scheduler=cluster.scheduler_address)


def test_a_scheduler_that_goes_away_ends_the_run_which_can_be_gone_on_with(tmp_path, monkeypatch, scheduler):
    (tmp_path / "in").mkdir()
    for number in range(30):
        (tmp_path / "in" / f"{number}.tif").touch()
    monkeypatch.setattr(runs, "screen_file", stand_in)
    going = threads_as_workers()

    def leave(told):
        if told.done >= 5:
            going.close()

    with pytest.raises(OSError, match="the scheduler has gone.* go on with --resume"):
        screen_files([tmp_path / "in"], tmp_path / "out", scheduler=going.scheduler_address, progress=leave)
    told = []
    screen_files([], tmp_path / "out", scheduler=scheduler, resume=True, progress=told.append)
    assert told[0].done >= 5 and len(table_of(tmp_path / "out")) == 30


def test_nothing_that_does_not_close_keeps_the_program_from_its_end(monkeypatch):
    monkeypatch.setattr(closing, "_CLOSE_S", 0.2)
    stuck = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    stuck.start()
    cluster = SimpleNamespace(close=threading.Event().wait, workers={0: SimpleNamespace(pid=stuck.pid)})
    closing.ended(cluster)
    stuck.join(30)
    assert stuck.exitcode is not None and not cluster.shutdown_on_close


def test_no_thread_that_a_screen_leaves_keeps_the_program_from_its_end(done):
    left = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    assert not [thread.name for thread in left if "ask" in thread.name or "Profile" in thread.name]
    assert not [child for child in multiprocessing.active_children() if child.pid != os.getpid()]


def test_places_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="got both"):
        Place(scheduler="tcp://a:1", jobqueue="slurm").check()
    with pytest.raises(ValueError, match="slurm, pbs.*got 'cron'"):
        Place(jobqueue="cron").check()


@pytest.mark.parametrize("address", ["foo", "node1:8786", "tcp://node1", "http://node1:8786", "tcp://node1:99999"])
def test_an_address_that_is_none_of_a_scheduler_is_refused(address):
    with pytest.raises(ValueError, match=f"such as tcp://node1:8786 or tls://node1:8786, got '{address}'"):
        Place(scheduler=address).check()


def test_a_package_that_jobs_need_is_told_before_anything_is_written(monkeypatch):
    found = places.find_spec
    monkeypatch.setattr(places, "find_spec", lambda name: None if name == "dask_jobqueue" else found(name))
    with pytest.raises(ImportError, match=r"jobqueue needs dask-jobqueue: .*\[cluster\]"):
        Place(jobqueue="slurm").check()


def test_addresses_of_schedulers_are_taken():
    for address in ("tcp://node1:8786", "tls://node1.lab.org:1", "tcp://[::1]:8786"):
        Place(scheduler=address).check()


def test_a_memory_limit_that_is_no_size_is_refused():
    with pytest.raises(ValueError, match="size such as 2GB, or auto, got 'much'"):
        clusters._memory_limit(Place(memory_limit="much"))
    assert clusters._memory_limit(Place(memory_limit="2GB")) == 2_000_000_000
    assert clusters._memory_limit(Place(4)) == clusters._memory_limit(Place(2)) // 2
