-- Seed tables of Fivetran's dbt packages, with the types that the connector lands: \ir ../dbt_seeds.sql with the variable data set to tests/data.
-- Columns that the mappings read and a seed leaves out are added, empty. Provenance and licence: tests/data/PROVENANCE.md.
CREATE SCHEMA dbt_stripe;
CREATE TABLE dbt_stripe.customer (id text, _fivetran_synced text, account_balance text, address_city text, address_country text, address_line_1 text,
    address_line_2 text, address_postal_code text, address_state text, balance text, bank_account_id text, created timestamptz, currency text,
    default_card_id text, delinquent text, description text, email text, invoice_prefix text, invoice_settings_default_payment_method text,
    invoice_settings_footer text, is_deleted boolean, livemode boolean, name text, phone text, shipping_address_city text, shipping_address_country
    text, shipping_address_line_1 text, shipping_address_line_2 text, shipping_address_postal_code text, shipping_address_state text, shipping_carrier
    text, shipping_name text, shipping_phone text, shipping_tracking_number text, source_id text, tax_exempt text, tax_info_tax_id text, tax_info_type
    text, tax_info_verification_status text, tax_info_verification_verified_name text, metadata text);
CREATE TABLE dbt_stripe.subscription_history (id text, _fivetran_synced text, _fivetran_active boolean, application_fee_percent text, billing text,
    billing_cycle_anchor text, billing_threshold_amount_gte text, billing_threshold_reset_billing_cycle_anchor text, cancel_at timestamptz,
    cancel_at_period_end boolean, canceled_at timestamptz, created timestamptz, current_period_end timestamptz, current_period_start timestamptz,
    customer_id text, days_until_due text, default_source_id text, ended_at timestamptz, livemode boolean, metadata text, quantity float8, start_date
    timestamptz, status text, tax_percent text, trial_end timestamptz, trial_start timestamptz, _fivetran_start timestamptz, _fivetran_end
    timestamptz, pause_collection_behavior text, pause_collection_resumes_at text);
CREATE TABLE dbt_stripe.subscription_discount (id text, _fivetran_synced text, checkout_session text, coupon_id text, customer_id text, "end"
    timestamptz, invoice_id text, invoice_item_id text, start timestamptz, subscription_id text);
CREATE TABLE dbt_stripe.coupon (id text, amount_off float8, created timestamptz, currency text, duration text, duration_in_months int, livemode
    boolean, max_redemptions text, metadata text, name text, percent_off float8, redeem_by text, times_redeemed text, valid text, _fivetran_synced
    text);
CREATE TABLE dbt_stripe.price (id text, _fivetran_synced text, active text, billing_scheme text, created timestamptz, currency text, invoice_item_id
    text, is_deleted boolean, livemode boolean, lookup_key text, metadata text, nickname text, product_id text, recurring_aggregate_usage text,
    recurring_interval text, recurring_interval_count int, recurring_usage_type text, tiers_mode text, transform_quantity_divide_by text,
    transform_quantity_round text, type text, unit_amount bigint, unit_amount_decimal text);
CREATE TABLE dbt_stripe.invoice (id text, _fivetran_synced text, amount bigint, currency text, customer_id text, due_date text, description text,
    discountable text, invoice_id text, is_deleted boolean, livemode boolean, period_end timestamptz, period_start timestamptz, proration boolean,
    quantity bigint, subscription_id text, subscription_item_id text, unit_amount bigint, default_payment_method_id text, amount_due text, amount_paid
    text, amount_remaining text, post_payment_credit_notes_amount text, pre_payment_credit_notes_amount text, subtotal bigint, tax text, total text,
    attempt_count text, auto_advance text, billing_reason text, metadata text, number text, paid text, receipt_number text, status text,
    source_relation text, created timestamptz);
CREATE TABLE dbt_stripe.invoice_line_item (id text, invoice_id text, _fivetran_synced text, amount bigint, currency text, description text,
    discountable text, livemode boolean, period_end timestamptz, period_start timestamptz, plan_id text, proration boolean, quantity bigint,
    subscription_id text, subscription_item_id text, type text, unique_id text, metadata text, unit_amount_excluding_tax text, price_id text);
