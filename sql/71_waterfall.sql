-- Why a value is not what it was: the change between two runs, by what changed, to the last minor unit.

CREATE FUNCTION ltv.hybrid_amounts(m ltv.model, features record, terms ltv.terms) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    filled constant jsonb := ltv.hybrid_terms(m, features, terms)::text::jsonb;
BEGIN
    -- Terms that are as usual are not in their text.
    RETURN CASE WHEN filled IS NOT NULL THEN (
        SELECT coalesce(jsonb_object_agg(n.name, coalesce(filled -> n.name, n.usual)), '{}')
        FROM (VALUES ('expansion', 'expansion', '0'::jsonb), ('margin', 'margin', '1'), ('cost', 'cost_to_serve', '0')) AS n (role, name, usual)
        WHERE n.role IN (SELECT c.role FROM ltv.hybrid_components(m) c)) END;
END
$$;
COMMENT ON FUNCTION ltv.hybrid_amounts(ltv.model, record, ltv.terms) IS 'The terms that the components of a hybrid say of a row, {"margin": 0.62, "cost_to_serve": 4.1}: those of hybrid_terms for which it has a model. {} for a renewal model alone, NULL for a row without a value. Errors 22023.';

CREATE FUNCTION ltv.explain_change(
    m_before ltv.model, features_before record, terms_before ltv.terms, m_after ltv.model, features_after record, terms_after ltv.terms,
    rate_before numeric DEFAULT NULL, rate_after numeric DEFAULT NULL, currency text DEFAULT NULL)
    RETURNS TABLE (step integer, part text, change numeric, before numeric, after numeric, reporting_currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 50000 ROWS 7
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts constant text[] := '{price,term,usage,model,assumptions,currency,data}';
    -- Whose a term is; any other is an assumption of the valuation.
    owner constant jsonb := '{"revenue": "price", "ramp": "price", "price_uplift": "price", "period_months": "price", "term_months": "term", "notice_months": "term",
        "auto_renew": "term", "early_termination": "term", "termination_fee": "term", "billing": "term", "timing": "term", "payment_days": "term", "currency": "currency",
        "given": "data", "months_to_renewal": "data", "paid_months": "data", "as_of": "data"}';
    old jsonb;
    new jsonb;
    is_new boolean := terms_before IS NULL AND features_before IS NOT DISTINCT FROM NULL;
    is_lost boolean := terms_after IS NULL AND features_after IS NOT DISTINCT FROM NULL;
    value_before ltv.valuation;
    value_after ltv.valuation;
    first numeric;
    last numeric;
    digits integer := 2;
    moved text[];
    usage text := 'usage';
    curves ltv.survival[];
    n integer;
    worth numeric[];
    told text;
    told_before text;
    told_after text;
    shares numeric[];
    hybrid_before constant boolean := coalesce(ltv.model_algorithm(m_before) = 'hybrid', false);
    hybrid_after constant boolean := coalesce(ltv.model_algorithm(m_after) = 'hybrid', false);
    hybrid record;
    -- Of a hybrid: what its components say of a row, and its price; each by the model (after: + 1) and the row (after: + 2).
    said jsonb[] := '{NULL,NULL,NULL,NULL}';
    prices jsonb[] := '{NULL,NULL,NULL,NULL}';
    columns_read text[];
