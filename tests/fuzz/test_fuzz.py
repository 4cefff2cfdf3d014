"""The fuzzer, for TDCUR_FUZZ_INPUTS inputs or TDCUR_FUZZ_SECONDS seconds; with TDCUR_FULL=1 for ten minutes."""

import os
from itertools import count, islice
from pathlib import Path

import pytest

from tests.fuzz.run import fuzz

SECONDS = float(os.environ.get("TDCUR_FUZZ_SECONDS") or (600 if os.environ.get("TDCUR_FULL") == "1" else 0))
INPUTS = int(os.environ.get("TDCUR_FUZZ_INPUTS", "0"))
SEED = int(os.environ.get("TDCUR_FUZZ_SEED", "0"))
SHARDS = 2


@pytest.mark.skipif(not SECONDS and not INPUTS, reason="needs TDCUR_FUZZ_INPUTS, TDCUR_FUZZ_SECONDS or TDCUR_FULL=1")
@pytest.mark.fuzz
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_input_breaks_a_law(shard: int, tmp_path: Path) -> None:
    """Reproduce with `python -m tests.fuzz --seed SEED --number NUMBER`."""
    numbers = islice(count(shard, SHARDS), INPUTS // SHARDS if INPUTS else None)
    found = fuzz(tmp_path, seed=SEED, numbers=numbers, seconds=SECONDS or 3600)
    shown = [f"{each.number}: {each.broken.law}: {each.broken.detail}: {each.data[:300]!r}" for each in found]
    assert not shown, "\n".join(shown)
