"""Twenty textures drawn by code, in scenes that know where each texture is.

Every class is one short function that takes a `Sketch` (a random generator and the coordinates of the
frame) and returns a float picture. Lengths are in frames, not in pixels: a dot of radius 0.1 is a tenth of
the frame wide at any size. The names follow the Describable Textures Dataset (Cimpoi et al., CVPR 2014);
no photograph is used.

    scene = two("woven", "scaly", seed=3, size=128)
    scene.picture        # (128, 128, 3) uint8 RGB
    scene.masks["scaly"] # (128, 128) bool; the two masks partition the frame

`python -m vizcore.textures sheet.png` draws a contact sheet, one row a class.
"""

import math
import sys
from typing import NamedTuple

import cv2
import numpy as np

F = np.float32
TAU = 2 * math.pi
LUMA = np.array([0.299, 0.587, 0.114], F)
KEYS = 4096  # how many different cells a table of per-cell numbers tells apart


class Scene(NamedTuple):
    """A picture and where in it each texture is."""

    picture: np.ndarray  # (size, size, 3) uint8, RGB
    masks: dict[str, np.ndarray]  # label -> (size, size) bool


# ---------------------------------------------------------------- what the textures are drawn with


class Sketch:
    """Randomness and coordinates for one picture. `x` and `y` are (size, size), -0.5 to 0.5."""

    def __init__(self, rng, size):
        self.rng, self.size = rng, size
        axis = (np.arange(size, dtype=F) + 0.5) / size - 0.5
        self.x, self.y = np.meshgrid(axis, axis)

    def between(self, low, high):
        return float(self.rng.uniform(low, high))

    def spread(self, low, high):
        """A positive number, each octave between low and high equally likely."""
        return math.exp(self.rng.uniform(math.log(low), math.log(high)))

    def whole(self, low, high):
        """An integer, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, *options):
        return options[int(self.rng.integers(len(options)))]

    def noise(self, cells, channels=1):
        """Smooth noise, about `cells` bumps across the frame, mostly -1 to 1: (size, size[, channels])."""
        cells = max(2, int(round(cells)))
        lattice = self.rng.standard_normal((cells + 3, cells + 3, channels)).astype(F) * 0.6
        margin = self.size / cells
        wide = cv2.resize(lattice, (int(self.size + 3 * margin),) * 2, interpolation=cv2.INTER_CUBIC)
        start = int(1.5 * margin)
        return wide[start : start + self.size, start : start + self.size]

    def fractal(self, cells, octaves=4, gain=0.5):
        """Noise with detail at every scale, as natural surfaces have: (size, size), mostly -1 to 1."""
        total, weight, power = 0, 1.0, 0.0
        for _ in range(octaves):
            total, power = total + weight * self.noise(cells), power + weight * weight
            weight, cells = weight * gain, min(cells * 2, 100)
        return total / math.sqrt(power)

    def per_cell(self, key, *shape):
        """A random number from 0 to 1 (or an array of them) for each cell: key.shape + shape."""
        return self.rng.random((KEYS, *shape)).astype(F)[key]

    def plane(self, turn=True, bend=1.0):
        """Where each pixel lies on a surface rotated, in perspective, curved and warped: two (size, size)."""
        x, y = self.x, self.y
        if self.chance(0.35):  # perspective
            a, k = self.between(0, TAU), self.between(0.3, 1.0)
            depth = np.maximum(1 + k * (x * math.cos(a) + y * math.sin(a)), 0.35)
            x, y = x / depth, y / depth
        if self.chance(0.2):  # wrapped round a ball or a pipe: narrower towards the edge
            k, across = self.between(0.4, 1.6), self.pick(0.0, 1.0)
            far = 1 + k * (x * x + across * y * y)
            x, y = x * far, y * (far if across else 1)
        if bend and self.chance(0.65):
            cells = self.whole(2, 6)
            shift = self.noise(cells, 2) * (bend * self.between(0.01, 0.07) * 3 / cells)
            x, y = x + shift[..., 0], y + shift[..., 1]
        a = self.between(0, TAU) if turn else self.between(-0.3, 0.3)
        stretch = self.spread(0.8, 1.25)
        u = (x * math.cos(a) + y * math.sin(a)) * stretch + self.between(-4, 4)
        v = (y * math.cos(a) - x * math.sin(a)) / stretch + self.between(-4, 4)
        return u, v

    def colour(self):
        """One colour, (3,) in 0 to 1: grey, a natural hue (earth, leaf, sky, flesh), or anything."""
        kind = self.rng.random()
        if kind < 0.2:
            colour = np.full(3, self.between(0.02, 0.98)) + self.rng.normal(0, 0.02, 3)
        elif kind < 0.75:
            hue = self.pick((0.8, 0, -1), (0.8, 0, -1), (-0.2, 0.5, -0.8), (-0.8, 0, 0.8), (1.2, -0.2, -0.5))
            colour = self.between(0.05, 0.95) + self.between(0, 0.25) * np.array(hue)
        else:
            colour = self.rng.random(3)
        return np.clip(colour, 0, 1).astype(F)

    def palette(self, count, contrast=0.25):
        """(count, 3) colours; each differs from the one before in lightness by `contrast`, or much in hue."""
        colours = [self.colour()]
        while len(colours) < count:
            for _ in range(20):
                new = self.colour()
                step = new - colours[-1]
                if abs(step @ LUMA) > contrast or np.abs(step).max() > 2.5 * contrast:
                    break
            colours.append(new)
        return np.array(colours, F)

    def dark_and_light(self, contrast=0.3):
        """Two colours, the darker first: (2, 3)."""
        pair = self.palette(2, contrast)
        return pair[np.argsort(pair @ LUMA)]

    def flat(self, colour):
        """A frame of one colour."""
        return np.zeros((self.size, self.size, 3), F) + colour

    def strokes(self, layer, lines, value, width):
        """Draw polylines (each (n, 2), in frames, origin in the middle) on a layer, in place.

        A line thinner than a pixel is drawn a pixel wide and, for a grey value, fainter.
        """
        pixels = width * self.size
        if np.isscalar(value):
            value = value * min(1.0, 0.4 + 0.6 * pixels)
        points = [self.pixels(line) for line in lines]
        cv2.polylines(layer, points, False, value, max(1, int(round(pixels))), cv2.LINE_AA, 3)

    def pixels(self, points):
        """Frame coordinates as OpenCV's fixed-point pixels (three fractional bits)."""
        return ((np.asarray(points) + 0.5) * (self.size * 8)).astype(np.int32)

    def blur(self, picture, sigma):
        return cv2.GaussianBlur(np.ascontiguousarray(picture, F), (0, 0), max(sigma * self.size, 0.3))

    def displaced(self, layer, amount, cells=3):
        """The layer seen through uneven glass: moved by up to about `amount` frames."""
        shift = self.noise(cells, 2) * amount
        map_x, map_y = (np.asarray(c + 0.5, F) * self.size - 0.5 for c in (self.x, self.y))
        map_x, map_y = map_x + shift[..., 0] * self.size, map_y + shift[..., 1] * self.size
        return cv2.remap(layer, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def edge(value, low, high):
    """0 below low, 1 above high, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(amount, a, b):
    """a where amount is 0, b where it is 1; amount is (H, W)."""
    amount = amount[..., None]
    return a * (1 - amount) + b * amount


def times(picture, factor):
    """A picture (H, W, 3) or colour (3,) made lighter or darker pixel by pixel by factor (H, W)."""
    return picture * np.asarray(factor)[..., None]


def gradient(colours, t):
    """Colours (k, 3) laid out along t from 0 to 1: t.shape + (3,)."""
    place = np.clip(t, 0, 1) * (len(colours) - 1)
    index = np.minimum(place.astype(np.int32), len(colours) - 2)
    return mix(place - index, colours[index], colours[index + 1])


def cells(s, u, v, jitter=0.95):
    """Worley cells of about one unit: nearest distance, second nearest, key, and the offset to the centre."""
    column, row = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    in_u, in_v = (u - column).astype(F), (v - row).astype(F)
    centres = (s.rng.random((KEYS, 2)).astype(F) - 0.5) * jitter + 0.5
    first, second = np.full(u.shape, 9e9, F), np.full(u.shape, 9e9, F)
    key, du, dv = np.zeros(u.shape, np.int32), np.zeros(u.shape, F), np.zeros(u.shape, F)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            candidate = ((column + i) & 63) * 64 + ((row + j) & 63)
            pu, pv = centres[candidate, 0] + i - in_u, centres[candidate, 1] + j - in_v
            distance = pu * pu + pv * pv
            nearer = distance < first
            second = np.where(nearer, first, np.minimum(second, distance))
            first = np.where(nearer, distance, first)
            key = np.where(nearer, candidate, key)
            du, dv = np.where(nearer, pu, du), np.where(nearer, pv, dv)
    return np.sqrt(first), np.sqrt(second), key, du, dv


def squares(u, v):
    """A square lattice of one unit: offset from the centre of the cell (-0.5 to 0.5) and key."""
    column, row = np.floor(u), np.floor(v)
    key = (column.astype(np.int32) & 63) * 64 + (row.astype(np.int32) & 63)
    return u - column - 0.5, v - row - 0.5, key


def hexagons(u, v):
    """A hexagonal lattice, neighbours one unit apart: offset from the centre, distance to the wall, key."""
    root3 = math.sqrt(3)
    u1, v1 = u % 1 - 0.5, v % root3 - root3 / 2
    u2, v2 = (u - 0.5) % 1 - 0.5, (v - root3 / 2) % root3 - root3 / 2
    nearer = u1 * u1 + v1 * v1 < u2 * u2 + v2 * v2
    du, dv = np.where(nearer, u1, u2), np.where(nearer, v1, v2)
    column, row = np.round((u - du) * 2).astype(np.int32), np.round((v - dv) / root3 * 2).astype(np.int32)
    wall = 0.5 - np.maximum(np.abs(du), np.abs(du) * 0.5 + np.abs(dv) * root3 / 2)
    return du, dv, wall, (column & 63) * 64 + (row & 63)


def lit(s, picture, height, chance=1.0, shadows=0.0):
    """The picture as the skin of a relief (height in frames) under one lamp: shade, gloss, cast shadows."""
    if not s.chance(chance):
        return picture
    height = np.ascontiguousarray(height, F)
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) * (s.size / 8)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) * (s.size / 8)
    around, up = s.between(0, TAU), s.between(0.4, 1.15)
    lx, ly, lz = math.cos(around) * math.cos(up), math.sin(around) * math.cos(up), math.sin(up)
    steep = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    diffuse = np.clip((lz - slope_x * lx - slope_y * ly) * steep, 0, 1)
    if shadows:  # a point is in shadow when something towards the lamp rises above the line to it
        above = np.zeros_like(height)
        for step in (0.012, 0.03, 0.06):
            move = np.array([[1, 0, lx * step * s.size], [0, 1, ly * step * s.size]], F)
            there = cv2.warpAffine(
                height,
                move,
                (s.size, s.size),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT,
            )
            above = np.maximum(above, there - height - step * math.tan(up) * 0.7)
        diffuse = diffuse * (1 - shadows * edge(above, 0, 0.012))
    ambient = s.between(0.15, 0.45)
    shaded = times(picture, ambient + (1 - ambient) * diffuse / max(lz, 0.55) * 1.05)
    if s.chance(0.4):  # gloss: the normal against the half-way vector between lamp and eye
        half = math.sqrt(2 + 2 * lz)
        facing = np.clip((1 + lz - slope_x * lx - slope_y * ly) * steep / half, 0, 1)
        shaded = shaded + (facing ** s.spread(12, 90) * s.between(0.1, 0.6))[..., None]
    return shaded


def worn(s, picture, chance=0.65, strength=0.14):
    """Fine unevenness of the material, at scales from a sixth of the frame down to a pixel or two."""
    if not s.chance(chance):
        return picture
    return times(picture, 1 + s.between(0.02, strength) * s.fractal(s.spread(5, 40), 3, 0.75))


def stripes(s, t, colours, softness):
    """Colours repeating along t with period one, of random widths; softness of a border, in periods."""
    ends = np.cumsum(s.rng.uniform(0.5, 1.5, len(colours)))
    ends = ends / ends[-1]
    t = t % 1
    picture = s.flat(colours[-1])
    for start, colour in zip(np.r_[0, ends[:-1]], colours, strict=True):
        picture = mix(edge(t, start - softness, start + softness), picture, colour)
    return picture


# ---------------------------------------------------------------- the classes


def _strata(s, u):
    """Layers of uneven thickness and tone, as in rock: (size, size, 3)."""
    count = s.whole(6, 24)
    tones = s.palette(s.whole(2, 4), 0.2)
    layers = gradient(tones, s.rng.random(256)) * s.rng.uniform(0.75, 1.15, (256, 1)).astype(F)
    place = u * count + 0.25 * s.fractal(6, 3, 0.6)
    low, part = np.floor(place).astype(np.int32), place % 1
    return mix(edge(part, 0.5 - 0.5 * s.between(0.1, 1), 1), layers[low & 255], layers[(low + 1) & 255])


def banded(s):
    """Parallel bands of two to five colours, straight, wavy or bent round a far centre; or strata."""
    u, v = s.plane()
    if s.chance(0.2):
        u = np.hypot(u - u.mean() - s.between(0.9, 2), v - v.mean())
    if s.chance(0.25):
        return worn(s, lit(s, _strata(s, u), 0.01 * s.fractal(8, 3), 0.3))
    colours = s.palette(s.whole(2, 5), 0.2)
    period = s.spread(0.04, 0.4) * max(1, len(colours) / 2)
    picture = stripes(s, u / period, colours, s.spread(0.004, 0.03) / period)
    return worn(s, lit(s, picture, 0.02 * picture @ LUMA, 0.15))


def _stain(s, picture, colour, cells, level, soft, octaves=4):
    """Patches of colour where noise exceeds a level."""
    return mix(
        edge(s.fractal(cells, octaves, s.between(0.3, 0.65)), level - soft, level + soft), picture, colour
    )


def _coat(s):
    """Large crisp patches with a few satellites, as on a cow, a giraffe or a leaf."""
    ground, patch, third = s.palette(3, 0.25)
    size = s.spread(3, 7)
    picture = _stain(
        s, s.flat(ground), patch, size, s.between(-0.2, 0.3), s.spread(0.02, 0.12), s.whole(2, 5)
    )
    return (
        _stain(s, picture, third, size * 1.5, s.between(0.3, 0.7), s.spread(0.02, 0.12))
        if s.chance(0.4)
        else picture
    )


def _stains(s):
    """Soft stains at several scales over plaster or skin, one hue varying."""
    ground = s.colour() * 0.6 + 0.3
    picture = times(ground, 1 + 0.1 * s.fractal(3, 5, 0.7))
    for _ in range(s.whole(2, 4)):
        tint = np.clip(ground + s.rng.normal(0, 0.28, 3), 0, 1).astype(F)
        soft = s.spread(0.05, 0.5)
        picture = _stain(s, picture, tint, s.spread(3, 11), s.between(-0.1, 0.5), soft)
    return picture


def _splashes(s):
    """Overlapping ragged splashes of paint, of very different sizes."""
    colours = s.palette(s.whole(2, 5), 0.25)
    picture = s.flat(colours[0])
    ragged = s.fractal(s.spread(8, 20), 3, 0.6) * s.between(0.1, 0.4)
    for _ in range(s.whole(14, 45)):
        cx, cy = s.rng.uniform(-0.6, 0.6, 2)
        reach = np.hypot(s.x - cx, s.y - cy) / s.spread(0.02, 0.22) + ragged
        amount = (1 - edge(reach, 0.9, 1.0 + s.between(0.05, 0.4))) * s.between(0.6, 1)
        picture = mix(amount, picture, colours[s.whole(1, len(colours) - 1)])
    return picture


def _spots(s):
    """Irregular spots of all sizes, some with a core, some run together: rust, mould, a sick leaf."""
    ground, spot, core = s.palette(3, 0.2)
    picture = times(ground, 1 + 0.12 * s.fractal(3, 4, 0.6))
    u, v = s.x + s.fractal(s.spread(6, 14), 3, 0.6) * 0.03, s.y + s.fractal(s.spread(6, 14), 3, 0.6) * 0.03
    for size in (s.spread(0.2, 0.4), s.spread(0.08, 0.2)):
        near, _, key, _, _ = cells(s, u / size + 5, v / size + 5, 1)
        radius = s.between(0.3, 0.6) * s.per_cell(key) ** s.between(0.5, 1.5)
        soft = s.spread(0.02, 0.2)
        picture = mix(edge(radius - near, -soft, soft) * s.between(0.6, 1), picture, spot)
        if s.chance(0.5):
            picture = mix(edge(radius * 0.6 - near, -soft, soft), picture, core)
    return picture


def blotchy(s):
    """Irregular patches, sharp or soft, of a few tones and many sizes; no direction and no veins."""
    picture = s.pick(_coat, _coat, _stains, _splashes, _spots)(s)
    if s.chance(0.35):  # the side of a fruit or an animal: round, or darker towards one edge
        picture = lit(s, picture, 0.3 * s.noise(2) + 0.004 * s.fractal(20, 2) * s.pick(0, 1))
    return worn(s, picture, 0.8, 0.16)


def braided(s):
    """Three strands plaited: one plait over a background, or many side by side."""
    u, v = s.plane()
    single = s.chance(0.2)
    width = s.spread(0.35, 0.75) if single else s.spread(0.14, 0.45)
    length, spacing = width * s.between(0.9, 1.8), s.between(1.0, 1.25)
    if single:
        u = u - u[s.size // 2, s.size // 2] + 0.5 * width * spacing + s.between(-0.1, 0.1)
    column = np.floor(u / (width * spacing))
    across = (u / (width * spacing) - column - 0.5) * 2 * spacing
    along = v / length * TAU + column * s.between(0, TAU)
    ground, *strands = s.palette(4, 0.25)
    strands = strands if s.chance(0.35) else strands[:1] * 3
    thick, fibres, depth = s.between(0.36, 0.5), s.whole(2, 6), s.between(0, 0.4)
    picture, top, height = (
        times(ground, s.between(0.15, 0.6) * (1 + 0.2 * s.noise(3))),
        np.full(u.shape, -9, F),
        0 * u,
    )
    for k, strand in enumerate(strands):
        a = along + k * TAU / 3
        slope = 0.55 * np.cos(a) * TAU / length * width / 2
        offset = (across - 0.55 * np.sin(a)) / thick / np.sqrt(1 + slope * slope)
        round_ = 1 - offset**2
        level = np.cos(2 * a) + 0.6 * round_
        seen = (round_ > 0) & (level > top) & ((column == 0) | (not single))
        hairs = 1 - depth * (0.5 + 0.5 * np.sin(offset * fibres * math.pi + v / width * s.between(-3, 3)))
        shade = (0.35 + 0.65 * np.clip(round_, 0, 1)) * hairs * (0.8 + 0.2 * np.cos(2 * a))
        picture = np.where(seen[..., None], times(strand * 0.9 + 0.1, shade), picture)
        height = np.where(seen, width * (0.12 * round_ + 0.05 * np.cos(2 * a)), height)
        top = np.where(seen, level, top)
    return worn(s, lit(s, picture * 1.15, height, 0.45))


def _foam(s):
    """Bubbles packed side by side: bright rims, a glint in each."""
    u, v = s.plane(bend=0.3)
    size = s.spread(0.05, 0.3)
    ground, rim, inside = s.palette(3, 0.2)
    rim = rim if s.chance(0.6) else np.ones(3, F)
    near, _, key, du, dv = cells(s, u / size, v / size, s.between(0.5, 0.95))
    radius = 0.3 + 0.22 * s.per_cell(key)
    q, a = near / radius, s.between(0, TAU)
    within, wall = 1 - edge(q, 0.98, 1.05), edge(q, 0.78, 0.95) * (1 - edge(q, 1.0, 1.12))
    across = (du * math.cos(a) + dv * math.sin(a)) / radius
    glint = np.exp(
        -((du / radius - math.cos(a) * 0.45) ** 2 + (dv / radius - math.sin(a) * 0.45) ** 2) / 0.03
    )
    opaque = s.between(0.4, 0.95)
    picture = times(ground, 1 + 0.25 * s.fractal(3, 3) + 0.3 * within * across)
    picture = mix(wall * opaque, mix(within * opaque * 0.4, picture, inside), rim)
    return picture + (glint * within * s.between(0.4, 1))[..., None]


def _froth(s):
    """Clear bubbles of many sizes on top of each other, in a liquid."""
    picture = gradient(s.palette(3, 0.15), 0.5 + 0.35 * s.noise(2)) if s.chance(0.7) else s.flat(s.colour())
    picture = np.ascontiguousarray(picture, F)
    rim = s.colour() if s.chance(0.6) else np.ones(3, F)
    largest, thin = s.spread(0.06, 0.2), s.spread(0.003, 0.012)
    a, opaque = s.between(0, TAU), s.between(0.35, 0.9)
    for _ in range(int(min(230, 1.1 / largest**2))):
        radius = largest * s.between(0.2, 1) ** 1.3 + 0.01
        cx, cy = s.rng.uniform(-0.55, 0.55, 2)
        row, column = (int((np.clip(c, -0.49, 0.49) + 0.5) * s.size) for c in (cy, cx))
        fill = picture[row, column].copy()

        def disc(x, y, r, colour, width=-1):
            colour = np.clip(colour, 0, 1).tolist()
            cv2.circle(picture, s.pixels((x, y)).tolist(), int(r * s.size * 8), colour, width, cv2.LINE_AA, 3)

        if s.chance(0.7):
            disc(cx, cy, radius, fill * s.between(0.8, 1.25))
        width = max(1, int(round(thin * s.size * radius / 0.09)))
        disc(cx, cy, radius, rim * opaque + fill * (1 - opaque), width)
        if radius > 0.02:
            gx, gy = cx + math.cos(a) * radius * 0.5, cy + math.sin(a) * radius * 0.5
            disc(gx, gy, radius * s.between(0.1, 0.22), rim * 0.5 + 0.5)
            crescent = np.linspace(a + math.pi - 0.7, a + math.pi + 0.7, 7)
            arc = np.stack([cx + np.cos(crescent) * radius * 0.75, cy + np.sin(crescent) * radius * 0.75], -1)
            s.strokes(picture, [arc], (rim * 0.5 + fill * 0.5).tolist(), 0.005)
    return picture


def bubbly(s):
    """Bubbles: round, see-through, with rims and glints."""
    return worn(s, s.pick(_foam, _froth, _froth)(s), 0.3)


def _pebbles(s, u, v):
    """Domes packed side by side, of one colour (hide, pumpkin) or each its own (stones): height, tint."""
    size = s.spread(0.045, 0.25)
    near, second, key, _, _ = cells(s, u / size, v / size, s.between(0.5, 1))
    if s.chance(0.5):  # stones with gaps between
        gap = edge(second - near, 0, s.between(0.15, 0.4))
        height = gap * np.clip(1 - (near / 0.85) ** 2, 0, 1) * size * s.between(0.5, 0.9)
    else:
        height = np.sqrt(np.clip(1 - (near / s.between(0.5, 0.75)) ** 2, 0, 1)) * size * s.between(0.3, 0.6)
    varied = s.per_cell(key)
    return height * (0.6 + 0.4 * s.per_cell(key)), varied * s.pick(0, 0.3, 0.8)


def _lumps(s, u, v):
    """Smooth swellings of irregular form."""
    count = s.spread(5, 22)
    height = s.fractal(count, s.whole(1, 3), 0.35)
    return (np.abs(height) if s.chance(0.4) else height) * s.between(0.25, 0.5) / count, 0.4 * edge(
        height, -1, 1
    )


def _pimples(s, u, v):
    """Separate bumps on a smooth surface: warts, gourds, orange peel seen close."""
    size = s.spread(0.06, 0.2)
    near, _, key, _, _ = cells(s, u / size, v / size, 0.9)
    radius = s.between(0.2, 0.42) * (0.5 + 0.5 * s.per_cell(key))
    height = np.clip(1 - (near / radius) ** 2, 0, 1) ** s.between(0.6, 1.5) * size * s.between(0.15, 0.35)
    return height, edge(height / size, 0, 0.2) * s.pick(0, 0.5)


def _studs(s, u, v):
    """Round studs or dimples on a lattice: toy bricks, golf balls, rubber mats."""
    size, radius = s.spread(0.07, 0.22), s.between(0.28, 0.45)
    du, dv = hexagons(u / size, v / size)[:2] if s.chance(0.4) else squares(u / size, v / size)[:2]
    q = np.hypot(du, dv) / radius
    height = 1 - edge(q, 0.75, 1.05) if s.chance(0.35) else np.sqrt(np.clip(1 - q * q, 0, 1))
    return height * size * s.between(0.2, 0.45) * s.pick(1, 1, -1), 0 * u


def _rough(s, u, v):
    """Stucco, bark, rock: relief at every scale."""
    height = s.fractal(s.spread(6, 16), 5, s.between(0.5, 0.65))
    return (height if s.chance(0.5) else -np.abs(height)) * s.between(0.02, 0.05), 0.5 * edge(height, -1, 1)


def bumpy(s):
    """Relief in one material: the light and its shadows make the texture, colour only follows."""
    u, v = s.plane()
    height, tint = s.pick(_pebbles, _pebbles, _pebbles, _lumps, _pimples, _studs, _rough)(s, u, v)
    height = (
        height
        + s.fractal(s.spread(10, 30), 3, 0.6) * s.pick(0, 0.001, 0.003)
        + 0.12 * s.noise(2) * s.pick(0, 1)
    )
    base, other = s.palette(2, 0.1)
    picture = mix(tint, s.flat(base * 0.75 + 0.2), other * 0.75 + 0.15)
    hollow = s.blur(height, 0.03) - height
    picture = times(picture, 1 - s.between(0.3, 0.8) * edge(hollow, 0, 0.03))
    return worn(
        s,
        lit(s, picture, s.blur(height, s.spread(0.003, 0.009)) * s.between(0.8, 1.6), 1, s.pick(0, 0.6, 0.9)),
        0.7,
    )


def chequered(s):
    """Squares of two colours taking turns; or gingham, where crossing stripes add up."""
    u, v = s.plane()
    period, (first, second, third) = s.spread(0.045, 0.28), s.palette(3, 0.3)
    sharp = s.between(0.006, 0.02) / period * math.pi
    a, b = (np.clip(np.sin(math.pi * c / period) / sharp / 2, -1, 1) for c in (u, v))
    if s.chance(0.75):
        picture = mix(0.5 + 0.5 * a * b, first, second)
    else:  # each thread carries its stripe across the others
        picture = mix((2 + a + b) / 4, first, second)
        if s.chance(0.2):
            thin = np.maximum(np.cos(math.pi * u / period), np.cos(math.pi * v / period))
            picture = mix(edge(thin, 0.95, 0.98) * 0.5, picture, third)
    return worn(s, picture)


def _web(s, layer):
    """One web: spokes from a hub, and sagging threads between neighbouring spokes."""
    hub, spokes, reach = s.rng.uniform(-0.45, 0.45, 2), s.whole(9, 27), 1.5
    angles = np.sort((np.arange(spokes) + s.rng.uniform(-0.35, 0.35, spokes)) * TAU / spokes)
    squeeze, gap, sag, uneven = (
        s.between(0.6, 1),
        s.spread(0.025, 0.075),
        s.between(0.02, 0.25),
        s.between(0.02, 0.25),
    )
    rings = int(reach / gap)
    radius = np.arange(1, rings + 1)[:, None] * gap + s.rng.normal(0, uneven * gap, (rings, spokes))
    radius = radius * (1 + 0.15 * np.sin(angles + s.between(0, TAU)))

    def at(r, a):
        return np.stack([hub[0] + r * np.cos(a), hub[1] + squeeze * r * np.sin(a)], -1)

    ends = at(np.array([[0.0], [reach]]), angles[None])  # (2, spokes, 2)
    s.strokes(layer, ends.swapaxes(0, 1), s.between(0.6, 1), 0.007)
    following = np.r_[angles[1:], angles[:1] + TAU]
    outer = np.roll(radius, -1, axis=1)
    middle = (radius + outer) / 2 * (1 - sag * (following - angles)) * np.cos((following - angles) / 2)
    threads = np.stack([at(radius, angles), at(middle, (angles + following) / 2), at(outer, following)], 2)
    kept = (s.rng.random((rings, spokes)) > s.between(0, 0.25)) & (np.abs(threads).max((2, 3)) < 0.8)
    s.strokes(layer, threads[kept], s.between(0.4, 0.9), 0.006)


def cobwebbed(s):
    """Pale threads of one or two webs before something dark and out of focus."""
    layer = np.zeros((s.size, s.size), F)
    for _ in range(s.pick(1, 1, 1, 2)):
        _web(s, layer)
    if s.chance(0.4):  # loose threads
        s.strokes(layer, s.rng.uniform(-0.7, 0.7, (s.whole(3, 20), 2, 2)), s.between(0.2, 0.8), 0.006)
    if s.chance(0.4):
        layer = s.displaced(layer, s.between(0.008, 0.04), 4)
    if s.chance(0.5):  # dew, or a lamp behind
        layer = np.clip(layer + s.blur(layer, s.between(0.008, 0.024)) * s.between(0.2, 1), 0, 1)
    layer = layer * np.clip(0.85 + 0.4 * s.noise(4), 0.25, 1)
    behind = gradient(
        s.palette(3, 0.1) * s.between(0.15, 0.75), 0.5 + 0.4 * s.fractal(s.between(2, 5), 3, 0.4)
    )
    picture = mix(layer, behind, np.clip(s.colour() * 0.25 + 0.72, 0, 1))
    return 1 - picture if s.chance(0.1) else picture


def cracked(s):
    """Thin dark cracks that meet and enclose flat plates: mud, glaze, old paint."""
    u, v = s.plane()
    few = s.chance(0.2)  # a wall with some long cracks
    size, rough = (s.spread(0.45, 0.8), 0.25) if few else (s.spread(0.08, 0.38), s.between(0.06, 0.3))
    u, v = u + s.fractal(8, 4, 0.6) * size * rough, v + s.fractal(8, 4, 0.6) * size * rough
    near, second, key, _, _ = cells(s, u / size, v / size, 1)
    width = s.spread(0.014 if few else 0.008, 0.026) / size
    crack = 1 - edge(second - near, width * 0.3, width * 1.4)
    if s.chance(0.5):  # finer cracks in some places
        finer = size * s.between(0.35, 0.6)
        near2, second2, _, _, _ = cells(s, u / finer + 7, v / finer + 3, 1)
        fine = 1 - edge(second2 - near2, width * 0.3, width * 2)
        crack = np.maximum(crack, fine * s.between(0.3, 0.8) * edge(s.fractal(4, 2), -0.1, 0.5))
    crack = crack * np.clip(1 - np.maximum(0, s.noise(5) - s.between(0.4, 1)), 0, 1)
    plate = times(s.colour(), 1 + s.between(0.05, 0.25) * s.fractal(s.spread(3, 10), 4, 0.7)) * 0.65 + 0.27
    if s.chance(0.4):
        plate = times(plate, 1 + s.between(0.03, 0.2) * (s.per_cell(key) - 0.5))
    picture = mix(crack, plate, plate * s.between(0.05, 0.45) if s.chance(0.85) else s.colour())
    curl = (second - near) * size * s.pick(0, 0, 0.08)
    return worn(s, lit(s, picture, curl - crack * s.between(0.008, 0.03), 0.5), 0.7, 0.16)


def crosshatched(s):
    """Many thin strokes in two to four directions, drawn by hand or ruled."""
    layer = np.zeros((s.size, s.size), F)
    angle, gap, jitter, by_hand = (
        s.between(0, math.pi),
        s.spread(0.02, 0.085),
        s.between(0, 0.35),
        s.chance(0.75),
    )
    turns = [0, s.between(0.6, 2.5), *s.rng.uniform(0, math.pi, s.whole(0, 2))]
    for k, turn in enumerate(turns):
        c, sn, step = math.cos(angle + turn), math.sin(angle + turn), gap * s.between(0.8, 1.3)
        offset = np.arange(-0.75, 0.75, step)
        offset = offset + s.rng.normal(0, jitter * step * 0.5, len(offset))
        pieces = s.whole(2, 9) if by_hand else 1
        length = 1.6 / pieces * s.rng.uniform(0.7, 1.25, (len(offset), pieces))
        start = (
            np.arange(pieces) * 1.6 / pieces
            - 0.8
            + by_hand * s.rng.uniform(-0.08, 0.08, (len(offset), pieces))
        )
        lean = by_hand * s.rng.normal(0, 0.03 + jitter * 0.1, (len(offset), pieces))
        t = start[..., None] + length[..., None] * np.array([0, 0.5, 1])  # (strokes, pieces, 3)
        w = (
            offset[:, None, None]
            + lean[..., None] * (t - start[..., None])
            + by_hand * s.rng.normal(0, 0.002, t.shape)
        )
        lines = np.stack([c * t - sn * w, sn * t + c * w], -1).reshape(-1, 3, 2)
        lines = lines[s.rng.random(len(lines)) < (s.between(0.6, 1) if k > 1 else 1)]
        hatch = np.zeros_like(layer)
        s.strokes(hatch, lines, s.between(0.6, 1), min(s.spread(0.004, 0.016), gap / 3))
        layer = 1 - (1 - layer) * (1 - hatch * 0.85)
    if s.chance(0.4):
        layer = s.displaced(layer, s.between(0.008, 0.05))
    if s.chance(0.5):
        layer = layer * np.clip(0.75 + 0.5 * s.noise(s.between(3, 8)), 0.25, 1)
    ink, paper = s.dark_and_light(0.35)
    if s.chance(0.2):
        ink, paper = paper, ink
    return worn(s, mix(layer, times(paper, 1 + 0.1 * s.fractal(3, 3)), ink), 0.4)


def _facets(s):
    """Cells broken into flat faces, each catching the light differently."""
    u, v = s.plane(bend=s.pick(0, 0, 0.6))
    size = s.spread(0.07, 0.34)
    near, second, key, du, dv = cells(s, u / size, v * s.between(0.5, 1) / size, 1)
    faces = s.whole(2, 5)
    sector = np.floor(((np.arctan2(dv, du) / TAU + s.per_cell(key)) % 1) * faces).astype(np.int32)
    tilt = s.per_cell(key, 2) - 0.5
    bright = s.per_cell(key) ** s.between(0.7, 1.6) * s.between(0.2, 0.6)
    bright = bright + s.per_cell((key * 8 + sector) % KEYS) * s.between(0.3, 0.7)
    bright = bright + (tilt[..., 0] * du + tilt[..., 1] * dv) * s.between(0.4, 1.6)
    if s.chance(0.5):
        _, _, key2, du2, _ = cells(s, u / size * 2 + 9, v / size * 1.3, 1)
        bright = bright * 0.65 + 0.35 * s.per_cell(key2) + 0.2 * du2
    rim = 1 - edge(second - near, 0, s.between(0.03, 0.1))
    return bright, rim * s.between(-0.3, 0.5)


def _shards(s):
    """Prisms growing out of a few roots, each with a bright side, a dark side and a ridge."""
    bright, ridge = np.full((s.size, s.size), s.between(0, 0.5), F), np.zeros((s.size, s.size), F)
    roots, thick, length = (
        s.rng.uniform(-0.7, 0.7, (s.whole(1, 5), 2)),
        s.spread(0.02, 0.08),
        s.spread(0.2, 0.6),
    )
    for _ in range(int(min(260, 9 / length / thick**0.6))):
        middle, root = s.rng.uniform(-0.6, 0.6, 2), s.pick(*roots)
        a = math.atan2(*(middle - root)[::-1]) + s.rng.normal(0, 0.35)
        along, across = np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])
        half, wide = length * s.between(0.3, 0.6), thick * s.between(0.4, 1.2)
        tip, shoulder, foot = middle + along * half, middle + along * (half - wide), middle - along * half
        for side, tone in ((1, s.between(0, 0.7)), (-1, s.between(0.3, 1))):
            face = [tip, shoulder + side * across * wide, foot + side * across * wide, foot]
            cv2.fillConvexPoly(bright, s.pixels(face), tone, cv2.LINE_AA, 3)
        cv2.fillConvexPoly(
            ridge,
            s.pixels(
                [
                    tip,
                    shoulder + across * wide,
                    foot + across * wide,
                    foot - across * wide,
                    shoulder - across * wide,
                ]
            ),
            0,
            cv2.LINE_AA,
            3,
        )
        s.strokes(ridge, [[tip, foot]], 0.7, 0.005)
    return bright + 0.1 * s.fractal(5, 3), ridge * s.between(0, 0.6)


def crystalline(s):
    """Flat shining faces with straight borders: gems, ice, quartz."""
    bright, rim = s.pick(_facets, _facets, _shards)(s)
    dark, light = s.dark_and_light(0.35)
    picture = mix(np.clip(bright, 0, 1), dark * 0.6, np.clip(light * 1.2 + 0.1, 0, 1)) + rim[..., None]
    glitter = (bright > s.between(0.8, 1)) * s.between(0.1, 0.6)
    return worn(s, picture + s.blur(glitter, 0.003)[..., None], 0.5)


def _hairs(s):
    """Single hairs, each a curved stroke, light over dark."""
    count, main = s.whole(150, 420), s.between(0, math.pi)
    angle = s.rng.normal(main, s.spread(0.05, 0.6), count)
    length, curl = s.rng.uniform(0.2, 0.9, count), s.rng.normal(0, s.between(0, 0.35), count)
    bent = angle[:, None] + 4 * curl[:, None] * np.linspace(-0.5, 0.5, 6)
    start = (
        s.rng.uniform(-0.65, 0.65, (count, 2))
        - np.stack([np.cos(angle), np.sin(angle)], -1) * length[:, None] / 2
    )
    step = np.stack([np.cos(bent), np.sin(bent)], -1) * (length / 6)[:, None, None]
    lines = start[:, None] + np.cumsum(step, 1)  # (count, 6, 2)
    tone = s.rng.random(count) ** s.between(0.6, 2)
    if s.chance(0.6):
        tone = np.sort(tone)
    root, tip = s.palette(2, 0.25)
    picture = np.ascontiguousarray(s.flat(root * s.between(0.3, 0.9)), F)
    width = s.pick(0.006, 0.008, 0.014)
    for line, t in zip(lines, tone, strict=True):
        s.strokes(picture, [line], (root * s.between(0.3, 1) * (1 - t) + tip * t).tolist(), width)
    return picture


def _streaks(s):
    """A bundle of parallel fibres, finer than one can count: wood, muscle, asbestos."""
    u, v = s.plane(bend=1.5)
    table = s.rng.random((256, 256)).astype(F)
    tone = 0
    for fine, weight in ((s.spread(40, 100), 1.0), (s.spread(12, 35), 0.7), (s.spread(4, 8), 0.3)):
        along = v * fine * s.between(0.03, 0.09)
        place = (u * fine % 256).astype(F), (along % 256).astype(F)
        tone = tone + weight * (cv2.remap(table, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) - 0.5)
    picture = gradient(s.palette(s.whole(2, 3), 0.3), 0.5 + tone * s.between(0.5, 1))
    return lit(s, picture, tone * s.between(0.003, 0.012), 0.5)


def fibrous(s):
    """Thin threads mostly in one direction, crossing a little, uneven in tone."""
    return worn(s, s.pick(_hairs, _hairs, _streaks)(s), 0.4)


def grid(s):
    """Two sets of straight bars at right angles, with plain fields between: windows, tiles, wire fences."""
    u, v = s.plane(bend=0.6)
    period = s.spread(0.08, 0.32)
    tall = period * (s.spread(0.7, 1.4) if s.chance(0.4) else 1)
    width, soft = s.spread(0.006, max(0.009, period * 0.14)), s.between(0.003, 0.008)
    du, dv, key = squares(u / period, v / tall)
    bar = 1 - edge(
        np.minimum((0.5 - np.abs(du)) * period, (0.5 - np.abs(dv)) * tall), width - soft, width + soft
    )
    field, line, behind = s.palette(3, 0.3)
    base = s.flat(field)
    if s.chance(0.3):  # every field its own shade
        base = times(base, 1 + s.between(0.1, 0.6) * (s.per_cell(key) - 0.5))
    if s.chance(0.15):  # windows: some lit, the sky in others
        base = mix(edge(s.per_cell(key) + 0.3 * dv, 0.3, 0.8), base, behind)
    if s.chance(0.35):  # something out of focus behind a fence
        base = mix(edge(s.fractal(2.5, 3, 0.4), -0.8, 0.8), base, behind * 0.5 + field * 0.5)
    return worn(s, lit(s, mix(bar, base, line), bar * s.between(0.01, 0.03) * s.pick(1, -1), 0.4))


def honeycombed(s):
    """Six-sided cells with walls, flat, hollow or filled."""
    u, v = s.plane()
    size = s.spread(0.055, 0.28)
    if s.chance(0.35):  # built by bees
        shift = s.noise(0.7 / size, 2) * size * 0.12
        u, v = u + shift[..., 0], v + shift[..., 1]
    du, dv, wall, key = hexagons(u / size, v / size)
    width, soft = s.between(0.04, 0.16), 0.006 / size
    comb = 1 - edge(wall, width - soft, width + soft)
    inside, line = s.palette(2, 0.25)
    base = s.flat(inside)
    if s.chance(0.5):
        base = times(base, 1 + s.between(0.1, 0.6) * (s.per_cell(key) - 0.5))
    if s.chance(0.6):  # hollow or domed
        base = times(base, s.pick(1.4 - 1.8 * np.clip(wall, 0, 0.5), 0.5 + 1.1 * np.clip(wall, 0, 0.5) * 2))
    if s.chance(0.4):  # the far wall of each cell catches the light
        a = s.between(0, TAU)
        base = times(base, 1 + 0.8 * (du * math.cos(a) + dv * math.sin(a)))
    return worn(s, lit(s, mix(comb, base, line), comb * s.between(0.01, 0.04), 0.45))


def marbled(s):
    """Veins and swirls that flow into each other: stone, or ink on water."""
    u, _ = s.plane(bend=0)
    flow = s.displaced(s.fractal(s.between(2, 5), 4), s.between(0.03, 0.11), s.whole(3, 6))
    wave = np.sin(TAU * (u / s.spread(0.3, 1) + flow * s.between(0.5, 1.3)))
    kind = s.rng.random()
    if kind < 0.35:  # sparse thin veins in pale or dark stone
        stone, vein = s.palette(2, 0.25)
        thin = np.exp(-np.abs(wave) / s.between(0.04, 0.2)) * np.clip(0.6 + 0.6 * s.noise(4), 0, 1)
        picture = mix(thin, times(stone, 1 + 0.12 * s.fractal(3, 4, 0.6)), vein)
    elif kind < 0.75:
        first, second, cloud = s.palette(3, 0.3)
        picture = mix(np.abs(wave) ** s.between(0.25, 0.6), first, second)
        picture = mix(edge(s.fractal(3, 4), -0.7, 0.9) * s.between(0, 0.6), picture, cloud)
    else:
        picture = gradient(s.palette(s.whole(3, 6), 0.25), 0.5 + 0.5 * wave)
    return worn(s, picture, 0.4)


def polka_dotted(s):
    """Equal discs on a regular lattice, flat in colour."""
    u, v = s.plane()
    size, radius, soft = s.spread(0.055, 0.3), s.between(0.17, 0.4), s.between(0.005, 0.012)
    if s.chance(0.5):
        du, dv, _, key = hexagons(u / size, v / size)
    else:
        du, dv, key = squares(u / size, v / size)
    if s.chance(0.15):  # less regular
        du, dv = du + 0.16 * (s.per_cell(key) - 0.5), dv + 0.16 * (s.per_cell(key) - 0.5)
        radius = radius * (0.65 + 0.35 * s.per_cell(key))
    ground, *dots = s.palette(4, 0.3)
    dot = 1 - edge(np.hypot(du, dv), radius - soft / size, radius + soft / size)
    colour = np.array(dots)[key * 7919 % 3] if s.chance(0.3) else dots[0]
    return worn(s, mix(dot, s.flat(ground), colour))


def _snake(s, u, v):
    """Diamonds side by side, each domed, some with a keel."""
    long = s.between(1.2, 2.2)
    du, dv, key = squares(u + v / long, u - v / long)  # the lattice stands on a corner
    q = 2 * (np.abs(du) ** 3 + np.abs(dv) ** 3) ** (1 / 3)
    first, second, gap = s.palette(3, 0.25)
    pattern = edge(s.fractal(3, 2), -0.2, 0.2) if s.chance(0.5) else s.per_cell(key) * s.between(0.2, 0.8)
    gap_at = s.between(0.75, 0.9)
    picture = mix(
        edge(q, gap_at, gap_at + 0.12), mix(pattern, first, second) * 0.8 + 0.15, gap * s.between(0.2, 0.6)
    )
    keel = s.pick(0, 0, 0.3) * np.exp(-(((du + dv) / 0.08) ** 2))
    return picture, np.sqrt(np.clip(1 - (q / 1.02) ** 2, 0, 1)) * 0.3 + keel * 0.3


def scaly(s):
    """Rows of overlapping plates, each row covering the roots of the next: fish, snake, roof, cone."""
    u, v = s.plane()
    size = s.spread(0.06, 0.28)
    if s.chance(0.22):
        picture, dome = _snake(s, u / size, v / size)
        return worn(s, lit(s, picture, dome * size, 0.9), 0.5)
    u, v, row_height = u / size, v / size, 0.5 * s.between(0.7, 1.3)
    radius, long, power = s.between(0.56, 0.7), s.between(0.9, 1.5), s.pick(2, 2, 1.5, 3)
    row = np.floor(v / row_height).astype(np.int32)
    q, down, key = np.zeros(u.shape, F), np.zeros(u.shape, F), np.zeros(u.shape, np.int32)
    for k in (2, 1, 0, -1, -2, -3):  # the row drawn last lies on top
        this = row + k
        shift = (this & 1) * 0.5
        column = np.floor(u - shift)
        du, dv = u - shift - column - 0.5, (v - this * row_height) / long
        distance = (np.abs(du) ** power + np.abs(dv) ** power) ** (1 / power) / radius
        on = distance < 1
        q, down = np.where(on, distance, q), np.where(on, dv / radius, down)
        key = np.where(on, (column.astype(np.int32) & 63) * 64 + (this & 63), key)
    first, second, rim = s.palette(3, 0.25)
    tone = s.per_cell(key) * s.between(0, 0.5) + q * s.between(0, 0.5)
    picture = mix(np.clip(tone, 0, 1), first, second) * 0.8 + 0.12
    picture = times(picture, (0.45 + 0.55 * (1 - q ** s.between(2, 6))) * (1 + s.between(-0.1, 0.5) * down))
    picture = mix(edge(q, s.between(0.78, 0.9), 1) * s.between(0.3, 1), picture, rim * s.pick(0.25, 0.25, 1))
    dome = np.sqrt(np.clip(1.02 - q * q, 0, 1)) * size * 0.25
    return worn(s, lit(s, picture, dome, 0.45))


def spiralled(s):
    """Arms winding round a centre that is in the picture: one spiral, or several small ones."""
    u, v = s.plane(bend=0.6)
    if s.chance(0.25):
        size = s.spread(0.3, 0.55)
        du, dv, _ = squares(u / size, v / size)
        x, y, gap, arms = du * size, dv * size, size / s.between(3.5, 7), 1
    else:
        middle = s.size // 2
        x, y = u - u[middle, middle] - s.between(-0.2, 0.2), v - v[middle, middle] - s.between(-0.2, 0.2)
        arms = s.whole(1, 4)
        gap = s.spread(0.06, 0.2)
    radius, turn = np.hypot(x, y), s.pick(1, -1) * np.arctan2(y, x) / TAU
    if s.chance(0.4) and arms > 1:  # a shell or a galaxy: arms widen outwards
        phase = np.log(radius + 0.015) * s.between(1.2, 3.5) + (arms + 1) * turn
    else:
        phase = radius / gap + arms * turn
    wave, duty, soft = np.sin(TAU * phase), s.between(-0.5, 0.5), s.between(0.1, 0.9)
    arm = edge(wave, duty - soft, duty + soft)
    first, second, far = s.palette(3, 0.3)
    picture = mix(arm, s.flat(first), second)
    if s.chance(0.3):
        picture = mix(np.clip(radius, 0, 1), picture, far)
    return worn(s, lit(s, picture, arm * s.between(0.008, 0.04), 0.45))


def _rod(s, x, y, size):
    a, half = s.between(0, math.pi), size * 1.3
    along, across = (
        np.array([math.cos(a), math.sin(a)]) * half,
        np.array([-math.sin(a), math.cos(a)]) * size * 0.35,
    )
    return np.array([x, y]) + np.array([along + across, along - across, -along - across, -along + across])


def _crumb(s, x, y, size):
    corners = np.array([x, y]) + s.rng.normal(0, size * 0.75, (s.whole(3, 6), 2))
    return cv2.convexHull(corners.astype(F))[:, 0]


def _pearl(s, x, y, size):
    a = np.linspace(0, TAU, 9)[:-1]
    return np.stack([x + size * 0.7 * np.cos(a), y + size * 0.7 * np.sin(a)], -1)


def sprinkled(s):
    """Many small separate bits strewn at random on a smooth ground: sugar, confetti, crumbs."""
    ground, *bits = s.palette(5, 0.2)
    picture = np.ascontiguousarray(times(ground, 1 + 0.12 * s.fractal(2.5, 3)), F)
    bit, size = s.pick(_rod, _crumb, _crumb, _pearl), s.spread(0.013, 0.05)
    bits = bits if s.chance(0.65) else bits[:1]
    shadow = s.rng.normal(0, 0.006, 2) if s.chance(0.5) else None
    clumps = s.noise(3) if s.chance(0.2) else 0 * s.x
    for _ in range(int(min(330, s.between(0.08, 0.3) / size**2))):
        x, y = s.rng.uniform(-0.5, 0.5, 2)
        corners = bit(s, x, y, size * s.between(0.7, 1.2))
        if clumps[int((y + 0.5) * s.size), int((x + 0.5) * s.size)] < -0.7:
            continue
        if shadow is not None:
            cv2.fillConvexPoly(picture, s.pixels(corners + shadow), (ground * 0.45).tolist(), cv2.LINE_AA, 3)
        colour = np.clip(s.pick(*bits) * s.between(0.75, 1.15), 0, 1).tolist()
        cv2.fillConvexPoly(picture, s.pixels(corners), colour, cv2.LINE_AA, 3)
    return worn(s, picture, 0.5)


def woven(s):
    """Threads or splints passing over and under each other at right angles."""
    u, v = s.plane()
    size, width = s.spread(0.04, 0.2), s.between(0.75, 1)
    u, v = u / size, v / size * (s.between(0.4, 1) if s.chance(0.3) else 1)  # equal threads, or flat splints
    i, j = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    du, dv = u - i - 0.5, v - j - 0.5
    over = (i + j) % 2 == 0 if s.chance(0.65) else (i + j) % 4 < 2  # plain weave or twill
    round_u, round_v = np.clip(1 - (du / width * 2) ** 2, 0, 1), np.clip(1 - (dv / width * 2) ** 2, 0, 1)
    rise_u, rise_v = (
        np.cos(math.pi * dv) * np.where(over, 1, -1),
        np.cos(math.pi * du) * np.where(over, -1, 1),
    )
    on_u, on_v = (round_u > 0) & ((round_v <= 0) | (rise_u > rise_v)), round_v > 0
    fibre, count = s.between(0, 0.35), s.whole(2, 6)
    warp_, weft, gap = s.palette(3, 0.15) * 0.8 + 0.2
    weft = warp_ if s.chance(0.5) else weft

    def thread(across, round_, rise):
        return (
            (0.4 + 0.6 * round_)
            * (0.72 + 0.28 * rise)
            * (1 - fibre * (0.5 + 0.5 * np.sin(across * count * TAU)))
        )

    below = np.where(on_v[..., None], times(weft, thread(dv, round_v, rise_v)), gap * 0.25)
    picture = np.where(on_u[..., None], times(warp_, thread(du, round_u, rise_u)), below)
    height = np.where(on_u, round_u + rise_u, np.where(on_v, round_v + rise_v, -2)) * size * 0.1
    return worn(s, lit(s, picture * 1.1, height, 0.45))


def zigzagged(s):
    """Bands folded into sharp teeth, all in step."""
    u, v = s.plane(bend=0.7)
    tooth = s.spread(0.09, 0.36)
    height = tooth * s.between(0.3, 0.75)
    zigzag = np.abs((u / tooth) % 1 - 0.5) * 2 * height
    colours = s.palette(s.whole(2, 4), 0.25)
    if s.chance(0.2):  # single lines on a ground
        gap, (ground, line) = s.spread(0.1, 0.35), colours[:2]
        away = np.abs((v + zigzag) / gap % 1 - 0.5) * gap
        return worn(s, mix(1 - edge(away, 0.12 * gap, 0.12 * gap + 0.012), s.flat(ground), line))
    period = s.spread(0.07, 0.27) * max(1, len(colours) / 2)
    return worn(s, stripes(s, (v + zigzag) / period, colours, s.between(0.004, 0.01) / period))


TEXTURES = {
    "banded": banded,
    "blotchy": blotchy,
    "braided": braided,
    "bubbly": bubbly,
    "bumpy": bumpy,
    "chequered": chequered,
    "cobwebbed": cobwebbed,
    "cracked": cracked,
    "crosshatched": crosshatched,
    "crystalline": crystalline,
    "fibrous": fibrous,
    "grid": grid,
    "honeycombed": honeycombed,
    "marbled": marbled,
    "polka-dotted": polka_dotted,
    "scaly": scaly,
    "spiralled": spiralled,
    "sprinkled": sprinkled,
    "woven": woven,
    "zigzagged": zigzagged,
}
LABELS = tuple(TEXTURES)

# ---------------------------------------------------------------- scenes


def _things(s, picture):
    """A few large things, out of focus."""
    for _ in range(s.whole(1, 5)):
        corners = s.rng.uniform(-0.8, 0.8, 2) + s.rng.normal(0, 0.25, (s.whole(3, 6), 2))
        inside = np.zeros((s.size, s.size), F)
        cv2.fillConvexPoly(inside, s.pixels(cv2.convexHull(corners.astype(F))[:, 0]), 1.0, cv2.LINE_AA, 3)
        shade = 1 + s.between(0, 0.5) * s.noise(2)
        picture = mix(inside, picture, times(s.colour(), shade))
    return s.blur(picture, s.spread(0.01, 0.06))


def distractor(s):
    """Something that is none of the textures: plain, a gradient, or far out of focus."""
    colours = s.palette(3, 0.05)
    a = s.between(0, TAU)
    ramp = 0.5 + (s.x * math.cos(a) + s.y * math.sin(a)) * s.between(0.3, 1)
    picture = s.pick(
        lambda: s.flat(colours[0]),
        lambda: gradient(colours[:2], ramp),
        lambda: gradient(colours, edge(s.noise(2), -1.2, 1.2)),
        lambda: gradient(colours, edge(s.noise(2) + ramp, -0.8, 1.8)),
        lambda: _things(s, gradient(colours[:2], ramp)),
    )()
    return times(picture, 1 + s.between(0, 0.06) * s.noise(60))


def _ellipse(s, cx, cy):
    a, wide, tall = s.between(0, math.pi), s.between(0.25, 0.5), s.between(0.25, 0.5)
    along, across = (
        (s.x - cx) * math.cos(a) + (s.y - cy) * math.sin(a),
        (s.y - cy) * math.cos(a) - (s.x - cx) * math.sin(a),
    )
    return (1 - np.hypot(along / wide, across / tall)) * 0.3


def _blob(s, cx, cy):
    return (s.fractal(2, 2, 0.4) + 0.9 - np.hypot(s.x - cx, s.y - cy) / s.between(0.3, 0.5)) * 0.2


def _polygon(s, cx, cy):
    angles = np.sort(s.rng.uniform(0, TAU, s.whole(3, 7)))
    reach = s.rng.uniform(0.3, 0.6, len(angles))
    corners = np.stack([cx + reach * np.cos(angles), cy + reach * np.sin(angles)], -1)
    inside = np.zeros((s.size, s.size), F)
    cv2.fillPoly(inside, [s.pixels(corners)], 1.0, cv2.LINE_AA, 3)
    return (inside - 0.5) * 2 / s.size


def region(s, smallest, largest):
    """An ellipse, blob or polygon covering that share of the frame: 0 to 1, its border soft by a pixel."""
    for _ in range(12):
        field = s.pick(_ellipse, _blob, _polygon)(s, s.between(-0.25, 0.25), s.between(-0.25, 0.25))
        cover = np.clip(field * s.size / 2 + 0.5, 0, 1).astype(F)
        if smallest < (cover > 0.5).mean() < largest:
            return cover
    return np.clip((0.36 - np.hypot(s.x, s.y)) * s.size / 2 + 0.5, 0, 1).astype(F)


def photograph(s, picture):
    """What a camera adds to a float picture: uneven light, focus, exposure, grain, JPEG. Returns uint8."""
    a = s.between(0, TAU)
    across = s.x * math.cos(a) + s.y * math.sin(a)
    if s.chance(0.5):  # light from one side
        picture = times(picture, 1 + s.between(0.1, 0.6) * across)
    if s.chance(0.15):  # folds
        picture = times(picture, 1 + s.between(0.1, 0.3) * s.noise(s.whole(2, 4)))
    if s.chance(0.2):  # darker corners
        picture = times(picture, 1.1 - s.between(0.2, 0.8) * (s.x**2 + s.y**2))
    if s.chance(0.1):  # the shadow of something outside the picture
        line = across + s.between(-0.3, 0.3) + 0.1 * s.noise(3)
        picture = times(picture, 1 - s.between(0.2, 0.6) * edge(line, 0, s.spread(0.02, 0.2)))
    if s.chance(0.5):  # contrast and exposure
        picture = (picture - 0.5) * s.between(0.6, 1.2) + 0.5 + s.between(-0.12, 0.12)
    if s.chance(0.4):
        picture = np.clip(picture, 0, 1) ** s.spread(0.6, 1.7)
    if s.chance(0.2):  # the colour of the light
        picture = picture * (1 + s.rng.normal(0, 0.12, 3).astype(F))
    if s.chance(0.35):
        picture = s.blur(picture, s.spread(0.003, 0.01))
    elif s.chance(0.25):  # only a part is in focus
        picture = mix(
            edge(across, s.between(-0.4, 0.2), 0.5), picture, s.blur(picture, s.spread(0.008, 0.02))
        )
    elif s.chance(0.25):  # sharpened by the camera
        picture = picture + s.between(0.3, 1) * (picture - s.blur(picture, 0.008))
    if s.chance(0.6):
        grain = s.rng.normal(0, s.spread(0.005, 0.05), (s.size, s.size, s.pick(1, 3)))
        picture = picture + grain.astype(F)
    picture = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    if s.chance(0.3):
        quality = [cv2.IMWRITE_JPEG_QUALITY, s.whole(35, 92)]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    return picture


def _sketch(seed, size, *labels):
    """A sketch whose randomness depends on the seed and the labels and on nothing else."""
    unknown = [label for label in labels if label not in TEXTURES]
    if unknown:
        raise ValueError(f"unknown texture {unknown[0]!r}; the textures are {', '.join(LABELS)}")
    if size < 16:
        raise ValueError(f"a scene needs a size of at least 16 pixels, not {size}")
    return Sketch(
        np.random.default_rng([seed, *(LABELS.index(label) for label in labels), len(labels)]), size
    )


def _texture(s, label):
    return np.clip(TEXTURES[label](s), 0, 1.2).astype(F)


def single(label, seed, size=128):
    """One texture over the whole frame."""
    s = _sketch(seed, size, label)
    return Scene(photograph(s, _texture(s, label)), {label: np.ones((size, size), bool)})


def on_distractor(label, seed, size=128):
    """One texture in an ellipse, blob or polygon (a fifth to two thirds of the frame) over a distractor."""
    s = _sketch(seed, size, label)
    cover = region(s, 0.2, 0.65)
    picture = mix(cover, distractor(s), _texture(s, label))
    return Scene(photograph(s, picture), {label: cover > 0.5})


def two(label_a, label_b, seed, size=128):
    """Two textures: a in an ellipse, blob or polygon, b around it. The masks partition the frame."""
    if label_a == label_b:
        raise ValueError(f"two textures must differ, got {label_a!r} twice")
    s = _sketch(seed, size, label_a, label_b)
    cover = region(s, 0.3, 0.6)
    picture = mix(cover, _texture(s, label_b), _texture(s, label_a))
    return Scene(photograph(s, picture), {label_a: cover > 0.5, label_b: cover <= 0.5})


def contact_sheet(size=96, columns=10, seed=0):
    """One row a class: its name, then pictures of it. (20 * size, 150 + columns * size, 3) uint8."""
    rows = []
    for label in LABELS:
        name = np.full((size, 150, 3), 255, np.uint8)
        cv2.putText(
            name, label, (8, size // 2 + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 1, cv2.LINE_AA
        )
        rows.append(np.hstack([name, *(single(label, seed + k, size).picture for k in range(columns))]))
    return np.vstack(rows)


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else "textures.png"
    if not cv2.imwrite(target, contact_sheet()[..., ::-1]):
        sys.exit(f"could not write {target}")
    print(f"wrote {target}: {len(LABELS)} classes, one row each")
