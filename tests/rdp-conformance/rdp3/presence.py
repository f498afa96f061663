"""Whether the host is there: challenges, and what has been heard (5.7)."""

import secrets

from .rules import broken

KEPT = 4
"""Challenges that are not forgotten."""


class Presence:
    """The agent's view of its host. Times are those of the session clock."""

    def __init__(self, heard: int) -> None:
        self.heard = heard
        self._challenges: list[tuple[int, int]] = []

    def challenge(self, clock: int) -> int:
        """A challenge that differs from those that are kept."""
        challenge = 7 if broken("challenge-constant") else secrets.randbits(32)
        while not broken("challenge-constant") and any(challenge == kept for kept, _ in self._challenges):
            challenge = secrets.randbits(32)
        kept = 1 if broken("one-challenge-kept") else KEPT
        self._challenges = [*self._challenges, (challenge, clock)][-kept:]
        return challenge

    def answered(self, challenge: int, clock: int) -> bool:
        """Takes a Heartbeat of the host's; whether its challenge is one that is kept."""
        if broken("challenge-ignored"):
            self.heard = clock
            return True
        for index, (kept, sent) in enumerate(self._challenges):
            if kept == challenge:
                self.heard = max(self.heard, clock if broken("heard-when-answered") else sent)
                if broken("challenge-not-forgotten"):
                    return True
                if broken("older-challenges-not-forgotten"):
                    del self._challenges[index]
                else:
                    del self._challenges[: index + 1]
                return True
        return False

    def anything(self, clock: int) -> None:
        """Something else was heard, which does not count."""
        self.heard = max(self.heard, clock)
