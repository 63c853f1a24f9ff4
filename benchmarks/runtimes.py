"""ONNX Runtime, LiteRT (TFLite) and Keras for inference of the default model on one thread.

Prints speed over the 576 patches of a 2048 x 2048 image, cold start (import, load, first batch), installed size, and
the largest difference from Keras. Run in each environment: `.venv/bin/python benchmarks/runtimes.py`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNTIMES = ("onnxruntime", "litert", "keras")
PACKAGES = {"onnxruntime": ("onnxruntime",), "litert": ("ai_edge_litert",), "keras": ("tensorflow", "keras")}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def patches():
    """Return 576 random patches."""
    import numpy as np

    return np.random.default_rng(0).normal(size=(576, 84, 84, 1)).astype(np.float32)


def runner(name: str, folder: Path):
    """Return a function of a batch of patches for one runtime."""
    if name == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(folder / "weights.onnx"), options, providers=["CPUExecutionProvider"]
        )
        return lambda batch: session.run(None, {"patches": batch})[0]
    if name == "litert":
        return _litert_runner(folder)
    from parfocal.focus_quality.network import build_network

    model = build_network("default")
    model.load_weights(str(folder / "keras.weights.h5"))
    import tensorflow as tf

    infer = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
    return lambda batch: infer(tf.constant(batch)).numpy()


def _litert_runner(folder: Path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=1)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (64, 84, 84, 1))
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def run(batch):
        interpreter.set_tensor(source, batch)
        interpreter.invoke()
        return interpreter.get_tensor(target).copy()

    return run


def child(name: str, folder: Path) -> None:
    """Measure one runtime in this process; prints JSON and saves the probabilities."""
    import numpy as np

    batch = patches()
    start = time.perf_counter()
    run = runner(name, folder)
    run(batch[:64])
    cold = time.perf_counter() - start
    times = []
    for _ in range(7):
        start = time.perf_counter()
        probabilities = np.concatenate([run(batch[i : i + 64]) for i in range(0, 576, 64)])
        times.append(time.perf_counter() - start)
    np.save(folder / f"{name}.npy", probabilities)
    print(json.dumps({"cold": cold, "seconds": statistics.median(times)}))


def installed_mib(packages: tuple[str, ...]) -> float:
    """Size of the packages' folders, MiB."""
    total = 0
    for package in packages:
        spec = importlib.util.find_spec(package)
        folder = Path(next(iter(spec.submodule_search_locations)))
        total += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return total / 2**20


def write_models(folder: Path) -> None:
    """Write one untrained default network in the three forms."""
    import tensorflow as tf

    from parfocal.focus_quality.export import write_onnx
    from parfocal.focus_quality.network import build_network

    model = build_network("default", seed=1)
    model.save_weights(str(folder / "keras.weights.h5"))
    write_onnx(model, folder / "weights.onnx")
    signature = [tf.TensorSpec((None, 84, 84, 1), tf.float32)]
    infer = tf.function(lambda batch: model(batch, training=False), input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([infer.get_concrete_function()], model)
    (folder / "model.tflite").write_bytes(converter.convert())


def main() -> None:
    """Measure the runtimes in processes of their own and print the table."""
    import numpy as np

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_models(folder)
        rows = {}
        for runtime in RUNTIMES:
            command = [sys.executable, __file__, runtime, name]
            done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=True)
            rows[runtime] = json.loads(done.stdout.splitlines()[-1])
        reference = np.load(folder / "keras.npy")
        print(f"{'':12} {'s per image':>12} {'cold start s':>13} {'installed MiB':>14} {'difference':>11}")
        for runtime, row in rows.items():
            difference = np.abs(np.load(folder / f"{runtime}.npy") - reference).max()
            size = installed_mib(PACKAGES[runtime])
            print(f"{runtime:12} {row['seconds']:12.3f} {row['cold']:13.2f} {size:14.0f} {difference:11.1e}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        child(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
