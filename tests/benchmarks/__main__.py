"""`python -m tests.benchmarks`: `tdcur` beside its peers, whole processes on the same input in the same run.

Exits 1 when a contender fails or answers differ: a benchmark whose contenders disagree measures nothing.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import td_currents_cli
from tests.benchmarks.cases import CASES
from tests.benchmarks.corpus import Corpus, cache_folder
from tests.benchmarks.race import Result, race
from tests.benchmarks.report import as_dict, machine, text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases that are asked for, all by default, and print each result as soon as it is there."""
    options = _options(arguments)
    where = machine()
    print(f"Python {where['python']}, {where['platform']}, {where['cpus']} CPUs, load {where['load']}")
    corpus = Corpus(root=options.keep or cache_folder(), events=options.events, seed=options.seed)
    try:
        results = [_run(name, corpus, options) for name in options.names]
    except subprocess.CalledProcessError as error:
        print(f"no corpus: tdcur generate ended with exit code {error.returncode}", file=sys.stderr)
        return 1
    if options.json:
        report = {
            "tdcur": td_currents_cli.__version__,
            "machine": where,
            "runs": options.runs,
            "cases": [as_dict(result) for result in results],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return int(any(result.failed or result.disagreements for result in results))


def _run(name: str, corpus: Corpus, options: argparse.Namespace) -> Result:
    answers: Path | None = options.keep / name if options.keep else None
    if answers:
        answers.mkdir(parents=True, exist_ok=True)
    result = race(CASES[name], corpus, runs=options.runs, answers=answers)
    print(f"\n{text(result)}\n", flush=True)
    return result


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="tdcur beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"cases to run, all by default: {', '.join(CASES)}")
    parser.add_argument("--events", type=int, default=300_000, help="in the generated corpus (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the generated corpus (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each contender (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to this file too")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the corpus and what the contenders print here")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)} (there are: {', '.join(CASES)})")
    if options.events < 1 or options.runs < 1:
        parser.error("--events and --runs are at least 1")
    options.names = options.names or list(CASES)
    options.keep = options.keep and options.keep.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())
