"""Python `websockets` as an echo server.

echo.py on|off [CERTIFICATE KEY]    on: permessage-deflate; with a certificate, TLS

A message `leave` makes it close the connection (4002), and `cut` makes it drop it.
"""

import asyncio
import ssl
import sys

from websockets.asyncio.server import serve


async def echo(ws):
    async for message in ws:
        if message == "leave":
            await ws.close(4002, "left")
        elif message == "cut":
            ws.transport.abort()
        else:
            await ws.send(message)


async def main():
    tls = None
    if len(sys.argv) > 2:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[2], sys.argv[3])
    compression = "deflate" if sys.argv[1] == "on" else None
    options = {"subprotocols": ["chat"], "compression": compression, "max_size": None, "ssl": tls}
    async with serve(echo, "127.0.0.1", 0, **options) as server:
        print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
