"""The policy of breakpoints (section 8.5)."""

from .frames import Code, Fields
from .memory import Refused
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
        if not self.enabled and not broken("disabled-policy-forbids") or broken("policy-ignored"):
            return
        rules = reversed(self._rules) if broken("policy-last-rule-decides") else self._rules
        for rule in rules:
            low, high = rule["first"], rule["last"]
            if low <= addr <= high or broken("policy-inverted-rule") and high <= addr <= low:
                if not rule["action"]:
                    raise Refused(Code.POLICY, self.version)
                return
        if broken("policy-denies-the-rest") and self._rules:
            raise Refused(Code.POLICY, self.version)

    def check_replaces(self, replaces: int, version: int) -> None:
        """A policy names the one that it replaces, and is another one."""
        if replaces != self.version and not broken("replaced-policy-not-named"):
            raise Refused(Code.POLICY, self.version)
        if version == self.version and not broken("policy-of-the-same-version"):
            raise Refused(Code.POLICY, self.version)
        if version < self.version and broken("policy-must-be-newer"):
            raise Refused(Code.POLICY, self.version)

    def replace(self, version: int, enabled: bool, rules: list[Fields]) -> None:
        """Takes the place of the present policy as a whole."""
        self.version = version
        self.enabled = enabled
        self._rules = [*self._rules, *rules] if broken("policy-merged") else rules
