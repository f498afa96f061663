"""`python3 -m rdp3.selftest`: agent and host against each other, and the agent against what SPEC.md says.

With `--rules 0/1` it runs the agent's scenarios with each rule broken, and lists the rules that none of them notices.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Callable

from . import rules, scenarios

SCRIPT = """status
halt
stopped
step 3 1
stopped
stopped
stopped
force 0x20000020 5000 01020304 0a0b0c0d
read 0x20000020 4
renew 0x20000020 6000
release 0x20000020
read 0x20000020 4
break 0x20000110 7
resume
stopped
range 0x20000110 0x20000118 1
stopped
setreg 3 77
write 0x20000100 aabb
setaxis 1 55
axes
plc 2 3
cursor
policy 1 0 1 0 10 0
breakpoints
variables
map
wait 3500
status
bye
"""


def over_sockets(serial: bool) -> None:
    """The two programs against each other."""
    words = [sys.executable, "-m", "rdp3.agent", *(["--serial"] if serial else [])]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as agent:
        try:
            assert agent.stdout is not None and agent.stdin is not None
            address = agent.stdout.readline().split()[1]
            name = f"uart:{address}" if serial else address
            host = [sys.executable, "-m", "rdp3.host", name, "--token", "operator"]
            done = subprocess.run(host, input=SCRIPT, capture_output=True, text=True, timeout=30)
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            _check(rows, done.stderr)
            agent.stdin.write("journal\n")
            agent.stdin.flush()
            journal = json.loads(agent.stdout.readline())["journal"]
            assert journal[-2:] == ["react", "clear 536871184"], journal
        finally:
            agent.kill()


def _check(rows: list[dict[str, object]], trouble: str) -> None:
    assert not trouble and not any("error" in row for row in rows), (rows, trouble)
    expected = SCRIPT.count("\n") + 1
    assert len(rows) == expected, (len(rows), expected, rows[-1:])
    assert rows[0]["active"] and rows[-1] == {"closed": 1}, rows[-1]
    assert [row["reason"] for row in rows if "reason" in row] == [4, 1, 1, 1, 2, 1]
    assert [row["data"] for row in rows if "data" in row] == ["01020304", "0a0b0c0d"]
    status = rows[-2]
    assert status["run"] == 2 and status["modified"] == 1 and status["breakpoints"] == 1, status


def failures(first: bool = False, only: str = "") -> list[str]:
    """Which of the agent's scenarios fail, or the first of them. None takes longer than a few seconds."""
    found: list[str] = []
    for name, scenario in scenarios.ALL.items():
        if first and found:
            break
        if only not in name:
            continue
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, 10)
            scenario()
        except Exception as error:  # noqa: BLE001 - a broken rule may break anything
            found.append(f"{name}: {type(error).__name__} {error}")
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return found


def _too_long(*_: object) -> None:
    raise AssertionError("takes too long")


def unnoticed(part: int, parts: int) -> int:
    """Says which of the agent's rules no scenario notices, of one part of them; how many there are."""
    count = 0
    names = [name for name, rule in rules.RULES.items() if rule.side != rules.HOST]
    for name in names[part::parts]:
        rules.set_broken(name)
        if not failures(first=True):
            count += 1
            print(f"{name} ({rules.RULES[name].section}): {rules.RULES[name].instead}", flush=True)
    rules.set_broken("")
    return count


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="rdp3.selftest")
    parser.add_argument("--rules", metavar="PART/PARTS", help="break each of the agent's rules, or a part of them")
    parser.add_argument("--only", help="the scenarios whose name contains this")
    options = parser.parse_args()
    signal.signal(signal.SIGVTALRM, _too_long)
    if options.only:
        print("\n".join(failures(only=options.only)))
        return 0
    if options.rules:
        part, _, parts = options.rules.partition("/")
        print(f"{unnoticed(int(part), int(parts or 1))} rules are not noticed here")
        return 0
    parts: dict[str, Callable[[], None]] = {
        "over a byte stream": lambda: over_sockets(False),
        "over a serial line": lambda: over_sockets(True),
    }
    bad = failures()
    for name, part in parts.items():
        try:
            part()
        except AssertionError as error:
            bad.append(f"{name}: {error}")
    print("\n".join(bad))
    print(f"{len(scenarios.ALL) + len(parts) - len(bad)} passed, {len(bad)} failed")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
