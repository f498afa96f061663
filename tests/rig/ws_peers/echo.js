// npm `ws` as an echo server.
//
//   echo.js on|off [CERTIFICATE KEY]    on: permessage-deflate; with a certificate, TLS
//
// A message `leave` makes it close the connection (4002), and `cut` makes it drop it.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { WebSocketServer } = require('ws');

const [deflate, cert, key] = process.argv.slice(2);
const server = cert
  ? https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) })
  : http.createServer();
const handleProtocols = (names) => (names.has('chat') ? 'chat' : false);
const sockets = new WebSocketServer({ server, handleProtocols, perMessageDeflate: deflate === 'on' && { threshold: 0 } });
sockets.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data, binary) => {
    if (String(data.subarray(0, 5)) === 'leave') ws.close(4002, 'left');
    else if (String(data.subarray(0, 5)) === 'cut') ws.terminate();
    else ws.send(data, { binary });
  });
});
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
