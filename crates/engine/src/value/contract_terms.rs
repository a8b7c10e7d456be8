//! The terms of one contract as a value (`ltv.terms`): owned, checked, and stored as bytes.

use rust_decimal::Decimal;

use crate::numeric::bytes::{Reader, Writer};
use crate::value::contract::{Billing, Timing, ValueBasis};
use crate::value::domain::MAX_LIST;
use crate::value::money::double;
use crate::value::outlook::TailRule;
use crate::value::terms::Terms;
use crate::{Error, Result};

const VERSION: u8 = 1;

/// Terms that stand on their own. `plain` holds everything but what is beside it: there its lists are empty.
#[derive(Debug, Clone)]
pub struct ContractTerms {
    pub plain: Terms<'static>,
    /// Price per `period_months`, to the last digit.
    pub revenue: Decimal,
    pub ramp: Vec<Decimal>,
    pub expansion_curve: Vec<f64>,
    pub discount_curve: Vec<f64>,
    /// ISO 4217; whoever makes the terms has checked it and set `minor_digits` by it.
    pub currency: Option<String>,
    /// The valuation date, in days since 2000-01-01.
    pub as_of: Option<i32>,
}

impl ContractTerms {
    /// The terms of a price, all others as usual: those of [`Terms::new`], with a tail.
    pub fn new(revenue: Decimal) -> Self {
        ContractTerms {
            plain: Terms { tail: TailRule::ConstantHazard, ..Terms::new(0.0) },
            revenue,
            ramp: Vec::new(),
            expansion_curve: Vec::new(),
            discount_curve: Vec::new(),
            currency: None,
            as_of: None,
        }
    }

