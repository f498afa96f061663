-- What only a psql of version 18 can do: the extended protocol, named statements, pipelines.
\set VERBOSITY verbose
\pset null '(null)'
select $1::int + 1, $2::text \bind 41 'it''s' \g
select $1 \bind '' \g
select $1::int \bind 'abc' \g
select $1::int \bind \g
select 1 \bind 1 2 3 \g
\bind
;
select $1 \parse named
\bind_named named 'one' \g
\bind_named named 'two' \g
\bind_named other 'x' \g
\close_prepared named
\bind_named named 'gone' \g
\close_prepared named
select $1::int + 1, $2 \parse two
\bind_named two 1 \g
\bind_named two 1 'x' \g
\close_prepared two

\startpipeline
select $1 \bind 1 \sendpipeline
select $1::int, $2 \bind 2 'two' \sendpipeline
\syncpipeline
select $1::int / 0 \bind 3 \sendpipeline
select $1 \bind 'skipped' \sendpipeline
\syncpipeline
select $1 \parse piped
\bind_named piped 4 \sendpipeline
\flushrequest
\getresults 1
\bind_named piped 5 \sendpipeline
\close_prepared piped
\endpipeline
select 'still alive';
\startpipeline
begin \bind \sendpipeline
create temporary table p (v int) \bind \sendpipeline
insert into p select generate_series(1, 3) \bind \sendpipeline
select * from p order by 1 \bind \sendpipeline
commit \bind \sendpipeline
\endpipeline
select count(*) from p;
\set FETCH_COUNT 3
select n from generate_series(1, 8) n \bind \g
