//! The gamma function and its logarithm, by Lanczos' approximation with g = 6.024680040776729583740234375
//! and thirteen terms.
//!
//! The C library's own differ from one to the next; this one is accurate to a few units in the last
//! place everywhere, and exact for the factorials that floats hold.

use core::f64::consts::PI;

use super::libm;

const G: f64 = 6.024680040776729583740234375;
const G_MINUS_HALF: f64 = 5.524680040776729583740234375;
const TERMS: usize = 13;

const NUMERATOR: [f64; TERMS] = [
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
];

const DENOMINATOR: [f64; TERMS] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

const FACTORIALS: [f64; 23] = {
    let mut table = [1.0; 23];
    let mut i = 1;
    while i < 23 {
        table[i] = table[i - 1] * i as f64;
        i += 1;
    }
    table
};

const LOG_PI: f64 = 1.144729885849400174143427351353058711647;

/// The quotient of the two polynomials, evaluated so that neither overflows.
fn lanczos_sum(x: f64) -> f64 {
    let (mut numerator, mut denominator) = (0.0, 0.0);
    if x < 5.0 {
        for i in (0..TERMS).rev() {
            numerator = numerator * x + NUMERATOR[i];
            denominator = denominator * x + DENOMINATOR[i];
        }
    } else {
        for i in 0..TERMS {
            numerator = numerator / x + NUMERATOR[i];
            denominator = denominator / x + DENOMINATOR[i];
        }
    }
    numerator / denominator
}

/// sin(pi x) for finite x, reduced first so that it is exact at the integers.
fn sin_pi(x: f64) -> f64 {
    let y = libm::fmod(x.abs(), 2.0);
    let result = match (2.0 * y).round() as i32 {
        0 => libm::sin(PI * y),
        1 => libm::cos(PI * (y - 0.5)),
        // The difference is taken this way round so that the zero has its sign.
        2 => libm::sin(PI * (1.0 - y)),
        3 => -libm::cos(PI * (y - 1.5)),
        _ => libm::sin(PI * (y - 2.0)),
    };
    1.0f64.copysign(x) * result
}

/// Why there is no value.
pub enum GammaError {
    /// A pole.
    Domain,
    /// The value is too large.
    Range,
}

/// The gamma function.
pub fn gamma(x: f64) -> Result<f64, GammaError> {
    if !x.is_finite() {
        return if x.is_nan() || x > 0.0 { Ok(x) } else { Err(GammaError::Domain) };
    }
    if x == 0.0 {
        return Err(GammaError::Domain);
    }
    if x == x.floor() {
        if x < 0.0 {
            return Err(GammaError::Domain);
        }
        if x <= FACTORIALS.len() as f64 {
            return Ok(FACTORIALS[x as usize - 1]);
        }
    }
    let magnitude = x.abs();
    if magnitude < 1e-20 {
        let result = 1.0 / x;
        return if result.is_infinite() { Err(GammaError::Range) } else { Ok(result) };
    }
    // Further out it is zero, with the sign that alternates between the poles, or too large.
    if magnitude > 200.0 {
        return if x < 0.0 { Ok(0.0 / sin_pi(x)) } else { Err(GammaError::Range) };
    }
    let y = magnitude + G_MINUS_HALF;
    // What rounding took from y is made good below.
    let mut z = if magnitude > G_MINUS_HALF {
        let q = y - magnitude;
        q - G_MINUS_HALF
    } else {
        let q = y - G_MINUS_HALF;
        q - magnitude
    };
    z = z * G / y;
    let result = if x < 0.0 {
        let mut r = -PI / sin_pi(magnitude) / magnitude * libm::exp(y) / lanczos_sum(magnitude);
        r -= z * r;
        if magnitude < 140.0 {
            r / libm::pow(y, magnitude - 0.5)
        } else {
            // The power alone would overflow.
            let root = libm::pow(y, magnitude / 2.0 - 0.25);
            r / root / root
        }
    } else {
        let mut r = lanczos_sum(magnitude) / libm::exp(y);
        r += z * r;
        if magnitude < 140.0 {
            r * libm::pow(y, magnitude - 0.5)
        } else {
            let root = libm::pow(y, magnitude / 2.0 - 0.25);
            r * root * root
        }
    };
    if result.is_infinite() { Err(GammaError::Range) } else { Ok(result) }
}

/// The logarithm of the gamma function's absolute value.
pub fn log_gamma(x: f64) -> Result<f64, GammaError> {
    if !x.is_finite() {
        return Ok(if x.is_nan() { x } else { f64::INFINITY });
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(GammaError::Domain) } else { Ok(0.0) };
    }
    let magnitude = x.abs();
    if magnitude < 1e-20 {
        return Ok(-libm::log(magnitude));
    }
    let mut result = libm::log(lanczos_sum(magnitude)) - G;
    result += (magnitude - 0.5) * (libm::log(magnitude + G - 0.5) - 1.0);
    if x < 0.0 {
        result = LOG_PI - libm::log(sin_pi(magnitude).abs()) - libm::log(magnitude) - result;
    }
    if result.is_infinite() { Err(GammaError::Range) } else { Ok(result) }
}
