"""Pictures as bytes for a browser or a file."""

from __future__ import annotations

import cv2
import numpy as np


def png(picture: np.ndarray) -> bytes:
    """Lossless, and fast rather than small."""
    ok, data = cv2.imencode(
        ".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    assert ok
    return data.tobytes()


def jpeg(picture: np.ndarray) -> bytes:
    """For blended photographs: a fifth of a PNG's size and time, without colour subsampling."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 92]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1].tobytes()
