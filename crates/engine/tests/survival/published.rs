//! Numbers that R `survival` 3.5-3, lifelines and textbooks print, beyond what the golden files hold.
//!
//! Each is named by its origin. Where a source prints fewer digits the tolerance says so.

use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Sample;
use ltv_engine::survival::kaplan_meier::Transform;
use ltv_engine::survival::log_rank::{LogRank, Weighting, log_rank};

use crate::golden_support::{Subject, case, number, table};
use crate::samples::{assert_close, interval_at, sample, sample_of, steps};

/// The samples of a golden data set by a column, in the order of its values.
fn by_column(name: &str, column: &str) -> Vec<Sample> {
    let case = case(name);
    let mut rows: Vec<(String, Subject)> =
        case.table.iter().map(|row| row[column].clone()).zip(case.subjects()).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows.chunk_by(|a, b| a.0 == b.0).map(|group| sample_of(group.iter().map(|(_, subject)| subject))).collect()
}

fn compare(samples: &[Sample], weighting: Weighting) -> LogRank {
    log_rank(&samples.iter().collect::<Vec<_>>(), weighting)
}

fn lung() -> Sample {
    sample_of(&case("lung").subjects())
}

/// R: `summary(survfit(Surv(time, status) ~ 1, lung, conf.type = ...), times = 365)`.
#[test]
fn five_transforms_of_the_lung_cancer_curve_at_one_year() {
    let steps = steps(&lung());
    assert_close(steps.survival_at(365.0), 0.4092416245, 1e-9);
    assert_close(steps.survival_at(100.0), 0.8639689676, 1e-9);
    let at_100 = interval_at(&steps, 100.0, Transform::Log).expect("observed");
    assert_close(at_100.std_error, 0.0227102304, 1e-8);
    for (transform, lower, upper) in [
        (Transform::Log, 0.3447215818, 0.4858376035),
        (Transform::LogLog, 0.3387142691, 0.4783807676),
        (Transform::Plain, 0.3390285838, 0.4794546651),
        (Transform::Logit, 0.3412963906, 0.4808393146),
        (Transform::Arcsine, 0.3401907351, 0.4801400565),
    ] {
        let interval = interval_at(&steps, 365.0, transform).expect("observed");
        assert_close(interval.std_error, 0.0358236382, 1e-8);
        assert_close(interval.lower, lower, 1e-9);
        assert_close(interval.upper, upper, 1e-9);
    }
}

#[test]
fn quantiles_of_the_lung_cancer_curve() {
    let all = steps(&lung());
    for (p, time) in [(0.25, 170.0), (0.5, 310.0), (0.75, 550.0)] {
        assert_eq!(all.quantile(p), Ok(Some(time)));
    }
    let sexes = by_column("lung", "sex");
    assert_eq!(steps(&sexes[0]).quantile(0.5), Ok(Some(270.0)));
    assert_eq!(steps(&sexes[1]).quantile(0.5), Ok(Some(426.0)));
    let aml = by_column("aml", "x");
    assert_eq!(steps(&aml[0]).quantile(0.5), Ok(Some(31.0)));
    assert_eq!(steps(&aml[1]).quantile(0.5), Ok(Some(23.0)));
}

/// survRM2 `rmst2(time, status, arm, tau = 365)` and R `print(survfit, rmean = 365)`.
#[test]
fn restricted_means_of_the_lung_cancer_sexes() {
    let means: Vec<f64> = by_column("lung", "sex")
        .iter()
        .map(|sample| steps(sample).restricted_mean(365.0).expect("a valid tau").expect("observed"))
        .collect();
    assert_close(means[0], 241.4950852, 1e-9);
    assert_close(means[1], 297.4654095, 1e-9);
    assert_close(means[1] - means[0], 55.97032434, 1e-9);
    assert_close(means[1] / means[0], 1.2317658941, 1e-10);
    assert_close((365.0 - means[1]) / (365.0 - means[0]), 0.5468170281, 1e-9);
}

/// R: `survdiff(Surv(time, status) ~ sex, lung, rho)`.
#[test]
fn log_rank_of_the_lung_cancer_sexes() {
    let test = compare(&by_column("lung", "sex"), Weighting::LogRank);
    assert_close(test.chi_squared, 10.32674195, 1e-9);
    assert_close(test.p_value, 0.0013111645, 1e-7);
    assert_eq!((test.df, test.observed.as_slice()), (1, [112.0, 53.0].as_slice()));
    assert_close(test.expected[0], 91.58173903, 1e-9);
    assert_close(test.expected[1], 73.41826097, 1e-9);
    assert_close(test.variance[(0, 0)], 40.37143398, 1e-9);
}

/// lifelines 0.30.3 `logrank_test(weightings = ...)`; FH(1, 0) is also R's `survdiff(rho = 1)`.
#[test]
fn weighted_tests_of_the_lung_cancer_sexes() {
    let sexes = by_column("lung", "sex");
    let fleming_harrington = |p, q| Weighting::FlemingHarrington { p, q };
    for (weighting, chi_squared) in [
        (fleming_harrington(1.0, 0.0), 12.7141514),
        (fleming_harrington(0.0, 1.0), 3.459984),
        (fleming_harrington(1.0, 1.0), 7.664783),
        (fleming_harrington(0.5, 0.5), 8.768604),
        (Weighting::Wilcoxon, 12.472135),
        (Weighting::TaroneWare, 12.455544),
        (Weighting::Peto, 12.707848),
    ] {
        assert_close(compare(&sexes, weighting).chi_squared, chi_squared, 2e-7);
    }
}

