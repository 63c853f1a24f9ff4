"""The commands of core that ImageJ has, under which name, and what it does with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Optional

from parfocal.answers import CALIBRATED
from parfocal.commands import CommandSpec, ParameterSpec, command_spec

from .hold_options import ACTION, SHOW
from .options import EACH_PLANE, EACH_SLICE, FOLDER, ONLY_FLAGGED, OUTPUT, OVERLAY, PLOT, ROIS

# What is taken from an image where it states it; those of them that can be left empty.
STATED = ("pixel_size_um", "z_step_um", "numerical_aperture", "emission_wavelength_um")
MENU = ("Plugins", "Parfocal")


@dataclass(frozen=True)
class ImageJCommand:
    """A command of core as ImageJ has it; nothing is imported before it is wanted.

    Attributes
    ----------
    label : str
        In the menu and in macros, there with or without the dots at its end.
    function : str
        Home of the command of core, `module:name`.
    front : str
        Home of what reads in and calls the command: takes the command, its arguments, and the image if it needs one,
        and gives what comes out by name.
    category : str
        What columns of the Results table begin with; empty where the command adds no rows.
    options : tuple of ParameterSpec
        What ImageJ asks beside the parameters of the command; the front gets them among the arguments.
    script_name : str
        Of the SciJava module, where it is not the command's.
    more : tuple of str
        Homes of further commands whose parameters belong to it too.
    opening : dict, optional
        Arguments that open a window of its own, in place of a dialog.
    images : tuple of str
        Which of its outputs are images, to be shown.
    asked_later : tuple of str
        What its dialog leaves out, since a window of its own asks for it; it records the command then.
    """

    label: str
    function: str
    front: str
    category: str = ""
    options: tuple[ParameterSpec, ...] = ()
    script_name: str = ""
    more: tuple[str, ...] = ()
    opening: Optional[dict[str, Any]] = None
    images: tuple[str, ...] = ()
    asked_later: tuple[str, ...] = ()

    @property
    def takes_image(self) -> bool:
        """Whether it works on the image in front."""
        return bool(self.category or self.images)

    @property
    def name(self) -> str:
        """Label without the dots."""
        return named(self.label)

    @property
    def spec(self) -> CommandSpec:
        """Definition of the command, with ImageJ's options."""
        spec, *more = (command_spec(_load(home)) for home in (self.function, *self.more))
        needed = [option for option in self.options if option.required]
        others = [option for option in self.options if not option.required]
        asked = [parameter for each in (spec, *more) for parameter in each.parameters]
        if not self.takes_image:
            asked = [p for p in asked if not p.param.array]  # there is none that could be handed over
        known = [replace(p, required=False) if p.name in CALIBRATED else p for p in asked]
        if self.takes_image or FOLDER in self.options:
            known = [_told_where_stated(p) for p in known]
        return replace(spec, name=self.script_name or spec.name, parameters=(*needed, *known, *others))

    def run(self, arguments: dict[str, Any], image: Optional[Any] = None) -> dict[str, Any]:
        """Run it with these arguments, on an image where it measures one; errors are the caller's to show."""
        from .results import show_images, show_results

        if not self.takes_image:
            self._call(arguments)
            return {}
        outputs = self.measure(arguments, image)
        if self.category:
            show_results(self.category, outputs)
        show_images([outputs[name] for name in self.images if name in outputs])
        return outputs

    def measure(self, arguments: dict[str, Any], image: Optional[Any]) -> dict[str, Any]:
        """Run it on an image, and add nothing to the Results table."""
        if image is None:
            raise ValueError("image must be given, got none")
        return self._call(arguments, image)

    def stated(self, image: Any) -> dict[str, Any]:
        """Arguments that an image states; none without one."""
        from .metadata import shown_defaults

        return {} if image is None else shown_defaults(_load(self.function), image)

    def _call(self, arguments: dict[str, Any], *images: Any) -> Any:
        from .progress import shown_progress

        chosen = {option.name: option.default for option in self.options if option.default is not None}
        with shown_progress(self.name):
            return _load(self.front)(_load(self.function), {**chosen, **arguments}, *images)


def named(label: str) -> str:
    """A label as it is looked up: dots at its end do not count."""
    return label.rstrip(".")


def _told_where_stated(parameter: ParameterSpec) -> ParameterSpec:
    """A parameter whose help says what it means to leave it empty, where images may state it."""
    if parameter.name not in STATED or parameter.default is not None:
        return parameter
    return replace(parameter, help=f"{parameter.help} Empty: as the image states.".strip())


def _load(home: str) -> Callable[..., Any]:
    module, name = home.split(":")
    return getattr(import_module(module), name)


_FRONTS = "parfocal.fiji_bridge"
COMMANDS = (
    ImageJCommand(
        "Measure Image Focus...",
        "parfocal.focus_quality.measure:measure_image_focus",
        f"{_FRONTS}.measuring:measure",
        "ImageFocus",
        (OVERLAY, EACH_PLANE),
    ),
    ImageJCommand(
        "Flag Defocused...",
        "parfocal.sorting.flag:flag_defocused",
        f"{_FRONTS}.measuring:measure",
        "FlagDefocused",
        (EACH_PLANE,),
    ),
    ImageJCommand(
        "Split Sharp and Defocused...",
        "parfocal.sorting.flag:flag_defocused",
        f"{_FRONTS}.splitting:split_stack",
        script_name="split_defocused",
        images=("sharp", "defocused"),
        asked_later=("threshold",),
    ),
    ImageJCommand(
        "Restore Defocus...",
        "parfocal.restoration.restore:restore_defocus",
        f"{_FRONTS}.measuring:restore",
        "RestoreDefocus",
        images=("image", "uncertainty"),
    ),
    ImageJCommand(
        "Estimate Focal Position...",
        "parfocal.focal_position.estimate:estimate_focal_position",
        f"{_FRONTS}.measuring:estimate",
        "FocalPosition",
        (EACH_SLICE,),
    ),
    ImageJCommand(
        "Measure Bead Focal Plane...",
        "parfocal.beads.measure:measure_bead_focal_plane",
        f"{_FRONTS}.beads:measure_beads",
        "BeadFocalPlane",
        (PLOT, ROIS),
    ),
    ImageJCommand(
        "Measure Folder...",
        "parfocal.focus_quality.measure:measure_image_focus",
        f"{_FRONTS}.folders:measure_folder",
        options=(FOLDER, OUTPUT),
        script_name="measure_files",
    ),
    ImageJCommand(
        "Flag Folder...",
        "parfocal.sorting.flag:flag_defocused",
        f"{_FRONTS}.folders:sort_folder",
        options=(FOLDER, OUTPUT),
        script_name="sort_files",
    ),
    ImageJCommand(
        "Restore Folder...",
        "parfocal.restoration.restore:restore_defocus",
        f"{_FRONTS}.folders:restore_folder",
        options=(FOLDER, OUTPUT, ONLY_FLAGGED),
        script_name="restore_files",
    ),
    ImageJCommand("Label Images...", "parfocal.labels.command:label_images", f"{_FRONTS}.labelling:label_in_window"),
    ImageJCommand(
        "Hold Focus...",
        "parfocal.focus_control.settings:HoldFocus",
        f"{_FRONTS}.holding:hold_in_imagej",
        options=(ACTION,),
        script_name="hold_focus",
        more=("parfocal.focus_control.asked:HoldingChoice", "parfocal.focal_position.estimate:estimate_focal_position"),
        opening={ACTION.name: SHOW},
    ),
)
