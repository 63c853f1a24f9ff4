"""How the report of bead stacks and its pictures look, and the sentences for warnings."""

from __future__ import annotations

from typing import Any

STYLE = """
@page { size: A4; margin: 10mm 12mm; }
body { font: 9.5pt/1.35 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #222; margin: 0; background: #fff; }
.page { max-width: 186mm; margin: 0 auto; padding: 1mm 0; page-break-after: always; }
.page:last-child { page-break-after: auto; }
header { border-bottom: 1.5pt solid #222; overflow: hidden; }
h1 { font-size: 14pt; margin: 0; overflow-wrap: anywhere; }
header p { margin: 0 0 2mm; color: #555; }
.badge { font-size: 15pt; font-weight: 700; padding: 1mm 5mm; border: 2pt solid; border-radius: 2mm; }
.badge { float: right; white-space: nowrap; margin-bottom: 1.5mm; }
.pass { color: #1b7837; } .fail { color: #b2182b; } .none { color: #777; }
.answer { font-size: 12pt; margin: 2.5mm 0; }
.conditions { font-size: 8.5pt; color: #555; margin: 0 0 2.5mm; overflow-wrap: anywhere; }
.columns { display: table; table-layout: fixed; width: 100%; }
.columns > div { display: table-cell; vertical-align: top; width: 50%; box-sizing: border-box; padding-right: 3mm; }
.columns > div + div { padding: 0 0 0 3mm; }
table { border-collapse: collapse; width: 100%; font-size: 8.5pt; margin-bottom: 2mm; }
th, td { text-align: left; vertical-align: top; padding: 0.4mm 2mm 0.4mm 0; border-bottom: 0.3pt solid #ddd; }
th { font-weight: 500; color: #555; }
td { overflow-wrap: break-word; }
.remarks { margin: 1mm 0 2mm; padding-left: 5mm; font-size: 8.5pt; }
img { width: 100%; display: block; }
footer { font-size: 7.5pt; color: #777; border-top: 0.5pt solid #bbb; margin-top: 2mm; }
"""

WARNINGS = {
    "extremum_at_end_of_stack": "The extremum lies at the end of the stack: take one that goes farther on that side.",
    "extremum_beside_excluded_planes": "Planes beside the extremum could not be used: the focal plane may lie there.",
    "plateau_at_extremum": "Several planes share the extreme value: their middle was taken, the interval spans them.",
    "features_disagree": "Slope and centre intensity do not point to one plane: check the bead size and the stack.",
    "single_bead": "A single bead: the interval is that of this bead, how beads differ is not known.",
    "few_beads": "Two beads: the interval is wide.",
    "planes_left_out": "Planes of the stack could not be used.",
    "pixel_size_um_of_file_not_used": "The pixel size that the file states is out of range and was not used.",
}


def legend_below(figure: Any, *plots: Any) -> None:
    """Put one legend of all plots below them, where they have anything to say; of one name the first counts."""
    known: dict[str, Any] = {}
    for plot in plots:
        for handle, label in zip(*plot.get_legend_handles_labels()):
            known.setdefault(label, handle)
    if known:
        figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=4, fontsize=7, frameon=False)
