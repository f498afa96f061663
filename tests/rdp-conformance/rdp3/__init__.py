"""RDPv3, a second implementation, written from SPEC.md alone.

Every layer is a state machine without input and output of its own: bytes go in through `feed(data, now)`, bytes come
out of `poll(now)`, and `now` is a number of milliseconds. Section numbers in the docstrings are those of SPEC.md.
"""
