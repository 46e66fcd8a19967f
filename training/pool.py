"""A pool of whole-frame textures, drawn once, so that training doesn't wait for the drawing.

Picture i shows LABELS[i % 21], or a distractor where i % 21 is 20. The seeds of the pool start at a billion;
tests and benchmarks stay below a million, so a network is never scored on a picture that it has learnt.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from vizcore.pictures import textures

SIDE = 144  # pixels; 128 and room for a crop
KINDS = len(textures.LABELS) + 1  # the last one is "none of them"
FIRST_SEED = 1_000_000_000


def picture(index, seed, side=SIDE):
    """Picture `index` of the pool with that seed: (side, side, 3) uint8."""
    scene_seed = FIRST_SEED * (1 + seed) + index
    if index % KINDS < len(textures.LABELS):
        return textures.single(textures.LABELS[index % KINDS], scene_seed, side).picture
    sketch = textures.Sketch(np.random.default_rng(scene_seed), side)
    return textures.photograph(sketch, textures.distractor(sketch))


def _draw(job):
    path, first, last, seed = job
    pictures = np.load(path, mmap_mode="r+")
    for index in range(first, last):
        pictures[index] = picture(index, seed)
    pictures.flush()
    return last - first


def draw(folder, count, seed, workers=None, report=print):
    """The pool as a read-only memory map, (count, SIDE, SIDE, 3) uint8; drawn first if it isn't there."""
    folder = Path(folder)
    done = folder / f"pool-{seed}-{count}.npy"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        drawing = done.with_name(f"{done.stem}.{os.getpid()}.part.npy")
        np.lib.format.open_memmap(drawing, "w+", np.uint8, (count, SIDE, SIDE, 3)).flush()
        step = max(KINDS, min(1000, count // 8))
        jobs = [(drawing, first, min(first + step, count), seed) for first in range(0, count, step)]
        total = 0
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
            for drawn in pool.map(_draw, jobs):
                total += drawn
                report(f"pool: {total} of {count} pictures drawn")
        drawing.replace(done)
    return np.load(done, mmap_mode="r")
