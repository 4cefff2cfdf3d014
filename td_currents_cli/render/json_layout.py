"""JSON text laid out for people who read and compare it: what fits on a line stands on one line."""

import json
from typing import Any, Final

WIDTH: Final = 120


def laid_out(value: Any, *, indent: str = "", taken: int = 0) -> str:  # noqa: ANN401 -- any JSON value
    """A JSON value as text, without a last line end.

    Args:
        value: anything that JSON can say, strings without lone surrogates.
        indent: of the line that it begins on.
        taken: columns of that line beside the indent: the name before it, the comma after it.
    """
    line = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(indent) + taken + len(line) <= WIDTH:
        return line
    deeper = f"{indent}  "
    if isinstance(value, dict):
        names = [f"{json.dumps(name, ensure_ascii=False)}: " for name in value]
        parts = zip(names, value.values(), strict=True)
        lines = [name + laid_out(part, indent=deeper, taken=len(name) + 1) for name, part in parts]
        return "{\n" + ",\n".join(deeper + each for each in lines) + f"\n{indent}}}"
    lines = [laid_out(part, indent=deeper, taken=1) for part in value]
    return "[\n" + ",\n".join(deeper + each for each in lines) + f"\n{indent}]"
