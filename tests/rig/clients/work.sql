-- What psql can say and be told, with nothing in the output that changes from run to run.
\set VERBOSITY verbose
\set SHOW_CONTEXT always
\pset null '(null)'
set client_min_messages = debug1;
set client_min_messages = warning;
drop schema if exists tap cascade;
create schema tap;
set search_path = tap, public;
set client_min_messages = notice;

\echo --- types
select 1::int2, 2::int4, 3::int8, 4.5::numeric, 'NaN'::float8, '-Infinity'::float4, true, null::bool;
select 'text', 'x'::char(3) as c, 'v'::varchar(4), 'name'::name, '"c"'::"char", ''::text as empty;
select '\x00ff10'::bytea, '{"a": [1, null]}'::json, '{"a": 1}'::jsonb, '<a/>'::text;
select date '2024-02-29', time '23:59:59.999999', timestamp 'infinity', interval '1 year -2 days';
select '{1,2,null}'::int[], '{{a,b},{c,d}}'::text[], int4range(1, 5), row(1, 'x', null), point(1, 2);
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, inet '192.168.0.0/24', macaddr '08:00:2b:01:02:03', b'1010';
select 'ünïcödé — 漢字 🦀' as "näme with "" quote";
select;
select from generate_series(1, 3);
select n, repeat('x', n) from generate_series(0, 20) n;
select n, case when n % 3 = 0 then null else n end from generate_series(1, 500) n;
-- As many columns as a row may have.
select string_agg('null::text as c' || n, ',') as columns from generate_series(1, 1600) n \gset
\pset tuples_only on
\pset format unaligned
select :columns;
\pset tuples_only off
\pset format aligned

\echo --- nothing, and more than one thing
;
select 1\; select 'two'\; select 3 where false\; ;
begin\; select 1\; commit;
select 1; select 2;

\echo --- tags
create table t (id int primary key, v text not null, b bytea, constraint short check (length(v) < 2000000));
insert into t select n, 'v' || n, null from generate_series(1, 10) n;
update t set v = v || '!' where id < 4;
delete from t where id = 10;
create table copy_of_t as select * from t;
select count(*) from copy_of_t;
declare outside cursor for select 1;
begin;
declare c cursor with hold for select id, v from t order by id;
fetch 2 from c;
move 1 in c;
fetch all from c;
commit;
close c;
explain (costs off) select 1;
show standard_conforming_strings;
set application_name = 'tap';
set timezone = 'Asia/Tokyo';
select timestamptz '2024-01-01 00:00+00';
reset timezone;
set client_encoding = 'LATIN1';
set client_encoding = 'UTF8';

\echo --- errors and notices, with all their fields
select 1/0;
selec 1;
select nothing from t;
select 'abc'::int;
insert into t values (1, 'dup', null);
insert into t values (100, null, null);
insert into t values (101, repeat('x', 2000001), null);
do $$ begin raise notice 'a notice'; raise warning 'a warning' using detail = 'd', hint = 'h', errcode = '01ABC'; end $$;
do $$ begin raise exception 'custom %', 1 using detail = 'the detail', hint = 'the hint', errcode = 'TAP01',
    column = 'col', constraint = 'con', datatype = 'typ', table = 'tab', schema = 'sch'; end $$;
do $$ begin raise log 'only the log'; raise info 'info'; raise debug 'not shown'; end $$;
do $$ begin for i in 1..300 loop raise notice 'many %', i; end loop; end $$;
drop table if exists not_there;
begin;
select broken;
select 1;
rollback;
begin;
savepoint s;
select 1/0;
rollback to s;
release s;
commit;
commit;

\echo --- copy
copy t (id, v) from stdin;
20	copied
21	tab\\tand \\N
22	漢字
\.
copy t (id, v) from stdin (format csv, header);
id,v
30,"quoted ""csv"""
31,"two
lines"
\.
copy t (id, v) from stdin;
40	good
bad	line
\.
copy t (id, v) from stdin;
\.
copy t (id, v) to stdout;
copy (select id, v from t order by id) to stdout (format csv, header, force_quote *);
copy (select n, repeat('y', 100) from generate_series(1, 20000) n) to stdout \g |md5sum
copy (select n, n::text, null::text from generate_series(1, 20000) n) to stdout (format binary) \g |md5sum
copy (select 1/(5-n) from generate_series(1, 9) n) to stdout;
copy (select where false) to stdout;
copy t (id, v) from stdin\; select 'after a copy';
50	multi
\.

\echo --- large values
\set big `head -c 1000000 /dev/zero | tr '\0' x`
insert into t values (200, :'big', decode(repeat('00ff', 500000), 'hex'));
select length(v), length(b) from t where id = 200;
select v from t where id = 200 \g |md5sum
select b from t where id = 200 \g |md5sum
select b, v, b from t where id = 200 \g |md5sum
set bytea_output = 'escape';
select b from t where id = 200 \g |md5sum
reset bytea_output;

\echo --- notifications
listen channel;
notify channel, 'payload';
notify channel;
begin;
notify channel, 'in a transaction';
notify channel, 'in a transaction, again';
commit;
select pg_notify('channel', repeat('p', 7999));
unlisten *;

\echo --- described, fetched, generated
select 1 as i, 'x'::text as t, null::numeric(10,2) as n, '{}'::int[] as a \gdesc
insert into t values (300, 'described', null) \gdesc
select nothing \gdesc
\set FETCH_COUNT 7
select n from generate_series(1, 20) n;
\set FETCH_COUNT 0
\lo_unlink 4242424
select 'select ' || n || ' as generated' from generate_series(1, 3) n \gexec
prepare p (int, text) as select $1 + 1, $2 || '!';
execute p (1, 'a');
execute p (1);
deallocate p;
execute p (1, 'a');
\dn tap
\d t
\connect -
select current_user;
drop schema tap cascade;
