"""What generate.py writes. Nothing of rdp3/ or suite/ is used: every byte is built by hand with `struct`."""
