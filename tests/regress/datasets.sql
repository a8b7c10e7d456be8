-- The reference samples of survival analysis, as tables: \ir ../datasets.sql with the variable data set to tests/data.
-- Their published and recomputed numbers are in tests/golden; where each comes from is in tests/data/PROVENANCE.md.
CREATE TABLE lung (inst int, time int, status int, age int, sex int, ph_ecog int, ph_karno int, pat_karno int, meal_cal int, wt_loss int, event int);
CREATE TABLE aml (time int, status int, x text);
CREATE TABLE larynx (stage int, time float8, age int, diagyr int, delta int);
CREATE TABLE heart (start float8, stop float8, event int, age float8, year float8, surgery int, transplant int, id int);
CREATE TABLE ovarian (futime int, fustat int, age float8, resid_ds int, rx int, ecog_ps int);
CREATE TABLE rossi (week int, arrest int, fin int, age int, race int, wexp int, mar int, paro int, prio int);
CREATE TABLE veteran (trt int, celltype text, time int, status int, karno int, diagtime int, age int, prior int);
CREATE TABLE gehan (pair int, time int, cens int, treat text);
CREATE TABLE regimes (ctryname text, cowcode2 text, politycode text, un_region_name text, un_continent_name text, ehead text, leaderspellreg text,
    democracy text, regime text, start_year int, duration int, observed int);
CREATE TABLE telco (customer_id text, gender text, senior_citizen int, partner text, dependents text, tenure int, phone_service text, multiple_lines text,
    internet_service text, online_security text, online_backup text, device_protection text, tech_support text, streaming_tv text,
    streaming_movies text, contract text, paperless_billing text, payment_method text, monthly_charges numeric, total_charges numeric, churn text, churn_event int);
-- \copy does not expand variables, \cd does.
\cd :data
\copy lung from 'lung.csv' with (format csv, header)
\copy aml from 'aml.csv' with (format csv, header)
\copy larynx from 'km_larynx.csv' with (format csv, header)
\copy heart from 'heart.csv' with (format csv, header)
\copy ovarian from 'ovarian.csv' with (format csv, header)
\copy rossi from 'rossi.csv' with (format csv, header)
\copy veteran from 'veteran.csv' with (format csv, header)
\copy gehan from 'gehan.csv' with (format csv, header)
\copy regimes from 'dd_regimes.csv' with (format csv, header)
\copy telco from 'telco_customer_churn.csv' with (format csv, header)
-- Therneau's three test data sets with their answers in closed form (the validation vignette of R's survival).
CREATE TABLE book1 (time int, status int, x int);
INSERT INTO book1 VALUES (1, 1, 1), (1, 0, 1), (6, 1, 1), (6, 1, 0), (8, 0, 0), (9, 1, 0);
CREATE TABLE book2 (start int, stop int, status int, x int);
INSERT INTO book2 VALUES (1, 2, 1, 1), (2, 3, 1, 0), (5, 6, 1, 0), (2, 7, 1, 1), (1, 8, 1, 0), (7, 9, 1, 1), (3, 9, 1, 1), (4, 9, 0, 1), (8, 14, 0, 0), (8, 17, 0, 0);
CREATE TABLE book3 (time int, status int, x int, weight int);
INSERT INTO book3 VALUES (1, 1, 2, 1), (1, 0, 0, 2), (2, 1, 1, 3), (2, 1, 1, 4), (2, 1, 0, 3), (2, 0, 1, 2), (3, 0, 0, 1), (4, 1, 1, 2), (5, 0, 0, 1);
ANALYZE;
