"""The firmware in the emulator, as a debugger sees it.

    firmware_test.py ELF HOST_TOOL
"""

import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

import firmware_model as model
from firmware_client import BULK, HERE, SIGNAL, Client, Emulator, now
from rdp3.frames import Code, Kind, Reason, Run

STEPS = 1220
FIRST_STEPS = 20
LOOP_STACK = "__machine_stack_end"


class Machine:
    """Places in `MACHINE` of examples/firmware/src/axis.rs."""

    SIZE = 168
    CYCLE, TIME, BLOCK = 0, 4, 8
    AXES, AXIS = 12, 20
    """position, setpoint, following error, velocity, from"""
    SPEED = 72
    PLC = 80
    VARIABLES = 100
    FEED_OVERRIDE, COOLANT = VARIABLES, VARIABLES + 16
    FORCED = 132


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


def flip(data):
    """Turns a bit in every fortieth byte."""
    return bytes(byte ^ 0x10 if at % 40 == 20 else byte for at, byte in enumerate(data))


def cut(_):
    """Nothing gets through."""
    return b""


class Proxy:
    """A bulk lane with noise from the board to the host: `noisy` beside `bulk`."""

    def __init__(self, emulator, noise):
        self._path = os.path.join(emulator.folder.name, "noisy")
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(self._path)
        self._server.listen()
        self._board = emulator.connect("bulk")
        self._noise = noise
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._thread.join()
        os.unlink(self._path)

    def _run(self):
        host, _ = self._server.accept()
        with self._server, self._board, host:
            while True:
                ready, _, _ = select.select([host, self._board], [], [])
                if host in ready:
                    if not (data := host.recv(4096)):
                        return
                    self._board.sendall(data)
                if self._board in ready:
                    host.sendall(self._noise(self._board.recv(4096)))


