"""What is said of the networks of each task to those who use them without Parfocal."""

from __future__ import annotations

from dataclasses import dataclass

from parfocal.report.screen.methods import XUE, YANG

_WEI = (
    "Wei L, Roberts E. Neural network control of focal position during time-lapse microscopy of cells. "
    "Scientific Reports 8, 7313 (2018). doi:10.1038/s41598-018-25458-w"
)
_CHALFOUN = (
    "Chalfoun J, Lund SP, Ling C, Peskin A, Pierce L, Halter M, Elliott J, Sarkar S. Establishing a reference focal "
    "plane using convolutional neural networks and beads for brightfield imaging. Scientific Reports (2024). "
    "doi:10.1038/s41598-024-57123-w"
)


@dataclass(frozen=True)
class About:
    """What is said of a task.

    Attributes
    ----------
    title : str
        Name of its networks.
    sentence : str
        What they do.
    paper : str
        Whom they follow; ends with the DOI.
    option : str
        How Parfocal is given a package, as a command line.
    tags : tuple of str
    seen : dict
        What the input is, by architecture; `""` for any other.
    told : dict
        What the output is, by architecture; `""` for any other.
    """

    title: str
    sentence: str
    paper: str
    option: str
    tags: tuple[str, ...]
    seen: dict[str, str]
    told: dict[str, str]

    def input_of(self, architecture: str) -> str:
        """What the network sees."""
        return self.seen.get(architecture) or self.seen[""]

    def output_of(self, architecture: str) -> str:
        """What the network tells."""
        return self.told.get(architecture) or self.told[""]


_SQUARE_SEEN = (
    "Squares of an image, resized to the input's side by bilinear interpolation, each at mean 0 and deviation 1: of "
    "536 pixels, or of the image's shorter side where that is less."
)
ABOUT = {
    "focus_quality": About(
        "Focus quality",
        "Tells how far a patch of a widefield fluorescence image is out of focus, in depths of field.",
        YANG,
        "parfocal measure IMAGES -o OUT --model FILE.zip",
        ("focus", "quality-control", "image-classification", "fluorescence-light-microscopy"),
        {
            "": "A patch of the image without hot pixels, at the pixel size, aperture and wavelength that `optics` in "
            "config.json states; where `input` there is `standardised`, at mean 0 and deviation 1, else in counts.",
        },
        {"": "Probability of each defocus level, 0 (sharp) to 10 (worst, or beyond)."},
    ),
    "sorting": About(
        "Sharp or defocused",
        "Tells whether an image is defocused.",
        XUE,
        "parfocal sort IMAGES -o OUT --model FILE.zip",
        ("focus", "quality-control", "image-classification", "fluorescence-light-microscopy"),
        {
            "default": "A whole image: background (0.5th percentile of means of 3 x 3 pixels) at 0 and bright "
            "structures (99.9th) at 1, cut to -1 to 4, means of 2 x 2 pixels, mirrored at the end until the "
            "sides are 49 + 8 k.",
            "": _SQUARE_SEEN,
        },
        {
            "default": "For squares of 49 pixels, 8 apart: evidence of defocus, and the logarithm of its weight. The "
            "weighted mean of the evidence is the logit of the image.",
            "": "Logits of sharp and of defocused.",
        },
    ),
    "restoration": About(
        "Restoration of defocused images",
        "Restores defocused fluorescence images, for counting and outlining and not for the measurement of intensity.",
        XUE,
        "parfocal restore IMAGES -o OUT --model FILE.zip",
        ("focus", "image-restoration", "deconvolution", "fluorescence-light-microscopy"),
        {
            "default": "Background at 0 and bright structures at 1; the image, four Wiener deconvolutions of it and "
            "its defocus level over 10, the 16 pixels of every square of 4 x 4 as channels, planes innermost.",
            "": "The image with background at 0 and bright structures at 1, mirrored by 92 pixels on each side.",
        },
        {
            "default": "The 16 restored pixels of every square, and 16 logarithms of the scale of their error.",
            "": "The restored image without the border.",
        },
    ),
    "focal_position": About(
        "Focal position",
        "Tells from one image how far the objective is from focus, and to which side.",
        _WEI,
        "parfocal hold-focus --model FILE.zip",
        ("focus", "autofocus", "fluorescence-light-microscopy"),
        {
            "default": "An image reduced to the scale of the training, background (0.5th percentile of means of 4 x 4 "
            "pixels) at 0 and bright structures (99.9th) at 1, cut to -1 to 4, mirrored until the sides are 96 + 16 k.",
            "": "The middle of the image, reduced by means, at mean 0 and deviation 1.",
        },
        {
            "default": "For squares of 96 pixels, 16 apart: logits of the bins of signed distance that `bins` in "
            "config.json states, the logarithm of the square's weight, and features by which strange images are known.",
            "": "Logits of the bins of signed distance that `bins` in config.json states.",
        },
    ),
    "bead_distance": About(
        "Distance of beads",
        "Tells how far, and to which side, an image of a bead lies from the reference focal plane of a microscope.",
        _CHALFOUN,
        "parfocal beads IMAGES --single-planes --distance-model FILE.zip -o OUT",
        ("focus", "calibration", "bright-field-microscopy"),
        {
            "": "A crop with a bead in its middle, at the pixel size that config.json states and under its "
            "`normalisation`: for `average_background` over the median of the crop's frame, less 1.",
        },
        {"": "Distance from the reference focal plane in um, positive above it, by each network of the ensemble."},
    ),
}
