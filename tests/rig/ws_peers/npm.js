// npm `ws` as the client of the echo server.
//
//   npm.js PORT on|off [CA]    on: the server has permessage-deflate, and the subprotocols `feedrate` and `chat`; with a CA
//                              it has TLS, and its certificate is one of the CA's
//
// Prints a line for each check that fails, then `N passed, N failed`.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const WebSocket = require('ws');

const [port, deflate, authority] = [process.argv[2], process.argv[3] === 'on', process.argv[4]];
const URL = `${authority ? 'wss' : 'ws'}://127.0.0.1:${port}/`;
const ca = authority && fs.readFileSync(authority);
let passed = 0;
let failed = 0;

const TEXTS = [
  '', 'x', 'Pijamalı hasta yağız şoföre', 'Ξεσκεπάζω τὴν ψυχοφθόρα', 'Съешь ещё этих мягких', 'דג סקרן שט בים', 'نص حكيم له سر قاطع',
  'ऋषियों को सताने वाले', 'เป็นมนุษย์สุดประเสริฐ', '天地玄黃 宇宙洪荒', 'いろはにほへと', '키스의 고유조건은', '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇪🇺', 'e\u0301 n\u0303 q\u0307\u0323',
  '\u0000\u0001\u007f\u0080', '\ufeffBOM', '\ud7ff\ue000\ufffd\uffff', '\u{10000}\u{10ffff}', '\r\n\t"\\', '\u202eright to left\u202c',
];
const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1 << 20];
const LONG = 64 << 20;

// A long text of many scripts, `size` bytes of UTF-8.
function longText(size) {
  const unit = Buffer.from(TEXTS.join(' '));
  const whole = Buffer.alloc(Math.floor(size / unit.length) * unit.length, unit);
  return Buffer.concat([whole, Buffer.alloc(size - whole.length, '.')]);
}

async function check(name, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('no end in 40 s')), 40_000);
  });
  try {
    await Promise.race([work(), late]);
    passed += 1;
  } catch (e) {
    failed += 1;
    console.log(`FAILED npm ws, ${name}: ${String(e.message).replace(/\s+/g, ' ').slice(0, 300)}`);
  }
  clearTimeout(timer);
}

async function open(options = {}, protocols = []) {
  const ws = new WebSocket(URL, protocols, { handshakeTimeout: 5000, ca, ...options });
  ws.received = [];
  ws.waiting = [];
  const give = () => {
    while (ws.waiting.length > 0 && (ws.received.length > 0 || ws.over)) {
      const { resolve, reject } = ws.waiting.shift();
      if (ws.received.length > 0) resolve(ws.received.shift());
      else reject(ws.over);
    }
  };
  const end = (e) => {
    ws.over ??= e;
    give();
  };
  ws.on('message', (data, binary) => {
    ws.received.push({ data, binary });
    give();
  });
  ws.on('error', end);
  ws.on('close', (code) => end(new Error(`closed with ${code}`)));
  ws.next = () => new Promise((resolve, reject) => {
    ws.waiting.push({ resolve, reject });
    give();
  });
  await once(ws, 'open');
  return ws;
}

async function closeWith(ws, code, reason) {
  const end = once(ws, 'close');
  if (code === undefined) ws.close();
  else ws.close(code, reason);
  const [gotCode, gotReason] = await end;
  if (code === undefined) assert.ok(gotCode === 1005 || gotCode === 1000, `close ${gotCode}`);
  else assert.deepEqual([gotCode, gotReason.toString()], [code, reason]);
}

const hash = (data) => crypto.createHash('sha256').update(data).digest('hex');

async function echoed(ws, data, binary) {
  const got = await ws.next();
  assert.equal(got.binary, binary, 'another kind of message');
  assert.equal(got.data.length, data.length, 'another length');
  assert.equal(hash(got.data), hash(data), 'another payload');
}