/// Rossi by race as scikit-survival's test has it; acute myeloid leukaemia, ovarian and lung cancer as R prints them.
#[test]
fn log_rank_of_other_data_sets() {
    for (name, column, chi_squared, p_value) in [
        ("aml", "x", 3.396388699, 0.0653393),
        ("ovarian", "rx", 1.062739861, 0.302591),
        ("rossi", "race", 0.5761017137, 0.4478444),
    ] {
        let test = compare(&by_column(name, column), Weighting::LogRank);
        assert_close(test.chi_squared, chi_squared, 1e-9);
        assert_close(test.p_value, p_value, 2e-6);
    }
    let veteran = compare(&by_column("veteran", "celltype"), Weighting::LogRank);
    assert_close(veteran.chi_squared, 25.4037003457854, 1e-12);
    for (group, expected) in [15.6937646, 34.5494784, 30.1020793, 47.6546777].into_iter().enumerate() {
        assert_close(veteran.expected[group], expected, 1e-8);
    }
    let rossi = compare(&by_column("rossi", "race"), Weighting::LogRank);
    assert_close(rossi.variance[(0, 0)], 12.7417883290, 1e-11);
}

/// Kleinbaum & Klein's 6-MP remissions, by lifelines' test of its weightings.
#[test]
fn weighted_tests_of_the_leukaemia_remissions() {
    let arms = by_column("gehan", "treat");
    for (weighting, chi_squared) in [
        (Weighting::LogRank, 16.792941),
        (Weighting::Wilcoxon, 13.457852),
        (Weighting::TaroneWare, 15.123575),
        (Weighting::Peto, 14.084140),
        (Weighting::FlemingHarrington { p: 1.0, q: 0.0 }, 14.457151),
    ] {
        assert_close(compare(&arms, weighting).chi_squared, chi_squared, 1e-7);
    }
}

/// lifelines' tests against R: regimes, the StatsDirect lymphoma example, and six rows.
#[test]
fn log_rank_tests_that_lifelines_checks() {
    let regimes = compare(&by_column("dd_regimes", "regime"), Weighting::LogRank);
    assert_close(regimes.chi_squared, 322.5991, 1e-6);

    let stage_3 = "6 19 32 42 42 43+ 94 126+ 169+ 207 211+ 227+ 253 255+ 270+ 310+ 316+ 335+ 346+";
    let stage_4 = "4 6 10 11 11 11 13 17 20 20 21 22 24 24 29 30 30 31 33 34 35 39 40 41+ 43+ 45 46 50 56 61+ 61+ 63 68 82 \
                   85 88 89 90 93 104 110 134 137 160+ 169 171 173 175 184 201 222 235+ 247+ 260+ 284+ 290+ 291+ 302+ 304+ \
                   341+ 345+";
    let lymphoma = compare(&[sample(stage_3), sample(stage_4)], Weighting::LogRank);
    assert_close(lymphoma.chi_squared, 6.70971, 1e-6);
    assert_close(lymphoma.p_value, 0.0096, 1e-2);

    let all_events = compare(&[sample("10 20 30"), sample("10 20 50")], Weighting::LogRank);
    assert_close(all_events.chi_squared, 0.254237, 2e-6);
    assert_close(all_events.p_value, 0.614107, 2e-6);
    let some_censored = compare(&[sample("10 20+ 30"), sample("10 20+ 50")], Weighting::LogRank);
    assert_close(some_censored.chi_squared, 0.384615, 2e-6);
    assert_close(some_censored.p_value, 0.535143, 2e-6);
}

/// R: `survfit(Surv(time, status) ~ x, aml)`, cumulative hazard of the maintained at 31 weeks.
#[test]
fn nelson_aalen_of_the_maintained() {
    let maintained = steps(&by_column("aml", "x")[0]);
    assert_close(maintained.cumulative_hazard_at(31.0), 0.6587662338, 1e-9);
}

/// R: `survfit(Surv(start, stop, event) ~ 1, heart, subset = transplant == 1)`: everyone enters late.
#[test]
fn delayed_entry_of_the_transplanted() {
    let transplanted = &by_column("heart", "transplant")[1];
    let steps = steps(transplanted);
    let at_100 = interval_at(&steps, 100.0, Transform::Log).expect("observed");
    assert_close(at_100.survival, 0.4678754215, 1e-9);
    assert_close(at_100.std_error, 0.0801620760, 1e-9);
    assert_eq!(steps.quantile(0.5), Ok(Some(90.0)));
}

/// R: `survfit(..., weights = rep(2, 228))` and `weights = ph.karno / 100, robust = FALSE`.
#[test]
fn case_weights_of_the_lung_cancer_patients() {
    let (mut twice, mut by_karnofsky) = (Sample::default(), Sample::default());
    for row in &table("lung.csv") {
        let (time, event) = (number(row, "time"), number(row, "event") == 1.0);
        twice.add_row(0.0, time, event, 2.0, Budget::UNLIMITED).expect("a valid row");
        if !row["ph_karno"].is_empty() {
            let weight = number(row, "ph_karno") / 100.0;
            by_karnofsky.add_row(0.0, time, event, weight, Budget::UNLIMITED).expect("a valid row");
        }
    }
    let twice = interval_at(&steps(&twice), 365.0, Transform::Log).expect("observed");
    assert_close(twice.survival, 0.4092416245, 1e-9);
    assert_close(twice.std_error, 0.0253311375, 1e-8);
    let by_karnofsky = interval_at(&steps(&by_karnofsky), 365.0, Transform::Log).expect("observed");
    assert_close(by_karnofsky.survival, 0.4257908689, 1e-9);
    assert_close(by_karnofsky.std_error, 0.0400753273, 1e-8);
}
