from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import bead_files as bf
import pandas as pd
import pytest

import parfocal.beads.batch.measure
from parfocal.beads.batch.history import HEADER, HistoryEntry, append_history, last_entry, read_history
from parfocal.beads.batch.targets import Target
from parfocal.beads.batch.verdict import Limits, judge
from parfocal.beads.field import FieldShape
from parfocal.beads.result import BeadFocalPlane
from parfocal.cli import main

pytestmark = pytest.mark.current_python

NAN = float("nan")


@pytest.fixture
def entry():
    date = datetime(2024, 11, 20, 14, 30)
    return HistoryEntry(
        date, "scope", "a, b.tif", "bright_field", "stage", 28.5, 9339.25, 9339.0, 9339.5, 1.5, 8, "ok", "pass"
    )


def test_history_comes_back_as_it_was_written_and_grows(tmp_path, entry):
    path = tmp_path / "new" / "history.csv"
    without = replace(entry, reference_focal_plane_um=NAN, status="no_content")
    append_history(path, [entry])
    append_history(path, [replace(entry, targets="cells=+12", target_z_um="9351.25"), without])
    first, second, third = read_history(path)
    assert first == entry
    assert second.targets == "cells=+12"
    assert third.reference_focal_plane_um != third.reference_focal_plane_um
    assert path.read_text().count("date,") == 1


def test_what_is_in_a_history_stays_byte_by_byte(tmp_path, entry):
    path = tmp_path / "history.csv"
    append_history(path, [entry])
    before = b"\xef\xbb\xbf" + path.read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n")
    path.write_bytes(before)
    append_history(path, [entry])
    assert path.read_bytes().startswith(before)
    assert read_history(path) == [entry, entry]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "is no history: its first line must be date,"),
        (f"{','.join(HEADER)}\n1,2\n", "line 2: a row must have 15 columns, it has 2"),
        (f"{','.join(HEADER)}\n{'x,' * 14}x\n", "line 2: a date must be like 2024-11-21"),
        ("\u00fc".encode("latin-1"), "it is not a text in UTF-8"),
    ],
)
def test_foreign_table_is_an_error_and_stays_as_it_is(tmp_path, entry, capsys, text, message):
    path = tmp_path / "history.csv"
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        append_history(path, [entry])
    stack = bf.write_stack(tmp_path / "a.tif", bf.bead_stack())
    arguments = ["beads", str(stack), *bf.KNOWN, "--z-step-um", "10", "--history", str(path), "-o", str(tmp_path / "o")]
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert path.read_bytes() == content
    assert not (tmp_path / "o").exists()


def test_last_entry_is_that_of_the_same_instrument_and_kind_by_date(entry):
    later, earlier = replace(entry, date=datetime(2025, 1, 1)), replace(entry, date=datetime(2024, 1, 1))
    others = [
        replace(entry, instrument="other"),
        replace(entry, z_origin="first_plane"),
        replace(entry, contrast="fluorescence"),
        replace(entry, bead_diameter_um=10.0),
        replace(entry, reference_focal_plane_um=NAN),
        replace(entry, interval_low_um=NAN, interval_high_um=NAN),
        replace(entry, verdict="fail"),
    ]
    assert last_entry([entry, earlier, later, *others], replace(entry, date=datetime(2024, 12, 1))) == entry
    assert last_entry([later, *others], entry) is None


def test_shift_since_the_last_run_is_held_against_its_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(parfocal.beads.batch.measure, "_draw", lambda *_: [])
    history, limit = tmp_path / "history.csv", ["--limit-refp-shift-um", "2"]
    verdicts, values = [], []
    for number, (seed, reference_um) in enumerate([(0, 3.0), (0, 3.0), (1, 8.0)]):
        stack = bf.write_stack(tmp_path / f"{number}.tif", bf.bead_stack(seed, reference_um))
        out = tmp_path / f"out{number}"
        arguments = [str(stack), *bf.KNOWN, "--z-step-um", "10", "--history", str(history), *limit, "-o", str(out)]
        assert main(["beads", *arguments, "--date", f"2024-11-{number + 1:02d}"]) == 0
        verdicts.append(pd.read_csv(out / "summary.csv", keep_default_na=False).loc[0, "verdict"])
        values.append(json.loads((out / "summary.json").read_text())["stacks"][0]["criteria"][0]["value"])
        assert (out / "pictures" / "history.png").stat().st_size > 5000
    assert verdicts == ["", "pass", "fail"]
    assert values == [None, pytest.approx(0.0, abs=1e-6), pytest.approx(5.0, abs=1.5)]
    assert [row.verdict for row in read_history(history)] == verdicts


def test_verdict_fails_what_has_no_value_and_says_why():
    limits = Limits(interval_um=1.0, tilt_um_per_mm=2.0, refp_shift_um=1.0, fewest_beads=3)
    nothing = BeadFocalPlane(status="no_content", reason="no bead", field_shape=FieldShape(reason="2 beads"))
    verdict = judge(nothing, limits, last_refp_um=0.0)
    assert verdict.word == "fail"
    assert [criterion.passed for criterion in verdict.criteria] == [False] * 4
    assert verdict.criteria[1].reason == "no value: 2 beads"


def test_limit_is_kept_where_the_value_equals_it():
    result = BeadFocalPlane(reference_focal_plane_um=10.0, interval_um=(9.0, 11.0))
    assert judge(result, Limits(interval_um=1.0)).word == "pass"
    assert judge(result, Limits(interval_um=0.999)).word == "fail"
    assert judge(result, Limits(refp_shift_um=2.0), last_refp_um=12.0).word == "pass"
    assert judge(result, Limits(refp_shift_um=2.0)).word == ""


@pytest.mark.parametrize(
    ("text", "target"), [("cells=+12", ("cells", 12.0)), ("a b_1.2=-3.5", ("a b_1.2", -3.5)), ("x=4e-1", ("x", 0.4))]
)
def test_target_is_a_name_and_a_signed_distance(text, target):
    found = Target.parse(text)
    assert (found.name, found.offset_um) == target
    assert Target.parse(str(found)) == found


@pytest.mark.parametrize("text", ["cells", "=3", "cells=", "cells=far", "cells=inf", "a;b=3"])
def test_anything_else_is_no_target(text):
    with pytest.raises(ValueError, match="a target must be NAME=DISTANCE"):
        Target.parse(text)
