"""An hour by hand: `python -m tests.fuzz [--seed N]`; again with one input: `--seed N --first NUMBER --inputs 1`.

Prints each kind of failure once, and keeps the input, made small, in the folder `fuzz-failures`.
"""

import argparse
import sys
import tempfile
import time
from itertools import count, islice
from pathlib import Path
from typing import Final

from tests.fuzz.inputs import Inputs
from tests.fuzz.laws import BrokenError, Checker
from tests.fuzz.process import Commands

TRIES: Final = 60  # at making a failing input smaller


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="[default: %(default)s]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--inputs", type=int, help="how many, if the time suffices")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    options = parser.parse_args()
    end, inputs, done = time.monotonic() + options.seconds, Inputs(options.seed), 0
    kinds: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="tdcur-fuzz-") as folder:
        checker = Checker(Commands(Path(folder)))
        for done, number in enumerate(islice(count(options.first), options.inputs), 1):  # noqa: B007 -- used below
            name, data = inputs.make(number)
            draws = f"{options.seed}-{number}"
            for broken in checker.check(name, data, draws):
                if broken.kind not in kinds:
                    kinds.add(broken.kind)
                    small = _smaller(checker, name, data, draws, broken)
                    kept = options.keep / f"{draws}-{len(kinds)}-{name}"
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_bytes(small)
                    print(f"{number}: {broken.law}: {broken.detail}\n  {kept} ({len(small)} bytes)", flush=True)
            if time.monotonic() > end:
                break
    print(f"{done:,} inputs, {checker.runs:,} runs, {len(kinds)} kinds of failures")
    return 1 if kinds else 0


def _smaller(checker: Checker, name: str, data: bytes, draws: str, broken: BrokenError) -> bytes:
    """Remove what is not needed to break the law."""
    size, tries = len(data) // 2, 0
    while size and tries < TRIES:
        start = 0
        while start < len(data) and tries < TRIES:
            tries += 1
            less = data[:start] + data[start + size :]
            found = checker.check_one(broken.method, name, less, draws)
            if found and found.kind == broken.kind:
                data = less
            else:
                start += size
        size //= 2
    return data


if __name__ == "__main__":
    sys.exit(main())
