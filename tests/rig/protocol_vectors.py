#!/usr/bin/env python3
"""Frames of Modbus RTU and DL/T 645 as other implementations build them, for examples/tests/protocols.rs.

    python3 -m venv target/vectors && target/vectors/bin/pip install pymodbus==3.16.1 dlt645==3.2.0
    target/vectors/bin/python tests/rig/protocol_vectors.py >examples/tests/protocols.txt

A line: protocol, address, function or control code, data, and the frame; in hexadecimal, `-` for no bytes.
"""

import pymodbus.pdu.bit_message as bits
import pymodbus.pdu.register_message as registers
from dlt645.protocol.protocol import DLT645Protocol
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import ExceptionResponse
from pymodbus.pdu.decoders import DecodePDU


def modbus():
    framer = FramerRTU(DecodePDU(False))
    for pdu in [
        bits.ReadCoilsRequest(address=19, count=37, dev_id=17),
        registers.ReadHoldingRegistersRequest(address=107, count=3, dev_id=17),
        registers.ReadHoldingRegistersResponse(registers=[0xAE41, 0x5652, 0x4340], dev_id=17),
        registers.ReadInputRegistersResponse(registers=list(range(125)), dev_id=247),
        registers.WriteSingleRegisterRequest(address=1, registers=[3], dev_id=0),
        registers.WriteMultipleRegistersRequest(address=1, registers=[10, 258], dev_id=17),
        bits.WriteMultipleCoilsRequest(address=19, bits=[True, False] * 5, dev_id=17),
        ExceptionResponse(3, 2, device_id=10),
    ]:
        frame = framer.buildFrame(pdu)
        yield frame[0], frame[1], frame[2:-2], frame
    # The longest: 253 bytes of PDU.
    frame = framer.encode(bytes([0x41]) + bytes(i % 256 for i in range(252)), 1, 0)
    yield frame[0], frame[1], frame[2:-2], frame


def dlt645():
    for address, control, data, wake in [
        ("aaaaaaaaaaaa", 0x13, "", 4),
        ("250403020100", 0x11, "00000100", 0),
        ("250403020100", 0x91, "0000010042061200", 3),
        ("999999999999", 0x08, "301506311223", 4),
        # 68 and 16 in the data, as they are on the wire: 35 and e3 are without 33H.
        ("250403020100", 0x91, "35e335e335e335e335e335e335e3", 0),
        # 68 in the address.
        ("686868686868", 0x91, "3535", 0),
        ("250403020100", 0xD1, "02", 1),
        ("250403020100", 0xB1, bytes(i * 7 % 256 for i in range(200)).hex(), 4),
    ]:
        address, data = bytes.fromhex(address), bytes.fromhex(data)
        yield address, control, data, bytes(DLT645Protocol.build_frame(address, control, data, wake))


def text(value):
    return f"{value:02x}" if isinstance(value, int) else value.hex() or "-"


if __name__ == "__main__":
    print("# tests/rig/protocol_vectors.py made this, with pymodbus 3.16.1 and dlt645 3.2.0.")
    for protocol in modbus, dlt645:
        for fields in protocol():
            print(protocol.__name__, *map(text, fields))
