"""The firmware in the emulator, as a debugger sees it.

    firmware_test.py ELF HOST_TOOL
"""

import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time

import firmware_model as model
from firmware_client import HERE, SIGNAL, Client, Emulator
from firmware_lines import Lines
from rdp3.frames import Code, Kind, Reason, Run

STEPS = 1220
FIRST_STEPS = 20
LOOP_STACK = "__machine_stack_end"
STAND = 0.3
"""Seconds after which the axes stand, once the program does."""
HOLD = 1
"""The feed hold, in the inputs."""
FORCEABLE = ["feed_override", "spindle_override", "gain", "velocity_limit", "coolant"]


STANDS, MOVES = 1, 2
"""Whether the axes stand, as Stopped says it."""
FEED_HOLD = 2
"""What Halt, a trap and the loss of the session do, as Welcome says it."""


class Cause:
    """Why a force has ended, or a session (SPEC sections 5.8 and 8.7)."""

    HOST_LOST, LEASE, INTERLOCK, PERMISSION, STALL = 2, 17, 18, 19, 21


class Machine:
    """Places in `MACHINE` of examples/firmware/src/state.rs."""

    SIZE = 120
    CYCLE, TIME, BLOCK = 0, 4, 8
    AXES, AXIS = 12, 20
    """position, setpoint, following error, velocity, from"""
    SPEED = 72
    PLC = 80


def symbols(elf):
    lines = subprocess.run(["arm-none-eabi-nm", elf], check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: int(addr, 16) for addr, _, name in (line.split() for line in lines if len(line.split()) == 3)}


def calls_of(elf, name):
    """The addresses behind the calls of a function."""
    command = ["arm-none-eabi-objdump", "-d", "-j", ".machine", elf]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [int(addr, 16) + 4 for addr in re.findall(rf"^([0-9a-f]+):.*\tbl\t[0-9a-f]+ <{name}>", text, re.M)]


def word(memory, at, signed=True):
    return int.from_bytes(memory[at : at + 4], "little", signed=signed)


