//! Arithmetic on magnitudes: slices of 64-bit words, least significant first.
//!
//! Nothing here knows of objects or allocates; results are written into slices of the caller's. A
//! magnitude is *trimmed* when its last word is not zero; zero is the empty slice.

use core::cmp::Ordering;

use dashu_int::UBig;

/// The magnitude without its leading zero words.
#[inline]
pub fn trim(words: &[u64]) -> &[u64] {
    let mut length = words.len();
    while length > 0 && words[length - 1] == 0 {
        length -= 1;
    }
    &words[..length]
}

/// The number of bits of a trimmed magnitude.
#[inline]
pub fn bit_length(words: &[u64]) -> u64 {
    match words.last() {
        None => 0,
        Some(top) => words.len() as u64 * 64 - u64::from(top.leading_zeros()),
    }
}

/// Whether bit `index` is set.
#[inline]
pub fn bit(words: &[u64], index: u64) -> bool {
    match words.get((index / 64) as usize) {
        Some(word) => word >> (index % 64) & 1 != 0,
        None => false,
    }
}

/// Whether any of the lowest `count` bits is set.
pub fn any_low_bits(words: &[u64], count: u64) -> bool {
    let whole = (count / 64) as usize;
    if words.iter().take(whole).any(|word| *word != 0) {
        return true;
    }
    match words.get(whole) {
        Some(word) if count % 64 != 0 => word << (64 - count % 64) != 0,
        _ => false,
    }
}

/// Compares two trimmed magnitudes.
#[inline]
pub fn compare(a: &[u64], b: &[u64]) -> Ordering {
    if a.len() != b.len() {
        return a.len().cmp(&b.len());
    }
    a.iter().rev().cmp(b.iter().rev())
}

/// Writes `a + b`; `out` has room for the longer one and a word more, and is filled.
pub fn add(out: &mut [u64], a: &[u64], b: &[u64]) {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut carry = false;
    for (i, word) in long.iter().enumerate() {
        let other = short.get(i).copied().unwrap_or(0);
        let (sum, over) = word.overflowing_add(other);
        let (sum, again) = sum.overflowing_add(u64::from(carry));
        out[i] = sum;
        carry = over | again;
    }
    out[long.len()] = u64::from(carry);
    out[long.len() + 1..].fill(0);
}

/// Writes `a - b`, where `a >= b`; `out` is at least as long as `a`, and is filled.
pub fn sub(out: &mut [u64], a: &[u64], b: &[u64]) {
    let mut borrow = false;
    for (i, word) in a.iter().enumerate() {
        let other = b.get(i).copied().unwrap_or(0);
        let (rest, under) = word.overflowing_sub(other);
        let (rest, again) = rest.overflowing_sub(u64::from(borrow));
        out[i] = rest;
        borrow = under | again;
    }
    debug_assert!(!borrow, "the first operand is the smaller one");
    out[a.len()..].fill(0);
}

/// Writes `a * b` by the schoolbook; `out` has `a.len() + b.len()` words.
pub fn mul(out: &mut [u64], a: &[u64], b: &[u64]) {
    out.fill(0);
    for (i, x) in a.iter().enumerate() {
        let mut carry = 0u64;
        for (place, y) in out[i..].iter_mut().zip(b) {
            let product = u128::from(*x) * u128::from(*y) + u128::from(*place) + u128::from(carry);
            *place = product as u64;
            carry = (product >> 64) as u64;
        }
        out[i + b.len()] = carry;
    }
}

/// Multiplies in place by `factor` and adds `addend`; returns the word that is carried out.
pub fn mul_add_word(words: &mut [u64], factor: u64, addend: u64) -> u64 {
    let mut carry = addend;
    for word in words {
        let product = u128::from(*word) * u128::from(factor) + u128::from(carry);
        *word = product as u64;
        carry = (product >> 64) as u64;
    }
    carry
}

/// Divides in place by `divisor`; returns the remainder.
pub fn div_word(words: &mut [u64], divisor: u64) -> u64 {
    let mut rest = 0u64;
    for word in words.iter_mut().rev() {
        let part = u128::from(rest) << 64 | u128::from(*word);
        *word = (part / u128::from(divisor)) as u64;
        rest = (part % u128::from(divisor)) as u64;
    }
    rest
}

/// The remainder of a division by one word.
pub fn rem_word(words: &[u64], divisor: u64) -> u64 {
    let mut rest = 0u64;
    for word in words.iter().rev() {
        rest = ((u128::from(rest) << 64 | u128::from(*word)) % u128::from(divisor)) as u64;
    }
    rest
}

/// Writes `a << shift`; `out` has at least `a.len() + shift / 64 + 1` words, and is filled.
pub fn shl(out: &mut [u64], a: &[u64], shift: u64) {
    let whole = (shift / 64) as usize;
    let bits = (shift % 64) as u32;
    out[..whole].fill(0);
    if bits == 0 {
        out[whole..whole + a.len()].copy_from_slice(a);
        out[whole + a.len()..].fill(0);
        return;
    }
    let mut carry = 0;
    for (place, word) in out[whole..].iter_mut().zip(a) {
        *place = word << bits | carry;
        carry = word >> (64 - bits);
    }
    out[whole + a.len()] = carry;
    out[whole + a.len() + 1..].fill(0);
}

