"""The page of `serve`: what arrives, live, and the JSON behind it."""

from td_currents_cli.live_page.app import LivePage, PageFiles
from td_currents_cli.live_page.summary import Summary

__all__ = ["LivePage", "PageFiles", "Summary"]