class Test(Lines):
    def __init__(self, elf, tool):
        self.elf = elf
        self.tool = tool
        self.symbols = symbols(elf)
        self.machine = self.symbols["MACHINE"]
        self.axis_update = self.symbols["axis_update"]
        self.calls = calls_of(elf, "axis_update")
        self.emulator = Emulator(self.symbols)

    def client(self, **options):
        return Client(self.emulator, **options)

    def variables(self, client):
        return client.read(self.machine, Machine.SIZE)

    def plc(self, client, register):
        return client.ask(Kind.READ_PLC, first=register, count=1)["registers"][0]["value"]

    # --- (a), (b), (d)

    def breakpoint(self):
        """A breakpoint in the loop; what the registers hold there; 20 steps, and more; going on; the log."""
        with self.client() as client:
            first = client.ask(Kind.GET_STATUS)
            assert first["run"] == Run.RUNNING and first["breakpoints"] == 0
            self.key(b"s")
            client.sleep(0.1)
            client.ask(Kind.SET_BREAKPOINT, addr=self.axis_update, id=7)
            stop = client.stopped()
            assert (stop["reason"], stop["detail"]) == (Reason.BREAKPOINT, 7), stop
            axis = self.check_registers(client, list(stop["registers"].values()))
            # It is met again and again, and each time it is the next axis.
            for _ in range(4):
                self.resume(client)
                stop = client.stopped()
                following = self.check_registers(client, client.registers())
                assert following == (axis + 1) % 3, f"axis {following} behind axis {axis}"
                axis = following
            assert client.ask(Kind.LIST_BREAKPOINTS, addr=0, id=0)["breakpoints"][0]["hits"] == 5
            state = self.state(client)
            client.sleep(STAND)
            pcs = self.steps(client)
            registers = client.registers()
            client.ask(Kind.CLEAR_BREAKPOINT, addr=0, id=7)
            before = word(self.variables(client), Machine.CYCLE)
            self.resume(client)
            client.ask(Kind.RESUME, error=Code.WRONG_STATE)
            client.sleep(0.1)
            assert word(self.variables(client), Machine.CYCLE) > before, "it does not run"
            assert not client.host.stopped
            records = client.check_audit()
            client.bye()
        # That takes longer than a session keeps without a host.
        self.check_trace(state, pcs, registers)
        return f"{STEPS} steps as GDB's, {len(records)} records in the log"

    def check_registers(self, client, registers):
        """Whether the registers at `axis_update` are what the loop must have there.

        The function is called once for each axis in each cycle, by the AAPCS: r0 is the axis, r1 where it stands, r2
        where it shall be, lr where it was called from. Which cycle that is, the variable `cycle` says, which the loop
        counts up when a cycle begins. The model calculates from the number of the cycle alone, without looking at
        anything else in the machine.
        """
        memory = self.variables(client)
        cycle = word(memory, Machine.CYCLE, signed=False)
        expected = model.cycle(cycle)
        axis, position, setpoint, *_ = registers
        sp, lr, pc = registers[13:16]
        assert pc == self.axis_update, f"pc {pc:#x}"
        assert axis in range(3)
        signed = [value - (1 << 32) if value >> 31 else value for value in (position, setpoint)]
        want = [expected.before[axis], expected.setpoints[axis]]
        assert signed == want, f"cycle {cycle}, axis {axis}: {signed}, but the loop must have {want}"
        assert lr & 1 and lr - 1 in self.calls, f"lr {lr:#x}"
        assert self.symbols["__machine_stack_start"] < sp < self.symbols[LOOP_STACK] and sp % 8 == 0
        # The axes before this one have been moved in this cycle, the others in the last one.
        before = model.cycle(cycle - 1)
        for number in range(3):
            at = Machine.AXES + number * Machine.AXIS
            held = word(memory, at), word(memory, at + 4)
            source = expected if number < axis else before
            assert held == (source.after[number], source.setpoints[number]), f"axis {number}: {held}"
        blocks, done = divmod(cycle, model.CYCLES_A_BLOCK)
        assert word(memory, Machine.BLOCK) == blocks % len(model.BLOCKS)
        assert word(memory, Machine.TIME) == done * 100
        return axis

    def state(self, client):
        """All that what comes next depends on."""
        registers = client.registers()
        sp, end = registers[13], self.symbols[LOOP_STACK]
        memory = [(self.machine, self.variables(client)), (sp, client.read(sp, end - sp))]
        return {"registers": registers, "memory": [(addr, data.hex()) for addr, data in memory]}

    def steps(self, client):
        """Program counters: of the last of 20 steps, then of each one."""
        client.ask(Kind.STEP, count=FIRST_STEPS, trace=0)
        stop = client.stopped()
        assert (stop["reason"], stop["more"]) == (Reason.STEP, 0)
        pcs = [stop["registers"][client.arch.pc]]
        begin = time.monotonic()
        count = STEPS - FIRST_STEPS
        client.ask(Kind.STEP, count=count, trace=1)
        client.ask(Kind.STEP, error=Code.BUSY, count=1, trace=1)
        for number in range(count):
            stop = client.stopped()
            assert (stop["reason"], stop["more"]) == (Reason.STEP, number < count - 1), (number, stop)
            pcs.append(stop["registers"][client.arch.pc])
        print(f"    {count / (time.monotonic() - begin):.0f} steps a second, each told", flush=True)
        return pcs

    def check_trace(self, state, pcs, registers):
        """GDB goes through the same program counters, on the emulator's own stub and without the agent's help, and
        ends with the same registers."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(state, file)
            file.flush()
            script = os.path.join(HERE, "firmware_trace.sh")
            command = ["bash", script, self.elf, "axis_update", "1", str(STEPS), file.name]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        first, *oracle, last = output.splitlines()
        assert [int(value, 16) for value in first.split()] == state["registers"], "GDB has not begun where it should"
        oracle = [int(pc, 16) for pc in oracle]
        assert len(oracle) == STEPS
        wrong = [n for n, pc in enumerate(pcs, FIRST_STEPS - 1) if oracle[n] != pc]
        if wrong:
            n = wrong[0]
            raise AssertionError(f"step {n} goes to {pcs[n - FIRST_STEPS + 1]:#x}, GDB's to {oracle[n]:#x}")
        final = [int(value, 16) for value in last.split()]
        assert registers == final, f"{registers} are not GDB's {final}"
        self.check_instructions(set(oracle))

    def check_instructions(self, addresses):
        """What is hard to step has been stepped."""
        command = ["arm-none-eabi-objdump", "-d", "-j", ".machine", self.elf]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        lines = re.finditer(r"^([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", text, re.M)
        done = [line[2] for line in lines if int(line[1], 16) in addresses]
        for wanted in (r"it[te]*\t", r"tb[bh]\t", r"(pop|ldmia).*pc}", r"bl\t", r"cbn?z\t", r"bx\tlr"):
            assert any(re.match(wanted, line) for line in done), f"no {wanted} among what was stepped"

    # --- (c)

    def moving(self):
        """A program that is stopped while the axes move: what stops them, and when it may go on."""
        with self.client() as client:
            welcome = client.host.welcome
            assert [welcome[what] for what in ("halt", "trap", "end")] == [FEED_HOLD] * 3
            stop = self.stop_moving(client, client.halt)
            assert stop["reason"] == Reason.HALTED
            # The drives need some time for it, and until then nobody may go on.
            client.ask(Kind.RESUME, error=Code.INTERLOCK)
            client.sleep(STAND)
            at = self.positions(client)
            client.sleep(0.2)
            assert self.positions(client) == at, "the axes move, and the program stands"
            # They stand, but somebody may be at them.
            self.key(b"o")
            client.sleep(0.05)
            client.ask(Kind.RESUME, error=Code.INTERLOCK)
            client.ask(Kind.STEP, error=Code.INTERLOCK, count=1, trace=0)
            self.key(b"c")
            client.sleep(0.05)
            client.ask(Kind.RESUME)

            def trap():
                client.ask(Kind.SET_BREAKPOINT, addr=self.symbols["plc_scan"], id=3)
                return client.stopped()

            stop = self.stop_moving(client, trap, lambda: client.ask(Kind.CLEAR_BREAKPOINT, addr=0, id=3))
            assert (stop["reason"], stop["detail"]) == (Reason.BREAKPOINT, 3)
            client.ask(Kind.CLEAR_BREAKPOINT, addr=0, id=3)
            client.ask(Kind.RESUME, error=Code.INTERLOCK)
            self.resume(client)
            client.sleep(0.2)
            assert self.positions(client) != at
            client.check_audit()
            client.bye()

    def stop_moving(self, client, stop, go_on=lambda: None):
        """Stops until that is while the axes move, which they mostly do."""
        for _ in range(20):
            stopped = stop()
            if stopped["axes"] == MOVES:
                return stopped
            assert stopped["axes"] == STANDS, stopped
            go_on()
            self.resume(client)
            client.sleep(0.12)
        raise AssertionError("the axes never move")

    @staticmethod
    def resume(client):
        """Goes on, once the axes stand."""
        client.sleep(STAND)
        client.ask(Kind.RESUME)

    @staticmethod
    def positions(client):
        """Where the drives say that the axes are."""
        return [row["position"] for row in client.ask(Kind.READ_AXES)["axes"]]

    def forces(self):
        """Variables by name; the interlock, what a force does, and how it ends."""
        with self.client() as client:
            variables = client.variables()
            feed, coolant = variables["feed_override"]["addr"], variables["coolant"]["addr"]
            assert [name for name, row in variables.items() if row["flags"] & 1] == FORCEABLE
            self.key(b"r")
            client.sleep(0.1)
            client.force(feed, 50, 5000, error=Code.INTERLOCK)
            self.key(b"ho")
            self.still(client)
            # The feed is held, but the door is open.
            client.force(feed, 50, 5000, error=Code.INTERLOCK)
            self.key(b"c")
            client.sleep(0.05)
            client.force(variables["cycle"]["addr"], 50, 5000, error=Code.READ_ONLY)
            client.force(self.symbols["PANEL_INPUTS"], 1, 5000, error=Code.PROTECTED)
            client.force(feed, 50, 5000, error=Code.WRONG_DEVICE, fingerprint=b"another machine!")
            # The loop calculates the coolant in every cycle, to be off while the spindle stands. Forced, the output
            # goes on.
            assert self.plc(client, 1) & 2 == 0
            client.force(coolant, 1, 600)
            client.sleep(0.05)
            assert self.plc(client, 1) & 2, "the output does not show the force"
            client.force(feed, 50, 60_000)
            client.sleep(0.02)
            assert self.value(client, feed) == 50
            assert client.ask(Kind.GET_STATUS)["forces"] == 2
            # One lease ends, the other does not.
            client.sleep(0.8)
            assert self.plc(client, 1) & 2 == 0, "the lease has ended, the force has not"
            assert client.ask(Kind.GET_STATUS)["forces"] == 1
            # The loop goes half as fast now: every cycle takes the time on by 50 instead of 100.
            self.key(b"r")
            client.sleep(0.1)
            assert self.plc(client, 4) == 50
            times = set()
            for _ in range(40):
                times.add(word(self.variables(client), Machine.TIME) % 100)
            assert times == {0, 50}, times
            client.force(feed, 80, 5000, error=Code.INTERLOCK)
            client.release(feed)
            client.sleep(0.05)
            assert self.plc(client, 4) == 100
            client.check_audit(Cause.LEASE)
            client.bye()

    def ends(self):
        """What else ends a force: an open door, the mode selector, an agent that stands still. First the feed is
        held."""
        with self.client() as client:
            feed = client.variables()["feed_override"]["addr"]
            for keys, undo, cause, value in ((b"o", b"c", Cause.INTERLOCK, 70), (b"a", b"u", Cause.PERMISSION, 100)):
                self.key(b"h")
                self.still(client)
                client.force(feed, 60, 60_000, safe=70 if value == 70 else None)
                self.key(b"r")
                client.sleep(0.1)
                assert (self.value(client, feed), self.inputs(client) & HOLD) == (60, 0)
                self.key(keys)
                client.sleep(0.1)
                assert (self.value(client, feed), self.inputs(client) & HOLD) == (value, HOLD), cause
                error = Code.DENIED if cause == Cause.PERMISSION else Code.INTERLOCK
                client.force(feed, 60, 60_000, error=error)
                self.key(undo)
                client.sleep(STAND)
                client.write(feed, bytes([100, 0, 0, 0]), error=Code.WRONG_STATE)
                stop = client.halt()
                assert stop["axes"] == STANDS
                client.write(feed, bytes([100, 0, 0, 0]))
                client.ask(Kind.RESUME)
            client.check_audit(Cause.INTERLOCK, Cause.PERMISSION)
            # The agent stands still for a second. What applies the forces does not wait for it.
            self.still(client)
            client.force(feed, 60, 60_000, safe=80)
            client.sleep(0.1)
            self.key(b"z")
            begin = time.monotonic()
            while self.seen(feed) == 60:
                assert time.monotonic() < begin + 0.9, "the agent stands still, and the force is there"
                time.sleep(0.02)
            late = time.monotonic() - begin
            assert self.seen(feed) == 80
            client.sleep(1.2)
            assert client.ask(Kind.GET_STATUS)["forces"] == 0
            client.check_audit(Cause.STALL)
            client.halt()
            client.write(feed, bytes([100, 0, 0, 0]))
            client.ask(Kind.RESUME)
            client.bye()
        return f"without the agent a force has ended after {late * 1000:.0f} ms"

    def inside(self):
        """A force that ends while the program stands in the midst of what applies it."""
        with self.client() as client:
            feed = client.variables()["feed_override"]["addr"]
            inside = range(self.symbols["__machine_forces"], self.symbols["__machine_code_end"])
            for steps in (1, 6, 11, 16):
                self.still(client)
                client.ask(Kind.SET_BREAKPOINT, addr=self.symbols["control_cycle"], id=4)
                client.stopped()
                client.force(feed, 60, 60_000)
                assert self.value(client, feed) == 60
                while client.registers()[client.arch.pc] not in inside:
                    client.ask(Kind.STEP, count=1, trace=0)
                    client.stopped()
                client.ask(Kind.STEP, count=steps, trace=0)
                assert client.stopped()["registers"][client.arch.pc] in inside
                client.release(feed)
                assert self.value(client, feed) == 100
                client.ask(Kind.CLEAR_BREAKPOINT, addr=0, id=4)
                client.ask(Kind.RESUME)
                client.sleep(0.1)
                assert self.value(client, feed) == self.plc(client, 4) == 100
                client.audit()
            client.bye()

    def value(self, client, addr):
        return int.from_bytes(client.read(addr, 4), "little", signed=True)

    def inputs(self, client):
        return self.plc(client, 0)

    def seen(self, addr):
        """A variable, as the emulator has it."""
        return int.from_bytes(self.emulator.memory(addr, 4), "little", signed=True)

    def key(self, keys):
        self.emulator.panel.sendall(keys)

    def still(self, client):
        """The feed is held, and after some time nothing moves: the spindle takes longest."""
        self.key(b"h")
        client.sleep(0.4)

    def changes(self):
        """What is written: variables, registers, and what may not be."""
        with self.client() as client:
            variables = client.variables()
            gain = variables["gain"]["addr"]
            self.still(client)
            client.write(gain, bytes([9, 0, 0, 0]), error=Code.WRONG_STATE)
            assert client.halt()["axes"] == STANDS
            client.write(gain, bytes([9, 0, 0, 0]))
            assert self.value(client, gain) == 9
            client.write(gain, bytes([8, 0, 0, 0]))
            assert client.ask(Kind.GET_STATUS)["modified"] == 1
            # The code may have traps in it. The flash, the interlock's inputs, what applies forces and the agent's
            # stack are nobody's.
            client.write(self.axis_update & ~1, bytes(2), error=Code.READ_ONLY)
            for addr in (0x400, self.symbols["PANEL_INPUTS"], self.symbols["apply_forces"] & ~1, 0x2000_FF00):
                client.write(addr, bytes(2), error=Code.PROTECTED)
                client.ask(Kind.READ_MEMORY, error=Code.PROTECTED, addr=addr, length=4)
                client.ask(Kind.SET_BREAKPOINT, error=Code.PROTECTED, addr=addr, id=1)
            client.write(0x1000_0000, bytes(2), error=Code.UNMAPPED)
            registers = client.registers()
            client.ask(Kind.WRITE_REGISTER, register=12, value=0x1234_5678, **client.device)
            assert client.registers() == registers[:12] + [0x1234_5678] + registers[13:]
            client.ask(Kind.WRITE_REGISTER, register=12, value=registers[12], **client.device)
            client.ask(Kind.WRITE_REGISTER, error=Code.READ_ONLY, register=13, value=0x2000_0000, **client.device)
            client.ask(Kind.WRITE_REGISTER, error=Code.UNMAPPED, register=15, value=0x400, **client.device)
            client.ask(Kind.SET_AXIS, axis=2, position=5, **client.device)
            assert self.positions(client)[2] == 5
            self.key(b"r")
            self.resume(client)
            client.sleep(0.1)
            client.check_audit()
            client.bye()

    # --- (e)

    def authority(self):
        """Who may only look; who may nothing."""
        with self.client(token=b"look") as client:
            assert client.host.welcome["authority"] == 1
            client.ask(Kind.HALT, error=Code.DENIED)
            client.force(self.machine, 1, 1, error=Code.DENIED)
            assert client.ask(Kind.GET_STATUS)["run"] == Run.RUNNING
            client.bye()
        with self.client(token=b"guess") as client:
            assert client.host.closed and "BAD_TOKEN" in client.host.closed.why, client.host.closed

    def silence(self):
        """A host that falls silent: the feed is held, nothing of the session is left, and the program stands as it
        stood."""
        with self.client() as client:
            feed = client.variables()["feed_override"]["addr"]
            self.still(client)
            client.force(feed, 30, 60_000)
            stop = client.halt()
            assert (stop["reason"], stop["axes"]) == (Reason.HALTED, STANDS)
            client.ask(Kind.HALT)
            client.ask(Kind.SET_SOFTWARE_BREAKPOINT, addr=self.axis_update, id=1)
            client.ask(Kind.SET_BREAKPOINT, error=Code.DUPLICATE_ID, addr=self.axis_update, id=2)
            client.ask(Kind.SET_HARDWARE_BREAKPOINT, error=Code.UNSUPPORTED, addr=self.axis_update + 4, id=2)
            # It answers while it stands, and everything stands.
            memory = self.variables(client)
            client.sleep(0.3)
            assert self.variables(client) == memory
            status = client.ask(Kind.GET_STATUS)
            wanted = {"run": Run.STOPPED, "breakpoints": 1, "forces": 1, "stuck": 0, "last": Reason.HALTED}
            assert {key: status[key] for key in wanted} == wanted, status
            assert client.read(self.axis_update, 16) == self.code(16), "the trap shows"
            client.check_audit()
            self.key(b"r")
            # Nothing is sent from here on. After 3 s the agent gives the host up, and says so to whom it may concern.
            line, late, end = client.lanes[SIGNAL].socket, b"", time.monotonic() + 3.7
            while (left := end - time.monotonic()) > 0:
                if select.select([line], [], [], left)[0]:
                    late += line.recv(4096)
            client.late(late)
            client.wait(lambda: client.host.closed, "goodbye")
            assert client.host.closed.reason == Cause.HOST_LOST, client.host.closed
            assert "the agent has ended" in client.host.closed.why, client.host.closed
        with self.client() as client:
            state = client.host.state
            ended = [row["addr"] for row in state["ended"]]
            assert (state["run"], state["cause"], ended) == (Run.STOPPED, Cause.HOST_LOST, [feed]), state
            status = client.ask(Kind.GET_STATUS)
            assert (status["run"], status["breakpoints"], status["forces"]) == (Run.STOPPED, 0, 0)
            assert self.value(client, feed) == 100, "the session has ended, its force has not"
            client.ask(Kind.RESUME)
            client.sleep(0.2)
            assert self.inputs(client) & HOLD, "the feed is not held"
            self.key(b"r")
            client.sleep(0.2)
            runs = client.ask(Kind.GET_STATUS)["run"] == Run.RUNNING
            assert runs and not client.host.stopped, "the breakpoint is still there"
            client.check_audit()
            client.bye()

    def code(self, length):
        """What lies at `axis_update`, as it was linked."""
        with tempfile.NamedTemporaryFile() as file:
            command = ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".machine", self.elf, file.name]
            subprocess.run(command, check=True)
            at = self.axis_update - self.symbols["__machine_start"]
            return file.read()[at : at + length]

    # --- (f)

    def reset(self):
        """The board is reset under the host's hands, and under a force: nothing of it is left, and nothing moves."""
        nonces, boots, used = set(), [], 0
        for _ in range(3):
            with self.client() as client:
                self.greeted(client, nonces, boots)
                used = max(used, self.emulator.stack_used())
                feed = client.variables()["feed_override"]["addr"]
                self.key(b"s")
                client.sleep(0.2)
                assert word(self.variables(client), Machine.CYCLE), "the cycle does not start"
                self.still(client)
                client.force(feed, 40, 60_000)
                client.sleep(0.05)
                assert self.value(client, feed) == 40
                client.halt()
                client.ask(Kind.SET_BREAKPOINT, addr=self.axis_update, id=1)
                begin = time.monotonic()
                self.emulator.reset()
                client.wait(lambda: client.host.closed, "end of the session")
                assert "reset the connection" in client.host.closed.why, client.host.closed
                late = time.monotonic() - begin
            with self.client() as client:
                self.greeted(client, nonces, boots)
                state = client.host.state
                told = [state[what] for what in ("last", "modified", "cause", "ended")]
                assert told == [Reason.RESET, 0, 0, []], state
                assert client.ask(Kind.GET_STATUS) | {"request": 0, "uptime": 0} == {
                    "request": 0,
                    "run": Run.RUNNING,
                    "breakpoints": 0,
                    "forces": 0,
                    "steps": 0,
                    "policy": 0,
                    "enabled": 0,
                    "modified": 0,
                    "stuck": 0,
                    "last": Reason.RESET,
                    "uptime": 0,
                }
                assert self.value(client, feed) == 100
                # Nobody has started the cycle.
                client.sleep(0.2)
                assert word(self.variables(client), Machine.CYCLE) == 0
                assert self.positions(client) == [row["position"] for row in state["axes"]] == [0, 0, 0]
                assert client.read(self.axis_update, 16) == self.code(16)
                client.bye()
        assert len(nonces) == 6, "a nonce has come again"
        assert [boot - boots[0] for boot in boots] == [0, 1, 1, 2, 2, 3], boots
        return f"told after {late * 1000:.0f} ms; the agent has used {used} bytes of its stack"

    @staticmethod
    def greeted(client, nonces, boots):
        nonces.add(client.host.welcome["device_nonce"])
        boots.append(client.host.welcome["boot"])


def main(elf, tool):
    test = Test(elf, tool)
    parts = (
        test.breakpoint,
        test.moving,
        test.forces,
        test.ends,
        test.inside,
        test.changes,
        test.authority,
        test.silence,
        test.bulk,
        test.host_tool,
        test.reset,
    )
    try:
        for part in parts:
            begin = time.monotonic()
            said = part()
            print(f"{part.__name__}: {time.monotonic() - begin:.1f} s{f'; {said}' if said else ''}", flush=True)
    finally:
        test.emulator.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
