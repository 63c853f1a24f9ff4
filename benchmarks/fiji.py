"""Milliseconds per warm call through each way into Fiji, beside `core` alone, and seconds to the first result.

Run in the current environment: `.venv/bin/python benchmarks/fiji.py`. ImageJ 1, SciJava, Groovy and Appose run in one
JVM, with the commands of `parfocal fiji` and the scripts of `parfocal install fiji`, whose worker is a process of its
own. The ways take turns on one thread, in another order in each round. What a way adds is the median of its differences
to `core` in the same round. Calls are those of users, with the row in the Results table and patches over the image.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PARFOCAL_THREADS"), "1")
PARTS = "org.apposed:appose:0.9.0+org.apache.groovy:groovy-jsr223:4.0.28"
COMMANDS = {"measure_image_focus": "Measure Image Focus...", "flag_defocused": "Flag Defocused..."}
# Java compiles what runs often while it runs.
WARM_UP = 20
WAYS = ("core", "module", "macro", "worker")
# As in scripting-groovy, which is not on Maven Central.
GROOVY = """
class GroovyLanguage extends org.scijava.script.AdaptedScriptLanguage {
    GroovyLanguage() { super(new org.codehaus.groovy.jsr223.GroovyScriptEngineFactory()) }
    String getLanguageName() { 'Groovy' }
}
org.scijava.plugin.PluginInfo.create(GroovyLanguage, org.scijava.script.ScriptLanguage)
"""


def write_picture(path: Path) -> None:
    """Write real nuclei as 768 x 512 pixels of 16 bits."""
    import imageio.v3 as iio
    import numpy as np
    import tifffile

    nuclei = iio.imread(Path(__file__).parents[1] / "examples" / "screen" / "images" / "dna_A01.png")
    tifffile.imwrite(path, np.pad(nuclei[:512], [(0, 0), (0, 128)], mode="symmetric").astype(np.uint16) * 10)


class Session:
    """ImageJ with an image in front, and the ways in."""

    def __init__(self, context, path: Path) -> None:
        from jpype import JClass

        self.modules = context.service(JClass("org.scijava.module.ModuleService").class_)
        scripts = context.service(JClass("org.scijava.script.ScriptService").class_)
        self.scripts = {str(info.getMenuPath().getLeaf().getName()): info for info in scripts.getScripts()}
        self.table = JClass("ij.measure.ResultsTable").getResultsTable()
        self.image = JClass("ij.IJ").openImage(str(path))
        JClass("ij.macro.Interpreter").batchMode = True
        JClass("ij.macro.Interpreter").addBatchModeImage(self.image)

    def calls(self, name: str, path: Path) -> dict[str, Callable[[], None]]:
        """What runs a command, by way."""
        return {"core": core_call(name, path), **{way: self.call(way, name) for way in WAYS[1:]}}

    def call(self, way: str, name: str) -> Callable[[], None]:
        """What runs a command through ImageJ, and fails where it adds no row."""
        from jpype import JClass

        nothing, label = JClass("java.util.HashMap")(), COMMANDS[name]
        module, script = self.modules.getModuleById(f"parfocal:{name}"), self.scripts.get(label)
        runs = {
            "module": lambda: self.modules.run(module, True, {"image": self.image}).get(),
            "macro": lambda: JClass("ij.IJ").runMacro(f'run("{label}", "");'),
            "worker": lambda: self.modules.run(script, True, nothing).get(),
        }

        def call() -> None:
            runs[way]()
            assert self.table.size() == 1, f"{way} added {self.table.size()} rows"
            self.table.reset()

        return call


def start_all(folder: Path):
    """Start one JVM for all the ways in: a Fiji that has the scripts, and the bridge beside it; its Context."""
    import jpype
    from jpype import JClass

    from parfocal.fiji_bridge import register
    from parfocal.fiji_bridge.scripts import install

    options = ["--add-opens=java.base/java.lang=ALL-UNNAMED", "-Djava.awt.headless=true"]
    jpype.startJVM(*options, classpath=[str(jar) for jar in fiji_folder(folder)])
    JClass("net.imagej.patcher.LegacyInjector").preinit()
    context = JClass("org.scijava.Context")(False)
    register(context)
    install(folder)
    plugins = context.service(JClass("org.scijava.plugin.PluginService").class_)
    plugins.addPlugin(JClass("groovy.lang.GroovyShell")().evaluate(GROOVY))
    scripts = context.service(JClass("org.scijava.script.ScriptService").class_)
    scripts.addScriptDirectory(JClass("java.io.File")(str(folder / "scripts")))
    return context


def fiji_folder(folder: Path) -> list[Path]:
    """Make the folder of a Fiji with what of it is on Maven Central; its jars."""
    import jgo
    import scyjava

    from parfocal.fiji_bridge.java import choose_java
    from parfocal.fiji_bridge.start import IMAGEJ1

    choose_java()
    resolver = jgo.maven.PythonResolver(lenient=True)
    parts = jgo.build(endpoint=f"{IMAGEJ1}+{PARTS}", cache_dir=scyjava.config.get_cache_dir(), resolver=resolver)
    jars = [*parts.jars_dir.glob("*.jar"), *parts.modules_dir.glob("*.jar")]
    for name in ("jars", "plugins"):
        (folder / name).mkdir(parents=True)
    for jar in jars:
        (folder / "jars" / jar.name).symlink_to(jar)
    return jars


def core_call(name: str, path: Path) -> Callable[[], None]:
    """What runs a command of core on the pixels of a file."""
    import tifffile

    import parfocal

    pixels = tifffile.imread(path)
    return lambda: getattr(parfocal, name)(pixels)


def child_warm(folder: Path, path: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of warm calls, by command and way."""
    session, order = Session(start_all(folder), path), random.Random(0)
    taken = {name: {way: [] for way in WAYS} for name in COMMANDS}
    for name in COMMANDS:
        calls = session.calls(name, path)
        for number in range(-WARM_UP, rounds):
            for way in order.sample(WAYS, len(WAYS)):
                start = time.perf_counter()
                calls[way]()
                if number >= 0:
                    taken[name][way].append(1000 * (time.perf_counter() - start))
    return taken


