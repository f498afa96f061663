"""A peer that cannot be reached, on this machine."""

import contextlib
import socket


@contextlib.contextmanager
def full():
    """A listener whose queue is full, so that nobody gets through to it: its port. Linux drops what does not fit."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
