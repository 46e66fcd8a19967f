"""A study's tables on the disk: Parquet by pyarrow, a part at a time, and arrays beside it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .shards import StudyError, written

TABLE = "table.parquet"
GROUP = 4096  # rows that are written together: what a file says of a group takes memory, too


@cache
def arrow() -> tuple[Any, Any]:
    """pyarrow and its Parquet part.

    Raises:
        StudyError: it isn't installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise StudyError("A study's table needs pyarrow: pip install 'sightlines[study]'.") from error
    return pyarrow, pyarrow.parquet


def schema(columns: Mapping[str, str]) -> Any:
    """Of a table: by column, the name that pyarrow has for its type."""
    pa, _ = arrow()
    return pa.schema(
        [(name, pa.bool_() if kind == "bool" else getattr(pa, kind)()) for name, kind in columns.items()]
    )


def write_part(
    path: Path,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, np.ndarray],
) -> None:
    """A part's arrays, then its rows: where ``path`` (.parquet) is, both are whole."""
    pa, parquet = arrow()
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema(columns))
    written(path.with_suffix(".npz"), lambda file: np.savez(file, **dict(arrays)))  # type: ignore[arg-type]
    written(path, lambda file: parquet.write_table(table, file))


def gather(parts: Sequence[Path], columns: Mapping[str, str], into: Path) -> None:
    """All parts' rows as one table, in the order of the parts; a group of rows at a time is in memory."""
    pa, parquet = arrow()

    def write(file: Any) -> None:
        waiting: list[Any] = []
        with parquet.ParquetWriter(file, schema(columns)) as writer:
            for number, part in enumerate(parts, 1):
                with parquet.ParquetFile(part) as one:
                    waiting.append(one.read(use_threads=False))
                if number == len(parts) or sum(map(len, waiting)) >= GROUP:
                    table = pa.concat_tables(waiting).combine_chunks()
                    writer.write_table(table, row_group_size=len(table) or None)
                    waiting.clear()

    written(into, write)


def read(path: Path, columns: Sequence[str] | None = None) -> dict[str, list]:
    """A table's columns as lists, None where nothing is known.

    Raises:
        StudyError: it isn't there, isn't one, or lacks one of the columns.
    """
    pa, parquet = arrow()
    try:
        with parquet.ParquetFile(path) as file:
            found = file.read(None if columns is None else list(columns), use_threads=False).to_pydict()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StudyError(f"{path.name} can't be read as a study's table.") from error
    missing = [name for name in columns or () if name not in found]
    if missing:
        raise StudyError(f"{path.name} lacks the column {missing[0]!r}.")
    return found


def array(part: Path, name: str) -> np.ndarray | None:
    """A map of a part; None where there is none of that name. Nothing is unpickled."""
    try:
        with np.load(part, allow_pickle=False) as arrays:
            return arrays[name] if name in arrays.files else None
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        return None


def rows_of(columns: Mapping[str, list]) -> Iterator[dict[str, Any]]:
    """Columns as rows."""
    names = list(columns)
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(names, values, strict=True))
