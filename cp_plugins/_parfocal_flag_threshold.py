"""The threshold of FlagDefocused: the model's own, a number, or one that sharp images decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

if __package__:
    from . import _parfocal_engine as engine
    from . import _parfocal_flag_settings as flag_settings
    from . import _parfocal_focus_settings as focus_settings
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_engine as engine
    import _parfocal_flag_settings as flag_settings
    import _parfocal_focus_settings as focus_settings


@dataclass(frozen=True)
class Threshold:
    """A threshold for `flag_defocused`.

    Attributes
    ----------
    value : float or None
        None stands for the model's own.
    origin : str
        Where it comes from, for the window.
    warnings : tuple of str
        `few_sharp_images`: there are too few for the wanted rate of false alarms. `doubtful_sharp_images`: some of them
        are defocused by their level.
    """

    value: Optional[float]
    origin: str
    warnings: tuple[str, ...] = ()


def threshold_of(module: Any) -> Threshold:
    """Give the threshold that the settings ask for; sharp images are sorted once a run.

    The result is kept in the module's dictionary, which analysis workers get from the one that ran the first image
    set. Workers that run whole groups have one each.
    """
    source = module.threshold_from.value
    if source == flag_settings.SHARP:
        return _of_sharp_images(module)
    return Threshold(module.arguments().get("threshold"), "the model's own" if source == flag_settings.OWN else "given")


def _of_sharp_images(module: Any) -> Threshold:
    folder, rate = module.sharp_folder.get_absolute_path(), module.false_alarm_rate.value
    # What their files say of the optics does not count, since it does not for CellProfiler's images either.
    unknown = dict.fromkeys(focus_settings.NEEDED_OPTICS)
    arguments = {**unknown, "immersion_index": 1.0, **module.arguments()}
    kept, key = module.get_dictionary(), repr((folder, rate, sorted(arguments.items())))
    if key not in kept:
        found = engine.call("sharp_threshold", folder, rate, **arguments)
        origin = f"from {found.n_images} sharp images, at most {found.promised_rate:.2g} false alarms"
        doubts = {"few_sharp_images": found.warning, "doubtful_sharp_images": found.doubt}
        warnings = [name for name, text in doubts.items() if text]
        # CellProfiler sends it as JSON.
        kept[key] = [found.threshold, origin, warnings]
    value, origin, warnings = kept[key]
    return Threshold(value, origin, tuple(warnings))
