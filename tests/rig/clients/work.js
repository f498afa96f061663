// What node's `pg` can do, with nothing in the output that changes from run to run.
// Where to connect comes from the environment (PGHOST, PGPORT, ...).
'use strict'
const crypto = require('crypto')
const { Client, Pool } = require('pg')
const Cursor = require('pg-cursor')

const show = (...what) => console.log(...what.map((v) => JSON.stringify(v)))
const digest = (text) => crypto.createHash('md5').update(text).digest('hex')

async function refused(what, promise) {
  try {
    await promise
    show(what, 'was not refused')
  } catch (e) {
    show(what, e.severity, e.code, e.message, e.detail, e.position, e.constraint, e.routine)
  }
}

async function simple(client) {
  show((await client.query("select 1 as one, 'x' as x, null as n, true as t, 1.5::numeric as d")).rows)
  show((await client.query('select 1; select 2; select 3 where false')).map((r) => [r.command, r.rowCount, r.rows]))
  show((await client.query('')).command)
  show((await client.query("select '{1,2}'::int[] as a, '{\"b\": 1}'::jsonb as j, '\\x00ff'::bytea as b")).rows)
  await refused('simple', client.query('select 1/0'))
  await refused('many', client.query('select 1; select nothing; select 3'))
  client.on('notice', (n) => show('notice', n.severity, n.code, n.message))
  await client.query("do $$ begin raise notice 'from %', 'node'; end $$")
}

async function extended(client) {
  show((await client.query('select $1::text as t, $2::int as i, $3::text as n', ['ünï', 42, null])).rows)
  await refused('type', client.query('select $1::int', ['abc']))
  await refused('few', client.query('select $1::int, $2::int', [1]))
  await refused('utf8', client.query('select $1::text', ['a\u0000b']))
  for (let n = 0; n < 3; n++) {
    show((await client.query({ name: 'named', text: 'select $1::int * 2 as v', values: [n] })).rows)
  }
  await refused('other text', client.query({ name: 'named', text: 'select 2', values: [] }).then(() => null))
  await refused('prepared', client.query({ name: 'wrong', text: 'select nothing from nowhere' }))
  show((await client.query({ text: 'select $1::int as v, now() > $2 as t', values: [1, new Date(0)], rowMode: 'array' })).rows)
  show((await client.query({ text: 'select $1::int4 as i, $2::text as s, true as b', values: [7, 's'], binary: true })).rows)
  await client.query('create temporary table t (id serial primary key, v text unique, b bytea)')
  for (let n = 0; n < 5; n++) {
    show((await client.query('insert into t (v, b) values ($1, $2) returning id', ['v' + n, Buffer.from([0, n, 255])])).rows)
  }
  await refused('unique', client.query('insert into t (v) values ($1)', ['v1']))
  const rows = (await client.query('select b from t order by id')).rows
  show(rows.map((row) => row.b.toString('hex')))
}

async function large(client) {
  const blob = Buffer.alloc(1 << 20, Buffer.from([...Array(256).keys()]))
  const text = 'x漢'.repeat(300000)
  const { rows } = await client.query('select $1::bytea as b, $2::text as t', [blob, text])
  show(rows[0].b.equals(blob), rows[0].t === text)
  const many = await client.query("select n, md5(n::text) as m from generate_series(1, 20000) n")
  show(many.rowCount, digest(JSON.stringify(many.rows)))
}

async function cursors(client) {
  const cursor = client.query(new Cursor('select n from generate_series(1, $1::int) n', [100]))
  show((await cursor.read(3)).length, (await cursor.read(50)).length)
  await cursor.close()
  const all = client.query(new Cursor('select n from generate_series(1, 10) n'))
  show((await all.read(100)).length, (await all.read(100)).length)
  const broken = client.query(new Cursor('select 1 / (3 - n) as v from generate_series(1, 5) n'))
  await refused('cursor', broken.read(10))
  show((await client.query('select 1 as alive')).rows)
}

async function concurrent() {
  const pool = new Pool({ max: 8 })
  const queries = [...Array(200).keys()].map((n) =>
    n % 20 === 7
      ? pool.query('select $1::int / 0', [n]).catch((e) => e.code)
      : pool.query("select $1::int as v, repeat('x', $1::int * 10) as t", [n]).then((r) => r.rows[0].v + r.rows[0].t.length)
  )
  show(await Promise.all(queries))
  await pool.end()
}

async function notifications(client) {
  const got = []
  const done = new Promise((resolve) =>
    client.on('notification', (n) => got.push([n.channel, n.payload]) === 3 && resolve())
  )
  await client.query('listen node')
  const other = new Client()
  await other.connect()
  await other.query("notify node, 'one'; notify node; select pg_notify('node', 'three')")
  await other.end()
  await done
  show(got)
}

async function authentication() {
  for (const user of ['scramuser', 'md5user', 'plainuser', 'trustuser']) {
    for (const password of ['secret', 'wrong']) {
      const client = new Client({ user, password })
      try {
        await client.connect()
        show(user, (await client.query('select current_user')).rows)
        await client.end()
      } catch (e) {
        show(user, password, e.code, e.message)
      }
    }
  }
}

async function main() {
  for (const step of [simple, extended, large, cursors, concurrent, notifications, authentication]) {
    console.log('---', step.name)
    const client = new Client()
    await client.connect()
    await step(client)
    await client.end()
  }
}

main().catch((e) => {
  console.error(e)
  process.exit(1)
})
