-- The demo's four sources, in the schema demo: psql -v data=/folder/with/the/csv -f load.sql
-- The files are read by psql, so the server needs no access to them. Where each comes from: tests/data/PROVENANCE.md.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS demo CASCADE;
CREATE SCHEMA demo;
COMMENT ON SCHEMA demo IS 'Sample data of the extension ltv: a telco''s subscribers, Chicago''s food-business licences, a SaaS company''s CRM and billing, the small businesses that a software vendor serves.';

-- 1. A telco's subscription book: one row per subscriber.

CREATE TABLE demo.telco (
    customer_id text PRIMARY KEY,
    gender text NOT NULL,
    senior_citizen boolean NOT NULL,
    partner boolean NOT NULL,
    dependents boolean NOT NULL,
    tenure integer NOT NULL,
    phone_service boolean NOT NULL,
    multiple_lines text NOT NULL,
    internet_service text NOT NULL,
    online_security text NOT NULL,
    online_backup text NOT NULL,
    device_protection text NOT NULL,
    tech_support text NOT NULL,
    streaming_tv text NOT NULL,
    streaming_movies text NOT NULL,
    contract text NOT NULL,
    paperless_billing boolean NOT NULL,
    payment_method text NOT NULL,
    monthly_charges numeric(8,2) NOT NULL,
    total_charges numeric(10,2),
    churned boolean NOT NULL,
    churn_event integer NOT NULL,
    held_out boolean NOT NULL GENERATED ALWAYS AS (md5(customer_id) < '3333') STORED
);
COMMENT ON TABLE demo.telco IS 'A telco''s subscription book, 7,043 subscribers (IBM''s fictional sample).';
COMMENT ON COLUMN demo.telco.customer_id IS 'The subscriber.';
COMMENT ON COLUMN demo.telco.gender IS 'Female or Male.';
COMMENT ON COLUMN demo.telco.senior_citizen IS 'Is 65 or older.';
COMMENT ON COLUMN demo.telco.partner IS 'Has a partner.';
COMMENT ON COLUMN demo.telco.dependents IS 'Has dependents.';
COMMENT ON COLUMN demo.telco.tenure IS 'Months with the company, 0 to 72: until the churn, or until now.';
COMMENT ON COLUMN demo.telco.phone_service IS 'Has a phone line.';
COMMENT ON COLUMN demo.telco.multiple_lines IS 'Has several phone lines.';
COMMENT ON COLUMN demo.telco.internet_service IS 'DSL, Fiber optic or No.';
COMMENT ON COLUMN demo.telco.online_security IS 'Has the online security add-on.';
COMMENT ON COLUMN demo.telco.online_backup IS 'Has the online backup add-on.';
COMMENT ON COLUMN demo.telco.device_protection IS 'Has the device protection add-on.';
COMMENT ON COLUMN demo.telco.tech_support IS 'Has the tech support add-on.';
COMMENT ON COLUMN demo.telco.streaming_tv IS 'Has streaming television.';
COMMENT ON COLUMN demo.telco.streaming_movies IS 'Has streaming movies.';
COMMENT ON COLUMN demo.telco.contract IS 'The plan: Month-to-month, One year or Two year.';
COMMENT ON COLUMN demo.telco.paperless_billing IS 'Gets no paper invoice.';
COMMENT ON COLUMN demo.telco.payment_method IS 'Electronic check, Mailed check, Bank transfer (automatic) or Credit card (automatic).';
COMMENT ON COLUMN demo.telco.monthly_charges IS 'US dollars a month.';
COMMENT ON COLUMN demo.telco.total_charges IS 'US dollars to date; empty for the eleven with tenure 0.';
COMMENT ON COLUMN demo.telco.churned IS 'Has left: the event. Otherwise still here: censored.';
COMMENT ON COLUMN demo.telco.churn_event IS 'The same as 1 or 0.';
COMMENT ON COLUMN demo.telco.held_out IS 'One subscriber in five, by hash: no model sees these, so they can judge it.';

-- 2. Chicago's food-business licences: one row per licence. A licence runs for two years and is renewed or lapses.

