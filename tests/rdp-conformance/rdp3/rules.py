"""Rules of the specification that can be broken on purpose. `python3 -m rdp3.rules` lists them.

The suite has to notice each of them. `--break NAME` or the variable RDP3_BREAK (names with commas between) turns them on.
"""

import argparse
import os
from dataclasses import dataclass

AGENT, HOST, BOTH = "agent", "host", "both"


@dataclass(frozen=True)
class Rule:
    """One way to break the specification: where the rule stands, which program shows it, and what happens instead."""

    section: str
    side: str
    instead: str


RULES = {
    # Lanes and packets
    "header-check-ignored": Rule("3.1", BOTH, "a packet whose header check is wrong is taken"),
    "payload-length-ignored": Rule("2.2, 3.1", BOTH, "a payload length that contradicts the packet's length is no failure"),
    "crc-ignored": Rule("3.1", BOTH, "a packet whose CRC is wrong is taken"),
    "crc-failure-fatal": Rule("2.2", BOTH, "stream framing: a CRC failure closes the lane"),
    "header-failure-survived": Rule("2.2", BOTH, "stream framing: a header failure does not close the lane"),
    "stream-length-ignored": Rule("2.2", BOTH, "stream framing: a bad length is skipped, the lane stays open"),
    "reserved-flags-accepted": Rule("3", BOTH, "a packet whose flag bits 1 to 3 are not 0 is taken"),
    "unknown-packet-fatal": Rule("3, 10", BOTH, "a packet of an unknown type ends the connection"),
    "retransmissions-not-counted": Rule("3", BOTH, "DATA that is sent again has 0 in flag bits 4 to 7"),
    "retransmissions-for-new-bytes": Rule("3", BOTH, "DATA that is sent for the first time has 1 in flag bits 4 to 7"),
    # Opening
    "generation-ignored": Rule("4.1", AGENT, "OPEN of another generation is accepted"),
    "generation-ends-connection": Rule("4.1", AGENT, "OPEN of another generation ends the connection"),
    "cookie-not-repeated": Rule("4.1", AGENT, "ACCEPT carries another cookie"),
    "connection-reused": Rule("4.1", AGENT, "every connection has the same number"),
    "new-open-ignored": Rule("4.1", AGENT, "OPEN with another cookie is ignored while there is a connection"),
    "late-open-accepted": Rule("4.1", AGENT, "OPEN with the present cookie is answered although DATA has arrived"),
    "connection-ignored": Rule("4.1", BOTH, "packets of another connection are taken"),
    "stray-not-answered": Rule("4.1", AGENT, "stray DATA and ACK are not answered with RESET 3"),
    "stray-answered-always": Rule("4.1", AGENT, "stray packets are answered more often than once in 200 ms"),
    "reset-ignored": Rule("4.1", BOTH, "RESET does not end the connection"),
    "host-accepts-wrong-cookie": Rule("4.1", HOST, "ACCEPT with another cookie is taken"),
    "host-opens-once": Rule("4.1", HOST, "OPEN is not repeated"),
    "host-opens-forever": Rule("4.1", HOST, "OPEN is repeated more than 20 times"),
    # Streams and ACK
    "gap-accepted": Rule("4.2", BOTH, "DATA behind a gap is taken as if there were none"),
    "dup-data-delivered": Rule("4.2", BOTH, "DATA that is known already is taken again"),
    "overlap-not-skipped": Rule("4.2", BOTH, "the known part of DATA is taken again"),
    "empty-record-skipped": Rule("4.2", BOTH, "a record of length 0 is skipped, not fatal"),
    "record-limit-ignored": Rule("4.2", BOTH, "a record above the limit is not fatal"),
    "ack-late": Rule("4.3", BOTH, "an ACK comes every 600 ms only"),
    "no-periodic-ack": Rule("4.3", BOTH, "no ACK when nothing was received"),
    "ack-number-stuck": Rule("4.3", BOTH, "all ACKs have the number 1"),
    "gap-not-reported": Rule("4.3", BOTH, "nack bits 0 and 1 are never set"),
    "crc-not-reported": Rule("4.3", BOTH, "nack bit 3 is never set"),
    "old-ack-accepted": Rule("4.3", BOTH, "an ACK whose number is not greater than the last one's is taken"),
    "ack-of-unsent-accepted": Rule("4.3", BOTH, "an ACK of bytes never sent is taken"),
    "ack-going-back-taken": Rule("4.3", BOTH, "what else is in an ACK of less than one before it is taken"),
    "ack-not-prompt": Rule("4.3", BOTH, "DATA and failures are not answered with an ACK at once"),
    "nack-not-cleared": Rule("4.3", BOTH, "nack bits stay set for ever"),
    "failures-not-counted": Rule("4.3", BOTH, "failures of the signal lane are not told"),
    "overflow-lost": Rule("4.2", BOTH, "bytes that there is no room for are acknowledged"),
    "nack-without-pause": Rule("4.4", BOTH, "each ACK with a nack brings a retransmission"),
    "handshake-endless": Rule("5.2", AGENT, "the handshake may last longer than 5000 ms"),
    "disconnecting-endless": Rule("5.2", BOTH, "a Bye that is not answered is waited for for ever"),
    "epoch-while-under-way": Rule("5.6", BOTH, "the epoch goes up though bytes of the epoch before are unacknowledged"),
    "disordered-moves-highest": Rule("5.5", BOTH, "a disordered message moves the highest sequence and its time"),
    "stale-stays-behind": Rule("5.5", AGENT, "a stale message does not move the highest sequence"),
    "window-ignored": Rule("4.4", BOTH, "bytes are sent beyond the window"),
    "window-probe-missing": Rule("4.4", BOTH, "a window of 0 stops the sender for good"),
    "no-retransmit": Rule("4.4", BOTH, "nothing is sent twice"),
    "nack-ignored": Rule("4.4", BOTH, "a nack does not start a retransmission"),
    "no-backoff": Rule("4.4", BOTH, "the retransmission time stays at 300 ms"),
    "never-gives-up": Rule("4.4", BOTH, "no RESET 5 after 8 tries without progress"),
    "handshake-from-hello": Rule("5.2, 5.3", AGENT, "the handshake's 5000 ms begin with Hello, not with the connection"),
    "disordered-ahead-seen": Rule("5.5", BOTH, "a disordered sequence above the highest counts as seen"),
    "all-answers-on-bulk": Rule("4.5", AGENT, "short answers go on channel 1"),
    "stopped-on-bulk": Rule("4.5", AGENT, "Stopped goes on channel 1"),
    # Session: handshake
    "hello-any-sequence": Rule("5.3", AGENT, "a Hello may have any sequence, time and epoch"),
    "long-token-looked-at": Rule("5.3", AGENT, "a token of more than 384 bytes is not Limit"),
    "error-without-request": Rule("5.3", AGENT, "the Error in place of a Welcome always has request 0"),
    "late-agree-accepted": Rule("5.3", AGENT, "a stale Agree is accepted"),
    "unexpected-ignored": Rule("5.3", AGENT, "an unexpected message in the handshake is ignored, not answered with Error 4"),
    "refused-not-closed": Rule("5.3", AGENT, "the session stays open behind an Error in the handshake"),
    "versions-not-checked": Rule("5.3, 6.6", AGENT, "a Hello without a common version is welcome"),
    "short-limit-accepted": Rule("6.3", AGENT, "a Hello with a longest message below 512 is welcome"),
    "bad-token-accepted": Rule("5.3, 8.2", AGENT, "any token is good"),
    "nonce-reused": Rule("5.3", AGENT, "every session has the same device nonce"),
    "host-nonce-not-echoed": Rule("5.3", AGENT, "Welcome does not repeat the host nonce"),
    "clock-not-started": Rule("5.3", BOTH, "the clock counts from somewhere else than from the Welcome"),
    "skip-agree": Rule("5.3", AGENT, "commands are accepted without Agree"),
    "state-mismatch-accepted": Rule("5.3, 6.6", AGENT, "Agree may have any digest"),
    "host-accepts-wrong-nonce": Rule("5.3", HOST, "a Welcome that does not repeat the host nonce is taken"),
    "host-accepts-welcome-without-nonces": Rule("5.4", HOST, "a Welcome may be tagged with two zero nonces"),
    "host-accepts-late-welcome": Rule("5.3", HOST, "a Welcome may have any sequence, time and epoch"),
    "host-accepts-wrong-version": Rule("5.3", HOST, "a Welcome with a version that was not offered is taken"),
    "host-accepts-wrong-device": Rule("5.3", HOST, "a Welcome with another fingerprint than expected (--fingerprint) is taken"),
    "host-nonce-zero": Rule("5.3", HOST, "the host nonce is not random"),
    "host-agree-wrong": Rule("5.3, 6.3", HOST, "Agree has another digest than State's"),
    "host-does-not-wait-for-done": Rule("5.2", HOST, "the host is Active before Done"),
    "host-waits-forever": Rule("5.3", HOST, "the handshake may last longer than 5000 ms"),
    # Session: tag, order, epoch, end
    "accept-wrong-tag": Rule("5.4", BOTH, "tags are not checked"),
    "wrong-tag-ignored": Rule("5.4", BOTH, "a wrong tag or magic does not end the session"),
    "reflected-tag-accepted": Rule("5.4", BOTH, "a tag made for the other direction is good"),
    "nonces-not-checked": Rule("5.4", BOTH, "a tag made without nonces is good"),
    "device-nonce-not-used": Rule("5.4", BOTH, "tags are made without the device nonce"),
    "sequence-skips": Rule("5.5", BOTH, "sent sequences go up by two"),
    "sequences-run-ahead": Rule("5.5", AGENT, "messages are sent though one whose sequence is lower by 63 or more is not acknowledged"),
    "no-replay-window": Rule("5.5 1", BOTH, "replayed messages are taken"),
    "window-endless": Rule("5.5 1", BOTH, "a sequence more than 63 below the highest is taken"),
    "late-sequence-refused": Rule("5.5 1", BOTH, "a sequence below the highest counts as replayed, seen or not"),
    "replayed-answered": Rule("5.5 1", AGENT, "a replayed message is answered"),
    "disordered-accepted": Rule("5.5 2", BOTH, "time need not go up with the sequence"),
    "no-time-check": Rule("5.5 3", AGENT, "a message may have any time"),
    "future-accepted": Rule("5.5 3", AGENT, "a message may have any time in the future"),
    "command-order-ignored": Rule("5.5 4", AGENT, "commands of column A are accepted out of order"),
    "refused-not-seen": Rule("5.5", AGENT, "a sequence that was disordered or stale counts as not seen"),
    "order-before-frame": Rule("5.5", AGENT, "Stale and Disordered come before the errors of the frame"),
    "stale-heartbeat-answered": Rule("5.5", AGENT, "a stale or disordered heartbeat is answered"),
    "host-accepts-disordered": Rule("5.5 2", HOST, "the host believes a disordered message"),
    "host-refuses-late": Rule("5.5 3", HOST, "the host does not believe a message that is out of tolerance"),
    "epoch-stuck": Rule("5.6", BOTH, "the epoch does not go up when a CRC failure is reported"),
    "epoch-too-often": Rule("5.6", BOTH, "the epoch goes up more than once in 1000 ms"),
    "any-epoch-accepted": Rule("5.6", BOTH, "messages of any epoch are taken"),
    "next-epoch-refused": Rule("5.6", BOTH, "a message of the next epoch is refused"),
    "no-heartbeat": Rule("5.7", BOTH, "no Heartbeat is sent"),
    "heartbeat-loss-ignored": Rule("5.7", BOTH, "silence does not end the session"),
    "bye-not-answered": Rule("5.7", BOTH, "Bye is ignored"),
    "bye-reason-not-repeated": Rule("5.7", BOTH, "the answering Bye always has reason 1"),
    "disconnecting-listens": Rule("5.7", BOTH, "a wrong tag in Disconnecting closes at once"),
    "no-reset-after-end": Rule("5.7", AGENT, "no RESET 1 behind the session"),
    "forces-not-released-at-end": Rule("5.7", AGENT, "forced variables outlive the session"),
    "clear-breakpoints-not-at-end": Rule("5.7", AGENT, "breakpoints outlive the session"),
    "steps-not-ended-at-end": Rule("5.7", AGENT, "steps go on behind the session"),
    "machine-resumed-at-end": Rule("5.7", AGENT, "a stopped machine runs again behind the session"),
    "host-leaves-without-bye": Rule("5.7", HOST, "the host ends the session without Bye"),
    # Frames
    "magic-ignored": Rule("6, 10", BOTH, "a wrong magic is no loss of integrity"),
    "frame-version-ignored": Rule("6.2", AGENT, "a frame of any version is taken"),
    "unknown-kind-dropped": Rule("6.2", AGENT, "an unknown kind is not answered"),
    "agent-kinds-unknown": Rule("6.2", AGENT, "a kind of the agent's side is answered with Error 1"),
    "trailing-bytes-accepted": Rule("6", AGENT, "a body may be longer than its fields"),
    "unknown-values-accepted": Rule("8.1", AGENT, "fields may have values that are in no table"),
    "zero-counts-accepted": Rule("8.1", AGENT, "counts and lengths may be 0"),
    "limits-ignored": Rule("8.1", AGENT, "counts and lengths may be above their limits"),
    "host-unknown-kind-fatal": Rule("6.2", HOST, "an unknown kind ends the session"),
    "host-takes-any-frame-version": Rule("6.2", HOST, "a frame of another version is taken"),
    "host-malformed-fatal": Rule("6.2", HOST, "a malformed body ends the session"),
    "host-shows-unknown-metrics": Rule("8.8", HOST, "numbers of unknown metrics are shown"),
    "host-forgets-registers": Rule("6.4", HOST, "registers that were left out are not known any more"),
    "host-lists-one-page": Rule("6.4", HOST, "`more` in Breakpoints is ignored"),
    # What the agent does
    "device-checked-first": Rule("8.1", AGENT, "WrongDevice comes before Denied"),
    "authority-ignored": Rule("8.2", AGENT, "every token grants everything"),
    "authority-never-expires": Rule("8.2", AGENT, "authority does not expire"),
    "halt-and-release-expire": Rule("8.2, 8.4", AGENT, "Halt and Release are denied when authority has expired"),
    "wrong-device-accepted": Rule("6.3, 6.6", AGENT, "the fingerprint in a command is not checked"),
    "wrong-state-accepted": Rule("8.4", AGENT, "no WrongState"),
    "busy-ignored": Rule("8.4", AGENT, "commands are accepted while steps are under way"),
    "release-busy": Rule("8.4", AGENT, "Release is Busy while steps are under way"),
    "halt-names-step": Rule("8.4", AGENT, "the Stopped of a Halt that ends steps names the Step"),
    "trace-before-commands": Rule("8.4", AGENT, "commands wait while there are traced steps to tell of"),
    "halt-keeps-steps": Rule("8.4", AGENT, "Halt does not end steps"),
    "halt-wrong-reason": Rule("8.4, 6.4", AGENT, "the Stopped of a Halt has reason 1"),
    "trace-ignored": Rule("6.3", AGENT, "steps are never traced"),
    "steps-pass-breakpoints": Rule("8.4", AGENT, "steps are not ended by a breakpoint"),
    "stopped-before-done": Rule("6.2", AGENT, "Halt's Stopped comes before its Done"),
    "stopped-without-pc": Rule("6.4", AGENT, "an unchanged pc is left out of Stopped"),
    "registers-always-all": Rule("6.3", AGENT, "ReadRegisters always answers all"),
    "duplicate-id-accepted": Rule("6.1, 6.6", AGENT, "an id may be used twice"),
    "unknown-id-accepted": Rule("6.6", AGENT, "any id can be cleared, at any address"),
    "breakpoint-after-instruction": Rule("8.3", AGENT, "a breakpoint is met after its instruction"),
    "breakpoint-met-again": Rule("README", AGENT, "resume and step meet the breakpoint at the pc again"),
    "hits-not-counted": Rule("8.3", AGENT, "hits stay 0"),
    "list-from-ignored": Rule("6.1", AGENT, "the lowest id in a list is ignored"),
    "list-not-sorted": Rule("6.4", AGENT, "breakpoints are listed in falling order"),
    "slots-endless": Rule("6.4, README", AGENT, "more than 8 breakpoints"),
    "hardware-endless": Rule("README", AGENT, "more than two hardware breakpoints"),
    "slot-not-lowest": Rule("README", AGENT, "slots that became free are not given again"),
    "policy-ignored": Rule("8.3", AGENT, "a policy forbids nothing"),
    "policy-last-rule-decides": Rule("8.3", AGENT, "the last rule that contains the address decides"),
    "policy-denies-the-rest": Rule("8.3", AGENT, "an address in no rule is denied"),
    "policy-not-for-watchpoints": Rule("8.3", AGENT, "a policy does not apply to watchpoints"),
    "policy-inverted-rule": Rule("8.3", AGENT, "a rule whose first address is above its last contains what is between"),
    "policy-downgrade-accepted": Rule("8.3", AGENT, "an older policy takes the place of the present one"),
    "policy-merged": Rule("8.3", AGENT, "a policy is added to the present one"),
    "force-without-interlock": Rule("8.5", AGENT, "the interlock is not asked"),
    "axis-without-interlock": Rule("8.5", AGENT, "the interlock is not asked for SetAxis"),
    "release-needs-force": Rule("8.5", AGENT, "Release of a variable that is not forced is refused"),
    "lease-never-ends": Rule("8.5", AGENT, "leases do not end"),
    "lease-not-replaced": Rule("8.5", AGENT, "forcing again keeps the old lease"),
    "release-keeps-value": Rule("8.5, README", AGENT, "release leaves the forced value"),
    "audit-after-effect": Rule("8.5, 8.6", AGENT, "the effect comes before the record, and so before AuditFull"),
    "audit-not-concluded": Rule("8.6", AGENT, "verdicts stay at 0xFFFF"),
    "audit-fills-in-address": Rule("8.6", AGENT, "the record of a ClearBreakpoint has the breakpoint's address in place of 0"),
    "target-refusal-not-recorded": Rule("8.6", AGENT, "what the target refuses is not recorded"),
    "audit-overwrites": Rule("8.6", AGENT, "a full log refuses nothing"),
    "audit-full-stops-all": Rule("8.6", AGENT, "a full log refuses Halt and Release, too"),
    "audit-reading-releases-nothing": Rule("6.3", AGENT, "ReadAudit never makes room"),
    "audit-released-by-all": Rule("6.3", AGENT, "ReadAudit makes room without the authority to control"),
    "audit-reading-releases-all": Rule("6.3", AGENT, "ReadAudit makes room for all, also from 0"),
    "answered-twice": Rule("8.7", AGENT, "Done comes twice"),
}

_broken: frozenset[str] = frozenset()


def broken(name: str) -> bool:
    """Whether this rule is to be broken."""
    return name in _broken


def set_broken(names: str) -> None:
    """Breaks the rules with these names, with commas between, and no others."""
    global _broken
    chosen = frozenset(filter(None, names.split(",")))
    unknown = chosen - RULES.keys()
    if unknown:
        raise SystemExit(f"no such rule: {', '.join(sorted(unknown))}")
    _broken = chosen


def add_option(parser: argparse.ArgumentParser) -> None:
    """The option of both programs."""
    parser.add_argument(
        "--break", dest="broken", default=os.environ.get("RDP3_BREAK", ""), metavar="NAME", help="break a rule (rdp3.rules)"
    )


def main() -> None:
    """Lists the rules: name, section, side, what happens instead."""
    for name, rule in RULES.items():
        print(name, rule.section, rule.side, rule.instead, sep="\t")


if __name__ == "__main__":
    main()
