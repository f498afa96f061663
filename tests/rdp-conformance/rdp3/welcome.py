"""Welcome and State: what the agent says of itself, and of the machine (5.4, 6.4)."""

from typing import TYPE_CHECKING

from . import machine as reference
from .audit import VERSION
from .bodies import LEASE_LIMIT, MEMORY_LIMIT
from .frames import Fields
from .kinds import ALL_CAPABILITIES
from .policy import RULES
from .rules import broken
from .seal import NO_NONCE, SUITE

if TYPE_CHECKING:
    from .device import Device

PROTOCOL = 3
CREDIT = 4
INTERVAL = 1000
LOSS = 3000
TOLERANCE = 5000
STALE_AFTER = TOLERANCE // 10
"""The tolerance in units of time."""
STALL = 500
VOLATILE_LOG = 1


def welcome(device: "Device", host_nonce: bytes, device_nonce: bytes, authority: int, duration: int) -> Fields:
    """The body of Welcome."""
    return {
        "version": PROTOCOL,
        "host_nonce": NO_NONCE if broken("host-nonce-not-echoed") else host_nonce,
        "device_nonce": device_nonce,
        "fingerprint": reference.FINGERPRINT,
        "architecture": reference.ARCHITECTURE,
        "registers": reference.REGISTERS,
        "axes": reference.AXES,
        "capabilities": 0x3F if broken("capabilities-of-old") else ALL_CAPABILITIES,
        "generation": 0 if broken("welcome-without-generation") else device.world.generation,
        "longest": 512,
        "credit": 0 if broken("welcome-without-credit") else CREDIT,
        "breakpoints": reference.BREAKPOINTS,
        "memory": MEMORY_LIMIT,
        "forces": reference.FORCES,
        "rules": RULES,
        "lease": LEASE_LIMIT,
        "interval": INTERVAL,
        "loss": LOSS,
        "tolerance": TOLERANCE,
        "stall": STALL,
        "halt": reference.PROGRAM_ONLY,
        "trap": reference.PROGRAM_ONLY,
        "end": 0 if broken("welcome-without-reaction") else reference.FEED_HOLD,
        "authority": 31 if broken("welcome-overstates-authority") else authority,
        "expires": 0 if broken("welcome-without-expiry") else duration // 1000,
        "boot": 0 if broken("welcome-without-boot") else device.boot,
        "records": VERSION,
        "log": 2 if broken("welcome-overstates-log") else VOLATILE_LOG,
        "lost": 0 if broken("welcome-without-lost") else device.audit.lost,
        "lifecycle": 0,
        "suite": SUITE,
        "suites": [{"suite": SUITE}],
        "name": reference.NAME,
    }


def state(device: "Device") -> Fields:
    """The body of State."""
    machine = device.machine
    cause, ended = device.last_end
    reason, detail = device.last_stop
    if broken("state-without-end"):
        cause, ended = 0, []
    if broken("state-without-stop"):
        reason, detail = 0, 0
    return {
        "run": machine.run,
        "axes": [{"position": position} for position in machine.axes],
        "plc": [{"value": value} for value in reference.PLC],
        **reference.CURSOR,
        "modified": machine.modified and not broken("state-without-modified"),
        "stuck": 0 if broken("state-without-stuck") else device.holdings.stuck,
        "last": reason,
        "last_detail": detail,
        "cause": cause,
        "ended": [{"addr": addr} for addr in ended[:255]],
    }