CREATE SCHEMA dbt_recurly;
CREATE TABLE dbt_recurly.subscription_history (_fivetran_synced text, id text, created_at timestamptz, updated_at timestamptz, activated_at
    timestamptz, canceled_at timestamptz, expires_at timestamptz, account_id text, plan_id text, object text, uuid text, state text,
    current_period_started_at timestamptz, current_period_ends_at timestamptz, current_term_started_at timestamptz, current_term_ends_at timestamptz,
    trial_started_at timestamptz, trial_ends_at timestamptz, remaining_billing_cycles text, total_billing_cycles int, renewal_billing_cycles text,
    auto_renew boolean, paused_at timestamptz, remaining_pause_cycles text, currency text, unit_amount float8, quantity float8, add_ons_total float8,
    subtotal float8, collection_method text, expiration_reason text);
CREATE TABLE dbt_recurly.plan_history (_fivetran_synced text, id text, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, code
    text, state text, name text, description text, interval_unit text, interval_length int, trial_unit text, trial_length text, total_billing_cycles
    int, auto_renew boolean, accounting_code text, setup_fee_accounting_code text, tax_code text, tax_exempt text);
CREATE TABLE dbt_recurly.account_history (_fivetran_synced text, id text, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, code
    text, bill_to text, state text, username text, account_first_name text, account_last_name text, email text, cc_emails text, company text,
    vat_number text, tax_exempt text, account_country text);
CREATE TABLE dbt_recurly.coupon_redemption_history (id text, updated_at timestamptz, _fivetran_synced text, account_id text, coupon_id text,
    created_at timestamptz, currency text, discounted float8, removed_at timestamptz, state text);
CREATE TABLE dbt_recurly.coupon_discount (coupon_id text, fivetran_id text, _fivetran_synced text, amount float8, currency text, percentage float8,
    trial_length text, trial_unit text, type text);
CREATE SCHEMA dbt_zuora;
CREATE TABLE dbt_zuora.account (id text, _fivetran_deleted boolean, _fivetran_synced text, account_number text, additional_email_addresses text,
    allow_invoice_edit text, auto_pay text, balance text, bcd_setting_option text, bill_cycle_day text, bill_to_contact_id text, bill_to_id text,
    communication_profile_id text, created_by_id text, created_date timestamptz, credit_balance text, crm_id text, currency text,
    customer_service_rep_name text, default_payment_method_id text, invoice_delivery_prefs_email text, invoice_delivery_prefs_print text,
    invoice_template_id text, last_invoice_date text, mrr float8, name text, notes text, parent_account_id text, parent_id text, payment_gateway text,
    payment_term text, purchase_order_number text, sales_rep_name text, sequence_set_id text, sold_to_contact_id text, sold_to_id text, status text,
    tax_company_code text, tax_exempt_certificate_id text, tax_exempt_certificate_type text, tax_exempt_description text, tax_exempt_effective_date
    text, tax_exempt_entity_use_code text, tax_exempt_expiration_date text, tax_exempt_issuing_jurisdiction text, tax_exempt_status text,
    testcustom_1_c text, testcustom_2_c text, total_debit_memo_balance text, total_invoice_balance text, unapplied_balance text,
    unapplied_credit_memo_amount text, updated_by_id text, updated_date timestamptz, vatid text, batch text);
CREATE TABLE dbt_zuora.subscription (id text, _fivetran_deleted boolean, _fivetran_synced text, account_id text, auto_renew boolean,
    bill_to_contact_id text, cancelled_date date, contract_acceptance_date text, contract_effective_date text, cpq_bundle_json_id_qt text,
    created_by_id text, created_date timestamptz, creator_account_id text, creator_invoice_owner_id text, current_term text, current_term_period_type
    text, default_payment_method_id text, initial_term text, initial_term_period_type text, invoice_owner_id text, is_invoice_separate text, name
    text, notes text, opportunity_close_date_qt text, opportunity_name_qt text, original_created_date text, original_id text, parent_account_id text,
    previous_subscription_id text, quote_business_type_qt text, quote_number_qt text, quote_type_qt text, renewal_setting text, renewal_term text,
    renewal_term_period_type text, service_activation_date text, sold_to_contact_id text, status text, subscription_end_date text,
    subscription_start_date text, subscription_version_amendment_id text, term_end_date date, term_start_date date, term_type text, updated_by_id
    text, updated_date timestamptz, version int, is_latest_version boolean, cancel_reason text, externally_managed_by text, payment_term text,
    testcustomaakash_c text, last_booking_date text, revision text, custom_date_field_c text, invoice_template_id text, sequence_set_id text);
