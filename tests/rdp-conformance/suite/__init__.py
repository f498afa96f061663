"""The conformance suite's own RDPv3: small, and able to misbehave. Nothing of rdp3/ is used."""