/// Writes `a >> shift`; `out` has `a.len() - shift / 64` words, where that is not negative.
pub fn shr(out: &mut [u64], a: &[u64], shift: u64) {
    let whole = (shift / 64) as usize;
    let bits = (shift % 64) as u32;
    let a = &a[whole..];
    if bits == 0 {
        out[..a.len()].copy_from_slice(a);
        return;
    }
    for i in 0..a.len() {
        let high = a.get(i + 1).copied().unwrap_or(0);
        out[i] = a[i] >> bits | high << (64 - bits);
    }
}

/// Adds one in place; tells whether that carried out of the slice.
pub fn increment(words: &mut [u64]) -> bool {
    for word in words {
        let (sum, over) = word.overflowing_add(1);
        *word = sum;
        if !over {
            return false;
        }
    }
    true
}

/// Negates the two's complement number in place.
pub fn negate(words: &mut [u64]) {
    for word in words.iter_mut() {
        *word = !*word;
    }
    increment(words);
}

/// The modulus of the hash of numbers, the Mersenne prime 2^61 - 1.
pub const HASH_MODULUS: u64 = (1 << 61) - 1;

/// The magnitude modulo 2^61 - 1.
pub fn hash(words: &[u64]) -> u64 {
    let mut hash = 0u64;
    for word in words.iter().rev() {
        // 2^64 is 8 modulo 2^61 - 1, and multiplying by 8 is a rotation of 61 bits.
        hash = (hash << 3 & HASH_MODULUS) | hash >> 58;
        hash += (word & HASH_MODULUS) + (word >> 61);
        while hash >= HASH_MODULUS {
            hash -= HASH_MODULUS;
        }
    }
    hash
}

/// The magnitude as `m * 2^e` with `0.5 <= m < 1`, rounded half to even; (0, 0) for zero.
pub fn to_fraction(words: &[u64]) -> (f64, u64) {
    let bits = bit_length(words);
    if bits == 0 {
        return (0.0, 0);
    }
    // The 64 highest bits, the lowest of them standing for all that are cut off: that is enough for the
    // conversion to 53 bits to round correctly.
    let top = if bits <= 64 {
        words[0] << (64 - bits)
    } else {
        let shift = bits - 64;
        let (whole, low) = ((shift / 64) as usize, shift % 64);
        let mut top = words[whole] >> low;
        if low != 0 {
            top |= words[whole + 1] << (64 - low);
        }
        top | u64::from(any_low_bits(words, shift))
    };
    let fraction = super::super::float::ldexp(top as f64, -64);
    if fraction == 1.0 { (0.5, bits + 1) } else { (fraction, bits) }
}

/// The value as a float, rounded half to even; None when it is out of range.
pub fn to_f64(words: &[u64]) -> Option<f64> {
    let (fraction, exponent) = to_fraction(words);
    (exponent <= 1024).then(|| super::super::float::ldexp(fraction, exponent as i32))
}

/// The integer part of a finite float: its magnitude's words and how many of them are used.
pub fn from_f64(value: f64) -> ([u64; 16], usize) {
    let mut words = [0u64; 16];
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    if exponent < 1023 {
        return (words, 0);
    }
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let shift = exponent - 1075;
    if shift <= 0 {
        words[0] = mantissa >> -shift;
    } else {
        let (whole, low) = (shift as usize / 64, shift as u32 % 64);
        words[whole] = mantissa << low;
        if low > 11 {
            words[whole + 1] = mantissa >> (64 - low);
        }
    }
    let length = trim(&words).len();
    (words, length)
}

/// The magnitude for the library of large operations.
#[inline]
pub fn to_big(words: &[u64]) -> UBig {
    UBig::from_words(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplication_agrees_with_the_library() {
        let mut seed = 1u64;
        let mut next = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            seed ^ seed >> 33
        };
        for la in 1..8 {
            for lb in 1..8 {
                let mut a = [0u64; 8];
                let mut b = [0u64; 8];
                a[..la].fill_with(&mut next);
                b[..lb].fill_with(&mut next);
                let mut out = [0u64; 16];
                mul(&mut out[..la + lb], &a[..la], &b[..lb]);
                let expected = to_big(trim(&a)) * to_big(trim(&b));
                assert_eq!(trim(&out), expected.as_words());
            }
        }
    }

    #[test]
    fn floats_go_to_words_and_back() {
        for value in [0.0, 1.0, 1.5, 4503599627370497.0, 1e18, 1e19, 1e20, 1.7976931348623157e308, 3.3e55] {
            let (words, length) = from_f64(value);
            assert_eq!(to_f64(&words[..length]), Some(f64::trunc(value)));
        }
    }

    #[test]
    fn hashing_is_the_remainder() {
        let words = [u64::MAX, 12345, u64::MAX, 7];
        let expected = to_big(&words) % UBig::from(HASH_MODULUS);
        assert_eq!(UBig::from(hash(&words)), expected);
    }
}