CREATE TABLE dbt_zuora.rate_plan_charge (id text, _fivetran_deleted boolean, _fivetran_synced text, account_id text,
    account_receivable_accounting_code_id text, accounting_code text, amended_by_order_on text, amendment_id text, apply_discount_to text,
    bill_cycle_day text, bill_cycle_type text, bill_to_contact_id text, bill_to_contact_snapshot_id text, billing_period text,
    billing_period_alignment text, billing_timing text, booking_exchange_rate text, booking_exchange_rate_date text,
    booking_provider_exchange_rate_date text, charge_model text, charge_number text, charge_type text, charged_through_date text, created_by_id text,
    created_date timestamptz, default_payment_method_id text, deferred_revenue_accounting_code_id text, description text, discount_level text, dmrc
    text, dmrccurrency_rounding text, dmrchome_currency text, drawdown_rate text, drawdown_uom text, dtcv text, dtcvcurrency_rounding text,
    dtcvhome_currency text, effective_end_date date, effective_start_date date, end_date_condition text, exchange_rate float8, exchange_rate_date
    date, exclude_item_billing_from_revenue_accounting text, exclude_item_booking_from_revenue_accounting text, home_currency text, is_last_segment
    text, is_prepaid text, is_processed text, list_price_base text, mrr float8, mrrcurrency_rounding text, mrrhome_currency text, name text,
    number_of_periods text, original_id text, original_order_date text, overage_calculation_option text, overage_unused_units_credit_option text,
    parent_account_id text, payment_term_snapshot text, prepaid_operation_type text, prepaid_quantity text, prepaid_total_quantity text, prepaid_uom
    text, price_change_option text, price_increase_percentage text, processed_through_date text, product_id text, product_rate_plan_charge_id text,
    product_rate_plan_id text, provider_exchange_rate_date text, quantity float8, rate_plan_id text, rating_group text,
    recognized_revenue_accounting_code_id text, rev_rec_code text, rev_rec_trigger_condition text, revenue_recognition_rule_name text, segment int,
    sold_to_contact_id text, sold_to_contact_snapshot_id text, specific_billing_period float8, specific_end_date text, subscription_id text, tcv
    float8, tcvcurrency_rounding text, tcvhome_currency text, transaction_currency text, trigger_date text, trigger_event text, uom text,
    up_to_periods text, up_to_periods_type text, updated_by_id text, updated_date timestamptz, validity_period_type text, version int,
    weekly_bill_cycle_day text, invoice_owner_id text, subscription_owner_id text, credit_option text, rollover_apply text, rollover_periods text,
    is_rollover text, specific_list_price_base text);
CREATE TABLE dbt_zuora.amendment (id text, _fivetran_deleted boolean, _fivetran_synced text, auto_renew boolean, booking_date text, code text,
    contract_effective_date text, created_by_id text, created_date timestamptz, current_term text, current_term_period_type text,
    customer_acceptance_date text, description text, effective_date text, effective_policy text, name text, new_rate_plan_id text,
    removed_rate_plan_id text, renewal_setting text, renewal_term text, renewal_term_period_type text, resume_date date, service_activation_date text,
    specific_update_date text, status text, sub_type text, subscription_id text, suspend_date date, term_start_date date, term_type text, type text,
    updated_by_id text, updated_date timestamptz);
CREATE SCHEMA dbt_salesforce;
CREATE TABLE dbt_salesforce.account (_fivetran_synced text, account_number text, account_source text, annual_revenue text, billing_city text,
    billing_country text, billing_country_code text, billing_geocode_accuracy text, billing_latitude text, billing_longitude text, billing_postal_code
    text, billing_state text, billing_state_code text, billing_street text, description text, fax text, id text, industry text, is_deleted boolean,
    jigsaw_company_id text, last_activity_date text, last_referenced_date text, last_viewed_date text, master_record_id text, name text,
    number_of_employees text, owner_id text, ownership text, parent_id text, phone text, photo_url text, rating text, record_type_id text,
    shipping_city text, shipping_country text, shipping_country_code text, shipping_geocode_accuracy text, shipping_latitude text, shipping_longitude
    text, shipping_postal_code text, shipping_state text, shipping_state_code text, shipping_street text, sic text, sic_desc text, site text,
    ticker_symbol text, type text, website text, _fivetran_active boolean);
