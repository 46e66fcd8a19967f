"""Zip files from outside."""

import struct

DIRECTORY_BYTES = 1_000_000  # of a table of contents that is read: some ten thousand names


def directory_bytes(data: bytes) -> int | None:
    """How large a zip's table of contents is, which ``zipfile`` reads whole; None where there is none."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0 or len(data) < end + 22:
        return None
    if end >= 76 and data[end - 20 :][:4] == b"PK\x06\x07" and data[end - 76 :][:4] == b"PK\x06\x06":
        return struct.unpack_from("<Q", data, end - 76 + 40)[0]  # zip64, as torch.save writes
    return struct.unpack_from("<L", data, end + 12)[0]