CREATE TABLE demo.licences (
    license_number integer PRIMARY KEY,
    license_description text NOT NULL,
    business_activity text,
    ward text,
    application_type text NOT NULL,
    status_at_entry text NOT NULL,
    first_term_start date NOT NULL,
    entry_term_start date NOT NULL,
    entry_term_end date NOT NULL,
    last_term_end date NOT NULL,
    first_inspection date NOT NULL,
    n_inspections integer NOT NULL,
    tobacco boolean NOT NULL,
    package_goods boolean NOT NULL,
    outdoor_patio boolean NOT NULL,
    public_place_of_amusement boolean NOT NULL,
    limited_business_license boolean NOT NULL,
    childrens_services boolean NOT NULL,
    tavern boolean NOT NULL,
    regulated_business_license boolean NOT NULL,
    filling_station boolean NOT NULL,
    caterers_liquor_license boolean NOT NULL,
    mobile_food_license boolean NOT NULL,
    consumption_on_premises boolean NOT NULL,
    entry_days integer NOT NULL,
    exit_days integer NOT NULL,
    lapsed boolean NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN license_description <> 'Retail Food Establishment' THEN 'Not retail food'
        WHEN tavern OR consumption_on_premises THEN 'Food and bar'
        WHEN package_goods THEN 'Food and packaged liquor'
        WHEN tobacco THEN 'Food and tobacco'
        ELSE 'Food only' END) STORED
);
COMMENT ON TABLE demo.licences IS 'Food-business licences of the City of Chicago, 11,357, as known on 31 December 2017.';
COMMENT ON COLUMN demo.licences.license_number IS 'The licence.';
COMMENT ON COLUMN demo.licences.license_description IS 'What it licenses.';
COMMENT ON COLUMN demo.licences.business_activity IS 'What the business does, in the city''s words.';
COMMENT ON COLUMN demo.licences.ward IS 'The city ward, a code.';
COMMENT ON COLUMN demo.licences.application_type IS 'The term at entry came from ISSUE (new), RENEW, C_LOC (moved) or C_EXPA (grew).';
COMMENT ON COLUMN demo.licences.status_at_entry IS 'State of the term at entry, as recorded later: not a feature, it knows the future.';
COMMENT ON COLUMN demo.licences.first_term_start IS 'Start of its first term: age 0.';
COMMENT ON COLUMN demo.licences.entry_term_start IS 'Start of the term in which it entered the data.';
COMMENT ON COLUMN demo.licences.entry_term_end IS 'End of that term.';
COMMENT ON COLUMN demo.licences.last_term_end IS 'End of its last known term: not a feature, it knows the future.';
COMMENT ON COLUMN demo.licences.first_inspection IS 'First inspection: the day it entered the data (delayed entry).';
COMMENT ON COLUMN demo.licences.n_inspections IS 'Inspections ever: not a feature, it knows the future.';
COMMENT ON COLUMN demo.licences.tobacco IS 'Also held a tobacco licence at entry.';
COMMENT ON COLUMN demo.licences.package_goods IS 'Also held a package goods licence at entry.';
COMMENT ON COLUMN demo.licences.outdoor_patio IS 'Also held an outdoor patio licence at entry.';
COMMENT ON COLUMN demo.licences.public_place_of_amusement IS 'Also held a public place of amusement licence at entry.';
COMMENT ON COLUMN demo.licences.limited_business_license IS 'Also held a limited business licence at entry.';
COMMENT ON COLUMN demo.licences.childrens_services IS 'Also held a children''s services licence at entry.';
COMMENT ON COLUMN demo.licences.tavern IS 'Also held a tavern licence at entry.';
COMMENT ON COLUMN demo.licences.regulated_business_license IS 'Also held a regulated business licence at entry.';
COMMENT ON COLUMN demo.licences.filling_station IS 'Also held a filling station licence at entry.';
COMMENT ON COLUMN demo.licences.caterers_liquor_license IS 'Also held a caterer''s liquor licence at entry.';
COMMENT ON COLUMN demo.licences.mobile_food_license IS 'Also held a mobile food licence at entry.';
COMMENT ON COLUMN demo.licences.consumption_on_premises IS 'Also held a licence for consumption on the premises at entry.';
COMMENT ON COLUMN demo.licences.entry_days IS 'Its age in days when it entered the data.';
COMMENT ON COLUMN demo.licences.exit_days IS 'Its age in days when it lapsed, or on 31 December 2017.';
COMMENT ON COLUMN demo.licences.lapsed IS 'Its last term ended by 31 December 2017 and was not renewed: the event.';
COMMENT ON COLUMN demo.licences.kind IS 'What it sells, by the licences held at entry. Not retail food: day care, care homes and so on, most of which lapsed in 2013 and 2014.';

-- 3. A SaaS company (RavenStack): accounts and tickets from the CRM, subscriptions from billing, usage from the product.

