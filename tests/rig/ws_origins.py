#!/usr/bin/env python3
"""Of web pages, ws_tunnel lets in those that it was told of, and says which it did not.

ws_origins.py PROGRAMS    the folder of ws_tunnel
"""

import sys
import time

from ws_ends import Program, echo, serve
from ws_wire import BINARY, Bad, Conn, frame, request

GOOD, EVIL = "https://good.example", "https://evil.example"


def let_in(address, origins):
    with Conn(address) as conn:
        conn.send(request(conn.host, Origin=origins))
        try:
            conn.accepted([])
        except Bad as refused:
            if str(refused) != "status 403":
                raise
            return False
        conn.send(frame(BINARY, b"hello"))
        if conn.read() != (BINARY, b"hello"):
            raise Bad("let in, but not served")
        return True


def main():
    plain, failed = serve(echo), 0
    for options, allowed in (([], []), ([GOOD], [GOOD]), (["https://a.example", GOOD], [GOOD]), (["*"], None)):
        words = [word for origin in options for word in ("--origin", origin)]
        command = f"{sys.argv[1]}/ws_tunnel", "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{plain}", *words
        with Program(*command) as at:
            host = "http://%s:%d" % at.address
            # No page; whatever the case of its letters; the server's own name, which anybody's may be; two that
            # hide one another; one that would talk to a terminal.
            for page in ([], [GOOD], [GOOD.upper()], [EVIL], [host], ["null"], [GOOD + ".evil.example"], [GOOD, EVIL],
                         [EVIL, GOOD], [EVIL + "\x9b2J"]):
                expected = allowed is None or all(origin.lower() in allowed for origin in page)
                got = let_in(at.address, page)
                if got != expected:
                    print(f"ws_tunnel {' '.join(words)}: a page of {page} was {'let in' if got else 'refused'}")
                    failed += 1
            # What it says of a client comes when that has gone.
            wanted = [f": a page of {origin} may not connect\n" for origin in (EVIL, EVIL + r"\x9b2J")]
            until, said = time.monotonic() + 5, at.complaints()
            while not all(want in said for want in wanted) and allowed is not None and time.monotonic() < until:
                time.sleep(0.02)
                said = at.complaints()
            if allowed is not None and not all(want in said for want in wanted) or "\x9b" in said:
                print(f"ws_tunnel {' '.join(words)}: it does not say whom it has refused, but {said!r}")
                failed += 1
    print(f"ws_tunnel: pages of other origins, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
