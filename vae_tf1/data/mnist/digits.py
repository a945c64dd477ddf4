"""The built-in digits: drawn from matplotlib's own fonts, so that everything runs anywhere.

Each digit of each font is kept as a signed distance field (positive inside the ink), which makes a
stroke thicker or thinner by adding a number. An image is that field seen through a random linear
map and a gentle wave, drawn in MNIST's way: white on black, fitted into a 20 x 20 box, and the box
placed so that the centre of mass is the centre of the 28 x 28 image.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from vae_tf1.checks import check_count, check_one_of
from vae_tf1.data.mnist.splits import PUBLISHED

__all__ = ["DIGITS_VERSION", "builtin_digits"]

# To be increased when the same seed would draw other images: cached ones are then drawn again.
DIGITS_VERSION = 1

_FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSerif",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralItalic",
    "STIXGeneralBol",
    "cmr10",
    "cmss10",
    "cmtt10",
    "STIXGeneralBolIta",
    "cmmi10",
)
_SIDE = 28
_BOX = 21.0  # pixels, the soft edge included
_GRID = 48  # points of a distance field along each side
_REACH = 0.75  # the field covers [-_REACH, _REACH] in units of the glyph's larger side
_BLOCK = 500  # images that share a random stream


def builtin_digits(n: int, seed: int = 0, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Draw `n` images of digits, a stand-in for MNIST.

    The images depend on (`seed`, `split`, position) alone: the first ten of a thousand are the
    ten that ``n=10`` gives. (Another version of matplotlib may trace an outline a little
    differently.)

    Parameters
    ----------
    n : int
        How many images, at least one.
    seed : int
        Any non-negative integer; another seed draws other images.
    split : {"train", "test"}
        The two splits come from separate random streams.

    Returns
    -------
    images : numpy.ndarray of uint8, shape (n, 784)
        Grey values, 0 is the background, rows from the top.
    labels : numpy.ndarray of uint8, shape (n,)
        The digit that each image shows, 0 to 9, all equally likely.

    Raises
    ------
    ValueError, TypeError
        If an argument is none of the above.
    """
    n = check_count(n, "n")
    seed = check_count(seed, "seed", 0)
    stream = PUBLISHED.index(check_one_of(split, "split", PUBLISHED))
    images = np.empty((n, _SIDE * _SIDE), np.uint8)
    labels = np.empty(n, np.uint8)
    for start in range(0, n, _BLOCK):
        rows = slice(start, min(start + _BLOCK, n))
        block_images, block_labels = _draw_block(seed, stream, start // _BLOCK)
        images[rows] = block_images[: rows.stop - start]
        labels[rows] = block_labels[: rows.stop - start]
    return images, labels


def _draw_block(seed: int, stream: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng((seed, stream, block))
    labels = rng.integers(0, 10, _BLOCK)
    fields, half_widths, outlines = _glyphs()
    glyph = rng.integers(0, len(_FONTS), _BLOCK) * 10 + labels

    shape = _random_linear_maps(rng, _BLOCK)
    low, high = _bounding_boxes(shape, outlines[glyph])
    extent = (high - low).max(axis=1)
    half_width = rng.uniform(1.0, 2.1, _BLOCK)  # of the pen, in pixels
    thicken = np.maximum(half_width - half_widths[glyph] * _BOX / extent, -0.5)
    wave_x, wave_y, wave_height = _random_waves(rng, _BLOCK)
    scale = (_BOX - 2 * np.maximum(thicken, 0) - 2 * wave_height) / extent
    centre = (low + high) / 2

    # From a pixel back to the glyph: undo the wave, the scale, the linear map.
    pixel = np.arange(_SIDE, dtype=np.float32) - (_SIDE - 1) / 2
    x = ((pixel + wave_x[:, :, None]) / scale[:, None, None] + centre[:, None, None, 0]).astype(
        "f4"
    )
    y = ((-pixel[:, None] + wave_y[:, None, :]) / scale[:, None, None]).astype("f4")
    y += centre[:, None, None, 1].astype("f4")
    back = np.linalg.inv(shape).astype("f4")[:, :, :, None, None]
    u = back[:, 0, 0] * x + back[:, 0, 1] * y
    v = back[:, 1, 0] * x + back[:, 1, 1] * y
    distance = _interpolate(fields, glyph, u, v)  # to the outline, in glyph units
    distance *= scale[:, None, None].astype("f4")
    ink = np.clip(0.5 + (distance + thicken[:, None, None].astype("f4")) / 1.2, 0, 1)
    grey = np.rint(_centre_by_mass(ink) * 255).astype(np.uint8)
    return grey.reshape(_BLOCK, -1), labels.astype(np.uint8)


def _random_linear_maps(rng: np.random.Generator, n: int) -> np.ndarray:
    """Narrow or widen, slant, turn: (n, 2, 2) matrices."""
    widen = np.exp(rng.normal(0, 0.22, n))
    slant = rng.normal(0.1, 0.24, n)
    angle = rng.normal(0, 0.15, n)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([c, -s], 1), np.stack([s, c], 1)], 1)
    zero, one = np.zeros(n), np.ones(n)
    stretch = np.stack([np.stack([widen, slant], 1), np.stack([zero, one], 1)], 1)
    return turn @ stretch


