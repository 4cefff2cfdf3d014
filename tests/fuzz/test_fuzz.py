"""The fuzzer, for a minute in CI: TDCUR_FUZZ_SECONDS=60 pytest -m fuzz; TDCUR_FULL=1 takes ten minutes."""

import os
from itertools import count
from pathlib import Path

import pytest

from tests.fuzz.run import fuzz

SECONDS = float(os.environ.get("TDCUR_FUZZ_SECONDS") or (600 if os.environ.get("TDCUR_FULL") == "1" else 0))
SEED = int(os.environ.get("TDCUR_FUZZ_SEED", "0"))
SHARDS = 2


@pytest.mark.skipif(not SECONDS, reason="needs TDCUR_FUZZ_SECONDS or TDCUR_FULL=1")
@pytest.mark.fuzz
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_input_breaks_a_law(shard: int, tmp_path: Path) -> None:
    """Reproduce with `python -m tests.fuzz --seed SEED --number NUMBER`."""
    found = fuzz(tmp_path, seed=SEED, numbers=count(shard, SHARDS), seconds=SECONDS)
    shown = [f"{each.number}: {each.broken.law}: {each.broken.detail}: {each.data[:300]!r}" for each in found]
    assert not shown, "\n".join(shown)
