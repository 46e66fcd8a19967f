"""The tests that take long, for what the suite shows in part: python -m benchmarks long."""

import subprocess
import sys


def main(argv: list[str] | None = None) -> int:
    return subprocess.call([sys.executable, "-m", "pytest", "-m", "long", *(argv or [])])
