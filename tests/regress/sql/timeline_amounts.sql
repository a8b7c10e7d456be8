-- Amounts that are no numbers, and days at the ends of the calendar: every function over a timeline says which row it is about, or answers.
SET client_min_messages = warning; SET timezone = 'UTC';
\set SHOW_CONTEXT never
CREATE TABLE book (account_id text, contract_id text, line_id text, product text, valid_from date, valid_to date, state text, mrr numeric, list_mrr numeric, quantity numeric,
                   currency text, billing_months numeric, term_start date, term_end date, start_event text, end_event text, known_at timestamptz, end_known_at timestamptz);
INSERT INTO book
SELECT 'a' || i, 'c' || i, 'l' || i, 'core', date '2023-01-01' + 20 * i, CASE WHEN i % 3 = 0 THEN date '2024-01-01' + 20 * i END, 'active', 100 + i, 120 + i, 5, 'EUR', 1,
       date '2023-01-01' + 20 * i, date '2024-01-01' + 20 * i, 'new', CASE WHEN i % 3 = 0 THEN 'non_renewal' END, date '2022-12-01' + 20 * i, CASE WHEN i % 3 = 0 THEN date '2023-12-01' + 20 * i END
FROM generate_series(1, 12) AS i;
CREATE TABLE account_map (account_id text, canonical_id text);
CREATE TABLE one_curve AS SELECT ltv.survival_agg(i, i % 3 = 0) AS s FROM generate_series(1, 30) AS i;
CREATE TABLE features AS SELECT DISTINCT account_id, 1.0::float8 AS size FROM book;
CREATE VIEW spells AS SELECT i::float8 AS months, i % 3 = 0 AS lost, (i % 5)::float8 AS size FROM generate_series(1, 30) AS i;
SELECT status FROM ltv.train('stay', 'spells', 'cox', 'months', 'lost', features => '{size}');

-- What each argument is given that has no default, and those that make a function read more.
CREATE TABLE argument (name text PRIMARY KEY, value text);
INSERT INTO argument VALUES ('timeline', '''book'''), ('as_of', '''2024-06-30'''), ('from_month', '''2024-01-01'''), ('to_month', '''2024-06-30'''), ('on_date', '''2024-06-30'''), ('on_dates', '''{2024-06-30}'''),
    ('from_on', '''2024-01-01'''), ('to_on', '''2024-07-01'''), ('map', '''account_map'''), ('curve', '(SELECT s FROM one_curve)'), ('m', 'ltv.model(''stay@latest'')'), ('model', '''stay@latest'''),
    ('features', '''features'''), ('price_split', 'true'), ('segment', 'NULL');

