"""A study is made in parts: by this process those that are its own; whoever is last puts them together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import plans, tables
from .progress import Progress
from .shards import FINISH, Locks, Rank, StudyError, alone, own_rank, swept, swept_below, to_do

Part = tuple[Sequence[Mapping[str, Any]], Mapping[str, np.ndarray]]  # its rows, and arrays by name


def spread(
    out: Path,
    plan: dict[str, Any],
    parts: Sequence[range],
    columns: Mapping[str, str],
    make: Callable[[range, Progress], Part],
    end: Callable[[], None],
    rank: Rank | None = None,
    what: str = "pictures",
) -> Path:
    """Make what is left of a study, or this process's share of it.

    Args:
        plan: what decides the figures; a folder holds one study. parts: numbers of what is looked at.
        columns: of the table, with pyarrow's types.
        make: the rows and arrays of a part, the same whoever makes it.
        end: is called once the table is there, by one process.

    Returns:
        ``out``.

    Raises:
        StudyError: another study is in the folder, or it can't be written to.
    """
    tables.arrow()
    rank, started_by = rank or own_rank(), os.getppid()
    folder = plans.begin(out, plan)
    paths = [plans.part_path(folder, number) for number in range(len(parts))]
    own = range(rank.rank, len(parts), rank.world)
    locks, progress = Locks(out / "lock"), Progress(sum(len(parts[k]) for k in own), rank, what)
    progress.there(sum(len(parts[k]) for k in own if paths[k].exists()))
    try:
        for number in to_do(locks, len(parts), lambda k: paths[k].exists(), rank):
            if "TORCHELASTIC_RUN_ID" in os.environ and alone(started_by):
                raise StudyError("The run that this process belonged to has ended, so it ends too.")
            for path in (paths[number], paths[number].with_suffix(".npz")):
                swept(path)
            tables.write_part(paths[number], columns, *make(parts[number], progress))
        progress.show(last=True)
        if all(path.exists() for path in paths):
            with locks.taken(FINISH) as mine:
                if mine:
                    tables.gather(paths, columns, out / tables.TABLE)
                    end()
                    swept_below(out)
    except OSError as error:
        raise StudyError(f"The study can't be written to {out} ({error.strerror}).") from error
    finally:
        locks.close()
    return out
