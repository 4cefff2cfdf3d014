import subprocess
import sys

import pytest

from td_currents_cli import catalog
from td_currents_cli.catalog import Where

CATALOG = catalog.load()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("users.message.email.Open", "users.messages.email.Open"),  # as Braze's page on Treasure Data prints it
        ("user.messages.email.Open", "users.messages.email.Open"),
        ("users.messages.email.open", "users.messages.email.Open"),
        ("USERS.MESSAGES.EMAIL.OPEN", "users.messages.email.Open"),
        ("users.messages.e-mail.Open", "users.messages.email.Open"),
        ("users.messages.email.Opened", "users.messages.email.Open"),
        ("users.messages.emial.Opne", "users.messages.email.Open"),
        ("users_messages_email_open", "users.messages.email.Open"),  # a table of the streaming connector
        ("users_behaviors_app_first_session", "users.behaviors.app.FirstSession"),
        ("email.Open", "users.messages.email.Open"),
        ("users.email.open", "users.messages.email.Open"),
        ("Purchase", "users.behaviors.Purchase"),
        ("users.behavior.Purchases", "users.behaviors.Purchase"),
        ("users.messages.push_notification.Send", "users.messages.pushnotification.Send"),
        ("users.messages.kakao.Send", None),  # a channel Braze may add
        ("users.messages.sms.Read", None),  # a verb it may add: not `Send`, not `Retry`
        ("users.canvas.costep.Timeout", None),
        ("Open", None),  # could be an e-mail or a push notification
        ("signup", None),
        ("...", None),
        ("", None),
        ("users.messages.email.Open" * 100_000, None),
        *((name, name) for name in CATALOG.events),
    ],
)
def test_type_is_suggested(name: str, meant: str | None) -> None:
    """Slips of the pen, other cases, other separators and left-out words lead to the type that was meant.

    A type that may be new is not taken for a misspelling, and what could be several is left open.
    """
    assert CATALOG.suggest(name) == meant


@pytest.mark.parametrize(
    ("name", "where", "meant"),
    [
        ("campaing_id", Where.PROPERTIES, "campaign_id"),
        ("campaignId", Where.PROPERTIES, "campaign_id"),
        ("useragent", Where.PROPERTIES, "user_agent"),
        ("link_ids", Where.PROPERTIES, None),  # of another type
        ("canvas_step_kind", Where.PROPERTIES, None),  # not canvas_step_id
        ("externalUserId", Where.USER, "external_user_id"),
        ("user_id", Where.PROPERTIES, "user.user_id"),
        ("email_address", Where.USER, "properties.email_address"),
        ("event_tpye", Where.EVENT, "event_type"),
        ("nothing_like_it", Where.USER, None),
    ],
)
def test_field_is_suggested(name: str, where: Where, meant: str | None) -> None:
    """An unknown field leads to one of its type: in the same object, or the same name in the other one."""
    event = CATALOG.get("users.messages.email.Open")
    assert event is not None
    assert event.suggest_field(name, where) == meant


def test_difflib_is_loaded_late() -> None:
    """A run over known types alone does not pay for suggestions."""
    code = "import sys; from td_currents_cli import catalog; catalog.load(); sys.exit('difflib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
