"""A small model that tells surfaces apart, really trained on the training region's pixels.

It looks at a grey, contrast-normalised 64 x 64 view of the picture: how much of the pattern is coarse or
fine (rings of the power spectrum), which way it runs (wedges of the spectrum), and how its edges and grey
values are spread. Training takes about a second and is not stored anywhere.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sandbox.photographs import LABELS, Region, patch

Floats = NDArray[np.float64]

_SIDE = 64
_RINGS = 20
_WEDGES = 12
_TRAIN_PATCHES_PER_LABEL = 300
_HELD_OUT_PATCHES_PER_LABEL = 100
_TRAIN_SEED, _HELD_OUT_SEED = 1, 2


@cache
def _spectrum_bins() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each pixel of the half spectrum its ring and its wedge number."""
    rows, columns = np.meshgrid(np.fft.fftfreq(_SIDE), np.fft.rfftfreq(_SIDE), indexing="ij")
    radius, angle = np.hypot(rows, columns), np.arctan2(rows, columns)
    rings = np.minimum((radius / 0.5 * _RINGS).astype(np.intp), _RINGS - 1)
    wedges = np.minimum(((angle / np.pi + 0.5) * _WEDGES).astype(np.intp), _WEDGES - 1)
    return rings.ravel(), wedges.ravel()


def features(picture: Image.Image) -> Floats:
    """The numbers the model sees; colour, brightness and contrast of the picture do not change them."""
    grey = np.asarray(picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float64)
    grey = (grey - grey.mean()) / (grey.std() + 1e-6)
    power = np.abs(np.fft.rfft2(grey)).ravel() ** 2
    rings, wedges = _spectrum_bins()
    across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
    moments = [(grey**3).mean(), (grey**4).mean(), np.abs(across).mean(), np.abs(down).mean()]
    return np.concatenate(
        [
            np.log1p(np.bincount(rings, power, minlength=_RINGS)),
            np.log1p(np.bincount(wedges, power, minlength=_WEDGES)),
            np.quantile(grey, [0.05, 0.25, 0.5, 0.75, 0.95]),
            moments,
        ]
    )


@dataclass(frozen=True)
class Prediction:
    """One label and how sure the model is of it, in percent."""

    label: str
    confidence: float


class Classifier:
    """Brick, grass or gravel.

    Attributes
    ----------
    held_out_accuracy
        Share of patches from the demo region, never trained on, whose most confident label is right.
    """

    def __init__(self) -> None:
        self._model: Pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=0.3))
        self._model.fit(*_patches("train", _TRAIN_PATCHES_PER_LABEL, _TRAIN_SEED))
        scaler, regression = self._model[0], self._model[-1]
        # The same linear model written out: scikit-learn's own call costs more than the photograph's features.
        self._weights = regression.coef_ / scaler.scale_
        self._offsets = regression.intercept_ - self._weights @ scaler.mean_
        held_out, truth = _patches("demo", _HELD_OUT_PATCHES_PER_LABEL, _HELD_OUT_SEED)
        self.held_out_accuracy = float(self._model.score(held_out, truth))

    def predict(self, picture: Image.Image) -> list[Prediction]:
        """Every label with its probability in percent, the most confident first."""
        scores = self._weights @ features(picture) + self._offsets
        odds = np.exp(scores - scores.max())
        percents = 100 * odds / odds.sum()
        ranked = sorted(zip(LABELS, percents.tolist(), strict=True), key=lambda pair: -pair[1])
        return [Prediction(label, confidence) for label, confidence in ranked]


def _patches(region: Region, per_label: int, seed: int) -> tuple[Floats, list[str]]:
    random = np.random.default_rng(seed)
    truth = [label for label in LABELS for _ in range(per_label)]
    return np.stack([features(patch(label, region, random)) for label in truth]), truth
