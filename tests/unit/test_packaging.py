"""What pyproject.toml promises is what is tested and shipped."""

import re
import tomllib
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import td_currents_cli

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[\w,]+\])?>=(?P<version>[\d.]+)")


def test_the_version_is_said_once() -> None:
    assert version("td-currents-cli") == td_currents_cli.__version__ == PROJECT["version"]


def test_lowest_versions_are_the_declared_ones() -> None:
    """`.ci/lowest.txt` pins every lower bound: CI tests with what is declared."""
    declared = {}
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]:
        match = REQUIREMENT.match(line)
        assert match, line
        declared[match["name"]] = match["version"]
    pinned = dict(
        line.split("==")
        for line in (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    assert pinned == declared


def test_the_catalog_is_shipped() -> None:
    assert files("td_currents_cli").joinpath("catalog", "events.json").is_file()


def test_the_templates_of_pages_are_shipped() -> None:
    folder = files("td_currents_cli").joinpath("render", "html")
    assert {"base.html", "parts.html", "style.css"} <= {file.name for file in folder.iterdir()}
