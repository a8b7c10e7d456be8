-- What a gate requires, read before it asks: one parser for the gate, for promote and for the policy.
SET client_min_messages = warning;
\set VERBOSITY default
SELECT count(ltv.register_version('kept', 'rule', ltv.rule('{"monthly_churn": 0.05}'), '{}', 100 * i, 10, metrics => '[{"metric": "uplift at 12", "value": 0.3}, {"metric": "auc", "value": 0.7, "skill": 0.4}]')) FROM generate_series(1, 2) AS i;
SELECT count(ltv.register_version('other', 'rule', ltv.rule('{"monthly_churn": 0.05}'), '{}', 100, 10)) FROM generate_series(1, 1) AS i;
-- A row for each, by name; the bound as it is compared, a number or a word.
SELECT r.*, length(r.bound) AS long FROM ltv.requirements('{"n_rows": ">=  150 ", "auc": "> .5", "auc skill": ">= 1e-1", "brier at 12": "<= 0.2", "concordance in sample": "> 0.6", "aic of weibull": "< 1000",
    "fit_status": "= ok", "label_policy": "<> none", "algorithm": "=rule", "n_events": "<> 0"}') AS r;
SELECT count(*) FROM (VALUES (NULL::jsonb), ('null'), ('{}')) AS v (j), LATERAL ltv.requirements(v.j);
-- A metric of one's own is known where a version has it: of the model, or of any.
SELECT * FROM ltv.requirements('{"uplift": "> 0.1", "uplift at 24 skill": "> 0"}', 'kept');
SELECT * FROM ltv.requirements('{"uplift": "> 0.1"}', 'kept@production');
SELECT * FROM ltv.requirements('{"uplift": "> 0.1"}');
SELECT * FROM ltv.requirements('{"uplift": "> 0.1"}', NULL);
SELECT * FROM ltv.requirements('{"uplift": "> 0.1"}', 'other');
-- What is none, in the words in which gate, promote and set_policy refuse it.
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE fix text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS fix = PG_EXCEPTION_HINT;
    RETURN format('%s %s (%s)', sqlstate, sqlerrm, fix);
END
$$;
SELECT q.j, refusal(format('SELECT * FROM ltv.requirements(%L, ''kept'')', q.j)) AS refusal,
       (SELECT count(DISTINCT refusal(format(s.statement, q.j))) FROM unnest('{"SELECT * FROM ltv.requirements(%L, ''kept'')","SELECT * FROM ltv.gate(''kept'', 1, %L)","SELECT ltv.promote(''kept'', 1, require => %L)"}'::text[]) AS s (statement)) AS wordings
FROM (VALUES (1, '[1]'), (2, '"n_rows"'), (3, '{"auc": 0.7}'), (4, '{"auc": null}'), (5, '{"auc": ">= high"}'), (6, '{"auc": "0.7"}'), (7, '{"auc": ">="}'), (8, '{"auc": "> 1e999"}'), (9, '{"auc": "> NaN"}'), (10, '{"auc": ["> 1"]}'),
             (11, '{"aucc": "> 0.7"}'), (12, '{"": "> 0.7"}'), (13, '{"n_row": "> 0.7", "n_rows": "> 1"}'), (14, '{"uplift on monday": "> 0"}')) AS q (place, j) ORDER BY q.place;
SELECT refusal($$SELECT ltv.set_policy('kept', '{"aucc": "> 0.7"}')$$) = refusal($$SELECT * FROM ltv.requirements('{"aucc": "> 0.7"}', 'kept')$$) AS same, (SELECT count(*) FROM ltv.policies) AS policies;
-- What it says is what the gate checks.
SELECT g.check_name = r.metric AND g.required = r.required AS same, g.* FROM ltv.requirements('{"n_rows": ">= 150", "uplift": "> 0.1", "auc skill": "> 0.3", "brier": "< 0.2"}', 'kept') r JOIN ltv.gate('kept', 2, '{"n_rows": ">= 150", "uplift": "> 0.1", "auc skill": "> 0.3", "brier": "< 0.2"}') g
    ON g.check_name = r.metric ORDER BY g.check_name;

-- One version taken away: what is in use, the newest, and what others were made of stay.
SELECT ltv.promote('kept', 1); SELECT ltv.promote('kept', 2, 'staging');
SELECT count(ltv.register_version('kept', 'rule', ltv.rule('{"monthly_churn": 0.05}'), '{}', 100 * i, 10, parent => CASE WHEN i = 6 THEN 4 END)) FROM generate_series(3, 6) AS i;
SELECT ltv.register_version('worth', 'hybrid', ltv.fit_hybrid('kept@3'), '{}', 0, 0);
SELECT d.version, refusal(format('SELECT ltv.drop_version(%L, %s, %L)', 'kept', coalesce(d.version::text, 'NULL'), d.reason)) AS told
FROM (VALUES (1, 1, 'erasure'), (2, 2, 'erasure'), (3, 3, 'erasure'), (4, 4, 'erasure'), (5, 6, 'erasure'), (6, 9, 'erasure'), (7, NULL, 'erasure'), (8, 5, NULL), (9, 5, '  ')) AS d (place, version, reason) ORDER BY d.place;
SELECT ltv.promote('kept', 5); SELECT ltv.promote('kept', 6);
SELECT ltv.drop_version('kept', 5, 'erasure request of 2026-03-02');
SELECT version, status FROM ltv.model_versions WHERE model = 'kept' ORDER BY version;
SELECT action, version, before, reason, detail::jsonb - 'trained_at' - 'sha256' AS detail, detail::jsonb ->> 'sha256' ~ '^[0-9a-f]{64}$' AS sealed FROM ltv.v_events WHERE action = 'drop';
SELECT ltv.rollback('kept');
SELECT version, parent, ltv.verify(model, version) FROM ltv.model_versions WHERE model = 'kept' ORDER BY version;