def _bounding_boxes(shape: np.ndarray, outlines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mapped = outlines @ shape.transpose(0, 2, 1)
    return mapped.min(axis=1), mapped.max(axis=1)


def _random_waves(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how far each row moves sideways and each column up, and the larger height, in pixels.

    Shapes (n, 28), (n, 28) and (n,).
    """
    position = np.arange(_SIDE, dtype=np.float32) / _SIDE
    height = rng.uniform(0, 2, (2, n, 1)).astype("f4")
    cycles = rng.uniform(0.5, 1.3, (2, n, 1)).astype("f4")
    phase = rng.uniform(0, 1, (2, n, 1)).astype("f4")
    sideways, up = height * np.sin(np.float32(2 * np.pi) * (cycles * position + phase))
    return sideways, up, height.max(axis=0)[:, 0]


def _interpolate(fields: np.ndarray, which: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear values of ``fields[which]`` at glyph coordinates (u, v), both (n, 28, 28)."""
    per_unit = (_GRID - 1) / (2 * _REACH)
    column = np.clip((u + _REACH) * np.float32(per_unit), 0, _GRID - 1.001)
    row = np.clip((v + _REACH) * np.float32(per_unit), 0, _GRID - 1.001)
    left, below = column.astype(np.int32), row.astype(np.int32)
    right, above = column - left, row - below  # weights
    corner = which.astype(np.int32)[:, None, None] * _GRID**2 + below * _GRID + left
    flat = fields.reshape(-1)
    lower = flat.take(corner)
    lower += (flat.take(corner + 1) - lower) * right
    upper = flat.take(corner + _GRID)
    upper += (flat.take(corner + (_GRID + 1)) - upper) * right
    return lower + (upper - lower) * above


def _centre_by_mass(ink: np.ndarray) -> np.ndarray:
    """Shift each image by whole pixels so that its centre of mass is within half a pixel."""
    position = np.arange(_SIDE)
    mass = ink.sum(axis=(1, 2))
    middle = (_SIDE - 1) / 2
    down = np.rint(middle - ink.sum(axis=2) @ position / mass).astype(int)
    right = np.rint(middle - ink.sum(axis=1) @ position / mass).astype(int)
    rows = (position - down[:, None]) % _SIDE
    columns = (position - right[:, None]) % _SIDE
    return ink[np.arange(len(ink))[:, None, None], rows[:, :, None], columns[:, None, :]]


@lru_cache(maxsize=1)
def _glyphs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distance fields, mean stroke half-widths and extreme points of all glyphs.

    Glyph ``10 * font + digit``; everything in units of the glyph's larger side, from the centre of
    its bounding box, y upwards.
    """
    axis = np.linspace(-_REACH, _REACH, _GRID)
    points = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    directions = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    directions = np.stack([np.cos(directions), np.sin(directions)])
    fields, half_widths, outlines = [], [], []
    for font in _FONTS:
        for digit in "0123456789":
            contours = _contours(font, digit)
            outline = np.concatenate([_dense(contour) for contour in contours])
            distance = np.sqrt(_squared_gaps(points, outline).min(axis=1))
            field = np.where(_inside(contours, points), distance, -distance)
            fields.append(field)
            # Along a stroke of half-width w the depth is uniform on [0, w].
            half_widths.append(2 * field[field > 0].mean())
            outlines.append(outline[(outline @ directions).argmax(axis=0)])
    return np.array(fields, "f4"), np.array(half_widths), np.array(outlines, "f8")


def _squared_gaps(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    gaps = points[:, :1] - outline[:, 0]
    gaps *= gaps
    up = points[:, 1:] - outline[:, 1]
    up *= up
    gaps += up
    return gaps


def _contours(font: str, digit: str) -> list[np.ndarray]:
    """Return the closed outlines of a digit, larger side one, centred on its bounding box."""
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
    path = TextPath((0, 0), digit, size=100, prop=FontProperties(fname=str(file)))
    polygons = map(np.asarray, path.to_polygons(closed_only=True))
    contours = [polygon for polygon in polygons if len(polygon) > 2]
    corners = np.concatenate(contours)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return [(c - (low + high) / 2) / (high - low).max() for c in contours]


def _dense(contour: np.ndarray, spacing: float = 0.03) -> np.ndarray:
    """Return points along a closed outline, at most `spacing` apart."""
    steps = np.linalg.norm(np.diff(contour, axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, length[-1], int(length[-1] / spacing) + 2)
    return np.stack([np.interp(at, length, contour[:, k]) for k in range(2)], 1)


def _inside(contours: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    """Even-odd rule: a hole is inside two outlines."""
    from matplotlib.path import Path as Outline

    inside = np.zeros(len(points), bool)
    for contour in contours:
        inside ^= Outline(contour).contains_points(points)
    return inside