class Test:
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
            client.ask(Kind.SET_BREAKPOINT, addr=self.axis_update, id=7)
            stop = client.stopped()
            assert (stop["reason"], stop["detail"]) == (Reason.BREAKPOINT, 7), stop
            axis = self.check_registers(client, list(stop["registers"].values()))
            # It is met again and again, and each time it is the next axis.
            for _ in range(4):
                client.ask(Kind.RESUME)
                stop = client.stopped()
                following = self.check_registers(client, client.registers())
                assert following == (axis + 1) % 3, f"axis {following} behind axis {axis}"
                axis = following
            assert client.ask(Kind.LIST_BREAKPOINTS, addr=0, id=0)["breakpoints"][0]["hits"] == 5
            state = self.state(client)
            pcs = self.steps(client)
            registers = client.registers()
            client.ask(Kind.CLEAR_BREAKPOINT, addr=0, id=7)
            before = word(self.variables(client), Machine.CYCLE)
            client.ask(Kind.RESUME)
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

        The function is called once for each axis in each cycle, by the AAPCS: r0 is the axis, r1 where it stands, r2 where it shall be, lr
        where it was called from. Which cycle that is, the variable `cycle` says, which the loop counts up when a cycle begins. The model
        calculates from the number of the cycle alone, without looking at anything else in the machine.
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
        """GDB goes through the same program counters, on the emulator's own stub and without the agent's help, and ends with the same registers."""
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
        assert not wrong, f"step {wrong[0]} goes to {pcs[wrong[0] - FIRST_STEPS + 1]:#x}, GDB's to {oracle[wrong[0]]:#x}"
        final = [int(value, 16) for value in last.split()]
        assert registers == final, f"{registers} are not GDB's {final}"
        self.check_instructions(set(oracle))

    def check_instructions(self, addresses):
        """What is hard to step has been stepped."""
        text = subprocess.run(["arm-none-eabi-objdump", "-d", "-j", ".machine", self.elf], check=True, capture_output=True, text=True)
        done = [match[2] for match in re.finditer(r"^([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", text.stdout, re.M) if int(match[1], 16) in addresses]
        for wanted in (r"it[te]*\t", r"tb[bh]\t", r"(pop|ldmia).*pc}", r"bl\t", r"cbn?z\t", r"bx\tlr"):
            assert any(re.match(wanted, line) for line in done), f"no {wanted} among the instructions that were stepped"

    # --- (c)

    def forces(self):
        """The interlock, what a force does, and how it ends."""
        feed, coolant = self.machine + Machine.FEED_OVERRIDE, self.machine + Machine.COOLANT
        with self.client() as client:
            self.key(b"r")
            client.sleep(0.1)
            client.force(feed, 50, 5000, error=Code.INTERLOCK)
            self.key(b"ho")
            self.still(client)
            # The feed is held, but the door is open.
            client.force(feed, 50, 5000, error=Code.INTERLOCK)
            self.key(b"c")
            client.sleep(0.05)
            client.force(self.machine, 50, 5000, error=Code.READ_ONLY, recorded=True)
            client.force(feed, 50, 5000, error=Code.WRONG_DEVICE, fingerprint=b"another machine!")
            # The loop calculates the coolant in every cycle, to be off while the spindle stands. Forced, the output goes on.
            assert self.plc(client, 1) & 2 == 0
            client.force(coolant, 1, 600)
            client.sleep(0.05)
            assert self.plc(client, 1) & 2, "the output does not show the force"
            client.force(feed, 50, 60_000)
            memory = self.variables(client)
            # The coolant itself may just have been calculated: it is forced again before it goes out.
            assert (word(memory, Machine.FEED_OVERRIDE), word(memory, Machine.FORCED)) == (50, 0x11)
            assert client.ask(Kind.GET_STATUS)["forces"] == 2
            # One lease ends, the other does not.
            client.sleep(0.8)
            assert self.plc(client, 1) & 2 == 0, "the lease has ended, the force has not"
            assert word(self.variables(client), Machine.FORCED) == 1
            # The loop goes half as fast now: every cycle takes the time on by 50 instead of 100.
            self.key(b"r")
            client.sleep(0.1)
            assert self.plc(client, 4) == 50
            assert word(self.variables(client), Machine.TIME) % 100 in (0, 50)
            times = set()
            for _ in range(40):
                times.add(word(self.variables(client), Machine.TIME) % 100)
            assert times == {0, 50}, times
            client.force(feed, 80, 5000, error=Code.INTERLOCK)
            client.ask(Kind.RELEASE, addr=feed, fingerprint=client.host.welcome["fingerprint"])
            client.sleep(0.05)
            assert self.plc(client, 4) == 100
            self.key(b"h")
            self.still(client)
            client.force(feed, 120, 60_000)
            client.sleep(0.05)
            assert self.plc(client, 4) == 120
            client.check_audit()
            client.bye()
        with self.client() as client:
            assert client.ask(Kind.GET_STATUS)["forces"] == 0
            memory = self.variables(client)
            assert (word(memory, Machine.FORCED), word(memory, Machine.FEED_OVERRIDE)) == (0, 100), "the session has ended, its force has not"
            client.bye()

    def key(self, keys):
        self.emulator.panel.sendall(keys)

    def still(self, client):
        """The axes have come to their setpoints, and the spindle to a stop."""

        def moves():
            memory = self.variables(client)
            velocities = [word(memory, Machine.AXES + Machine.AXIS * n + 12) for n in range(3)]
            return any(velocities) or word(memory, Machine.SPEED)

        client.sleep(0.05)
        end = time.monotonic() + 5
        while moves():
            assert time.monotonic() < end, "it does not come to a stop"

    # --- (e)

    def authority(self):
        """Who may only look; who may nothing."""
        with self.client(token=b"look") as client:
            assert client.host.welcome["authority"] == 1
            client.ask(Kind.HALT, error=Code.DENIED)
            client.ask(Kind.FORCE, Code.DENIED, addr=self.machine, lease=1, fingerprint=bytes(16), value=b"1")
            assert client.ask(Kind.GET_STATUS)["run"] == Run.RUNNING
            client.bye()
        with self.client(token=b"guess") as client:
            assert client.host.closed and "BAD_TOKEN" in client.host.closed.why, client.host.closed

    def silence(self):
        """A host that falls silent: the machine stands as it stood, and nothing of the session is left."""
        feed = self.machine + Machine.FEED_OVERRIDE
        with self.client() as client:
            self.key(b"h")
            self.still(client)
            client.force(feed, 30, 60_000)
            stop = client.halt()
            assert stop["reason"] == Reason.HALTED
            client.ask(Kind.HALT, error=Code.WRONG_STATE)
            client.ask(Kind.SET_SOFTWARE_BREAKPOINT, addr=self.axis_update, id=1)
            client.ask(Kind.SET_HARDWARE_BREAKPOINT, error=Code.UNSUPPORTED, recorded=True, addr=self.axis_update, id=2)
            client.ask(Kind.SET_BREAKPOINT, error=Code.READ_ONLY, recorded=True, addr=0x400, id=2)
            # It answers while it stands, and everything stands.
            memory = self.variables(client)
            client.sleep(0.3)
            assert self.variables(client) == memory
            assert client.ask(Kind.GET_STATUS) | {"request": 0, "uptime": 0} == {
                "request": 0,
                "run": Run.STOPPED,
                "breakpoints": 1,
                "forces": 1,
                "steps": 0,
                "policy": 0,
                "enabled": 0,
                "uptime": 0,
            }
            code = client.read(self.axis_update, 16)
            assert code == self.code(16), "the trap shows"
            client.check_audit()
            # Nothing is sent from here on. After 3 s the agent gives the host up, and says so to whom it may concern.
            line, late, end = client.lanes[SIGNAL].socket, b"", time.monotonic() + 3.7
            while (left := end - time.monotonic()) > 0:
                if select.select([line], [], [], left)[0]:
                    late += line.recv(4096)
            client.host.feed(late, now(), SIGNAL)
            client.wait(lambda: client.host.closed, "goodbye")
            assert client.host.closed.reason == 2, client.host.closed
            assert "the agent has ended" in client.host.closed.why, client.host.closed
        with self.client() as client:
            assert client.host.state["run"] == Run.STOPPED
            status = client.ask(Kind.GET_STATUS)
            assert (status["run"], status["breakpoints"], status["forces"]) == (Run.STOPPED, 0, 0)
            memory = self.variables(client)
            assert (word(memory, Machine.FORCED), word(memory, Machine.FEED_OVERRIDE)) == (0, 100)
            self.key(b"r")
            client.ask(Kind.RESUME)
            client.sleep(0.2)
            assert not client.host.stopped and client.ask(Kind.GET_STATUS)["run"] == Run.RUNNING, "the breakpoint is still there"
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

    def bulk(self):
        """Long answers go over the bulk lane while it is well, and arrive whatever becomes of it."""
        flash = 0x400
        with self.client() as client:
            lane = client.lanes[BULK]
            whole = client.read(flash, 4096)
            begin = time.monotonic()
            assert client.read(flash, 4096) == whole
            print(f"    {4096 / 1024 / (time.monotonic() - begin):.0f} KiB of memory a second", flush=True)
            well = client.metrics()
            assert well[0x111] >= 32 and lane.received > 8192, "the bulk lane has not been used"
            damaged = well[13]

            lane.flipping = True
            assert client.read(flash, 1024) == whole[:1024]
            client.sleep(0.3)
            flipped = client.metrics()
            assert flipped[13] == damaged + 1, "a damaged lane is not noticed"
            assert client.read(flash, 1024) == whole[:1024]
            lane.flipping = False
            client.sleep(2)
            sent = client.metrics()[0x111]
            assert client.read(flash, 1024) == whole[:1024]
            assert client.metrics()[0x111] >= sent + 4, "the lane is not used again"

            lane.cut = True
            begin = time.monotonic()
            assert client.read(flash, 256) == whole[:256]
            late = time.monotonic() - begin
            begin = time.monotonic()
            assert client.read(flash, 1024) == whole[:1024]
            assert time.monotonic() - begin < 1, "it is tried over the cut lane again and again"
            assert client.metrics()[13] == damaged + 2
            lane.cut = False
            client.bye()
        return f"a cut bulk lane costs {late * 1000:.0f} ms, once"

    # --- The other host: examples/rdp.rs

    def host_tool(self):
        """A line that flips bits, or is cut, under the host tool; and a board that is reset under its hands."""
        commands = "read 0x400 2048, metrics"
        whole = self.said(self.run_tool("bulk", commands))
        for noise in (flip, cut):
            with Proxy(self.emulator, noise):
                begin = time.monotonic()
                assert self.said(self.run_tool("noisy", commands)) == whole, f"a bulk lane that {noise.__name__}s changes what is read"
                late = time.monotonic() - begin
        tool = self.start_tool("bulk", "status, wait 20000")
        while "uptime" not in (line := tool.stdout.readline()):
            assert line, tool.stderr.read()
        self.emulator.reset()
        _, why = tool.communicate(timeout=10)
        assert tool.returncode == 6, (tool.returncode, why)
        return f"2 KiB over a bulk lane that is cut: {late:.1f} s; after a reset: {why.strip()}"

    def start_tool(self, bulk, commands):
        folder = self.emulator.folder.name
        lines = ["--connect", f"serial:{folder}/signal", "--bulk", f"serial:{folder}/{bulk}"]
        pipe = subprocess.PIPE
        return subprocess.Popen([self.tool, *lines, "--token", "firmware-demo", commands], stdout=pipe, stderr=pipe, text=True)

    def run_tool(self, bulk, commands):
        tool = self.start_tool(bulk, commands)
        out, why = tool.communicate(timeout=30)
        assert tool.returncode == 0, (tool.returncode, why)
        return out

    @staticmethod
    def said(out):
        """What was read, without what was counted."""
        lines = [line for line in out.splitlines() if re.match(r"0x[0-9a-f]{8}  ", line)]
        assert len(lines) == 128, out
        return lines

    # --- (g)

    def reset(self):
        """The board is reset under the host's hands."""
        nonces, used = set(), 0
        for _ in range(3):
            with self.client() as client:
                nonces.add(client.host.welcome["device_nonce"])
                used = max(used, self.emulator.stack_used())
                client.halt()
                begin = time.monotonic()
                self.emulator.reset()
                client.wait(lambda: client.host.closed, "end of the session")
                assert "reset the connection" in client.host.closed.why, client.host.closed
                late = time.monotonic() - begin
        with self.client() as client:
            nonces.add(client.host.welcome["device_nonce"])
            assert client.ask(Kind.GET_STATUS)["run"] == Run.RUNNING
            client.bye()
        assert len(nonces) == 4, "a nonce has come again"
        return f"told after {late * 1000:.0f} ms; the agent has used {used} bytes of its stack"


def main(elf, tool):
    test = Test(elf, tool)
    try:
        for part in (test.breakpoint, test.forces, test.authority, test.silence, test.bulk, test.host_tool, test.reset):
            begin = time.monotonic()
            said = part()
            print(f"{part.__name__}: {time.monotonic() - begin:.1f} s{f'; {said}' if said else ''}", flush=True)
    finally:
        test.emulator.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
