"""`python -m tests.benchmarks`: `tdcur` beside its peers, whole processes on the same input in the same run.

Exits 1 when a contender fails or answers differ: a benchmark whose contenders disagree measures nothing.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import td_currents_cli
from tests.benchmarks import documents
from tests.benchmarks.case import Case, tdcur
from tests.benchmarks.cases import reconcile, send, serve, startup, tables, validate
from tests.benchmarks.race import race
from tests.benchmarks.report import text

CASES: Final[dict[str, Case]] = {
    case.name: case for module in (tables, reconcile, validate, send, serve, startup) for case in module.CASES
}


def main() -> int:
    """Run the cases that are asked for, all by default.

    Prints each result as soon as it is there, then all of them as a Markdown table.
    """
    options = _options()
    where = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }
    print(f"Python {where['python']}, {where['platform']}, {where['cpus']} CPUs, load {where['load']}")
    with tempfile.TemporaryDirectory(prefix="tdcur-benchmarks-") as folder:
        try:
            results = [_in_new_process(name, options.keep or Path(folder), options) for name in options.names]
        except subprocess.CalledProcessError as error:
            print(f"no corpus: tdcur generate ended with exit code {error.returncode}", file=sys.stderr)
            return 1
    report = {"tdcur": td_currents_cli.__version__, "machine": where, "runs": options.runs, "cases": results}
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(documents.full_table(report))
    failed = any(result["failed"] or result["disagreements"] for result in results)
    if options.update_documents and not failed:
        documents.update(report)
    return int(failed)


def _processor() -> str:
    """The name of the processor, which Linux does not tell `platform`."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _in_new_process(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run a case in a process of its own: what a contender took cannot be told below what its parent has."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(_run, name, folder, options).result()


def _run(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    case, answers = CASES[name], folder / name
    answers.mkdir(parents=True, exist_ok=True)
    events = min(options.events, case.events or options.events)
    source = folder / f"{events}-events-seed-{options.seed}.{case.shape}"
    if not source.exists():
        size = ("--events", str(events), "--seed", str(options.seed))
        subprocess.run([*tdcur(), "generate", "--quiet", *size, "--shape", case.shape, "-o", str(source)], check=True)
    result = race(case, source, events=events, runs=options.runs, answers=answers)
    print(f"\n{text(result)}\n", flush=True)
    return result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="tdcur beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"cases to run, all by default: {', '.join(CASES)}")
    parser.add_argument("--events", type=int, default=300_000, help="in the generated corpus (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the generated corpus (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each contender (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to this file too")
    parser.add_argument(
        "--update-documents",
        action="store_true",
        help="write the results of all cases into README.md and docs/how-it-works/speed.md",
    )
    parser.add_argument(
        "--keep",
        type=lambda path: Path(path).resolve(),
        metavar="DIR",
        help="keep the corpus and what the contenders print here; use the corpus that is there",
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)} (there are: {', '.join(CASES)})")
    if options.events < 1 or options.runs < 1:
        parser.error("--events and --runs are at least 1")
    if options.update_documents and options.names:
        parser.error("--update-documents takes the results of all cases: name none")
    options.names = options.names or list(CASES)
    return options


if __name__ == "__main__":
    sys.exit(main())