BEGIN
    IF NOT (rate_before > 0 AND rate_before < 'Infinity' AND rate_after > 0 AND rate_after < 'Infinity') THEN
        RAISE EXCEPTION 'a rate must be positive, got % and %', rate_before, rate_after
            USING ERRCODE = 'invalid_parameter_value', HINT = 'What one unit of the contract''s currency was worth in the reporting currency: 1 when it is the same.';
    ELSIF currency IS NULL AND (rate_before <> 1 OR rate_after <> 1) THEN
        RAISE EXCEPTION 'rates are given and not what to report in' USING ERRCODE = 'invalid_parameter_value', HINT = 'Name it: currency => ''EUR''.';
    ELSIF is_new AND is_lost THEN
        RETURN;
    END IF;
    IF hybrid_before AND NOT is_new THEN
        terms_before := coalesce(terms_before, ltv.hybrid_own_terms(m_before));
    END IF;
    IF hybrid_after AND NOT is_lost THEN
        terms_after := coalesce(terms_after, ltv.hybrid_own_terms(m_after));
    END IF;
    IF is_new THEN
        NULL;
    ELSIF hybrid_before AND terms_before IS NOT NULL THEN
        SELECT h.* INTO hybrid FROM ltv.hybrid_value(m_before, features_before, terms_before) h;
        value_before.ltv := hybrid.value;
        value_before.currency := hybrid.currency;
        value_before.status := coalesce(hybrid.status, 'missing: row');
    ELSIF hybrid_before THEN
        value_before.status := 'missing: terms';
    ELSE
        value_before := ltv.lifetime_value(m_before, features_before, terms_before);
    END IF;
    IF is_lost THEN
        NULL;
    ELSIF hybrid_after AND terms_after IS NOT NULL THEN
        SELECT h.* INTO hybrid FROM ltv.hybrid_value(m_after, features_after, terms_after) h;
        value_after.ltv := hybrid.value;
        value_after.currency := hybrid.currency;
        value_after.status := coalesce(hybrid.status, 'missing: row');
    ELSIF hybrid_after THEN
        value_after.status := 'missing: terms';
    ELSE
        value_after := ltv.lifetime_value(m_after, features_after, terms_after);
    END IF;
    IF currency IS NULL AND value_before.currency <> value_after.currency THEN
        RAISE EXCEPTION 'the value was in % and is in %', value_before.currency, value_after.currency
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Amounts in different currencies are not compared: give currency => the one to report in, and rate_before and rate_after into it.';
    END IF;
    reporting_currency := coalesce(explain_change.currency, value_after.currency, value_before.currency);
    IF reporting_currency IS NOT NULL AND NOT coalesce(ltv.is_currency(reporting_currency), false) THEN
        RAISE EXCEPTION 'unknown currency %', quote_literal(left(reporting_currency, 63)) USING ERRCODE = 'invalid_parameter_value', HINT = 'Use a code of ISO 4217 in capitals, such as EUR, USD or JPY.';
    END IF;
    IF value_before.currency = reporting_currency AND rate_before <> 1 OR value_after.currency = reporting_currency AND rate_after <> 1 THEN
        RAISE EXCEPTION 'a unit of % is worth 1 of its own, not %', reporting_currency, CASE WHEN value_before.currency = reporting_currency AND rate_before <> 1 THEN rate_before ELSE rate_after END
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Contracts in the currency to report in need no rate.';
    END IF;
    -- Without a rate: 1 where nothing is converted, else unknown.
    rate_before := coalesce(rate_before, CASE WHEN coalesce(value_before.currency = reporting_currency, true) THEN 1 END);
    rate_after := coalesce(rate_after, CASE WHEN coalesce(value_after.currency = reporting_currency, true) THEN 1 END);
    digits := coalesce(ltv.minor_digits(reporting_currency), 2);
    first := value_before.ltv * rate_before;
    last := value_after.ltv * rate_after;
    told_before := CASE WHEN value_before.ltv IS NULL THEN value_before.status WHEN first IS NULL THEN 'missing: rate' END;
    told_after := CASE WHEN value_after.ltv IS NULL THEN value_after.status WHEN last IS NULL THEN 'missing: rate' END;
    status := CASE WHEN is_new AND told_after IS DISTINCT FROM 'missing: rate' THEN 'new account' WHEN is_lost AND told_before IS DISTINCT FROM 'missing: rate' THEN 'lost account'
                   WHEN first IS NULL AND last IS NULL THEN 'no value: ' || coalesce(told_after, told_before)
                   WHEN first IS NULL THEN 'no value before: ' || told_before
                   WHEN last IS NULL THEN 'no value after: ' || told_after
                   WHEN value_before.status = value_after.status THEN value_after.status
                   ELSE format('%s, was %s', value_after.status, value_before.status) END;
    moved := '{data}';
    IF first IS NOT NULL AND last IS NOT NULL THEN
        SELECT jsonb_object_agg(s.part, s.slice) FILTER (WHERE s.run = 1), jsonb_object_agg(s.part, s.slice) FILTER (WHERE s.run = 2) INTO old, new
        FROM (SELECT t.run, coalesce(owner ->> e.key, 'assumptions') AS part, jsonb_object_agg(e.key, e.value) AS slice
              FROM (VALUES (1, terms_before::text::jsonb), (2, terms_after::text::jsonb)) AS t (run, terms), jsonb_each(t.terms - 'level') e GROUP BY 1, 2) s;
        IF hybrid_before THEN
            curves := ARRAY[ltv.hybrid_curve(m_before, features_before), NULL, ltv.hybrid_curve(m_before, features_after), NULL];
            said[1] := ltv.hybrid_amounts(m_before, features_before, terms_before);
            said[3] := ltv.hybrid_amounts(m_before, features_after, terms_after);
            prices[1] := jsonb_strip_nulls(jsonb_build_object('revenue', (to_jsonb(features_before) ->> ltv.hybrid_revenue(m_before))::double precision));
            prices[3] := jsonb_strip_nulls(jsonb_build_object('revenue', (to_jsonb(features_after) ->> ltv.hybrid_revenue(m_before))::double precision));
            columns_read := ARRAY(SELECT unnest(c.features) FROM ltv.hybrid_components(m_before) c);
        ELSE
            curves := ARRAY[ltv.predict_curve(m_before, features_before), NULL, ltv.predict_curve(m_before, features_after), NULL];
            columns_read := ltv.model_features(m_before);
        END IF;
        IF hybrid_after THEN
            curves[2] := ltv.hybrid_curve(m_after, features_before);
            curves[4] := ltv.hybrid_curve(m_after, features_after);
            said[2] := ltv.hybrid_amounts(m_after, features_before, terms_before);
            said[4] := ltv.hybrid_amounts(m_after, features_after, terms_after);
            prices[2] := jsonb_strip_nulls(jsonb_build_object('revenue', (to_jsonb(features_before) ->> ltv.hybrid_revenue(m_after))::double precision));
            prices[4] := jsonb_strip_nulls(jsonb_build_object('revenue', (to_jsonb(features_after) ->> ltv.hybrid_revenue(m_after))::double precision));
            columns_read := columns_read || ARRAY(SELECT unnest(c.features) FROM ltv.hybrid_components(m_after) c);
        ELSE
            curves[2] := ltv.predict_curve(m_after, features_before);
            curves[4] := ltv.predict_curve(m_after, features_after);
            columns_read := columns_read || ltv.model_features(m_after);
        END IF;
        SELECT array_agg(p.part ORDER BY p.place) INTO moved
        FROM unnest(parts) WITH ORDINALITY AS p (part, place)
        WHERE CASE p.part
            WHEN 'usage' THEN EXISTS (SELECT FROM unnest(columns_read) f
                                      WHERE to_jsonb(features_before) -> f IS DISTINCT FROM to_jsonb(features_after) -> f)
            WHEN 'model' THEN record_image_ne(ROW(m_before), ROW(m_after))
            ELSE old -> p.part IS DISTINCT FROM new -> p.part OR p.part = 'currency' AND rate_before <> rate_after
                 OR p.part = 'price' AND (prices[1] IS DISTINCT FROM prices[3] OR prices[2] IS DISTINCT FROM prices[4]) END;
        -- A new model may not know the old row, nor the old one the new: then the two count as one.
        IF moved @> '{usage,model}' AND (curves[2] IS NULL OR curves[3] IS NULL OR hybrid_after AND said[2] IS NULL OR hybrid_before AND said[3] IS NULL) THEN
            moved := array_remove(moved, 'usage');
            usage := 'model';
            told := 'model and usage are told together';
        END IF;
        LOOP
            n := coalesce(cardinality(moved), 0);
            -- What each set of changes alone would have made of the value; bits of the mask are places in moved.
            SELECT array_agg(w.worth ORDER BY w.mask) INTO worth
            FROM (SELECT m.mask, CASE WHEN m.mask = 0 THEN first WHEN m.mask = (1 << n) - 1 THEN last
                      ELSE (ltv.lifetime_value(curves[1 + m.model + 2 * m.usage],
                               (m.terms || CASE WHEN m.terms ? 'months_to_renewal' THEN CASE
                                       -- A renewal date lies within the term that there is.
                                       WHEN m.terms ? 'term_months' THEN jsonb_build_object('months_to_renewal', least((m.terms ->> 'months_to_renewal')::numeric, (m.terms ->> 'term_months')::numeric))
                                       ELSE '{"months_to_renewal": null}' END ELSE '{}' END
                                   || CASE WHEN m.terms ? 'paid_months' THEN jsonb_build_object('paid_months', least((m.terms ->> 'paid_months')::integer, (m.terms ->> 'horizon')::integer - 1)) ELSE '{}' END
                                   || coalesce(prices[1 + m.model + 2 * m.price], '{}') || CASE WHEN CASE m.model WHEN 1 THEN hybrid_after ELSE hybrid_before END THEN said[1 + m.model + 2 * m.usage] ELSE '{}' END
                               )::text::ltv.terms)).ltv * CASE m.rate WHEN 1 THEN rate_after ELSE rate_before END END AS worth
                  FROM (SELECT k.mask, coalesce((k.mask >> (array_position(moved, 'model') - 1)) & 1, 0) AS model, coalesce((k.mask >> (array_position(moved, usage) - 1)) & 1, 0) AS usage,
                               coalesce((k.mask >> (array_position(moved, 'currency') - 1)) & 1, 0) AS rate, coalesce((k.mask >> (array_position(moved, 'price') - 1)) & 1, 0) AS price,
                               (SELECT jsonb_object_agg(e.key, e.value)
                                FROM unnest(parts) AS p (part), jsonb_each(CASE coalesce((k.mask >> (array_position(moved, p.part) - 1)) & 1, 0) WHEN 1 THEN new ELSE old END -> p.part) e) AS terms
                        FROM generate_series(0, (1 << n) - 1) AS k (mask)) m) w;
            EXIT WHEN array_position(worth, NULL) IS NULL;
            -- Some mixture of the two runs has no value: the change has no parts.
            moved := '{data}';
            told := 'not to be told apart: a mixture of the two runs has no value';
        END LOOP;
    ELSE
        n := 1;
        first := coalesce(first, 0);
        last := coalesce(last, 0);
        worth := ARRAY[first, last];
    END IF;
    -- Each change is worth what it adds, averaged over all orders in which they may be made: Shapley's value.
    SELECT array_agg(s.share ORDER BY s.place) INTO shares
    FROM (SELECT p.place, sum(factorial(bit_count(m.mask::bit(16))) * factorial(n - 1 - bit_count(m.mask::bit(16))) * (worth[(m.mask | (1 << (p.place - 1))) + 1] - worth[m.mask + 1])) / factorial(n) AS share
          FROM generate_series(1, n) AS p (place), generate_series(0, (1 << n) - 1) AS m (mask)
          WHERE m.mask & (1 << (p.place - 1)) = 0 GROUP BY p.place) s;
    before := round(first, digits);
    after := round(last, digits);
    status := concat_ws('; ', status, told);
    -- Whole minor units: each rounded down, and those that are left go to who lost most (largest remainders).
    RETURN QUERY
    SELECT p.place::integer, p.name, round(coalesce(w.units, 0) / 10::numeric ^ digits, digits), explain_change.before, explain_change.after, reporting_currency, explain_change.status
    FROM unnest(parts) WITH ORDINALITY AS p (name, place)
    LEFT JOIN (SELECT moved[r.place] AS name, r.whole + CASE WHEN r.rank <= r.left_over THEN 1 WHEN r.rank > n + r.left_over THEN -1 ELSE 0 END AS units
               FROM (SELECT e.place, floor(e.exact) AS whole, row_number() OVER (ORDER BY e.exact - floor(e.exact) DESC, e.place) AS rank,
                            (explain_change.after - explain_change.before) * 10::numeric ^ digits - sum(floor(e.exact)) OVER () AS left_over
                     FROM (SELECT s.place, s.share * 10::numeric ^ digits AS exact FROM unnest(shares) WITH ORDINALITY AS s (share, place)) e) r) w ON w.name = p.name
    ORDER BY p.place;
