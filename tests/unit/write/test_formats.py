import json

from td_currents_cli.model import Severity
from td_currents_cli.write.formats import json_document, json_line


def test_a_line_is_one_line() -> None:
    assert json_line({"a": "x\ny", "b": Severity.ERROR, "c": None}) == b'{"a":"x\\ny","b":"error","c":null}\n'


def test_a_document_is_indented() -> None:
    assert json_document({"a": [1]}) == b'{\n  "a": [\n    1\n  ]\n}\n'


def test_strings_that_are_not_unicode_are_escaped() -> None:
    """A type with a lone surrogate, a file whose name is not UTF-8: the result is still JSON."""
    for text in (json_line({"a": "\ud800é"}), json_document({"a": "\ud800é"})):
        assert json.loads(text) == {"a": "\ud800é"}
        assert text.endswith(b"\n")
