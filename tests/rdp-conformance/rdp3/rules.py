"""Rules of the specification that can be broken on purpose. `python3 -m rdp3.rules` lists them.

The suite has to notice each of them. `--break NAME` or the variable RDP3_BREAK (names with commas between) turns them
on.
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
    # The link, and what is as it was
    "header-check-ignored": Rule("3.1", BOTH, "a packet whose header check is wrong is taken"),
    "payload-length-ignored": Rule(
        "3.1", BOTH, "a payload length that contradicts the packet's length is no failure"
    ),
    "crc-ignored": Rule("3.1", BOTH, "a packet whose CRC is wrong is taken"),
    "reserved-flags-accepted": Rule("3", BOTH, "a packet whose flag bits 1 to 3 are not 0 is taken"),
    "unknown-packet-fatal": Rule("3, 10", BOTH, "a packet of an unknown type ends the connection"),
    "retransmissions-not-counted": Rule("3", BOTH, "DATA that is sent again has 0 in flag bits 4 to 7"),
    "retransmissions-for-new-bytes": Rule(
        "3", BOTH, "DATA that is sent for the first time has 1 in flag bits 4 to 7"
    ),
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
    "handshake-endless": Rule("5.6", AGENT, "the handshake may last longer than 5000 ms"),
    "disconnecting-endless": Rule("5.6", BOTH, "a Bye that is not answered is waited for for ever"),
    "window-ignored": Rule("4.4", BOTH, "bytes are sent beyond the window"),
    "window-probe-missing": Rule("4.4", BOTH, "a window of 0 stops the sender for good"),
    "no-retransmit": Rule("4.4", BOTH, "nothing is sent twice"),
    "nack-ignored": Rule("4.4", BOTH, "a nack does not start a retransmission"),
    "no-backoff": Rule("4.4", BOTH, "the retransmission time stays at 300 ms"),
    "never-gives-up": Rule("4.4", BOTH, "no RESET 5 after 8 tries without progress"),
    "hello-any-sequence": Rule("5.6", AGENT, "a Hello may have any sequence"),
    "long-token-looked-at": Rule("5.6", AGENT, "a token of more than 384 bytes is not Limit"),
    "error-without-request": Rule("5.6", AGENT, "the Error in place of a Welcome always has request 0"),
    "late-agree-accepted": Rule("5.6", AGENT, "a stale Agree is accepted"),
    "unexpected-ignored": Rule(
        "5.6", AGENT, "an unexpected message in the handshake is ignored, not answered with Error 4"
    ),
    "refused-not-closed": Rule("5.6", AGENT, "the session stays open behind an Error in the handshake"),
    "versions-not-checked": Rule("5.6, 6.6", AGENT, "a Hello without a common version is welcome"),
    "short-limit-accepted": Rule("6.3", AGENT, "a Hello with a longest message below 512 is welcome"),
    "bad-token-accepted": Rule("5.6, 8.2", AGENT, "any token is good"),
    "nonce-reused": Rule("5.6", AGENT, "every session has the same device nonce"),
    "host-nonce-not-echoed": Rule("5.6", AGENT, "Welcome does not repeat the host nonce"),
    "clock-not-started": Rule("5.6", AGENT, "the clock counts from somewhere else than from the Welcome"),
    "skip-agree": Rule("5.6", AGENT, "commands are accepted without Agree"),
    "state-mismatch-accepted": Rule("5.6, 6.6", AGENT, "Agree may have any digest"),
    "host-accepts-wrong-nonce": Rule("5.6", HOST, "a Welcome that does not repeat the host nonce is taken"),
    "host-accepts-welcome-without-nonces": Rule("5.6", HOST, "a Welcome may be tagged with two zero nonces"),
    "host-accepts-late-welcome": Rule("5.6", HOST, "a Welcome may have any sequence and time"),
    "host-accepts-wrong-version": Rule("5.6", HOST, "a Welcome with a version that was not offered is taken"),
    "host-accepts-wrong-device": Rule(
        "5.6", HOST, "a Welcome with another fingerprint than expected (--fingerprint) is taken"
    ),
    "host-nonce-zero": Rule("5.6", HOST, "the host nonce is not random"),
    "host-agree-wrong": Rule("5.6, 6.3", HOST, "Agree has another digest than State's"),
    "host-does-not-wait-for-done": Rule("5.6", HOST, "the host is Active before Done"),
    "host-waits-forever": Rule("5.6", HOST, "the handshake may last longer than 5000 ms"),
    "accept-wrong-tag": Rule("5.6", BOTH, "tags are not checked"),
    "wrong-tag-ignored": Rule("5.5", BOTH, "a wrong tag or magic does not end the session"),
    "reflected-tag-accepted": Rule("5.6", BOTH, "a tag made for the other direction is good"),
    "nonces-not-checked": Rule("5.6", BOTH, "a tag made without nonces is good"),
    "device-nonce-not-used": Rule("5.6", BOTH, "tags are made without the device nonce"),
    "sequence-skips": Rule("5.6", BOTH, "sent sequences go up by two"),
    "no-time-check": Rule("5.6 3", AGENT, "a message may have any time"),
    "future-accepted": Rule("5.6 3", AGENT, "a message may have any time in the future"),
    "stale-heartbeat-answered": Rule("5.6", AGENT, "a stale or disordered heartbeat is answered"),
    "no-heartbeat": Rule("5.7", AGENT, "no Heartbeat is sent"),
    "bye-not-answered": Rule("5.8", BOTH, "Bye is ignored"),
    "bye-reason-not-repeated": Rule("5.8", BOTH, "the answering Bye always has reason 1"),
    "disconnecting-listens": Rule("5.8", BOTH, "a wrong tag in Disconnecting closes at once"),
    "no-reset-after-end": Rule("5.8", AGENT, "no RESET 1 behind the session"),
    "forces-not-released-at-end": Rule("5.8", AGENT, "forced variables outlive the session"),
    "steps-not-ended-at-end": Rule("5.8", AGENT, "steps go on behind the session"),
    "machine-resumed-at-end": Rule("5.8", AGENT, "a stopped machine runs again behind the session"),
    "host-leaves-without-bye": Rule("5.8", HOST, "the host ends the session without Bye"),
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
    "host-shows-unknown-metrics": Rule("8.13", HOST, "numbers of unknown metrics are shown"),
    "host-forgets-registers": Rule("6.4", HOST, "registers that were left out are not known any more"),
    "host-lists-one-page": Rule("6.4", HOST, "`more` in Breakpoints is ignored"),
    "device-checked-first": Rule("8.1", AGENT, "WrongDevice comes before Denied"),
    "authority-ignored": Rule("8.2", AGENT, "every token grants everything"),
    "wrong-device-accepted": Rule("6.3, 6.6", AGENT, "the fingerprint in a command is not checked"),
    "wrong-state-accepted": Rule("8.4", AGENT, "no WrongState"),
    "busy-ignored": Rule("8.4", AGENT, "commands are accepted while steps are under way"),
    "release-busy": Rule("8.4", AGENT, "Release is Busy while steps are under way"),
    "halt-names-step": Rule("8.4", AGENT, "the Stopped of a Halt that ends steps names the Step"),
    "halt-keeps-steps": Rule("8.4", AGENT, "Halt does not end steps"),
    "halt-wrong-reason": Rule("8.4, 6.4", AGENT, "the Stopped of a Halt has reason 1"),
    "trace-ignored": Rule("6.3", AGENT, "steps are never traced"),
    "steps-pass-breakpoints": Rule("8.4", AGENT, "steps are not ended by a breakpoint"),
    "stopped-before-done": Rule("6.2", AGENT, "Halt's Stopped comes before its Done"),
    "stopped-without-pc": Rule("6.4", AGENT, "an unchanged pc is left out of Stopped"),
    "registers-always-all": Rule("6.3", AGENT, "ReadRegisters always answers all"),
    "duplicate-id-accepted": Rule("6.1, 6.6", AGENT, "an id may be used twice"),
    "unknown-id-accepted": Rule("6.6", AGENT, "any id can be cleared, at any address"),
    "breakpoint-after-instruction": Rule("8.13", AGENT, "a breakpoint is met after its instruction"),
    "breakpoint-met-again": Rule("README", AGENT, "resume and step meet the breakpoint at the pc again"),
    "hits-not-counted": Rule("8.13", AGENT, "hits stay 0"),
    "list-from-ignored": Rule("6.1", AGENT, "the lowest id in a list is ignored"),
    "list-not-sorted": Rule("6.4", AGENT, "breakpoints are listed in falling order"),
    "slots-endless": Rule("6.4, README", AGENT, "more than 8 breakpoints"),
    "hardware-endless": Rule("README", AGENT, "more than two hardware breakpoints"),
    "slot-not-lowest": Rule("README", AGENT, "slots that became free are not given again"),
    "policy-ignored": Rule("8.13", AGENT, "a policy forbids nothing"),
    "policy-last-rule-decides": Rule("8.13", AGENT, "the last rule that contains the address decides"),
    "policy-denies-the-rest": Rule("8.13", AGENT, "an address in no rule is denied"),
    "policy-not-for-watchpoints": Rule("8.13", AGENT, "a policy does not apply to watchpoints"),
    "policy-inverted-rule": Rule(
        "8.13", AGENT, "a rule whose first address is above its last contains what is between"
    ),
    "policy-merged": Rule("8.13", AGENT, "a policy is added to the present one"),
    "release-needs-force": Rule("8.13", AGENT, "Release of a variable that is not forced is refused"),
    "lease-never-ends": Rule("8.13", AGENT, "leases do not end"),
    "lease-not-replaced": Rule("8.13", AGENT, "forcing again keeps the old lease"),
    "release-keeps-value": Rule("8.13, README", AGENT, "release leaves the forced value"),
    "audit-after-effect": Rule("8.13, 8.13", AGENT, "the effect comes before the record, and so before AuditFull"),
    "audit-not-concluded": Rule("8.13", AGENT, "verdicts stay at 0xFFFF"),
    "audit-fills-in-address": Rule(
        "8.13", AGENT, "the record of a ClearBreakpoint has the breakpoint's address in place of 0"
    ),
    "target-refusal-not-recorded": Rule("8.13", AGENT, "what the target refuses is not recorded"),
    "audit-overwrites": Rule("8.13", AGENT, "a full log refuses nothing"),
    "answered-twice": Rule("8.13", AGENT, "Done comes twice"),
    # Byte streams and lines
    "short-record-accepted": Rule("5.1, 10", BOTH, "byte stream: a record too short for a message does not close it"),
    "stream-limit-ignored": Rule("5.1, 10", BOTH, "byte stream: a record above the limit does not close it"),
    "bad-record-skipped": Rule("5.1, 10", BOTH, "byte stream: a bad length is skipped, the stream stays open"),
    "credit-not-kept": Rule("5.6, 10", AGENT, "commands above the credit are taken from the line"),
    "channels-not-told-apart": Rule("5.1", BOTH, "byte stream: every record counts as one of channel 0"),
    "stream-channel-bit-missing": Rule(
        "5.1", BOTH, "byte stream: records of channel 1 are sent as those of channel 0"
    ),
    "channel-1-first": Rule("5.1", BOTH, "byte stream: records of channel 1 go in front of those of channel 0"),
    "second-stream-takes-over": Rule("5.3", AGENT, "a second stream inherits the session of the first (S1)"),
    "second-stream-ends-session": Rule("5.3", AGENT, "a second stream ends the session of the first"),
    "newer-stream-refused": Rule("5.3", AGENT, "a stream whose session is not Active does not yield to a newer one"),
    "handshake-occupies": Rule("5.3", AGENT, "a stream in its handshake keeps others out"),
    "disconnecting-yields": Rule("5.3", AGENT, "a session that is Disconnecting is ended by a newer stream"),
    "line-lost-keeps-session": Rule("5.3, 5.8", AGENT, "what the session holds is not withdrawn when the line ends"),
    "bye-first-closes-at-once": Rule("5.8", AGENT, "byte stream: who said Bye first closes without waiting"),
    "idle-endless": Rule("5.4", AGENT, "a line on which nothing is said stays for ever"),
    # Link, opening
    "open-takes-over": Rule("4.1", AGENT, "OPEN with another cookie ends an Active session"),
    "busy-not-answered": Rule("4.1", AGENT, "OPEN during a session is not answered with RESET 6"),
    "busy-answered-always": Rule("4.1", AGENT, "RESET 6 more often than once in 200 ms"),
    "busy-without-cookie": Rule("4.1", AGENT, "RESET 6 does not repeat the cookie"),
    "busy-ends-session": Rule(
        "4.1", AGENT, 'OPEN during a session is told "busy", and ends the session all the same'
    ),
    "open-before-recovery": Rule("4.1, 8.12", AGENT, "OPEN is accepted before the machine has recovered"),
    "host-gives-up-when-busy": Rule("4.1", HOST, "the host does not go on when the agent is busy"),
    # Tag, order, time
    "tag-without-channel": Rule("5.5", BOTH, "the tag does not cover the channel"),
    "tag-without-direction": Rule("5.5", BOTH, "the tag does not cover the direction"),
    "other-channel-accepted": Rule("5.5", BOTH, "a tag made for the other channel is good"),
    "integrity-without-bye": Rule("5.5", BOTH, "no Bye 4 when integrity is lost"),
    "replay-accepted": Rule("5.6 1", BOTH, "a sequence that is not above the channel's last is taken"),
    "repeat-accepted": Rule("5.6 1", BOTH, "the channel's last sequence is taken again"),
    "older-accepted": Rule("5.6 1", BOTH, "a sequence below the channel's last is taken"),
    "replay-answered": Rule("5.6 1", AGENT, "a replay is answered"),
    "order-over-both-channels": Rule(
        "5.6 1", BOTH, "one order for both channels: a message that was overtaken on the other channel is a replay"
    ),
    "agent-time-stuck": Rule("5.6", AGENT, "the agent writes the time 0"),
    "time-in-ms": Rule("5.6", AGENT, "the session clock counts milliseconds"),
    "arrival-is-execution": Rule("5.6 2", AGENT, "messages count as having arrived when they are executed"),
    "arrival-not-judged": Rule("5.6 2", AGENT, "the age at arrival is not judged"),
    "execution-not-judged": Rule("5.6 2", AGENT, "the age at execution is not judged"),
    "halt-judged-at-execution": Rule("5.6 2", AGENT, "Halt and Release are judged at execution, too"),
    "stale-without-clock": Rule("5.6, 6.6", AGENT, "Stale does not tell the session clock"),
    "stale-not-in-order": Rule("5.6 1", AGENT, "the sequence of a stale message may come again"),
    "stale-bye-answered": Rule("5.6", AGENT, "a stale Bye ends the session"),
    "halt-overtakes-nothing": Rule("5.6 3", AGENT, "what a Halt or Release has overtaken is executed"),
    "halt-overtakes-all": Rule(
        "5.6 3", AGENT, "what touches nothing is disordered, too, when a Halt has overtaken it"
    ),
    "release-overtakes-all": Rule("5.6 3", AGENT, "Release overtakes every command of column A"),
    "release-overtakes-no-force": Rule("5.6 3", AGENT, "a Force is executed behind a later Release"),
    "release-overtakes-no-renew": Rule("5.6 3", AGENT, "a Renew is executed behind a later Release"),
    "any-channel-accepted": Rule("5.6", AGENT, "commands are taken on either channel"),
    "halt-on-channel-1": Rule("5.6", AGENT, "Halt is taken on channel 1"),
    "answers-on-channel-0": Rule("5.6", AGENT, "answers go on channel 0"),
    "answers-on-channel-1": Rule("5.6", AGENT, "answers go on channel 1"),
    "errors-on-channel-0": Rule("5.6", AGENT, "Errors go on channel 0"),
    "stopped-on-channel-1": Rule("5.6", AGENT, "Stopped goes on channel 1"),
    "room-for-answers-not-kept": Rule(
        "5.6", AGENT, "Heartbeat and Stopped take the room that answers on channel 0 need"
    ),
    "room-on-both-channels": Rule("5.6", AGENT, "a Halt waits until there is room on channel 1, too (S9)"),
    "host-own-clock": Rule("5.6", HOST, "the host writes a clock of its own (S2)"),
    "host-time-stuck": Rule("5.6", HOST, "the host writes the time 0"),
    "host-echoes-last-time": Rule(
        "5.6", HOST, "the host writes the last time that it has received, not the greatest"
    ),
    "host-all-on-channel-0": Rule("5.6", HOST, "every command goes on channel 0"),
    "host-all-on-channel-1": Rule("5.6", HOST, "every command goes on channel 1"),
    # Handshake
    "hello-any-time": Rule("5.4", AGENT, "a Hello may have any time"),
    "hello-on-channel-1": Rule("5.4", AGENT, "a Hello may come on channel 1"),
    "handshake-from-hello": Rule("5.4", AGENT, "the handshake's 5000 ms begin with Hello, not with the line"),
    "handshake-ignores-heartbeats": Rule(
        "5.4", AGENT, "a Heartbeat in the handshake is ignored, not answered with Error 4"
    ),
    "token-before-version": Rule("5.4", AGENT, "the token is looked at before versions and limits"),
    "seal-record-unexpected": Rule("5.5", AGENT, "a SealRecord is answered with Unexpected, not with NoSeal"),
    "agree-always-unexpected": Rule("5.6", AGENT, "a stale Agree in an Active session is answered with Unexpected"),
    "hello-before-recovery": Rule("8.12", AGENT, "a Hello is answered before the machine has recovered"),
    "bad-token-without-detail": Rule("6.6, README", AGENT, "BadToken has the detail 0"),
    "stuck-not-refused": Rule("5.4, 8.7", AGENT, "a Hello with control is welcome while a force is stuck"),
    "stuck-refuses-observers": Rule("5.4, 8.7", AGENT, "a Hello without control is refused while a force is stuck"),
    "host-accepts-wrong-suite": Rule("5.4", HOST, "a Welcome with another suite than the one in use is taken"),
    "host-offers-no-suite": Rule("6.3, 5.5", HOST, "Hello offers no suite"),
    "welcome-without-generation": Rule("6.4, 8.11", AGENT, "Welcome's generation is 0"),
    "welcome-without-credit": Rule("6.4, 5.6", AGENT, "Welcome's credit is 0"),
    "welcome-without-reaction": Rule("6.4, 8.7", AGENT, "Welcome says that the session's loss does nothing"),
    "welcome-overstates-authority": Rule("6.4, 8.2", AGENT, "Welcome grants more than the token"),
    "welcome-without-expiry": Rule("6.4", AGENT, "Welcome says that the grant has expired"),
    "welcome-without-boot": Rule("6.4", AGENT, "Welcome's boot is 0"),
    "welcome-overstates-log": Rule("6.4, 8.8", AGENT, "Welcome says that the log keeps through a reset"),
    "welcome-without-lost": Rule("6.4, 8.8", AGENT, "Welcome does not tell of lost records"),
    "capabilities-of-old": Rule("6.4", AGENT, "the capabilities leave out variables and writing"),
    "state-without-end": Rule("6.4, 8.7", AGENT, "State does not tell how the last session ended"),
    "state-without-stop": Rule("6.4, 8.7", AGENT, "State does not tell of the last stop"),
    "state-without-modified": Rule("6.4, 8.6", AGENT, "State's modified is 0"),
    "state-without-stuck": Rule("6.4, 8.7", AGENT, "State's stuck is 0"),
    "boot-not-counted": Rule("6.4, README", AGENT, "the number of the boot stays 1"),
    # Presence
    "any-message-heard": Rule("5.7", AGENT, "every message with a right tag counts as heard (S4)"),
    "channel-1-heard": Rule("5.7", AGENT, "messages on channel 1 count as heard"),
    "replay-heard": Rule("5.7", AGENT, "a replay counts as heard"),
    "stale-heartbeat-heard": Rule("5.7", AGENT, "a stale Heartbeat counts as heard"),
    "challenge-ignored": Rule("5.7", AGENT, "a Heartbeat with any challenge counts as heard"),
    "challenge-constant": Rule("5.7", AGENT, "every challenge is the same"),
    "challenge-not-forgotten": Rule("5.7", AGENT, "a challenge that came back is good again"),
    "one-challenge-kept": Rule("5.7", AGENT, "only the last challenge is kept"),
    "older-challenges-not-forgotten": Rule("5.7", AGENT, "challenges older than the one that came back are good"),
    "heard-when-answered": Rule("5.7", AGENT, "heard as of the answer, not as of the challenge"),
    "heard-from-activation": Rule(
        "5.7", AGENT, "at first heard as of the beginning of Active, not as of Agree's time"
    ),
    "heartbeats-rare": Rule("5.7", AGENT, "a Heartbeat every 3 s only"),
    "heartbeat-without-run": Rule("6.3, 5.7", AGENT, "the agent's Heartbeat does not tell the run state"),
    "host-loss-ignored": Rule("5.7", AGENT, "the loss of the host does not end the session"),
    "time-before-channel-0": Rule(
        "5.7, 8.9", AGENT, "the host's loss is judged before a Halt that has arrived is executed"
    ),
    "host-silent": Rule("5.7", HOST, "Heartbeats are not answered"),
    "host-wrong-challenge": Rule("5.7", HOST, "the answer has another challenge"),
    "host-heartbeat-on-channel-1": Rule("5.7", HOST, "the answer goes on channel 1"),
    "host-heartbeat-with-run": Rule("6.3", HOST, "a host's Heartbeat has a run state"),
    "host-replay-heard": Rule("5.7", HOST, "a replay shows that the agent is there"),
    "host-never-loses-agent": Rule("5.7", HOST, "the agent's silence does not end the session"),
    "host-takes-earlier-captures": Rule("6.4", HOST, "an earlier capture takes the place of a later one"),
    # End
    "traps-not-cleared-at-end": Rule("5.8, 8.7", AGENT, "traps outlive the session"),
    # Frames
    "frame-version-without-detail": Rule("6.6", AGENT, "FrameVersion has the detail 0"),
    "unknown-kind-without-detail": Rule("6.6", AGENT, "UnknownKind has the detail 0"),
    "malformed-without-detail": Rule("6.6", AGENT, "Malformed has the detail 0"),
    "limit-without-detail": Rule("6.6", AGENT, "Limit has the detail 0"),
    "denied-without-detail": Rule("6.6", AGENT, "Denied has the detail 0"),
    "duplicate-without-id": Rule("6.6, 8.5", AGENT, "DuplicateId for an address does not tell the id that is there"),
    "limits-before-malformed": Rule("8.1", AGENT, "limits are looked at before values that are in no table"),
    "forced-value-of-any-length": Rule("8.1, 6.3", AGENT, "a forced value may have any length"),
    "safe-of-any-length": Rule("8.1, 6.3", AGENT, "a safe value may have another length than the value"),
    "lease-without-limit": Rule("8.1, 8.7", AGENT, "a lease may have any length (S7)"),
    "order-before-frame": Rule("8.1", AGENT, "Stale comes before the errors of the frame"),
    "answers-too-long": Rule("5.6, 6.4", AGENT, "answers are longer than what the host accepts"),
    # Order of checks
    "interlock-before-state": Rule("8.1", AGENT, "the interlock is asked before the state is looked at"),
    "map-before-ids": Rule("8.1", AGENT, "the map is looked at before the ids"),
    # Authority
    "expired-controller-denied-halt": Rule("8.2", AGENT, "Halt is denied when the grant has expired (S12)"),
    "expired-denied-release": Rule("8.2", AGENT, "Release is denied when the grant has expired (S12)"),
    "expired-observer-may-halt": Rule("8.2", AGENT, "Halt passes when the grant has expired, whatever it was (S12)"),
    "observer-may-halt": Rule("8.2", AGENT, "Halt needs no control"),
    "observer-may-release": Rule("8.2", AGENT, "Release needs no force"),
    "release-with-control-alone": Rule("8.2", AGENT, "control is enough for Release (S12)"),
    "halt-and-release-need-permission": Rule("8.2", AGENT, "Halt and Release need the local permission"),
    "permission-ignored": Rule("8.2", AGENT, "the local permission is not asked for"),
    "observing-needs-no-permission": Rule("8.2", AGENT, "observing does not need the local permission"),
    "permission-keeps-forces": Rule("8.2", AGENT, "forces stay when the local permission is withdrawn"),
    "permission-keeps-traps": Rule("8.2", AGENT, "traps stay when the local permission is withdrawn"),
    "permission-keeps-steps": Rule("8.2", AGENT, "steps go on when the local permission is withdrawn"),
    "withdrawal-ends-session": Rule("8.2", AGENT, "the session ends when the local permission is withdrawn"),
    "grant-never-expires": Rule("8.2", AGENT, "the grant does not expire"),
    "expired-may-observe": Rule("8.2", AGENT, "observing passes when the grant has expired"),
    "expiry-keeps-forces": Rule("8.2", AGENT, "forces stay when the grant expires"),
    "expiry-keeps-traps": Rule("8.2", AGENT, "traps stay when the grant expires"),
    "expiry-keeps-steps": Rule("8.2", AGENT, "steps go on when the grant expires"),
    "expiry-ends-session-at-once": Rule("8.2", AGENT, "the session ends with the grant, not 60 s later"),
    "expired-session-endless": Rule("8.2", AGENT, "the session does not end 60 s after the grant"),
    "observers-not-taken": Rule("8.2, README", AGENT, "a Hello without control is refused"),
    "observers-line-grants-all": Rule("8.2", AGENT, "the observers' line grants what the token grants"),
    "observers-get-stopped": Rule("8.2", AGENT, "Stopped goes to observers"),
    "observers-end-withdraws": Rule("8.2", AGENT, "the end of an observer's session withdraws forces and traps"),
    "all-of-channel-1-in-a-run": Rule("8.2", AGENT, "all commands of channel 1 are executed in one run"),
    "one-of-channel-0-a-run": Rule("8.2", AGENT, "one message of channel 0 in one run"),
    # Interlock
    "arm-not-asked": Rule("8.3", AGENT, "the interlock is not asked for traps"),
    "halt-not-asked": Rule("8.3", AGENT, "the interlock is not asked for Halt"),
    "force-not-asked": Rule("8.3", AGENT, "the interlock is not asked for Force"),
    "write-not-asked": Rule("8.3", AGENT, "the interlock is not asked for writes"),
    "resume-not-asked": Rule("8.3", AGENT, "the interlock is not asked for Resume (S6)"),
    "step-not-asked": Rule("8.3", AGENT, "the interlock is not asked when Step and StepRange begin (S6)"),
    "axis-not-asked": Rule("8.3", AGENT, "the interlock is not asked for SetAxis (S6)"),
    "hold-not-asked": Rule("8.3", AGENT, "the interlock is not asked to hold forces"),
    "keep-armed-not-asked": Rule("8.3", AGENT, "the interlock is not asked to keep traps armed"),
    "a-reaction-for-each": Rule(
        "8.3, 8.7", AGENT, "a reaction for forces and one for traps when neither may be held in the same run"
    ),
    "series-not-asked": Rule("8.3", AGENT, "the interlock is not asked before each step of a series"),
    # Halt, Resume, Step
    "halt-of-standing-refused": Rule("8.4", AGENT, "Halt of a program that stands is WrongState"),
    "halt-of-standing-stops": Rule("8.4", AGENT, "Halt of a program that stands brings a Stopped"),
    "halt-of-standing-asks": Rule("8.4, 8.3", AGENT, "Halt of a program that stands is refused by the interlock"),
    "writes-while-running": Rule(
        "8.4", AGENT, "WriteMemory and WriteRegister of a program that runs are not WrongState"
    ),
    "axis-needs-stand": Rule("8.4, README", AGENT, "SetAxis of a program that runs is WrongState, not Interlock"),
    "renew-busy": Rule("8.4", AGENT, "Renew is Busy while steps are under way"),
    "steps-before-commands": Rule("8.4", AGENT, "commands wait while steps are under way"),
    "range-is-one-step": Rule("8.4", AGENT, "StepRange makes one step"),
    "range-never-ends": Rule("8.4", AGENT, "StepRange does not end outside of the range"),
    "range-steps-into-calls": Rule("8.4", AGENT, "StepRange does not follow calls with `over`"),
    "steps-left-not-told": Rule("6.4", AGENT, "Status does not tell the steps that are left"),
    "axes-not-told": Rule("6.4, 8.4", AGENT, "Stopped does not tell whether the axes stand"),
    "axes-always-stand": Rule("6.4, 8.4", AGENT, "Stopped says that the axes stand, always"),
    # Breakpoints and policy
    "two-at-one-address": Rule("8.5", AGENT, "two breakpoints may be at one address (S11)"),
    "classes-share-addresses": Rule("8.5", AGENT, "a breakpoint and a watchpoint may not be at one address"),
    "hardware-is-a-class": Rule("8.5", AGENT, "breakpoints in hardware and in software may be at one address"),
    "clear-at-any-address": Rule("6.1, 6.6", AGENT, "an id can be cleared at any address"),
    "disabled-policy-forbids": Rule("8.5", AGENT, "a policy that is not enabled forbids, too"),
    "replaced-policy-not-named": Rule("8.5", AGENT, "a policy need not name the one that it replaces (S7)"),
    "policy-of-the-same-version": Rule("8.5", AGENT, "a policy may have the version of the one that it replaces"),
    "policy-must-be-newer": Rule("8.5", AGENT, "a policy must have a greater version (S7)"),
    # Memory
    "protected-accepted": Rule("8.6", AGENT, "a protected region is one like others, but for reading"),
    "protected-by-first-byte": Rule("8.6", AGENT, "only the first byte decides whether it is protected"),
    "protected-readable": Rule("8.6", AGENT, "a protected region can be read"),
    "side-effects-for-observers": Rule("8.6", AGENT, "a region with side effects is read without control"),
    "read-across-regions": Rule("8.6", AGENT, "ReadMemory goes on behind its region"),
    "map-not-checked": Rule("8.6", AGENT, "writes, forces and traps may be where there is no region"),
    "regions-crossed": Rule("8.6", AGENT, "what crosses the end of a region is not Unmapped"),
    "traps-anywhere": Rule("8.6", AGENT, "the map is not looked at for traps"),
    "write-not-modified": Rule("8.6", AGENT, "a write does not set modified"),
    "status-without-modified": Rule("8.6, 6.4", AGENT, "Status does not tell of modified"),
    "read-only-done": Rule("6.6, README", AGENT, "a write to a region with side effects is Done"),
    "variables-without-generation": Rule("6.4, 8.11", AGENT, "Variables has the generation 0"),
    "variables-from-ignored": Rule("6.3", AGENT, "ListVariables always begins with the first"),
    "map-from-ignored": Rule("6.3", AGENT, "ReadMap always begins with the first"),
    # Forces and taking back
    "forces-overlap": Rule("8.7", AGENT, "forces may overlap"),
    "renew-of-nothing": Rule("8.7, 6.6", AGENT, "Renew of what is not forced is Done"),
    "renew-adds": Rule("8.7", AGENT, "Renew adds to the lease, in place of a new one from now on"),
    "renew-ignored": Rule("8.7", AGENT, "Renew does nothing"),
    "safe-not-replaced": Rule("8.7", AGENT, "forcing again keeps the old safe value"),
    "safe-value-not-written": Rule("8.7", AGENT, "a safe value is not written"),
    "lease-ends-late": Rule("8.7", AGENT, "leases end a second late"),
    "one-lease-ends-all": Rule("8.7", AGENT, "the end of one lease ends all forces"),
    "no-stop-reaction": Rule("8.7", AGENT, "there is no stop reaction"),
    "no-reaction-when-asked": Rule("8.7", AGENT, "a session that ends with reason 1 has no stop reaction"),
    "no-reaction-for-leases": Rule("8.7", AGENT, "the end of a lease has no stop reaction"),
    "reaction-after-forces": Rule("8.7", AGENT, "the stop reaction comes after forces"),
    "reaction-always": Rule("8.7", AGENT, "the stop reaction comes though nothing is held"),
    "reaction-twice": Rule("8.7", AGENT, "the stop reaction comes twice"),
    "reaction-at-release": Rule("8.7", AGENT, "Release brings the stop reaction"),
    "traps-before-forces": Rule("8.7", AGENT, "traps are cleared before forces end"),
    "failed-release-forgotten": Rule("8.7", AGENT, "a force that could not be taken back is forgotten"),
    "fail-safe-not-triggered": Rule("8.7", AGENT, "the fail-safe is not triggered"),
    "fail-safe-at-every-run": Rule("8.7", AGENT, "the fail-safe is triggered at every run"),
    "stuck-not-counted": Rule("8.7, 6.4", AGENT, "Status and State do not count what is stuck"),
    "stuck-refuses-nothing": Rule("8.7, 8.1", AGENT, "commands are executed while something is stuck"),
    "stuck-refuses-clear": Rule("8.7", AGENT, "ClearBreakpoint is refused while something is stuck"),
    "stuck-without-value": Rule("6.5", AGENT, "the record of what is stuck has the value 0"),
    "stuck-not-tried-again": Rule("8.7", AGENT, "what is stuck is not tried again"),
    "stuck-not-recorded": Rule("8.7, 6.5", AGENT, "what is stuck is not recorded"),
    "stuck-recorded-at-every-run": Rule("8.7", AGENT, "what is stuck is recorded at every run"),
    "stop-without-session-ignored": Rule("8.7", AGENT, "a stop without a session is ignored"),
    "stop-without-session-no-reaction": Rule("8.7", AGENT, "a stop without a session gets no stop reaction"),
    "stop-without-session-not-recorded": Rule("8.7, 6.5", AGENT, "a stop without a session is not recorded"),
    "status-without-last": Rule("6.4", AGENT, "Status does not tell the last reason"),
    # Audit
    "refusal-not-recorded": Rule("8.8", AGENT, "refusals are not recorded (S7)"),
    "refusal-not-marked": Rule("6.5, 8.8", AGENT, "a refusal's cause is 0"),
    "refusal-not-recorded-denied": Rule("8.8", AGENT, "Denied is not recorded"),
    "refusal-not-recorded-interlock": Rule("8.8", AGENT, "Interlock is not recorded"),
    "refusal-not-recorded-wrong-device": Rule("8.8", AGENT, "WrongDevice is not recorded"),
    "refusal-not-recorded-stale": Rule("8.8", AGENT, "Stale is not recorded"),
    "refusal-not-recorded-disordered": Rule("8.8", AGENT, "Disordered is not recorded"),
    "refusal-not-recorded-unexpected": Rule("8.8", AGENT, "Unexpected is not recorded"),
    "refusal-not-recorded-busy": Rule("8.8", AGENT, "Busy is not recorded"),
    "refusal-not-recorded-wrong-state": Rule("8.8", AGENT, "WrongState is not recorded"),
    "refusal-not-recorded-policy": Rule("8.8", AGENT, "Policy is not recorded"),
    "refusal-not-recorded-protected": Rule("8.8", AGENT, "Protected is not recorded"),
    "refusal-not-recorded-unmapped": Rule("8.8", AGENT, "Unmapped by the map is not recorded"),
    "refusal-not-recorded-duplicate-id": Rule("8.8", AGENT, "DuplicateId is not recorded"),
    "refusal-not-recorded-unknown-id": Rule("8.8", AGENT, "UnknownId is not recorded"),
    "refusal-not-recorded-no-slot": Rule("8.8", AGENT, "NoSlot is not recorded"),
    "refusal-not-recorded-audit-full": Rule("8.8", AGENT, "AuditFull is not recorded"),
    "refusal-not-recorded-audit-mismatch": Rule("8.8", AGENT, "AuditMismatch is not recorded"),
    "reads-refused-not-recorded": Rule(
        "8.8", AGENT, "Denied and Protected of commands that touch nothing are not recorded"
    ),
    "all-refusals-recorded": Rule("8.8", AGENT, "every refusal of commands that touch nothing is recorded"),
    "malformed-recorded": Rule("8.8, 8.1", AGENT, "what fails before check 3 is recorded"),
    "refusals-not-coalesced": Rule("8.8", AGENT, "equal refusals are recorded singly"),
    "refusals-coalesce-by-kind": Rule(
        "8.8", AGENT, "refusals of one kind and verdict count as equal, whatever the address"
    ),
    "refusals-fill-the-log": Rule("8.8", AGENT, "refusals take all of the log"),
    "new-refusals-dropped": Rule("8.8", AGENT, "new refusals do not take the place of the oldest"),
    "lost-refusals-not-counted": Rule("8.8", AGENT, "refusals that were overwritten are not counted as lost"),
    "lost-events-not-counted": Rule("8.8", AGENT, "events that found no room are not counted as lost"),
    "lost-not-counted": Rule("8.8", AGENT, "a Halt that found no room is not counted as lost"),
    "full-log-stops-all": Rule("8.8, 8.2", AGENT, "a full log refuses Halt and Release, too"),
    "reading-releases": Rule("8.8", AGENT, "reading releases (S7)"),
    "release-audit-not-recorded": Rule("8.8", AGENT, "ReleaseAudit is not recorded"),
    "release-audit-needs-room-first": Rule("8.8", AGENT, "ReleaseAudit is refused when the log is full"),
    "release-makes-no-room": Rule("8.8", AGENT, "ReleaseAudit makes no room"),
    "release-of-all": Rule("8.8", AGENT, "ReleaseAudit releases all"),
    "release-includes-upto": Rule("8.8, 6.3", AGENT, "ReleaseAudit releases the record that it names, too"),
    "release-of-nothing": Rule("8.8, 6.6", AGENT, "ReleaseAudit may name records that are not there"),
    "release-of-the-future": Rule("8.8, 6.6", AGENT, "ReleaseAudit may name an index that has not come yet"),
    "refusals-prove": Rule("8.8, 6.3", AGENT, "ReleaseAudit's CRC may be that of a refusal"),
    "release-without-proof": Rule("8.8", AGENT, "ReleaseAudit may have any CRC"),
    "force-without-room-for-its-end": Rule("8.8", AGENT, "Force does not need room for the ends of forces"),
    "halt-takes-the-room-for-ends": Rule("8.8", AGENT, "Halt and Release take the room for the ends of forces"),
    "late-end-of-a-session": Rule("8.8", AGENT, "what is taken back at a later try is recorded as of the session"),
    "observers-outlive-programs": Rule("8.11", AGENT, "a change of the program leaves observers' sessions alone"),
    "room-for-ends-not-kept": Rule("8.8", AGENT, "other commands take the room that the ends of forces need"),
    "end-not-recorded": Rule("8.8, 6.5", AGENT, "the ends of forces are not recorded"),
    "release-recorded-twice": Rule("8.8, 6.5", AGENT, "Release is recorded as a force's end, too"),
    "cause-not-recorded": Rule("6.5, 8.7", AGENT, "the causes of events are 0"),
    "renewals-not-counted": Rule("6.5, 8.8", AGENT, "a force's end does not count the renewals"),
    "renewals-recorded": Rule("8.8", AGENT, "renewals are recorded"),
    "session-end-not-recorded": Rule("8.8, 6.5", AGENT, "the end of a session is not recorded"),
    "every-end-recorded": Rule("8.8, 6.5", AGENT, "the end of a session without control is recorded, too"),
    "record-uptime-in-s": Rule("6.5", AGENT, "records have the uptime in s"),
    "record-value-padded-in-front": Rule("6.5", AGENT, "a forced value is padded in front"),
    "audit-falling-order": Rule("6.4", AGENT, "records come in falling order"),
    # Stalls, clocks, generation, recovery
    "stall-ignored": Rule("8.9", AGENT, "forces outlive a stall"),
    "no-watchdog": Rule("8.9", AGENT, "what applies forces does not drop them by itself"),
    "clock-steps-back": Rule("8.10", AGENT, "a step back of the clock makes time go back"),
    "no-step-back-tolerated": Rule("8.10", AGENT, "any step back of the clock ends the session"),
    "step-back-ignored": Rule("8.10", AGENT, "no step back of the clock ends the session"),
    "limping-clock-ignored": Rule("8.10", AGENT, "only runs in a row count for a clock that stands still"),
    "frozen-clock-ignored": Rule("8.10", AGENT, "a clock that stands still does not end the session"),
    "generation-change-ignored": Rule("8.11", AGENT, "another generation does not end the session"),
    "generation-not-checked": Rule("8.11, 8.1", AGENT, "another generation refuses no command"),
    "changed-program-refuses-halt": Rule("8.11, 8.1", AGENT, "another generation refuses a Halt, too"),
    "recovery-not-awaited": Rule("8.12", AGENT, "recovery that fails counts as one"),
    "uptime-in-ms": Rule("6.4, 8.13", AGENT, "Status tells the uptime in ms"),
    "link-metrics-without-link": Rule("8.13", AGENT, "metrics of packets are there on a byte stream"),
    "wide-register-value-accepted": Rule(
        "8.1", AGENT, "WriteRegister takes a value that does not fit into the register"
    ),
    "policy-outlives-reset": Rule("8.12, 8.5", AGENT, "a policy outlives a reset"),
    "series-starves-answers": Rule("8.4", AGENT, "steps go on though a command or an answer waits on channel 1"),
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
    preset = os.environ.get("RDP3_BREAK", "")
    parser.add_argument("--break", dest="broken", default=preset, metavar="NAME", help="break a rule (rdp3.rules)")


def main() -> None:
    """Lists the rules: name, section, side, what happens instead."""
    for name, rule in RULES.items():
        print(name, rule.section, rule.side, rule.instead, sep="\t")


if __name__ == "__main__":
    main()