END
$$;
COMMENT ON FUNCTION ltv.explain_change(ltv.model, record, ltv.terms, ltv.model, record, ltv.terms, numeric, numeric, text) IS 'Why the lifetime value of an account changed between two runs: always seven rows, whose changes add up to after - before in whole minor units, nothing left over. part: price (revenue, ramp, price_uplift, period_months), term (term_months, notice_months, auto_renew, early_termination, termination_fee, billing, timing, payment_days), usage (the features of the models), model, assumptions (every other term: margin, costs, discounting, horizon, expansion, tail ...), currency (the rate, and the currency of the contract), data (the account''s age, months_to_renewal, paid_months and as_of: time that passed; and all of it for an account that is in one run only, all of whose arguments on the other side are NULL). Each part is its Shapley value (1953): what the change adds to the value, averaged over all orders in which the changes could be made, so it hangs on no order and what did not change is 0; at most 128 valuations. Rounded by largest remainders. before, after: lifetime_value(model, features, terms) x rate, of a hybrid hybrid_value(model, features, terms) x rate (terms NULL: its own), where the column of the price (hybrid_revenue) is price, what its components say of the row is usage, and their coefficients model. rate: what a unit of the contract''s currency is worth in currency, the one reported in (NULL: the contract''s own); without one, 1 where both are the same, and else the side has no value (missing: rate). A side without a value counts as 0 and says why in status; so does a model that does not know the other run''s row (model and usage are then one part), or a mixture without a value (all is data). Mixtures keep months_to_renewal within their term and paid_months within their horizon. Errors 22023 for two currencies, or rates, without currency, and for a rate other than 1 of a currency into itself, 42703 for a feature that a row lacks.';