    /// The terms as a valuation reads them; without the calendar, which is the caller's.
    pub fn view(&self) -> Terms<'_> {
        Terms {
            revenue: double(self.revenue),
            revenue_exact: Some(self.revenue),
            ramp: &self.ramp,
            expansion_curve: &self.expansion_curve,
            discount_curve: &self.discount_curve,
            ..self.plain
        }
    }

    /// The same where there are no lists to borrow.
    pub fn plain(&self) -> Option<Terms<'static>> {
        let plain = Terms { revenue: double(self.revenue), revenue_exact: Some(self.revenue), ..self.plain };
        (self.ramp.is_empty() && self.expansion_curve.is_empty() && self.discount_curve.is_empty()).then_some(plain)
    }

    /// # Errors
    /// [`Error::Invalid`] as [`Terms::validate`]; nothing else can be wrong with the value.
    pub fn validate(&self) -> Result<()> {
        match self.ramp.first() {
            Some(first) if *first != self.revenue => Err(Error::invalid(
                format!("the ramp begins with {first}, the revenue is {}", self.revenue),
                "The first step of a ramp is the price now: leave the revenue out, or make it the same.",
            )),
            _ => self.view().validate(),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let plain = &self.plain;
        let mut out = Writer { bytes: Vec::with_capacity(192) };
        out.byte(VERSION);
        write_decimal(self.revenue, &mut out);
        for number in numbers(plain) {
            out.float(number);
        }
        for number in optional_numbers(plain) {
            out.byte(u8::from(number.is_some()));
            if let Some(number) = number {
                out.float(number);
            }
        }
        for number in whole_numbers(plain) {
            out.whole(u64::from(number));
        }
        out.byte(place(&BILLINGS, plain.billing));
        out.byte(place(&TIMINGS, plain.timing));
        out.byte(place(&TAILS, plain.tail));
        out.byte(place(&BASES, plain.basis));
        out.byte(u8::from(plain.auto_renew));
        out.whole(self.ramp.len() as u64);
        for price in &self.ramp {
            write_decimal(*price, &mut out);
        }
        out.floats(&self.expansion_curve);
        out.floats(&self.discount_curve);
        let currency = self.currency.as_deref().unwrap_or_default();
        out.whole(currency.len() as u64);
        out.bytes.extend_from_slice(currency.as_bytes());
        out.byte(u8::from(self.as_of.is_some()));
        if let Some(days) = self.as_of {
            // Zigzag: small numbers of either sign are short.
            out.whole(u64::from((days.wrapping_shl(1) ^ (days >> 31)) as u32));
        }
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`ContractTerms::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<ContractTerms> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(Error::malformed(format!(
                "format version {version} of ltv.terms is not known to this release"
            )));
        }
        let mut terms = ContractTerms::new(read_decimal(&mut from)?);
        let plain = &mut terms.plain;
        for number in numbers_mut(plain) {
            *number = from.float()?;
        }
        for number in optional_numbers_mut(plain) {
            *number = if flag(&mut from)? { Some(from.float()?) } else { None };
        }
        for number in whole_numbers_mut(plain) {
            *number =
                u32::try_from(from.whole()?).map_err(|_| Error::malformed("a whole number of terms is too large"))?;
        }
        plain.billing = at(&BILLINGS, &mut from)?;
        plain.timing = at(&TIMINGS, &mut from)?;
        plain.tail = at(&TAILS, &mut from)?;
        plain.basis = at(&BASES, &mut from)?;
        plain.auto_renew = flag(&mut from)?;
        let steps = from.whole()?;
        if steps > MAX_LIST as u64 {
            return Err(Error::malformed("a ramp of terms is too long"));
        }
        for _ in 0..steps {
            terms.ramp.push(read_decimal(&mut from)?);
        }
        terms.expansion_curve = from.floats()?;
        terms.discount_curve = from.floats()?;
        let letters = from.whole()?;
        if letters > 3 {
            return Err(Error::malformed("the currency of terms is no code of three letters"));
        }
        let code = (0..letters).map(|_| from.byte()).collect::<Result<Vec<u8>>>()?;
        let code = String::from_utf8(code).map_err(|_| Error::malformed("the currency of terms is not UTF-8"))?;
        terms.currency = (!code.is_empty()).then_some(code);
        if flag(&mut from)? {
            let zigzag = u32::try_from(from.whole()?).map_err(|_| Error::malformed("the date of terms is too late"))?;
            terms.as_of = Some((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32));
        }
        from.finish()?;
        match terms.validate() {
            Err(Error::Invalid { message, .. }) => Err(Error::malformed(format!("these are no terms: {message}"))),
            other => other.map(|()| terms),
        }
    }
}

const BILLINGS: [Billing; 4] = [Billing::Monthly, Billing::Quarterly, Billing::Semiannual, Billing::Annual];
const TIMINGS: [Timing; 3] = [Timing::Advance, Timing::Arrears, Timing::Middle];
const TAILS: [TailRule; 3] = [TailRule::None, TailRule::ConstantHazard, TailRule::RecentHazard];
const BASES: [ValueBasis; 3] = [ValueBasis::Revenue, ValueBasis::GrossMargin, ValueBasis::Contribution];

fn place<T: PartialEq>(choices: &[T], chosen: T) -> u8 {
    choices.iter().position(|choice| *choice == chosen).unwrap_or(0) as u8
}

fn at<T: Copy>(choices: &[T], from: &mut Reader) -> Result<T> {
    let place = from.byte()?;
    choices.get(usize::from(place)).copied().ok_or_else(|| Error::malformed(format!("terms have no choice {place}")))
}

fn flag(from: &mut Reader) -> Result<bool> {
    match from.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::malformed(format!("{other} is neither yes nor no"))),
    }
}

fn write_decimal(number: Decimal, out: &mut Writer) {
    out.byte(number.scale() as u8);
    out.bytes.extend_from_slice(&number.mantissa().to_le_bytes()[..12]);
}

/// The mantissa is of 96 bits and, as all amounts here, not negative.
fn read_decimal(from: &mut Reader) -> Result<Decimal> {
    let scale = u32::from(from.byte()?);
    let mut mantissa = [0u8; 16];
    for byte in &mut mantissa[..12] {
        *byte = from.byte()?;
    }
    Decimal::try_from_i128_with_scale(i128::from_le_bytes(mantissa), scale)
        .map_err(|_| Error::malformed("an amount of terms is out of range"))
}

/// The numbers in their stored order.
macro_rules! in_order {
    ($numbers:ident, $numbers_mut:ident, $type:ty, $count:literal, [$($field:ident),*]) => {
        fn $numbers(terms: &Terms) -> [$type; $count] {
            [$(terms.$field),*]
        }

        fn $numbers_mut<'a>(terms: &'a mut Terms<'static>) -> [&'a mut $type; $count] {
            [$(&mut terms.$field),*]
        }
    };
}

in_order!(
    numbers,
    numbers_mut,
    f64,
    14,
    [
        margin,
        cost_to_serve,
        discount_rate,
        expansion,
        price_uplift,
        period_months,
        given,
        acquisition_cost,
        level,
        notice_months,
        early_termination,
        termination_fee,
        bad_debt,
        hazard_ratio
    ]
);
in_order!(optional_numbers, optional_numbers_mut, Option<f64>, 3, [term_months, months_to_renewal, tail_months]);
in_order!(
    whole_numbers,
    whole_numbers_mut,
    u32,
    5,
    [horizon, paid_months, payment_days, expansion_curve_months, minor_digits]
);

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> ContractTerms {
        let price = Decimal::from_str_exact("12.34567890123456789").unwrap();
        ContractTerms {
            plain: Terms {
                horizon: 24,
                billing: Billing::Quarterly,
                timing: Timing::Arrears,
                tail: TailRule::RecentHazard,
                basis: ValueBasis::GrossMargin,
                term_months: Some(12.0),
                months_to_renewal: Some(4.5),
                tail_months: Some(9.0),
                minor_digits: 3,
                auto_renew: false,
                margin: 0.1 + 0.2,
                ..Terms::new(0.0)
            },
            revenue: price,
            ramp: vec![price, Decimal::ZERO],
            expansion_curve: vec![1.0, 1.0 / 3.0],
            discount_curve: vec![0.03],
            currency: Some("KWD".into()),
            as_of: Some(-730_119),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        for terms in [full(), ContractTerms::new(Decimal::ONE_HUNDRED)] {
            let bytes = terms.encode();
            let read = ContractTerms::decode(&bytes).unwrap();
            assert_eq!(read.encode(), bytes);
            assert_eq!(format!("{read:?}"), format!("{terms:?}"));
        }
        for days in [0, -1, 1, i32::MIN, i32::MAX] {
            let terms = ContractTerms { as_of: Some(days), ..full() };
            assert_eq!(ContractTerms::decode(&terms.encode()).unwrap().as_of, Some(days));
        }
    }

    #[test]
    fn forged_bytes_are_refused_or_are_terms() {
        let bytes = full().encode();
        for length in 0..bytes.len() {
            assert!(matches!(ContractTerms::decode(&bytes[..length]), Err(Error::Malformed(_))), "{length}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut forged = bytes.clone();
                forged[at] ^= 1 << bit;
                match ContractTerms::decode(&forged) {
                    Ok(terms) => assert!(terms.validate().is_ok()),
                    Err(error) => assert!(matches!(error, Error::Malformed(_)), "{error:?}"),
                }
            }
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(ContractTerms::decode(&longer).is_err());
    }
}
