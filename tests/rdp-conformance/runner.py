#!/usr/bin/env python3
"""RDPv3 conformance: `runner.py agent -- COMMAND...` plays hosts against an agent program, and
`runner.py host -- COMMAND...` agents against a host program."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from suite.run import main  # noqa: E402

if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)