def child_start(way: str, folder: Path, path: Path, spawned: float) -> dict[str, float]:
    """Seconds from the start of this process until commands can be called, and of the first call."""
    from parfocal.fiji_bridge import start_imagej
    from parfocal.fiji_bridge.start import IMAGEJ1

    name = next(iter(COMMANDS))
    if way == "core":
        call = core_call(name, path)
    else:
        context = start_all(folder) if way == "worker" else start_imagej(endpoint=IMAGEJ1)
        call = Session(context, path).call(way, name)
    ready = time.time()
    call()
    return {"ready": ready - spawned, "first": time.time() - ready}


def child(given: argparse.Namespace) -> None:
    """Run one part in this process and print its figures, once the JVM has nothing more to say."""
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name) / "Fiji.app", Path(given.picture)
        warm = given.child == "warm"
        found = (
            child_warm(folder, path, given.rounds) if warm else child_start(given.child, folder, path, given.spawned)
        )
        print(json.dumps(found), flush=True)
        os._exit(0)  # the worker ends with its input


def run_child(part: str, path: Path, rounds: int, environment: dict[str, str]) -> dict:
    """Figures of a part in a process of its own."""
    command = [sys.executable, __file__, "--child", part, "--picture", str(path), "--rounds", str(rounds)]
    command += ["--spawned", str(time.time())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def compare(rounds: int, starts: int) -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "picture.tif"
        write_picture(path)
        # Bytecode is kept, as for users, in a folder of its own.
        environment = {**os.environ, **ONE_THREAD, "PYTHONPYCACHEPREFIX": f"{name}/bytecode"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        warm = run_child("warm", path, rounds, environment)
        print(f"768 x 512 pixels, 16 bit, one thread, {rounds} rounds; ms per warm call")
        print(f"{'':22} " + " ".join(f"{way:>8} {'adds':>6} {'(quartiles)':>15}" for way in WAYS))
        for command, taken in warm.items():
            print(f"{command:22} " + " ".join(_told(taken[way], taken["core"]) for way in WAYS))
        print(f"\n{'':8} {'s until commands can be called':>31} {'s of the first call':>20}")
        for way in WAYS:
            found = [run_child(way, path, rounds, environment) for _ in range(starts)]
            ready, first = (statistics.median(run[key] for run in found) for key in ("ready", "first"))
            print(f"{way:8} {ready:31.2f} {first:20.2f}", flush=True)


def _told(taken: list[float], core: list[float]) -> str:
    added = [own - alone for own, alone in zip(taken, core)]
    low, middle, high = statistics.quantiles(added, n=4)
    return f"{statistics.median(taken):8.1f} {middle:6.1f} {f'({low:.1f}, {high:.1f})':>15}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--child", choices=("warm", *WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--picture", default="", help=argparse.SUPPRESS)
    parser.add_argument("--spawned", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options)
    else:
        compare(options.rounds, options.starts)