-- All functions over a timeline, from the catalog. Those that return the text of a query run nothing: what runs it is here too.
CREATE VIEW over_timeline AS
SELECT p.oid::regprocedure::text AS function,
       format('SELECT coalesce(string_agg(x::text, '';''), '''') FROM ltv.%I(%s) x', p.proname, string_agg(format('%I => %s::%s', a.name, v.value, a.type::regtype), ', ' ORDER BY a.place)) AS call
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'ltv'
CROSS JOIN LATERAL unnest(p.proargnames, string_to_array(p.proargtypes::text, ' ')::oid[]) WITH ORDINALITY AS a (name, type, place)
LEFT JOIN argument v ON v.name = a.name
WHERE a.place <= p.pronargs AND 'timeline' = ANY (p.proargnames[1:p.pronargs]) AND p.proname NOT LIKE '%\_query'
  AND (v.name IS NOT NULL OR a.place <= p.pronargs - p.pronargdefaults)
GROUP BY p.oid, p.proname;

CREATE FUNCTION told(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    message text;
    hint text;
BEGIN
    EXECUTE call INTO answer;
    RETURN CASE WHEN answer ~ '\mnot_a_number\M' THEN 'found: not_a_number' WHEN answer ~ 'NaN|Infinity' THEN 'NOT A NUMBER IN THE ANSWER' ELSE 'answers' END;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s%s', SQLSTATE, message, CASE WHEN hint = '' THEN ' (NO HINT)' END);
END
$$;

-- As it is, every one answers.
SELECT function, told(call) FROM over_timeline ORDER BY function COLLATE "C";

-- One mrr is not a number, then infinite, then minus infinity: refused by all that read an amount, found by check_timeline.
CREATE TABLE verdict AS
SELECT b.bad, o.function, o.call, NULL::text AS told FROM over_timeline o CROSS JOIN (VALUES ('NaN'::numeric), ('Infinity'), ('-Infinity')) AS b (bad);
CREATE PROCEDURE tell() LANGUAGE plpgsql AS $$
DECLARE
    b numeric;
BEGIN
    FOR b IN SELECT DISTINCT bad FROM verdict LOOP
        UPDATE book SET mrr = b WHERE line_id = 'l7';
        UPDATE verdict SET told = public.told(call) WHERE bad = b;
    END LOOP;
    UPDATE book SET mrr = 107 WHERE line_id = 'l7';
END
$$;
CALL tell();
SELECT function, CASE WHEN min(replace(told, bad::text, '?')) = max(replace(told, bad::text, '?')) THEN min(replace(told, bad::text, '?')) ELSE string_agg(told, ' | ' ORDER BY bad) END AS told
FROM verdict GROUP BY function ORDER BY function COLLATE "C";

-- So are the other amounts where they are read, and a row that is not known on the day, or superseded, is nobody's amount.
UPDATE book SET list_mrr = 'NaN' WHERE line_id = 'l7';
SELECT told($$SELECT string_agg(x::text, '') FROM ltv.contract_features('book', '2024-06-30') x$$), told($$SELECT string_agg(x::text, '') FROM ltv.check_timeline('book') x$$);
UPDATE book SET list_mrr = 120, quantity = 'Infinity' WHERE line_id = 'l7';
SELECT told($$SELECT string_agg(x::text, '') FROM ltv.contract_features('book', '2024-06-30') x$$), told($$SELECT string_agg(x::text, '') FROM ltv.arr_movements('book', '2023-01-01', '2024-06-30', price_split => true) x$$);
UPDATE book SET quantity = 5, mrr = 'NaN' WHERE line_id = 'l7';
SELECT count(*), sum(mrr_at_end) FROM ltv.lifetimes('book', '2023-03-31');
ALTER TABLE book ADD superseded_at timestamptz;
UPDATE book SET superseded_at = '2023-05-22' WHERE line_id = 'l7';
SELECT entity_id, mrr FROM ltv.historical_value('book', '2024-06-30') WHERE entity_id IN ('a7', 'a8');
UPDATE book SET superseded_at = NULL, mrr = 107 WHERE line_id = 'l7';

-- Payments and invoices.
CREATE TABLE paid (account_id text, due_on date, paid_on date, amount float8);
INSERT INTO paid VALUES ('a1', '2024-01-01', '2024-01-05', 10), ('a2', '2024-02-01', '2024-02-05', 'NaN');
SELECT told($$SELECT string_agg(x::text, '') FROM ltv.historical_value('book', '2024-06-30', payments => 'paid') x$$);
SELECT told($$SELECT string_agg(x::text, '') FROM ltv.timeline_from_payments('paid', 'account_id', 'paid_on', 'amount', '2024-06-30') x$$);
SELECT told($$SELECT string_agg(x::text, '') FROM ltv.payment_features('paid', '2024-06-30') x$$);

-- Days at the ends of the calendar, in the arguments and then in the rows.
CREATE TABLE extreme (day date);
INSERT INTO extreme VALUES ('infinity'), ('-infinity'), ('5874897-12-31'), ('294277-01-01'), ('294276-12-31'), ('4713-11-24 BC'), ('0001-01-01'), ('9999-12-31');
CREATE TABLE asked AS
SELECT o.function, x.day, told(regexp_replace(o.call, a.name || ' => ''[-0-9{}]+''::(date|timestamp with time zone|date\[\])', format('%s => %s::\1', a.name, quote_literal(CASE a.name WHEN 'on_dates' THEN format('{%s}', x.day) ELSE x.day::text END)))) AS told, a.name
FROM over_timeline o, extreme x, (VALUES ('as_of'), ('on_date'), ('on_dates'), ('from_month'), ('to_month'), ('from_on'), ('to_on')) AS a (name) WHERE o.call LIKE '%' || a.name || ' => %' AND o.call NOT LIKE '%timestamp with%';
SELECT name, regexp_replace(told, '-?infinity|[0-9]+-[0-9]{2}-[0-9]{2}( BC)?', '?') COLLATE "C" AS told, count(*) AS calls, string_agg(DISTINCT day::text, ', ' ORDER BY day::text) FILTER (WHERE told <> 'answers') AS days
FROM asked GROUP BY 1, 2 ORDER BY 1, 2;

CREATE TABLE in_rows AS SELECT c.name, x.day, o.function, o.call, NULL::text AS told FROM (VALUES ('valid_from'), ('valid_to'), ('term_start'), ('term_end')) AS c (name), extreme x, over_timeline o;
CREATE PROCEDURE tell_days() LANGUAGE plpgsql AS $$
DECLARE
    c record;
    before date;
BEGIN
    FOR c IN SELECT DISTINCT name, day FROM in_rows LOOP
        EXECUTE format('SELECT %I FROM book WHERE line_id = ''l8''', c.name) INTO before;
        EXECUTE format('UPDATE book SET %I = $1 WHERE line_id = ''l8''', c.name) USING c.day;
        UPDATE in_rows SET told = public.told(call) WHERE name = c.name AND day = c.day;
        EXECUTE format('UPDATE book SET %I = $1 WHERE line_id = ''l8''', c.name) USING before;
    END LOOP;
