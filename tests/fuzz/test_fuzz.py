"""The fuzzer, for TDCUR_FUZZ_INPUTS inputs or TDCUR_FUZZ_SECONDS seconds; with TDCUR_FULL=1 for ten minutes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = os.environ.get("TDCUR_FUZZ_SECONDS") or ("600" if os.environ.get("TDCUR_FULL") == "1" else "")
INPUTS = os.environ.get("TDCUR_FUZZ_INPUTS", "")


@pytest.mark.skipif(not SECONDS and not INPUTS, reason="needs TDCUR_FUZZ_INPUTS, TDCUR_FUZZ_SECONDS or TDCUR_FULL=1")
@pytest.mark.fuzz
@pytest.mark.parametrize("shard", range(2))
def test_no_input_breaks_a_law(shard: int, tmp_path: Path) -> None:
    limits = ["--seconds", SECONDS] if SECONDS else ["--inputs", str(int(INPUTS) // 2)]
    command = [sys.executable, "-m", "tests.fuzz", "--seed", str(shard), "--keep", str(tmp_path), *limits]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
