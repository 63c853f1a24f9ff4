"""Keys of a window for labelling, and what it says: the same in every front. Keys are named as browsers name them."""

from __future__ import annotations

LABEL_KEYS = {"s": "sharp", "d": "defocused", "u": "unusable", "Enter": "plane"}
ACTION_KEYS = {
    " ": "skip",
    "z": "undo",
    "Backspace": "undo",
    "ArrowLeft": "back",
    "ArrowRight": "forward",
    "1": "pixels",
    "+": "brighter",
    "=": "brighter",
    "-": "darker",
    "ArrowUp": "up",
    "ArrowDown": "down",
}
# Only these go on while their key is held: held down, S must not label one image after the other.
HELD_KEYS = ("ArrowUp", "ArrowDown")
GAMMAS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
NAMES = {"sharp": "sharp", "defocused": "defocused", "unusable": "unusable", "plane": "sharp plane"}
STACK_ANSWER = "A stack: go to its sharp plane with the arrows up and down and press Enter, or U where there is none."
PLANE_LOST = "This plane cannot be read: choose another, or skip the image."


def page_constants() -> dict[str, object]:
    """What a page needs to know of all this, ready for JSON."""
    names = ("LABEL_KEYS", "ACTION_KEYS", "HELD_KEYS", "GAMMAS", "NAMES", "STACK_ANSWER", "PLANE_LOST")
    return {name: globals()[name] for name in names}