END
$$;
CALL tell_days();
SELECT name, told COLLATE "C" AS told, count(*) AS calls, string_agg(DISTINCT split_part(function, '(', 1) || ' ' || day, ', ') FILTER (WHERE told <> 'answers') AS calls_refused FROM in_rows GROUP BY 1, 2 ORDER BY 1, 2;

-- What an error says of where it arose is short: no function over a timeline quotes its own query for an amount that is none, or for what a forecast is refused.
CREATE FUNCTION context_of(statement text) RETURNS TABLE (says text, short boolean) LANGUAGE plpgsql AS $$
DECLARE
    context text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS says = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;
    short := length(context) < 700 AND context NOT LIKE '%WITH line AS%' AND context NOT LIKE '%run_rate_agg%';
    RETURN NEXT;
END
$$;
CREATE TEMP TABLE odd OF ltv.contract_line;
INSERT INTO odd (account_id, contract_id, line_id, valid_from, state, mrr, quantity, currency) VALUES ('a', 'c', 'l', '2024-01-01', 'active', '-Infinity', 1, 'EUR');
CREATE TEMP TABLE many_seats AS SELECT * FROM odd;
UPDATE many_seats SET mrr = 10, quantity = 'Infinity';
CREATE TEMP TABLE two OF ltv.contract_line;
INSERT INTO two (account_id, contract_id, line_id, valid_from, state, mrr, currency) VALUES ('a', 'c', 'l', '2024-01-01', 'active', 10, 'EUR'), ('b', 'd', 'm', '2024-01-01', 'active', 10, 'USD');
CREATE TEMP TABLE curve AS SELECT ltv.survival_agg(d, true) AS c FROM generate_series(1, 20) AS d;
SELECT place, e.* FROM unnest(ARRAY['SELECT * FROM ltv.lifetimes(''odd'', ''2024-06-30'')', 'SELECT * FROM ltv.renewal_events(''odd'', ''2024-06-30'')', 'SELECT * FROM ltv.renewal_events(''odd'', ''2024-06-30'', by => ''product'')',
    'SELECT * FROM ltv.contract_features(''odd'', ''2024-06-30'')', 'SELECT * FROM ltv.contract_features(''many_seats'', ''2024-06-30'', ''account'')', 'SELECT * FROM ltv.forecast_arr((SELECT c FROM curve), ''odd'', ''2024-06-30'')',
    'SELECT * FROM ltv.forecast_arr((SELECT c FROM curve), ''two'', ''2024-06-30'')', 'SELECT * FROM ltv.forecast_arr((SELECT c FROM curve), ''two'', ''2024-06-30'', by => ''currency'', months => 0)',
    'SELECT * FROM ltv.forecast_arr((SELECT c FROM curve), ''two'', ''2024-06-30'', by => ''currency'', level => 2)', 'SELECT * FROM ltv.forecast_arr((SELECT c FROM curve), ''two'', ''2024-06-30'', by => ''currency'', expansion => -2)'])
    WITH ORDINALITY AS s (statement, place), LATERAL context_of(statement) AS e ORDER BY place;
-- What is not known on the day, or not read, is not looked at; a view is read by the query alone.
SELECT (SELECT count(*) FROM ltv.lifetimes('odd', '2023-12-31')) AS unknown, (SELECT count(*) FROM ltv.lifetimes('many_seats', '2024-06-30')) AS unread;
CREATE TEMP VIEW odd_view AS SELECT * FROM odd;
SELECT * FROM ltv.lifetimes('odd_view', '2024-06-30');
SELECT ltv.checked_query('odd', '2023-12-31') = ltv.timeline_query('odd', date '2023-12-31') AS same, ltv.checked_query('odd_view', '2024-06-30') = ltv.timeline_query('odd_view', date '2024-06-30') AS same_view;
SELECT ltv.checked_query('odd', NULL);
SELECT ltv.checked_query(NULL, '2024-06-30');
SELECT ltv.checked_query('odd', '2024-06-30', '{product}');