CREATE TABLE demo.accounts (
    account_id text PRIMARY KEY,
    account_name text NOT NULL,
    industry text NOT NULL,
    country text NOT NULL,
    signup_date date NOT NULL,
    referral_source text NOT NULL,
    plan_tier text NOT NULL,
    seats integer NOT NULL,
    is_trial boolean NOT NULL,
    churn_flag boolean NOT NULL
);
COMMENT ON TABLE demo.accounts IS 'CRM: the SaaS company''s 500 accounts (RavenStack, synthetic).';
COMMENT ON COLUMN demo.accounts.account_id IS 'The account.';
COMMENT ON COLUMN demo.accounts.account_name IS 'Its name.';
COMMENT ON COLUMN demo.accounts.industry IS 'Its industry.';
COMMENT ON COLUMN demo.accounts.country IS 'Its country, ISO 3166-1.';
COMMENT ON COLUMN demo.accounts.signup_date IS 'When it signed up.';
COMMENT ON COLUMN demo.accounts.referral_source IS 'The channel that won it.';
COMMENT ON COLUMN demo.accounts.plan_tier IS 'Its first plan.';
COMMENT ON COLUMN demo.accounts.seats IS 'Its seats then.';
COMMENT ON COLUMN demo.accounts.is_trial IS 'Began with a trial.';
COMMENT ON COLUMN demo.accounts.churn_flag IS 'Has ever churned: not a feature, it knows the future.';

CREATE TABLE demo.subscriptions (
    subscription_id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES demo.accounts,
    start_date date NOT NULL,
    end_date date,
    plan_tier text NOT NULL,
    seats integer NOT NULL,
    mrr_amount numeric(12,2) NOT NULL,
    arr_amount numeric(12,2) NOT NULL,
    is_trial boolean NOT NULL,
    upgrade_flag boolean NOT NULL,
    downgrade_flag boolean NOT NULL,
    churn_flag boolean NOT NULL,
    billing_frequency text NOT NULL,
    auto_renew_flag boolean NOT NULL
);
COMMENT ON TABLE demo.subscriptions IS 'Billing: the 5,000 subscriptions of those accounts.';
COMMENT ON COLUMN demo.subscriptions.subscription_id IS 'The subscription.';
COMMENT ON COLUMN demo.subscriptions.account_id IS 'Whose it is.';
COMMENT ON COLUMN demo.subscriptions.start_date IS 'When it began.';
COMMENT ON COLUMN demo.subscriptions.end_date IS 'When it ended; empty while it runs.';
COMMENT ON COLUMN demo.subscriptions.plan_tier IS 'Basic, Pro or Enterprise.';
COMMENT ON COLUMN demo.subscriptions.seats IS 'Seats.';
COMMENT ON COLUMN demo.subscriptions.mrr_amount IS 'US dollars a month; 0 for a trial.';
COMMENT ON COLUMN demo.subscriptions.arr_amount IS 'US dollars a year.';
COMMENT ON COLUMN demo.subscriptions.is_trial IS 'Is a trial.';
COMMENT ON COLUMN demo.subscriptions.upgrade_flag IS 'Was upgraded at some time: not a feature, the time is not known.';
COMMENT ON COLUMN demo.subscriptions.downgrade_flag IS 'Was downgraded at some time: not a feature, the time is not known.';
COMMENT ON COLUMN demo.subscriptions.churn_flag IS 'Has ended: the event.';
COMMENT ON COLUMN demo.subscriptions.billing_frequency IS 'monthly or annual.';
COMMENT ON COLUMN demo.subscriptions.auto_renew_flag IS 'Renews by itself.';

CREATE TABLE demo.feature_usage (
    usage_id text NOT NULL,
    subscription_id text NOT NULL REFERENCES demo.subscriptions,
    usage_date date NOT NULL,
    feature_name text NOT NULL,
    usage_count integer NOT NULL,
    usage_duration_secs integer NOT NULL,
    error_count integer NOT NULL,
    is_beta_feature boolean NOT NULL
);
COMMENT ON TABLE demo.feature_usage IS 'Product: 25,000 daily counts of feature use.';
COMMENT ON COLUMN demo.feature_usage.usage_id IS 'Meant as a key, but 21 of the source''s are there twice.';
COMMENT ON COLUMN demo.feature_usage.subscription_id IS 'The subscription that used it.';
COMMENT ON COLUMN demo.feature_usage.usage_date IS 'The day; some lie before the subscription began.';
COMMENT ON COLUMN demo.feature_usage.feature_name IS 'The feature.';
COMMENT ON COLUMN demo.feature_usage.usage_count IS 'How often.';
COMMENT ON COLUMN demo.feature_usage.usage_duration_secs IS 'For how long, in seconds.';
COMMENT ON COLUMN demo.feature_usage.error_count IS 'Errors met.';
COMMENT ON COLUMN demo.feature_usage.is_beta_feature IS 'Is a beta feature.';

