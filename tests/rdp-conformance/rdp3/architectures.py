"""Architectures: names and width of the registers (section 7)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """The registers of one architecture, in wire order."""

    registers: tuple[str, ...]
    width: int
    pc: int

    def values(self, mask: int, data: bytes) -> dict[int, int] | None:
        """Reads the values that follow a mask; None if they do not fit it."""
        indices = [index for index in range(64) if mask >> index & 1]
        if len(data) != len(indices) * self.width or indices and indices[-1] >= len(self.registers):
            return None
        parts = (data[at : at + self.width] for at in range(0, len(data), self.width))
        return {index: int.from_bytes(part, "big") for index, part in zip(indices, parts)}


def _row(prefix: str, last: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(last + 1))


_CORTEX_M = (*_row("r", 12), "sp", "lr", "pc", "xpsr")

ARCHITECTURES = {
    1: Architecture(_CORTEX_M, 4, 15),
    2: Architecture((*_row("x", 30), "sp_el0", "elr_el1", "spsr_el1"), 8, 32),
    3: Architecture(
        ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", *_row("r", 15)[8:], "rip", "rflags"),
        8,
        16,
    ),
    4: Architecture((*_CORTEX_M, *_row("s", 31), "fpscr"), 4, 15),
    5: Architecture((*_row("x", 31)[1:], "pc"), 4, 31),
    6: Architecture((*_row("x", 31)[1:], "pc"), 8, 31),
}
