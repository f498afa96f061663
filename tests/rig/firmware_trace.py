"""Runs inside GDB, for firmware_trace.sh."""

import json
import os

import gdb

START = 4
"""`START` of examples/firmware/src/panel.rs, and where `MACHINE` has its copy of the inputs (state.rs)."""
INPUTS = 96
REGISTERS = [f"r{n}" for n in range(13)] + ["sp", "lr", "pc", "xpsr"]


def register(name):
    return int(gdb.selected_frame().read_register(name)) & 0xFFFFFFFF


def registers():
    return " ".join(f"{register(name):08x}" for name in REGISTERS)


def put(state):
    """Goes on from another state of the same program."""
    inferior = gdb.selected_inferior()
    for addr, data in state["memory"]:
        inferior.write_memory(addr, bytes.fromhex(data))
    for name, value in zip(REGISTERS, state["registers"]):
        if register(name) != value:
            gdb.execute(f"set ${name} = {value:#x}")


def step():
    """The program counter after one more instruction. Now and then the emulator answers a step before it has done
    anything, mostly on a busy machine: no instruction here goes to itself."""
    before = register("pc")
    for _ in range(10):
        gdb.execute("stepi", to_string=True)
        if register("pc") != before:
            return register("pc")
    raise gdb.GdbError(f"no step leaves {before:#x}")


def run_to(function, call):
    """At its very first instruction: GDB itself would go behind the prologue."""
    stop = gdb.Breakpoint(f"*{function}", internal=True)
    stop.ignore_count = call - 1
    gdb.execute("continue", to_string=True)
    stop.delete()


def trace(out):
    # Bit 0: steps at all; 1: without interrupts; 2: without the clock.
    answer = gdb.execute("maintenance packet Qqemu.sstep=7", to_string=True)
    if '"OK"' not in answer:
        raise gdb.GdbError(f"the emulator does not mask interrupts while it steps: {answer}")
    gdb.execute("set language c")
    # The program waits for somebody to start its cycle at the panel.
    run_to("control_loop", 1)
    for name, offset in (("PANEL_INPUTS", 0), ("MACHINE", INPUTS)):
        address = int(gdb.parse_and_eval(f"(unsigned long)&{name}")) + offset
        gdb.selected_inferior().write_memory(address, START.to_bytes(4, "little"))
    run_to(os.environ["FUNCTION"], int(os.environ["CALL"]))
    if os.environ["STATE"]:
        with open(os.environ["STATE"], encoding="utf-8") as file:
            put(json.load(file))
    print(registers(), file=out)
    for _ in range(int(os.environ["STEPS"])):
        print(f"{step():08x}", file=out)
    print(registers(), file=out)


with os.fdopen(3, "w") as out:
    trace(out)
gdb.execute("kill")