CREATE TABLE demo.support_tickets (
    ticket_id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES demo.accounts,
    submitted_at timestamp NOT NULL,
    closed_at timestamp NOT NULL,
    resolution_time_hours double precision NOT NULL,
    priority text NOT NULL,
    first_response_time_minutes integer NOT NULL,
    satisfaction_score double precision,
    escalation_flag boolean NOT NULL
);
COMMENT ON TABLE demo.support_tickets IS 'CRM: 2,000 support tickets.';
COMMENT ON COLUMN demo.support_tickets.ticket_id IS 'The ticket.';
COMMENT ON COLUMN demo.support_tickets.account_id IS 'Whose it is.';
COMMENT ON COLUMN demo.support_tickets.submitted_at IS 'When it was opened.';
COMMENT ON COLUMN demo.support_tickets.closed_at IS 'When it was closed.';
COMMENT ON COLUMN demo.support_tickets.resolution_time_hours IS 'Hours in between.';
COMMENT ON COLUMN demo.support_tickets.priority IS 'low, medium, high or urgent.';
COMMENT ON COLUMN demo.support_tickets.first_response_time_minutes IS 'Minutes to the first answer.';
COMMENT ON COLUMN demo.support_tickets.satisfaction_score IS '3 to 5, if the customer gave one.';
COMMENT ON COLUMN demo.support_tickets.escalation_flag IS 'Was escalated.';

CREATE TABLE demo.churn_events (
    churn_event_id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES demo.accounts,
    churn_date date NOT NULL,
    reason_code text NOT NULL,
    refund_amount_usd numeric(12,2) NOT NULL,
    preceding_upgrade_flag boolean NOT NULL,
    preceding_downgrade_flag boolean NOT NULL,
    is_reactivation boolean NOT NULL,
    feedback_text text
);
COMMENT ON TABLE demo.churn_events IS 'CRM: the 600 times that an account told it was leaving.';
COMMENT ON COLUMN demo.churn_events.churn_event_id IS 'The event.';
COMMENT ON COLUMN demo.churn_events.account_id IS 'Whose it is.';
COMMENT ON COLUMN demo.churn_events.churn_date IS 'The day.';
COMMENT ON COLUMN demo.churn_events.reason_code IS 'pricing, features, support, budget, competitor or unknown.';
COMMENT ON COLUMN demo.churn_events.refund_amount_usd IS 'US dollars refunded.';
COMMENT ON COLUMN demo.churn_events.preceding_upgrade_flag IS 'An upgrade came before.';
COMMENT ON COLUMN demo.churn_events.preceding_downgrade_flag IS 'A downgrade came before.';
COMMENT ON COLUMN demo.churn_events.is_reactivation IS 'The account had come back before.';
COMMENT ON COLUMN demo.churn_events.feedback_text IS 'The customer''s words.';

-- 4. A vendor of software to small businesses: one row per customer.

