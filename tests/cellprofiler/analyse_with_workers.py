"""Runs a pipeline as CellProfiler's window does, in analysis workers: PIPELINE IMAGES OUTPUT WORKERS.

A script of its own, since the analysis needs the main thread of a process that has not started Java yet.
"""

import os
import sys
import threading
from pathlib import Path

import cellprofiler_core.utilities.java
from cellprofiler_core.analysis._analysis import Analysis
from cellprofiler_core.analysis._runner import Runner
from cellprofiler_core.analysis.event import Finished
from cellprofiler_core.analysis.reply import Ack
from cellprofiler_core.analysis.request import Display, ExceptionReport
from cellprofiler_core.measurement import Measurements
from cellprofiler_core.pipeline import Pipeline
from cellprofiler_core.preferences import (
    set_default_image_directory,
    set_default_output_directory,
    set_headless,
    set_plugin_directory,
)
from cellprofiler_core.workspace import Workspace

PLUGINS = Path(__file__).resolve().parents[2] / "cp_plugins"


def main(pipeline_file, images, output, workers):
    set_headless()
    set_plugin_directory(str(PLUGINS), globally=False)
    set_default_image_directory(images)
    set_default_output_directory(output)

    cellprofiler_core.utilities.java.start_java()
    pipeline = Pipeline()
    pipeline.load(pipeline_file)
    pipeline.add_pathnames_to_file_list([str(path) for path in sorted(Path(images).iterdir())])
    measurements = Measurements()
    workspace = Workspace(pipeline, None, measurements, None, measurements, None)
    if not pipeline.prepare_run(workspace):
        sys.exit("the pipeline could not be prepared")
    done, found = threading.Event(), {}

    def hear(event):
        if isinstance(event, Display):
            event.reply(Ack())  # the window would draw; the module has pickled what it shows
        elif isinstance(event, ExceptionReport):
            found["fault"] = event.exc_message
            done.set()
        elif isinstance(event, Finished):
            found["fault"] = "cancelled" if event.cancelled else None
            done.set()

    Analysis(pipeline, initial_measurements=measurements).start(hear, num_workers=int(workers))
    done.wait(240)
    fault = found.get("fault", "the analysis did not end")
    print(fault or "done", file=sys.stderr, flush=True)
    # Workers outlive this process if they are not stopped, and Java's threads would keep it alive.
    for worker in Runner.workers:
        worker.kill()
    os._exit(1 if fault else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
