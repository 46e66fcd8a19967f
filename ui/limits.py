"""How much the app holds in memory: every bound in one place.

All answers that ``st.cache_data`` keeps are bounded together, by bytes: ``server.maxCacheDataSize`` in
``.streamlit/config.toml``; the least recently used go first. So a cached function needs no bound of its own,
and what is large belongs there and not into ``st.cache_resource``, which only counts entries.
"""

import ctypes
import os
from contextlib import suppress

ATTENTION_MB = 380  # of one network's attention on one picture; half of it is kept, among the answers
UPLOAD_MB = 20  # a picture
CHECKPOINT_MB = 200  # and no file may be larger: server.maxUploadSize
LABELS_MB = 5
LOCAL = "SIGHTLINES_LOCAL"  # set to 1 where whoever opens a page may read this machine's folders
STUDIES = "SIGHTLINES_STUDIES"  # a folder of studies, which whoever opens a page may look at
HEAPS, M_ARENA_MAX = 2, -8  # of glibc; the second is its name for their number
RETRY_SECONDS = 10  # how long what couldn't be loaded isn't tried again for somebody else


def models_mb() -> int:
    """Networks, of all sessions together. Read late, since an app's secrets get there after its import."""
    return int(os.environ.get("SIGHTLINES_MODEL_MB", 1300))


def session_upload_bytes() -> float:
    """All files that one session has sent, claimed by a widget or not."""
    return float(os.environ.get("SIGHTLINES_SESSION_UPLOAD_MB", 300)) * 1e6


def forget_session_seconds() -> float:
    """How long the files of a session that has gone are kept: Streamlit lets it come back for two minutes."""
    return float(os.environ.get("SIGHTLINES_FORGET_SESSION_SECONDS", 125))


def sessions_at_once() -> int:
    """Sessions of one process; further ones wait. 0 for any number."""
    return int(os.environ.get("SIGHTLINES_SESSIONS", 0))


def runs_an_hour() -> int:
    """Long runs that one session may begin in an hour. 0 for any number."""
    return int(os.environ.get("SIGHTLINES_SESSION_RUNS", 0))


def uploads_an_hour() -> int:
    """Files that one session may send in an hour. 0 for any number."""
    return int(os.environ.get("SIGHTLINES_SESSION_UPLOADS", 0))


def run_seconds() -> float:
    """How long a long run may compute until it has to be asked to go on. 0 for any time."""
    return float(os.environ.get("SIGHTLINES_RUN_SECONDS", 0))


def few_heaps() -> None:
    """Told as the server starts: glibc would have eight heaps a core, and each keeps what was freed.

    A run of the script is a thread, which takes one of them; so what one session has freed is no use to the
    next. Heaps are locked only for a moment, and arrays are taken and let go rarely.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Memory that is free again and that glibc keeps: 200 MB once EfficientNet-Lite0, of 17 MB, is loaded."""
    with suppress(OSError, AttributeError, TypeError):  # another C library, or Windows
        ctypes.CDLL(None).malloc_trim(0)
