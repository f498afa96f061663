"""The host's commands, one a line, and their answers in JSON (README.md of the suite)."""

import json
import struct
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import metrics
from .architectures import ARCHITECTURES
from .frames import Fields, Kind
from .rules import broken

if TYPE_CHECKING:
    from .host import Host

BREAK_KINDS = {
    "break": Kind.SET_BREAKPOINT,
    "hbreak": Kind.SET_HARDWARE_BREAKPOINT,
    "sbreak": Kind.SET_SOFTWARE_BREAKPOINT,
}
PLAIN_KINDS = {
    "status": Kind.GET_STATUS,
    "halt": Kind.HALT,
    "resume": Kind.RESUME,
    "axes": Kind.READ_AXES,
    "cursor": Kind.READ_CURSOR,
    "metrics": Kind.READ_METRICS,
}


STATE_KEYS = ("program", "line", "offset", "modified", "stuck", "last", "last_detail", "cause")
LISTS = {"variables": (Kind.LIST_VARIABLES, "variables"), "map": (Kind.READ_MAP, "regions")}


class Console:
    """Executes one line after the other."""

    def __init__(self, host: "Host", write: Callable[[str], None] = lambda line: print(line, flush=True)) -> None:
        self.ended = False
        """No more input comes."""
        self.said_bye = False
        self._host = host
        self._write = write
        self._input = b""
        self._lines: deque[str] = deque()
        self._greeted = False
        self._closed = False
        self._waiting: Callable[[int], bool] | None = None

    def feed(self, data: bytes) -> None:
        """Takes input; nothing is its end."""
        if not data:
            self.ended = True
            data = b"\nbye\n"
        *lines, self._input = (self._input + data).split(b"\n")
        self._lines += (line for line in (raw.decode(errors="replace").strip() for raw in lines) if line)

    def poll(self, now: int) -> None:
        """Goes on as far as the answers have come."""
        host = self._host
        if host.active and not self._greeted:
            self._greeted = True
            self._greet()
        while not self._closed and (self._greeted or host.closed is not None):
            if self._waiting is not None:
                if not self._waiting(now):
                    break
                self._waiting = None
            if host.closed is not None or not self._lines:
                break
            self._begin(self._lines.popleft(), now)
        if host.closed is not None and not self._closed:
            self._closed = True
            why = {} if self.said_bye else {"why": host.closed.why}
            self._say({"closed": host.closed.reason} | why)

    def _say(self, answer: dict[str, Any]) -> None:
        self._write(json.dumps(answer))

    def _greet(self) -> None:
        welcome, state = self._host.welcome, self._host.state
        self._say(
            {
                "active": True,
                "fingerprint": welcome["fingerprint"].hex(),
                "architecture": welcome["architecture"],
                "capabilities": welcome["capabilities"],
                "authority": welcome["authority"],
                "generation": welcome["generation"],
                "credit": welcome["credit"],
                "name": welcome["name"].decode(errors="replace"),
                "state": {
                    "run": state["run"],
                    "axes": [row["position"] for row in state["axes"]],
                    "plc": [row["value"] for row in state["plc"]],
                    **{key: state[key] for key in STATE_KEYS},
                    "ended": [row["addr"] for row in state["ended"]],
                },
            }
        )

    def _begin(self, line: str, now: int) -> None:
        word, *rest = line.split()
        try:
            self._command(word, rest, now)
        except (ValueError, IndexError, struct.error):
            self._say({"invalid": line})

    def _command(self, word: str, rest: list[str], now: int) -> None:
        if word == "bye":
            self.said_bye = True
            self._host.bye(now)
            self._waiting = lambda now: False
        elif word == "wait":
            duration = _number(rest[0])
            self._waiting = lambda later: self._waited(later, now, duration)
        elif word == "stopped":
            self._waiting = self._stopped
        elif word == "breakpoints":
            self._list(0, [], now)
        elif word in LISTS and not rest:
            self._pages(*LISTS[word], [], now)
        else:
            kind, fields = _request(word, rest, self._host.welcome["fingerprint"])
            self._ask(kind, fields, lambda fields, _: self._say(self._format(kind, fields)), now)

    def _ask(self, kind: Kind, fields: Fields, done: Callable[[Fields, int], None], now: int) -> None:
        sequence = self._host.request(kind, fields, now)

        def answered(now: int) -> bool:
            answer = self._host.answers.pop(sequence, None)
            if answer is None:
                return False
            self._waiting = None
            if answer.kind is Kind.ERROR:
                self._say({"error": answer.fields["code"], "detail": answer.fields["detail"]})
            else:
                done(answer.fields, now)
            return self._waiting is None

        self._waiting = answered

    def _waited(self, now: int, since: int, duration: int) -> bool:
        if now - since < duration:
            return False
        self._say({"waited": duration})
        return True

    def _stopped(self, _: int) -> bool:
        if not self._host.stopped:
            return False
        event = self._host.stopped.popleft()
        names = self._name(event["registers"])
        keys = ("request", "reason", "more", "axes", "detail")
        pc = event["registers"].get(self._architecture.pc)
        self._say({key: event[key] for key in keys} | {"pc": pc, "registers": names})
        return True

    def _list(self, lowest: int, before: list[Fields], now: int) -> None:
        """Asks until there are no more."""

        def listed(fields: Fields, now: int) -> None:
            rows = before + fields["breakpoints"]
            if fields["more"] and rows and not broken("host-lists-one-page"):
                self._list(rows[-1]["id"] + 1, rows, now)
            else:
                self._say({"breakpoints": rows})

        self._ask(Kind.LIST_BREAKPOINTS, {"addr": 0, "id": lowest}, listed, now)

    def _pages(self, kind: Kind, key: str, before: list[Fields], now: int) -> None:
        """Asks until all rows of a list have come."""

        def listed(fields: Fields, now: int) -> None:
            rows = before + fields[key]
            if len(rows) < fields["total"] and fields[key] and not broken("host-lists-one-page"):
                self._pages(kind, key, rows, now)
                return
            shown = [row | {"name": row["name"].decode(errors="replace")} if "name" in row else row for row in rows]
            head = {"generation": fields["generation"]} if "generation" in fields else {}
            self._say(head | {key: shown})

        self._ask(kind, {"first": len(before)}, listed, now)

    @property
    def _architecture(self) -> Any:
        return ARCHITECTURES[self._host.welcome["architecture"]]

    def _name(self, registers: dict[int, int]) -> dict[str, int]:
        return {self._architecture.registers[index]: value for index, value in registers.items()}

    def _format(self, kind: Kind, fields: Fields) -> dict[str, Any]:
        """The JSON of an answer."""
        fields = {key: value for key, value in fields.items() if key != "request"}
        match kind:
            case Kind.READ_REGISTERS:
                return {"capture": fields["capture"], "registers": self._name(self._host.registers)}
            case Kind.READ_MEMORY:
                return {"addr": fields["addr"], "data": fields["data"].hex()}
            case Kind.READ_AXES:
                return {"axes": [row["position"] for row in fields["axes"]]}
            case Kind.READ_PLC:
                registers = [row["value"] for row in fields["registers"]]
                return {"first": fields["first"], "registers": registers}
            case Kind.READ_AUDIT:
                records = [row | {"operator": row["operator"].hex()} for row in fields["records"]]
                for row in records:
                    del row["version"]
                return fields | {"records": records}
            case Kind.READ_METRICS:
                every = broken("host-shows-unknown-metrics")
                known = [row for row in fields["metrics"] if metrics.is_known(row["metric"]) or every]
                return {"metrics": {str(row["metric"]): row["value"] for row in known}}
        return fields or {"done": True}


