"""The methods paragraph: what was done, in words to paste into a paper, with the papers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parfocal import status
from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL
from parfocal.report.screen.headlines import counted, several
from parfocal.report.screen.rows import CELLPROFILER, FOCUS, SORTING
from parfocal.report.screen.run import Run

if TYPE_CHECKING:
    import pandas as pd

YANG = (
    "Yang SJ, Berndl M, Ando DM, Barch M, Narayanaswamy A, Christiansen E, Hoyer S, Roat C, Hung J, Rueden CT, "
    "Shankar A, Finkbeiner S, Nelson P. Assessing microscope image focus quality with deep learning. "
    "BMC Bioinformatics 19, 77 (2018). doi:10.1186/s12859-018-2087-4"
)
XUE = (
    "Xue Y, Qian H, Li X, Wang J, Ren K, Ji J. A deep-learning-based workflow to deal with the defocusing problem in "
    "high-throughput experiments. Bioactive Materials 11, 218-229 (2021). doi:10.1016/j.bioactmat.2021.09.018"
)
STIRLING = (
    "Stirling DR, Swain-Bowden MJ, Lucas AM, Carpenter AE, Cimini BA, Goodman A. CellProfiler 4: improvements in "
    "speed, utility and usability. BMC Bioinformatics 22, 433 (2021). doi:10.1186/s12859-021-04344-9"
)
SCIKIT_IMAGE = (
    "van der Walt S, Sch\u00f6nberger JL, Nunez-Iglesias J, Boulogne F, Warner JD, Yager N, Gouillart E, Yu T. "
    "scikit-image: image processing in Python. PeerJ 2, e453 (2014). doi:10.7717/peerj.453"
)
# Ways of restoring other than by the network.
_DECONVOLUTIONS = {
    "richardson_lucy": "Richardson-Lucy deconvolution",
    "richardson_lucy_gaussian": "Richardson-Lucy deconvolution with a Gaussian point spread function",
    "wiener": "Wiener deconvolution",
}


def methods_text(rows: pd.DataFrame, run: Run, kind: str = FOCUS) -> str:
    """Write the paragraph and the references, of what the rows show to have been done.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `screen_rows`.
    run : Run
    kind : str
        What the rows come from, see `kind_of`.
    """
    version = f" {run.version}" if run.version else ""
    cited = [f"The Parfocal developers. Parfocal{version}, software for microscope focus."]
    sentences = [_begin(version, cited, kind == CELLPROFILER)]
    if kind != SORTING:
        sentences += _measured(rows, cited)
    if rows["probability"].notna().any():
        sentences += _sorted(rows, cited)
    if rows["restored"].any():
        sentences += _restored(rows, run, cited)
    sentences += _silent(rows) + _models(run)
    references = "\n".join(f"[{number}] {text}" for number, text in enumerate(cited, 1))
    return " ".join(sentences) + "\n\n" + references


def _begin(version: str, cited: list[str], from_cellprofiler: bool) -> str:
    if not from_cellprofiler:
        return f"The focus of images was assessed with Parfocal{version} [1]."
    return f"The focus of images was assessed with Parfocal{version} [1] in CellProfiler {_cite(cited, STIRLING)}."


def _measured(rows: pd.DataFrame, cited: list[str]) -> list[str]:
    told, levels = int(rows["certainty"].notna().sum()), rows["defocus_level"]
    blurred = int((levels > OUT_OF_FOCUS_LEVEL).sum())
    return [
        f"A convolutional neural network after Yang et al. {_cite(cited, YANG)} estimated the defocus level of "
        f"{several(told, 'image')}, from 0 (in focus) to 10 in steps of one depth of field, and its certainty, from "
        "patches of the image that were combined by their certainty.",
        f"An image above level {OUT_OF_FOCUS_LEVEL:g} counted as out of focus ({several(blurred, 'image')}).",
    ]


def _sorted(rows: pd.DataFrame, cited: list[str]) -> list[str]:
    told, flagged = int(rows["probability"].notna().sum()), int(rows["flagged"].fillna(False).sum())
    thresholds = sorted({f"{value:.4g}" for value in rows["threshold"].dropna()})
    above = f"above {thresholds[0]}" if len(thresholds) == 1 else "above the threshold"
    return [
        f"A second network, after Xue et al. {_cite(cited, XUE)}, estimated the probability of defocus of "
        f"{several(told, 'image')}; those with a probability {above} were flagged ({several(flagged, 'image')})."
    ]


def _restored(rows: pd.DataFrame, run: Run, cited: list[str]) -> list[str]:
    deconvolution = _DECONVOLUTIONS.get(run.about.get("arguments", {}).get("method", ""))
    if deconvolution is None:
        by = f"a network that follows the workflow of Xue et al. {_cite(cited, XUE)}"
    else:
        by = f"{deconvolution} as in scikit-image {_cite(cited, SCIKIT_IMAGE)}"
    restored = int(rows["restored"].sum())
    return [f"{several(restored, 'image')} {_were(restored)} restored from defocus by {by}, and marked as restored."]


def _silent(rows: pd.DataFrame) -> list[str]:
    silent = rows.loc[~rows["answered"], "status"]
    if silent.empty:
        return ["Every image had an answer."]
    reasons = [
        f"{status.MEANINGS.get(str(word)) or 'no reason stated'}, {counted(int(count))}"
        for word, count in silent.value_counts().items()
    ]
    told = f"{several(len(silent), 'image')} {_were(len(silent))} left without an answer"
    return [f"{told} ({'; '.join(reasons)})."]


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _models(run: Run) -> list[str]:
    if not run.models:
        return []
    told = [f"{task}: {model.name} (SHA-256 {model.sha256[:12]})" for task, model in run.models]
    return [f"The models were {', '.join(told)}."]


def _cite(cited: list[str], paper: str) -> str:
    if paper not in cited:
        cited.append(paper)
    return f"[{cited.index(paper) + 1}]"
