"""``make fuzz``: 2,000 files made by flipping, cutting and splicing the bytes of 12 valid ones."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.run import fuzz


def main() -> int:
    """Runs it, prints what it found, and gives the exit code: 1 where there was a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="how many (2000)")
    parser.add_argument("--seed", type=int, default=1, help="of the damage (1)")
    parser.add_argument("--first", type=int, default=0, help="number of the first file (0)")
    parser.add_argument("--minutes", type=float, default=20, help="begin no file after that (20)")
    words = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sepcam-fuzz-"))
    begun = time.monotonic()
    found = fuzz(folder, words.files, seed=words.seed, first=words.first, most_s=60 * words.minutes)
    ends = ", ".join(f"{count} {end}" for end, count in sorted(found.ends.items()))
    print(f"{found.ends.total()} files in {time.monotonic() - begun:.0f} s: {ends}")
    for path, why in found.faults.items():
        print(f"{path}: {why}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
