"""Numbers of the metrics (section 8.13)."""

import enum


class Metric(enum.IntEnum):
    """Metrics of the agent as a whole."""

    UPTIME = 1
    SESSIONS = 2
    EXECUTED = 3
    REFUSED = 4
    REPLAYED = 5
    STALE = 6
    WRONG_TAG = 7
    RECEIVE_MOST_0 = 8
    RECEIVE_MOST_1 = 9
    SEND_MOST_0 = 10
    SEND_MOST_1 = 11
    STRAY = 12
    DAMAGED = 13
    CHALLENGES = 14
    LONGEST_GAP = 15


LINK_ONLY = frozenset({Metric.STRAY, Metric.DAMAGED})
"""There only where there is a link."""
NUMBERS = frozenset(Metric)

LANE = 0x100
"""Metric 0 of lane 0; lanes are 16 apart."""


def is_known(number: int) -> bool:
    """Whether a number is in the table."""
    return number in NUMBERS or (LANE <= number < LANE + 0x20 and number & 0xF < 6)
