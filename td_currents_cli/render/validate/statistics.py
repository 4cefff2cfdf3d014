"""Problems per rule."""

from collections import Counter
from collections.abc import Iterator

from rich.text import Text

from td_currents_cli.model import Code
from td_currents_cli.render.problems import STYLES
from td_currents_cli.validate.rules import RULES


def statistics(by_code: Counter[Code]) -> Iterator[Text]:
    """Yield a line per rule with problems: count, code, severity, name; the most frequent first."""
    counts = sorted(((count, code) for code, count in by_code.items() if count), key=lambda each: (-each[0], each[1]))
    width = len(f"{counts[0][0]:,}") if counts else 0
    for count, code in counts:
        rule = RULES[code]
        yield Text.assemble(
            (f"{count:>{width},}", "bold"),
            "  ",
            (code, "magenta"),
            "  ",
            (f"{rule.severity:<7}", STYLES[rule.severity]),
            f"  {rule.name}",
        )
