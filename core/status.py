"""The fixed list of answers to the question whether a number can be given."""

from __future__ import annotations

OK = "ok"
BLANK = "blank"
SATURATED = "saturated"
TOO_SMALL = "too_small"
NOT_FINITE = "not_finite"
MASKED_OUT = "masked_out"
NO_CONTENT = "no_content"
OUT_OF_RANGE = "out_of_range"
OUT_OF_DOMAIN = "out_of_domain"
DISAGREEMENT = "disagreement"
ALREADY_RESTORED = "already_restored"
UNREADABLE = "unreadable"
NOT_WRITTEN = "not_written"
SIGN_UNKNOWN = "sign_unknown"
TWO_LAYERS = "two_layers"
BROAD = "broad"

MEANINGS = {
    OK: "the numbers stand",
    BLANK: "every pixel has the same value",
    SATURATED: "too many pixels are at the camera's limit",
    TOO_SMALL: "smaller than one patch at the model's scale, or fewer planes than an answer needs",
    NOT_FINITE: "holds NaN or infinity where it was to be measured",
    MASKED_OUT: "the mask leaves nothing to measure",
    NO_CONTENT: "nothing but background: focus is not defined there",
    OUT_OF_RANGE: "outside the range that the model was made for",
    OUT_OF_DOMAIN: "no level is defined for this kind of image, or the network cannot tell it",
    DISAGREEMENT: "sorter and measured level contradict each other: look at the image",
    ALREADY_RESTORED: "its metadata mark it as restored from defocus, which is done once only",
    UNREADABLE: "the file could not be read",
    NOT_WRITTEN: "what came out could not be written, on a full disk for one",
    SIGN_UNKNOWN: "the distance to the focal plane is known, not whether the image lies above or below it",
    TWO_LAYERS: "structures in two planes: each has a focal position of its own",
    BROAD: "the image says too little of where the focal plane lies",
}