// What every connection must do, by whatever parameters.
async function exchange(name, options, extensions) {
  await check(`${name}: texts`, async () => {
    const ws = await open(options);
    assert.equal(ws.extensions, extensions);
    assert.equal(ws.protocol, '');
    for (const one of TEXTS) ws.send(one);
    for (const one of TEXTS) await echoed(ws, Buffer.from(one), false);
    await closeWith(ws, 1000, '');
  });
  await check(`${name}: sizes`, async () => {
    const ws = await open(options);
    for (const size of SIZES) {
      const [binary, text] = [crypto.randomBytes(size), longText(size)];
      ws.send(binary);
      ws.send(text, { binary: false });
      await echoed(ws, binary, true);
      await echoed(ws, text, false);
    }
    await closeWith(ws, 1000, '');
  });
  await check(`${name}: fragments and pings`, async () => {
    const ws = await open(options);
    const pongs = [];
    ws.on('pong', (data) => pongs.push(data.toString()));
    for (const size of [1, 7, 1000, 19_999]) {
      const text = longText(20_000);
      for (let at = 0; at < text.length; at += size) {
        // Parts of one byte only at the start: 20,000 frames say no more than 300.
        const upTo = size === 1 && at > 300 ? text.length : Math.min(at + size, text.length);
        if (at % 5000 === 0) ws.ping(`ping ${size} ${at}`);
        ws.send(text.subarray(at, upTo), { binary: false, fin: upTo === text.length });
        if (upTo === text.length) break;
      }
      ws.send('between');
      await echoed(ws, text, false);
      await echoed(ws, Buffer.from('between'), false);
    }
    const last = once(ws, 'pong');
    ws.ping('last');
    await last;
    assert.equal(pongs.at(-1), 'last');
    assert.ok(pongs.every((p) => p === 'last' || p.startsWith('ping ')));
    await closeWith(ws, 1000, '');
  });
  await check(`${name}: many small ones`, async () => {
    const ws = await open(options);
    for (let i = 0; i < 1000; i += 1) ws.send(`message ${i}`);
    for (let i = 0; i < 1000; i += 1) await echoed(ws, Buffer.from(`message ${i}`), false);
    await closeWith(ws, 1000, '');
  });
}

async function main() {
  const agreed = deflate ? 'permessage-deflate' : '';
  await exchange('as it comes', {}, agreed);
  await exchange('compression not offered', { perMessageDeflate: false }, '');
  await exchange('all compressed', { perMessageDeflate: { threshold: 0 } }, agreed);
  const none = { serverNoContextTakeover: true, clientNoContextTakeover: true };
  await exchange('no context takeover', { perMessageDeflate: { threshold: 0, ...none } }, agreed);
  const small = { serverMaxWindowBits: 10, clientMaxWindowBits: 10 };
  await exchange('small windows', { perMessageDeflate: { threshold: 0, ...small } }, agreed);
  await check('64 MiB, binary', async () => {
    const ws = await open();
    // Noise, half of it twice: what does not compress at all would be longer on the wire than the limit.
    const data = Buffer.alloc(LONG);
    for (let at = 0; at < LONG; at += 32768) data.fill(crypto.randomBytes(16384), at, at + 32768);
    ws.send(data);
    await echoed(ws, data, true);
    await closeWith(ws, 1000, '');
  });
  await check('64 MiB, text', async () => {
    const ws = await open();
    const data = longText(LONG);
    ws.send(data, { binary: false });
    await echoed(ws, data, false);
    await closeWith(ws, 1000, '');
  });
  await check('one byte over 64 MiB is refused with 1009', async () => {
    const ws = await open({ perMessageDeflate: false });
    const end = once(ws, 'close');
    ws.send(Buffer.alloc(LONG + 1));
    assert.equal((await end)[0], 1009);
  });
  for (const size of [0, 1, 125]) {
    await check(`ping of ${size}`, async () => {
      const ws = await open();
      const data = crypto.randomBytes(size);
      const pong = once(ws, 'pong');
      ws.ping(data);
      assert.deepEqual((await pong)[0], data);
      await closeWith(ws, 1000, '');
    });
  }
  await check('an unasked pong', async () => {
    const ws = await open();
    ws.pong('nobody asked');
    ws.send('still there?');
    await echoed(ws, Buffer.from('still there?'), false);
    await closeWith(ws, 1000, '');
  });
  const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
  await check('close without a code', async () => closeWith(await open()));
  for (const code of codes) {
    for (const reason of ['', 'πρόβλημα 🚧', 'r'.repeat(123)]) {
      await check(`close ${code} ${reason.slice(0, 8)}`, async () => closeWith(await open(), code, reason));
    }
  }
  for (const [asked, got] of [[['chat'], 'chat'], [['feedrate', 'zzz'], 'feedrate'], [['zzz', 'chat'], 'chat']]) {
    await check(`subprotocols ${asked}`, async () => {
      const ws = await open({}, asked);
      assert.equal(ws.protocol, got);
      await closeWith(ws, 1000, '');
    });
  }
  await check('50 connections at once, some of them cut', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => open()));
    all.forEach((ws, i) => ws.send(`number ${i}`));
    await Promise.all(all.map((ws, i) => echoed(ws, Buffer.from(`number ${i}`), false)));
    all.forEach((ws, i) => {
      if (i % 3 === 0) {
        ws.send(Buffer.alloc(100_000), { fin: false });
        ws.terminate();
      }
    });
    await Promise.all(all.map((ws, i) => (i % 3 === 0 ? null : closeWith(ws, 1000, ''))));
  });
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}

main();
