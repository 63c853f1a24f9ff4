"""Loading TensorFlow without its talk; a small package of that name stands for it, since itself it is slow to load."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TALK = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795675604.796860   17610 cudart_stub.cc:31] Could not find cuda drivers, GPU will not be used.
2026-11-26 06:43:21.452917: E external/cuda_dnn.cc:9261] Unable to register cuDNN factory
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.
"""


@pytest.fixture
def loaded(tmp_path):
    """What standard error has after `import tensorflow`, and what TensorFlow was told of its log."""
    (tmp_path / "tensorflow").mkdir()

    def load(more, settings):
        talk = f"import os\nos.write(2, {(TALK + 'a line of another library' + chr(10)).encode()!r})\n{more}"
        (tmp_path / "tensorflow" / "__init__.py").write_text(talk)
        code = "from parfocal.training.quiet import silence_tensorflow as f; f(); f(); import tensorflow, os\n"
        code += "import importlib; importlib.reload(tensorflow); print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
        left = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        environment = {**left, "PYTHONPATH": str(tmp_path), **settings}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        return done.stderr, done.stdout.strip()

    return load


def test_the_talk_is_left_out_at_the_first_loading_and_all_else_is_told(loaded):
    told, level = loaded("", {})
    # The second is that of the module when it is loaded anew, as it would be without silence.
    assert told == f"a line of another library\n{TALK}a line of another library\n"
    assert level == "3"


def test_a_setting_of_the_user_holds(loaded):
    told, level = loaded("", {"TF_CPP_MIN_LOG_LEVEL": "0"})
    assert told.startswith(TALK) and level == "0"


def test_what_fails_is_told(loaded):
    told, _ = loaded("raise ImportError('no such library')", {})
    assert "a line of another library" in told and "ImportError: no such library" in told
    assert "cudart_stub" not in told
