// Headless Chromium as the client of the echo server, driven over its DevTools pipe (no port, no package).
//
//   browser.js CHROMIUM PORT on|off [KEY]    on: the server has permessage-deflate, and the subprotocols `feedrate`, `chat`;
//                                            with a KEY (the hash of a certificate's) it has TLS, and that key is believed
//
// Prints a line for each check that fails, then `N passed, N failed`.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const [program, port, deflate, key] = process.argv.slice(2);

// Answers by id over file descriptors 3 and 4: JSON, each ended by NUL.
function devtools(browser) {
  const waiting = new Map();
  let [rest, id] = ['', 0];
  browser.stdio[4].setEncoding('utf8').on('data', (data) => {
    const parts = (rest + data).split('\0');
    rest = parts.pop();
    for (const message of parts.map((p) => JSON.parse(p))) {
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    }
  });
  browser.stdio[3].on('error', () => {});
  return (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    id += 1;
    waiting.set(id, (m) => (m.error ? reject(new Error(`${method}: ${m.error.message}`)) : resolve(m.result)));
    browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });
}

// The page comes from the loopback, as the server does: a page of another origin would need the user's permission.
async function serve() {
  const page = fs.readFileSync(path.join(__dirname, 'browser.html'));
  const server = http.createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(page));
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return server;
}

async function drive(call, url) {
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  const evaluate = async (expression) => {
    const result = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId);
    if (result.exceptionDetails) throw new Error(JSON.stringify(result.exceptionDetails).slice(0, 500));
    return result.result.value;
  };
  const { errorText } = await call('Page.navigate', { url }, sessionId);
  if (errorText) throw new Error(`the page does not load: ${errorText}`);
  const loaded = () => evaluate('document.readyState === "complete" && typeof run === "function"').catch(() => false);
  for (let i = 0; !(await loaded()); i += 1) {
    if (i === 100) throw new Error('the page does not load');
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  return evaluate(`run('${key ? 'wss' : 'ws'}', ${Number(port)}, ${deflate === 'on'})`);
}

async function main() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrate-browser.'));
  const server = await serve();
  const browser = spawn(program, [
    '--headless=new', '--disable-gpu', '--no-sandbox', '--no-first-run', '--disable-dev-shm-usage', '--no-proxy-server',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions',
    '--remote-debugging-pipe', `--user-data-dir=${profile}`,
    ...(key ? [`--ignore-certificate-errors-spki-list=${key}`] : []),
  ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: profile } });
  const ended = new Promise((resolve) => { browser.on('exit', resolve).on('error', resolve); });
  // The shell's deadline is a signal.
  process.on('SIGTERM', () => browser.kill('SIGKILL'));
  let failed = 1;
  try {
    const call = devtools(browser);
    const gone = ended.then(() => { throw new Error('the browser ended'); });
    const { passed, failures } = await Promise.race([drive(call, `http://127.0.0.1:${server.address().port}/`), gone]);
    failures.forEach((failure) => console.log(`FAILED Chromium, ${failure}`));
    console.log(`${passed} passed, ${failures.length} failed`);
    failed = failures.length;
    call('Browser.close').catch(() => {});
  } catch (e) {
    console.log(`FAILED Chromium: ${e.message}\n0 passed, 1 failed`);
    browser.kill('SIGTERM');
  }
  const timer = setTimeout(() => browser.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
  fs.rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  process.exit(failed > 0 ? 1 : 0);
}

main();