CREATE TABLE demo.small_businesses (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    product_data_storage integer NOT NULL,
    product_travel_expense text NOT NULL,
    product_payroll text NOT NULL,
    product_accounting text NOT NULL,
    csat_score integer NOT NULL,
    articles_viewed integer NOT NULL,
    smartphone_notifications_viewed integer NOT NULL,
    marketing_emails_clicked integer NOT NULL,
    social_media_ads_viewed integer NOT NULL,
    minutes_customer_support double precision NOT NULL,
    company_size text NOT NULL,
    us_region text NOT NULL,
    months_active integer NOT NULL,
    churned boolean NOT NULL
);
COMMENT ON TABLE demo.small_businesses IS 'Customers of a vendor of software to small businesses, 2,000 (simulated, from PySurvival).';
COMMENT ON COLUMN demo.small_businesses.id IS 'The row in the file.';
COMMENT ON COLUMN demo.small_businesses.product_data_storage IS 'Gigabytes of storage bought.';
COMMENT ON COLUMN demo.small_businesses.product_travel_expense IS 'Travel expenses: Active, Free-Trial or No.';
COMMENT ON COLUMN demo.small_businesses.product_payroll IS 'Payroll: Active, Free-Trial or No.';
COMMENT ON COLUMN demo.small_businesses.product_accounting IS 'Accounting: Active, Free-Trial or No.';
COMMENT ON COLUMN demo.small_businesses.csat_score IS 'Satisfaction, 1 to 10.';
COMMENT ON COLUMN demo.small_businesses.articles_viewed IS 'Help articles read.';
COMMENT ON COLUMN demo.small_businesses.smartphone_notifications_viewed IS 'Notifications read.';
COMMENT ON COLUMN demo.small_businesses.marketing_emails_clicked IS 'Marketing mails clicked.';
COMMENT ON COLUMN demo.small_businesses.social_media_ads_viewed IS 'Advertisements seen.';
COMMENT ON COLUMN demo.small_businesses.minutes_customer_support IS 'Minutes with the support.';
COMMENT ON COLUMN demo.small_businesses.company_size IS 'Employees, a band.';
COMMENT ON COLUMN demo.small_businesses.us_region IS 'Where in the United States.';
COMMENT ON COLUMN demo.small_businesses.months_active IS 'Months as a customer, 0 to 12: until it left, or until now.';
COMMENT ON COLUMN demo.small_businesses.churned IS 'Has left: the event.';

-- The files. \copy does not expand variables, \cd does.

\set here `pwd`
\cd :data
\copy demo.telco from 'telco_customer_churn.csv' with (format csv, header)
\copy demo.licences (license_number, license_description, business_activity, ward, application_type, status_at_entry, first_term_start, entry_term_start, entry_term_end, last_term_end, first_inspection, n_inspections, tobacco, package_goods, outdoor_patio, public_place_of_amusement, limited_business_license, childrens_services, tavern, regulated_business_license, filling_station, caterers_liquor_license, mobile_food_license, consumption_on_premises, entry_days, exit_days, lapsed) from 'chicago_food_licences.csv' with (format csv, header)
\copy demo.small_businesses (product_data_storage, product_travel_expense, product_payroll, product_accounting, csat_score, articles_viewed, smartphone_notifications_viewed, marketing_emails_clicked, social_media_ads_viewed, minutes_customer_support, company_size, us_region, months_active, churned) from 'pysurvival_saas_churn.csv' with (format csv, header)
\copy demo.accounts from 'ravenstack/accounts.csv' with (format csv, header)
\copy demo.subscriptions from 'ravenstack/subscriptions.csv' with (format csv, header)
\copy demo.feature_usage from 'ravenstack/feature_usage.csv' with (format csv, header)
\copy demo.support_tickets from 'ravenstack/support_tickets.csv' with (format csv, header)
\copy demo.churn_events from 'ravenstack/churn_events.csv' with (format csv, header)
\cd :here

-- Yes, No and No internet service are yes and no.
ALTER TABLE demo.telco
    ALTER multiple_lines TYPE boolean USING multiple_lines = 'Yes',
    ALTER online_security TYPE boolean USING online_security = 'Yes',
    ALTER online_backup TYPE boolean USING online_backup = 'Yes',
    ALTER device_protection TYPE boolean USING device_protection = 'Yes',
    ALTER tech_support TYPE boolean USING tech_support = 'Yes',
    ALTER streaming_tv TYPE boolean USING streaming_tv = 'Yes',
    ALTER streaming_movies TYPE boolean USING streaming_movies = 'Yes';

-- What people ask of these tables: one row per contract, with what was known in time.

CREATE VIEW demo.telco_month_to_month AS SELECT * FROM demo.telco WHERE contract = 'Month-to-month' AND NOT held_out;
COMMENT ON VIEW demo.telco_month_to_month IS 'Month-to-month subscribers to train on.';
CREATE VIEW demo.telco_one_year AS SELECT * FROM demo.telco WHERE contract = 'One year' AND NOT held_out;
COMMENT ON VIEW demo.telco_one_year IS 'One-year subscribers to train on.';
CREATE VIEW demo.telco_two_year AS SELECT * FROM demo.telco WHERE contract = 'Two year' AND NOT held_out;
COMMENT ON VIEW demo.telco_two_year IS 'Two-year subscribers to train on.';

-- The food licences as the city knew them on 31 December 2015: who had entered by then, seen until then, and only columns
-- known at entry. The other kinds are left out: most had lapsed by then, so their past says nothing of the rest.
CREATE VIEW demo.licences_2015 AS
SELECT license_number, kind, application_type, outdoor_patio, public_place_of_amusement, limited_business_license, entry_days,
       least(exit_days, DATE '2015-12-31' - first_term_start) AS days,
       lapsed AND first_term_start + exit_days <= DATE '2015-12-31' AS lapsed
