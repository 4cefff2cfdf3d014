"""An hour by hand: `python -m tests.fuzz --seconds 3600 [--seed N] [--number N]`.

Prints each kind of failure once, and keeps the input, made small, in the folder `fuzz-failures`.
"""

import argparse
import sys
import tempfile
from itertools import count
from pathlib import Path

from tests.fuzz.run import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, help="only this input")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    options = parser.parse_args()
    numbers = count(options.first) if options.number is None else iter([options.number])
    failures, totals = 0, (0, 0)

    def seen(inputs: int, runs: int) -> None:
        nonlocal totals
        totals = inputs, runs

    with tempfile.TemporaryDirectory(prefix="tdcur-fuzz-") as folder:
        for failure in fuzz(Path(folder), seed=options.seed, numbers=numbers, seconds=options.seconds, seen=seen):
            failures += 1
            kept = options.keep / f"{options.seed}-{failure.number}-{failures}-{failure.name}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(failure.data)
            print(f"{failure.broken.law}: {failure.broken.detail}\n  {kept} ({len(failure.data)} bytes)", flush=True)
    print(f"{totals[0]:,} inputs, {totals[1]:,} runs, {failures} kinds of failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