CREATE TABLE dbt_salesforce.opportunity (_fivetran_synced text, account_id text, amount float8, campaign_id text, close_date date, created_date
    timestamptz, description text, expected_revenue text, fiscal text, fiscal_quarter text, fiscal_year text, forecast_category text,
    forecast_category_name text, has_open_activity text, has_opportunity_line_item text, has_overdue_task text, id text, is_closed boolean, is_deleted
    boolean, is_excluded_from_territory_2_filter text, is_won boolean, last_activity_date text, last_referenced_date text, last_viewed_date text,
    lead_source text, name text, next_step text, owner_id text, pricebook_2_id text, probability text, record_type_id text, stage_name text,
    synced_quote_id text, territory_2_id text, type text, _fivetran_active boolean, sbqq_renewed_contract_c text);
CREATE SCHEMA dbt_hubspot;
CREATE TABLE dbt_hubspot.deal (deal_id bigint, is_deleted boolean, deal_pipeline_id text, deal_pipeline_stage_id text, owner_id text, portal_id text,
    property_dealname text, property_description text, property_amount float8, property_closedate timestamptz, property_createdate timestamptz);
CREATE TABLE dbt_hubspot.deal_company (company_id bigint, deal_id bigint, type_id text, category text);
CREATE TABLE dbt_hubspot.deal_pipeline_stage (_fivetran_deleted boolean, _fivetran_synced text, active text, closed_won boolean, is_closed boolean,
    display_order text, probability text, stage_id text, label text, pipeline_id text, created_at timestamptz, updated_at timestamptz);
CREATE TABLE dbt_hubspot.deal_stage (_fivetran_start timestamptz, deal_id bigint, _fivetran_active boolean, _fivetran_end timestamptz,
    _fivetran_synced text, date_entered timestamptz, source text, source_id text, value text);
CREATE TABLE dbt_hubspot.merged_deal (deal_id bigint, merged_deal_id bigint, _fivetran_synced text);
CREATE TABLE dbt_hubspot.company (id bigint, is_deleted boolean, _fivetran_synced text, property_name text, property_description text,
    property_createdate timestamptz, property_industry text, property_address text, property_address_2 text, property_city text, property_state text,
    property_country text, property_annualrevenue text, "property_hs_all-funky-a9384-syntax" text);
CREATE SCHEMA dbt_recharge;
CREATE TABLE dbt_recharge.charge (id text, address_id text, customer_id text, customer_hash text, note text, created_at timestamptz, updated_at
    timestamptz, processed_at text, scheduled_at timestamptz, orders_count text, external_order_id_ecommerce text, subtotal_price text, tags text,
    tax_lines text, total_discounts text, total_line_items_price text, total_price float8, total_tax text, total_weight_grams text, type text, status
    text, total_refunds text, external_transaction_id_payment_processor text, email text, payment_processor text, has_uncommited_changes text,
    retry_date text, error_type text, error text, charge_attempts text, external_variant_id_not_found text, client_details_browser_ip text,
    client_details_user_agent text, _fivetran_synced text, last_charge_attempt_date text, _fivetran_deleted boolean);
