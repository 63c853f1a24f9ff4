"""Real z-stacks used as pairs: what `restore_defocus` makes of defocused planes, or why it leaves them alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.evaluation.stacks import RealStack
from parfocal.report.sections import Section
from parfocal.restoration.comparison import by_classical
from parfocal.restoration.dataset import image_level
from parfocal.restoration.evaluation.plan import Found, Plan
from parfocal.restoration.evaluation.real_pairs import RealPair, declared_modality, find_pair_stacks, pairs_of
from parfocal.restoration.evaluation_figure import Example, draw_examples
from parfocal.restoration.restore import restore_defocus
from parfocal.restoration.result import PlaneRestoration
from parfocal.restoration.scores import score

if TYPE_CHECKING:
    import pandas as pd

_BASELINES = ("richardson_lucy", "richardson_lucy_gaussian")
_METHODS = ("blurred", "network", *_BASELINES)
_VALUES = {"ssim": "SSIM", "ssim_inside": "SSIM within structures", "psnr": "PSNR"}
_TITLES = {
    "widefield": "Widefield fluorescence: the domain of the default model",
    "rank": "Confocal and light sheet, restored as if they were widefield fluorescence",
    "outside": "Bright field and reflected light, restored as if they were widefield fluorescence",
}
_TEXT = (
    "Defocused planes against the sharpest plane of their stack, which has noise of its own. `network` is what"
    " `restore_defocus` gives: a plane that it refuses or finds sharp comes out as it went in, and is counted with the"
    " reason. `richardson_lucy` has the PSF of the measured level (no answer where there is none),"
    " `richardson_lucy_gaussian` the Gaussian that suits the truth best. The four columns are SSIM, means over the"
    " planes that the network restored; RL is Richardson-Lucy; `best` counts those where it is above the blurred plane"
    " and both baselines."
)
_OUTSIDE = (
    " The default model is not for these images. `declared` is what happens when the kind of microscope is given. The"
    " figures are for a user who does not say so."
)


def sections(plan: Plan) -> Found:
    """Restore the planes of all stacks; draws a picture for each domain."""
    import pandas as pd
    from rich.progress import track

    stacks, left = find_pair_stacks(plan)
    done = {
        stack.name: [_restored(pair, plan) for pair in pairs_of(stack, 2 * plan.crop_px)]
        for stack in track(stacks, "z-stacks")
    }
    scores = pd.DataFrame([row for rows in done.values() for row, _ in rows])
    written = []
    for domain in _TITLES:
        own = [stack for stack in stacks if stack.domain == domain]
        if own:
            examples = [_middle_example(done[stack.name]) for stack in own]
            written.append(_section(domain, scores[scores["domain"] == domain], own, examples, plan))
    if plan.transfer:
        from parfocal.restoration.evaluation.transfer import transfer_section

        written.append(transfer_section(plan, stacks))
    if left:
        written.append(Section("Left out", f"Not below the folder, or no single plane in focus: {', '.join(left)}."))
    return Found(tuple(written), scores)


def _restored(pair: RealPair, plan: Plan) -> tuple[dict[str, Any], Example]:
    """Row of the table, and the images."""
    model, optics = plan.models[0], pair.optics_arguments()
    done = restore_defocus(pair.image_yx, model=model, **optics)
    image = np.asarray(pair.image_yx, np.float32)
    found = {"blurred": image, "network": np.asarray(done.image, np.float32)}
    level = image_level(image, pair.optics)
    found.update(by_classical(image, pair.truth_yx, level, pair.optics, iterations=(), wiener=False))
    row = {**pair.about, "measured_level": level, "outcome": outcome(done.main_plane), "reason": done.reason}
    row.update(declared=_declared(pair, model), warnings=" ".join(done.warnings))
    scored = {name: score(one, pair.truth_yx)._asdict() for name, one in found.items()}
    for value in _VALUES:
        row.update({f"{value} {name}": scored.get(name, {}).get(value, np.nan) for name in _METHODS})
    note = {"network": f", {row['outcome'].replace('_', ' ')}"}
    found.pop("richardson_lucy_best", None)
    return row, Example(f"{pair.stack.name}, plane {pair.plane}", found, pair.truth_yx, note)


def _declared(pair: RealPair, model: str) -> str:
    """What `restore_defocus` says when it is told the kind of microscope; nothing for widefield fluorescence."""
    modality = declared_modality(pair.stack)
    if modality is None:
        return ""
    done = restore_defocus(pair.image_yx, model=model, modality=modality, **pair.optics_arguments())
    return outcome(done.main_plane)


def outcome(plane: PlaneRestoration) -> str:
    """One word for what was done: `restored`, `sharp`, or the status of a refusal."""
    if plane.restored:
        return "restored"
    return "sharp" if plane.answered else plane.status


def _middle_example(done: Sequence[tuple[dict[str, Any], Example]]) -> Example:
    """Of the restored planes the one in the middle by distance; of all, where none was."""
    restored = [one for one in done if one[0]["outcome"] == "restored"] or list(done)
    ranked = sorted(restored, key=lambda one: one[0]["distance_planes"])
    return ranked[len(ranked) // 2][1]


def _section(
    domain: str, own: pd.DataFrame, stacks: Sequence[RealStack], examples: Sequence[Example], plan: Plan
) -> Section:
    import pandas as pd

    table = pd.DataFrame([_summary(stack, own[own["stack"] == stack.name]) for stack in stacks])
    draw_examples(plan.path(f"{domain}.png"), examples)
    restored = own[own["outcome"] == "restored"]
    text = f"{_verdict(restored, len(own))} {_TEXT}{_OUTSIDE if domain != 'widefield' else ''}"
    planes = own[[name for name in own.columns if name not in ("domain", "reason", "warnings")]]
    left = _reasons(own)
    tables = (table,) if left.empty else (table, left)
    kinds = pd.DataFrame([{"stack": s.name, "what": s.kind, "focus": s.truth} for s in stacks])
    return Section(_TITLES[domain], text, tables, (f"{domain}.png",), (kinds, planes))


def _verdict(restored: pd.DataFrame, count: int) -> str:
    told = [f"{len(restored)} of {count} planes were restored."]
    for value, name in _VALUES.items():
        over = [_better(restored, value, (rival,)) for rival in ("blurred", *_BASELINES)]
        told.append(
            f"{name}: {over[0]} of them above the blurred plane, {over[1]} above Richardson-Lucy with the PSF of the"
            f" measured level, {over[2]} above the searched Gaussian, {_better(restored, value)} above all three."
        )
    return " ".join(told)


def _better(rows: pd.DataFrame, value: str, rivals: Sequence[str] = ("blurred", *_BASELINES)) -> int:
    """Number of planes where the network is above those rivals that have an answer."""
    best = rows[[f"{value} {name}" for name in rivals]].max(axis=1)
    return int((rows[f"{value} network"] > best).sum())


def _summary(stack: RealStack, rows: pd.DataFrame) -> dict[str, Any]:
    restored = rows[rows["outcome"] == "restored"]
    row: dict[str, Any] = {"stack": stack.name, "planes": len(rows), "restored": len(restored)}
    row["sharp"] = int((rows["outcome"] == "sharp").sum())
    row["refused"] = len(rows) - row["restored"] - row["sharp"]
    row["declared"] = ", ".join(sorted(set(rows["declared"]) - {""}))
    for name, short in zip(_METHODS, ("blurred", "network", "RL", "RL Gauss")):
        row[short] = restored[f"ssim {name}"].mean()
    row["best"] = _better(restored, "ssim")
    return row


def _reasons(own: pd.DataFrame) -> pd.DataFrame:
    """Why planes were left as they are, and how many."""
    import pandas as pd

    left = own[own["outcome"] != "restored"]
    # Reasons hold figures of the single plane: those are left out of the count.
    counts = Counter((row.outcome, _without_figures(row.reason)) for row in left.itertuples())
    rows = [{"left as it was": found, "why": why, "planes": count} for (found, why), count in counts.most_common()]
    return pd.DataFrame(rows, columns=["left as it was", "why", "planes"])


def _without_figures(reason: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "#", reason)
