"""The policy of breakpoints (section 8.3)."""

from .frames import Code, Fields
from .machine import Refused
from .rules import broken

RULES = 16


class Policy:
    """The present policy; version 0 is none."""

    def __init__(self) -> None:
        self.version = 0
        self.enabled = False
        self._rules: list[Fields] = []

    def check(self, addr: int) -> None:
        """The first rule that contains the address decides."""
        if not self.enabled or broken("policy-ignored"):
            return
        rules = reversed(self._rules) if broken("policy-last-rule-decides") else self._rules
        for rule in rules:
            low, high = rule["first"], rule["last"]
            if low <= addr <= high or broken("policy-inverted-rule") and high <= addr <= low:
                if not rule["action"]:
                    raise Refused(Code.POLICY, self.version)
                return
        if broken("policy-denies-the-rest"):
            raise Refused(Code.POLICY, self.version)

    def check_version(self, version: int) -> None:
        """A policy must be newer than the present one."""
        if version <= self.version and not broken("policy-downgrade-accepted"):
            raise Refused(Code.POLICY, self.version)

    def replace(self, version: int, enabled: bool, rules: list[Fields]) -> None:
        """Takes the place of the present policy as a whole."""
        self.version = version
        self.enabled = enabled
        self._rules = [*self._rules, *rules] if broken("policy-merged") else rules
