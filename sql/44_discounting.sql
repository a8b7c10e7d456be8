-- Discounting: present values and internal rates of given cash flows, day counts, rates.

CREATE TYPE ltv.dated_cash;
CREATE FUNCTION ltv.dated_cash_in(cstring) RETURNS ltv.dated_cash LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dated_cash_in_wrapper';
CREATE FUNCTION ltv.dated_cash_out(ltv.dated_cash) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dated_cash_out_wrapper';
CREATE FUNCTION ltv.dated_cash_recv(internal) RETURNS ltv.dated_cash LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dated_cash_recv_wrapper';
CREATE FUNCTION ltv.dated_cash_send(ltv.dated_cash) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dated_cash_send_wrapper';
CREATE TYPE ltv.dated_cash (
    INPUT = ltv.dated_cash_in, OUTPUT = ltv.dated_cash_out, RECEIVE = ltv.dated_cash_recv, SEND = ltv.dated_cash_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.dated_cash IS 'Cash by the day it is paid: the exact sum of each date (dated_cash_agg; mergeable by rollup). xnpv, xirr, total and reached_on read it.';
COMMENT ON FUNCTION ltv.dated_cash_in(cstring) IS 'Reads the text form of dated cash; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.dated_cash_out(ltv.dated_cash) IS 'The text form of dated cash: JSON, the amounts exact.';
COMMENT ON FUNCTION ltv.dated_cash_recv(internal) IS 'Reads the binary form of dated cash, fully checked.';
COMMENT ON FUNCTION ltv.dated_cash_send(ltv.dated_cash) IS 'The binary form of dated cash.';

-- Rates and times.

CREATE FUNCTION ltv.year_fraction(from_date date, to_date date, day_count text DEFAULT 'ACT/365F') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'year_fraction';
COMMENT ON FUNCTION ltv.year_fraction(date, date, text) IS 'Years from from_date to to_date, negative when to_date is the earlier. day_count: ACT/365F days / 365 (spreadsheets'' XNPV); ACT/360; ACT/ACT days in leap years / 366, others / 365 (ISDA); 30/360 bond basis (ISDA 2006, 4.16(f)); 30U/360 the same with the US rule for the end of February (YEARFRAC''s basis 0); 30E/360 Eurobond. Errors 22023.';
CREATE FUNCTION ltv.discount_factor(years double precision, rate double precision, compounding text DEFAULT 'annual') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'discount_factor';
COMMENT ON FUNCTION ltv.discount_factor(double precision, double precision, text) IS 'The value now of 1 paid in so many years; a negative time adds interest. compounding: annual, (1 + rate)^-years, the effective rate; semiannual, quarterly, monthly, weekly or daily, a nominal rate a year; per-quarter, per-month, per-week or per-day, the effective rate of that period; continuous; simple, 1 / (1 + rate x years). Errors 22023; 22003 when it is too large.';
CREATE FUNCTION ltv.convert_rate(rate double precision, from_compounding text, to_compounding text) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'convert_rate';
COMMENT ON FUNCTION ltv.convert_rate(double precision, text, text) IS 'The same rate quoted another way: convert_rate(0.10, ''annual'', ''per-month'') is 0.00797, not 0.10 / 12. The names as in discount_factor, simple excepted. Spreadsheets: EFFECT(r, 4) is from quarterly to annual, NOMINAL(r, 4) from annual to quarterly. Errors 22023.';
CREATE FUNCTION ltv.annual_churn(monthly_churn double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'annual_churn';
COMMENT ON FUNCTION ltv.annual_churn(double precision) IS 'The share lost in a year of what loses this share in a month: 1 - (1 - m)^12, never 12 m. A share of at most 1; negative for net revenue that grows. Errors 22023.';
CREATE FUNCTION ltv.monthly_churn(annual_churn double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'monthly_churn';
COMMENT ON FUNCTION ltv.monthly_churn(double precision) IS 'The share lost in a month of what loses this share in a year: 1 - (1 - a)^(1/12). Errors 22023.';

-- Flows in an array.

CREATE FUNCTION ltv.npv(cash numeric[], rate double precision, timing text DEFAULT 'arrears', currency text DEFAULT NULL, digits integer DEFAULT NULL) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'npv_array';
COMMENT ON FUNCTION ltv.npv(numeric[], double precision, text, text, integer) IS 'The present value of one flow in each period at rate a period. timing: arrears, the first flow at the end of period 1, as the spreadsheets'' NPV; advance, the first flow now; mid-period. Rounded once, to the decimals of currency, or digits, or 2; halves away from zero. NULL for no flows and a NULL cash, rate or timing. Errors: 22004 for a NULL flow, 22023, 22003.';
CREATE FUNCTION ltv.irr(cash numeric[], guess double precision DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'irr_array';
COMMENT ON FUNCTION ltv.irr(numeric[], double precision) IS 'The rate a period at which flows of periods 0, 1, 2 ... are worth nothing. NULL when there is none, or more than one and no guess: irr_rates lists them. guess chooses the nearest of several, and is not needed to find one. Errors: 22004 for a NULL flow, 22023, 22003.';
CREATE FUNCTION ltv.irr_rates(cash numeric[]) RETURNS TABLE (root integer, rate double precision)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1 AS 'MODULE_PATHNAME', 'irr_rates_array';
COMMENT ON FUNCTION ltv.irr_rates(numeric[]) IS 'All rates of irr, rising, numbered from 1: none when no flow goes against the others, several only when the flows change direction more than once. Found by branch and bound between e^-36 - 1 and e^700 - 1 (Moore, Kearfott & Cloud 2009, chapter 8), so none is missed; two within 1e-7 of each other are one.';
CREATE FUNCTION ltv.xnpv(cash numeric[], dates date[], rate double precision, as_of date DEFAULT NULL, day_count text DEFAULT 'ACT/365F', currency text DEFAULT NULL, digits integer DEFAULT NULL) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'xnpv_array';
COMMENT ON FUNCTION ltv.xnpv(numeric[], date[], double precision, date, text, text, integer) IS 'The present value on as_of of dated flows at an effective annual rate: sum of amount x (1 + rate)^-year_fraction(as_of, date). as_of NULL: the first date of the array, as the spreadsheets'' XNPV. Earlier flows earn interest (Excel refuses them, LibreOffice does not). Flows are added up exactly; rounded once, to the decimals of currency, or digits, or 2. NULL for no flows and a NULL cash, dates, rate or day_count. Errors: 22004 for a NULL flow or date, 22023, 22003.';
CREATE FUNCTION ltv.xirr(cash numeric[], dates date[], day_count text DEFAULT 'ACT/365F', guess double precision DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'xirr_array';
COMMENT ON FUNCTION ltv.xirr(numeric[], date[], text, double precision) IS 'The effective annual rate at which dated flows are worth nothing, as the spreadsheets'' XIRR. NULL when there is none, or more than one and no guess: xirr_rates lists them. Errors: 22004 for a NULL flow or date, 22023, 22003.';
CREATE FUNCTION ltv.xirr_rates(cash numeric[], dates date[], day_count text DEFAULT 'ACT/365F') RETURNS TABLE (root integer, rate double precision)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1 AS 'MODULE_PATHNAME', 'xirr_rates_array';
COMMENT ON FUNCTION ltv.xirr_rates(numeric[], date[], text) IS 'All rates of xirr, rising, as irr_rates.';

-- Flows in rows.

CREATE FUNCTION ltv._dated_cash_add(state ltv.dated_cash, amount numeric, paid_on date) RETURNS ltv.dated_cash
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'dated_cash_add';
COMMENT ON FUNCTION ltv._dated_cash_add(ltv.dated_cash, numeric, date) IS 'Transition function of dated_cash_agg and xirr.';
CREATE FUNCTION ltv._dated_cash_add(state ltv.dated_cash, rate double precision, amount numeric, paid_on date) RETURNS ltv.dated_cash
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'dated_cash_add_rate';
COMMENT ON FUNCTION ltv._dated_cash_add(ltv.dated_cash, double precision, numeric, date) IS 'Transition function of xnpv.';
CREATE FUNCTION ltv._dated_cash_add(state ltv.dated_cash, rate double precision, amount numeric, paid_on date, as_of date) RETURNS ltv.dated_cash
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'dated_cash_add_rate_as_of';
COMMENT ON FUNCTION ltv._dated_cash_add(ltv.dated_cash, double precision, numeric, date, date) IS 'Transition function of xnpv with a valuation date.';
CREATE FUNCTION ltv._dated_cash_combine(state ltv.dated_cash, other ltv.dated_cash) RETURNS ltv.dated_cash
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'dated_cash_combine';
COMMENT ON FUNCTION ltv._dated_cash_combine(ltv.dated_cash, ltv.dated_cash) IS 'Combine function of the aggregates over dated cash, transition function of rollup.';
CREATE FUNCTION ltv._dated_cash_final(state ltv.dated_cash) RETURNS ltv.dated_cash
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'dated_cash_final';
COMMENT ON FUNCTION ltv._dated_cash_final(ltv.dated_cash) IS 'Final function of dated_cash_agg: the same rows in any order give the same bytes.';
CREATE FUNCTION ltv._xnpv_final(state ltv.dated_cash) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'xnpv_final';
COMMENT ON FUNCTION ltv._xnpv_final(ltv.dated_cash) IS 'Final function of xnpv.';
CREATE FUNCTION ltv._xirr_final(state ltv.dated_cash) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'xirr_final';
COMMENT ON FUNCTION ltv._xirr_final(ltv.dated_cash) IS 'Final function of xirr.';

CREATE AGGREGATE ltv.dated_cash_agg(amount numeric, paid_on date) (
    SFUNC = ltv._dated_cash_add, STYPE = ltv.dated_cash, SSPACE = 512, FINALFUNC = ltv._dated_cash_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._dated_cash_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.dated_cash_agg(numeric, date) IS 'Gathers payments as exact sums by date. amount: below 10^20, sixteen decimals count; paid_on: finite. Rows with a NULL are left out and counted by skipped(). Errors 22023, 22003, 53200.';
CREATE AGGREGATE ltv.xnpv(rate double precision, amount numeric, paid_on date) (
    SFUNC = ltv._dated_cash_add, STYPE = ltv.dated_cash, SSPACE = 512, FINALFUNC = ltv._xnpv_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._dated_cash_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.xnpv(double precision, numeric, date) IS 'The present value of the rows'' payments on the earliest date among them (rows have no order, so there is no first), at an effective annual rate, the same in all rows, by ACT/365F, rounded once to two decimals: a spreadsheet''s XNPV whose first date is the earliest. Rows with a NULL are left out. xnpv(dated_cash_agg(amount, paid_on), rate, ...) has the options. NULL for no rows. Errors 22023, 22003, 53200.';
CREATE AGGREGATE ltv.xnpv(rate double precision, amount numeric, paid_on date, as_of date) (
    SFUNC = ltv._dated_cash_add, STYPE = ltv.dated_cash, SSPACE = 512, FINALFUNC = ltv._xnpv_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._dated_cash_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.xnpv(double precision, numeric, date, date) IS 'As xnpv(rate, amount, paid_on) on as_of, the same in all rows. Payments before as_of earn interest.';
CREATE AGGREGATE ltv.xirr(amount numeric, paid_on date) (
    SFUNC = ltv._dated_cash_add, STYPE = ltv.dated_cash, SSPACE = 512, FINALFUNC = ltv._xirr_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._dated_cash_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.xirr(numeric, date) IS 'The effective annual rate at which the rows'' payments are worth nothing, by ACT/365F. NULL when there is none or more than one: xirr_rates(dated_cash_agg(amount, paid_on)) lists them. Rows with a NULL are left out. Errors 22023, 22003, 53200.';
CREATE AGGREGATE ltv.rollup(cash ltv.dated_cash) (
    SFUNC = ltv._dated_cash_combine, STYPE = ltv.dated_cash, SSPACE = 32768, FINALFUNC = ltv._dated_cash_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._dated_cash_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.dated_cash) IS 'Adds up cash of disjoint rows, exactly as if dated_cash_agg had seen all of them.';

CREATE FUNCTION ltv.xnpv(cash ltv.dated_cash, rate double precision, as_of date DEFAULT NULL, day_count text DEFAULT 'ACT/365F', currency text DEFAULT NULL, digits integer DEFAULT NULL) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'xnpv_cash';
COMMENT ON FUNCTION ltv.xnpv(ltv.dated_cash, double precision, date, text, text, integer) IS 'The present value on as_of (NULL: the earliest date) of gathered payments, as xnpv(cash, dates, rate, ...).';
CREATE FUNCTION ltv.xirr(cash ltv.dated_cash, day_count text DEFAULT 'ACT/365F', guess double precision DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'xirr_cash';
COMMENT ON FUNCTION ltv.xirr(ltv.dated_cash, text, double precision) IS 'The internal rate of gathered payments, as xirr(cash, dates, ...).';
CREATE FUNCTION ltv.xirr_rates(cash ltv.dated_cash, day_count text DEFAULT 'ACT/365F') RETURNS TABLE (root integer, rate double precision)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1 AS 'MODULE_PATHNAME', 'xirr_rates_cash';
COMMENT ON FUNCTION ltv.xirr_rates(ltv.dated_cash, text) IS 'All internal rates of gathered payments, rising, as irr_rates.';
CREATE FUNCTION ltv.total(cash ltv.dated_cash) RETURNS numeric
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'dated_cash_total';
COMMENT ON FUNCTION ltv.total(ltv.dated_cash) IS 'The exact sum of gathered payments; NULL for none.';
CREATE FUNCTION ltv.reached_on(cash ltv.dated_cash, threshold numeric) RETURNS date
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'dated_cash_reached_on';
COMMENT ON FUNCTION ltv.reached_on(ltv.dated_cash, numeric) IS 'The first date by whose end the total of gathered payments has reached threshold: when a cost was earned back. NULL when it never does.';
CREATE FUNCTION ltv.dated_flows(cash ltv.dated_cash) RETURNS TABLE (paid_on date, amount numeric)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 100 AS 'MODULE_PATHNAME', 'dated_cash_flows';
COMMENT ON FUNCTION ltv.dated_flows(ltv.dated_cash) IS 'Gathered payments as rows: each date in order, with its exact sum.';
CREATE FUNCTION ltv.skipped(cash ltv.dated_cash) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'dated_cash_skipped';
COMMENT ON FUNCTION ltv.skipped(ltv.dated_cash) IS 'Rows that dated_cash_agg left out because something in them was NULL.';

