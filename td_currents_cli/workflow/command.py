"""`tdcur workflow`: write the files of a project."""

from pathlib import Path
from typing import ClassVar

from td_currents_cli.choices import ProjectKind
from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.treasure_data.address import check_into
from td_currents_cli.workflow import WorkflowRequest
from td_currents_cli.workflow.dbt_project import dbt_files
from td_currents_cli.workflow.digdag_project import digdag_files
from td_currents_cli.write.files import atomic_output


class WorkflowOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "workflow"

    folder: Path
    kind: ProjectKind
    files: tuple[Path, ...]

    def summary(self) -> dict[str, object]:
        return {"folder": str(self.folder), "kind": self.kind, "files": len(self.files)}

    def data(self) -> dict[str, object]:
        return {"files": [str(file) for file in self.files]}


def run(request: WorkflowRequest) -> WorkflowOutcome:
    """Write the files. Runs offline.

    Raises:
        UsageError: a file exists, or both tables are the same. Nothing is written.
        OutputError: a file cannot be written.
    """
    check_into(request.raw, request.flat)
    write = digdag_files if request.kind is ProjectKind.DIGDAG else dbt_files
    files = {request.folder / name: text for name, text in write(request).items()}
    there = [file for file in files if file.exists()]
    if there and not request.force:
        more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        raise UsageError(f"{there[0]}{more} already exists", hint="Name another folder, or overwrite with --force.")
    for file, text in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {file.parent}: {error.strerror}") from None
        with atomic_output(file) as output:
            output.write(text.encode())
    return WorkflowOutcome(folder=request.folder, kind=request.kind, files=tuple(files))
