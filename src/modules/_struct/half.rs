//! IEEE 754 half precision: one sign bit, five of the exponent, ten of the fraction.

/// The value of a half.
pub fn to_f64(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1F);
    let fraction = f64::from(bits & 0x3FF);
    let magnitude = match exponent {
        0 => fraction * power_of_two(-24),
        0x1F if fraction == 0.0 => f64::INFINITY,
        0x1F => f64::NAN,
        _ => (1024.0 + fraction) * power_of_two(exponent - 25),
    };
    sign * magnitude
}

/// The nearest half, ties to even; `None` when it would be infinite and the value is not.
pub fn from_f64(value: f64) -> Option<u16> {
    let bits = value.to_bits();
    let sign = ((bits >> 48) & 0x8000) as u16;
    if value.is_nan() {
        return Some(sign | 0x7E00);
    }
    if value.is_infinite() {
        return Some(sign | 0x7C00);
    }
    let exponent = ((bits >> 52) & 0x7FF) as i32 - 1023;
    if exponent >= 16 {
        return None;
    }
    let units = exponent.max(-14) - 10;
    let rounded = (value.abs() * power_of_two(-units)).round_ties_even() as u16;
    let magnitude = if exponent >= -14 { ((exponent + 14) as u16) * 1024 + rounded } else { rounded };
    (magnitude < 0x7C00).then_some(sign | magnitude)
}

/// A power of two within the range of normal numbers.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_the_way_there_and_back() {
        for bits in 0..=u16::MAX {
            let value = to_f64(bits);
            if value.is_nan() {
                continue;
            }
            assert_eq!(from_f64(value), Some(bits), "{bits:#x}");
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_and_past_the_end_there_is_nothing() {
        assert_eq!(from_f64(65519.0), Some(0x7BFF));
        assert_eq!(from_f64(65520.0), None);
        assert_eq!(from_f64(2f64.powi(-25)), Some(0));
        assert_eq!(from_f64(2f64.powi(-25) * 1.5), Some(1));
        assert_eq!(from_f64(1.0 + 2f64.powi(-11)), Some(0x3C00));
        assert_eq!(from_f64(1.0 + 3.0 * 2f64.powi(-11)), Some(0x3C02));
    }
}
