"""Random batches of examples, as each sorting network wants to see them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parfocal.restoration.sampler import group_weights, random_crop
from parfocal.sorting.examples import Example
from parfocal.sorting.inputs import default_input, paper_inputs
from parfocal.sorting.network import FIELD_PX, PAPER_INPUT_PX, STRIDE_PX

# Width of a crop, in pixels of half the image's, that the default network is trained on; smaller examples are mirrored.
CROP_PX = FIELD_PX + 12 * STRIDE_PX
Batch = tuple[np.ndarray, np.ndarray]


class ExampleSampler:
    """Batches of examples, the same for the same seed and step.

    The default network gets random crops; each class makes up half of a batch, and a source of n examples weighs
    sqrt(n). The paper's networks get whole passes in random order, every square of an image as an example.

    Parameters
    ----------
    examples : sequence of Example
        Of both classes.
    architecture : str
        For which network the inputs are made.
    seed : int
    turned : bool
        Turn and flip at random.
    input_px : int
        Side of the squares of the paper's networks.

    Raises
    ------
    ValueError
        Where a class is empty; the message says which.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        architecture: str,
        seed: int,
        turned: bool = True,
        input_px: int = PAPER_INPUT_PX,
    ) -> None:
        labels = np.array([example.defocused for example in examples], bool)
        for name, missing in (("defocused", not labels.any()), ("sharp", labels.all())):
            if missing:
                raise ValueError(f"examples of both classes are needed, there is none that is {name}")
        self.seed, self.turned = seed, turned
        self.is_default = architecture == "default"
        self.targets = np.array([float(e.defocused) if e.target is None else e.target for e in examples], np.float32)
        if self.is_default:
            self.pictures = [default_input(example.pixels.astype(np.float32)) for example in examples]
            self.weights = _class_weights(examples, labels)
        else:
            squares = [paper_inputs(example.pixels, input_px) for example in examples]
            self.squares = np.concatenate(squares)
            self.targets = np.repeat(self.targets, [len(part) for part in squares])

    @property
    def count(self) -> int:
        """Examples in one pass."""
        return len(self.targets)

    def batch(self, step: int, size: int) -> Batch:
        """Make one batch: inputs (n, y, x, 1), and the probabilities of defocus to be learned (n,), float32."""
        rng = np.random.default_rng([self.seed, 70, step])
        if self.is_default:
            chosen = rng.choice(self.count, size, p=self.weights)
            inputs = np.stack([self._crop(self.pictures[index], rng) for index in chosen])
        else:
            chosen = self._in_turn(step, size)
            inputs = self.squares[chosen]
            if self.turned:
                inputs = np.stack([np.rot90(square, int(rng.integers(4))) for square in inputs])
        return inputs, self.targets[chosen]

    def _in_turn(self, step: int, size: int) -> np.ndarray:
        """Indices of a batch when all are gone through, pass by pass, each pass in an order of its own."""
        places = np.arange(step * size, (step + 1) * size)
        orders = {p: np.random.default_rng([self.seed, 71, p]).permutation(self.count) for p in {*places // self.count}}
        return np.array([orders[place // self.count][place % self.count] for place in places])

    def _crop(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        crop = random_crop(picture[..., None], CROP_PX, 0, rng)
        return crop * np.float32(np.exp(rng.uniform(-0.25, 0.25))) + np.float32(rng.uniform(-0.05, 0.05))


def _class_weights(examples: Sequence[Example], labels: np.ndarray) -> np.ndarray:
    weights = group_weights([example.source for example in examples])
    for label in (False, True):
        weights[labels == label] /= 2 * weights[labels == label].sum()
    return weights


def validation_inputs(
    examples: Sequence[Example], architecture: str, input_px: int = PAPER_INPUT_PX
) -> list[np.ndarray]:
    """Make the inputs of whole examples, each a batch of its own (n, y, x, 1)."""
    if architecture == "default":
        return [default_input(example.pixels.astype(np.float32))[None, ..., None] for example in examples]
    return [paper_inputs(example.pixels, input_px) for example in examples]