CREATE FUNCTION ltv.explain_change(
    model_before text, features_before record, terms_before ltv.terms, model_after text, features_after record, terms_after ltv.terms,
    rate_before numeric DEFAULT NULL, rate_after numeric DEFAULT NULL, currency text DEFAULT NULL)
    RETURNS TABLE (step integer, part text, change numeric, before numeric, after numeric, reporting_currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50000 ROWS 7
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT x.* FROM ltv.explain_change(ltv.model(model_before), features_before, terms_before, ltv.model(model_after), features_after, terms_after, rate_before, rate_after, currency) x;
END
$$;
COMMENT ON FUNCTION ltv.explain_change(text, record, ltv.terms, text, record, ltv.terms, numeric, numeric, text) IS 'As explain_change(ltv.model, ...) with registered models: name, name@alias or name@version, such as churn@3 and churn@4.';

CREATE FUNCTION ltv.explain_change_rows(
    run_a regclass, run_b regclass, id text, model_before text, model_after text DEFAULT NULL, by text DEFAULT NULL, currency text DEFAULT NULL)
    RETURNS TABLE (entity_id text, segment text, step integer, part text, change numeric, before numeric, after numeric, reporting_currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 7000
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    run regclass;
    wanted record;
    twice text;
    has_rate boolean[] := '{}';
BEGIN
    IF run_a IS NULL OR run_b IS NULL OR id IS NULL THEN
        RAISE EXCEPTION 'run_a, run_b and id must be given' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'explain_change(''june'', ''july'', ''account_id'', ''churn''): two relations with a row per account, and the column that is their key.';
    END IF;
    FOREACH run IN ARRAY ARRAY[run_a, run_b] LOOP
        FOR wanted IN
            SELECT w.name, y.oid AS type
            FROM (VALUES (id), ('terms'), (by)) AS w (name)
            LEFT JOIN LATERAL (SELECT a.atttypid AS oid FROM pg_attribute a WHERE a.attrelid = run AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped) y ON true
            WHERE w.name IS NOT NULL
        LOOP
            IF wanted.type IS NULL THEN
                RAISE EXCEPTION '% has no column %', run, quote_literal(wanted.name)
                    USING ERRCODE = 'undefined_column', HINT = 'A run has a row per account: its key, terms (of type ltv.terms, from contract_terms), the features of the model, and rate where the currencies differ.';
            ELSIF wanted.name = 'terms' AND wanted.type <> 'ltv.terms'::regtype THEN
                RAISE EXCEPTION 'the terms of % are %, not ltv.terms', run, wanted.type::regtype
                    USING ERRCODE = 'datatype_mismatch', HINT = 'Make them by contract_terms(revenue, ...) AS terms.';
            END IF;
        END LOOP;
        EXECUTE format('SELECT r.%1$I::text FROM %2$s r WHERE r.%1$I IS NOT NULL GROUP BY r.%1$I HAVING count(*) > 1 ORDER BY 1 LIMIT 1', id, run) INTO twice;
        IF twice IS NOT NULL THEN
            RAISE EXCEPTION '% has several rows for % %', run, id, quote_literal(twice)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'One row per account, or its value would count twice.';
        END IF;
        has_rate := has_rate || EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = run AND a.attname = 'rate' AND a.attnum > 0 AND NOT a.attisdropped);
    END LOOP;
    FOREACH run IN ARRAY ARRAY[run_a, run_b] LOOP
        IF currency IS NOT NULL AND NOT has_rate[CASE run WHEN run_a THEN 1 ELSE 2 END] THEN
            EXECUTE format('SELECT min(r.terms::text::jsonb ->> ''currency'') FROM %s r WHERE r.%I IS NOT NULL AND r.terms::text::jsonb ->> ''currency'' <> $1', run, id) INTO twice USING currency;
            IF twice IS NOT NULL THEN
                RAISE EXCEPTION '% has contracts in %, and no column rate into %', run, twice, currency
                    USING ERRCODE = 'invalid_parameter_value', HINT = 'A column rate tells what a unit of the contract''s currency was worth in the one to report in.';
            END IF;
        END IF;
    END LOOP;
    -- Aliases that no column of a run has as its name.
    RETURN QUERY EXECUTE format('SELECT coalesce("run b".%1$I, "run a".%1$I)::text, %2$s, x.step, x.part, x.change, x.before, x.after, x.reporting_currency, x.status
        FROM (SELECT * FROM %3$s r WHERE r.%1$I IS NOT NULL) "run a" FULL JOIN (SELECT * FROM %4$s r WHERE r.%1$I IS NOT NULL) "run b" ON "run b".%1$I::text = "run a".%1$I::text,
             LATERAL ltv.explain_change($1, "run a", "run a".terms, $2, "run b", "run b".terms, %5$s, %6$s, $3) x',
        id, CASE WHEN by IS NULL THEN 'NULL::text' ELSE format('coalesce("run b".%1$I::text, "run a".%1$I::text)', by) END, run_a, run_b,
        -- Who is in one run only has no rate in the other, and needs none.
        CASE WHEN has_rate[1] THEN format('CASE WHEN "run a".%I IS NULL THEN 1 ELSE "run a".rate::numeric END', id) ELSE 'NULL::numeric' END,
        CASE WHEN has_rate[2] THEN format('CASE WHEN "run b".%I IS NULL THEN 1 ELSE "run b".rate::numeric END', id) ELSE 'NULL::numeric' END)
    USING ltv.model(model_before), ltv.model(coalesce(model_after, model_before)), currency;
END
$$;
COMMENT ON FUNCTION ltv.explain_change_rows(regclass, regclass, text, text, text, text, text) IS 'explain_change of every account of two runs, seven rows each. run_a, run_b: relations with one row per account: id (the name of the column that is the key), terms of type ltv.terms, the features of the models, and, where the contracts are in several currencies, rate, what a unit of the contract''s is worth in currency on the day of the run. An account that is in one run only has a value of 0 in the other (new account, lost account in status). model_before, model_after: name@version (model_after NULL: the same). by: a column of both, told as segment (that of the later run). Errors 22023 for two rows of an account, and for contracts in another currency than the one to report in where a run has no column rate; 42703, 42804.';

CREATE FUNCTION ltv.explain_change(
    run_a regclass, run_b regclass, id text, model_before text, model_after text DEFAULT NULL, by text DEFAULT NULL, currency text DEFAULT NULL)
    RETURNS TABLE (segment text, step integer, part text, change numeric, before numeric, after numeric, accounts bigint, reporting_currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 7
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told record;
BEGIN
    FOR told IN
        SELECT r.segment, r.step, r.part, sum(r.change) AS change, sum(r.before) AS before, sum(r.after) AS after, count(*) FILTER (WHERE r.change <> 0) AS n,
               min(r.reporting_currency) AS reporting_currency, max(r.reporting_currency) AS other, count(*) FILTER (WHERE r.status LIKE 'no value%') AS unvalued
        FROM ltv.explain_change_rows(run_a, run_b, id, model_before, model_after, by, currency) r
        GROUP BY r.segment, r.step, r.part ORDER BY r.segment, r.step
    LOOP
        IF told.reporting_currency <> told.other THEN
            RAISE EXCEPTION 'the runs are in % and %', told.reporting_currency, told.other
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Amounts in different currencies do not add up: give currency => the one to report in, and a column rate in both runs.';
        END IF;
        segment := told.segment;
        step := told.step;
        part := told.part;
        change := told.change;
        before := told.before;
        after := told.after;
        accounts := told.n;
        reporting_currency := told.reporting_currency;
        status := CASE told.unvalued WHEN 0 THEN 'ok' WHEN 1 THEN '1 account without a value' ELSE told.unvalued || ' accounts without a value' END;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.explain_change(regclass, regclass, text, text, text, text, text) IS 'Why the value of all accounts together changed between two runs, by part, and by segment if by is given: the sums of explain_change_rows, so that the changes add up to after - before to the minor unit, and over segments too. accounts: how many the part moved. before, after: the sums of the values; an account without one counts as 0 and is told in status. Arguments and errors as explain_change_rows, and 22023 for contracts in two currencies.';