def _number(text: str) -> int:
    return int(text, 0)


def _force(addr: str, lease: str, value: str, safe: str) -> Fields:
    held, safe_value = bytes.fromhex(value), bytes.fromhex(safe)
    return {"addr": _number(addr), "lease": _number(lease), "value": held, "safe": safe_value}


def _request(word: str, rest: list[str], fingerprint: bytes) -> tuple[Kind, Fields]:
    """The kind and fields of a command's line."""
    if word in PLAIN_KINDS:
        return PLAIN_KINDS[word], {}
    if word in BREAK_KINDS:
        return BREAK_KINDS[word], {"addr": _number(rest[0]), "id": _number(rest[1])}
    device = {"fingerprint": fingerprint}
    match word, rest:
        case "force", [addr, lease, value]:
            return Kind.FORCE, _force(addr, lease, value, "") | device
        case "force", [addr, lease, value, safe]:
            return Kind.FORCE, _force(addr, lease, value, safe) | device
        case "write", [addr, data]:
            return Kind.WRITE_MEMORY, {"addr": _number(addr), "data": bytes.fromhex(data)} | device
    numbers = [_number(text) for text in rest]
    match word, numbers:
        case "regs", []:
            return Kind.READ_REGISTERS, {"what": 0}
        case "read", [addr, length]:
            return Kind.READ_MEMORY, {"addr": addr, "length": length}
        case "watch", [addr, id, length, access]:
            return Kind.SET_WATCHPOINT, {"addr": addr, "id": id, "length": length, "access": access}
        case "clear", [id]:
            return Kind.CLEAR_BREAKPOINT, {"addr": 0, "id": id}
        case "step", [count, trace]:
            return Kind.STEP, {"count": count, "trace": trace}
        case "range", [first, last, over]:
            return Kind.STEP_RANGE, {"first": first, "last": last, "over": over}
        case "release", [addr]:
            return Kind.RELEASE, {"addr": addr} | device
        case "renew", [addr, lease]:
            return Kind.RENEW, {"addr": addr, "lease": lease} | device
        case "setreg", [register, value]:
            return Kind.WRITE_REGISTER, {"register": register, "value": value} | device
        case "release-audit", [upto, crc]:
            return Kind.RELEASE_AUDIT, {"upto": upto, "crc": crc}
        case "setaxis", [axis, position]:
            return Kind.SET_AXIS, {"axis": axis, "position": position} | device
        case "plc", [first, count]:
            return Kind.READ_PLC, {"first": first, "count": count}
        case "audit", [first, count]:
            return Kind.READ_AUDIT, {"first": first, "count": count}
        case "policy", [version, replaces, enabled, *numbers] if len(numbers) % 3 == 0:
            rows = zip(numbers[::3], numbers[1::3], numbers[2::3])
            rules = [{"first": first, "last": last, "action": action} for first, last, action in rows]
            return Kind.PUSH_POLICY, {"version": version, "replaces": replaces, "enabled": enabled, "rules": rules}
    raise ValueError(word)
