"""Frames between two processes: what is sent comes, however the stream is cut."""

import threading
from socket import socketpair
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from td_currents_cli.send.frames import Frames, send_frame

frames = st.lists(st.tuples(st.none() | st.integers() | st.text(), st.binary(max_size=300)), max_size=8)


def sent(things: list[tuple[Any, bytes]]) -> bytes:
    """The stream of these frames."""
    ours, theirs = socketpair()
    with ours:
        with theirs:
            for thing, body in things:
                send_frame(theirs, thing, body)
        return b"".join(iter(lambda: ours.recv(1 << 16), b""))


@settings(max_examples=25)
@given(frames, st.integers(1, 400))
def test_what_is_sent_comes_however_it_is_cut(things: list[tuple[Any, bytes]], size: int) -> None:
    """In its order, and byte for byte."""
    stream, taker = sent(things), Frames()
    pieces = (stream[begin : begin + size] for begin in range(0, len(stream), size))
    assert [frame for piece in pieces for frame in taker.add(piece)] == things


def test_a_body_may_be_larger_than_what_the_system_keeps() -> None:
    """It is sent in parts, each as the other side makes room."""
    body = bytes(range(256)) * 20_000
    ours, theirs = socketpair()
    taker = Frames()
    found: list[tuple[Any, bytes]] = []
    with ours, theirs:
        sender = threading.Thread(target=send_frame, args=(theirs, 7, body))
        sender.start()
        while not found:
            found += taker.add(ours.recv(1 << 16))
        sender.join()
    assert found == [(7, body)]