\cd :data
\copy dbt_stripe.customer from 'dbt_seeds/dbt_stripe/customer.csv' with (format csv, header)
\copy dbt_stripe.subscription_history (id, _fivetran_synced, _fivetran_active, application_fee_percent, billing, billing_cycle_anchor, billing_threshold_amount_gte, billing_threshold_reset_billing_cycle_anchor, cancel_at, cancel_at_period_end, canceled_at, created, current_period_end, current_period_start, customer_id, days_until_due, default_source_id, ended_at, livemode, metadata, quantity, start_date, status, tax_percent, trial_end, trial_start) from 'dbt_seeds/dbt_stripe/subscription_history.csv' with (format csv, header)
\copy dbt_stripe.subscription_discount from 'dbt_seeds/dbt_stripe/subscription_discount.csv' with (format csv, header)
\copy dbt_stripe.coupon from 'dbt_seeds/dbt_stripe/coupon.csv' with (format csv, header)
\copy dbt_stripe.price from 'dbt_seeds/dbt_stripe/price.csv' with (format csv, header)
\copy dbt_stripe.invoice (id, _fivetran_synced, amount, currency, customer_id, due_date, description, discountable, invoice_id, is_deleted, livemode, period_end, period_start, proration, quantity, subscription_id, subscription_item_id, unit_amount, default_payment_method_id, amount_due, amount_paid, amount_remaining, post_payment_credit_notes_amount, pre_payment_credit_notes_amount, subtotal, tax, total, attempt_count, auto_advance, billing_reason, metadata, number, paid, receipt_number, status, source_relation) from 'dbt_seeds/dbt_stripe/invoice.csv' with (format csv, header)
\copy dbt_stripe.invoice_line_item (id, invoice_id, _fivetran_synced, amount, currency, description, discountable, livemode, period_end, period_start, plan_id, proration, quantity, subscription_id, subscription_item_id, type, unique_id, metadata, unit_amount_excluding_tax) from 'dbt_seeds/dbt_stripe/invoice_line_item.csv' with (format csv, header)
\copy dbt_recurly.subscription_history from 'dbt_seeds/dbt_recurly/subscription_history.csv' with (format csv, header)
\copy dbt_recurly.plan_history from 'dbt_seeds/dbt_recurly/plan_history.csv' with (format csv, header)
\copy dbt_recurly.account_history from 'dbt_seeds/dbt_recurly/account_history.csv' with (format csv, header)
\copy dbt_recurly.coupon_redemption_history from 'dbt_seeds/dbt_recurly/coupon_redemption_history.csv' with (format csv, header)
\copy dbt_recurly.coupon_discount from 'dbt_seeds/dbt_recurly/coupon_discount.csv' with (format csv, header)
\copy dbt_zuora.account from 'dbt_seeds/dbt_zuora/account.csv' with (format csv, header)
\copy dbt_zuora.subscription from 'dbt_seeds/dbt_zuora/subscription.csv' with (format csv, header)
\copy dbt_zuora.rate_plan_charge from 'dbt_seeds/dbt_zuora/rate_plan_charge.csv' with (format csv, header)
\copy dbt_zuora.amendment from 'dbt_seeds/dbt_zuora/amendment.csv' with (format csv, header)
\copy dbt_salesforce.account from 'dbt_seeds/dbt_salesforce/account.csv' with (format csv, header)
\copy dbt_salesforce.opportunity (_fivetran_synced, account_id, amount, campaign_id, close_date, created_date, description, expected_revenue, fiscal, fiscal_quarter, fiscal_year, forecast_category, forecast_category_name, has_open_activity, has_opportunity_line_item, has_overdue_task, id, is_closed, is_deleted, is_excluded_from_territory_2_filter, is_won, last_activity_date, last_referenced_date, last_viewed_date, lead_source, name, next_step, owner_id, pricebook_2_id, probability, record_type_id, stage_name, synced_quote_id, territory_2_id, type, _fivetran_active) from 'dbt_seeds/dbt_salesforce/opportunity.csv' with (format csv, header)
\copy dbt_hubspot.deal from 'dbt_seeds/dbt_hubspot/deal.csv' with (format csv, header)
\copy dbt_hubspot.deal_company from 'dbt_seeds/dbt_hubspot/deal_company.csv' with (format csv, header)
\copy dbt_hubspot.deal_pipeline_stage from 'dbt_seeds/dbt_hubspot/deal_pipeline_stage.csv' with (format csv, header)
\copy dbt_hubspot.deal_stage from 'dbt_seeds/dbt_hubspot/deal_stage.csv' with (format csv, header)
\copy dbt_hubspot.merged_deal from 'dbt_seeds/dbt_hubspot/merged_deal.csv' with (format csv, header)
\copy dbt_hubspot.company from 'dbt_seeds/dbt_hubspot/company.csv' with (format csv, header)
\copy dbt_recharge.charge from 'dbt_seeds/dbt_recharge/charge.csv' with (format csv, header)