FROM demo.licences
WHERE first_term_start + entry_days < DATE '2015-12-31' AND kind <> 'Not retail food';
COMMENT ON VIEW demo.licences_2015 IS 'The food licences as known on 31 December 2015.';
COMMENT ON COLUMN demo.licences_2015.entry_days IS 'Age in days when it entered the data.';
COMMENT ON COLUMN demo.licences_2015.days IS 'Age in days when it lapsed, or on 31 December 2015.';
COMMENT ON COLUMN demo.licences_2015.lapsed IS 'Had lapsed by 31 December 2015.';

-- The SaaS company's contracts. What a contract does may be explained only by what was known before it did: features are
-- counted up to its 30th day (the landmark), and it is at risk from that day on (known_from). One that ended earlier has
-- no known_from.
CREATE VIEW demo.contracts AS
SELECT s.subscription_id AS contract_id, s.account_id, a.account_name, a.industry, a.country, a.referral_source,
       s.plan_tier AS plan, s.seats, s.billing_frequency AS billing, s.auto_renew_flag AS auto_renew, s.is_trial, s.mrr_amount AS mrr,
       s.start_date, s.end_date,
       (coalesce(s.end_date, DATE '2024-12-31') - s.start_date) / 30.4375::double precision AS months,
       CASE WHEN coalesce(s.end_date, DATE '2024-12-31') > s.start_date + 30 THEN 30 / 30.4375::double precision END AS known_from,
       s.churn_flag AS churned,
       coalesce(u.uses, 0) AS usage_per_month, coalesce(u.errors, 0) AS errors_per_month,
       t.tickets, t.escalations,
       t.notices
FROM demo.subscriptions s
JOIN demo.accounts a USING (account_id)
LEFT JOIN (
    SELECT f.subscription_id, sum(f.usage_count) AS uses, sum(f.error_count) AS errors
    FROM demo.feature_usage f JOIN demo.subscriptions s USING (subscription_id)
    WHERE f.usage_date >= s.start_date AND f.usage_date < s.start_date + 30
    GROUP BY f.subscription_id
) u USING (subscription_id)
JOIN (
    SELECT s.subscription_id, count(*) FILTER (WHERE p.kind <> 'notice') AS tickets, count(*) FILTER (WHERE p.kind = 'escalation') AS escalations,
           count(*) FILTER (WHERE p.kind = 'notice') AS notices
    FROM demo.subscriptions s
    LEFT JOIN (SELECT account_id, submitted_at::date AS happened_on, CASE WHEN escalation_flag THEN 'escalation' ELSE 'ticket' END AS kind FROM demo.support_tickets
               UNION ALL SELECT account_id, churn_date, 'notice' FROM demo.churn_events) p
           ON p.account_id = s.account_id AND p.happened_on >= s.start_date - 150 AND p.happened_on < s.start_date + 30
    GROUP BY s.subscription_id
) t USING (subscription_id);
COMMENT ON VIEW demo.contracts IS 'One row per subscription of the SaaS company as of 31 December 2024, its features counted up to its 30th day.';
COMMENT ON COLUMN demo.contracts.months IS 'Months until it ended, or until 31 December 2024.';
COMMENT ON COLUMN demo.contracts.known_from IS 'Age in months from which its features are known: 30 days; NULL when it is not so old.';
COMMENT ON COLUMN demo.contracts.churned IS 'Has ended: the event.';
COMMENT ON COLUMN demo.contracts.mrr IS 'US dollars a month.';
COMMENT ON COLUMN demo.contracts.usage_per_month IS 'Uses of any feature in its first 30 days.';
COMMENT ON COLUMN demo.contracts.errors_per_month IS 'Errors met in its first 30 days.';
COMMENT ON COLUMN demo.contracts.tickets IS 'The account''s tickets in the 180 days up to the 30th day.';
COMMENT ON COLUMN demo.contracts.escalations IS 'Those that were escalated.';
COMMENT ON COLUMN demo.contracts.notices IS 'How often the account told that it was leaving in those 180 days.';

ANALYZE demo.telco, demo.licences, demo.small_businesses, demo.accounts, demo.subscriptions, demo.feature_usage, demo.support_tickets, demo.churn_events;
RESET client_min_messages;
