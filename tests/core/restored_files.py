"""Files that are restored in the process of the test, quickly."""

from __future__ import annotations

from parfocal.batch.files import FileTask
from parfocal.restoration.batch import worker
from parfocal.restoration.result import provenance_text

QUICK = {"method": "richardson_lucy", "iterations": 2}
MARK = provenance_text("richardson_lucy", "0.1", 1, 1)


def restore_here(path, output, **settings):
    """Rows of one file; settings are those of `RestoreSettings`."""
    given = {**QUICK, **settings.pop("given", {})}
    worker.start_worker(worker.RestoreSettings(output, given, **settings))
    return worker.restore_file(FileTask(0, path, path.name.split(".")[0])).images
